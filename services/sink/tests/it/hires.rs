//! Members that are made of onboarding requests.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use broker::{ConsumeOptions, Delivery, Failure, Handler, Lane};
use common::{
    Change, EntityKey, EntityKind, Event, EventBody, Field, Fields, Hop, Platform, UnixMillis,
    onboarding::{self, Complaint},
};
use destinations::{BuildError, Destination, How, Members, Unavailable, Written, Wrote};
use service::{Tenant, tenant::DestinationFile};
use sink::Build;
use store::{
    deliveries, destinations as rows,
    form_records::{self, FormRecord, State},
};
use test_kit::{Stage, eventually};

use crate::support::{append, dead, destination, held_states, position, read, start_with, tenant, timing, upsert};

const TENANT: &str = r#"
id = "acme"
[wecom]
corp_id = "ww1"
contact_secret = "s"
[[destinations]]
id = "hires"
kind = "wecom-members"
"#;
const FORM: &str = "64a0aa/64a0bb";
/// So many changes are looked at together, and so many members may be written at once.
const BATCH: usize = 64;
const AT_ONCE: usize = 8;

#[derive(Default)]
struct Script {
    /// What comes of writing a record the next times; after that it makes a member.
    comes: BTreeMap<String, VecDeque<Wrote>>,
    /// It takes nobody.
    is_full: bool,
    /// It makes members and never says so.
    is_mute: bool,
    /// Each time a record was written: whether its member might have been there.
    calls: BTreeMap<String, Vec<bool>>,
    /// The records that made members.
    members: BTreeSet<String>,
    /// The records that are being written, and how many there were at the most.
    busy: BTreeSet<String>,
    busiest: usize,
    /// How often a record was written while it was being written.
    overlaps: usize,
}

/// A platform that people are created in; clones are the same one.
#[derive(Clone, Default)]
struct Company(Arc<Mutex<Script>>);

impl Company {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This comes of writing a record the next so many times.
    fn plan(&self, record: &str, wrote: &Wrote, times: usize) {
        let wrote = iter::repeat_n(wrote.clone(), times);
        self.script().comes.entry(record.to_owned()).or_default().extend(wrote);
    }

    fn calls(&self, record: &str) -> Vec<bool> {
        self.script().calls.get(record).cloned().unwrap_or_default()
    }

    /// What comes of writing a record, and whether anybody hears of it.
    fn take(&self, record: &str, may_be_there: bool) -> (Wrote, bool) {
        let mut script = self.script();
        script.calls.entry(record.to_owned()).or_default().push(may_be_there);
        if !script.busy.insert(record.to_owned()) {
            script.overlaps += 1;
        }
        script.busiest = script.busiest.max(script.busy.len());
        if script.is_full {
            let unavailable = Unavailable::new("the company is full");
            return (Wrote::Stopped { unavailable, needs_person: true }, true);
        }
        let planned = script.comes.get_mut(record).and_then(VecDeque::pop_front);
        let wrote = planned.unwrap_or_else(|| {
            let how = if script.members.insert(record.to_owned()) { How::Created } else { How::CreatedBefore };
            Wrote::There(Written {
                id: format!("U-{record}"),
                how,
                at: None,
                fields: Fields::new().with(Field::Name, record),
                made_departments: Vec::new(),
            })
        });
        (wrote, !script.is_mute)
    }
}

#[async_trait]
impl Members for Company {
    fn takes(&self, change: &Change) -> bool {
        change.entity.kind == EntityKind::Onboarding
    }

    async fn write(&self, change: &Change, may_be_there: bool) -> Wrote {
        let (_, record) = onboarding::split(&change.entity.id).unwrap();
        let (wrote, is_heard) = self.take(record, may_be_there);
        if !is_heard {
            std::future::pending::<()>().await;
        }
        // So long that others are begun meanwhile.
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.script().busy.remove(record);
        wrote
    }

    async fn probe(&self) -> Result<(), Unavailable> {
        Ok(())
    }
}

impl Build for Company {
    fn build(&self, _tenant: &Tenant, _file: &DestinationFile) -> Result<Destination, BuildError> {
        Ok(Destination::Members(Box::new(self.clone())))
    }
}

