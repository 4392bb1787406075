//! A synchronizer that is driven look by look, a running resolver, and one tenant, `acme`, over a simulated form on a socket, and an empty
//! company at a simulated WeCom. What the destination would do is written by hand.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{Lane, Outgoing};
use common::{
    Clock as _, EntityKey, EntityKind, Event, EventBody, EventKeys, Field, Fields, Hop, Observation, Platform,
    TenantId, UnixMillis, What, onboarding,
};
use database::Connection;
use outbound::{Guard, Unlimited};
use platform_sim::{
    self as wecom, ApiServer,
    jiandaoyun::{Api, ApiOptions, Clock, FlowState, FormId, Forms, FormsOptions, Interface, Limits, Server, samples},
};
use serde_json::{Value, json};
use store::{
    form_polls::{self, Poll},
    form_records::{self, FormRecord, Settled, State},
    records,
};
use synchronizer::{Steps, Synchronizer, Timing};
use test_kit::{Stage, eventually};
use tokio::task::JoinHandle;

use crate::scene::company;

const KEY: &str = "key";
const CONTACT: &str = "contact-secret";
/// Between two polls, and how far one looks back.
pub(super) const EVERY_SECONDS: i64 = 300;
const OVERLAP_SECONDS: i64 = 600;
/// Directories are compared once, at the beginning.
const NEVER_SECONDS: u64 = 100 * 365 * 86_400;

pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) api: Api,
    pub(super) form: FormId,
    steps: Steps,
    server: Server,
    contacts: (ApiServer, String),
    running: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Scene {
    /// The form of the contract; its first poll is due.
    pub(super) async fn open() -> Self {
        Self::open_with(FormsOptions::default(), 100).await
    }

    /// With pages of so many records.
    pub(super) async fn open_with(options: FormsOptions, page: u8) -> Self {
        let stage = Stage::open().await;
        let company = company();
        let after = company.now_seconds() - stage.clock.now().seconds() + 120;
        stage.clock.advance_seconds(after.max(0));
        let corp_id = company.corp_id().to_owned();
        let clock = Arc::clone(&stage.clock);
        let clock = move || clock.now().0;
        let contacts = wecom::ApiOptions::new(CONTACT, "app-secret");
        let contacts = wecom::Api::new(Arc::new(Mutex::new(company)), contacts, Arc::new(clock));
        let contacts = (contacts.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap(), corp_id);
        let clock = Arc::clone(&stage.clock);
        let clock = Clock::following(Arc::new(move || clock.now().0));
        let mut forms = Forms::new(options, clock.clone());
        let new = samples::contract_form();
        let form = new.id.clone();
        forms.add_form(new).unwrap();
        // Time stands still, and with it all limits by second.
        let options = ApiOptions { limits: Limits::none(), ..ApiOptions::new(KEY) };
        let api = Api::new(Arc::new(Mutex::new(forms)), options, clock);
        let server = Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), api.clone()).unwrap();
        std::fs::write(stage.directory().join("hires.json"), mapping(&form, page).to_string()).unwrap();
        stage.apply(&file(&server, &contacts)).await;
        let (steps, running) = start(&stage);
        Self { stage, api, form, steps, server, contacts, running }
    }

    /// Applies the tenant anew with something else in its mapping.
    pub(super) async fn remap(&self, change: impl FnOnce(&mut Value)) {
        let mut mapping = mapping(&self.form, 100);
        change(&mut mapping);
        std::fs::write(self.stage.directory().join("hires.json"), mapping.to_string()).unwrap();
        self.stage.apply(&file(&self.server, &self.contacts)).await;
    }

    /// Applies the tenant anew with its mapping in two files, one with quotation marks of an editor.
    pub(super) async fn halve(&self) {
        let mut target = mapping(&self.form, 100);
        let source = target.as_object_mut().unwrap().remove("source").unwrap();
        let target = target.to_string().replace("\"mobile\"", "“mobile”");
        for (name, half) in [("a.json", source.to_string()), ("b.json", target)] {
            std::fs::write(self.stage.directory().join(name), half).unwrap();
        }
        let halves = "mapping = { source = \"a.json\", target = \"b.json\" }";
        let file = file(&self.server, &self.contacts).replace("mapping = \"hires.json\"", halves);
        self.stage.apply(&file).await;
    }

    /// Ends everything, and opens the data again.
    pub(super) async fn reopen(self) -> Self {
        let Self { stage, api, form, server, contacts, running, steps } = self;
        drop(steps);
        stage.context.stop.cancel();
        for running in running {
            running.await.unwrap().unwrap();
        }
        let stage = stage.reopen().await;
        let (steps, running) = start(&stage);
        Self { stage, api, form, steps, server, contacts, running }
    }

    /// Ends everything in good order.
    pub(super) async fn end(self) {
        self.stage.context.stop.cancel();
        for running in self.running {
            running.await.unwrap().unwrap();
        }
        self.stage.stop().await;
        drop((self.server, self.contacts));
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

    /// Lets time pass, and looks.
    pub(super) async fn pass(&self, seconds: i64) {
        self.stage.clock.advance_seconds(seconds);
        self.look().await;
    }

    /// Lets the next poll come.
    pub(super) async fn poll(&self) {
        self.pass(EVERY_SECONDS).await;
    }

    /// Somebody fills the form in, and it is approved at once.
    pub(super) fn hire(&self, userid: &str) -> String {
        let id = self.enter(userid, "13800138000");
        self.approve(&id);
        id
    }

    /// Somebody fills the form in.
    pub(super) fn enter(&self, userid: &str, mobile: &str) -> String {
        self.api.forms().submit(&self.form, values(userid, mobile)).unwrap()
    }

    pub(super) fn approve(&self, id: &str) {
        self.step(id, FlowState::Approved);
    }

    pub(super) fn step(&self, id: &str, state: FlowState) {
        self.api.forms().step(&self.form, id, state).unwrap();
    }

    pub(super) fn edit(&self, id: &str, values: Value) {
        self.api.forms().edit(&self.form, id, values).unwrap();
    }

    /// The gateway heard that something is new of a record.
    pub(super) async fn hint(&self, id: &str) {
        let what = What::Updated { fields: Fields::new() };
        let (kind, id, at) = (EntityKind::Onboarding, self.entity(id), self.now());
        self.tell(Platform::Jiandaoyun, Observation { kind, id, at, what, hint: true, answer: false }).await;
    }

    /// WeCom told of a department.
    pub(super) async fn department(&self, id: &str) {
        let what = What::Created { fields: Fields::new().with(Field::Name, "新部门").with(Field::Parent, "1") };
        let (kind, id, at) = (EntityKind::Department, id.to_owned(), self.now());
        self.tell(Platform::Wecom, Observation { kind, id, at, what, hint: false, answer: false }).await;
    }

    async fn tell(&self, platform: Platform, seen: Observation) {
        let at = seen.at;
        let content = EventKeys::content_hash("told", Some(&seen.key()), at, b"");
        let event = Event {
            id: content.clone(),
            tenant: tenant(),
            platform,
            received_at: at,
            keys: EventKeys { platform: None, content },
            traceparent: None,
            body: EventBody::Directory(seen),
        };
        let message = Outgoing::new(event.ordering_key(), event.to_cloud_event());
        self.stage.context.broker.publish(Hop::Events, &Lane::shared(), vec![message]).await.unwrap();
        let depth = async || self.stage.context.broker.depth(Hop::Events).await.unwrap();
        eventually("it is taken", depth, |depth| *depth == 0).await;
    }

    fn entity(&self, id: &str) -> String {
        format!("{}/{id}", self.form)
    }

    /// The user ids of the requests that were sent, by record.
    pub(super) async fn sent(&self) -> Vec<(String, String)> {
        let page = |conn: &mut Connection| records::of_kind_after(conn, &tenant(), EntityKind::Onboarding, None, 5000);
        let of = |(key, row): (EntityKey, records::Row)| {
            let sent = row.record.sent?;
            let request: Value = serde_json::from_str(onboarding::request(&sent.entity.fields)?).unwrap();
            let (_, record) = onboarding::split(&key.id)?;
            Some((record.to_owned(), request["userid"].as_str().unwrap().to_owned()))
        };
        self.read(page).await.into_iter().filter_map(of).collect()
    }

    /// How many changes the resolver made of a record's request.
    pub(super) async fn version(&self, id: &str) -> u64 {
        let key = EntityKey::new(EntityKind::Onboarding, &self.entity(id));
        let load = move |conn: &mut Connection| records::load(conn, &tenant(), &[key]);
        self.read(load).await.first().map_or(0, |(_, row)| row.version)
    }

    pub(super) async fn row(&self, id: &str) -> Option<FormRecord> {
        let (form, id) = (self.form.to_string(), id.to_owned());
        self.read(move |conn| form_records::get_many(conn, &tenant(), &form, &[id.as_str()])).await.into_values().next()
    }

    pub(super) async fn state(&self, id: &str) -> Option<State> {
        self.row(id).await.map(|row| row.state)
    }

    /// The destination says what came of a request.
    pub(super) async fn settle(&self, id: &str, state: State) {
        let settled = Settled {
            form: self.form.to_string(),
            record: id.to_owned(),
            state,
            user_id: (state == State::Created).then(|| "zhang".to_owned()),
            reasons: (state == State::Failed)
                .then(|| onboarding::Complaint::list(&[onboarding::Complaint::new("userid", "is taken")])),
            attempts: 1,
        };
        let now = self.now();
        self.write(move |conn| form_records::settle(conn, &tenant(), &[settled], now)).await;
    }

    pub(super) async fn poll_row(&self) -> Poll {
        let form = self.form.to_string();
        self.read(move |conn| form_polls::get(conn, &tenant(), &form)).await.unwrap()
    }

    /// How many calls of an interface there were so far.
    pub(super) fn calls(&self, interface: Interface) -> u64 {
        u64::try_from(self.api.records().iter().filter(|record| record.interface == interface).count()).unwrap()
    }

    /// How many records came to this.
    pub(super) fn counted(&self, outcome: &str) -> u64 {
        self.metric(&format!("orgbridge_form_records_total{{outcome=\"{outcome}\",tenant=\"acme\"}}"))
    }

    /// How many outcomes were written back like this.
    pub(super) fn written(&self, outcome: &str) -> u64 {
        self.metric(&format!("orgbridge_form_answers_total{{outcome=\"{outcome}\",tenant=\"acme\"}}"))
    }

    fn metric(&self, begin: &str) -> u64 {
        let text = self.stage.context.metrics.render().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(begin));
        line.map_or(0, |value| value.trim().parse().unwrap())
    }

    /// What the field of the status has.
    pub(super) fn status(&self, id: &str) -> Option<String> {
        let forms = self.api.forms();
        forms.record(&self.form, id)?.values.get(samples::STATUS)?.as_str().map(str::to_owned)
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

fn start(stage: &Stage) -> (Steps, Vec<JoinHandle<anyhow::Result<()>>>) {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let http = outbound::Client::new(guard, Duration::from_secs(15)).unwrap();
    let mut config = service::Config::default();
    config.synchronizer.reconcile_every_seconds = NEVER_SECONDS;
    let context = stage.context.clone();
    let synchronizer = Synchronizer::new(config.synchronizer, vec![Lane::shared()], context, http, Arc::new(Unlimited));
    let steps = synchronizer.with_timing(Timing::default()).steps().unwrap();
    let resolver = resolver::run(config.resolver, vec![Lane::shared()], stage.context.clone());
    (steps, vec![tokio::spawn(resolver)])
}

pub(super) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(super) fn values(userid: &str, mobile: &str) -> Value {
    json!({
        "_widget_1001": "张三·𠮷", "_widget_1002": mobile, "_widget_1003": "[1]", "_widget_1004": "工程师",
        "_widget_1005": userid,
    })
}

/// The contract's, with the status written back.
fn mapping(form: &FormId, page: u8) -> Value {
    json!({
        "source": {
            "api": "/api/v2/app/{app_id}/entry/{entry_id}/data", "method": "POST", "effect": "QUERY",
            "appId": form.app, "entryId": form.entry, "fields": "_widget_1001,_id", "limit": page.to_string(),
            "filter": {
                "rel": "and",
                "cond_1": {"field": "updateTime", "type": "datetime", "method": "range",
                           "value": "{{LAST_SYNC_TIME|datetime}}"},
                "cond_2": {"field": "flowState", "type": "flowState", "method": "eq", "value": "1"},
            },
        },
        "api": "/cgi-bin/user/create", "method": "POST", "effect": "EXECUTE", "idCheck": true,
        "status": {"field": samples::STATUS, "created": "created", "rejected": "rejected: {reason}"},
        "request": [
            {"field": "userid", "label": "成员UserID", "type": "string", "value": "{_widget_1005}"},
            {"field": "name", "label": "成员名称", "type": "string", "value": "{_widget_1001}"},
            {"field": "mobile", "label": "手机号码", "type": "string", "value": "{_widget_1002}",
             "check": ["mobile"], "on_invalid": "skip"},
            {"field": "department", "label": "部门", "type": "string", "value": "{_widget_1003}"},
            {"field": "position", "label": "职务", "type": "string", "value": "{_widget_1004}"},
            {"field": "to_invite", "label": "是否邀请", "type": ":string", "value": "true"},
        ],
    })
}

fn file(server: &Server, (contacts, corp_id): &(ApiServer, String)) -> String {
    let (base, contacts) = (server.address(), contacts.url());
    format!(
        r#"
id = "acme"
[wecom]
corp_id = "{corp_id}"
contact_secret = "{CONTACT}"
api_base = "{contacts}"
[jiandaoyun]
api_key = "{KEY}"
api_base = "http://{base}"
mapping = "hires.json"
every_seconds = {EVERY_SECONDS}
overlap_seconds = {OVERLAP_SECONDS}
[[destinations]]
id = "hires"
kind = "wecom-members"
"#
    )
}
