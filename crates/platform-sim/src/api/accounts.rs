//! How many accounts may be created in a month (reference wecom 3.4 and 5.1).

use std::collections::VecDeque;

use super::journal::THROTTLED;
use super::refusal::Refusal;

/// A month; which one WeCom looks at is not known, and one that slides is the strictest. Its block is as long.
const MONTH_MS: i64 = 30 * 86_400_000;
/// So many times the company's accounts may be created within it.
const TIMES: usize = 3;

/// When accounts were created.
#[derive(Default)]
pub(super) struct Accounts {
    created_ms: VecDeque<i64>,
    closed_until_ms: Option<i64>,
}

impl Accounts {
    /// Whether one more may be created; one too many closes the interface for a month.
    pub(super) fn admit(&mut self, account_limit: Option<usize>, now_ms: i64) -> Result<(), Refusal> {
        let Some(limit) = account_limit else { return Ok(()) };
        if self.closed_until_ms.is_some_and(|until_ms| now_ms < until_ms) {
            return Err(Refusal::of(THROTTLED));
        }
        self.forget(now_ms);
        if self.created_ms.len() >= limit.saturating_mul(TIMES) {
            self.closed_until_ms = Some(now_ms.saturating_add(MONTH_MS));
            return Err(Refusal::of(THROTTLED));
        }
        Ok(())
    }

    /// Counts one that was created.
    pub(super) fn count(&mut self, now_ms: i64) {
        self.forget(now_ms);
        self.created_ms.push_back(now_ms);
    }

    fn forget(&mut self, now_ms: i64) {
        let before_ms = now_ms.saturating_sub(MONTH_MS);
        while self.created_ms.front().is_some_and(|created_ms| *created_ms <= before_ms) {
            self.created_ms.pop_front();
        }
    }
}
