//! What a thread keeps from run to run, since to make it takes longer than a run may: a runtime, an HTTP client, and two databases in
//! memory, which are emptied.

use std::{path::Path, time::Duration};

use common::{DestinationId, TenantId};
use database::{Connection, Database, Options};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use outbound::Guard;
use service::TenantFile;
use store::Sealer;
use tokio::runtime::{Builder, Runtime};

use crate::clocks::START;

pub(crate) const COMPANY: &str = "示例制造有限公司";
pub(crate) const CORP: &str = "wwbridge0000demo01";
pub(crate) const CONTACT: &str = "contact-secret";
pub(crate) const APP: &str = "app-secret";
/// The attribute that holds the employee number.
pub(crate) const NUMBER: &str = "工号";
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
/// By the runs' own time, in which no request takes so long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn core() -> DestinationId {
    "core".parse().unwrap()
}

/// See the module.
pub(crate) struct Stores {
    /// Ours, without faults.
    pub(crate) tables: Database,
    /// The product's.
    pub(crate) rows: Database,
    pub(crate) sealer: Sealer,
    pub(crate) http: outbound::Client,
    /// Its clock moves only when told to.
    pub(crate) runtime: Runtime,
}

impl Stores {
    pub(crate) fn open() -> Self {
        let memory = || Database::open(&Options::new("sqlite::memory:")).unwrap().inline();
        let tables = memory();
        tables.migrate(store::migrations()).unwrap();
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        Self {
            tables,
            rows: memory(),
            sealer: Sealer::new(&Sealer::new_master_key()).unwrap(),
            http: outbound::Client::new(guard, REQUEST_TIMEOUT).unwrap(),
            runtime: Builder::new_current_thread().enable_all().start_paused(true).build().unwrap(),
        }
    }

    /// Empties both databases as if they had just been made, and applies the tenant.
    pub(crate) async fn begin(&self, api_base: &str) {
        for database in [&self.tables, &self.rows] {
            database.write("seeds.empty", empty).await.unwrap();
        }
        let file = TenantFile::parse(&tenant_file(api_base), Path::new("")).unwrap();
        service::tenants::apply(&self.tables, &self.sealer, &file, START).await.unwrap();
    }
}

fn tenant_file(api_base: &str) -> String {
    format!(
        "id = \"acme\"\nname = \"{COMPANY}\"\n\
         [wecom]\ncorp_id = \"{CORP}\"\ncontact_secret = \"{CONTACT}\"\nagent_secret = \"{APP}\"\ncallback_token = \"t\"\n\
         callback_aes_key = \"{AES_KEY}\"\nemployee_number = \"{NUMBER}\"\napi_base = \"{api_base}\"\n\
         [[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"sqlite://core.db\"\nrole = \"core\"\n"
    )
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

fn empty(conn: &mut Connection) -> database::Result<()> {
    const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> '__diesel_schema_migrations'";
    let c = conn.sqlite()?;
    let tables: Vec<Table> = sql_query(TABLES).load(c)?;
    let deletions: String = tables.iter().map(|table| format!("DELETE FROM {};", table.name)).collect();
    // What refers to what is of no matter when all of it is gone.
    Ok(c.batch_execute(&format!("PRAGMA defer_foreign_keys = ON; {deletions}"))?)
}
