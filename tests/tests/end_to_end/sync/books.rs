//! What is written down of runs in our own tables.

use std::{collections::BTreeSet, time::Duration};

use common::{Change, DestinationId, EntityKey, TenantId, UnixMillis};
use database::{Connection, Database, Options, on_backend};
use diesel::{RunQueryDsl, sql_query};
use directory::{Question, Why};
use store::{
    outbox, questions,
    runs::{self, PlanItem, Run, Step},
};
use tests::{Bridge, Service};
use tokio::time::{Instant, sleep};

/// How long a step of a run may take, through all that happens to it.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it is looked where a run is.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const ALL: usize = 100_000;

/// The tables of the processes, seen from outside.
pub(crate) struct Books {
    database: Database,
}

impl Books {
    pub(crate) fn open(bridge: &Bridge) -> Self {
        let url = bridge.database_url().expect("a server");
        Self { database: Database::open(&Options { pool_size: 1, ..Options::new(url) }).unwrap() }
    }

    /// Waits until a run has come to a step, or past it.
    pub(super) async fn reached(&self, run: &str, step: Step) {
        self.until(run, |run| run.step >= step).await;
    }

    /// Waits until nobody works on a run any more.
    pub(super) async fn ended(&self, run: &str) -> Run {
        self.until(run, |run| !run.state.is_at_work()).await
    }

    async fn until(&self, run: &str, is_so: impl Fn(&Run) -> bool) -> Run {
        let end = Instant::now() + PATIENCE;
        loop {
            let id = run.to_owned();
            let found = self.read(move |conn| runs::get(conn, &id)).await.expect("the run");
            if is_so(&found) {
                return found;
            }
            assert!(Instant::now() < end, "not within {PATIENCE:?}: {found:?}");
            sleep(LOOK_EVERY).await;
        }
    }

    /// All runs of the tenant.
    pub(super) async fn runs(&self) -> Vec<Run> {
        self.read(|conn| runs::list(conn, &tenant(), 100)).await
    }

    pub(super) async fn items(&self, run: &str) -> Vec<PlanItem> {
        let id = run.to_owned();
        self.read(move |conn| runs::items(conn, &id, 0, 100_000)).await
    }

    /// The versions of changes that are for the core product and nobody else: those of runs.
    pub(super) async fn versions_for_the_core_alone(&self) -> BTreeSet<u64> {
        let core: DestinationId = "core".parse().unwrap();
        let changes = self.read(|conn| outbox::after(conn, &tenant(), 0, ALL)).await;
        assert_eq!(changes.first().map(|change| change.version), Some(1), "the outbox still has all of them");
        let is_meant = |change: &&Change| change.only_for.as_ref() == Some(&core);
        changes.iter().filter(is_meant).map(|change| change.version).collect()
    }

    /// A question about a member that the resolver did not ask.
    pub(super) async fn ask_about(&self, member: &str) {
        let question = Question { about: EntityKey::member(member), why: Why::Missing, at: UnixMillis(0) };
        let ask = move |conn: &mut Connection| questions::ask(conn, &tenant(), &[question].into(), UnixMillis(0));
        self.database.write("test.ask", ask).await.unwrap();
    }

    /// As if whatever a killed process of a service held had run out: to wait for that takes minutes each time.
    pub(crate) async fn leases_run_out(&self, of: Service) {
        let statements: &'static [&'static str] = match of {
            Service::Synchronizer => &[
                "UPDATE sync_runs SET lease_until = 0",
                "UPDATE snapshots SET lease_until = 0",
                "UPDATE record_runs SET lease_until = 0",
                "UPDATE questions SET next_attempt = 0",
            ],
            Service::Sink => &["UPDATE destinations SET lease_until = 0"],
            Service::CallbackGateway | Service::Resolver => &[],
        };
        let free = move |conn: &mut Connection| -> database::Result<()> {
            for statement in statements {
                on_backend!(conn, c => sql_query(*statement).execute(c))?;
            }
            Ok(())
        };
        self.database.write("test.leases", free).await.unwrap();
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.database.read("test.books", work).await.unwrap()
    }
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}
