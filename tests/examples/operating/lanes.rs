//! One tenant with many times the load of each of many others: what the others notice of it, while it is in their lane and while it is in
//! one of its own, and whether anything is lost when it moves.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tests::Service;
use tokio::time::{Instant, sleep};

use crate::{
    customer::Customer,
    fleet::{Fleet, SHARED, Wishes, Worker},
    newcomers::{Audit, Speaker, Talk, Told, end_to_end, now_micros, quantile, settle, spread},
    options::Options,
};

/// The big tenant's own lane.
const OWN: &str = "big";
/// What the others' end-to-end p95 may be beside a big tenant in a lane of its own, over what it is without it.
const MOST: f64 = 1.3;
/// Every process knows by then what was applied.
const KNOWN_AFTER: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the old queues may take to run empty.
const EMPTY_WITHIN: Duration = Duration::from_secs(60);

/// How large it all is.
struct Size {
    others: usize,
    /// Callbacks of each of the others.
    per_second: f64,
    /// How many times that the big one has.
    factor: f64,
    during: Duration,
    pairs: usize,
    shared_pairs: usize,
    replicas: usize,
    seed: u64,
}

impl Size {
    /// `--others` 50, `--per-second` 1 of each, `--factor` 20, `--seconds` 45 of each run, `--pairs` 5, `--shared-pairs` 3, `--replicas` 1
    /// of each service in each lane, `--seed` 1.
    fn read(options: &Options) -> Self {
        Self {
            others: options.get("others", 50),
            per_second: options.get("per-second", 1.0),
            factor: options.get("factor", 20.0),
            during: Duration::from_secs(options.get("seconds", 45)),
            pairs: options.get("pairs", 5),
            shared_pairs: options.get("shared-pairs", 3),
            replicas: options.get("replicas", 1),
            seed: options.get("seed", 1),
        }
    }
}

/// See [`Size`].
pub(crate) async fn run(options: &Options) -> Value {
    let mut trial = Trial::start(Size::read(options)).await;
    let apart = trial.pairs(trial.size.pairs, "in a lane of its own").await;
    let own_lane_worked = trial.worked_off_by(OWN).await;
    trial.put_into(SHARED).await;
    let together = trial.pairs(trial.size.shared_pairs, "in the others' lane").await;
    let moving = trial.moves().await;

    let audit = Audit::of(&trial.fleet, &trial.customers, &trial.told).await;
    let mut complaints = [audit.complaints(), trial.complaints, moving.complaints].concat();
    complaints.extend(trial.fleet.ended().into_iter().map(|name| format!("{name} ended by itself")));
    let apart_median = median(&apart);
    if apart_median.is_none_or(|ratio| ratio.is_nan() || ratio > MOST) {
        complaints.push(format!("the others' p95 is {apart_median:?} times what it is without the big tenant"));
    }
    if own_lane_worked == 0.0 {
        complaints.push("nothing went through the lane of its own: the trial says nothing".to_owned());
    }
    if !complaints.is_empty() {
        trial.fleet.keep_files();
    }
    let size = &trial.size;
    json!({
        "trial": "lanes",
        "reading": "the big tenant has `factor` times the load of each single other one",
        "others": size.others, "others_per_second_each": size.per_second, "factor": size.factor,
        "big_per_second": size.per_second * size.factor, "seconds": size.during.as_secs(), "replicas": size.replicas,
        "p95_ratio_own_lane": { "median": apart_median, "most": MOST, "pairs": pairs_json(&apart) },
        "p95_ratio_shared_lane": { "median": median(&together), "pairs": pairs_json(&together) },
        "events_by_own_lane": own_lane_worked,
        "moving": moving.report,
        "audit": audit.to_json(),
        "complaints": complaints,
    })
}

struct Trial {
    size: Size,
    fleet: Fleet,
    /// The big one is the first.
    customers: Vec<Arc<Customer>>,
    speakers: Vec<Arc<Speaker>>,
    told: Vec<Told>,
    complaints: Vec<String>,
}

/// The others alone, and beside the big one.
struct Pair {
    alone: Run,
    beside: Run,
}

