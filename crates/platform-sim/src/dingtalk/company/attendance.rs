//! Operations on attendance, and the events of them (reference dingtalk 3.3).

use serde_json::{Value, json};

use super::super::events::Event;
use super::super::{ids, time};
use super::{CheckResult, CheckType, Company, Cover, CoverKind, Day, Illegal, Plan, Punch, Source, TimeResult};

/// When people come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Its id.
    pub class_id: i64,
    /// The attendance group's id.
    pub group_id: i64,
    /// The check points, in minutes from the midnight that the day begins with; past 1440 is the next day.
    pub points: Vec<(CheckType, i64)>,
}

impl Shift {
    /// From 09:00 to 18:00.
    #[must_use]
    pub fn day() -> Self {
        let points = vec![(CheckType::OnDuty, 9 * 60), (CheckType::OffDuty, 18 * 60)];
        Self { class_id: 9001, group_id: 8001, points }
    }

    /// From 22:00 to 06:00 of the next day.
    #[must_use]
    pub fn night() -> Self {
        let points = vec![(CheckType::OnDuty, 22 * 60), (CheckType::OffDuty, 30 * 60)];
        Self { class_id: 9002, group_id: 8001, points }
    }
}

impl Company {
    /// Makes a day a holiday; no event tells of it.
    pub fn set_holiday(&mut self, date: &str) {
        self.holidays.insert(date.to_owned());
    }

    /// Plans a member's day anew, without any event, and returns the ids of the plans. Punches stay unused.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member or day.
    pub fn schedule(&mut self, userid: &str, date: &str, shift: &Shift) -> Result<Vec<i64>, Illegal> {
        self.present(userid)?;
        let midnight_ms = time::midnight(date).ok_or_else(|| Illegal::Time(date.to_owned()))?;
        let mut plans = Vec::new();
        for (check_type, minutes) in &shift.points {
            let planned_ms = midnight_ms + minutes * 60_000;
            let (class_id, group_id) = (shift.class_id, shift.group_id);
            let id = self.numbers.plan;
            self.numbers.plan += 1;
            plans.push(Plan { id, check_type: *check_type, planned_ms, class_id, group_id });
        }
        let results: Vec<_> = plans.iter().map(|plan| self.not_signed(plan)).collect();
        let plan_ids = plans.iter().map(|plan| plan.id).collect();
        let day = self.day_mut(userid, date);
        day.plans = plans;
        day.versions.extend(results);
        Ok(plan_ids)
    }

    /// Takes the plans of a member's day away; no event tells of it.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member.
    pub fn unschedule(&mut self, userid: &str, date: &str) -> Result<(), Illegal> {
        self.present(userid)?;
        self.day_mut(userid, date).plans.clear();
        Ok(())
    }

    /// Plans a member's day anew; its punches are replayed as the platform does, which is no new punch.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member or day.
    pub fn reschedule(&mut self, userid: &str, date: &str, shift: &Shift) -> Result<Vec<Event>, Illegal> {
        self.schedule(userid, date, shift)?;
        let now_ms = self.tick();
        let punches = std::mem::take(&mut self.day_mut(userid, date).punches);
        let replays: Vec<Value> = punches.iter().map(|punch| self.replay(userid, punch, false)).collect();
        for mut punch in punches {
            punch.matched = false;
            self.take_punch(userid, date, punch, now_ms);
        }
        let mut events = Vec::new();
        if !replays.is_empty() {
            events.push(self.raise("attendance_check_record", now_ms, json!({"dataList": replays})));
        }
        events.push(self.raise("attend_user_daily_summary_refresh", now_ms, summary(userid, date)));
        Ok(events)
    }

    /// A member punches at that time (Unix ms). The second punch within a minute raises no event.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member.
    pub fn punch(&mut self, userid: &str, at_ms: i64) -> Result<Vec<Event>, Illegal> {
        self.present(userid)?;
        let now_ms = self.tick();
        let record_id = self.next_record();
        let at_machine = record_id % 5 == 0;
        let punch = Punch {
            record_id,
            biz_id: ids::hex(&format!("punch/{}/{record_id}", self.options.seed)).to_uppercase(),
            checked_ms: at_ms,
            source: if at_machine { Source::Atm } else { Source::User },
            location_method: if at_machine { "ATM" } else { "MAP" },
            address: "杭州市测试路1号".to_owned(),
            instance: String::new(),
            matched: false,
            visible_from_ms: now_ms.saturating_add(self.options.result_lag_ms),
        };
        let told = self.replay(userid, &punch, true);
        let date = self.work_date(userid, at_ms);
        self.take_punch(userid, &date, punch, now_ms);
        let minute = at_ms.div_euclid(60_000);
        let again = self.punch_minutes.insert(userid.to_owned(), minute) == Some(minute);
        if again {
            return Ok(Vec::new());
        }
        Ok(vec![self.raise("attendance_check_record", now_ms, json!({"dataList": [told]}))])
    }

