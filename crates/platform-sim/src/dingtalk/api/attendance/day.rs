//! One member's day: results, punches and the approvals that cover it.

use serde_json::{Map, Value, json};

use crate::dingtalk::api::Interface;
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{CheckResult, Cover, Day, Punch, Source, time};

const NOON_MS: i64 = 12 * 3_600_000;
const BREAK_MS: i64 = 3_600_000;

/// Of an unknown user everything is empty.
pub(in super::super) fn get(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let userid = fields.text("userid").ok_or(Refusal::INVALID)?;
    let date = fields.date("work_date").ok_or(Refusal::INVALID)?;
    let day = super::kept_day(view, userid, &date);
    let (mut results, mut punches, mut covers) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(day) = day {
        results.extend(day.results_at(view.now_ms).into_iter().map(result));
        punches.extend(day.punches_at(view.now_ms).map(|punched| punch(view, userid, punched)));
        covers.extend(day.covers_at(view.now_ms).map(cover_row));
    }
    Ok(Good::beside(json!({
        "success": true,
        "result": {
            "corpId": view.company.corp_id(),
            "userid": userid,
            "work_date": format!("{date} 00:00:00"),
            "attendance_result_list": results,
            "check_record_list": punches,
            "approve_list": covers,
            "class_setting_info": { "rest_time_vo_list": breaks(day, &date) },
        },
    })))
}

fn result(result: &CheckResult) -> Value {
    let mut row = Map::from_iter([
        ("source_type".to_owned(), Value::from(result.source.name())),
        ("plan_check_time".to_owned(), Value::from(time::wall(result.plan.planned_ms))),
        ("class_id".to_owned(), Value::from(result.plan.class_id)),
        ("plan_id".to_owned(), Value::from(result.plan.id)),
        ("group_id".to_owned(), Value::from(result.plan.group_id)),
        ("check_type".to_owned(), Value::from(result.plan.check_type.name())),
        ("time_result".to_owned(), Value::from(result.time_result.name())),
        ("location_result".to_owned(), Value::from(result.location_result())),
    ]);
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    if let Some(record_id) = result.record_id {
        put("record_id", Value::from(record_id));
    }
    if let Some(checked_ms) = result.checked_ms {
        put("user_check_time", Value::from(time::wall(checked_ms)));
    }
    let texts = [
        ("location_method", result.location_method),
        ("user_address", result.address.as_str()),
        ("procInst_id", result.instance.as_str()),
    ];
    for (name, text) in texts.into_iter().filter(|(_name, text)| !text.is_empty()) {
        put(name, Value::from(text));
    }
    Value::Object(row)
}

fn punch(view: View<'_>, userid: &str, punch: &Punch) -> Value {
    let checked = Value::from(time::wall(punch.checked_ms));
    let mut row = json!({
        "record_id": punch.record_id,
        "source_type": punch.source.name(),
        "user_check_time": view.checked(Interface::AttendanceDay, userid, checked),
        "valid_matched": punch.matched,
    });
    // A makeup was made nowhere.
    if punch.source != Source::Approve
        && let Value::Object(row) = &mut row
    {
        for (name, text) in [("user_accuracy", "15.0"), ("user_longitude", "120.01"), ("user_latitude", "30.28")] {
            row.insert(name.to_owned(), Value::from(text));
        }
    }
    row
}

/// A row of `approve_list`.
pub(in super::super) fn cover_row(cover: &Cover) -> Value {
    json!({
        "procInst_id": cover.instance,
        "biz_type": cover.kind.biz_type(),
        "tag_name": cover.kind.tag(),
        "sub_type": cover.sub_type,
        "duration": cover.duration,
        "duration_unit": cover.duration_unit,
        "begin_time": time::wall(cover.begin_ms),
        "end_time": time::wall(cover.end_ms),
        "gmt_finished": time::wall(cover.finished_ms),
    })
}

/// The noon break of a day with a shift, as numbers.
fn breaks(day: Option<&Day>, date: &str) -> Vec<Value> {
    let planned = day.is_some_and(|day| !day.plans.is_empty());
    let begin_ms = time::midnight(date).filter(|_midnight| planned).map(|midnight_ms| midnight_ms + NOON_MS);
    let as_row = |begin_ms: i64| json!({ "rest_begin_time": begin_ms, "rest_end_time": begin_ms + BREAK_MS });
    begin_ms.map(as_row).into_iter().collect()
}