/// End-to-end milliseconds in order, of the others and of the big one.
struct Run {
    others: Vec<f64>,
    big: Vec<f64>,
}

struct Moving {
    report: Value,
    complaints: Vec<String>,
}

impl Trial {
    /// The big one is in a lane of its own at first.
    async fn start(size: Size) -> Self {
        let mut fleet = Fleet::prepare(&Wishes::default()).await;
        let customers: Vec<Arc<Customer>> =
            (0..=size.others).map(|number| Arc::new(Customer::new(number, size.seed))).collect();
        let core = fleet.core_destination();
        let lane = |place: usize| if place == 0 { OWN } else { SHARED };
        let file =
            |(place, customer): (usize, &Arc<Customer>)| (customer.id.clone(), in_lane(customer, &core, lane(place)));
        fleet.apply(customers.iter().enumerate().map(file)).await;
        for _ in 0..2 {
            fleet.add(Service::CallbackGateway, SHARED);
        }
        for lane in [SHARED, OWN] {
            for service in [Service::Resolver, Service::Sink, Service::Synchronizer] {
                for _ in 0..size.replicas {
                    fleet.add(service, lane);
                }
            }
        }
        fleet.launch().await;
        let gateways = fleet.gateways();
        let speakers: Vec<_> = customers.iter().map(|customer| Speaker::of(customer, &gateways)).collect();
        let mut told = Vec::new();
        for speaker in &speakers {
            told.extend(speaker.introduce().await);
        }
        assert!(settle(&fleet, &told).await, "the first callbacks of all tenants do not arrive");
        eprintln!("{} tenants, the first one in lane {OWN}", customers.len());
        Self { size, fleet, customers, speakers, told, complaints: Vec::new() }
    }

