//! Attendance (reference dingtalk 4.3). Times are whole seconds everywhere, so that all interfaces tell the same.

pub(super) mod batches;
pub(super) mod day;
pub(super) mod leave;
pub(super) mod report;
pub(super) mod schedule;

use std::collections::BTreeSet;

use super::desk::View;
use super::refusal::Refusal;
use crate::dingtalk::{Cover, Day, time};

/// The dates from one to another, both included; refused where the days are too many or none.
fn dates(from_ms: i64, to_ms: i64, most: usize, too_many: Refusal) -> Result<Vec<String>, Refusal> {
    let mut dates = Vec::new();
    let (mut date, last) = (time::date(from_ms), time::date(to_ms));
    while date <= last {
        if dates.len() == most {
            return Err(too_many);
        }
        let next = time::next_day(&date).ok_or(too_many)?;
        dates.push(std::mem::replace(&mut date, next));
    }
    if dates.is_empty() { Err(too_many) } else { Ok(dates) }
}

/// Each id once, sorted; refused where they are too many or none.
fn distinct(userids: &[String], most: usize, otherwise: Refusal) -> Result<BTreeSet<&str>, Refusal> {
    if userids.is_empty() || userids.len() > most {
        return Err(otherwise);
    }
    Ok(userids.iter().map(String::as_str).collect())
}

/// A member's day, if there is anything on it that is told.
fn kept_day<'a>(view: View<'a>, userid: &str, date: &str) -> Option<&'a Day> {
    let is_told = view.options.tells_of_former || view.company.members().contains_key(userid);
    view.company.day(userid, date).filter(|_day| is_told)
}

/// The approvals that cover a day as the API tells them now.
fn covers<'a>(view: View<'a>, userid: &str, date: &str) -> impl Iterator<Item = &'a Cover> + use<'a> {
    kept_day(view, userid, date).into_iter().flat_map(move |day| day.covers_at(view.now_ms))
}

/// Without the milliseconds.
fn whole_second(at_ms: i64) -> i64 {
    at_ms - at_ms.rem_euclid(1000)
}
