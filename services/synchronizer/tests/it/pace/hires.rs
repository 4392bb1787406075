//! Forms are read and answered, and members created, as often as the two platforms allow, and never more often.

use std::{
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{Action, Change, Clock as _, Entity, EntityKey, EntityKind, Secret, UnixMillis, onboarding};
use database::{Database, Options};
use destinations::{Members, OnConflict, Wrote, wecom_members::WecomMembers};
use jiandaoyun::{Form, api as forms_api};
use outbound::{Governor, Guard};
use platform_sim::{
    self as sim, api as contacts,
    jiandaoyun::{
        self as form_sim, FormsOptions,
        samples::{self, STATUS},
    },
};
use serde_json::{Value, json};
use service::StoreGovernor;
use tokio::task::JoinHandle;

use super::time::Time;
use crate::scene::company;

const KEY: &str = "key";
const START: UnixMillis = UnixMillis(1_767_225_600_000);
const FORM: &str = "64a0aa/64a0bb";

/// Calls that Jiandaoyun allows within a second (reference jiandaoyun 2).
const READS_A_SECOND: f64 = 30.0;
const WRITES_A_SECOND: f64 = 20.0;
/// Half a minute of each.
const RECORDS: usize = 900;
const ANSWERED: usize = 600;

/// Calls of one interface that WeCom allows within a minute (reference wecom 5.1).
const CREATIONS_A_MINUTE: f64 = 10_000.0;
/// More than a minute's.
const MEMBERS: usize = 10_400;
/// So many are created at once.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn a_form_is_read_and_answered_at_nine_tenths_of_what_is_allowed_unthrottled() {
    let time = Time::at(START);
    let clock = Arc::clone(&time);
    let clock = form_sim::Clock::following(Arc::new(move || clock.now().0));
    let mut forms = form_sim::Forms::new(FormsOptions::default(), clock.clone());
    let new = samples::contract_form();
    let form = Form::new(&new.id.app, &new.id.entry).unwrap();
    let id = new.id.clone();
    forms.add_form(new).unwrap();
    let records = (0..RECORDS).map(|number| json!({ "_widget_1005": format!("u{number}") })).collect();
    let entered = forms.import(&id, records).unwrap();
    // With the documented limits.
    let api = form_sim::Api::new(Arc::new(Mutex::new(forms)), form_sim::ApiOptions::new(KEY), clock);
    let server = form_sim::Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), api.clone()).unwrap();
    let settings = forms_api::Settings {
        api_key: Secret::new(KEY),
        api_base: format!("http://{}", server.address()),
        rate: forms_api::Rate::Full,
    };
    let ours: Arc<dyn common::Clock> = time.clone();
    let client = forms_api::Client::new(settings, http(), governor(&time), ours, Arc::new(forms_api::Unobserved));

    let reading = tokio::spawn(read(client.clone(), form.clone()));
    let seen = passing(&time, vec![reading]).await.remove(0);
    assert_eq!(seen, entered, "none is missed, and none comes twice");
    let answering = tokio::spawn(answer(client, form, entered[..ANSWERED].to_vec()));
    passing(&time, vec![answering]).await;

    for (interface, count, allowed) in [
        (form_sim::Interface::DataList, RECORDS, READS_A_SECOND),
        (form_sim::Interface::DataUpdate, ANSWERED, WRITES_A_SECOND),
    ] {
        let calls: Vec<i64> =
            api.records().iter().filter(|call| call.interface == interface).map(|call| call.at_ms).collect();
        // Behind the last full page there may be an empty one.
        assert!((count..=count + 1).contains(&calls.len()), "{} calls", calls.len());
        at_nine_tenths(&calls, allowed / 1000.0);
    }
    assert_eq!(api.throttled(), 0);
}

