//! Which planned check point a punch is for, and what comes of it.

use super::super::time;
use super::{CheckResult, CheckType, Company, Plan, Punch, Source, TimeResult};

/// A punch further than that from every plan is for none.
const REACH_MS: i64 = 6 * 3_600_000;

impl Company {
    /// The day that a punch at that time is for: of a night shift the day before.
    pub(super) fn work_date(&self, userid: &str, at_ms: i64) -> String {
        let dates = [at_ms - time::DAY_MS, at_ms, at_ms + time::DAY_MS].map(time::date);
        let distance = |date: &String| {
            let plan = nearest(&self.day(userid, date)?.plans, at_ms)?;
            Some((plan.planned_ms - at_ms).abs())
        };
        let near = dates.iter().filter_map(|date| Some((distance(date)?, date)));
        near.min().map_or_else(|| time::date(at_ms), |(_distance, date)| date.clone())
    }

    /// Records a punch of a day; a result uses it if it is better than what was there.
    pub(super) fn take_punch(&mut self, userid: &str, date: &str, mut punch: Punch, now_ms: i64) {
        let visible_from_ms = now_ms.saturating_add(self.options.result_lag_ms);
        let day = self.day_mut(userid, date);
        if let Some(plan) = nearest(&day.plans, punch.checked_ms).cloned() {
            let newest = day.versions.iter().rev().find(|result| result.plan.id == plan.id);
            if let Some(newest) = newest.filter(|newest| is_better(newest, &punch)) {
                punch.matched = true;
                let result = CheckResult { visible_from_ms, ..result_of(newest, &punch) };
                day.versions.push(result);
            }
        }
        day.punches.push(punch);
    }
}

/// The plan closest to that time, within reach.
pub(super) fn nearest(plans: &[Plan], at_ms: i64) -> Option<&Plan> {
    let distance = |plan: &&Plan| (plan.planned_ms - at_ms).abs();
    plans.iter().min_by_key(distance).filter(|plan| distance(plan) <= REACH_MS)
}

/// The result that a punch makes of the one before.
pub(super) fn result_of(before: &CheckResult, punch: &Punch) -> CheckResult {
    CheckResult {
        record_id: Some(punch.record_id),
        checked_ms: Some(punch.checked_ms),
        time_result: judge(&before.plan, punch.checked_ms),
        source: punch.source,
        location_method: punch.location_method,
        address: punch.address.clone(),
        instance: punch.instance.clone(),
        ..before.clone()
    }
}

/// Who comes is counted from the first punch, who goes by the last; what people decided stays.
fn is_better(before: &CheckResult, punch: &Punch) -> bool {
    if matches!(before.source, Source::Boss | Source::Approve) {
        return false;
    }
    before.checked_ms.is_none_or(|checked_ms| match before.plan.check_type {
        CheckType::OnDuty => punch.checked_ms < checked_ms,
        CheckType::OffDuty => punch.checked_ms > checked_ms,
    })
}

fn judge(plan: &Plan, checked_ms: i64) -> TimeResult {
    let late_minutes = (checked_ms - plan.planned_ms).div_euclid(60_000);
    match plan.check_type {
        CheckType::OffDuty if checked_ms < plan.planned_ms => TimeResult::Early,
        CheckType::OffDuty => TimeResult::Normal,
        CheckType::OnDuty => match late_minutes {
            ..=0 => TimeResult::Normal,
            1..=30 => TimeResult::Late,
            31..=60 => TimeResult::SeriousLate,
            _ => TimeResult::Absenteeism,
        },
    }
}
