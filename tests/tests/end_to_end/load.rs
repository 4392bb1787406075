//! A company whose callbacks never cease.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use platform_sim::{Act, Company, Dispatcher, Order, Script, Snapshot};
use tests::Bridge;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::agreement::dispatcher;

/// The pause between two callbacks: about a hundred a second.
const DELAY: Duration = Duration::from_millis(10);
/// How many steps of its life are told together, in random order and some of them twice.
const STEPS: usize = 20;
/// So many callbacks more must be answered before something counts as going on.
const ENOUGH: usize = 60;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An import and then ordinary life, told until it is to finish.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answered: watch::Receiver<usize>,
    sending: JoinHandle<Told>,
}

/// What was told in all.
pub(crate) struct Told {
    /// What is so in the end.
    pub(crate) truth: Snapshot,
    /// How many of the callbacks were not about departments or members.
    pub(crate) others: usize,
}

impl Load {
    pub(crate) fn start(bridge: &Bridge, company: Company) -> Self {
        let (progress, answered) = watch::channel(0);
        let stop = Arc::new(AtomicBool::new(false));
        let sending = tokio::spawn(tell(dispatcher(bridge), company, progress, Arc::clone(&stop)));
        Self { stop, answered, sending }
    }

    /// Waits until many more callbacks were answered with success.
    pub(crate) async fn goes_on(&self) {
        let mut answered = self.answered.clone();
        let enough = *answered.borrow() + ENOUGH;
        let reached = timeout(PATIENCE, answered.wait_for(|count| *count >= enough)).await;
        let reached = reached.unwrap_or_else(|_| panic!("callbacks are not taken over any more"));
        assert!(reached.is_ok(), "the company fell silent");
    }

    /// Lets it finish: each callback was answered with success.
    pub(crate) async fn finish(self) -> Told {
        self.stop.store(true, Ordering::SeqCst);
        self.sending.await.unwrap()
    }
}

async fn tell(
    dispatcher: Dispatcher,
    mut company: Company,
    progress: watch::Sender<usize>,
    stop: Arc<AtomicBool>,
) -> Told {
    let mut others = 0;
    let mut callbacks = company.import(150, 25, 5);
    for round in 0.. {
        let order = Order::Shuffled(round);
        let script = Script { order, seed: round, copies: 2, delay: DELAY, concurrency: 8, ..Script::default() };
        let stats = dispatcher.send(&callbacks, &script).await;
        assert!(stats.failed.is_empty() && stats.refused == 0, "{stats:?}");
        others += callbacks.iter().filter(|callback| callback.act == Act::Other).count();
        progress.send_modify(|count| *count += callbacks.len());
        if stop.load(Ordering::SeqCst) {
            break;
        }
        callbacks = company.live(STEPS);
    }
    Told { truth: company.snapshot(), others }
}
