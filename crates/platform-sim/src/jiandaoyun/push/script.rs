//! In which order pushes are sent, which of them twice, which late, which never, and what else comes in their name.

use std::time::Duration;

use crate::jiandaoyun::ids::{draw, is_within};

/// How badly pushes are sent. By default each once, in order, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Everything random follows from it.
    pub seed: u64,
    /// The share of pushes that are sent twice, with different deliver ids.
    pub duplicate_share: f64,
    /// The share of pushes that are sent once more by somebody who does not know the secret.
    pub forged_share: f64,
    /// The share of pushes that are never sent.
    pub loss_share: f64,
    /// The share of pushes that are sent after all others.
    pub late_share: f64,
    /// How much later those are sent, by the clock.
    pub late: Duration,
    /// By how many places a push may slip back.
    pub disorder: usize,
    /// How many are under way at once.
    pub together: usize,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            seed: 1,
            duplicate_share: 0.0,
            forged_share: 0.0,
            loss_share: 0.0,
            late_share: 0.0,
            late: Duration::ZERO,
            disorder: 0,
            together: 1,
        }
    }
}

/// One sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which of the events.
    pub event: usize,
    /// Whether it comes after all others.
    pub late: bool,
    /// Whether it is signed with a wrong secret.
    pub forged: bool,
}

/// The sendings of so many events, in order.
#[must_use]
pub fn plan(events: usize, script: &Script) -> Vec<Step> {
    let number = |what: &str, event: usize| draw(script.seed, &format!("{what} {event}"));
    let happens = |what: &str, event: usize, share: f64| is_within(number(what, event), share);
    let width = u64::try_from(script.disorder).unwrap_or(u64::MAX).saturating_add(1);
    let slip = |what: &str, event: usize| usize::try_from(number(what, event) % width).unwrap_or_default();
    let mut steps = Vec::new();
    for event in 0..events {
        if happens("loss", event, script.loss_share) {
            continue;
        }
        let step = Step { event, late: happens("late", event, script.late_share), forged: false };
        steps.push((event + slip("slip", event), step));
        if happens("duplicate", event, script.duplicate_share) {
            steps.push((event + slip("slip of the duplicate", event), step));
        }
        if happens("forged", event, script.forged_share) {
            steps.push((event + slip("slip of the forged one", event), Step { forged: true, ..step }));
        }
    }
    // Those that end up at the same place stay in their order.
    steps.sort_by_key(|(place, _step)| *place);
    steps.into_iter().map(|(_place, step)| step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_script_each_is_sent_once_and_in_order() {
        let told: Vec<usize> = plan(5, &Script::default()).iter().map(|step| step.event).collect();
        assert_eq!(told, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_script_loses_doubles_forges_and_disorders_the_same_ones_with_the_same_seed() {
        let script = Script {
            seed: 3,
            duplicate_share: 0.2,
            forged_share: 0.1,
            loss_share: 0.1,
            late_share: 0.1,
            disorder: 4,
            ..Script::default()
        };
        let steps = plan(1_000, &script);
        assert_eq!(steps, plan(1_000, &script));
        let count = |which: fn(&Step) -> bool| steps.iter().filter(|step| which(step)).count();
        let genuine: Vec<usize> = steps.iter().filter(|step| !step.forged).map(|step| step.event).collect();
        let mut told = genuine.clone();
        told.sort_unstable();
        told.dedup();
        assert!((850..950).contains(&told.len()), "{} told", told.len());
        assert!((130..240).contains(&(genuine.len() - told.len())), "{} twice", genuine.len() - told.len());
        assert!((50..140).contains(&count(|step| step.forged)), "{} forged", count(|step| step.forged));
        assert!((60..170).contains(&count(|step| step.late)), "{} late", count(|step| step.late));
        assert!(!genuine.is_sorted());
        let far = genuine.iter().enumerate().filter(|(place, event)| place.abs_diff(**event) > 400).count();
        assert_eq!(far, 0, "nobody slips far");
    }
}
