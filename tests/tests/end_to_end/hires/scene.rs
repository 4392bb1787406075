//! A company in WeCom with a form in Jiandaoyun in which new hires are entered.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use platform_sim::{
    Api, ApiOptions, ApiServer, Callback, Company, Member, Oa, ROOT, Snapshot,
    api::{Era, Limits},
    fold,
    jiandaoyun::{
        self, Clock, FlowState, FormId, Forms, FormsOptions, Interface, Push, PushOptions, PushOutcome,
        samples::{Flaw, Hire, HireOptions, contract_form, hires},
    },
};
use serde_json::{Value, json};
use tests::{Bridge, Deployment, HiresSetup, Setup};
use tokio::time::{Instant, sleep};

use crate::agreement::{company, now_seconds, oa};

/// How long may pass without anybody being created, where somebody is to be.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);

/// Name, number, departments and position of somebody.
type Person = (String, String, BTreeSet<String>, String);

/// See the module.
pub(super) struct Scene {
    pub(super) wecom: Api,
    pub(super) oa: Oa,
    forms: jiandaoyun::Api,
    form: FormId,
    hires: Vec<Hire>,
    /// The record of each hire that was entered, by its number.
    records: BTreeMap<usize, String>,
    /// Ids of the departments that are to come.
    later: Vec<u64>,
    callbacks: Vec<Callback>,
    wecom_server: ApiServer,
    forms_server: jiandaoyun::Server,
}

impl Scene {
    /// So many are going to be hired, some of them in departments that are not there yet.
    pub(super) fn new(seed: u64, count: usize, departments: usize, later: usize) -> Self {
        let mut company = company(seed);
        let (mut ids, mut callbacks) = (Vec::new(), Vec::new());
        for number in 0..departments {
            let (id, told) = company.create_department(&format!("部门{number}"), ROOT).unwrap();
            ids.push(id.parse::<u64>().unwrap());
            callbacks.extend(told);
        }
        // The platform counts up.
        let next = ids.iter().max().unwrap() + 1;
        let later: Vec<u64> = (next..).take(later).collect();
        let options = HireOptions {
            seed,
            count,
            departments: ids,
            later: later.clone(),
            flaw_share: 0.02,
            ..HireOptions::default()
        };
        let (wecom, wecom_server) = serve(company);
        let (forms, forms_server, form) = serve_form(seed);
        Self {
            wecom,
            oa: oa(),
            forms,
            form,
            hires: hires(&options),
            records: BTreeMap::new(),
            later,
            callbacks,
            wecom_server,
            forms_server,
        }
    }

    /// With so many seconds between two polls.
    pub(super) fn setup(&self, deployment: Deployment, every_seconds: u64) -> Setup {
        let hires = HiresSetup {
            platform: format!("http://{}", self.forms_server.address()),
            mapping: mapping(&self.form, (self.hires.len() / 8).clamp(5, 100)),
            section: format!("every_seconds = {every_seconds}\noverlap_seconds = 10\nstart = \"2020-01-01T00:00:00Z\""),
        };
        Setup {
            deployment,
            platform: Some(self.wecom_server.url()),
            oa: Some(self.oa.url()),
            hires: Some(hires),
            ..Setup::default()
        }
    }

    /// What WeCom is to tell.
    pub(super) fn take_callbacks(&mut self) -> Vec<Callback> {
        std::mem::take(&mut self.callbacks)
    }

    /// Those departments are made that hires wait for.
    pub(super) fn departments_appear(&mut self) {
        let mut company = self.wecom.company();
        let now = now_seconds().max(company.now_seconds());
        company.set_now_seconds(now);
        for id in &self.later {
            let (made, callbacks) = company.create_department(&format!("新部门{id}"), ROOT).unwrap();
            assert_eq!(made, id.to_string(), "the platform counts up");
            self.callbacks.extend(callbacks);
        }
    }

