//! The planned check points of a day.

use serde_json::{Value, json};

use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{Plan, time};

const MOST_ROWS: usize = 200;
/// Larger organisations are refused.
const MOST_MEMBERS: usize = 10_000;
/// Shifts are materialised for so many days ahead only.
const DAYS_AHEAD: i64 = 15;

/// Of all members, in pages.
pub(in super::super) fn list(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let date = fields.date("workDate").ok_or(Refusal::INVALID)?;
    let offset = fields.whole("offset", Refusal::INVALID)?.unwrap_or_default();
    let offset = usize::try_from(offset).map_err(|_error| Refusal::INVALID)?;
    let size = fields.whole("size", Refusal::INVALID)?.unwrap_or(MOST_ROWS as i64);
    let size = usize::try_from(size).ok().filter(|size| (1..=MOST_ROWS).contains(size)).ok_or(Refusal::INVALID)?;
    if view.company.members().len() > MOST_MEMBERS {
        return Err(Refusal::INVALID);
    }
    let last = time::date(view.now_ms.saturating_add(DAYS_AHEAD * time::DAY_MS));
    let of_day = view.company.days().iter().filter(|((_userid, on), _day)| *on == date && date <= last);
    let mut points = of_day.flat_map(|((userid, _on), day)| day.plans.iter().map(move |plan| (userid, plan)));
    let page: Vec<Value> = points.by_ref().skip(offset).take(size).map(|(userid, plan)| row(userid, plan)).collect();
    Ok(Good::Result(json!({ "has_more": points.next().is_some(), "schedules": page })))
}

fn row(userid: &str, plan: &Plan) -> Value {
    json!({
        "plan_id": plan.id,
        "check_type": plan.check_type.name(),
        "userid": userid,
        "class_id": plan.class_id,
        "class_setting_id": plan.class_id,
        "group_id": plan.group_id,
        "plan_check_time": time::wall(plan.planned_ms),
    })
}
