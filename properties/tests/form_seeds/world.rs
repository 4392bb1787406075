//! The bridge around a form: our tables, a queue in memory, the synchronizer, the resolver's turns.

use std::{
    fmt,
    net::TcpListener,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Handler, Lane, Outgoing, Result};
use common::{Action, EntityKind, Event, Hop, TenantId, UnixMillis};
use database::{Connection, Database, Options};
use outbound::{Allowance, Closed, Governor, Guard, Spend, Urgency};
use platform_sim::jiandaoyun::{Api, Clock, FormId, Forms, Interface, Server, samples::contract_form};
use resolver::{Rules, Turn};
use serde_json::json;
use service::{Context, Parts, TenantBook, TenantFile, config::SynchronizerConfig};
use store::{
    Sealer,
    form_records::{self, Settled, State},
    outbox,
};
use synchronizer::{Steps, Synchronizer, Timing};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    dice::Dice,
    plan::{KEY, OVERLAP_SECONDS, Plan},
};

/// 2026-01-01T00:00:00Z, since when people may be asked for.
pub(crate) const START_MS: i64 = 1_767_225_600_000;
const MAPPING_FILE: &str = "new-hires.json";
const MEMORY_SECONDS: i64 = 1_209_600;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const ALL: usize = 100_000;

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// See the module.
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) form: FormId,
    pub(crate) clock: Clock,
    database: Database,
    sealer: Sealer,
    tenants: TenantBook,
    queue: Arc<Queue>,
    process: Process,
    starts: u64,
    _server: Server,
    _directory: TempDir,
}

/// The synchronizer that runs.
struct Process {
    context: Context,
    steps: Steps,
}

impl World {
    /// The form is empty, and the tenant is applied now.
    pub(crate) async fn open(plan: &Plan, seed: u64) -> Self {
        let clock = Clock::manual(START_MS);
        let mut forms = Forms::new(plan.forms(seed), clock.clone());
        let new = contract_form();
        let form = new.id.clone();
        forms.add_form(new).unwrap();
        let api = Api::new(Arc::new(Mutex::new(forms)), plan.api(seed), clock.clone());
        let server = Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), api.clone()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(MAPPING_FILE), mapping(&form, plan.page)).unwrap();

        let database = Database::open(&Options::new("sqlite::memory:")).unwrap().inline();
        database.migrate(store::migrations()).unwrap();
        let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
        let file = tenant_file(&format!("http://{}", server.address()), directory.path());
        service::tenants::apply(&database, &sealer, &file, UnixMillis(START_MS)).await.unwrap();
        let tenants = TenantBook::new(database.clone(), Arc::new(sealer.clone()));
        tenants.refresh().await.unwrap();
        let queue = Arc::new(Queue::default());
        let process = Process::start(&database, &sealer, &queue, &clock, 0).await;
        let world = Self {
            api,
            form,
            clock,
            database,
            sealer,
            tenants,
            queue,
            process,
            starts: 0,
            _server: server,
            _directory: directory,
        };
        let rules = world.rules();
        let found = move |conn: &mut Connection| Turn::found(conn, &tenant(), &rules);
        let turn = world.database.write("seeds.found", found).await.unwrap();
        world.release(turn).await;
        world
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// The synchronizer looks, and the resolver takes what it told, in any order and some of it twice.
    pub(crate) async fn work(&mut self, dice: &mut Dice) {
        let has_died = {
            let look = Box::pin(self.process.steps.once());
            tokio::select! {
                biased;
                () = self.queue.died.notified() => true,
                // What it could not do it does the next time.
                looked = look => {
                    looked.unwrap_or_default();
                    false
                }
            }
        };
        if has_died {
            self.restart().await;
        }
        let mut events = self.queue.take();
        if dice.once_in(3) {
            events.extend(events.clone());
        }
        dice.shuffle(&mut events);
        if !events.is_empty() {
            let rules = self.rules();
            let take = move |conn: &mut Connection| Turn::events(conn, &events, &rules);
            let turn = self.database.write("seeds.take", take).await.unwrap();
            self.release(turn).await;
        }
    }

    async fn release(&self, turn: Turn) {
        let mut is_more = !turn.released.is_empty();
        while is_more {
            let rules = self.rules();
            let release = move |conn: &mut Connection| Turn::released(conn, &tenant(), 100, &rules);
            is_more = !self.database.write("seeds.release", release).await.unwrap().released.is_empty();
        }
    }

    /// The process dies between two looks, and another one goes on. What it had published stays.
    pub(crate) async fn restart(&mut self) {
        self.process.context.stop.cancel();
        self.starts += 1;
        self.process = Process::start(&self.database, &self.sealer, &self.queue, &self.clock, self.starts).await;
    }

    /// The process will die when it has told something, before it notes that.
    pub(crate) fn dies_behind_its_next_word(&self) {
        self.queue.dies.store(true, Ordering::Relaxed);
    }

    /// How often something was written back into the form.
    pub(crate) fn written(&self) -> u64 {
        self.api.tally(Interface::DataUpdate).calls
    }

    /// The requests that were sent, each as often as it was, by record.
    pub(crate) async fn sent(&self) -> Vec<String> {
        let read = |conn: &mut Connection| outbox::after(conn, &tenant(), 0, ALL);
        let changes = self.database.read("seeds.sent", read).await.unwrap();
        let requests = changes.into_iter().filter(|change| {
            change.entity.kind == EntityKind::Onboarding && matches!(change.action, Action::Upsert { .. })
        });
        requests.map(|change| change.entity.id.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }

    /// As the sink does once a member is there: of all whose requests were sent.
    pub(crate) async fn create(&self) {
        let (sent, form, now) = (self.sent().await, self.form.to_string(), self.now());
        let write = move |conn: &mut Connection| -> database::Result<()> {
            let waiting = form_records::list(conn, &tenant(), Some(State::Sent), None, ALL as i64)?;
            let waiting = waiting.into_iter().filter(|one| sent.contains(&one.record));
            let settled = waiting.map(|one| Settled {
                form: form.clone(),
                user_id: Some(one.record.clone()),
                record: one.record,
                state: State::Created,
                reasons: None,
                attempts: 1,
            });
            form_records::settle(conn, &tenant(), &settled.collect::<Vec<_>>(), now)
        };
        self.database.write("seeds.create", write).await.unwrap();
    }

    fn now(&self) -> UnixMillis {
        UnixMillis(self.clock.now_ms())
    }

    fn rules(&self) -> Rules {
        let now = self.now();
        Rules { now, horizon: now.plus_seconds(-MEMORY_SECONDS), tenants: self.tenants.snapshot() }
    }
}

