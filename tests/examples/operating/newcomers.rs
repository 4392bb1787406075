//! Callbacks about members that are new, each about one of its own: none can make up for another one that is lost, and when its row was
//! committed in the core product is when that callback had arrived. Each tenant has a rate of its own, whatever becomes of its callbacks.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use platform_sim::{Callback, Company, Dispatcher, Member, ROOT, ViolationKind};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep},
};

use crate::{
    customer::Customer,
    fleet::{Arrivals, Fleet},
    load::send,
};

const PAUSE: Duration = Duration::from_millis(500);
/// How long a gateway may take to know a tenant.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take until everything is where it belongs, after the last callback.
const PATIENCE: Duration = Duration::from_secs(180);
/// How many examples a report gives.
const EXAMPLES: usize = 5;

/// One tenant's platform, which tells of newcomers.
pub(crate) struct Speaker {
    pub(crate) tenant: String,
    company: Arc<Mutex<Company>>,
    /// One for each gateway, by turns.
    dispatchers: Vec<Dispatcher>,
    hired: AtomicUsize,
}

/// A callback that was sent once.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) tenant: String,
    pub(crate) member: String,
    /// Since 1970.
    pub(crate) at_micros: i64,
    /// The microseconds until `success`, or what came instead.
    pub(crate) answer: Result<u32, String>,
}

/// Speakers that do not cease by themselves.
pub(crate) struct Talk {
    enough: watch::Sender<bool>,
    talking: JoinSet<()>,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Speaker {
    /// Of a company that may be asked about as well.
    pub(crate) fn new(tenant: &str, company: Arc<Mutex<Company>>, dispatchers: Vec<Dispatcher>) -> Arc<Self> {
        assert!(!dispatchers.is_empty(), "somebody must listen");
        Arc::new(Self { tenant: tenant.to_owned(), company, dispatchers, hired: AtomicUsize::new(0) })
    }

    /// Of a company that nobody can ask about.
    pub(crate) fn of(customer: &Customer, gateways: &[SocketAddr]) -> Arc<Self> {
        let dispatchers = gateways.iter().map(|gateway| customer.dispatcher(*gateway)).collect();
        Self::new(&customer.id, Arc::new(Mutex::new(customer.company(0.0))), dispatchers)
    }

    /// Tells each gateway of newcomers until it takes them: then it knows the tenant. Returns what was told.
    pub(crate) async fn introduce(&self) -> Vec<Told> {
        let end = Instant::now() + KNOWN_WITHIN;
        let mut told = Vec::new();
        for _ in &self.dispatchers {
            told.push(self.tell().await);
        }
        while let Some(Told { answer: Err(why), .. }) =
            told.iter().rev().take(self.dispatchers.len()).find(|told| told.answer.is_err())
        {
            assert!(Instant::now() < end, "callbacks of {} are not taken: {why}", self.tenant);
            sleep(PAUSE).await;
            told.push(self.tell().await);
        }
        told
    }

    async fn tell(&self) -> Told {
        let turn = self.hired.fetch_add(1, Ordering::SeqCst);
        let member = format!("newcomer.{turn:06}");
        let callback = self.hire(&member);
        let dispatcher = self.dispatchers.get(turn % self.dispatchers.len());
        let at_micros = now_micros();
        let answer = send(dispatcher, &callback, turn as u64).await;
        Told { tenant: self.tenant.clone(), member, at_micros, answer }
    }

    /// In the root department, which is always there: nothing else is waited for.
    fn hire(&self, id: &str) -> Callback {
        let member = Member {
            id: id.to_owned(),
            name: id.to_owned(),
            departments: vec![ROOT.to_owned()],
            main_department: Some(ROOT.to_owned()),
            ..Member::default()
        };
        let mut company = self.company.lock().unwrap();
        company.set_now_seconds(now_micros() / 1_000_000);
        let callbacks = company.create_member(member).expect("a member that is legal");
        callbacks.into_iter().next().expect("a callback")
    }
}

impl Talk {
    /// Each with so many callbacks a second, spread over time.
    pub(crate) fn start(speakers: impl IntoIterator<Item = (Arc<Speaker>, f64)>) -> Self {
        let speakers: Vec<_> = speakers.into_iter().collect();
        let (enough, told) = (watch::Sender::new(false), Arc::<Mutex<Vec<Told>>>::default());
        let (began, count) = (Instant::now(), speakers.len() as f64);
        let mut talking = JoinSet::new();
        for (place, (speaker, per_second)) in speakers.into_iter().enumerate() {
            let every = Duration::from_secs_f64(1.0 / per_second);
            let ticks = interval_at(began + every.mul_f64(place as f64 / count), every);
            talking.spawn(talk(speaker, ticks, enough.subscribe(), Arc::clone(&told)));
        }
        Self { enough, talking, told }
    }

