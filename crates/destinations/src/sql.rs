//! The tables of a core product, in PostgreSQL or in a SQLite file.
//!
//! A batch is one transaction of a few statements: what is there is read first, then decided in memory what is newer,
//! and all rows of a sort are written by one statement that takes them as JSON. Nothing else of ours changes the
//! tenant's rows between the two: see `Dialect::lock`. Statements do not write over a newer version either, whoever
//! wrote that.
//!
//! Entities that are linked with a row of the product's own have that row's id wherever one is written. Decisions are made
//! with the platform's ids; `known` knows which row is meant.
//!
//! The statements are written once, as PostgreSQL spells them; what the databases do differently is in `postgres` and
//! `sqlite`.

mod address;
mod apply;
mod databases;
mod dialect;
mod keep;
mod known;
mod papers;
mod plan;
mod postgres;
mod purge;
mod read;
mod rename;
mod schema;
mod schema_name;
mod sqlite;
#[cfg(test)]
mod tests;
mod wanted;
mod write;

use std::{error::Error as _, sync::Arc};

use async_trait::async_trait;
use common::{Change, EntityKey, EntityKind, ROOT_DEPARTMENT, TenantId, UnixMillis};
use database::{Connection, Database};
use tokio::sync::Mutex;

pub use self::{
    address::{Address, BadAddress},
    databases::Databases,
    schema_name::{BadSchemaName, SchemaName},
};
use self::{dialect::Dialect, read::Part, schema::Root, wanted::Wanted};
use crate::{
    Batch, CoreDepartment, CoreMember, Counts, Links, Outcome, Page, Product, Purged, TenantFacts, Unavailable,
};

/// What every statement needs to know.
struct Tables {
    tenant: TenantId,
    dialect: Box<dyn Dialect>,
}

/// One tenant's rows in the tables of a database.
pub struct SqlTables {
    tenant: TenantId,
    facts: TenantFacts,
    source: Source,
    schema: SchemaName,
    open: Mutex<Option<Open>>,
}

enum Source {
    /// Opened when first needed, and again after a failure.
    Place(Place, Databases),
    Given(Arc<Database>),
}

#[derive(Clone)]
enum Place {
    File(String),
    Server(Address),
}

impl Place {
    /// What tells one place from another, as the tenant wrote it.
    fn key(&self) -> &str {
        match self {
            Self::File(url) => url,
            Self::Server(address) => address.as_str(),
        }
    }
}

#[derive(Clone)]
struct Open {
    database: Arc<Database>,
    tables: Arc<Tables>,
    has_root: bool,
}

impl SqlTables {
    /// Tables in the file at `sqlite://PATH`, which is opened when first needed.
    pub fn in_file(url: String, tenant: TenantId, facts: TenantFacts) -> Self {
        Self::new(Source::Place(Place::File(url), Databases::default()), SchemaName::default(), tenant, facts)
    }

    /// Tables in a schema on a PostgreSQL server, which is connected to when first needed.
    pub fn on_server(address: Address, schema: SchemaName, tenant: TenantId, facts: TenantFacts) -> Self {
        Self::new(Source::Place(Place::Server(address), Databases::default()), schema, tenant, facts)
    }

    /// The same tables, in a database that is shared with whoever else has some there.
    #[must_use]
    pub fn sharing(mut self, databases: &Databases) -> Self {
        if let Source::Place(_, own) = &mut self.source {
            *own = databases.clone();
        }
        self
    }

    /// Tables in a database that is open already, for simulations and tests. SQLite has no schemas.
    pub fn over(database: Database, schema: SchemaName, tenant: TenantId, facts: TenantFacts) -> Self {
        Self::new(Source::Given(Arc::new(database)), schema, tenant, facts)
    }

    fn new(source: Source, schema: SchemaName, tenant: TenantId, facts: TenantFacts) -> Self {
        Self { tenant, facts, source, schema, open: Mutex::new(None) }
    }

    /// The open database with its tables made sure of, and the root department where it is given.
    async fn open(&self, root: Option<Root>) -> Result<Open, Unavailable> {
        let mut open = self.open.lock().await;
        if let Some(open) = &*open
            && (open.has_root || root.is_none())
        {
            return Ok(open.clone());
        }
        let database = match (open.take(), &self.source) {
            (Some(open), _) => open.database,
            (None, Source::Given(database)) => Arc::clone(database),
            (None, Source::Place(place, databases)) => databases.open(place).await?,
        };
        let (tenant, schema, has_root) = (self.tenant.clone(), self.schema.clone(), root.is_some());
        let tables =
            database.write("destination.prepare", move |c| schema::prepare(c, tenant, &schema, root.as_ref())).await?;
        Ok(open.insert(Open { database, tables: Arc::new(tables), has_root }).clone())
    }

    /// The root department's row; `None` where another entity has it.
    fn root(&self, links: &Links) -> Option<Root> {
        let linked = links.core_id(&EntityKey::department(ROOT_DEPARTMENT));
        if linked.is_none() && links.is_taken(EntityKind::Department, ROOT_DEPARTMENT) {
            return None;
        }
        let id = linked.unwrap_or(ROOT_DEPARTMENT).to_owned();
        Some(Root { id, name: self.facts.root_name.clone(), is_linked: linked.is_some() })
    }