impl Process {
    async fn start(database: &Database, sealer: &Sealer, queue: &Arc<Queue>, clock: &Clock, number: u64) -> Self {
        let ours = Arc::new(Ours(clock.clone()));
        let parts = Parts {
            database: database.clone(),
            broker: Arc::clone(queue) as Arc<dyn Broker>,
            clock: Arc::clone(&ours) as Arc<dyn common::Clock>,
            sealer: sealer.clone(),
            stop: CancellationToken::new(),
            instance: format!("synchronizer-{number}"),
            needs_database: true,
        };
        let context = Context::assemble(parts).await.unwrap();
        let http = outbound::Client::new(Guard::new(vec!["127.0.0.0/8".parse().unwrap()]), REQUEST_TIMEOUT).unwrap();
        let (config, lanes) = (SynchronizerConfig::default(), vec![Lane::shared()]);
        let synchronizer = Synchronizer::new(config, lanes, context.clone(), http, ours);
        Self { context, steps: synchronizer.with_timing(Timing::default()).steps().unwrap() }
    }
}

/// Our clock, which is the platform's; and who lets calls through: those to the form. WeCom is not there.
struct Ours(Clock);

impl common::Clock for Ours {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.now_ms())
    }
}

impl fmt::Debug for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ours").finish_non_exhaustive()
    }
}

#[async_trait]
impl Governor for Ours {
    async fn admit(&self, spends: &[Spend], _urgency: Urgency) -> std::result::Result<(), Closed> {
        let is_form = |spend: &Spend| spend.of.interface.starts_with("data/") || spend.of.interface == "widget/list";
        if spends.iter().any(is_form) {
            return Ok(());
        }
        Err(Closed { until: common::Clock::now(self).plus_seconds(3600) })
    }

    async fn refused(&self, _of: &Allowance, _refuses_for: Duration) {}

    async fn done_by(&self, _spends: &[Spend], _calls: u64) -> Option<UnixMillis> {
        None
    }
}

/// In place of the queue.
#[derive(Default)]
struct Queue {
    events: Mutex<Vec<Event>>,
    /// Whoever publishes next goes no further.
    dies: AtomicBool,
    died: Notify,
}

impl Queue {
    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

#[async_trait]
impl Broker for Queue {
    async fn publish(&self, hop: Hop, _lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        if hop == Hop::Events {
            let events = messages.iter().map(|message| Event::from_cloud_event(&message.payload).unwrap());
            self.events.lock().unwrap().extend(events);
            if self.dies.swap(false, Ordering::Relaxed) {
                self.died.notify_one();
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }

    async fn consume(
        &self,
        _hop: Hop,
        _lanes: &[Lane],
        _options: ConsumeOptions,
        _handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    async fn depth(&self, _hop: Hop) -> Result<u64> {
        Ok(0)
    }
}

fn tenant_file(api_base: &str, directory: &Path) -> TenantFile {
    let text = format!(
        "id = \"acme\"\n[wecom]\ncorp_id = \"wwacme\"\ncontact_secret = \"contact\"\napi_base = \"http://127.0.0.1:9\"\n\
         [jiandaoyun]\napi_key = \"{KEY}\"\napi_base = \"{api_base}\"\nmapping = \"{MAPPING_FILE}\"\n\
         every_seconds = 60\noverlap_seconds = {OVERLAP_SECONDS}\nstart = \"2026-01-01T00:00:00Z\"\n\
         [[destinations]]\nid = \"hires\"\nkind = \"wecom-members\"\n"
    );
    TenantFile::parse(&text, directory).unwrap()
}

fn mapping(form: &FormId, page: usize) -> String {
    let field = |field: &str, value: &str| json!({ "field": field, "value": value });
    let request = [
        field("userid", "{_widget_1005}"),
        field("name", "{_widget_1001}"),
        field("mobile", "{_widget_1002}"),
        field("department", "{_widget_1003}"),
        field("position", "{_widget_1004}"),
    ];
    let filter = json!({
        "rel": "and",
        "cond_1": { "field": "updateTime", "type": "datetime", "method": "range", "value": "{{LAST_SYNC_TIME|datetime}}" },
        "cond_2": { "field": "flowState", "type": "flowState", "method": "eq", "value": "1" },
    });
    let source = json!({ "appId": form.app, "entryId": form.entry, "limit": page, "filter": filter });
    let status = platform_sim::jiandaoyun::samples::STATUS;
    json!({ "source": source, "api": "/cgi-bin/user/create", "request": request, "status": status }).to_string()
}
