//! Replicas share a database in memory; time is tokio's, and passes when nobody has anything to do.

use std::{
    collections::VecDeque,
    sync::{Mutex, atomic::AtomicUsize},
};

use database::{Fault, Faults, Options};
use outbound::Limit;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::*;

const START: UnixMillis = UnixMillis(1_767_225_600_000);
const MINUTE: Duration = Duration::from_secs(60);
const FAST: &[Limit] = &[Limit { calls: 10_000, per: MINUTE }];
const SLOW: &[Limit] = &[Limit { calls: 60, per: MINUTE }];

/// A clock that goes with tokio's.
struct Ticking {
    began: Instant,
    skew_millis: i64,
}

impl Clock for Ticking {
    fn now(&self) -> UnixMillis {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        START.plus_millis(passed + self.skew_millis)
    }
}

fn tables() -> Database {
    let database = Database::open(&Options::new("sqlite::memory:")).unwrap().inline();
    database.migrate(store::migrations()).unwrap();
    database
}

/// A replica whose clock is ahead by so much. All replicas of a test are made at its beginning.
fn replica(database: &Database, name: &str, skew_millis: i64) -> Arc<StoreGovernor> {
    let clock = Arc::new(Ticking { began: Instant::now(), skew_millis });
    Arc::new(StoreGovernor::new(database.clone(), clock, name.to_owned()))
}

fn spend(limits: &'static [Limit]) -> Vec<Spend> {
    let of = Allowance { company: "ww0000000000000001".into(), interface: "user/get", egress: "".into() };
    vec![Spend { of, limits }]
}

/// Counts calls in a window that slides, and refuses those that are too many.
struct Platform {
    limit: Limit,
    counted: Mutex<VecDeque<Instant>>,
    answered: AtomicUsize,
    refused: AtomicUsize,
}

impl Platform {
    fn new(limits: &[Limit]) -> Arc<Self> {
        let (answered, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { limit: limits[0], counted: Mutex::default(), answered, refused })
    }

