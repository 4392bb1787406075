//! Results and punches of many members over some days.

use serde_json::{Map, Value, json};

use super::{dates, distinct, whole_second};
use crate::dingtalk::api::Interface;
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{CheckResult, Day, Punch, Source, time};

const MOST_MEMBERS: usize = 50;
const MOST_ROWS: usize = 50;
const MOST_DAYS: usize = 7;
const OLDEST_DAYS: i64 = 180;
const WRONG: Refusal = Refusal::INVALID_LIST;

/// `/attendance/list`: whole days, in pages. Points that nobody punched at are there, wrong ids give nothing.
pub(in super::super) fn results(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let from_ms = fields.moment("workDateFrom").ok_or(WRONG)?;
    let to_ms = fields.moment("workDateTo").ok_or(WRONG)?;
    let dates = dates(from_ms, to_ms, MOST_DAYS, WRONG)?;
    let userids = fields.list("userIdList").ok_or(WRONG)?;
    let userids = distinct(&userids, MOST_MEMBERS, WRONG)?;
    let offset = fields.up_to("offset", usize::MAX, WRONG)?;
    let limit = fields.up_to("limit", MOST_ROWS, WRONG)?;
    if limit == 0 {
        return Err(WRONG);
    }
    let mut rows = Vec::new();
    if !fields.flag("isI18n") {
        for userid in userids {
            for date in dates.iter().filter(|date| is_recent(view, date)) {
                let results =
                    super::kept_day(view, userid, date).map(|day| day.results_at(view.now_ms)).unwrap_or_default();
                rows.extend(results.into_iter().map(|result| result_row(userid, date, result)));
            }
        }
    }
    let has_more = rows.len() > offset.saturating_add(limit);
    let page: Vec<Value> = rows.into_iter().skip(offset).take(limit).collect();
    Ok(Good::beside(json!({ "hasMore": has_more, "recordresult": page })))
}

/// `/attendance/listRecord`: exact times, no pages.
pub(in super::super) fn punches(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let from_ms = fields.moment("checkDateFrom").ok_or(WRONG)?;
    let to_ms = fields.moment("checkDateTo").ok_or(WRONG)?;
    let dates = dates(from_ms, to_ms, MOST_DAYS, WRONG)?;
    let userids = fields.list("userIds").ok_or(WRONG)?;
    let userids = distinct(&userids, MOST_MEMBERS, WRONG)?;
    let mut rows = Vec::new();
    if !fields.flag("isI18n") {
        // A punch of the night belongs to the day before, and one before midnight may belong to the day after.
        let around = [time::previous_day, time::next_day];
        let outer = [dates.first(), dates.last()].into_iter().zip(around).filter_map(|(date, step)| step(date?));
        let kept: Vec<String> = dates.iter().cloned().chain(outer).collect();
        for userid in userids {
            for date in &kept {
                let Some(day) = super::kept_day(view, userid, date) else { continue };
                let asked = |punch: &&Punch| {
                    let second_ms = whole_second(punch.checked_ms);
                    (from_ms..=to_ms).contains(&second_ms) && is_recent(view, &time::date(second_ms))
                };
                let punches = day.punches_at(view.now_ms).filter(asked);
                rows.extend(punches.map(|punch| punch_row(view, userid, date, day, punch)));
            }
        }
    }
    Ok(Good::beside(json!({ "recordresult": rows })))
}

/// Nothing older than half a year is told.
fn is_recent(view: View<'_>, date: &str) -> bool {
    let oldest_ms = view.now_ms.saturating_sub(OLDEST_DAYS * time::DAY_MS);
    date >= time::date(oldest_ms).as_str()
}

fn result_row(userid: &str, date: &str, result: &CheckResult) -> Value {
    let mut row = Map::from_iter([
        ("id".to_owned(), Value::from(result.id)),
        ("userId".to_owned(), Value::from(userid)),
        ("workDate".to_owned(), Value::from(time::midnight(date))),
        ("locationResult".to_owned(), Value::from(result.location_result())),
        ("sourceType".to_owned(), Value::from(result.source.name())),
    ]);
    put_plan(&mut row, result);
    if let Some(record_id) = result.record_id {
        row.insert("recordId".to_owned(), Value::from(record_id));
    }
    if let Some(checked_ms) = result.checked_ms {
        row.insert("userCheckTime".to_owned(), Value::from(whole_second(checked_ms)));
    }
    if !result.instance.is_empty() {
        row.insert("procInstId".to_owned(), Value::from(result.instance.as_str()));
    }
    Value::Object(row)
}

fn punch_row(view: View<'_>, userid: &str, date: &str, day: &Day, punch: &Punch) -> Value {
    let checked_ms = Value::from(whole_second(punch.checked_ms));
    let mut row = Map::from_iter([
        ("id".to_owned(), Value::from(punch.record_id)),
        ("bizId".to_owned(), Value::from(punch.biz_id.as_str())),
        ("corpId".to_owned(), Value::from(view.company.corp_id())),
        ("userId".to_owned(), Value::from(userid)),
        ("workDate".to_owned(), Value::from(time::midnight(date))),
        ("userCheckTime".to_owned(), view.checked(Interface::AttendancePunches, userid, checked_ms.clone())),
        ("sourceType".to_owned(), Value::from(punch.source.name())),
        ("locationMethod".to_owned(), Value::from(punch.location_method)),
        ("locationResult".to_owned(), Value::from("Normal")),
        ("isLegal".to_owned(), Value::from("Y")),
        ("gmtCreate".to_owned(), checked_ms.clone()),
        ("gmtModified".to_owned(), checked_ms),
    ]);
    let mut results = day.results_at(view.now_ms).into_iter();
    if let Some(result) = results.find(|result| result.record_id == Some(punch.record_id)) {
        put_plan(&mut row, result);
        row.insert("classId".to_owned(), Value::from(result.plan.class_id));
        row.insert("planCheckTime".to_owned(), Value::from(result.plan.planned_ms));
    }
    if punch.source != Source::Approve {
        row.insert("userAddress".to_owned(), Value::from(punch.address.as_str()));
        row.insert("userLongitude".to_owned(), Value::from(120.01));
        row.insert("userLatitude".to_owned(), Value::from(30.28));
    }
    if !punch.instance.is_empty() {
        row.insert("procInstId".to_owned(), Value::from(punch.instance.as_str()));
    }
    Value::Object(row)
}

/// What both rows tell of the planned point.
fn put_plan(row: &mut Map<String, Value>, result: &CheckResult) {
    row.insert("planId".to_owned(), Value::from(result.plan.id));
    row.insert("groupId".to_owned(), Value::from(result.plan.group_id));
    row.insert("checkType".to_owned(), Value::from(result.plan.check_type.name()));
    row.insert("timeResult".to_owned(), Value::from(result.time_result.name()));
    row.insert("baseCheckTime".to_owned(), Value::from(result.plan.planned_ms));
}
