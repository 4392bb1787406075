//! Companies, drawn from a seed: many small ones, and a few that are very large.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{assumptions::Assumptions, random::normal};

/// Whose directory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    Wecom,
    /// Brings attendance and approvals, too.
    Dingtalk,
}

/// A company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) members: u64,
    pub(super) departments: u64,
    pub(super) platform: Platform,
}

/// All of them. Their sizes are log-normal, and they have as many members together as is said.
pub(super) fn draw(assumed: &Assumptions, seed: u64) -> Vec<Tenant> {
    let mut random = StdRng::seed_from_u64(seed);
    let weights: Vec<f64> = (0..assumed.tenants).map(|_| (assumed.spread * normal(&mut random)).exp()).collect();
    let sizes = shares(&weights, assumed.members);
    let tenant = |(number, members): (usize, u64)| Tenant {
        id: format!("t{number:05}"),
        members,
        departments: ((members as f64 / assumed.per_department).ceil() as u64).max(1),
        platform: if random.random::<f64>() < assumed.dingtalk { Platform::Dingtalk } else { Platform::Wecom },
    };
    sizes.into_iter().enumerate().map(tenant).collect()
}

/// Shares of a whole: one for each weight, none is nothing, and together they are the whole.
fn shares(weights: &[f64], whole: u64) -> Vec<u64> {
    let (sum, free) = (weights.iter().sum::<f64>(), whole.saturating_sub(weights.len() as u64));
    let (mut weighed, mut given) = (0.0_f64, 0_u64);
    let mut share = |weight: &f64| {
        weighed += *weight;
        let until = ((weighed / sum * free as f64).round() as u64).clamp(given, free);
        let share = until - given + 1;
        given = until;
        share
    };
    let mut shares: Vec<u64> = weights.iter().map(&mut share).collect();
    // What rounding left over.
    if let Some(last) = shares.last_mut() {
        *last += free - given;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::tests::options;

    #[test]
    fn all_members_are_somewhere_and_a_seed_draws_the_same() {
        let assumed = options(&["--tenants", "3000", "--members", "3000000"]).assumed;
        let drawn = draw(&assumed, 7);
        assert_eq!(drawn.iter().map(|tenant| tenant.members).sum::<u64>(), 3_000_000);
        assert!(drawn.iter().all(|tenant| tenant.members > 0 && tenant.departments > 0));
        assert_eq!(drawn, draw(&assumed, 7));
        assert_ne!(drawn, draw(&assumed, 8));
    }

    #[test]
    fn few_are_large() {
        let mut sizes: Vec<u64> = draw(&options(&[]).assumed, 1).iter().map(|tenant| tenant.members).collect();
        sizes.sort_unstable();
        assert!(sizes[9_999] > 80_000, "the largest: {}", sizes[9_999]);
        assert!(sizes[5_000] < 300, "the one in the middle: {}", sizes[5_000]);
    }

    #[test]
    fn shares_are_the_whole() {
        for (weights, whole) in [(vec![1.0, 1.0, 1.0], 10), (vec![0.001, 1e9], 2), (vec![3.0], 7)] {
            let shares = shares(&weights, whole);
            assert_eq!(shares.iter().sum::<u64>(), whole, "{shares:?}");
            assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
        }
    }
}
