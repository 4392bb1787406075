//! What the databases do differently.

use common::TenantId;
use database::Connection;

use super::{SchemaName, postgres::Postgres, schema::TABLES, sqlite::Sqlite};

/// One database's ways.
pub(super) trait Dialect: Send + Sync {
    /// A statement as this database spells it. They are written for PostgreSQL, with the tables in a schema `core`; the
    /// first parameter is the tenant, the second the rows as JSON text: an array of arrays, or of objects.
    fn spell(&self, statement: &str) -> String;

    /// What makes each table.
    fn create(&self) -> [&'static str; TABLES.len()];

    /// The columns of a table by name; none when it is not there. The parameter is the table as it is spelled.
    fn columns(&self) -> &'static str;

    /// What decisions need to know of members, by folded ids.
    fn members(&self) -> &'static str;

    /// Replaces ids among the leaders of departments. Rows are pairs, old and new.
    fn leaders(&self) -> &'static str;

    /// Keeps others from making the tables at the same time until the transaction ends, and makes what they live in.
    ///
    /// # Errors
    /// Those of the database.
    fn make_room(&self, _: &mut Connection) -> database::Result<()> {
        Ok(())
    }

    /// Looks at the tables once they are there.
    ///
    /// # Errors
    /// Those of the database.
    fn look(&mut self, _: &mut Connection) -> database::Result<()> {
        Ok(())
    }

    /// Keeps other senders of the tenant's changes out until the transaction ends, so that what is read stays true
    /// until it is written over. There is one sender by right; a former one may not have noticed yet.
    ///
    /// # Errors
    /// [`database::Error::Busy`] when another is at it.
    fn lock(&self, _: &mut Connection, _: &TenantId) -> database::Result<()> {
        Ok(())
    }

    /// Whether an error that is no broken rule of the schema has to do with the rows that were written; `None` where
    /// its message does not tell.
    fn is_about_rows(&self, message: &str) -> Option<bool>;
}

/// The ways of the database that is connected to.
pub(super) fn of(c: &Connection, schema: &SchemaName) -> Box<dyn Dialect> {
    match c {
        Connection::Sqlite(_) => Box::<Sqlite>::default(),
        Connection::Postgres(_) => Box::new(Postgres::new(schema.clone())),
    }
}
