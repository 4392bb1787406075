//! Callbacks at a fixed rate, whatever becomes of them: an open loop, through whatever gateways are known at that moment. Each request is
//! made once, and what is not answered with `success` has failed.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use platform_sim::{Act, Callback, Company, Dispatcher, Order, Script, Snapshot, dispatcher::plan};
use serde_json::{Value, json};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    cluster::{Cluster, Endpoints},
    customer::Customer,
    options::Options,
};

/// How many steps of a company's life are told together, in random order.
const STEPS: usize = 20;
/// As end-to-end tests have it.
const HERALDED_SHARE: f64 = 0.1;
/// The pause before something is tried again, where that is no part of the load.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a gateway may take to know a tenant.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many failures a report gives.
const EXAMPLES: usize = 5;

/// What is told.
#[derive(Debug, Clone)]
pub(crate) struct LoadOptions {
    /// Requests per second, over all tenants.
    pub(crate) rate: u32,
    /// Of each company at first.
    pub(crate) members: usize,
    pub(crate) departments: usize,
    /// Each callback is delivered up to so many times, on purpose.
    pub(crate) copies: u32,
    /// After the import comes ordinary life; else nothing, and each callback is about an entity of its own.
    pub(crate) goes_on: bool,
}

impl LoadOptions {
    /// `--rate` 200, `--members` 60, `--departments` 12, `--copies` 2.
    pub(crate) fn read(options: &Options) -> Self {
        Self {
            rate: options.get("rate", 200),
            members: options.get("members", 60),
            departments: options.get("departments", 12),
            copies: options.get("copies", 2),
            goes_on: true,
        }
    }
}

/// A load that does not cease by itself, unless it was told to be an import only.
pub(crate) struct Load {
    is_enough: Arc<AtomicBool>,
    telling: JoinHandle<Told>,
}

/// What was told, and what came of it.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) requests: usize,
    pub(crate) failed: usize,
    pub(crate) tenants: Vec<Truth>,
    examples: Vec<String>,
    latencies_micros: Vec<u32>,
    seconds: f64,
}

/// What is so in the end.
pub(crate) struct Truth {
    pub(crate) customer: Arc<Customer>,
    pub(crate) directory: Snapshot,
    /// How many callbacks were not about departments or members.
    pub(crate) others: usize,
}

impl Load {
    /// Begins as soon as every gateway takes the callbacks of every tenant.
    pub(crate) async fn start(cluster: &Cluster, options: &LoadOptions) -> Self {
        let customers = cluster.customers().iter();
        let tellers: Vec<Teller> = customers.map(|customer| Teller::new(Arc::clone(customer), options)).collect();
        for teller in &tellers {
            for gateway in cluster.gateways() {
                teller.is_known_at(gateway).await;
            }
        }
        let is_enough = Arc::new(AtomicBool::new(false));
        let told = tell(tellers, Arc::clone(cluster.endpoints()), options.rate, Arc::clone(&is_enough));
        Self { is_enough, telling: tokio::spawn(told) }
    }

    /// What was drawn already is told, or the truth would not be; and what had failed is told again until it is taken, as WeCom does, so
    /// that only what we lost is missing.
    pub(crate) async fn finish(self) -> Told {
        self.is_enough.store(true, Ordering::SeqCst);
        self.telling.await.unwrap()
    }
}

impl Told {
    fn count(&mut self, answer: Answer, failed: &mut Vec<(usize, Callback)>) {
        self.requests += 1;
        match answer.outcome {
            Ok(micros) => self.latencies_micros.push(micros),
            Err(why) => {
                self.failed += 1;
                if self.examples.len() < EXAMPLES {
                    self.examples.push(format!("{:.1} s after the start, {:?}: {why}", answer.at, answer.gateway));
                }
                failed.push((answer.place, answer.callback));
            }
        }
    }

    /// What an operator wants to know of it.
    pub(crate) fn to_json(&self) -> Value {
        let mut sorted = self.latencies_micros.clone();
        sorted.sort_unstable();
        let millis = |thousandth: usize| {
            let last = sorted.len().saturating_sub(1);
            f64::from(sorted.get(last * thousandth / 1000).copied().unwrap_or_default()) / 1000.0
        };
        json!({
            "requests": self.requests, "failed": self.failed, "failures": self.examples,
            "seconds": self.seconds, "requests_per_second": self.requests as f64 / self.seconds.max(f64::MIN_POSITIVE),
            "millis_median": millis(500), "millis_99": millis(990), "millis_99_9": millis(999), "millis_longest": millis(1000),
        })
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        let is_told =
            (self.failed > 0).then(|| format!("{} requests failed, such as {:?}", self.failed, self.examples));
        is_told.into_iter().collect()
    }
}

/// A company that has something to tell.
struct Teller {
    customer: Arc<Customer>,
    company: Company,
    options: LoadOptions,
    /// What comes next, copies among it.
    queue: VecDeque<Callback>,
    rounds: u64,
    others: usize,
}

impl Teller {
    fn new(customer: Arc<Customer>, options: &LoadOptions) -> Self {
        let mut company = customer.company(if options.goes_on { HERALDED_SHARE } else { 0.0 });
        let import = company.import(options.members, options.departments, 6);
        let options = options.clone();
        let mut teller = Self { customer, company, options, queue: VecDeque::new(), rounds: 0, others: 0 };
        teller.draw(&import);
        teller
    }

