//! Schema changes, under a lock.

use std::collections::BTreeMap;

use diesel::{
    SqliteConnection,
    connection::SimpleConnection,
    migration::{Migration, MigrationSource},
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::{Connection, Error, Result};

/// How long we wait for somebody else's migrations, in milliseconds.
const PATIENCE_MILLIS: u32 = 60_000;

/// The migrations of one schema, one set per backend.
pub struct Migrations {
    sqlite: EmbeddedMigrations,
}

impl Migrations {
    /// From what `diesel_migrations::embed_migrations!` made of the folder of each backend. The macro's value lives in
    /// a constant only:
    ///
    /// ```ignore
    /// pub const MIGRATIONS: Migrations = Migrations::new(embed_migrations!("migrations/sqlite"));
    /// ```
    pub const fn new(sqlite: EmbeddedMigrations) -> Self {
        Self { sqlite }
    }

    /// Applies what is missing, all of it or nothing, while nobody else can write; returns the names of what was
    /// applied.
    pub(crate) fn apply(&self, connection: &mut Connection, patience_millis: u32) -> Result<Vec<String>> {
        match connection {
            Connection::Sqlite(c) => {
                set_patience(c, PATIENCE_MILLIS)?;
                let applied = c.exclusive_transaction(|c| apply_missing(c, &self.sqlite));
                set_patience(c, patience_millis)?;
                applied
            }
        }
    }
}

fn set_patience(c: &mut SqliteConnection, millis: u32) -> Result<()> {
    Ok(c.batch_execute(&format!("PRAGMA busy_timeout = {millis}"))?)
}

fn apply_missing(c: &mut SqliteConnection, source: &EmbeddedMigrations) -> Result<Vec<String>> {
    let failed = |name: &str| {
        let name = name.to_owned();
        move |source| Error::Migration { name, source }
    };
    let known: Vec<Box<dyn Migration<Sqlite>>> = source.migrations().map_err(failed("list"))?;
    let mut missing: BTreeMap<_, _> = known.iter().map(|one| (one.name().version().as_owned(), one)).collect();
    for version in c.applied_migrations().map_err(failed("list"))? {
        if missing.remove(&version).is_none() {
            return Err(Error::Newer { version: version.to_string() });
        }
    }
    let mut names = Vec::with_capacity(missing.len());
    for migration in missing.into_values() {
        let name = migration.name().to_string();
        c.run_migration(migration.as_ref()).map_err(failed(&name))?;
        names.push(name);
    }
    Ok(names)
}