    /// Does something with the open database. After a failure that is not mere waiting it is opened and looked at anew:
    /// somebody may have moved it, restored another or dropped a table.
    async fn with<T: Send + 'static>(
        &self,
        what: &'static str,
        write: bool,
        work: impl FnOnce(&mut Connection, &Tables) -> database::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let Open { database, tables, .. } = self.open(None).await?;
        let work = move |connection: &mut Connection| work(connection, &tables);
        let done = if write { database.write(what, work).await } else { database.read(what, work).await };
        if matches!(&done, Err(error) if !matches!(error, database::Error::Busy)) {
            *self.open.lock().await = None;
            if let Source::Place(place, databases) = &self.source {
                databases.doubt(place, &database);
            }
        }
        Ok(done?)
    }
}

#[async_trait]
impl Batch for SqlTables {
    fn takes(&self, change: &Change) -> bool {
        change.kind().is_directory() || papers::is_paper(change.kind())
    }

    async fn prepare(&self, links: &Links) -> Result<(), Unavailable> {
        self.open(self.root(links)).await.map(drop)
    }

    async fn apply(&self, batch: &[Change], links: &Links) -> Result<Vec<Outcome>, Unavailable> {
        self.prepare(links).await?;
        let wanted: Vec<Wanted> = batch.iter().map(|change| Wanted::new(change, &self.facts)).collect();
        let links = links.clone();
        let apply = move |c: &mut Connection, tables: &Tables| apply::apply(c, tables, &wanted, links);
        self.with("destination.apply", true, apply).await
    }

    async fn probe(&self) -> Result<(), Unavailable> {
        self.with("destination.probe", false, known::probe).await
    }

    async fn highest_version(&self) -> Result<u64, Unavailable> {
        self.with("destination.highest_version", false, known::highest_version).await
    }

    fn product(&self) -> Option<&dyn Product> {
        Some(self)
    }
}

#[async_trait]
impl Product for SqlTables {
    async fn departments(&self, after: Option<String>, limit: usize) -> Result<Page<CoreDepartment>, Unavailable> {
        let limit = limit.max(1);
        let part = Part::After { id: after, limit };
        let read = move |c: &mut Connection, tables: &Tables| read::departments(c, tables, &part);
        let rows = self.with("destination.departments", false, read).await?;
        Ok(Page::new(rows, limit, |row| &row.id))
    }

    async fn members(&self, after: Option<String>, limit: usize) -> Result<Page<CoreMember>, Unavailable> {
        let limit = limit.max(1);
        let part = Part::After { id: after, limit };
        let read = move |c: &mut Connection, tables: &Tables| read::members(c, tables, &part);
        let rows = self.with("destination.members", false, read).await?;
        Ok(Page::new(rows, limit, |row| &row.id))
    }

    async fn departments_by_id(&self, ids: &[String]) -> Result<Vec<CoreDepartment>, Unavailable> {
        let part = Part::Ids(ids.to_vec());
        let read = move |c: &mut Connection, tables: &Tables| read::departments(c, tables, &part);
        self.with("destination.departments", false, read).await
    }

    async fn members_by_id(&self, ids: &[String]) -> Result<Vec<CoreMember>, Unavailable> {
        let part = Part::Ids(ids.to_vec());
        let read = move |c: &mut Connection, tables: &Tables| read::members(c, tables, &part);
        self.with("destination.members", false, read).await
    }

    async fn count(&self) -> Result<Counts, Unavailable> {
        self.with("destination.count", false, read::count).await
    }

    async fn purge(
        &self,
        keys: &[EntityKey],
        links: &Links,
        removed_until: UnixMillis,
    ) -> Result<Vec<Purged>, Unavailable> {
        let (keys, links) = (keys.to_vec(), links.clone());
        let purge = move |c: &mut Connection, tables: &Tables| purge::purge(c, tables, &keys, &links, removed_until);
        self.with("destination.purge", true, purge).await
    }
}

/// What went wrong, in words that hold no values of rows.
fn describe(error: &database::Error) -> String {
    let cause = error.source();
    match cause.and_then(|cause| cause.downcast_ref::<diesel::result::Error>()) {
        Some(diesel::result::Error::DatabaseError(_, said)) => format!("{error}: {}", without_values(said.message())),
        _ => cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")),
    }
}

/// A database's message without what may be values of the row: what it puts in quotes, unless that names something of the
/// schema, and numbers long enough to be somebody's.
fn without_values(message: &str) -> String {
    const OF_THE_SCHEMA: [&str; 12] = [
        "new row for relation",
        "null value in column",
        "update or delete on table",
        "relation ",
        "column ",
        "no such table",
        "no such column",
        "permission denied",
        "must be owner",
        "schema ",
        "duplicate key value violates",
        "insert or update on table",
    ];
    if OF_THE_SCHEMA.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    // From the first to the last: a value may have quotes in it.
    let kept = match (message.split_once('"'), message.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) => format!("{before}\"…\"{after}"),
        _ => message.to_owned(),
    };
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    let mut rest = kept.as_str();
    let mut shown = String::with_capacity(rest.len());
    while let Some(first) = rest.chars().next() {
        let run = digits(rest);
        let (piece, behind) = rest.split_at(run.max(first.len_utf8()));
        shown.push_str(if run > 3 { "…" } else { piece });
        rest = behind;
    }
    shown
}

impl From<database::Error> for Unavailable {
    fn from(error: database::Error) -> Self {
        Self::new(describe(&error))
    }
}
