//! What approvals bring about in attendance (reference dingtalk 4.3 and 6.4).

use serde_json::json;

use super::super::events::Event;
use super::super::{ids, time};
use super::matching::{nearest, result_of};
use super::{BizAction, CheckResult, Company, Cover, CoverKind, Illegal, LeaveUnit, Matter, Punch, Source, TimeResult};

/// The longest stretch that an approval covers.
const MAX_DAYS: usize = 400;

/// What covers a stretch of time, and of whom.
struct Stretch {
    people: Vec<String>,
    kind: CoverKind,
    sub_type: String,
    unit: LeaveUnit,
    begin_ms: i64,
    end_ms: i64,
}

impl Company {
    /// Whether a matter can be asked for.
    pub(super) fn check_matter(&self, matter: &Matter) -> Result<(), Illegal> {
        if let Matter::Overtime { workers, .. } = matter {
            for worker in workers {
                self.present(worker)?;
            }
        }
        match matter {
            Matter::Leave { leave_type, .. } if !self.leave_types.iter().any(|known| known.name == *leave_type) => {
                Err(Illegal::UnknownLeaveType(leave_type.clone()))
            }
            Matter::Makeup { work_date, .. } if time::midnight(work_date).is_none() => {
                Err(Illegal::Time(work_date.clone()))
            }
            Matter::Leave { begin_ms, end_ms, .. }
            | Matter::Overtime { begin_ms, end_ms, .. }
            | Matter::Trip { begin_ms, end_ms }
            | Matter::Outing { begin_ms, end_ms }
                if begin_ms >= end_ms =>
            {
                Err(Illegal::Time(format!("{begin_ms} to {end_ms}")))
            }
            _ => Ok(()),
        }
    }

    /// An instance was agreed to.
    pub(super) fn take_effect(&mut self, id: &str, now_ms: i64) -> Vec<Event> {
        let Some(instance) = self.instances.get(id) else { return Vec::new() };
        let (originator, matter, action) = (instance.originator.clone(), instance.matter.clone(), instance.action);
        if let Some(main) = instance.main.clone() {
            let attached = self.instances.get(&main).map(|main| main.attached.clone()).unwrap_or_default();
            for corrected in std::iter::once(main).chain(attached).filter(|corrected| corrected != id) {
                self.take_back(&corrected, now_ms);
            }
        }
        if action == BizAction::Revoke {
            return Vec::new();
        }
        if let Matter::Makeup { work_date, at_ms } = &matter {
            return self.make_up(id, &originator, work_date, *at_ms, now_ms);
        }
        if let Some(stretch) = self.stretch(&originator, &matter) {
            self.cover(id, &stretch, now_ms);
        }
        Vec::new()
    }

    /// What an instance brought about is so no more.
    pub(super) fn take_back(&mut self, id: &str, now_ms: i64) {
        let visible_ms = now_ms.saturating_add(self.options.result_lag_ms);
        for day in self.days.values_mut() {
            for cover in &mut day.covers {
                if cover.instance == id && cover.visible_until_ms.is_none() {
                    cover.visible_until_ms = Some(visible_ms);
                }
            }
            day.punches.retain(|punch| punch.instance != id);
            for plan in &day.plans {
                let versions: Vec<_> = day.versions.iter().filter(|result| result.plan.id == plan.id).collect();
                let made = versions.last().is_some_and(|newest| newest.instance == id);
                let before = versions.iter().rev().find(|result| result.instance != id);
                if let (true, Some(before)) = (made, before) {
                    let restored = CheckResult { visible_from_ms: visible_ms, ..(*before).clone() };
                    day.versions.push(restored);
                }
            }
        }
    }

