//! How often the platform is asked: as often as it allows, by all replicas together, and never more often.

mod hires;
mod time;

use std::{
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::Lane;
use common::{
    Clock, EntityKind, Event, EventBody, EventKeys, Field, Fields, Hop, Observation, Platform, TenantId, UnixMillis,
    What,
};
use database::{Connection, Database, Options};
use outbound::Guard;
use platform_sim::{
    Api, ApiOptions, ApiServer, Company, Member,
    api::{About, Interface, Outcome, Record},
};
use resolver::{Rules, Turn};
use service::{Context, Parts, StoreGovernor, TenantFile};
use store::{
    Sealer,
    runs::{self, Wanted, Wish},
    snapshots,
};
use synchronizer::{Synchronizer, Timing};
use test_kit::{Stage, eventually};
use tokio::task::JoinHandle;

use self::time::Time;
use crate::scene::company;

/// Calls of one interface that WeCom allows a company within a minute, wherever that begins (reference wecom 5.1).
const ALLOWED: usize = 10_000;
const MINUTE_MILLIS: f64 = 60_000.0;
/// Enough for two minutes: each of two replicas may do a good deal less or more than half of what is allowed.
const DEPARTMENTS: usize = 7_000;
/// When the pulls are looked at: more than a minute's calls were made.
const CALLS: u64 = 10_600;
/// Replicas, with the tenant that each pulls.
const REPLICAS: [(&str, &str); 2] = [("one", "acme"), ("two", "beta")];
/// After so many calls somebody waits for an answer about members of a department. A pull goes through departments in the order of
/// their ids as texts, so these are its last ones.
const QUESTIONS: [(u64, &str); 3] = [(1_000, "997"), (5_000, "998"), (9_000, "999")];
/// Those that are asked about. Of two of one department the whole department is asked for, as a pull does it.
const ASKED_ABOUT: [&str; 2] = ["first", "second"];

#[tokio::test]
async fn two_synchronizers_pull_at_nine_tenths_of_what_is_allowed_unthrottled_and_whoever_waits_goes_first() {
    let mut company = company();
    company.populate(100, DEPARTMENTS, 4);
    for (_, department) in QUESTIONS {
        for who in ASKED_ABOUT {
            let departments = vec![department.to_owned()];
            let (id, main_department) = (id_of(who, department), Some(department.to_owned()));
            let member = Member { name: id.clone(), id, departments, main_department, ..Member::default() };
            company.create_member(member).unwrap();
        }
    }
    let pair = Pair::over(company).await;
    for (calls, department) in QUESTIONS {
        pair.pull_until(calls).await;
        pair.ask_about(department).await;
    }
    pair.pull_until(CALLS).await;

    let calls: Vec<i64> = pair.calls().iter().map(|call| call.at_ms).collect();
    let millis = (calls.last().unwrap() - calls.first().unwrap()) as f64;
    let share = calls.len() as f64 / (ALLOWED as f64 * millis / MINUTE_MILLIS);
    assert!(share >= 0.9, "{share:.3} of what is allowed: {} calls in {millis} ms", calls.len());
    let most = pair.api.tally(Interface::UserList).highest_per_minute;
    assert!((ALLOWED * 9 / 10..=ALLOWED).contains(&most), "{most} calls within a minute");
    assert_eq!(pair.api.throttled(), 0);
    pair.end().await;
}

/// Two synchronizers over one store, each with a lane of its own and a tenant in it. Both tenants are of one company, so that both
/// replicas pull at once and out of one allowance.
struct Pair {
    time: Arc<Time>,
    api: Api,
    _server: ApiServer,
    /// Queue and stop.
    stage: Stage,
    replicas: Vec<Context>,
    running: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Pair {
    /// Both tenants are pulled from now on, but no time passes.
    async fn over(company: Company) -> Self {
        let time = Time::at(UnixMillis::from_seconds(company.now_seconds() + 120));
        let corp_id = company.corp_id().to_owned();
        let clock = Arc::clone(&time);
        let options = ApiOptions::new("contact-secret", "app-secret");
        let api = Api::new(Arc::new(Mutex::new(company)), options, Arc::new(move || clock.now().0));
        let server = api.listen(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();

        let stage = Stage::open().await;
        let database = Database::open(&Options::new("sqlite::memory:")).unwrap();
        database.migrate(store::migrations()).unwrap();
        let sealer = Sealer::new(&Sealer::new_master_key()).unwrap();
        for (lane, tenant) in REPLICAS {
            let file = TenantFile::parse(&file(tenant, lane, &corp_id, &server.url()), Path::new(".")).unwrap();
            service::tenants::apply(&database, &sealer, &file, time.now()).await.unwrap();
            let (tenant, now) = (file.id, time.now());
            let ask = move |conn: &mut Connection| {
                runs::request(conn, &tenant, Wish { wanted: Wanted::Plan, key: None }, now)
            };
            database.write("test", ask).await.unwrap().expect("a run");
        }
        let mut pair = Self { time, api, _server: server, stage, replicas: Vec::new(), running: Vec::new() };
        for (name, _) in REPLICAS {
            pair.start(name, &database, &sealer).await;
        }
        pair
    }

    async fn start(&mut self, name: &str, database: &Database, sealer: &Sealer) {
        let parts = Parts {
            database: database.clone(),
            broker: Arc::clone(&self.stage.context.broker),
            clock: self.time.clone(),
            sealer: sealer.clone(),
            stop: self.stage.context.stop.clone(),
            instance: name.to_owned(),
            needs_database: true,
        };
        let context = Context::assemble(parts).await.unwrap();
        let time = Arc::clone(&self.time);
        let governor = StoreGovernor::new(database.clone(), self.time.clone(), name.to_owned())
            .with_sleep(move |pause| Arc::clone(&time).sleep(pause));
        let timing = Timing {
            walk_every: Duration::from_secs(3600),
            look_every: Duration::from_millis(20),
            runs_every: Duration::from_millis(50),
            // Whoever waits is one who waits for his turn.
            departments: 1,
            ..Timing::default()
        };
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let http = outbound::Client::new(guard, timing.request_timeout).unwrap();
        let config = service::Config::default().synchronizer;
        let one = Synchronizer::new(config, vec![Lane::new(name)], context.clone(), http, Arc::new(governor));
        self.running.push(tokio::spawn(one.with_timing(timing).run()));
        self.replicas.push(context);
    }

    /// Time passes whenever both wait for their turns, until so many calls were made; and still there is more to pull.
    async fn pull_until(&self, calls: u64) {
        let made = async || self.api.tally(Interface::UserList).calls >= calls;
        self.time.pass_until(REPLICAS.len(), made).await;
        for (_, tenant) in REPLICAS {
            let at = self.read(move |conn| snapshots::get(conn, &tenant.parse().unwrap())).await.expect("a pull");
            assert_eq!(at.stage, snapshots::Stage::MemberDetails, "{tenant}");
        }
    }

    /// A hint about two members comes while both replicas wait for their turns. It is answered before either of them goes on.
    async fn ask_about(&self, department: &str) {
        self.time.stands_still(REPLICAS.len()).await;
        let (now, made, told) = (self.time.now(), self.calls().len(), self.told().await);
        let hints: Vec<Event> = ASKED_ABOUT.iter().map(|who| hint(&id_of(who, department), department, now)).collect();
        let rules = Rules { now, horizon: UnixMillis(0), tenants: self.replicas[0].tenants.snapshot() };
        let database = &self.replicas[0].database;
        database.write("test", move |conn| Turn::events(conn, &hints, &rules)).await.unwrap();

        eventually("the answers", async || self.told().await, |now| *now == told + ASKED_ABOUT.len() as u64).await;
        let calls = self.calls();
        assert_eq!(calls.len(), made + 1, "one call for both, and none of a pull");
        let call = &calls[made];
        let about = Some(About::department(department));
        assert_eq!((&call.about, call.outcome, call.at_ms), (&about, Outcome::Code(0), now.0), "at once");
    }

    /// The calls that list the members of a department.
    fn calls(&self) -> Vec<Record> {
        let mut calls = self.api.records();
        calls.retain(|call| call.interface == Interface::UserList);
        calls
    }

    /// How many answers were published.
    async fn told(&self) -> u64 {
        self.stage.context.broker.depth(Hop::Events).await.unwrap()
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
    ) -> T {
        self.replicas[0].database.read("test", work).await.unwrap()
    }

    /// Ends everything in good order: who waits for a turn gets it.
    async fn end(self) {
        self.stage.context.stop.cancel();
        let have_ended = async || {
            let are_tasks_over = self.replicas.iter().all(|replica| replica.tasks.is_empty());
            are_tasks_over && self.running.iter().all(JoinHandle::is_finished)
        };
        self.time.pass_until(1, have_ended).await;
        for running in self.running {
            running.await.unwrap().unwrap();
        }
        self.stage.stop().await;
    }
}

fn id_of(who: &str, department: &str) -> String {
    format!("{who}-of-{department}")
}

/// What a callback tells of a member that carries ids only. It was raised a while ago.
fn hint(id: &str, department: &str, now: UnixMillis) -> Event {
    let (_, tenant) = REPLICAS[0];
    let tenant: TenantId = tenant.parse().unwrap();
    let what = What::Updated { fields: Fields::new().with(Field::Departments, vec![department.to_owned()]) };
    let at = now.plus_seconds(-10);
    let seen = Observation { kind: EntityKind::Member, id: id.to_owned(), at, what, hint: true, answer: false };
    let content = EventKeys::content_hash("ww1", Some(&seen.key()), at, format!("{seen:?}").as_bytes());
    Event {
        id: content.clone(),
        tenant,
        platform: Platform::Wecom,
        received_at: now,
        keys: EventKeys { platform: None, content },
        traceparent: None,
        body: EventBody::Directory(seen),
    }
}

fn file(tenant: &str, lane: &str, corp_id: &str, api_base: &str) -> String {
    format!(
        r#"
id = "{tenant}"
lane = "{lane}"
[wecom]
corp_id = "{corp_id}"
contact_secret = "contact-secret"
agent_secret = "app-secret"
callback_token = "tok"
callback_aes_key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
api_base = "{api_base}"
"#
    )
}
