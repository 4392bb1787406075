//! A running synchronizer and resolver with one tenant, `acme`, over a simulated platform on a socket. Time passes when told to.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{Lane, Outgoing};
use common::{
    Clock, EntityKey, EntityKind, Event, EventBody, EventKeys, Field, Fields, Hop, Observation, Platform, TenantId,
    UnixMillis,
};
use database::Connection;
use outbound::{Guard, Unlimited};
use platform_sim::{Api, ApiOptions, ApiServer, Callback, Company, CompanyOptions, Profile, api::Identity, fold};
use service::{Context, Metrics};
use store::snapshots::{self, Snapshot};
use synchronizer::{Steps, Synchronizer, Timing};
use test_kit::{Stage, eventually};
use tokio::task::JoinHandle;

const CONTACT: &str = "contact-secret";
const APP: &str = "app-secret";
pub(crate) const AGENT: u32 = 1_000_002;
/// Longer than any test: runs that nobody asks for are kept from happening.
const NEVER_SECONDS: i64 = 100 * 365 * 86_400;

pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) api: Api,
    server: ApiServer,
    running: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Scene {
    /// Nothing runs yet. The clock shows a moment after the company's last change.
    pub(crate) async fn over(company: Company) -> Self {
        let stage = Stage::open().await;
        let clock = Arc::clone(&stage.clock);
        let after = company.now_seconds() - stage.clock.now().seconds() + 120;
        stage.clock.advance_seconds(after.max(0));
        let corp_id = company.corp_id().to_owned();
        let api =
            Api::new(Arc::new(Mutex::new(company)), ApiOptions::new(CONTACT, APP), Arc::new(move || clock.now().0));
        let server = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let core = format!("sqlite://{}", stage.directory().join("core.db").display());
        stage.apply(&(file(&corp_id, &server.url()) + &destination(&core))).await;
        Self { stage, api, server, running: Vec::new() }
    }

    /// From now on the tenant has no destination.
    pub(crate) async fn without_destinations(&self) {
        let corp_id = self.api.company().corp_id().to_owned();
        self.stage.apply(&file(&corp_id, &self.server.url())).await;
    }

    /// The resolver works from now on.
    pub(crate) fn resolve(&mut self) {
        let config = service::Config::default().resolver;
        self.running.push(tokio::spawn(resolver::run(config, vec![Lane::shared()], self.stage.context.clone())));
    }

    /// The synchronizer works from now on.
    pub(crate) fn synchronize(&mut self) {
        self.synchronize_and_walk(Duration::from_secs(3600));
    }

    /// The synchronizer works from now on, and walks over details.
    pub(crate) fn synchronize_and_walk(&mut self, walk_every: Duration) {
        let timing = Timing {
            walk_every,
            look_every: Duration::from_millis(20),
            runs_every: Duration::from_millis(50),
            ..Timing::default()
        };
        self.running.push(tokio::spawn(self.synchronizer(timing).run()));
    }

    /// A synchronizer that does nothing by itself.
    pub(crate) fn steps(&self) -> Steps {
        self.synchronizer(Timing::default()).steps().unwrap()
    }

    /// Another replica that does nothing by itself, and what it tells.
    pub(crate) fn replica(&self) -> (Steps, Arc<Metrics>) {
        let metrics = Arc::new(Metrics::new().unwrap());
        let mut context = self.stage.context.clone();
        (context.metrics, context.instance) = (Arc::clone(&metrics), "replica".to_owned());
        (self.synchronizer_in(context, Timing::default()).steps().unwrap(), metrics)
    }

    /// From now on the tenant is in this lane, which is nobody's here.
    pub(crate) async fn moves_to(&self, lane: &str) {
        let corp_id = self.api.company().corp_id().to_owned();
        self.stage.apply(&format!("lane = \"{lane}\"\n{}", file(&corp_id, &self.server.url()))).await;
    }

    fn synchronizer(&self, timing: Timing) -> Synchronizer {
        self.synchronizer_in(self.stage.context.clone(), timing)
    }

    fn synchronizer_in(&self, context: Context, timing: Timing) -> Synchronizer {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let http = outbound::Client::new(guard, timing.request_timeout).unwrap();
        let config = service::Config::default().synchronizer;
        Synchronizer::new(config, vec![Lane::shared()], context, http, Arc::new(Unlimited)).with_timing(timing)
    }

    /// No pull happens by itself.
    pub(crate) async fn without_pulls(&self) {
        let due_at = self.now().plus_seconds(NEVER_SECONDS);
        self.write(move |conn| snapshots::announce(conn, &tenant(), due_at)).await;
    }

    /// Ends everything, and opens the data again.
    pub(crate) async fn reopen(mut self) -> Self {
        self.stage.context.stop.cancel();
        for running in self.running.drain(..) {
            running.await.unwrap().unwrap();
        }
        let stage = self.stage.reopen().await;
        Self { stage, ..self }
    }

    /// Ends everything in good order.
    pub(crate) async fn end(self) {
        self.stage.context.stop.cancel();
        for running in self.running {
            running.await.unwrap().unwrap();
        }
        self.stage.stop().await;
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.stage.clock.now()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.stage.clock.advance_seconds(seconds);
    }

    /// Callbacks as the gateway takes them over.
    pub(crate) async fn tell(&self, callbacks: &[Callback]) {
        let corp_id = self.api.company().corp_id().to_owned();
        let event =
            |callback: &Callback| wecom::normalise(&tenant(), &corp_id, &callback.plaintext, self.now(), None).unwrap();
        self.publish(callbacks.iter().flat_map(event).collect()).await;
    }

    pub(crate) async fn observe(&self, seen: Vec<Observation>) {
        let event = |seen: Observation| {
            let content = EventKeys::content_hash("ww1", Some(&seen.key()), seen.at, format!("{seen:?}").as_bytes());
            Event {
                id: content.clone(),
                tenant: tenant(),
                platform: Platform::Wecom,
                received_at: self.now(),
                keys: EventKeys { platform: None, content },
                traceparent: None,
                body: EventBody::Directory(seen),
            }
        };
        self.publish(seen.into_iter().map(event).collect()).await;
    }

    async fn publish(&self, events: Vec<Event>) {
        for piece in events.chunks(256) {
            let messages = piece.iter().map(|event| Outgoing::new("acme", event.to_cloud_event())).collect();
            self.stage.context.broker.publish(Hop::Events, &Lane::shared(), messages).await.unwrap();
        }
    }

    pub(crate) async fn drained(&self) {
        let depth = async || self.stage.context.broker.depth(Hop::Events).await.unwrap();
        eventually("the queue of events is empty", depth, |depth| *depth == 0).await;
    }

    /// Waits until so many questions are open.
    pub(crate) async fn questions(&self, count: u64) {
        let look = async || self.read(|conn| store::questions::count_open(conn, &tenant())).await;
        eventually("questions", look, |open| *open == count).await;
    }

    /// Waits until the platform is silent, or is not.
    pub(crate) async fn silent(&self, is_silent: bool) {
        let look = async || self.read(|conn| store::questions::silent_since(conn, &tenant())).await.is_some();
        eventually("silence", look, |silent| *silent == is_silent).await;
    }

    /// Waits until the last pull is as it is to be.
    pub(crate) async fn pulled(&self, is_so: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let look = async || self.read(|conn| snapshots::get(conn, &tenant())).await;
        eventually("a pull", look, |at| at.as_ref().is_some_and(&is_so)).await.unwrap()
    }

    /// Waits until the mirror shows what the company is, while time passes.
    pub(crate) async fn agrees(&self) {
        let look = async || {
            self.pass(1);
            self.differences().await
        };
        eventually("mirror and company agree", look, Vec::is_empty).await;
    }

    pub(crate) async fn dead_letters(&self) -> usize {
        self.read(|conn| store::dead_letters::list(conn, None)).await.len()
    }

    /// Live entities as last sent.
    pub(crate) async fn live(&self) -> BTreeMap<EntityKey, Fields> {
        let all = |conn: &mut Connection| snapshots::mirror_after(conn, &tenant(), None, 100_000);
        let records = self.read(all).await;
        records.into_iter().filter_map(|(key, record)| Some((key, record.sent?.entity.fields))).collect()
    }

    pub(crate) async fn differences(&self) -> Vec<String> {
        let live = self.live().await;
        let company = self.api.company().snapshot();
        let mut differences = Vec::new();
        for (id, department) in &company.departments {
            let key = EntityKey::department(id);
            let is_same = live.get(&key).is_some_and(|fields| {
                fields.text(Field::Name) == Some(department.name.as_str())
                    && fields.text(Field::Parent) == department.parent.as_deref()
            });
            if !is_same {
                differences.push(key.to_string());
            }
        }
        for (id, member) in &company.members {
            let key = EntityKey::member(id);
            let is_same = live.get(&key).is_some_and(|fields| {
                fields.text(Field::Name) == Some(member.name.as_str())
                    && fields.text(Field::Title).unwrap_or_default() == member.title
                    && set(fields.list(Field::Departments)) == set(&member.departments)
                    && set(fields.list(Field::Leads)) == set(&member.leads)
            });
            if !is_same {
                differences.push(key.to_string());
            }
        }
        let is_there = |key: &EntityKey| match key.kind {
            EntityKind::Department => company.departments.contains_key(&*key.id),
            _ => company.members.contains_key(&fold(&key.id)),
        };
        differences.extend(live.keys().filter(|key| !is_there(key)).map(|key| format!("{key} is gone")));
        differences
    }

    /// Nobody may call any more, or everybody again; at once.
    pub(crate) fn bar(&self, is_barred: bool) {
        let trusted = || is_barred.then(BTreeSet::new);
        self.api.configure(|options| {
            options.contact.trusted = trusted();
            options.app_mut(AGENT).unwrap().trusted = trusted();
        });
    }

    /// How often something was asked about, with any outcome, by anybody but a probe.
    pub(crate) fn asked(&self, about: &platform_sim::api::About, identity: Identity) -> usize {
        let is_it = |record: &platform_sim::api::Record| {
            record.about.as_ref() == Some(about) && record.identity == Some(identity)
        };
        self.api.records().iter().filter(|record| is_it(record)).count()
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.read("test", work).await.unwrap()
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.stage.context.database.write("test", work).await.unwrap()
    }
}

/// A company whose callbacks carry ids only.
pub(crate) fn company() -> Company {
    Company::new(CompanyOptions { profile: Profile::Reduced, ..CompanyOptions::default() })
}

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn set(ids: &[String]) -> BTreeSet<&String> {
    ids.iter().collect()
}

fn file(corp_id: &str, api_base: &str) -> String {
    format!(
        r#"
id = "acme"
name = "示例制造有限公司"
[wecom]
corp_id = "{corp_id}"
contact_secret = "{CONTACT}"
agent_secret = "{APP}"
callback_token = "tok"
callback_aes_key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
api_base = "{api_base}"
"#
    )
}

fn destination(core: &str) -> String {
    format!("[[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"{core}\"\nrole = \"core\"\n")
}
