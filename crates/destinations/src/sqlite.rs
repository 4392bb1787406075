//! The tables of a core product in a SQLite file.
//!
//! A batch is one transaction of a few statements: what is there is read first, then decided in memory what is newer,
//! and all rows of a sort are written by one statement that takes them as JSON. The transaction holds the write lock
//! from its start, so nothing changes between the two.

mod apply;
mod known;
mod plan;
mod rename;
mod schema;
#[cfg(test)]
mod tests;
mod wanted;
mod write;

use std::{error::Error as _, sync::Arc};

use async_trait::async_trait;
use common::{Change, EntityKind, TenantId};
use database::{Connection, Database, Options, Synchronous};
use tokio::sync::Mutex;

use self::wanted::Wanted;
use crate::{Batch, Outcome, TenantFacts, Unavailable};

/// What every statement needs to know.
struct Tables {
    tenant: TenantId,
    /// Whether `members.id` compares without regard to case, so that its index can be used for that.
    folds_case: bool,
}

/// One tenant's rows in the tables of a SQLite file.
pub struct SqliteTables {
    tenant: TenantId,
    facts: TenantFacts,
    source: Source,
    open: Mutex<Option<Open>>,
}

enum Source {
    /// Opened when first needed, and again after a failure.
    Url(String),
    Given(Database),
}

#[derive(Clone)]
struct Open {
    database: Database,
    tables: Arc<Tables>,
}

impl SqliteTables {
    /// Tables in the file at `sqlite://PATH`, which is opened when first needed.
    pub fn at(url: String, tenant: TenantId, facts: TenantFacts) -> Self {
        Self { tenant, facts, source: Source::Url(url), open: Mutex::new(None) }
    }

    /// Tables in a database that is open already, for simulations and tests.
    pub fn over(database: Database, tenant: TenantId, facts: TenantFacts) -> Self {
        Self { tenant, facts, source: Source::Given(database), open: Mutex::new(None) }
    }

    /// The open database with its tables made sure of.
    async fn open(&self) -> Result<Open, Unavailable> {
        let mut open = self.open.lock().await;
        if let Some(open) = &*open {
            return Ok(open.clone());
        }
        let database = match &self.source {
            Source::Given(database) => database.clone(),
            Source::Url(url) => open_file(url.clone()).await?,
        };
        let (tenant, facts) = (self.tenant.clone(), self.facts.clone());
        let tables =
            database.write("destination.prepare", move |c| schema::prepare(c, tenant, &facts.root_name)).await?;
        Ok(open.insert(Open { database, tables: Arc::new(tables) }).clone())
    }

    /// Does something with the open database. After a failure that is not mere waiting it is opened and looked at anew:
    /// somebody may have moved the file or restored another.
    async fn with<T: Send + 'static>(
        &self,
        what: &'static str,
        write: bool,
        work: impl FnOnce(&mut Connection, &Tables) -> database::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let Open { database, tables } = self.open().await?;
        let work = move |connection: &mut Connection| work(connection, &tables);
        let done = if write { database.write(what, work).await } else { database.read(what, work).await };
        if matches!(&done, Err(error) if !matches!(error, database::Error::Busy)) {
            *self.open.lock().await = None;
        }
        Ok(done?)
    }
}

#[async_trait]
impl Batch for SqliteTables {
    fn takes(&self, change: &Change) -> bool {
        matches!(change.kind(), EntityKind::Department | EntityKind::Member)
    }

    async fn prepare(&self) -> Result<(), Unavailable> {
        self.open().await.map(drop)
    }

    async fn apply(&self, batch: &[Change]) -> Result<Vec<Outcome>, Unavailable> {
        let wanted: Vec<Wanted> = batch.iter().map(|change| Wanted::new(change, &self.facts)).collect();
        self.with("destination.apply", true, move |connection, tables| apply::apply(connection, tables, &wanted)).await
    }

    async fn probe(&self) -> Result<(), Unavailable> {
        self.with("destination.probe", false, known::probe).await
    }

    async fn highest_version(&self) -> Result<u64, Unavailable> {
        self.with("destination.highest_version", false, known::highest_version).await
    }
}

async fn open_file(url: String) -> Result<Database, Unavailable> {
    // A commit is our word that the change arrived, so it waits for the disk.
    let options = Options { url, pool_size: 1, synchronous: Synchronous::Full };
    match tokio::task::spawn_blocking(move || Database::open(&options)).await {
        Ok(opened) => Ok(opened?),
        Err(_) => Err(Unavailable::new("opening the database was interrupted")),
    }
}

/// SQLite's messages name tables and columns, never values.
fn describe(error: &database::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

impl From<database::Error> for Unavailable {
    fn from(error: database::Error) -> Self {
        Self::new(describe(&error))
    }
}