#[tokio::test]
async fn members_are_created_at_nine_tenths_of_what_is_allowed_unthrottled() {
    let company = company();
    let corp_id = company.corp_id().to_owned();
    let time = Time::at(UnixMillis::from_seconds(company.now_seconds() + 120));
    let clock = Arc::clone(&time);
    let options = sim::ApiOptions::new("contact-secret", "app-secret");
    let api = sim::Api::new(Arc::new(Mutex::new(company)), options, Arc::new(move || clock.now().0));
    let server = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let settings = wecom::api::Settings {
        corp_id: corp_id.as_str().into(),
        contact_secret: Secret::new("contact-secret"),
        agent_secret: Secret::new("app-secret"),
        api_base: server.url(),
        egress: "".into(),
    };
    let ours: Arc<dyn common::Clock> = time.clone();
    let observer = Arc::new(wecom::api::Unobserved);
    let client = wecom::api::Client::new(settings, http(), governor(&time), ours, observer);

    let next = Arc::new(AtomicUsize::new(0));
    let creating = (0..AT_ONCE).map(|_| tokio::spawn(create(client.clone(), Arc::clone(&next))));
    let creating: Vec<JoinHandle<()>> = creating.collect();
    passing(&time, creating).await;

    assert_eq!(api.created().len(), MEMBERS, "each once");
    let calls: Vec<i64> = api
        .records()
        .iter()
        .filter(|call| call.interface == contacts::Interface::UserCreate)
        .map(|call| call.at_ms)
        .collect();
    assert_eq!(calls.len(), MEMBERS, "each at the first try");
    at_nine_tenths(&calls, CREATIONS_A_MINUTE / 60_000.0);
    assert_eq!(api.throttled(), 0);
}

/// Reads all of a form, one record at a time.
async fn read(client: forms_api::Client, form: Form) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    loop {
        let query = forms_api::Query { after: seen.last().map(String::as_str), limit: 1, ..forms_api::Query::ALL };
        let page = client.records_page(&form, &query).await.unwrap().value;
        seen.extend(page.records.into_iter().map(|record| record.id));
        if page.is_last {
            return seen;
        }
    }
}

/// Writes into each of these records that its member is there.
async fn answer(client: forms_api::Client, form: Form, records: Vec<String>) {
    let Value::Object(created) = json!({ STATUS: { "value": "created" } }) else { panic!("it is an object") };
    for record in records {
        client.update(&form, &record, &created).await.unwrap();
    }
}

/// Creates one member after the other, until there are enough.
async fn create(client: wecom::api::Client, next: Arc<AtomicUsize>) {
    let members = WecomMembers::new(client, OnConflict::Reject, false);
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= MEMBERS {
            return;
        }
        let wrote = members.write(&request(number), false).await;
        assert!(matches!(wrote, Wrote::There(_)), "{number}: {wrote:?}");
    }
}

fn request(number: usize) -> Change {
    let asked = json!({
        "userid": format!("hire{number}"), "name": "王小明", "mobile": format!("166{number:08}"), "department": [1],
    });
    let id = onboarding::request_id(FORM, &format!("{number:024x}"));
    let fields = onboarding::mapped(FORM, &asked.to_string(), vec!["1".to_owned()]);
    Change {
        tenant: "acme".parse().unwrap(),
        version: number as u64 + 1,
        entity: EntityKey::new(EntityKind::Onboarding, &id),
        action: Action::Upsert { entity: Entity { shown_id: id, fields, incomplete: false }, renamed_from: None },
        source_time: START,
        received_at: START,
        traceparent: None,
        refers_to: Vec::new(),
        leaves: Vec::new(),
        first: true,
        only_for: None,
    }
}

/// Lets time pass whenever somebody waits for a turn, until all of these are done.
async fn passing<T>(time: &Time, tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    time.pass_until(1, async || tasks.iter().all(JoinHandle::is_finished)).await;
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

/// Whether calls came at nine tenths of what is allowed, by how many are allowed in a millisecond.
fn at_nine_tenths(calls: &[i64], allowed: f64) {
    let millis = (calls.last().unwrap() - calls.first().unwrap()) as f64;
    let share = calls.len() as f64 / (allowed * millis);
    assert!((0.9..=1.0).contains(&share), "{share:.3} of what is allowed: {} calls in {millis} ms", calls.len());
}

fn governor(time: &Arc<Time>) -> Arc<dyn Governor> {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
    database.migrate(store::migrations()).unwrap();
    let (ours, sleeping) = (Arc::clone(time), Arc::clone(time));
    let governor = StoreGovernor::new(database, ours, "one".to_owned());
    Arc::new(governor.with_sleep(move |pause| Arc::clone(&sleeping).sleep(pause)))
}

fn http() -> outbound::Client {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    outbound::Client::new(guard, Duration::from_secs(15)).unwrap()
}
