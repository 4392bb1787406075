//! What a round runs on: fresh databases, a core product that holds the older copy, and one process of each service that a sync needs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use common::{Clock as _, TenantId, UnixMillis};
use database::{Connection, Database, Options};
use service::SystemClock;
use store::{
    outbox,
    runs::{self, Run, Wanted, Wish},
    snapshots,
};
use tempfile::TempDir;
use test_kit::{FreshDatabase, Vhost};
use tests::Bridge;

use super::{
    EMPLOYEE_NUMBER,
    copy::{self, Rows},
    platform::{AGENT_SECRET, CONTACT_SECRET, Platform},
    programs::{Program, Start, command, path_of},
    synchronizer,
};
use crate::{
    meter::Roots,
    processes::peak_megabytes,
    stage::{PARTITIONS, Stage},
};

/// Any key will do, as long as all processes have the same.
const MASTER_KEY: &str = "b3JnYnJpZGdlIGJlbmNoIGZpcnN0IHN5bmMga2V5IDE=";
/// What commands act on.
const CONFIG: &str = "orgbridge.toml";
/// No pull happens by itself: what is measured is asked for.
const NEVER_SECONDS: i64 = 365 * 86_400;

/// Everything, running. What uses something is dropped before it.
pub(super) struct Scene {
    programs: Vec<Program>,
    database: Database,
    servers: Roots,
    directory: TempDir,
    core: FreshDatabase,
    _own: FreshDatabase,
    _vhost: Vhost,
}

impl Scene {
    /// Fills the core product, applies the tenant, starts the processes.
    pub(super) async fn set(stage: &Stage, platform: &Platform, older: &Rows, is_paced: bool) -> Result<Self> {
        let (own, core, vhost) = (stage.database(), stage.database(), stage.vhost());
        copy::make_tables(&core).await?;
        older.fill(core.url(), stage.servers_alone())?;
        let directory = tempfile::tempdir().context("a temporary directory")?;
        let shared = config(&own, &vhost);
        let path = directory.path().join(CONFIG);
        fs::write(&path, format!("data_dir = {:?}\n{shared}", directory.path().join("data")))?;
        let tenant = directory.path().join("acme.toml");
        fs::write(&tenant, tenant_file(platform, &core))?;
        command(&["tenant", "apply", text(&tenant)?], &path)?;
        let database = Database::open(&Options { pool_size: 1, ..Options::new(own.url()) })?;
        let mut scene = Self {
            programs: Vec::new(),
            database,
            servers: stage.servers_alone(),
            directory,
            core,
            _own: own,
            _vhost: vhost,
        };
        let due_at = now().plus_seconds(NEVER_SECONDS);
        scene.write(move |conn, tenant| snapshots::announce(conn, tenant, due_at)).await?;
        scene.start(&shared, is_paced).await?;
        Ok(scene)
    }

    async fn start(&mut self, shared: &str, is_paced: bool) -> Result<()> {
        let pace = if is_paced { synchronizer::PACED } else { synchronizer::UNPACED };
        let this = std::env::current_exe().context("the path of this program")?;
        let services: [(&'static str, PathBuf, _); 3] = [
            ("resolver", path_of("resolver")?, None),
            ("sink", path_of("sink")?, None),
            ("synchronizer", this, Some((synchronizer::TOLD, pace))),
        ];
        for (name, path, told) in services {
            let start = Start { name, path, config: shared, told };
            self.programs.push(Program::start(start, self.directory.path())?);
        }
        for program in &mut self.programs {
            program.get_ready().await?;
        }
        Ok(())
    }

    /// Whose processor time counts: the services and both servers.
    pub(super) fn roots(&self) -> Roots {
        let mut roots = self.servers.clone();
        roots.extend(self.programs.iter().map(|program| (program.name, vec![program.id()])));
        roots
    }

    /// The most memory that each service had so far, in mebibytes.
    pub(super) fn peaks(&self) -> Result<Vec<(&'static str, f64)>> {
        self.programs.iter().map(|program| Ok((program.name, peak_megabytes(program.id())?))).collect()
    }

    /// Asks for a run, as the commands do.
    pub(super) async fn request(&self, wanted: Wanted) -> Result<Run> {
        let ask = move |conn: &mut Connection, tenant: &TenantId| {
            runs::request(conn, tenant, Wish { wanted, key: None }, now())
        };
        self.write(ask).await?.context("the tenant is applied")
    }

    /// How a run stands; fails when a service has ended.
    pub(super) async fn look(&mut self, run: &str) -> Result<Run> {
        for program in &mut self.programs {
            program.expect_alive()?;
        }
        let id = run.to_owned();
        let found = self.database.read("bench.run", move |conn| runs::get(conn, &id)).await?;
        found.context("the run was forgotten")
    }

    /// The tenant's last version.
    pub(super) async fn last_version(&self) -> Result<u64> {
        let read = move |conn: &mut Connection| outbox::last_version(conn, &tenant());
        Ok(self.database.read("bench.version", read).await?)
    }

    /// How many columns and rows differ between the mirror and the core product.
    pub(super) fn differences(&self) -> Result<u64> {
        let printed = command(&["sync", "diff", "acme", "--json"], &self.directory.path().join(CONFIG))?;
        let told: serde_json::Value = serde_json::from_str(&printed).context("`sync diff` prints JSON")?;
        told.get("count").and_then(serde_json::Value::as_u64).context("`sync diff` counts")
    }

    /// The rows that the core product has.
    pub(super) fn rows(&self) -> Result<Rows> {
        Rows::of(self.core.url())
    }

    /// The ends of all logs.
    pub(super) fn logs(&self) -> String {
        self.programs.iter().map(|program| format!("{}: {}\n", program.name, program.tail())).collect()
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &TenantId) -> database::Result<T> + Send + 'static,
    ) -> Result<T> {
        Ok(self.database.write("bench.write", move |conn: &mut Connection| work(conn, &tenant())).await?)
    }
}

fn now() -> UnixMillis {
    SystemClock.now()
}

fn tenant() -> TenantId {
    "acme".parse().expect("a good id")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in Unicode")
}

/// What all processes are told. The brake is off: an older copy lacks what it lacks.
fn config(own: &FreshDatabase, vhost: &Vhost) -> String {
    format!(
        "[database]\nurl = {:?}\n[broker]\nurl = {:?}\npartitions = {PARTITIONS}\n\
         [secrets]\nmaster_key = \"{MASTER_KEY}\"\n\
         [sink]\nallowed_networks = [\"127.0.0.0/8\"]\n\
         [synchronizer]\nallowed_networks = [\"127.0.0.0/8\"]\nbrake_share = 1.0\nbrake_max = 1000000000\n",
        own.url(),
        vhost.url(),
    )
}

fn tenant_file(platform: &Platform, core: &FreshDatabase) -> String {
    let keys = Bridge::credentials();
    format!(
        "id = \"acme\"\nname = \"示例制造有限公司\"\n\
         [wecom]\ncorp_id = {:?}\ncontact_secret = \"{CONTACT_SECRET}\"\nagent_secret = \"{AGENT_SECRET}\"\n\
         callback_token = {:?}\ncallback_aes_key = {:?}\nemployee_number = \"{EMPLOYEE_NUMBER}\"\napi_base = {:?}\n\
         [[destinations]]\nid = \"core\"\nkind = \"postgres\"\nrole = \"core\"\nurl = {:?}\nschema = \"core\"\n",
        platform.corp_id(),
        keys.token,
        keys.aes_key,
        platform.url(),
        core.url(),
    )
}