    /// These hires are entered and approved.
    pub(super) fn enter(&mut self, which: impl Fn(usize, &Hire) -> bool) {
        let mut forms = self.forms.forms();
        for (number, hire) in self.hires.iter().enumerate().filter(|(number, hire)| which(*number, hire)) {
            let record = forms.submit(&self.form, hire.values.clone()).unwrap();
            forms.step(&self.form, &record, FlowState::Approved).unwrap();
            self.records.insert(number, record);
        }
    }

    /// The next hire with whom nothing is wrong is entered and approved. Returns the folded id.
    pub(super) fn enter_next(&mut self) -> String {
        let is_next = |(number, hire): &(usize, &Hire)| hire.flaw.is_none() && !self.records.contains_key(number);
        let (next, hire) = self.hires.iter().enumerate().find(is_next).expect("one more");
        let id = fold(&hire.userid);
        self.enter(|number, _| number == next);
        id
    }

    /// The form's pushes to the bridge.
    pub(super) fn pushing_to(&self, bridge: &Bridge) -> Push {
        let (url, secret) = (bridge.jiandaoyun_callback_url(), HiresSetup::PUSH_SECRET);
        Push::new(&url, secret, PushOptions::default(), by_the_wall()).unwrap()
    }

    /// Pushes what people did.
    pub(super) async fn push(&self, push: &Push) {
        let events = self.forms.take_events();
        let sent = push.send_all(&events, &jiandaoyun::Script::default()).await;
        let is_taken = |sent: &jiandaoyun::Sent| sent.outcome == PushOutcome::Delivered;
        assert!(!sent.is_empty() && sent.iter().all(is_taken), "{:?}", push.reports());
    }

    /// How many pages of records the platform told.
    pub(super) fn pages(&self) -> u64 {
        self.forms.tally(Interface::DataList).good
    }

    /// Whether a hire waits for a department that is to come.
    pub(super) fn waits(&self, hire: &Hire) -> bool {
        hire.departments.iter().any(|department| self.later.contains(department))
    }

    /// The folded ids of hires with whom nothing is wrong.
    pub(super) fn sound(&self, which: impl Fn(&Hire) -> bool) -> BTreeSet<String> {
        let sound = self.hires.iter().filter(|hire| hire.flaw.is_none() && which(hire));
        sound.map(|hire| fold(&hire.userid)).collect()
    }

    /// The same as they were entered, by folded id.
    pub(super) fn entered(&self) -> BTreeMap<String, Person> {
        let person = |hire: &Hire| {
            let departments = hire.departments.iter().map(ToString::to_string).collect();
            (hire.name.clone(), hire.mobile.clone(), departments, hire.position.clone())
        };
        let sound = self.hires.iter().filter(|hire| hire.flaw.is_none());
        sound.map(|hire| (fold(&hire.userid), person(hire))).collect()
    }

    /// The records of those with whom something is wrong, and what.
    pub(super) fn flawed(&self) -> BTreeMap<String, Flaw> {
        let flawed =
            self.records.iter().filter_map(|(number, record)| Some((record.clone(), self.hires[*number].flaw?)));
        flawed.collect()
    }

    /// The ids of the requests that these records are.
    pub(super) fn records_of(&self, flawed: &BTreeMap<String, Flaw>) -> Vec<String> {
        flawed.keys().map(|record| format!("{}/{record}", self.form)).collect()
    }

    pub(super) fn truth(&self) -> Snapshot {
        self.wecom.company().snapshot()
    }

