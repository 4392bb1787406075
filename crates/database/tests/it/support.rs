//! A database with one small table.

use database::{Connection, Database, Migrations, Options, on_backend};
use diesel::prelude::*;
use diesel_migrations::embed_migrations;
use tempfile::TempDir;

diesel::table! {
    words (word) {
        word -> Text,
        length -> Nullable<BigInt>,
        likes -> Nullable<Text>,
    }
}

pub(crate) fn old() -> Migrations {
    const SET: Migrations = Migrations::sqlite_only(embed_migrations!("tests/it/migrations_old"));
    SET
}

pub(crate) fn new() -> Migrations {
    const SET: Migrations = Migrations::sqlite_only(embed_migrations!("tests/it/migrations_new"));
    SET
}

/// A migration more, which takes away what programs use that do not know the second one.
pub(crate) fn since() -> Migrations {
    const SET: Migrations = Migrations::sqlite_only(embed_migrations!("tests/it/migrations_since"));
    SET
}

pub(crate) fn bad() -> Migrations {
    const SET: Migrations = Migrations::sqlite_only(embed_migrations!("tests/it/migrations_bad"));
    SET
}

pub(crate) fn file(directory: &TempDir) -> Options {
    Options::new(format!("sqlite://{}", directory.path().join("deep/er/words.db").display()))
}

/// A fresh file with the table in it; it goes with the directory.
pub(crate) fn fresh() -> (TempDir, Database) {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&file(&directory)).unwrap();
    database.migrate(old()).unwrap();
    (directory, database)
}

pub(crate) fn memory() -> Database {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    database.migrate(old()).unwrap();
    database
}

pub(crate) fn add(conn: &mut Connection, word: &str) -> database::Result<()> {
    on_backend!(conn, c => diesel::insert_into(words::table).values(words::word.eq(word)).execute(c))?;
    Ok(())
}

pub(crate) fn all(conn: &mut Connection) -> database::Result<Vec<String>> {
    Ok(on_backend!(conn, c => words::table.order(words::word).select(words::word).load(c))?)
}
