//! A working morning: how much happens at which second, and what of it reaches which part of a cell.

use std::ops::Add;

use super::{
    World,
    assumptions::Assumptions,
    population::{Platform, Tenant},
};

/// How long is looked at, in seconds: from half past eight to ten.
pub(super) const WINDOW: u32 = 5_400;
/// When most punch, in seconds: at nine.
pub(super) const PEAK_AT: u32 = 1_800;
/// Contacts and approvals are spread over so many seconds of a day.
const WORKING: f64 = 8.0 * 3_600.0;
/// Punches outside of the peak are spread over so many seconds of a day.
const PUNCHING: f64 = 14.0 * 3_600.0;
/// Attendance of a tenant is asked about at most once in so many seconds (docs/dingtalk.md), so what it brings comes together.
const GATHERED: f64 = 60.0;

/// What a member does on average within one second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) contacts: f64,
    pub(super) punches: f64,
    pub(super) approvals: f64,
}

impl Rates {
    /// At a second of the window.
    pub(super) fn at(second: u32, assumed: &Assumptions) -> Self {
        let half = assumed.peak_minutes * 30.0;
        let away = f64::from(second.abs_diff(PEAK_AT));
        // A triangle: most of them come on the dot.
        let peak = assumed.peak_share / half * (1.0 - away / half).max(0.0);
        Self {
            contacts: assumed.contacts / WORKING,
            punches: assumed.punches * (peak + (1.0 - assumed.peak_share) / PUNCHING),
            approvals: assumed.approvals / WORKING,
        }
    }

    /// Events a second of a member that are of the tenant's one stream.
    pub(super) fn stream_events(&self, assumed: &Assumptions) -> f64 {
        self.contacts * assumed.events_per_contact
    }

    /// Events a second of a member, where there is DingTalk, that are spread over the partitions.
    pub(super) fn spread_events(&self, assumed: &Assumptions) -> f64 {
        self.punches * assumed.events_per_punch + self.approvals * assumed.events_per_approval
    }
}

/// What one tenant or many bring, per second.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    /// Requests and Stream pushes of platforms.
    pub(super) callbacks: f64,
    pub(super) events: f64,
    pub(super) changes: f64,
    /// Batches in which a sink sends the changes.
    pub(super) rounds: f64,
    /// Calls to DingTalk.
    pub(super) dingtalk_calls: f64,
}

impl Load {
    /// Of a tenant, at the peak.
    pub(super) fn at_the_peak(tenant: &Tenant, world: World<'_>) -> Self {
        let (assumed, members) = (world.assumed, tenant.members as f64);
        let rates = Rates::at(PEAK_AT, assumed);
        let contacts = members * rates.contacts;
        let directory = Self {
            callbacks: contacts,
            events: members * rates.stream_events(assumed),
            changes: contacts,
            rounds: contacts,
            dingtalk_calls: 0.0,
        };
        match tenant.platform {
            Platform::Wecom => directory,
            Platform::Dingtalk => {
                let (punches, approvals) = (members * rates.punches, members * rates.approvals);
                let records = Self {
                    callbacks: punches + 2.0 * approvals,
                    events: members * rates.spread_events(assumed),
                    changes: punches * assumed.changes_per_punch + 2.0 * approvals,
                    rounds: gathered(punches * assumed.changes_per_punch, world.capacity.batch as f64)
                        + 2.0 * approvals,
                    dingtalk_calls: gathered(punches, assumed.members_per_call) + 2.0 * approvals,
                };
                let answers = Self { dingtalk_calls: contacts, ..Self::default() };
                directory + records + answers
            }
        }
    }

    /// Seconds of PostgreSQL's processors within a second, where so many partitions are there to batch what comes.
    pub(super) fn postgres_cores(&self, partitions: f64, world: World<'_>) -> f64 {
        let capacity = world.capacity;
        let turns = self.events.min(partitions * capacity.turns());
        (self.events * capacity.postgres_micros_per_event
            + self.changes * capacity.postgres_micros_per_change
            + turns * capacity.postgres_micros_per_turn
            + self.rounds * capacity.postgres_micros_per_round)
            / 1e6
    }
}

impl Add for Load {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            callbacks: self.callbacks + other.callbacks,
            events: self.events + other.events,
            changes: self.changes + other.changes,
            rounds: self.rounds + other.rounds,
            dingtalk_calls: self.dingtalk_calls + other.dingtalk_calls,
        }
    }
}

/// How often a second something is done of which `together` fit into one go, of what comes at this rate and is gathered.
fn gathered(rate: f64, together: f64) -> f64 {
    rate.min((rate * GATHERED / together).ceil() / GATHERED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::tests::options;

    #[test]
    fn a_peak_has_its_share_of_the_day() {
        let assumed = options(&[]).assumed;
        let ordinary = Rates::at(WINDOW, &assumed).punches;
        let in_the_peak: f64 = (0..WINDOW).map(|second| Rates::at(second, &assumed).punches - ordinary).sum();
        assert!((in_the_peak / assumed.punches - assumed.peak_share).abs() < 0.001, "{in_the_peak}");
    }

    #[test]
    fn what_is_gathered_goes_together() {
        assert_eq!(gathered(0.001, 50.0), 0.001, "nothing to gather");
        assert_eq!(gathered(0.5, 50.0), 1.0 / 60.0, "one call a minute");
        assert_eq!(gathered(100.0, 50.0), 2.0, "fifty a call");
    }
}
