//! The doctor beside a simulated DingTalk.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    sync::{Arc, Mutex},
};

use common::{Clock as _, EntityKind, Field, Fields, Platform, attendance};
use database::Connection;
use platform_sim::dingtalk::{
    Clock, Company, CompanyOptions, FailedList, FailedOptions, Matter, NewMember, PushMeter, Server, ServerParts,
    Stream, StreamOptions, Verdict,
    api::{Api, ApiOptions, App, Interface},
    time,
};
use serde_json::Value;
use service::SystemClock;
use store::quota::{self, Kind};

use super::tenant;
use crate::{
    bench::{Bench, eventually},
    letters::{Letters, acme},
};

const CLIENT: &str = "app1";
const MEMBER: &str = "user0001";
const LEAVE: &str = "年假";

/// A tenant, and the DingTalk that it is at.
struct Scene {
    letters: Letters,
    company: Arc<Mutex<Company>>,
    api: Api,
    stream: Stream,
    _server: Server,
}

impl Scene {
    fn new(more: &str) -> Self {
        let now_ms = || SystemClock.now().0;
        let start_ms = now_ms() - time::DAY_MS;
        let mut company = Company::new(CompanyOptions { start_ms, ..CompanyOptions::default() });
        company.hire(NewMember { userid: Some(MEMBER.into()), ..NewMember::in_departments(&[1]) }).unwrap();
        let (company, clock) = (Arc::new(Mutex::new(company)), Clock::following(Arc::new(now_ms)));
        let failed = FailedList::new(FailedOptions::default());
        let options = StreamOptions::of_app(CLIENT, "canary-secret");
        let stream = Stream::new(options, clock.clone(), failed.clone(), PushMeter::default()).unwrap();
        let api = Api::new(Arc::clone(&company), failed, ApiOptions::new(CLIENT, "canary-secret"), clock);
        let parts = ServerParts { streams: vec![stream.clone()], api: Some(Arc::new(api.clone())) };
        let server = Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), parts).unwrap();
        let bench = Bench::new();
        bench.write(
            "orgbridge.toml",
            "[callback_gateway]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
             [synchronizer]\nallowed_networks = [\"127.0.0.0/8\"]\n",
        );
        let url = server.url();
        let more = format!("api_base = \"{url}\"\noapi_base = \"{url}\"\n{more}");
        let letters = Letters::of(bench, &tenant("acme", CLIENT, &more));
        Self { letters, company, api, stream, _server: server }
    }

    /// What the doctor finds: the check, the outcome, and what he tells.
    fn findings(&self) -> Vec<(String, String, String)> {
        let ended = self.letters.bench.run(&["tenant", "doctor", "acme", "--json"]);
        assert!(!ended.out.contains("canary") && ended.err.is_empty(), "{}{}", ended.out, ended.err);
        let told: Value = serde_json::from_str(&ended.out).unwrap();
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let finding = |one: &Value| (text(one, "check"), text(one, "outcome"), text(one, "told"));
        let found: Vec<_> = told.as_array().unwrap().iter().map(finding).collect();
        let must = found.iter().any(|(_, outcome, _)| outcome == "must");
        assert_eq!(ended.code, i32::from(must), "{}", ended.out);
        found
    }

    /// The only finding of a check: the outcome, and what is told.
    fn finding(&self, check: &str) -> (String, String) {
        let all = self.findings();
        let mut found = all.iter().filter(|(of, ..)| of == check);
        let (_, outcome, told) = found.next().unwrap_or_else(|| panic!("no {check}: {all:?}"));
        assert!(found.next().is_none(), "{all:?}");
        (outcome.clone(), told.clone())
    }

    fn app(&self, change: impl FnOnce(&mut App)) {
        self.api.configure(|options| change(options.app_mut(CLIENT).unwrap()));
    }

    /// Somebody takes a day of leave, and the mirror has it.
    async fn leave(&self) {
        // Each step takes a second there, and none may be in the future.
        let now_ms = SystemClock.now().0 - 60_000;
        let date = time::date(now_ms);
        let midnight_ms = time::midnight(&date).unwrap();
        {
            let mut company = self.company.lock().unwrap();
            company.set_now_ms(now_ms);
            let (begin_ms, end_ms) = (midnight_ms, midnight_ms + time::DAY_MS);
            let matter = Matter::Leave { leave_type: LEAVE.into(), begin_ms, end_ms };
            let (id, _) = company.start_approval(MEMBER, matter).unwrap();
            company.decide(&id, Verdict::Agree).unwrap();
        }
        let member = Fields::new().with(Field::Name, "张三").with(Field::Departments, ["1"].as_slice());
        self.letters.let_happen(EntityKind::Member, MEMBER, member).await;
        let record = Fields::new()
            .with(Field::Member, MEMBER)
            .with(Field::WorkDate, date.as_str())
            .with(Field::RecordKind, "leave")
            .with(Field::Details, format!("{{\"sub_type\":\"{LEAVE}\"}}"));
        let id = attendance::record_id(MEMBER, &date, "leave", "P-1");
        self.letters.let_happen(EntityKind::Attendance, &id, record).await;
    }
}