    /// 补卡: on a planned working day a result and a punch event; on other days a punch, and no event at all.
    fn make_up(&mut self, id: &str, userid: &str, work_date: &str, at_ms: i64, now_ms: i64) -> Vec<Event> {
        let record_id = self.next_record();
        let visible_from_ms = now_ms.saturating_add(self.options.result_lag_ms);
        let mut punch = Punch {
            record_id,
            biz_id: ids::hex(&format!("punch/{}/{record_id}", self.options.seed)).to_uppercase(),
            checked_ms: at_ms,
            source: Source::Approve,
            location_method: "OTHER",
            address: String::new(),
            instance: id.to_owned(),
            matched: false,
            visible_from_ms,
        };
        let told = self.replay(userid, &punch, true);
        let day = self.day_mut(userid, work_date);
        if let Some(plan) = nearest(&day.plans, at_ms).cloned() {
            let newest = day.versions.iter().rev().find(|result| result.plan.id == plan.id);
            if let Some(newest) = newest {
                let time_result = TimeResult::Normal;
                let result = CheckResult { time_result, visible_from_ms, ..result_of(newest, &punch) };
                punch.matched = true;
                day.versions.push(result);
            }
        }
        let announced = punch.matched && !self.holidays.contains(work_date);
        self.day_mut(userid, work_date).punches.push(punch);
        if !announced {
            return Vec::new();
        }
        vec![self.raise("attendance_check_record", now_ms, json!({"dataList": [told]}))]
    }

    fn stretch(&self, originator: &str, matter: &Matter) -> Option<Stretch> {
        let own = vec![originator.to_owned()];
        let (people, kind, sub_type, begin_ms, end_ms) = match matter {
            Matter::Leave { leave_type, begin_ms, end_ms } => {
                (own, CoverKind::Leave, leave_type.as_str(), *begin_ms, *end_ms)
            }
            Matter::Overtime { workers, begin_ms, end_ms } => {
                (workers.clone(), CoverKind::Overtime, "", *begin_ms, *end_ms)
            }
            Matter::Trip { begin_ms, end_ms } => (own, CoverKind::Trip, "", *begin_ms, *end_ms),
            Matter::Outing { begin_ms, end_ms } => (own, CoverKind::Outing, "", *begin_ms, *end_ms),
            Matter::Makeup { .. } | Matter::Other => return None,
        };
        let leave_type = self.leave_types.iter().find(|known| known.name == sub_type);
        let unit = match kind {
            CoverKind::Trip => LeaveUnit::Day,
            CoverKind::Overtime | CoverKind::Outing => LeaveUnit::Hour,
            CoverKind::Leave => leave_type.map_or(LeaveUnit::Hour, |known| known.unit),
        };
        Some(Stretch { people, kind, sub_type: sub_type.to_owned(), unit, begin_ms, end_ms })
    }

    /// Covers each day that the stretch touches, with the part of it that is on that day.
    fn cover(&mut self, id: &str, stretch: &Stretch, now_ms: i64) {
        let visible_from_ms = now_ms.saturating_add(self.options.result_lag_ms);
        let Stretch { people, kind, sub_type, unit, begin_ms, end_ms } = stretch;
        let first = time::date(*begin_ms);
        for date in std::iter::successors(Some(first), |date| time::next_day(date)).take(MAX_DAYS) {
            let Some(midnight_ms) = time::midnight(&date).filter(|midnight_ms| midnight_ms < end_ms) else { break };
            let (begin_ms, end_ms) = (midnight_ms.max(*begin_ms), (midnight_ms + time::DAY_MS).min(*end_ms));
            let (duration, duration_unit) = amount(*unit, end_ms - begin_ms);
            for userid in people {
                self.day_mut(userid, &date).covers.push(Cover {
                    instance: id.to_owned(),
                    kind: *kind,
                    sub_type: sub_type.clone(),
                    duration: duration.clone(),
                    duration_unit,
                    begin_ms,
                    end_ms,
                    finished_ms: now_ms,
                    visible_from_ms,
                    visible_until_ms: None,
                });
            }
        }
    }
}

/// How much of a day, at most a working day of eight hours.
fn amount(unit: LeaveUnit, length_ms: i64) -> (String, &'static str) {
    let half_hours = (length_ms + 1_799_999) / 1_800_000;
    match unit {
        LeaveUnit::Hour => {
            let capped = half_hours.min(16);
            (format!("{}.{}", capped / 2, if capped % 2 == 1 { 5 } else { 0 }), "HOUR")
        }
        LeaveUnit::HalfDay if half_hours <= 10 => ("0.5".to_owned(), "DAY"),
        LeaveUnit::HalfDay | LeaveUnit::Day => ("1.0".to_owned(), "DAY"),
    }
}