/// What was told of members, in its order; clones are the same.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    fn on(stage: &Stage) -> Self {
        let told = Self::default();
        let (broker, stop, handler) =
            (stage.context.broker.clone(), stage.context.stop.clone(), Arc::new(told.clone()));
        stage.context.spawn("who is told", async move {
            broker.consume(Hop::Events, &[Lane::shared()], ConsumeOptions::default(), handler, stop).await.unwrap();
        });
        told
    }

    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Of whom something was told, and what.
    fn members(&self) -> Vec<(String, &'static str)> {
        let of = |event: Event| match event.body {
            EventBody::Directory(seen) => (seen.id, seen.what.as_str()),
            EventBody::Callback(callback) => panic!("{}", callback.name),
        };
        self.events().into_iter().map(of).collect()
    }
}

#[async_trait]
impl Handler for Told {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        let events = batch.iter().map(|delivery| Event::from_cloud_event(&delivery.payload).unwrap());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
        Ok(())
    }

    async fn bury(&self, _: &Delivery) -> Result<(), Failure> {
        panic!("nothing poisons here")
    }
}

async fn begin() -> (Stage, Company, Told) {
    let stage = Stage::open().await;
    stage.apply(TENANT).await;
    let company = Company::default();
    start_with(&stage, &company, timing(), BATCH);
    let told = Told::on(&stage);
    (stage, company, told)
}

fn id(record: &str) -> String {
    onboarding::request_id(FORM, record)
}

fn request(record: &str) -> Change {
    upsert(EntityKey::new(EntityKind::Onboarding, &id(record)), &[], true)
}

/// The same record, told again.
fn request_again(record: &str) -> Change {
    Change { first: false, ..request(record) }
}

async fn passed(stage: &Stage, version: u64) {
    eventually("all is passed", async || position(stage, "hires").await, |position| *position == version).await;
}

async fn noted(stage: &Stage, record: &'static str) -> Option<FormRecord> {
    read(stage, move |conn| form_records::get_many(conn, &tenant(), FORM, &[record])).await.remove(record)
}

async fn is_noted_as(stage: &Stage, record: &'static str, state: State) {
    let look = async || {
        stage.clock.advance_seconds(1);
        noted(stage, record).await.map(|noted| noted.state)
    };
    eventually("it is noted", look, |seen| *seen == Some(state)).await;
}

/// What was answered to attempts, in any order.
async fn answers(stage: &Stage) -> BTreeSet<String> {
    let listed = read(stage, |conn| deliveries::list(conn, &tenant(), Some(&destination("hires")), 100)).await;
    listed.into_iter().filter_map(|listed| listed.attempt.answer).collect()
}

#[tokio::test]
async fn each_request_makes_a_member_that_is_told_and_noted() {
    let (stage, company, told) = begin().await;
    append(&stage, (0..20).map(|n| request(&format!("r{n}"))).collect()).await;
    passed(&stage, 20).await;
    let mut members = eventually("all are told", async || told.members(), |members| members.len() == 20).await;
    members.sort();
    members.dedup();
    assert_eq!(members.len(), 20);
    assert!(members.contains(&("U-r7".to_owned(), "created")), "{members:?}");
    for event in told.events() {
        let EventBody::Directory(seen) = &event.body else { panic!("{event:?}") };
        assert_eq!(
            (event.platform, seen.kind, seen.hint, seen.answer),
            (Platform::Wecom, EntityKind::Member, true, false)
        );
    }
    let record = noted(&stage, "r7").await.unwrap();
    assert_eq!((record.state, record.user_id.as_deref(), record.attempts), (State::Created, Some("U-r7"), 1));
    assert!(record.untold && record.reasons.is_none());
    assert_eq!(answers(&stage).await, BTreeSet::from(["created".to_owned()]));
    let busiest = company.script().busiest;
    assert!((2..=AT_ONCE).contains(&busiest), "{busiest}");
    stage.stop().await;
}

