//! The schema's history.

use database::Migrations;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// All migrations of this crate's tables, for [`database::Database::migrate`].
pub const fn migrations() -> Migrations {
    Migrations::new(SQLITE, POSTGRES)
}