    fn call(&self) {
        let now = Instant::now();
        let mut counted = self.counted.lock().unwrap();
        while counted.front().is_some_and(|first| now.duration_since(*first) >= self.limit.per) {
            counted.pop_front();
        }
        if counted.len() < self.limit.calls as usize {
            counted.push_back(now);
            self.answered.fetch_add(1, Ordering::Relaxed);
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Somebody who pulls: as many calls one after the other as are left to do, until the platform refuses.
async fn pull(governor: Arc<StoreGovernor>, platform: Arc<Platform>, left: Arc<AtomicUsize>) {
    let one_less = |left: usize| left.checked_sub(1);
    while let Ok(left) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
        if governor.admit(&spend(FAST), Urgency::Backfill).await.is_err() {
            return;
        }
        // Each call takes another time to get there.
        sleep(Duration::from_millis((left % 200) as u64 * 7_919 % 200)).await;
        platform.call();
        sleep(Duration::from_millis(50)).await;
    }
}

/// `workers` in each of these replicas who share `calls` calls.
fn pulling(replicas: &[&Arc<StoreGovernor>], platform: &Arc<Platform>, workers: usize, calls: usize) -> JoinSet<()> {
    let left = Arc::new(AtomicUsize::new(calls));
    let mut pulling = JoinSet::new();
    for governor in replicas {
        for _ in 0..workers {
            pulling.spawn(pull(Arc::clone(governor), Arc::clone(platform), Arc::clone(&left)));
        }
    }
    pulling
}

#[tokio::test(start_paused = true)]
async fn two_replicas_pull_at_nine_tenths_of_the_limit_and_are_never_refused() {
    let database = tables();
    let (one, two) = (replica(&database, "one", 0), replica(&database, "two", 300));
    let platform = Platform::new(FAST);
    let began = Instant::now();
    pulling(&[&one, &two], &platform, 40, 20_000).join_all().await;
    let took = began.elapsed();
    assert_eq!((platform.answered(), platform.refused()), (20_000, 0));
    let allowed = MINUTE * 2;
    assert!(took.mul_f64(0.9) <= allowed, "{took:?} for what the platform allows in {allowed:?}");
}

#[tokio::test(start_paused = true)]
async fn live_questions_during_a_pull_go_at_once() {
    let database = tables();
    let (one, two) = (replica(&database, "one", 0), replica(&database, "two", 0));
    let platform = Platform::new(FAST);
    let mut pulling = pulling(&[&one, &two], &platform, 40, usize::MAX);
    for question in 0..500_u64 {
        sleep(Duration::from_millis(1 + question * 7_919 % 300)).await;
        let asked = Instant::now();
        let governor = if question % 2 == 0 { &one } else { &two };
        governor.admit(&spend(FAST), Urgency::Live).await.unwrap();
        assert_eq!(asked.elapsed(), Duration::ZERO, "question {question}");
        platform.call();
    }
    assert_eq!(platform.refused(), 0);
    pulling.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stops_all_replicas_within_a_second_and_a_second_one_for_twice_as_long() {
    let database = tables();
    let (one, two) = (replica(&database, "one", 0), replica(&database, "two", 0));
    let platform = Platform::new(FAST);
    let pulling = pulling(&[&one, &two], &platform, 8, usize::MAX);
    sleep(Duration::from_secs(5)).await;
    let of = spend(FAST).remove(0).of;
    one.refused(&of, MINUTE).await;
    sleep(Duration::from_secs(1)).await;
    // What was admitted by then is still on its way for a moment.
    sleep(Duration::from_millis(250)).await;
    let answered = platform.answered();
    sleep(Duration::from_secs(50)).await;
    assert_eq!(platform.answered(), answered);
    assert!(answered > 0 && pulling.len() == 16);
    pulling.join_all().await;
    let closed = two.admit(&spend(FAST), Urgency::Live).await.unwrap_err();
    assert_eq!(closed.until, START.plus_seconds(65));

    sleep(MINUTE).await;
    two.admit(&spend(FAST), Urgency::Live).await.unwrap();
    let now = two.clock.now();
    two.refused(&of, MINUTE).await;
    for governor in [&one, &two] {
        let closed = governor.admit(&spend(FAST), Urgency::Backfill).await.unwrap_err();
        assert_eq!(closed.until, now.plus_seconds(120));
    }
}

/// Whether the database is away.
struct Away(AtomicBool);

impl Faults for Away {
    fn before(&self, _what: &'static str) -> Fault {
        if self.0.load(Ordering::Relaxed) { Fault::Fail } else { Fault::None }
    }

    fn after(&self, _what: &'static str) -> Fault {
        Fault::None
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_database_is_away_nobody_calls_and_then_everybody_goes_on() {
    let away = Arc::new(Away(AtomicBool::new(true)));
    let faults: Arc<dyn Faults> = away.clone();
    let governor = replica(&tables().with_faults(faults), "one", 0);
    for urgency in [Urgency::Live, Urgency::Backfill] {
        let spends = spend(FAST);
        timeout(Duration::from_secs(3_600), governor.admit(&spends, urgency)).await.unwrap_err();
    }
    assert!(governor.done_by(&spend(FAST), 10_000).await.is_some(), "as if nothing were spent");
    let waiting = tokio::spawn({
        let governor = Arc::clone(&governor);
        async move { governor.admit(&spend(FAST), Urgency::Live).await }
    });
    sleep(Duration::from_secs(60)).await;
    assert!(!waiting.is_finished());
    away.0.store(false, Ordering::Relaxed);
    timeout(Duration::from_secs(6), waiting).await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_heeded_even_where_nobody_else_can_be_told() {
    let away = Arc::new(Away(AtomicBool::new(false)));
    let faults: Arc<dyn Faults> = away.clone();
    let governor = replica(&tables().with_faults(faults), "one", 0);
    away.0.store(true, Ordering::Relaxed);
    timeout(MINUTE, governor.refused(&spend(FAST)[0].of, MINUTE)).await.unwrap();
    away.0.store(false, Ordering::Relaxed);
    let closed = governor.admit(&spend(FAST), Urgency::Live).await.unwrap_err();
    assert_eq!(closed.until, START.plus_seconds(60));
}

#[tokio::test(start_paused = true)]
async fn callers_that_give_up_hold_up_nobody() {
    let governor = replica(&tables(), "one", 0);
    let mut callers = JoinSet::new();
    let mut handles = Vec::new();
    for _ in 0..500 {
        let governor = Arc::clone(&governor);
        handles.push(callers.spawn(async move { governor.admit(&spend(SLOW), Urgency::Backfill).await }));
    }
    sleep(Duration::from_millis(100)).await;
    handles[..498].iter().for_each(|handle| handle.abort());
    let began = Instant::now();
    let mut admitted = 0;
    while let Some(caller) = callers.join_next().await {
        admitted += usize::from(caller.is_ok());
    }
    assert_eq!(admitted, 3, "the first one at once, and the last two in their turn");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_long_pull_ends_when_it_was_said_to() {
    let database = tables();
    let (one, two) = (replica(&database, "one", 0), replica(&database, "two", 0));
    let platform = Platform::new(FAST);
    let predicted = one.done_by(&spend(FAST), 5_000).await.unwrap().since(START);
    pulling(&[&one, &two], &platform, 40, 5_000).join_all().await;
    let took = one.clock.now().since(START);
    assert!((predicted - took).abs() <= took / 20, "{predicted} ms predicted, {took} ms taken");
}

#[tokio::test(start_paused = true)]
async fn where_no_figure_is_known_only_refusals_count() {
    let database = tables();
    let (one, two) = (replica(&database, "one", 0), replica(&database, "two", 0));
    let began = Instant::now();
    for _ in 0..1_000 {
        one.admit(&spend(&[]), Urgency::Backfill).await.unwrap();
        one.admit(&[], Urgency::Backfill).await.unwrap();
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(one.done_by(&spend(&[]), 1_000).await, None);
    one.refused(&spend(&[])[0].of, MINUTE).await;
    let closed = two.admit(&spend(&[]), Urgency::Live).await.unwrap_err();
    assert_eq!(closed.until, START.plus_seconds(60));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_used_for_a_day_is_forgotten() {
    let governor = replica(&tables(), "one", 0);
    governor.admit(&spend(FAST), Urgency::Live).await.unwrap();
    assert_eq!(governor.prune().await.unwrap(), 0);
    sleep(Duration::from_secs(86_401)).await;
    assert_eq!(governor.prune().await.unwrap(), 2, "the limit's row and the allowance's own");
}
