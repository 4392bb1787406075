//! What came of sending.

use std::time::Duration;

/// The outcome of a run of a dispatcher.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Callbacks given to the dispatcher.
    pub events: usize,
    /// Requests made, copies and repeats included.
    pub sent: usize,
    /// Copies made on purpose.
    pub duplicates: usize,
    /// Requests repeated after a time-out, a broken connection or a refusal.
    pub retried: usize,
    /// Answers with a status other than 200.
    pub refused: usize,
    /// The last of these statuses.
    pub last_refusal: Option<u16>,
    /// Requests without an answer: time-outs and broken connections.
    pub broken: usize,
    /// Submissions (copies included) answered with 200.
    pub answered: usize,
    /// Those of them with exactly `success` as body.
    pub answered_success: usize,
    /// Indexes of callbacks never sent, as scripted, ascending.
    pub lost: Vec<usize>,
    /// Indexes of callbacks sent but never answered with 200, ascending.
    pub failed: Vec<usize>,
    /// The time for all, in seconds.
    pub seconds: f64,
    /// Time to each answer of 200, in microseconds.
    pub latencies_micros: Vec<u32>,
}

impl Stats {
    /// The latency below which that share (0 to 1) of the good answers came, in microseconds.
    #[must_use]
    pub fn latency_micros(&self, share: f64) -> Option<u32> {
        let mut sorted = self.latencies_micros.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the list")]
        let rank = (last as f64 * share.clamp(0.0, 1.0)).round() as usize;
        sorted.get(rank).copied()
    }

    /// Requests per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.sent as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    fn count(&mut self, answer: &Answer) {
        self.sent += answer.sent as usize;
        self.retried += answer.sent.saturating_sub(1) as usize;
        self.refused += answer.refused.len();
        self.last_refusal = answer.refused.last().copied().or(self.last_refusal);
        self.broken += answer.broken;
        self.answered += usize::from(answer.succeeded);
        self.answered_success += usize::from(answer.said_success);
        if answer.succeeded {
            self.latencies_micros.push(answer.micros);
        }
    }
}

/// Counts while a run lasts.
#[derive(Debug)]
pub(super) struct Tally {
    stats: Stats,
    succeeded: Vec<bool>,
}

impl Tally {
    pub(super) fn new(events: usize, duplicates: usize, lost: Vec<usize>) -> Self {
        Self { stats: Stats { events, duplicates, lost, ..Stats::default() }, succeeded: vec![false; events] }
    }

    /// Counts the answer to a submission of the callback with that index.
    pub(super) fn count(&mut self, answer: Option<(usize, Answer)>) {
        let Some((index, answer)) = answer else { return };
        if let Some(succeeded) = self.succeeded.get_mut(index) {
            *succeeded |= answer.succeeded;
        }
        self.stats.count(&answer);
    }

    pub(super) fn finish(mut self, took: Duration) -> Stats {
        let lost = &self.stats.lost;
        let failed = self.succeeded.iter().enumerate().filter(|(_index, succeeded)| !**succeeded);
        self.stats.failed = failed.map(|(index, _)| index).filter(|index| lost.binary_search(index).is_err()).collect();
        self.stats.seconds = took.as_secs_f64();
        self.stats
    }
}

/// What came of one submission.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) sent: u32,
    pub(super) refused: Vec<u16>,
    pub(super) broken: usize,
    pub(super) succeeded: bool,
    pub(super) said_success: bool,
    pub(super) micros: u32,
}
