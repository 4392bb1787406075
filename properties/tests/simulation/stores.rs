//! The two databases of a run, in memory. Opening them takes longer than a run may, so each thread keeps a pair and empties it.

use std::path::Path;

use common::TenantId;
use database::{Connection, Database, Options};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use service::TenantFile;
use store::Sealer;

use crate::{bugs::Bug, clocks::START};

pub(crate) const TENANT: &str = "acme";
pub(crate) const COMPANY: &str = "示例制造有限公司";
pub(crate) const CORP: &str = "wwbridge0000demo01";
pub(crate) const TOKEN: &str = "QDG6eK";
pub(crate) const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

pub(crate) fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}

/// A pair of databases, without faults.
pub(crate) struct Stores {
    /// Ours.
    pub(crate) tables: Database,
    /// The embedded queue's.
    pub(crate) queue: Database,
    pub(crate) sealer: Sealer,
    file: TenantFile,
}

impl Stores {
    /// A fresh pair; with a bug that lives in the tables, that is planted.
    pub(crate) fn open(bug: Option<Bug>) -> Self {
        let memory = || Database::open(&Options::new("sqlite::memory:")).unwrap().inline();
        let tables = memory();
        tables.migrate(store::migrations()).unwrap();
        if let Some(trigger) = bug.and_then(Bug::trigger) {
            crate::bugs::execute(&tables, trigger);
        }
        let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
        Self { tables, queue: memory(), sealer, file: TenantFile::parse(&tenant_file(), Path::new("")).unwrap() }
    }

    /// Empties both as if they had just been made, and applies the tenant.
    pub(crate) async fn begin(&self) {
        for database in [&self.tables, &self.queue] {
            database.write("simulation.empty", empty).await.unwrap();
        }
        service::tenants::apply(&self.tables, &self.sealer, &self.file, START).await.unwrap();
    }
}

fn tenant_file() -> String {
    let oa_key = "a".repeat(42) + "A";
    format!(
        "id = \"{TENANT}\"\nname = \"{COMPANY}\"\n\
         [wecom]\ncorp_id = \"{CORP}\"\ncontact_secret = \"s\"\ncallback_token = \"{TOKEN}\"\ncallback_aes_key = \"{AES_KEY}\"\n\
         [[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"sqlite://core.db\"\nrole = \"core\"\n\
         [[destinations]]\nid = \"oa\"\nkind = \"wecom-callback\"\nurl = \"https://oa.example/callback\"\ntoken = \"t\"\n\
         aes_key = \"{oa_key}\"\nreceive_id = \"{CORP}\"\n"
    )
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

fn empty(conn: &mut Connection) -> database::Result<()> {
    // The numbers that AUTOINCREMENT gives lie in a table too.
    const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> '__diesel_schema_migrations'";
    let c = conn.sqlite()?;
    let tables: Vec<Table> = sql_query(TABLES).load(c)?;
    let deletions: String = tables.iter().map(|table| format!("DELETE FROM {};", table.name)).collect();
    Ok(c.batch_execute(&deletions)?)
}
