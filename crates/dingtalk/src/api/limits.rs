//! How often interfaces may be called (reference dingtalk 5.2).

use std::{sync::Arc, time::Duration};

use outbound::{Allowance, Limit, Spend};

/// The interface that tells of one approval.
pub(crate) const APPROVAL: &str = "v1.0/workflow/processInstances";

const SECOND: Duration = Duration::from_secs(1);

/// What one app may do with one interface: 20 calls a second. Somebody else may use the same app.
const OF_APP: &[Limit] = &[Limit { calls: 18, per: SECOND }];

/// What it may do with that of approvals, by calls a second from one on. Its limit is reported as tight, and others stay at five
/// (reference dingtalk 5.2); as a limit of ten seconds they come evenly.
static OF_APPROVALS: [[Limit; 1]; 17] = [
    slow(1),
    slow(2),
    slow(3),
    slow(4),
    slow(5),
    slow(6),
    slow(7),
    slow(8),
    slow(9),
    slow(10),
    slow(11),
    slow(12),
    slow(13),
    slow(14),
    slow(15),
    slow(16),
    slow(17),
];

const fn slow(per_second: u32) -> [Limit; 1] {
    [Limit { calls: 10 * per_second, per: Duration::from_secs(10) }]
}

/// What one address may do in all, for all companies together. Beyond it everything is refused for five minutes.
const OF_ADDRESS: &[Limit] = &[Limit { calls: 10_000, per: Duration::from_secs(20) }];

/// The name of all interfaces together.
const ALL: &str = "dingtalk";

/// What one call of an interface spends: first of the company's allowance, then of the address's.
pub(crate) fn spends(
    corp_id: &Arc<str>,
    egress: &Arc<str>,
    api: &'static str,
    approvals_per_second: u32,
) -> [Spend; 2] {
    let of_company = Allowance { company: Arc::clone(corp_id), interface: api, egress: "".into() };
    let of_address = Allowance { company: "".into(), interface: ALL, egress: Arc::clone(egress) };
    let limits = if api == APPROVAL { of_approvals(approvals_per_second) } else { OF_APP };
    [Spend { of: of_company, limits }, Spend { of: of_address, limits: OF_ADDRESS }]
}

/// No interface may be called more often than any other.
fn of_approvals(per_second: u32) -> &'static [Limit] {
    let place = usize::try_from(per_second.max(1) - 1).unwrap_or(usize::MAX);
    OF_APPROVALS.get(place).map_or(OF_APP, <[Limit; 1]>::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approvals_are_asked_for_as_often_as_that_and_never_more_often_than_anything_else() {
        let calls = |per_second| of_approvals(per_second).iter().map(|limit| (limit.calls, limit.per.as_secs()));
        for (per_second, expected) in
            [(0, (10, 10)), (1, (10, 10)), (5, (50, 10)), (17, (170, 10)), (18, (18, 1)), (u32::MAX, (18, 1))]
        {
            assert_eq!(calls(per_second).collect::<Vec<_>>(), [expected], "{per_second}");
        }
    }
}
