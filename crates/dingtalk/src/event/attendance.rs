//! Events of attendance (reference dingtalk 3.3). They are triggers: which day of whom is to be looked at again.

use std::collections::BTreeMap;

use common::{
    EntityKind, Field, Fields, UnixMillis, What,
    attendance::{AMENDED, REFRESHED, day_id},
};

use super::{
    Fact, Meaning, PassedOn,
    body::{Body, time},
    canonical, is_entity_id,
    notice::Notice,
};
use crate::china_time;

/// One thing that an event says: of whose days, and what tells it from another.
struct Item {
    member: String,
    days: Vec<String>,
    content: String,
    /// Equal in all shapes.
    at: UnixMillis,
}

/// What it means; `None` when it is about no member's day, or unclear about whose.
pub(super) fn meaning(notice: &Notice<'_>, now: UnixMillis) -> Option<Meaning> {
    let born = notice.born;
    let items: Vec<Item> = match notice.name.as_str() {
        "attendance_check_record" => parts(notice, punch),
        "attendance_overtime_duration" => parts(notice, |item| overtime(item, born)),
        "attend_bossCheck_change" | "attend_user_daily_summary_refresh" => {
            parts(notice, |item| refreshed(item, born.unwrap_or(now)))
        }
        _ => Vec::new(),
    };
    let key_at = items.iter().map(|item| item.at).min()?;
    let at = born.or_else(|| items.iter().map(|item| item.at).max()).unwrap_or(now);
    let all = items.iter().map(|item| item.content.as_str()).collect();
    let passed_on = PassedOn { content: content(&notice.name, all), key_at };
    let facts = days(&items).into_iter().map(|(id, Said { member, contents, at: key_at })| Fact {
        kind: EntityKind::AttendanceDay,
        id,
        at,
        what: What::Updated { fields: fields(&notice.name, member) },
        hint: true,
        content: content(&notice.name, contents),
        key_at,
    });
    Some(Meaning { facts: facts.collect(), passed_on: Some(passed_on) })
}

/// The items of the list, or the event itself where it has none.
fn parts(notice: &Notice<'_>, read: impl Fn(&Body<'_>) -> Option<Item>) -> Vec<Item> {
    let list = notice.body.bodies("datalist");
    if list.is_empty() { read(&notice.body).into_iter().collect() } else { list.iter().filter_map(read).collect() }
}

/// What was said of a day, and the earliest time of it.
struct Said<'a> {
    member: &'a str,
    contents: Vec<&'a str>,
    at: UnixMillis,
}

fn days(items: &[Item]) -> BTreeMap<String, Said<'_>> {
    let mut days: BTreeMap<String, Said<'_>> = BTreeMap::new();
    for item in items {
        for date in &item.days {
            let said = || Said { member: &item.member, contents: Vec::new(), at: item.at };
            let said = days.entry(day_id(&item.member, date)).or_insert_with(said);
            said.contents.push(&item.content);
            said.at = item.at.min(said.at);
        }
    }
    days
}

/// Whose day it is, as the platform spells it, and whether only all of it shows what is different. A punch is in every list of punches.
fn fields(name: &str, member: &str) -> Fields {
    let fields = Fields::new().with(Field::Member, member);
    match name {
        "attendance_check_record" => fields,
        "attend_user_daily_summary_refresh" => fields.with(Field::Status, REFRESHED),
        _ => fields.with(Field::Status, AMENDED),
    }
}

fn content<'a>(name: &'a str, mut said: Vec<&'a str>) -> String {
    said.sort_unstable();
    said.dedup();
    said.insert(0, name);
    canonical::of(&said)
}

/// A punch, or one that the system reads again: that one has the same id, and asks for the day all the same.
fn punch(item: &Body<'_>) -> Option<Item> {
    let member = member(item)?;
    let at = item.time("checktime")?;
    let date = china_time::date_of(at);
    let before = if china_time::is_night(at) { china_time::day_before(&date) } else { None };
    let content = match item.text("bizid") {
        Some(id) => canonical::of(&["biz", &id]),
        None => {
            let by_user = item.text("checkbyuser").unwrap_or_default();
            canonical::of(&["check", &member, &at.0.to_string(), &by_user])
        }
    };
    Some(Item { member, days: std::iter::once(date).chain(before).collect(), content, at })
}

fn overtime(item: &Body<'_>, born: Option<UnixMillis>) -> Option<Item> {
    let member = member(item)?;
    let date = date(item)?;
    // Old shapes do not say when it was written: it may be written again.
    let written = item.text("timestamp").or_else(|| born.map(|at| at.0.to_string())).unwrap_or_default();
    let key = item.text("key").unwrap_or_else(|| canonical::of(&[&member, &date]));
    let content = canonical::of(&[&key, &item.text("action").unwrap_or_default(), &written]);
    let at = time(&written).or(born).or_else(|| item.time("workdate")).unwrap_or_default();
    Some(Item { member, days: vec![date], content, at })
}

/// An administrator's correction, or statistics that were counted again. Either may happen again, so its time is part of it.
fn refreshed(item: &Body<'_>, at: UnixMillis) -> Option<Item> {
    let member = member(item)?;
    let date = date(item)?;
    let plan = item.text("planid").unwrap_or_default();
    let content = canonical::of(&[&member.to_lowercase(), &date, &plan, &at.0.to_string()]);
    Some(Item { member, days: vec![date], content, at })
}

/// A member's id; one with a slash could not be told from a day's.
fn member(item: &Body<'_>) -> Option<String> {
    item.text("userid").filter(|id| is_entity_id(id) && !id.contains('/'))
}

/// `2026-09-21`, `2026-09-21 00:00:00`, or the moment at which the day begins.
fn date(item: &Body<'_>) -> Option<String> {
    let text = item.text("workdate")?;
    china_time::date_in(&text).or_else(|| time(&text).map(china_time::date_of))
}
