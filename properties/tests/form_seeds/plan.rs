//! What a seed is like.

use std::collections::BTreeSet;

use platform_sim::jiandaoyun::{ApiOptions, FilterMode, FormsOptions, Limits};

use crate::dice::Dice;

/// The key of the API.
pub(crate) const KEY: &str = "form-key";
/// As it is configured: nothing is committed later than this.
pub(crate) const OVERLAP_SECONDS: u64 = 600;
const LATEST_MILLIS: usize = 500_000;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Records of a page.
    pub(crate) page: usize,
    /// Whether what people do can be read later than they do it, some of it later than other.
    is_late: bool,
    /// Whether an approval moves the time of the last change. Where it does not, only the daily poll finds it.
    pub(crate) steps_move_update_time: bool,
    filters: Filters,
}

/// What the platform does with our filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filters {
    Honoured,
    IgnoredTime,
    IgnoredFlow,
    Ignored,
}

impl Plan {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let filters =
            [Filters::Honoured, Filters::Honoured, Filters::IgnoredTime, Filters::IgnoredFlow, Filters::Ignored];
        Self {
            page: dice.between(2, 8),
            is_late: dice.once_in(2),
            steps_move_update_time: !dice.once_in(4),
            filters: dice.pick(&filters).copied().unwrap(),
        }
    }

    /// How late what people do next can be read.
    pub(crate) fn lag_ms(&self, dice: &mut Dice) -> i64 {
        if self.is_late { dice.below(LATEST_MILLIS) as i64 } else { 0 }
    }

    pub(crate) fn forms(&self, seed: u64) -> FormsOptions {
        FormsOptions { seed, steps_move_update_time: self.steps_move_update_time, ..FormsOptions::default() }
    }

    pub(crate) fn api(&self, seed: u64) -> ApiOptions {
        let ignored = match self.filters {
            Filters::IgnoredTime => Some("updateTime"),
            Filters::IgnoredFlow => Some("flowState"),
            Filters::Honoured | Filters::Ignored => None,
        };
        ApiOptions {
            seed,
            limits: Limits::none(),
            filters: FilterMode::Lenient,
            ignored_fields: ignored.map(str::to_owned).into_iter().collect::<BTreeSet<String>>(),
            ignores_filters: self.filters == Filters::Ignored,
            ..ApiOptions::new(KEY)
        }
    }
}
