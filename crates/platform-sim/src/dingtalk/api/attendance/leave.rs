//! Leave: how much of which kind on which day, and who is on leave when.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{covers, dates, distinct};
use crate::dingtalk::api::desk::View;
use crate::dingtalk::api::refusal::Refusal;
use crate::dingtalk::api::reply::Good;
use crate::dingtalk::api::request::Fields;
use crate::dingtalk::{Cover, CoverKind, LeaveType, time};

const MOST_NAMES: usize = 20;
const MOST_DAYS: usize = 31;
const OLDEST_DAYS: i64 = 225;
const MOST_MEMBERS: usize = 100;
const MOST_ROWS: usize = 20;
const MOST_STATUS_DAYS: i64 = 180;
const TOO_LONG: Refusal = Refusal::Old(850_012);

/// `getleavetimebynames`. A leave type without a column in the report has no values, and a name that nobody gave to
/// one is not there at all.
pub(in super::super) fn times(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    let userid = fields.text("userid").ok_or(Refusal::INVALID)?;
    let names = fields.split("leave_names").filter(|names| names.len() <= MOST_NAMES).ok_or(Refusal::Old(850_015))?;
    let from_ms = fields.moment("from_date").ok_or(Refusal::INVALID)?;
    let to_ms = fields.moment("to_date").ok_or(Refusal::INVALID)?;
    let dates = dates(from_ms, to_ms, MOST_DAYS, TOO_LONG)?;
    if from_ms < view.now_ms.saturating_sub(OLDEST_DAYS * time::DAY_MS) {
        return Err(TOO_LONG);
    }
    let types = view.company.leave_types().iter().filter(|leave| names.contains(&leave.name));
    let column = |leave: &LeaveType| {
        let value = |date: &String| {
            let amount = amount(view, userid, date, &leave.name);
            json!({ "date": format!("{date} 00:00:00"), "value": amount })
        };
        let values: Vec<Value> = dates.iter().filter(|_date| leave.has_column).map(value).collect();
        json!({
            "columnvo": { "name": leave.name, "alias": "leave_", "type": 1, "sub_type": 1, "status": 0 },
            "columnvals": values,
        })
    };
    Ok(Good::Result(json!({ "columns": types.map(column).collect::<Vec<_>>() })))
}

/// `getleavestatus`: each agreed leave from its beginning to its end.
pub(in super::super) fn status(view: View<'_>, fields: Fields<'_>) -> Result<Good, Refusal> {
    const WRONG: Refusal = Refusal::INVALID;
    let userids = fields.split("userid_list").ok_or(WRONG)?;
    let userids = distinct(&userids, MOST_MEMBERS, WRONG)?;
    let (from_ms, to_ms) = (fields.needed("start_time", WRONG)?, fields.needed("end_time", WRONG)?);
    let offset = fields.up_to("offset", usize::MAX, WRONG)?;
    let size = fields.up_to("size", MOST_ROWS, WRONG)?;
    let sound = size > 0 && from_ms <= to_ms && to_ms.saturating_sub(from_ms) <= MOST_STATUS_DAYS * time::DAY_MS;
    if !sound {
        return Err(WRONG);
    }
    let mut leaves: BTreeMap<(&str, i64, &str), Leave<'_>> = BTreeMap::new();
    let days = view.company.days().keys().filter(|(userid, _date)| userids.contains(userid.as_str()));
    for (userid, date) in days {
        for cover in covers(view, userid, date).filter(|cover| cover.kind == CoverKind::Leave) {
            let mut known = leaves.values_mut();
            let known = known.find(|leave| leave.userid == userid && leave.cover.instance == cover.instance);
            match known {
                Some(leave) => leave.add(cover),
                None => {
                    let leave = Leave { userid, cover, end_ms: cover.end_ms, amount: number(&cover.duration) };
                    leaves.insert((userid.as_str(), cover.begin_ms, cover.instance.as_str()), leave);
                }
            }
        }
    }
    let overlapping = leaves.values().filter(|leave| leave.cover.begin_ms <= to_ms && leave.end_ms >= from_ms);
    let mut rows = overlapping.map(|leave| leave.row(view)).skip(offset);
    let page: Vec<Value> = rows.by_ref().take(size).collect();
    let has_more = rows.next().is_some();
    Ok(Good::beside(json!({ "success": true, "result": { "has_more": has_more, "leave_status": page } })))
}

/// One leave over all its days.
struct Leave<'a> {
    userid: &'a str,
    /// Of its first day.
    cover: &'a Cover,
    end_ms: i64,
    amount: f64,
}

impl<'a> Leave<'a> {
    fn add(&mut self, cover: &'a Cover) {
        self.end_ms = self.end_ms.max(cover.end_ms);
        self.amount += number(&cover.duration);
    }

    fn row(&self, view: View<'_>) -> Value {
        let kind = view.company.leave_types().iter().find(|leave| leave.name == self.cover.sub_type);
        let unit = if self.cover.duration_unit == "DAY" { "percent_day" } else { "percent_hour" };
        json!({
            "userid": self.userid,
            "leave_code": kind.map(|leave| leave.code.as_str()),
            "start_time": self.cover.begin_ms,
            "end_time": self.end_ms,
            "duration_percent": (self.amount * 100.0).round() as i64,
            "duration_unit": unit,
        })
    }
}

/// How much leave of a type there is on a day, as the API prints it.
fn amount(view: View<'_>, userid: &str, date: &str, name: &str) -> String {
    let leaves = covers(view, userid, date).filter(|cover| cover.kind == CoverKind::Leave && cover.sub_type == name);
    // An empty sum of floats is -0.0.
    format!("{:.1}", leaves.map(|cover| number(&cover.duration)).fold(0.0, |all, some| all + some))
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_default()
}