fn set_column(company: &mut Company, has_column: bool) {
    let types = company.leave_types_mut().iter_mut();
    types.filter(|leave| leave.name == LEAVE).for_each(|leave| leave.has_column = has_column);
}

#[test]
fn where_all_is_well_nothing_must_be_done() {
    let found = Scene::new("").findings();
    let outcomes: Vec<(&str, &str)> =
        found.iter().map(|(check, outcome, _)| (check.as_str(), outcome.as_str())).collect();
    // No gateway runs here, and no event came yet.
    let expected = [
        ("stream", "advice"),
        ("client_secret", "fine"),
        ("approvals", "fine"),
        ("events", "advice"),
        ("quota", "fine"),
        ("quota", "fine"),
    ];
    assert_eq!(outcomes, expected, "{found:?}");
}

#[test]
fn a_gateway_here_is_asked_for_its_connections_and_its_callback() {
    let keys = "callback_token = \"canaryToken\"\ncallback_aes_key = \"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\"\n";
    let scene = Scene::new(keys);
    assert_eq!(scene.finding("callback").0, "advice", "nobody answers");
    let serving = scene.letters.bench.serve();
    eventually("a connection is open", || !scene.stream.live().is_empty());
    eventually("the gateway answers", || scene.finding("callback").0 == "fine");
    let (outcome, told) = scene.finding("stream");
    assert!(outcome == "fine" && told.contains(" 1 connections"), "{told}");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_wrong_secret_an_address_that_is_not_trusted_and_a_narrow_scope_are_told_with_what_to_click() {
    let scene = Scene::new("");
    scene.app(|app| app.client_secret = "another".into());
    let (outcome, told) = scene.finding("client_secret");
    assert!(outcome == "must" && told.contains("do not belong together"), "{told}");

    scene.app(|app| {
        app.client_secret = "canary-secret".into();
        app.trusted = Some(BTreeSet::new());
    });
    let (outcome, told) = scene.finding("client_secret");
    assert!(outcome == "must" && told.contains("127.0.0.1"), "{told}");

    scene.app(|app| {
        app.trusted = None;
        app.lacks = BTreeSet::from([Interface::Approval]);
    });
    let (outcome, told) = scene.finding("approvals");
    assert!(outcome == "must" && told.contains("permissions"), "{told}");
}

#[tokio::test]
async fn a_kind_of_leave_without_a_column_in_the_report_is_named() {
    let scene = Scene::new("");
    scene.leave().await;
    assert_eq!(scene.finding("attendance").0, "fine");
    assert_eq!(scene.finding("leave_columns").0, "fine");
    set_column(&mut scene.company.lock().unwrap(), false);
    let (outcome, told) = scene.finding("leave_columns");
    assert!(outcome == "advice" && told.contains(LEAVE), "{told}");
    set_column(&mut scene.company.lock().unwrap(), true);
    scene.api.configure(|options| options.report = false);
    let (outcome, told) = scene.finding("leave_columns");
    assert!(outcome == "advice" && told.contains("not switched on"), "{told}");
}

#[tokio::test]
async fn what_the_doctor_calls_counts_and_he_calls_nothing_when_the_quota_is_used_up() {
    let scene = Scene::new("monthly_api_quota = 100\n");
    let month = time::month(SystemClock.now().0);
    scene.findings();
    let used = scene.api.used(&month);
    assert!(used > 0);
    let this = month.clone();
    let read = move |conn: &mut Connection| quota::used(conn, &acme(), Platform::Dingtalk, Kind::Api, &this);
    let counted = scene.letters.database.read("test.quota", read).await.unwrap();
    assert_eq!(counted, used);

    let this = month.clone();
    let spend = move |conn: &mut Connection| quota::add(conn, &acme(), Platform::Dingtalk, Kind::Api, &this, 100);
    scene.letters.database.write("test.quota", spend).await.unwrap();
    let found = scene.findings();
    let spent = found.iter().filter(|(check, outcome, _)| check == "quota" && outcome == "must");
    assert_eq!(spent.count(), 1, "{found:?}");
    assert_eq!(scene.api.used(&month), used);
}