    /// So many pairs of runs; which comes first changes.
    async fn pairs(&mut self, count: usize, place: &str) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for number in 0..count {
            let pair = if number % 2 == 0 {
                let alone = self.run(false).await;
                Pair { alone, beside: self.run(true).await }
            } else {
                let beside = self.run(true).await;
                Pair { alone: self.run(false).await, beside }
            };
            let [alone, beside] =
                [&pair.alone, &pair.beside].map(|run| quantile(&run.others, 0.95).unwrap_or(f64::NAN));
            let ratio = pair.ratio();
            eprintln!("the big one {place}, {}/{count}: p95 {alone:.0} ms, {beside:.0} ms, {ratio:.2}", number + 1);
            pairs.push(pair);
        }
        pairs
    }

    async fn run(&mut self, with_big: bool) -> Run {
        let talk = self.talk(with_big);
        sleep(self.size.during).await;
        self.measure(talk).await
    }

    fn talk(&self, with_big: bool) -> Talk {
        let Size { per_second, factor, .. } = self.size;
        let big = self.speakers.iter().take(usize::from(with_big)).map(|speaker| (speaker, per_second * factor));
        let others = self.speakers.iter().skip(1).map(|speaker| (speaker, per_second));
        Talk::start(big.chain(others).map(|(speaker, per_second)| (Arc::clone(speaker), per_second)))
    }

    /// Ends the load, and waits until all of it has arrived: the next run is to find nothing of this one.
    async fn measure(&mut self, talk: Talk) -> Run {
        let told = talk.finish().await;
        if !settle(&self.fleet, &told).await {
            self.complaints.push("a run did not come to its end".to_owned());
        }
        let refused = told.iter().filter_map(|one| one.answer.as_ref().err());
        self.complaints.extend(refused.take(1).map(|why| format!("a callback was not taken: {why}")));
        let arrivals = self.fleet.books().arrivals().await.unwrap_or_default();
        let (big, others): (Vec<&Told>, Vec<&Told>) = told.iter().partition(|one| self.is_big(one));
        let run = Run { others: end_to_end(others, &arrivals), big: end_to_end(big, &arrivals) };
        self.told.extend(told);
        run
    }

    fn is_big(&self, told: &Told) -> bool {
        self.speakers.first().is_some_and(|speaker| speaker.tenant == told.tenant)
    }

    /// Applies the big tenant in another lane.
    async fn apply(&self, lane: &str) {
        let big = self.customers.first().expect("the big tenant");
        self.fleet.apply([(big.id.clone(), in_lane(big, &self.fleet.core_destination(), lane))]).await;
    }

    async fn put_into(&self, lane: &str) {
        self.apply(lane).await;
        sleep(KNOWN_AFTER).await;
    }

    /// How many events the resolvers of a lane have worked off.
    async fn worked_off_by(&self, lane: &str) -> f64 {
        let is_its = |worker: &Worker| worker.service == Service::Resolver && worker.lane == lane;
        self.fleet.sum_of("orgbridge_resolver_events_total", is_its).await
    }

    /// The big tenant goes from the shared lane to its own, in the middle of the load.
    async fn moves(&mut self) -> Moving {
        let before = self.worked_off_by(OWN).await;
        let talk = self.talk(true);
        sleep(self.size.during / 2).await;
        let (moved, moved_micros) = (Instant::now(), now_micros());
        self.apply(OWN).await;
        while self.worked_off_by(OWN).await == before && moved.elapsed() < EMPTY_WITHIN {
            sleep(LOOK_EVERY).await;
        }
        let works_after = moved.elapsed().as_secs_f64();
        eprintln!("the new lane works {works_after:.1} s after the tenant was applied");
        sleep(self.size.during / 2).await;
        let told = talk.so_far();
        let run = self.measure(talk).await;
        let left = self.left_in_shared().await;
        let arrivals = self.fleet.books().arrivals().await.unwrap_or_default();
        let around = told.iter().filter(|one| self.is_big(one) && (one.at_micros - moved_micros).abs() < 5_000_000);
        let around = end_to_end(around, &arrivals);
        let works = self.worked_off_by(OWN).await > before;
        let mut complaints = Vec::new();
        if !works {
            complaints.push("the lane that the tenant moved into does nothing".to_owned());
        }
        if left > 0 {
            complaints.push(format!("{left} messages are left in the lane that the tenant moved out of"));
        }
        let report = json!({
            "new_lane_works_after_seconds": works_after, "messages_left_in_old_lane": left,
            "big_millis": spread(&run.big), "big_millis_within_5_s_of_it": spread(&around), "others_millis": spread(&run.others),
        });
        Moving { report, complaints }
    }

    /// What is left in the shared lane's queues, when they have had time to run empty.
    async fn left_in_shared(&self) -> u64 {
        let end = Instant::now() + EMPTY_WITHIN;
        let names = ["events", "changes"].map(|hop| format!("orgbridge.{hop}.{SHARED}."));
        loop {
            let queues = self.fleet.queues().await;
            let of_lane =
                queues.iter().filter(|(name, _)| names.iter().any(|prefix| name.starts_with(prefix.as_str())));
            let left: u64 = of_lane.map(|(_, messages)| messages).sum();
            if left == 0 || Instant::now() > end {
                return left;
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Pair {
    /// What the others' p95 is beside the big tenant, over what it is without it.
    fn ratio(&self) -> f64 {
        let p95 = |run: &Run| quantile(&run.others, 0.95).unwrap_or(f64::NAN);
        p95(&self.beside) / p95(&self.alone)
    }
}

fn pairs_json(pairs: &[Pair]) -> Value {
    let told = |pair: &Pair| {
        json!({
            "ratio": pair.ratio(), "others_alone_millis": spread(&pair.alone.others),
            "others_beside_millis": spread(&pair.beside.others), "big_millis": spread(&pair.beside.big),
        })
    };
    pairs.iter().map(told).collect()
}

fn median(pairs: &[Pair]) -> Option<f64> {
    let mut ratios: Vec<f64> = pairs.iter().map(Pair::ratio).collect();
    ratios.sort_by(f64::total_cmp);
    quantile(&ratios, 0.5)
}

/// A tenant's file with its lane, before the file's first section.
fn in_lane(customer: &Customer, core: &str, lane: &str) -> String {
    format!("lane = \"{lane}\"\n{}", customer.file(core))
}
