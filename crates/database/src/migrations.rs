//! Schema changes, under a lock.

use std::collections::BTreeMap;

use diesel::{
    Connection as _, PgConnection, SqliteConnection,
    backend::Backend,
    connection::SimpleConnection,
    migration::{Migration, MigrationSource},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::{Connection, Error, Result};

/// How long we wait for somebody else's migrations, in milliseconds.
const PATIENCE_MILLIS: u32 = 60_000;

/// Taken for the time of migrating, so that replicas that start at once do not get in each other's way ("orgbridge" in hex).
const LOCK: i64 = 0x6f72_6762_7269_6467;

/// The migrations of one schema, one set per backend.
pub struct Migrations {
    sqlite: EmbeddedMigrations,
    postgres: Option<EmbeddedMigrations>,
}

impl Migrations {
    /// From what `diesel_migrations::embed_migrations!` made of the folder of each backend. The macro's values live in
    /// a constant only:
    ///
    /// ```ignore
    /// pub const MIGRATIONS: Migrations =
    ///     Migrations::new(embed_migrations!("migrations/sqlite"), embed_migrations!("migrations/postgres"));
    /// ```
    pub const fn new(sqlite: EmbeddedMigrations, postgres: EmbeddedMigrations) -> Self {
        Self { sqlite, postgres: Some(postgres) }
    }

    /// Of a schema that lives in SQLite only.
    pub const fn sqlite_only(sqlite: EmbeddedMigrations) -> Self {
        Self { sqlite, postgres: None }
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
            Connection::Postgres(c) => {
                let Some(migrations) = &self.postgres else { return Err(Error::Url) };
                c.transaction(|c| {
                    wait_for_turn(c)?;
                    apply_missing(c, migrations)
                })
            }
        }
    }
}

fn set_patience(c: &mut SqliteConnection, millis: u32) -> Result<()> {
    Ok(c.batch_execute(&format!("PRAGMA busy_timeout = {millis}"))?)
}

/// For this transaction only: a migration may take its time.
fn wait_for_turn(c: &mut PgConnection) -> Result<()> {
    Ok(c.batch_execute(&format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {PATIENCE_MILLIS}; SELECT pg_advisory_xact_lock({LOCK})"
    ))?)
}

/// Whether a program whose newest migration is `newest` may work on a schema with a migration that it does not know. What only adds suits every
/// older program. What takes something away says in its name since which migration nobody uses that any more:
/// `2027-01-10-000001-since-2026-12-01-000002_drop_x`, of which the version is `20270110000001since20261201000002`.
fn suits(unknown: &str, newest: &str) -> bool {
    unknown > newest && unknown.split_once("since").is_none_or(|(_, needed)| newest >= needed)
}

fn apply_missing<DB, C>(c: &mut C, source: &EmbeddedMigrations) -> Result<Vec<String>>
where
    DB: Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |name: &str| {
        let name = name.to_owned();
        move |source| Error::Migration { name, source }
    };
    let known: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(failed("list"))?;
    let mut missing: BTreeMap<_, _> = known.iter().map(|one| (one.name().version().as_owned(), one)).collect();
    let newest = known.iter().map(|one| one.name().version().to_string()).max().unwrap_or_default();
    for version in c.applied_migrations().map_err(failed("list"))? {
        if missing.remove(&version).is_none() && !suits(&version.to_string(), &newest) {
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

#[cfg(test)]
mod tests {
    use super::suits;

    #[test]
    fn a_program_works_on_a_newer_schema_that_takes_nothing_from_it() {
        let newest = "20261201000002";
        assert!(suits("20270110000001", newest));
        assert!(suits("20270110000001since20261201000002", newest));
        assert!(suits("20270110000001since20261201000001", newest));
        assert!(!suits("20270110000001since20261205000001", newest));
        // A migration that was there before ours, and that we do not know, is of another program.
        assert!(!suits("20260101000001", newest));
    }
}