    /// An administrator edits the result of a planned check point.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such plan of that member.
    pub fn boss_edit(&mut self, userid: &str, plan_id: i64, time_result: TimeResult) -> Result<Vec<Event>, Illegal> {
        self.present(userid)?;
        let mut mine = self.days.iter().filter(|((member, _date), _day)| member == userid);
        let found = mine.find_map(|((_member, date), day)| {
            let plan = day.plans.iter().find(|plan| plan.id == plan_id)?;
            let newest = day.versions.iter().rev().find(|result| result.plan.id == plan_id)?;
            Some((date.clone(), plan.planned_ms, newest.clone()))
        });
        let (date, planned_ms, newest) = found.ok_or(Illegal::UnknownPlan(plan_id))?;
        let now_ms = self.tick();
        let visible_from_ms = now_ms.saturating_add(self.options.result_lag_ms);
        let checked_ms = if time_result == TimeResult::NotSigned { None } else { Some(planned_ms) };
        let (source, instance) = (Source::Boss, String::new());
        let result = CheckResult { source, instance, time_result, checked_ms, visible_from_ms, ..newest };
        self.day_mut(userid, &date).versions.push(result);
        let data = json!({"userId": userid, "workDate": format!("{date} 00:00:00"), "planId": plan_id,
            "action": "attend_bossCheck_update"});
        Ok(vec![self.raise("attend_bossCheck_change", now_ms, data)])
    }

    /// The platform says that it has calculated a member's day anew.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member.
    pub fn daily_summary(&mut self, userid: &str, date: &str) -> Result<Vec<Event>, Illegal> {
        self.present(userid)?;
        let now_ms = self.tick();
        Ok(vec![self.raise("attend_user_daily_summary_refresh", now_ms, summary(userid, date))])
    }

    /// The app itself writes overtime of so many hours into a member's day.
    ///
    /// # Errors
    /// [`Illegal`] if there is no such member or day.
    pub fn write_overtime(&mut self, userid: &str, date: &str, hours: u32) -> Result<Vec<Event>, Illegal> {
        self.present(userid)?;
        let midnight_ms = time::midnight(date).ok_or_else(|| Illegal::Time(date.to_owned()))?;
        let now_ms = self.tick();
        let begin_ms = midnight_ms + 18 * 3_600_000;
        let cover = Cover {
            instance: ids::uuid(&format!("overtime/{userid}/{date}/{}", self.numbers.event)),
            kind: CoverKind::Overtime,
            sub_type: String::new(),
            duration: format!("{hours}.0"),
            duration_unit: "HOUR",
            begin_ms,
            end_ms: begin_ms + i64::from(hours) * 3_600_000,
            finished_ms: now_ms,
            visible_from_ms: now_ms.saturating_add(self.options.result_lag_ms),
            visible_until_ms: None,
        };
        let day_type = match self.day(userid, date) {
            _ if self.holidays.contains(date) => "holiday",
            Some(day) if !day.plans.is_empty() => "workDay",
            _ => "restDay",
        };
        self.day_mut(userid, date).covers.push(cover);
        let corp_id = self.options.corp_id.clone();
        let key = format!("{corp_id};{userid};{}", date.replace('-', ""));
        let item = json!({"userid": userid, "corpId": corp_id, "workDate": midnight_ms, "overtimeDay": 0,
            "overtimeHour": f64::from(hours), "overtimeDayType": day_type, "action": "add", "vacationRate": 1.0,
            "workHoursPerDay": 8, "workMinutesPerDay": 480, "key": key, "timestamp": now_ms});
        Ok(vec![self.raise("attendance_overtime_duration", now_ms, json!({"dataList": [item]}))])
    }

    pub(super) fn day_mut(&mut self, userid: &str, date: &str) -> &mut Day {
        self.days.entry((userid.to_owned(), date.to_owned())).or_default()
    }

    pub(super) fn next_record(&mut self) -> i64 {
        let record_id = self.numbers.record;
        self.numbers.record += 1;
        record_id
    }

    /// A punch as the event tells it: without its place where there is none.
    pub(super) fn replay(&self, userid: &str, punch: &Punch, by_user: bool) -> Value {
        let mut told = json!({"corpId": self.options.corp_id, "userId": userid, "checkTime": punch.checked_ms,
            "bizId": punch.biz_id, "groupId": "4C63AA00", "locationMethod": punch.location_method,
            "locationResult": "Normal", "checkByUser": by_user});
        if let (false, Some(told)) = (punch.address.is_empty(), told.as_object_mut()) {
            told.insert("address".to_owned(), json!(punch.address));
            told.insert("latitude".to_owned(), json!(30.28));
            told.insert("longitude".to_owned(), json!(120.01));
        }
        told
    }

    fn not_signed(&mut self, plan: &Plan) -> CheckResult {
        let id = self.numbers.result;
        self.numbers.result += 1;
        CheckResult {
            id,
            plan: plan.clone(),
            record_id: None,
            checked_ms: None,
            time_result: TimeResult::NotSigned,
            source: Source::System,
            location_method: "",
            address: String::new(),
            instance: String::new(),
            visible_from_ms: 0,
        }
    }
}

fn summary(userid: &str, date: &str) -> Value {
    json!({"userId": userid, "workDate": date})
}
