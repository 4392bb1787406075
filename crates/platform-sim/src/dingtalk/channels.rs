//! How events get out: over which channel, how often, in which order, and which not at all.

#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use super::clock::Clock;
use super::events::Event;
use super::failed::FailedList;
use super::push::{Push, PushOutcome};
use super::stream::Stream;

/// Where one copy of an event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// To one of the Stream connections.
    Stream,
    /// To the callback URL.
    Http,
    /// At once into the list of failed pushes.
    Failed,
}

/// How a series of events is sent.
#[derive(Clone, Debug)]
pub struct Script {
    /// Everything random follows from it.
    pub seed: u64,
    /// Each event is sent between once and so many times.
    pub copies: u32,
    /// Where copies go; each takes any one of these.
    pub routes: Vec<Route>,
    /// Whether they are sent in any order; else as they happened.
    pub shuffled: bool,
    /// The share of events that get nowhere but into the list of failed pushes, 0 to 1.
    pub dropped: f64,
    /// The share of events that are never heard of, 0 to 1.
    pub lost: f64,
    /// The pause before each copy, by the clock.
    pub delay: Duration,
    /// How many HTTP callbacks are under way at once.
    pub concurrency: usize,
}

impl Script {
    /// Each event once, in its natural order, over one channel.
    #[must_use]
    pub fn over(route: Route) -> Self {
        Self {
            seed: 1,
            copies: 1,
            routes: vec![route],
            shuffled: false,
            dropped: 0.0,
            lost: 0.0,
            delay: Duration::ZERO,
            concurrency: 8,
        }
    }
}

/// What a script makes of a series of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Itinerary {
    /// Indexes into the series in order of sending, with where each copy goes.
    pub steps: Vec<(usize, Route)>,
    /// Indexes of those that get only into the list of failed pushes, ascending.
    pub dropped: Vec<usize>,
    /// Indexes of those never heard of, ascending.
    pub lost: Vec<usize>,
}

/// Works a script out for so many events, without sending anything.
#[must_use]
pub fn itinerary(events: usize, script: &Script) -> Itinerary {
    let mut random = StdRng::seed_from_u64(script.seed ^ 0x00d1_4672);
    let mut made = Itinerary::default();
    for index in 0..events {
        let chance = random.random::<f64>();
        if chance < script.lost {
            made.lost.push(index);
        } else if chance < script.lost + script.dropped {
            made.dropped.push(index);
            made.steps.push((index, Route::Failed));
        } else {
            for _copy in 0..random.random_range(1..=script.copies.max(1)) {
                let route = script.routes.choose(&mut random).copied();
                made.steps.extend(route.map(|route| (index, route)));
            }
        }
    }
    if script.shuffled {
        made.steps.shuffle(&mut random);
    }
    made
}

/// The ways out of the platform.
#[derive(Clone, Debug)]
pub struct Channels {
    /// The Stream gateway; copies for it are lost without one.
    pub stream: Option<Stream>,
    /// The callback URL; copies for it are lost without one.
    pub push: Option<Push>,
    /// The list of failed pushes.
    pub failed: FailedList,
    /// The clock for pauses and for the list.
    pub clock: Clock,
}

/// What came of a series of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// What was to be done.
    pub itinerary: Itinerary,
    /// HTTP callbacks taken in.
    pub http_delivered: usize,
    /// HTTP callbacks that failed and were parked.
    pub http_parked: usize,
}

impl Channels {
    /// Sends events as the script says. Waits for the end of HTTP callbacks; [`Stream::settled`] waits for the others.
    pub async fn deliver(&self, events: &[Event], script: &Script) -> Sent {
        let mut sent = Sent { itinerary: itinerary(events.len(), script), ..Sent::default() };
        let mut under_way = FuturesUnordered::new();
        for (index, route) in sent.itinerary.steps.clone() {
            let Some(event) = events.get(index) else { continue };
            if !script.delay.is_zero() {
                self.clock.sleep(script.delay).await;
            }
            match (route, &self.stream, &self.push) {
                (Route::Stream, Some(stream), _) => stream.push(std::slice::from_ref(event)),
                (Route::Http, _, Some(push)) => {
                    while under_way.len() >= script.concurrency.max(1) {
                        sent.count(under_way.next().await);
                    }
                    under_way.push(push.send(event));
                }
                (Route::Failed, _, _) => self.failed.park(event, self.clock.now_ms()),
                (Route::Stream | Route::Http, _, _) => {}
            }
        }
        while !under_way.is_empty() {
            sent.count(under_way.next().await);
        }
        sent
    }
}

impl Sent {
    fn count(&mut self, outcome: Option<PushOutcome>) {
        match outcome {
            Some(PushOutcome::Delivered) => self.http_delivered += 1,
            Some(PushOutcome::Parked) => self.http_parked += 1,
            Some(PushOutcome::Withheld) | None => {}
        }
    }
}