#[tokio::test]
async fn a_rejected_one_is_given_up_on_until_its_record_is_corrected() {
    let (stage, company, told) = begin().await;
    company.plan("r2", &Wrote::Rejected { field: "mobile", reason: "60104".into() }, 1);
    append(&stage, vec![request("r1"), request("r2"), request("r3")]).await;
    passed(&stage, 3).await;
    assert_eq!(dead(&stage).await, [(id("r2"), "rejected_by_destination")]);
    let record = noted(&stage, "r2").await.unwrap();
    let complaints = Complaint::list(&[Complaint::new("mobile", "60104")]);
    assert_eq!((record.state, record.reasons, record.untold), (State::Failed, Some(complaints), true));
    is_noted_as(&stage, "r3", State::Created).await;

    append(&stage, vec![request_again("r2")]).await;
    is_noted_as(&stage, "r2", State::Created).await;
    assert_eq!(company.calls("r2").last(), Some(&false), "who is there is not ours: that one was refused");
    assert!(dead(&stage).await.is_empty());
    assert!(held_states(&stage, "hires").await.is_empty());
    eventually("all are told", async || told.members().len(), |count| *count == 3).await;
    stage.stop().await;
}

#[tokio::test]
async fn a_record_that_made_a_member_makes_no_second_one() {
    let (stage, company, told) = begin().await;
    append(&stage, vec![request("r1")]).await;
    passed(&stage, 1).await;
    append(&stage, vec![request_again("r1"), request("r2")]).await;
    passed(&stage, 3).await;
    assert_eq!(company.calls("r1").len(), 1);
    assert!(answers(&stage).await.contains("a member was made of it before"));
    let expected = [("U-r1".to_owned(), "created"), ("U-r2".to_owned(), "created")];
    eventually("both are told", async || told.members(), |members| *members == expected).await;
    stage.stop().await;
}

