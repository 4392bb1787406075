//! A running synchronizer and resolver with one tenant, `acme`, whose directory is in a simulated DingTalk on a socket. Time passes when
//! told to.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{Lane, Outgoing};
use common::{
    Clock as _, EntityKey, EntityKind, Event, EventBody, EventKeys, Field, Fields, Hop, Observation, Platform,
    TenantId, UnixMillis, What,
};
use database::Connection;
use dingtalk::{Wanted, normalise_http};
use outbound::{Guard, Unlimited};
use platform_sim::dingtalk::{
    self as ding, Api, Clock, Company, CompanyOptions, Dialect, FailedList, Server, ServerParts,
    api::{About, ApiOptions, Interface, Limits},
};
use store::snapshots::{self, Snapshot};
use synchronizer::{Synchronizer, Timing};
use test_kit::{Stage, eventually};
use tokio::task::JoinHandle;

pub(super) const CLIENT: &str = "dingabcd1234efgh5678";
const SECRET: &str = "client-secret";
/// Longer than any test: runs that nobody asks for are kept from happening.
const NEVER_SECONDS: i64 = 100 * 365 * 86_400;
/// How long after the company's last change the scene begins: what happened then is old enough to be answered.
const LATER_SECONDS: i64 = 120;

pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) api: Api,
    server: Server,
    running: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Scene {
    /// Nothing runs yet. The clock shows a moment after the company's last change.
    pub(super) async fn over(company: Company) -> Self {
        let stage = Stage::open().await;
        let after = company.now_ms() / 1000 - stage.clock.now().seconds() + LATER_SECONDS;
        stage.clock.advance_seconds(after.max(0));
        let corp_id = company.corp_id().to_owned();
        let clock = Arc::clone(&stage.clock);
        let clock = Clock::following(Arc::new(move || clock.now().0));
        // Time stands still, and with it all limits by second.
        let options = ApiOptions { limits: Limits::none(), ..ApiOptions::new(CLIENT, SECRET) };
        let api = Api::new(Arc::new(Mutex::new(company)), FailedList::default(), options, clock);
        let parts = ServerParts { streams: Vec::new(), api: Some(Arc::new(api.clone())) };
        let server = Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), parts).unwrap();
        let core = format!("sqlite://{}", stage.directory().join("core.db").display());
        stage.apply(&(file(&corp_id, SECRET, &server.url()) + &destination(&core))).await;
        Self { stage, api, server, running: Vec::new() }
    }

    /// Somebody enters another secret of the app.
    pub(super) async fn enter_secret(&self, secret: &str) {
        let corp_id = self.api.company().corp_id().to_owned();
        let core = format!("sqlite://{}", self.stage.directory().join("core.db").display());
        self.stage.apply(&(file(&corp_id, secret, &self.server.url()) + &destination(&core))).await;
    }

    /// The resolver works from now on.
    pub(super) fn resolve(&mut self) {
        let config = service::Config::default().resolver;
        self.running.push(tokio::spawn(resolver::run(config, vec![Lane::shared()], self.stage.context.clone())));
    }

    /// The synchronizer works from now on.
    pub(super) fn synchronize(&mut self) {
        self.synchronize_and_walk(Duration::from_secs(3600));
    }

    /// The synchronizer works from now on, and walks over details.
    pub(super) fn synchronize_and_walk(&mut self, walk_every: Duration) {
        let timing = Timing {
            walk_every,
            look_every: Duration::from_millis(20),
            runs_every: Duration::from_millis(50),
            ..Timing::default()
        };
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let http = outbound::Client::new(guard, timing.request_timeout).unwrap();
        let (config, context) = (service::Config::default().synchronizer, self.stage.context.clone());
        let synchronizer = Synchronizer::new(config, vec![Lane::shared()], context, http, Arc::new(Unlimited));
        self.running.push(tokio::spawn(synchronizer.with_timing(timing).run()));
    }

    /// No pull happens by itself.
    pub(super) async fn without_pulls(&self) {
        let due_at = self.now().plus_seconds(NEVER_SECONDS);
        self.write(move |conn| snapshots::announce(conn, &tenant(), due_at)).await;
    }

    /// Ends everything, and opens the data again.
    pub(super) async fn reopen(mut self) -> Self {
        self.stage.context.stop.cancel();
        for running in self.running.drain(..) {
            running.await.unwrap().unwrap();
        }
        let Self { stage, api, server, running } = self;
        Self { stage: stage.reopen().await, api, server, running }
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

    pub(super) fn pass(&self, seconds: i64) {
        self.stage.clock.advance_seconds(seconds);
    }

    /// Changes the company now, and returns the events of it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Company) -> Result<T, ding::Illegal>) -> T {
        let mut company = self.api.company();
        company.set_now_ms(self.now().0);
        change(&mut company).unwrap()
    }

    /// Events as the gateway takes them over.
    pub(super) async fn tell(&self, events: &[ding::Event]) {
        let corp_id = self.api.company().corp_id().to_owned();
        let normalised = |event: &ding::Event| {
            let text = event.http_text(Dialect::Current);
            normalise_http(&tenant(), &corp_id, &text, self.now(), None, Wanted::ALL).unwrap()
        };
        self.publish(events.iter().flat_map(normalised).collect()).await;
    }

    /// Somebody says now that an entity is to be looked at again.
    pub(super) async fn hint(&self, about: &EntityKey, id: &str) {
        let what = What::Updated { fields: Fields::new() };
        let seen = Observation { kind: about.kind, id: id.to_owned(), at: self.now(), what, hint: true, answer: false };
        let content = EventKeys::content_hash("ding1", Some(&seen.key()), seen.at, format!("{seen:?}").as_bytes());
        let event = Event {
            id: content.clone(),
            tenant: tenant(),
            platform: Platform::Dingtalk,
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

    pub(super) async fn drained(&self) {
        let depth = async || self.stage.context.broker.depth(Hop::Events).await.unwrap();
        eventually("the queue of events is empty", depth, |depth| *depth == 0).await;
    }

    /// Waits until so many questions are open, while time passes.
    pub(super) async fn questions(&self, count: u64) {
        let look = async || {
            self.pass(1);
            self.read(|conn| store::questions::count_open(conn, &tenant())).await
        };
        eventually("questions", look, |open| *open == count).await;
    }

    /// Waits until so many questions are open, without time passing.
    pub(super) async fn asks(&self, count: u64) {
        let look = async || self.read(|conn| store::questions::count_open(conn, &tenant())).await;
        eventually("questions", look, |open| *open == count).await;
    }

    /// Waits until the platform is silent, or is not.
    pub(super) async fn silent(&self, is_silent: bool) {
        let look = async || self.read(|conn| store::questions::silent_since(conn, &tenant())).await.is_some();
        eventually("silence", look, |silent| *silent == is_silent).await;
    }

    /// Waits until the last pull is as it is to be.
    pub(super) async fn pulled(&self, is_so: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let look = async || self.read(|conn| snapshots::get(conn, &tenant())).await;
        eventually("a pull", look, |at| at.as_ref().is_some_and(&is_so)).await.unwrap()
    }

    /// Waits until the mirror shows what the company is, while time passes.
    pub(super) async fn agrees(&self) {
        let look = async || {
            self.pass(1);
            self.differences().await
        };
        eventually("mirror and company agree", look, Vec::is_empty).await;
    }

    /// Waits for the same without time passing.
    pub(super) async fn agrees_now(&self) {
        eventually("mirror and company agree", async || self.differences().await, Vec::is_empty).await;
    }

    pub(super) async fn dead_letters(&self) -> usize {
        self.read(|conn| store::dead_letters::list(conn, None)).await.len()
    }

    /// Live entities as last sent.
    pub(super) async fn live(&self) -> BTreeMap<EntityKey, Fields> {
        let all = |conn: &mut Connection| snapshots::mirror_after(conn, &tenant(), None, 100_000);
        let records = self.read(all).await;
        records.into_iter().filter_map(|(key, record)| Some((key, record.sent?.entity.fields))).collect()
    }

    /// What the mirror shows otherwise than the company. What the app does not see may have its id for a name.
    pub(super) async fn differences(&self) -> Vec<String> {
        let live = self.live().await;
        let company = self.api.company();
        let (departments, members) = (company.departments(), company.members());
        let mut differences = Vec::new();
        for (id, department) in departments {
            let key = EntityKey::department(&id.to_string());
            let is_same = live.get(&key).is_some_and(|fields| {
                let name = fields.text(Field::Name).unwrap_or_default();
                let parent = department.parent.map(|parent| parent.to_string());
                let is_named = name == department.name || (!department.in_scope && *name == *key.id);
                is_named && fields.text(Field::Parent) == parent.as_deref()
            });
            if !is_same {
                differences.push(key.to_string());
            }
        }
        for (id, member) in members {
            let key = EntityKey::member(id);
            let is_same = live.get(&key).is_some_and(|fields| {
                let within: BTreeSet<String> = member.departments().map(|id| id.to_string()).collect();
                let is_in = fields.list(Field::Departments).iter().cloned().collect::<BTreeSet<_>>() == within;
                is_in && (!member.in_scope || is_shown(fields, member))
            });
            if !is_same {
                differences.push(key.to_string());
            }
        }
        let is_there = |key: &EntityKey| match key.kind {
            EntityKind::Department => key.id.parse::<i64>().is_ok_and(|id| departments.contains_key(&id)),
            _ => members.keys().any(|id| EntityKey::member(id) == *key),
        };
        differences.extend(live.keys().filter(|key| !is_there(key)).map(|key| format!("{key} is gone")));
        differences
    }

    /// Whether it was sent, and its removal was not.
    pub(super) async fn is_live(&self, about: &EntityKey) -> bool {
        self.live().await.contains_key(about)
    }

    /// How often an interface was called.
    pub(super) fn calls(&self, interface: Interface) -> u64 {
        self.api.tally(interface).calls
    }

    /// How often an interface was asked about something, with any outcome.
    pub(super) fn asked(&self, interface: Interface, about: &About) -> usize {
        let is_it = |record: &&ding::api::Record| record.interface == interface && record.about.as_ref() == Some(about);
        self.api.records().iter().filter(is_it).count()
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

/// Whether the mirror shows what the app sees of a member.
fn is_shown(fields: &Fields, member: &ding::Member) -> bool {
    let leads: BTreeSet<String> =
        member.posts.iter().filter(|post| post.leader).map(|post| post.department.to_string()).collect();
    let manager: Vec<String> = Some(member.manager.clone()).filter(|id| !id.is_empty()).into_iter().collect();
    let text = |field| fields.text(field).unwrap_or_default();
    text(Field::Name) == member.name
        && text(Field::Title) == member.title
        && text(Field::Mobile) == member.mobile
        && text(Field::EmployeeNumber) == member.job_number
        && fields.list(Field::Leads).iter().cloned().collect::<BTreeSet<_>>() == leads
        && fields.list(Field::Leaders) == manager.as_slice()
}

/// A company with a root and nobody in it.
pub(super) fn company() -> Company {
    Company::new(CompanyOptions::default())
}

/// A company of so many departments and members, all of which are known to it for a while.
pub(super) fn populated(departments: usize, members: usize) -> Company {
    let mut company = company();
    company.populate(departments, members).unwrap();
    company
}

pub(super) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn file(corp_id: &str, secret: &str, base: &str) -> String {
    format!(
        r#"
id = "acme"
name = "示例制造有限公司"
[dingtalk]
corp_id = "{corp_id}"
client_id = "{CLIENT}"
client_secret = "{secret}"
api_base = "{base}"
oapi_base = "{base}"
"#
    )
}

fn destination(core: &str) -> String {
    format!("[[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"{core}\"\nrole = \"core\"\n")
}
