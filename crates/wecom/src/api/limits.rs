//! How often interfaces may be called (reference wecom 5.1).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use outbound::{Allowance, Limit, Spend};
use tokio::time::Instant;

use super::Code;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// What one company may do with one interface.
const OF_COMPANY: &[Limit] = &[Limit { calls: 10_000, per: MINUTE }, Limit { calls: 150_000, per: HOUR }];

/// What one address may do with one interface, for all companies together.
const OF_ADDRESS: &[Limit] = &[Limit { calls: 20_000, per: MINUTE }, Limit { calls: 600_000, per: HOUR }];

/// What one call of an interface spends: first of the company's allowance, then of the address's.
pub(crate) fn spends(corp_id: &Arc<str>, egress: &Arc<str>, api: &'static str) -> [Spend; 2] {
    let of_company = Allowance { company: Arc::clone(corp_id), interface: api, egress: "".into() };
    let of_address = Allowance { company: "".into(), interface: api, egress: Arc::clone(egress) };
    [Spend { of: of_company, limits: OF_COMPANY }, Spend { of: of_address, limits: OF_ADDRESS }]
}

/// What the platform refused for being too often, by interface.
///
/// It does not say which limit was exceeded. A block lasts as long as that limit's window, so the first one is taken
/// for a minute; who is refused again as soon as that is over has exceeded the limit of an hour. Kept is when blocks
/// end.
#[derive(Default)]
pub(crate) struct Blocks(Mutex<HashMap<&'static str, Instant>>);

impl Blocks {
    /// Notes a refusal, for which the table says `least`, and tells how long the interface is to be left alone.
    pub(crate) fn refused(&self, api: &'static str, code: Code, least: Duration, now: Instant) -> Duration {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let by_window = code == Code::TOO_OFTEN || code == Code::ABNORMAL_TRAFFIC;
        let refuses_for = match blocks.get(api) {
            // It was on its way when the block began.
            Some(&until) if now < until => until - now,
            Some(&until) if by_window && now < until + MINUTE => least.max(HOUR),
            _ => least,
        };
        blocks.insert(api, now + refuses_for);
        refuses_for
    }

    /// Notes that the interface answers, after which a refusal is a new one.
    pub(crate) fn answered(&self, api: &'static str, now: Instant) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.get(api).is_some_and(|&until| now >= until) {
            blocks.remove(api);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_refusal_in_a_row_is_the_limit_of_an_hour() {
        let (blocks, start) = (Blocks::default(), Instant::now());
        let refused = |after: u64| {
            let now = start + Duration::from_secs(after);
            blocks.refused("user/get", Code::TOO_OFTEN, MINUTE, now).as_secs()
        };
        assert_eq!([refused(0), refused(20), refused(61)], [60, 40, 3600]);
        assert_eq!(blocks.refused("user/list", Code::TOO_OFTEN, MINUTE, start), MINUTE, "each interface by itself");
        assert_eq!(refused(61 + 3600 + 60), 60, "long after it");
    }

    #[test]
    fn an_answer_in_between_begins_anew() {
        let (blocks, start) = (Blocks::default(), Instant::now());
        let at = |after: u64| start + Duration::from_secs(after);
        assert_eq!(blocks.refused("user/get", Code::TOO_OFTEN, MINUTE, at(0)), MINUTE);
        blocks.answered("user/get", at(10));
        assert_eq!(blocks.refused("user/get", Code::TOO_OFTEN, MINUTE, at(20)).as_secs(), 40);
        blocks.answered("user/get", at(61));
        assert_eq!(blocks.refused("user/get", Code::TOO_OFTEN, MINUTE, at(62)), MINUTE);
    }
}
