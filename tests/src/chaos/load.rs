//! A company whose callbacks never cease.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use platform_sim::{
    Act, Callback, Company, Deliveries, Dispatcher, DispatcherOptions, Order, Script, Snapshot, Stats, dispatcher::plan,
};
use serde_json::{Value, json};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::curse::Curse;
use crate::Bridge;

/// Each callback is delivered up to so many times, on purpose; and whenever it was not answered.
pub(super) const COPIES: u32 = 4;
/// How many steps of its life are told together, in random order.
const STEPS: usize = 40;
/// So many such rounds may be under way. One that waits for an answer does not keep the next one from being told.
const OPEN_ROUNDS: usize = 32;
/// How many callbacks of a round may be under way.
const CONCURRENCY: usize = 64;
/// The pause before a callback that was not answered is delivered again.
const PAUSE: Duration = Duration::from_millis(200);

/// WeCom's side, at work.
pub(super) struct Load {
    /// No more callbacks are needed than were ordered.
    is_enough: Arc<AtomicBool>,
    telling: JoinHandle<Told>,
}

/// What was told in all.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What is so in the end.
    pub(super) truth: Snapshot,
    pub(super) callbacks: usize,
    /// Callbacks that were answered with success at last.
    pub(super) answered: usize,
    /// How many of the callbacks were not about departments or members.
    pub(super) others: usize,
    /// Requests, all copies and repetitions counted.
    pub(super) deliveries: usize,
    /// Requests that were not answered at all.
    pub(super) unanswered: usize,
    /// Requests that were answered with another status than 200.
    pub(super) refused: usize,
    slowest_micros: u32,
}

impl Load {
    /// Starts telling: the callbacks of an import first, then ordinary life; at least `wanted` callbacks, and until it is to finish.
    /// `delay` is the pause between two deliveries. At the end `curse` gets followers.
    pub(super) fn start(
        bridge: &Bridge,
        (company, import): (Company, Vec<Callback>),
        curse: Curse,
        wanted: usize,
        delay: Duration,
    ) -> Self {
        let options =
            DispatcherOptions { deliveries: Deliveries::UntilSuccess, pause: PAUSE, ..DispatcherOptions::default() };
        let dispatcher = Dispatcher::new(&bridge.callback_url(), Bridge::keys(), options, Arc::new(now_seconds));
        let dispatcher = dispatcher.expect("a client");
        let is_enough = Arc::new(AtomicBool::new(false));
        let teller = Teller { dispatcher, company, curse, delay, rounds: JoinSet::new(), told: Told::default() };
        let telling = tokio::spawn(teller.tell(import, wanted, Arc::clone(&is_enough)));
        Self { is_enough, telling }
    }

    /// Lets it finish: each callback was answered with success then.
    pub(super) async fn finish(self) -> Told {
        self.is_enough.store(true, Ordering::SeqCst);
        self.telling.await.expect("a company that tells to the end")
    }
}

struct Teller {
    dispatcher: Dispatcher,
    company: Company,
    curse: Curse,
    delay: Duration,
    rounds: JoinSet<Stats>,
    told: Told,
}

impl Teller {
    async fn tell(mut self, import: Vec<Callback>, wanted: usize, is_enough: Arc<AtomicBool>) -> Told {
        let mut round = 0;
        let mut callbacks = import;
        while self.told.callbacks < wanted || !is_enough.load(Ordering::SeqCst) {
            self.begin(callbacks, round).await;
            callbacks = self.company.live(STEPS);
            round += 1;
        }
        // What was drawn last is told too, or the truth would not be.
        callbacks.extend(self.curse.hire_followers(&mut self.company));
        self.begin(callbacks, round).await;
        while self.count_one().await {}
        self.told.truth = self.company.snapshot();
        self.told
    }

    /// Begins a round, and waits for as long as its deliveries take to be sent, whatever comes of them.
    async fn begin(&mut self, callbacks: Vec<Callback>, number: u64) {
        let order = if number % 4 == 3 { Order::Worst } else { Order::Shuffled(number) };
        let script = Script {
            order,
            seed: number,
            copies: COPIES,
            delay: self.delay,
            concurrency: CONCURRENCY,
            ..Script::default()
        };
        let deliveries = plan(&callbacks, &script).order.len();
        self.told.callbacks += callbacks.len();
        self.told.others += callbacks.iter().filter(|callback| callback.act == Act::Other).count();
        let dispatcher = self.dispatcher.clone();
        self.rounds.spawn(async move { dispatcher.send(&callbacks, &script).await });
        sleep(self.delay.saturating_mul(u32::try_from(deliveries).unwrap_or(u32::MAX))).await;
        while let Some(stats) = self.rounds.try_join_next() {
            self.told.count(&stats.expect("a round that is told to its end"));
        }
        while self.rounds.len() > OPEN_ROUNDS {
            self.count_one().await;
        }
    }

    /// Waits for the end of a round; `false` when there is none.
    async fn count_one(&mut self) -> bool {
        let Some(stats) = self.rounds.join_next().await else { return false };
        self.told.count(&stats.expect("a round that is told to its end"));
        true
    }
}

impl Told {
    fn count(&mut self, stats: &Stats) {
        self.answered += stats.events - stats.failed.len();
        self.deliveries += stats.sent;
        self.unanswered += stats.broken;
        self.refused += stats.refused;
        self.slowest_micros = self.slowest_micros.max(stats.latency_micros(1.0).unwrap_or_default());
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "deliveries": self.deliveries, "unanswered": self.unanswered, "refused": self.refused,
            "slowest_answer_millis": self.slowest_micros / 1000,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "signatures of a real process need the real time")]
pub(super) fn now_seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}