    fn next(&mut self, may_draw: bool) -> Option<Callback> {
        if self.queue.is_empty() && may_draw && self.options.goes_on {
            let callbacks = self.company.live(STEPS);
            self.draw(&callbacks);
        }
        self.queue.pop_front()
    }

    fn draw(&mut self, callbacks: &[Callback]) {
        let order = Order::Shuffled(self.rounds);
        let script = Script { order, seed: self.rounds, copies: self.options.copies, ..Script::default() };
        let order = plan(callbacks, &script).order;
        self.queue.extend(order.into_iter().filter_map(|place| callbacks.get(place).cloned()));
        self.others += callbacks.iter().filter(|callback| callback.act == Act::Other).count();
        self.rounds += 1;
    }

    /// Tells the first callback until it is taken. It comes again with the load, as callbacks do.
    async fn is_known_at(&self, gateway: SocketAddr) {
        let (dispatcher, end) = (self.customer.dispatcher(gateway), Instant::now() + PATIENCE);
        let first = self.queue.front().expect("an import");
        while let Err(why) = send(Some(&dispatcher), first, 0).await {
            assert!(Instant::now() < end, "{gateway} does not take callbacks of {}: {why}", self.customer.id);
            sleep(PAUSE).await;
        }
    }
}

/// What came of one request.
struct Answer {
    place: usize,
    callback: Callback,
    /// Seconds after the start.
    at: f64,
    gateway: Option<SocketAddr>,
    outcome: Result<u32, String>,
}

/// Who sends which tenant's callbacks to which gateway, with connections of their own.
#[derive(Default)]
struct Dispatchers(HashMap<(usize, SocketAddr), Dispatcher>);

impl Dispatchers {
    fn of(&mut self, place: usize, customer: &Customer, gateway: SocketAddr) -> Dispatcher {
        self.0.entry((place, gateway)).or_insert_with(|| customer.dispatcher(gateway)).clone()
    }
}

async fn tell(mut tellers: Vec<Teller>, endpoints: Arc<Endpoints>, rate: u32, is_enough: Arc<AtomicBool>) -> Told {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_secs(1) / rate);
    // What was late is made up for: the rate is a promise.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut dispatchers, mut under_way) = (Dispatchers::default(), JoinSet::new());
    let (mut told, mut failed) = (Told::default(), Vec::new());
    for turn in 0_usize.. {
        ticks.tick().await;
        let Some((place, callback)) = next(&mut tellers, turn, !is_enough.load(Ordering::SeqCst)) else { break };
        let gateway = endpoints.next();
        let teller = tellers.get(place);
        let dispatcher = gateway.zip(teller).map(|(gateway, teller)| dispatchers.of(place, &teller.customer, gateway));
        let at = began.elapsed().as_secs_f64();
        under_way.spawn(async move {
            let outcome = send(dispatcher.as_ref(), &callback, turn as u64).await;
            Answer { place, callback, at, gateway, outcome }
        });
        while let Some(answer) = under_way.try_join_next() {
            told.count(answer.unwrap(), &mut failed);
        }
    }
    told.seconds = began.elapsed().as_secs_f64();
    while let Some(answer) = under_way.join_next().await {
        told.count(answer.unwrap(), &mut failed);
    }
    for (turn, (place, callback)) in failed.into_iter().enumerate() {
        tell_again(&mut dispatchers, &endpoints, (place, tellers.as_slice()), &callback, turn as u64).await;
    }
    let truth = |teller: Teller| Truth {
        directory: teller.company.snapshot(),
        others: teller.others,
        customer: teller.customer,
    };
    told.tenants = tellers.into_iter().map(truth).collect();
    told
}

/// The next callback, by turns of who has one. Each round begins one place later, or some would always meet the same gateway.
fn next(tellers: &mut [Teller], turn: usize, may_draw: bool) -> Option<(usize, Callback)> {
    let count = tellers.len();
    let mut places = (0..count).map(|step| (turn + turn / count + step) % count);
    places.find_map(|place| Some((place, tellers.get_mut(place)?.next(may_draw)?)))
}

/// Makes one request; the microseconds until `success`, or what came instead.
pub(crate) async fn send(dispatcher: Option<&Dispatcher>, callback: &Callback, turn: u64) -> Result<u32, String> {
    let dispatcher = dispatcher.ok_or("no gateway is ready")?;
    let stats = dispatcher.send_one(callback, turn).await;
    match (stats.answered_success, stats.latencies_micros.first(), stats.last_refusal) {
        (1, Some(micros), _) => Ok(*micros),
        (_, _, Some(status)) => Err(format!("status {status}")),
        (_, Some(_), None) => Err("200, and not success".to_owned()),
        (_, None, None) => Err("no answer".to_owned()),
    }
}

async fn tell_again(
    dispatchers: &mut Dispatchers,
    endpoints: &Endpoints,
    (place, tellers): (usize, &[Teller]),
    callback: &Callback,
    turn: u64,
) {
    let Some(teller) = tellers.get(place) else { return };
    loop {
        let dispatcher = endpoints.next().map(|gateway| dispatchers.of(place, &teller.customer, gateway));
        if send(dispatcher.as_ref(), callback, turn).await.is_ok() {
            return;
        }
        sleep(PAUSE).await;
    }
}