    /// What was told and has an answer so far.
    pub(crate) fn so_far(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// All that was told.
    pub(crate) async fn finish(self) -> Vec<Told> {
        self.enough.send_replace(true);
        self.talking.join_all().await;
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

async fn talk(
    speaker: Arc<Speaker>,
    mut ticks: Interval,
    mut enough: watch::Receiver<bool>,
    told: Arc<Mutex<Vec<Told>>>,
) {
    // What was late is made up for: the rate is a promise.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = enough.changed() => break,
            _ = ticks.tick() => {}
        }
        let (speaker, told) = (Arc::clone(&speaker), Arc::clone(&told));
        under_way.spawn(async move {
            let one = speaker.tell().await;
            told.lock().unwrap().push(one);
        });
        while let Some(ended) = under_way.try_join_next() {
            ended.unwrap();
        }
    }
    under_way.join_all().await;
}

/// How what was told stands against what has arrived.
pub(crate) struct Audit {
    told: usize,
    answered: usize,
    lost_core: usize,
    lost_oa: usize,
    doubled: usize,
    unexpected: usize,
    violations: Vec<String>,
    dead: usize,
    parked: usize,
    settled_after: Duration,
}

impl Audit {
    /// Looks again and again until everything that was answered has arrived, or the time is over.
    pub(crate) async fn of(fleet: &Fleet, customers: &[Arc<Customer>], told: &[Told]) -> Self {
        let began = Instant::now();
        let (lost_core, lost_oa) = loop {
            let arrivals = fleet.books().arrivals().await.unwrap_or_default();
            let lost = (missing(told, &arrivals), missing_at_oas(told, customers));
            if lost == (0, 0) || began.elapsed() > PATIENCE {
                break lost;
            }
            sleep(PAUSE).await;
        };
        let settled_after = began.elapsed();
        let known: BTreeSet<(&str, &str)> = told.iter().map(|one| (one.tenant.as_str(), one.member.as_str())).collect();
        let arrivals = fleet.books().arrivals().await.unwrap_or_default();
        let is_unexpected = |(tenant, member): &&(String, String)| !known.contains(&(tenant.as_str(), member.as_str()));
        let violations: Vec<_> = customers.iter().flat_map(|customer| customer.oa.violations()).collect();
        let made_twice =
            violations.iter().filter(|one| matches!(one.kind, ViolationKind::Doubled | ViolationKind::AlreadyThere));
        let sealed_anew: u64 = customers.iter().map(|customer| customer.oa.repeats().sealed_anew).sum();
        Self {
            told: told.len(),
            answered: told.iter().filter(|one| one.answer.is_ok()).count(),
            doubled: made_twice.count() + usize::try_from(sealed_anew).unwrap(),
            unexpected: arrivals.keys().filter(is_unexpected).count(),
            violations: violations.iter().map(|violation| format!("{violation:?}")).collect(),
            dead: fleet.count("dead").await,
            parked: fleet.count("parked").await,
            lost_core,
            lost_oa,
            settled_after,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "told": self.told, "answered": self.answered, "lost": self.lost_core + self.lost_oa,
            "lost_core": self.lost_core, "lost_oa": self.lost_oa, "doubled": self.doubled, "unexpected": self.unexpected,
            "violations": self.violations.len(), "dead": self.dead, "parked": self.parked,
            "settled_after_seconds": self.settled_after.as_secs_f64(),
        })
    }