    /// Waits until so many were created; however long that takes, as long as it goes on.
    pub(super) async fn created_at_least(&self, enough: usize) {
        let (mut created, mut since) = (self.wecom.created().len(), Instant::now());
        while created < enough {
            sleep(Duration::from_millis(20)).await;
            let now = self.wecom.created().len();
            if now > created {
                (created, since) = (now, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "{created} of {enough} were created, and then nobody any more");
        }
    }
}

/// The members of a company, by folded id.
pub(super) fn people(company: &Snapshot) -> BTreeMap<String, Person> {
    let person = |member: &Member| {
        let departments = member.departments.iter().cloned().collect();
        (member.name.clone(), member.mobile.clone(), departments, member.title.clone())
    };
    company.members.iter().map(|(id, member)| (id.clone(), person(member))).collect()
}

/// Whether a hire has the id or number of an earlier one.
pub(super) const fn is_double(hire: &Hire) -> bool {
    matches!(hire.flaw, Some(Flaw::SameUserid(_) | Flaw::SameMobile(_)))
}

/// The records of which nothing comes, each with the field that is to blame, as a person sees them.
pub(super) fn listed(bridge: &Bridge) -> BTreeMap<String, String> {
    let told: Vec<Value> =
        serde_json::from_str(&bridge.command(&["mapping", "list", "--tenant", "acme", "--json"])).unwrap();
    let given_up = told.iter().filter(|one| one["state"] == "refused" || one["state"] == "failed");
    let listed = given_up.map(|one| {
        let reason = &one["reasons"][0];
        assert!(!reason["reason"].as_str().unwrap().is_empty(), "{one}");
        (one["record"].as_str().unwrap().to_owned(), reason["field"].as_str().unwrap().to_owned())
    });
    listed.collect()
}

/// The entities of all dead letters, sorted.
pub(super) fn dead(bridge: &Bridge) -> Vec<String> {
    let told: Vec<Value> = serde_json::from_str(&bridge.command(&["dead", "list", "--json"])).unwrap();
    let mut dead: Vec<String> = told.iter().map(|letter| letter["entity"].as_str().unwrap().to_owned()).collect();
    dead.sort();
    dead
}

/// The company on a socket; its app shows numbers, by which people are known.
fn serve(company: Company) -> (Api, ApiServer) {
    let secrets = Bridge::credentials();
    let mut options = ApiOptions::new(secrets.contact_secret, secrets.app_secret);
    options.limits = Limits::none();
    options.apps.iter_mut().for_each(|app| app.era = Era::Old);
    let api = Api::new(Arc::new(Mutex::new(company)), options, Arc::new(|| now_seconds() * 1000));
    let server = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    (api, server)
}

fn serve_form(seed: u64) -> (jiandaoyun::Api, jiandaoyun::Server, FormId) {
    let clock = by_the_wall();
    let mut forms = Forms::new(FormsOptions { seed, ..FormsOptions::default() }, clock.clone());
    let new = contract_form();
    let form = new.id.clone();
    forms.add_form(new).unwrap();
    let options = jiandaoyun::ApiOptions { seed, ..jiandaoyun::ApiOptions::new(HiresSetup::API_KEY) };
    let api = jiandaoyun::Api::new(Arc::new(Mutex::new(forms)), options, clock);
    let server = jiandaoyun::Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), api.clone()).unwrap();
    (api, server, form)
}

fn by_the_wall() -> Clock {
    Clock::following(Arc::new(|| now_seconds() * 1000))
}

/// That of the contract, with so many records on a page that there are several.
fn mapping(form: &FormId, page: usize) -> String {
    let field = |field: &str, value: &str| json!({ "field": field, "type": "string", "value": value });
    let mut mobile = field("mobile", "{_widget_1002}");
    mobile["check"] = json!(["mobile"]);
    mobile["on_invalid"] = json!("skip");
    let filter = json!({
        "rel": "and",
        "cond_1": { "field": "updateTime", "type": "datetime", "method": "range", "value": "{{LAST_SYNC_TIME|datetime}}" },
        "cond_2": { "field": "flowState", "type": "flowState", "method": "eq", "value": "1" },
    });
    let request = [
        field("userid", "{_widget_1005}"),
        field("name", "{_widget_1001}"),
        mobile,
        field("department", "{_widget_1003}"),
        field("position", "{_widget_1004}"),
        field("to_invite", "true"),
    ];
    let source = json!({ "appId": form.app, "entryId": form.entry, "limit": page.to_string(), "filter": filter });
    json!({ "source": source, "api": "/cgi-bin/user/create", "idCheck": true, "request": request }).to_string()
}