#[tokio::test]
async fn two_requests_of_one_record_are_written_one_after_the_other() {
    let (stage, company, _) = begin().await;
    company.plan("r1", &Wrote::Rejected { field: "mobile", reason: "60104".into() }, 1);
    append(&stage, vec![request("r1"), request("r2"), request_again("r1"), request_again("r2")]).await;
    passed(&stage, 4).await;
    is_noted_as(&stage, "r1", State::Created).await;
    assert_eq!((company.calls("r1").len(), company.calls("r2").len(), company.script().overlaps), (2, 1, 0));
    assert!(dead(&stage).await.is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn while_nobody_is_taken_everything_stays_where_it_is() {
    let (stage, company, told) = begin().await;
    company.script().is_full = true;
    append(&stage, (0..4).map(|n| request(&format!("r{n}"))).collect()).await;
    let failing = async || {
        let row = read(&stage, |conn| rows::get(conn, &tenant(), &destination("hires"))).await.unwrap();
        row.last_error.map(|(reason, _)| reason)
    };
    eventually("it is noted", failing, |failing| failing.as_deref() == Some("the company is full")).await;
    stage.clock.advance_seconds(7 * 86_400);
    assert_eq!(position(&stage, "hires").await, 0);
    assert!(dead(&stage).await.is_empty() && held_states(&stage, "hires").await.is_empty());
    company.script().is_full = false;
    passed(&stage, 4).await;
    assert_eq!(company.script().members.len(), 4);
    assert!(dead(&stage).await.is_empty());
    eventually("all are told", async || told.members().len(), |count| *count == 4).await;
    eventually("it is over", failing, Option::is_none).await;
    stage.stop().await;
}

#[tokio::test]
async fn who_was_answered_before_a_stop_is_noted_and_who_met_it_is_tried_again() {
    let (stage, company, _) = begin().await;
    let unavailable = Unavailable::new("an address is not trusted");
    company.plan("r1", &Wrote::Stopped { unavailable, needs_person: true }, 1);
    append(&stage, vec![request("r1"), request("r2")]).await;
    for record in ["r1", "r2"] {
        is_noted_as(&stage, record, State::Created).await;
    }
    passed(&stage, 2).await;
    assert_eq!((company.calls("r1").len(), company.calls("r2").len()), (2, 1));
    assert!(dead(&stage).await.is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn what_was_not_answered_is_written_again_as_one_that_may_be_there() {
    let (stage, company, told) = begin().await;
    append(&stage, vec![request("r0")]).await;
    passed(&stage, 1).await;
    company.plan("r1", &Wrote::Unheard { reason: "timed out".into() }, 1);
    append(&stage, vec![request("r1"), request("r2")]).await;
    is_noted_as(&stage, "r1", State::Created).await;
    assert_eq!((company.calls("r1"), company.calls("r2")), (vec![false, true], vec![false]));
    assert_eq!(noted(&stage, "r1").await.map(|record| record.attempts), Some(2));
    // Nobody is answered: it is tried where it is, then held.
    company.plan("r3", &Wrote::Unheard { reason: "timed out".into() }, 5);
    append(&stage, vec![request("r3")]).await;
    is_noted_as(&stage, "r3", State::Created).await;
    assert_eq!(company.calls("r3"), [false, true, true, true, true, true]);
    eventually("all are told", async || told.members().len(), |count| *count == 4).await;
    assert!(held_states(&stage, "hires").await.is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn whose_department_never_comes_is_given_up_on() {
    let (stage, company, _) = begin().await;
    company.plan("r1", &Wrote::Missing { reason: "60003".into() }, 1000);
    append(&stage, vec![request("r1"), request("r2")]).await;
    passed(&stage, 2).await;
    assert_eq!(held_states(&stage, "hires").await, BTreeMap::from([(format!("onboarding {}", id("r1")), "held")]));
    stage.clock.advance_seconds(3000);
    eventually("it is tried", async || company.calls("r1").len(), |calls| *calls > 1).await;
    assert!(dead(&stage).await.is_empty());
    stage.clock.advance_seconds(700);
    let expected = [(id("r1"), "retries_exhausted")];
    eventually("it is dead", async || dead(&stage).await, |dead| *dead == expected).await;
    let record = noted(&stage, "r1").await.unwrap();
    assert_eq!(record.state, State::Failed);
    let complaints = Complaint::list(&[Complaint::new("", "what it refers to is not at the destination")]);
    assert_eq!(record.reasons, Some(complaints));
    assert!(record.attempts > 1);
    stage.stop().await;
}

#[test]
fn what_was_in_hand_at_a_crash_may_be_there_and_is_told() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let company = Company::default();
    company.script().is_mute = true;
    let (first, second) = (runtime(), runtime());
    let stage = first.block_on(async {
        let stage = Stage::open().await;
        stage.apply(TENANT).await;
        start_with(&stage, &company, timing(), BATCH);
        append(&stage, vec![request("r1"), request("r2")]).await;
        eventually("both are there", async || company.script().members.len(), |there| *there == 2).await;
        stage
    });
    first.shutdown_background();
    second.block_on(async {
        let stage = stage.reopen().await;
        company.script().is_mute = false;
        company.script().busy.clear();
        start_with(&stage, &company, timing(), BATCH);
        let told = Told::on(&stage);
        passed(&stage, 2).await;
        let expected = [("U-r1".to_owned(), "created"), ("U-r2".to_owned(), "created")];
        eventually("both are told", async || told.members(), |members| *members == expected).await;
        for record in ["r1", "r2"] {
            assert_eq!(company.calls(record).last(), Some(&true));
            assert_eq!(noted(&stage, record).await.map(|noted| noted.state), Some(State::Created));
        }
        assert_eq!(answers(&stage).await, BTreeSet::from(["created before".to_owned()]));
        stage.stop().await;
    });
}

#[tokio::test]
async fn what_was_told_twice_is_told_as_one() {
    // The same member with the same time, as after a crash between telling and noting.
    let (stage, company, told) = begin().await;
    let at = Some(UnixMillis::from_seconds(1_767_225_600));
    let fields = Fields::new().with(Field::Name, "r1");
    let there = |how| {
        Wrote::There(Written { id: "U-r1".into(), how, at, fields: fields.clone(), made_departments: Vec::new() })
    };
    company.plan("r1", &there(How::Created), 1);
    company.plan("r2", &there(How::CreatedBefore), 1);
    append(&stage, vec![request("r1"), request("r2")]).await;
    let events = eventually("both are told", async || told.events(), |events| events.len() == 2).await;
    assert_eq!(events[0].keys.content, events[1].keys.content);
    stage.stop().await;
}
