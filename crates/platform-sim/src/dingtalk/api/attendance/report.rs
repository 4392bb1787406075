//! The attendance report: its columns and their values.

use serde_json::{Value, json};

use super::{dates, kept_day};
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{CoverKind, Day, TimeResult, time};

const MOST_COLUMNS: usize = 20;
const MOST_DAYS: usize = 31;
/// Of days longer ago the planned days come out as 0.
const PLANNED_DAYS: i64 = 15;

/// A column: its id, name and alias.
struct Column(i64, &'static str, &'static str);

const NAME: Column = Column(1001, "姓名", "user_name");
/// Those with a value for each day.
const DAILY: [Column; 6] = [
    Column(2001, "应出勤天数", "should_attendance_days"),
    Column(2002, "出勤天数", "attendance_days"),
    Column(2003, "迟到次数", "late_times"),
    Column(2004, "早退次数", "early_times"),
    Column(2005, "缺卡次数", "lack_times"),
    Column(2006, "加班次数", "overtime_times"),
];

/// `getattcolumns`. Leave columns have no ids, and there is one only for types that were given one.
pub(in super::super) fn columns(view: View<'_>) -> Result<Good, Refusal> {
    check_report(view)?;
    let leave = view.company.leave_types().iter().filter(|leave| leave.has_column);
    let leave =
        leave.map(|leave| json!({ "name": leave.name, "alias": "leave_", "type": 1, "sub_type": 1, "status": 0 }));
    let daily = DAILY.iter().map(|Column(id, name, alias)| column(*id, name, alias, 1));
    let fixed = std::iter::once(column(NAME.0, NAME.1, NAME.2, 0));
    let columns: Vec<Value> = fixed.chain(daily).chain(leave).collect();
    Ok(Good::Result(json!({ "columns": columns })))
}

/// `getcolumnval`. Not for leavers.
pub(in super::super) fn values(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    check_report(view)?;
    let userid = fields.text("userid").ok_or(Refusal::INVALID)?;
    let member = view.company.member(userid).ok_or(Refusal::Old(60_121))?;
    let ids = fields.split("column_id_list").filter(|ids| ids.len() <= MOST_COLUMNS).ok_or(Refusal::Old(850_015))?;
    let from_ms = fields.moment("from_date").ok_or(Refusal::INVALID)?;
    let to_ms = fields.moment("to_date").ok_or(Refusal::INVALID)?;
    let dates = dates(from_ms, to_ms, MOST_DAYS, Refusal::Old(850_012))?;
    let mut columns = Vec::new();
    for id in &ids {
        let id: i64 = id.parse().map_err(|_error| Refusal::Old(850_015))?;
        if id == NAME.0 {
            columns.push(json!({ "column_vo": { "id": id }, "fixed_value": member.name }));
            continue;
        }
        if DAILY.iter().all(|column| column.0 != id) {
            return Err(Refusal::Old(850_015));
        }
        let value = |date: &String| {
            let value = daily(view, userid, date, id).to_string();
            json!({ "date": format!("{date} 00:00:00"), "value": value })
        };
        let values: Vec<Value> = dates.iter().map(value).collect();
        columns.push(json!({ "column_vo": { "id": id }, "column_vals": values }));
    }
    Ok(Good::Result(json!({ "column_vals": columns })))
}

fn check_report(view: View<'_>) -> Result<(), Refusal> {
    if view.options.report { Ok(()) } else { Err(Refusal::Old(43_007)) }
}

fn column(id: i64, name: &str, alias: &str, kind: i64) -> Value {
    json!({ "id": id, "name": name, "alias": alias, "type": kind, "sub_type": 0, "status": 0 })
}

fn daily(view: View<'_>, userid: &str, date: &str, id: i64) -> usize {
    let Some(day) = kept_day(view, userid, date) else { return 0 };
    let results = |wanted: &[TimeResult]| {
        let results = day.results_at(view.now_ms).into_iter();
        results.filter(|result| wanted.contains(&result.time_result)).count()
    };
    match id {
        2001 => planned(view, day, date),
        2002 => usize::from(day.results_at(view.now_ms).iter().any(|result| result.checked_ms.is_some())),
        2003 => results(&[TimeResult::Late, TimeResult::SeriousLate]),
        2004 => results(&[TimeResult::Early]),
        2005 => results(&[TimeResult::NotSigned]),
        _ => day.covers_at(view.now_ms).filter(|cover| cover.kind == CoverKind::Overtime).count(),
    }
}

fn planned(view: View<'_>, day: &Day, date: &str) -> usize {
    let oldest = time::date(view.now_ms.saturating_sub(PLANNED_DAYS * time::DAY_MS));
    usize::from(!day.plans.is_empty() && date >= oldest.as_str())
}
