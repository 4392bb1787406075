//! Which gateways get requests, as whoever stands in front of them knows it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::Pods;

const TICK: Duration = Duration::from_millis(50);

/// The pods that take callbacks, are ready and were not told to end, as it was a moment ago: that is how long an Ingress needs to hear
/// of it.
#[derive(Debug)]
pub(crate) struct Endpoints {
    heard_of: Arc<Mutex<Vec<SocketAddr>>>,
    turn: AtomicUsize,
    following: JoinHandle<()>,
}

impl Endpoints {
    pub(super) fn follow(pods: Pods, delay: Duration) -> Self {
        let heard_of = Arc::new(Mutex::new(Vec::new()));
        let following = tokio::spawn(follow(pods, delay, Arc::clone(&heard_of)));
        Self { heard_of, turn: AtomicUsize::new(0), following }
    }

    /// Each in its turn; nothing while there is none.
    pub(crate) fn next(&self) -> Option<SocketAddr> {
        let heard_of = self.heard_of.lock().unwrap();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        heard_of.get(turn.checked_rem(heard_of.len())?).copied()
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        self.following.abort();
    }
}

async fn follow(pods: Pods, delay: Duration, heard_of: Arc<Mutex<Vec<SocketAddr>>>) {
    let mut news: VecDeque<(Instant, Vec<SocketAddr>)> = VecDeque::new();
    loop {
        let ready = pods.list().iter().filter(|pod| pod.is_ready()).filter_map(|pod| pod.callbacks()).collect();
        news.push_back((Instant::now() + delay, ready));
        while news.front().is_some_and(|(arrives, _)| *arrives <= Instant::now()) {
            let Some((_, ready)) = news.pop_front() else { break };
            *heard_of.lock().unwrap() = ready;
        }
        sleep(TICK).await;
    }
}