    /// What is not as it was promised. What was not answered may have arrived all the same.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let counts = [
            ("were answered and are not in the core", self.lost_core),
            ("were answered and did not come to the OA", self.lost_oa),
            ("came twice", self.doubled),
            ("came from nowhere", self.unexpected),
            ("are dead letters", self.dead),
            ("are parked", self.parked),
        ];
        let mut complaints: Vec<String> =
            counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
        if !self.violations.is_empty() {
            let examples = self.violations.get(..EXAMPLES).unwrap_or(&self.violations);
            complaints.push(format!("{} violations at the OAs, such as {examples:?}", self.violations.len()));
        }
        complaints
    }
}

/// Waits until all that was answered is in the core product; whether that was in time.
pub(crate) async fn settle(fleet: &Fleet, told: &[Told]) -> bool {
    let end = Instant::now() + PATIENCE;
    while fleet.books().arrivals().await.is_none_or(|arrivals| missing(told, &arrivals) > 0) {
        if Instant::now() > end {
            return false;
        }
        sleep(PAUSE).await;
    }
    true
}

/// How many of those that were answered have not arrived.
pub(crate) fn missing(told: &[Told], arrivals: &Arrivals) -> usize {
    let answered = told.iter().filter(|one| one.answer.is_ok());
    answered.filter(|one| !arrivals.contains_key(&(one.tenant.clone(), one.member.clone()))).count()
}

fn missing_at_oas(told: &[Told], customers: &[Arc<Customer>]) -> usize {
    let missing_at = |customer: &Arc<Customer>| {
        let directory = customer.oa.snapshot();
        let its = told.iter().filter(|one| one.answer.is_ok() && one.tenant == customer.id);
        its.filter(|one| !directory.members.contains_key(&one.member)).count()
    };
    customers.iter().map(missing_at).sum()
}

/// Milliseconds from the request to the commit of each that was answered and has arrived, in order.
pub(crate) fn end_to_end<'a>(told: impl IntoIterator<Item = &'a Told>, arrivals: &Arrivals) -> Vec<f64> {
    let took = |one: &Told| {
        let arrived = arrivals.get(&(one.tenant.clone(), one.member.clone()))?;
        Some((arrived - one.at_micros) as f64 / 1000.0)
    };
    let mut millis: Vec<f64> = told.into_iter().filter(|one| one.answer.is_ok()).filter_map(took).collect();
    millis.sort_by(f64::total_cmp);
    millis
}

/// What became of requests, and how long it took where that was `success`.
pub(crate) fn answers(told: &[Told]) -> Value {
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for one in told {
        *outcomes.entry(one.answer.as_ref().map_or_else(String::as_str, |_| "success")).or_default() += 1;
    }
    let mut millis: Vec<f64> =
        told.iter().filter_map(|one| one.answer.as_ref().ok()).map(|micros| f64::from(*micros) / 1000.0).collect();
    millis.sort_by(f64::total_cmp);
    json!({ "requests": told.len(), "outcomes": outcomes, "millis": spread(&millis) })
}

/// The middle of a sorted list, and its end.
pub(crate) fn spread(sorted: &[f64]) -> Value {
    json!({
        "count": sorted.len(), "median": quantile(sorted, 0.5), "95": quantile(sorted, 0.95), "99": quantile(sorted, 0.99),
        "longest": quantile(sorted, 1.0),
    })
}

/// What that share of a sorted list is at most.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share).round() as usize).copied()
}

pub(crate) fn now_micros() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap()
}
