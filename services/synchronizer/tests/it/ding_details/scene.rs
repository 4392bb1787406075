//! A synchronizer that is driven look by look, a running resolver, and one tenant, `acme`, over a simulated DingTalk on a socket.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{Lane, Outgoing};
use common::{
    Clock as _, EntityKey, EntityKind, Event, EventBody, EventKeys, Fields, Hop, Observation, Platform, TenantId,
    UnixMillis, What,
};
use database::Connection;
use dingtalk::{Wanted, normalise_http};
use outbound::{Guard, Unlimited};
use platform_sim::dingtalk::{
    self as ding, Api, Clock, Company, Dialect, FailedList, FailedOptions, Server, ServerParts,
    api::{ApiOptions, Interface, Limits, Record},
};
use store::{questions, record_runs, records, snapshots};
use synchronizer::{Steps, Synchronizer, Timing};
use test_kit::{Stage, eventually};
use tokio::task::JoinHandle;

const CLIENT: &str = "dingabcd1234efgh5678";
const SECRET: &str = "client-secret";
/// More looks than anything here takes.
const LOOKS: usize = 400;
/// Longer than any test: directories are compared once, at the beginning, and tokens do not die.
const NEVER_SECONDS: u64 = 100 * 365 * 86_400;
const PAGE: i64 = 1000;

/// How a tenant is set up.
#[derive(Clone)]
pub(super) struct Setting {
    /// Whose directory is the truth.
    pub(super) directory: Platform,
    /// Calls that the company may make in a month.
    pub(super) monthly_calls: u64,
    /// How often attendance and approvals are compared, in seconds.
    pub(super) compares_every: u64,
}

impl Default for Setting {
    fn default() -> Self {
        Self { directory: Platform::Dingtalk, monthly_calls: 1_000_000, compares_every: NEVER_SECONDS }
    }
}

pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) api: Api,
    pub(super) failed: FailedList,
    steps: Steps,
    server: Server,
    setting: Setting,
    running: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Scene {
    pub(super) async fn over(company: Company) -> Self {
        Self::set_up(company, Setting::default()).await
    }

    /// The resolver works. The clock shows a moment after the company's last change.
    pub(super) async fn set_up(company: Company, setting: Setting) -> Self {
        let stage = Stage::open().await;
        let after = company.now_ms() / 1000 - stage.clock.now().seconds() + 60;
        stage.clock.advance_seconds(after.max(0));
        let corp_id = company.corp_id().to_owned();
        let clock = Arc::clone(&stage.clock);
        let clock = Clock::following(Arc::new(move || clock.now().0));
        // Time stands still, and with it all limits by second. The client renews tokens by real time: one that died in a jump would have
        // calls made twice, as many as are on their way at once.
        let token_life = Duration::from_secs(NEVER_SECONDS);
        let options = ApiOptions { limits: Limits::none(), token_life, ..ApiOptions::new(CLIENT, SECRET) };
        let failed = FailedList::new(FailedOptions::default());
        let api = Api::new(Arc::new(Mutex::new(company)), failed.clone(), options, clock);
        let parts = ServerParts { streams: Vec::new(), api: Some(Arc::new(api.clone())) };
        let server = Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), parts).unwrap();
        stage.apply(&file(&corp_id, &server.url(), &setting)).await;
        let (steps, running) = start(&stage, &setting);
        Self { stage, api, failed, steps, server, setting, running }
    }

    /// Ends everything, and opens the data again.
    pub(super) async fn reopen(self) -> Self {
        let Self { stage, api, failed, server, setting, running, .. } = self;
        stage.context.stop.cancel();
        for running in running {
            running.await.unwrap().unwrap();
        }
        let stage = stage.reopen().await;
        let (steps, running) = start(&stage, &setting);
        Self { stage, api, failed, steps, server, setting, running }
    }

    /// Ends everything in good order.
    pub(super) async fn end(self) {
        self.stage.context.stop.cancel();
        for running in self.running {
            running.await.unwrap().unwrap();
        }
        self.stage.stop().await;
        drop(self.server);
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.stage.clock.now()
    }

    /// One look, and what came of it worked off.
    pub(super) async fn look(&self) {
        self.steps.once().await.unwrap();
        let depth = async || self.stage.context.broker.depth(Hop::Events).await.unwrap();
        eventually("the queue of events is empty", depth, |depth| *depth == 0).await;
    }

    /// Lets time pass, a second and a look at a time.
    pub(super) async fn pass(&self, seconds: i64) {
        for _ in 0..seconds {
            self.jump(1);
            self.look().await;
        }
    }

    /// Lets time pass without a look.
    pub(super) fn jump(&self, seconds: i64) {
        self.stage.clock.advance_seconds(seconds);
    }

    /// Lets time pass until this moment, without a look.
    pub(super) fn jump_to(&self, at_ms: i64) {
        self.jump((at_ms - self.now().0 + 999) / 1000);
    }

    /// Looks until something is so, while time passes.
    pub(super) async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        for _ in 0..LOOKS {
            if is_so(self).await {
                return;
            }
            self.jump(2);
            self.look().await;
        }
        panic!("{what}: not within {LOOKS} looks");
    }

    /// Looks until the directory is in the mirror, attendance was compared once, and nobody asks for anything any more.
    pub(super) async fn settled(&self) {
        let is_settled = async |scene: &Self| {
            let members = scene.api.company().members().len();
            let look = move |conn: &mut Connection| -> database::Result<bool> {
                let live = store::removals::live(conn, &tenant())?.members;
                let compared = record_runs::get(conn, &tenant())?;
                let is_compared = compared.is_some_and(|run| run.place.is_none() && run.started_at > UnixMillis(0));
                Ok(live == members as u64 && is_compared && questions::count_open(conn, &tenant())? == 0)
            };
            scene.read(look).await
        };
        self.until("the tenant is settled", is_settled).await;
    }

    /// No pull happens by itself, and no comparison either.
    pub(super) async fn without_pulls(&self) {
        let due_at = self.now().plus_seconds(100 * 365 * 86_400);
        self.write(move |conn| snapshots::announce(conn, &tenant(), due_at)).await;
    }

    /// Changes the company now, and returns what comes of it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Company) -> Result<T, ding::Illegal>) -> T {
        let mut company = self.api.company();
        company.set_now_ms(self.now().0);
        change(&mut company).unwrap()
    }

    /// Changes the company now, and tells of it.
    pub(super) async fn happens(
        &self,
        change: impl FnOnce(&mut Company) -> Result<Vec<ding::Event>, ding::Illegal>,
    ) -> Vec<ding::Event> {
        let events = self.change(change);
        self.tell(&events).await;
        events
    }

    /// Events as the gateway takes them over.
    pub(super) async fn tell(&self, events: &[ding::Event]) {
        let corp_id = self.api.company().corp_id().to_owned();
        let wanted = Wanted { contacts: self.setting.directory == Platform::Dingtalk, ..Wanted::ALL };
        let normalised = |event: &ding::Event| {
            let text = event.http_text(Dialect::Current);
            normalise_http(&tenant(), &corp_id, &text, self.now(), None, wanted).unwrap()
        };
        self.publish(events.iter().flat_map(normalised).collect()).await;
    }

    /// A member of the directory, as another platform tells of it.
    pub(super) async fn member(&self, id: &str, fields: Fields) {
        let what = What::Created { fields };
        let (kind, id, at) = (EntityKind::Member, id.to_owned(), self.now());
        let seen = Observation { kind, id, at, what, hint: false, answer: false };
        let content = EventKeys::content_hash("ww1", Some(&seen.key()), seen.at, format!("{seen:?}").as_bytes());
        let event = Event {
            id: content.clone(),
            tenant: tenant(),
            platform: Platform::Wecom,
            received_at: self.now(),
            keys: EventKeys { platform: None, content },
            traceparent: None,
            body: EventBody::Directory(seen),
        };
        self.publish(vec![event]).await;
    }

    async fn publish(&self, events: Vec<Event>) {
        for piece in events.chunks(256) {
            let messages =
                piece.iter().map(|event| Outgoing::new(event.ordering_key(), event.to_cloud_event())).collect();
            self.stage.context.broker.publish(Hop::Events, &Lane::shared(), messages).await.unwrap();
        }
    }

    /// All records of a kind, by their ids.
    pub(super) async fn records(&self, kind: EntityKind) -> Vec<(EntityKey, records::Row)> {
        let mut all: Vec<(EntityKey, records::Row)> = Vec::new();
        loop {
            let after = all.last().map(|(key, _)| key.id.to_string());
            let page =
                move |conn: &mut Connection| records::of_kind_after(conn, &tenant(), kind, after.as_deref(), PAGE);
            let page = self.read(page).await;
            let is_last = (page.len() as i64) < PAGE;
            all.extend(page);
            if is_last {
                return all;
            }
        }
    }

    /// How many calls there were so far.
    pub(super) fn journal(&self) -> usize {
        self.api.records().len()
    }

    /// The calls of an interface since then.
    pub(super) fn calls(&self, since: usize, interface: Interface) -> Vec<Record> {
        let records = self.api.records().into_iter().skip(since);
        records.filter(|record| record.interface == interface).collect()
    }

    /// A metric of this process without labels but the tenant's, 0 while there is none.
    pub(super) fn metric(&self, name: &str) -> f64 {
        let text = self.stage.context.metrics.render().unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("orgbridge_{name}{{")));
        line.and_then(|line| line.rsplit_once(' ')).and_then(|(_, value)| value.parse().ok()).unwrap_or_default()
    }

    pub(super) async fn dead_letters(&self) -> usize {
        self.read(|conn| store::dead_letters::list(conn, None)).await.len()
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.read("test", work).await.unwrap()
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.write("test", work).await.unwrap()
    }
}

fn start(stage: &Stage, setting: &Setting) -> (Steps, Vec<JoinHandle<anyhow::Result<()>>>) {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let http = outbound::Client::new(guard, Duration::from_secs(15)).unwrap();
    let mut config = service::Config::default();
    config.synchronizer.reconcile_every_seconds = setting.compares_every;
    let context = stage.context.clone();
    let synchronizer = Synchronizer::new(config.synchronizer, vec![Lane::shared()], context, http, Arc::new(Unlimited));
    let steps = synchronizer.with_timing(Timing::default()).steps().unwrap();
    let resolver = resolver::run(config.resolver, vec![Lane::shared()], stage.context.clone());
    (steps, vec![tokio::spawn(resolver)])
}

pub(super) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn file(corp_id: &str, base: &str, setting: &Setting) -> String {
    let Setting { directory, monthly_calls, .. } = setting;
    let directory_is = format!("directory = \"{}\"", directory.as_str());
    let dingtalk = format!(
        r#"
[dingtalk]
corp_id = "{corp_id}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
api_base = "{base}"
oapi_base = "{base}"
monthly_api_quota = {monthly_calls}
"#
    );
    // Nobody listens there: this platform has nothing to do with it.
    let wecom = "[wecom]\ncorp_id = \"ww1\"\ncontact_secret = \"c\"\napi_base = \"http://127.0.0.1:9\"\n";
    match directory {
        Platform::Wecom => format!("id = \"acme\"\n{directory_is}\n{wecom}{dingtalk}"),
        _ => format!("id = \"acme\"\n{directory_is}\n{dingtalk}"),
    }
}
