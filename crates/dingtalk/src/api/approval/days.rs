//! To whose attendance a form applies, and on which days: leave, overtime, trips, outings and makeups (reference dingtalk
//! 4.6, "How attendance forms come back").

use std::collections::BTreeSet;

use serde_json::Value;

use super::component::{Component, list, object};
use crate::{
    api::lenient::{as_moment, as_text, text_at},
    china_time::{date_in, date_of, dates_between, day_before, is_night, moment},
};

/// The most days and people of one form. What is beyond them comes with the next look at those days.
const MOST_DAYS: usize = 62;
const MOST_PEOPLE: usize = 200;

/// A suite may hold a table; nothing is deeper.
const DEEPEST: usize = 4;

/// The days of members to which a form applies. Without anybody in the form it is who started it.
pub(super) fn of_form(components: &[Value], applicant: &str) -> Vec<(String, String)> {
    let mut form = Form::default();
    form.visit(components, false, 0);
    if form.people.is_empty() && !applicant.is_empty() {
        form.people.insert(applicant.to_owned());
    }
    let people = form.people.iter().take(MOST_PEOPLE);
    people.flat_map(|who| form.dates.iter().take(MOST_DAYS).map(move |date| (who.clone(), date.clone()))).collect()
}

/// What was found in a form.
#[derive(Default)]
struct Form {
    dates: BTreeSet<String>,
    people: BTreeSet<String>,
}

impl Form {
    /// Looks at components that are beside each other: a beginning and an end among them belong together.
    fn visit(&mut self, beside: &[Value], in_container: bool, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let (mut begins, mut ends) = (Vec::new(), Vec::new());
        for item in beside {
            match item {
                Value::Array(row) => self.visit(row, in_container, depth + 1),
                Value::Object(told) => match told.get("rowValue") {
                    Some(Value::Array(row)) => self.visit(row, in_container, depth + 1),
                    _ => {
                        let component = Component::read(told);
                        self.look_at(&component);
                        match component.end(in_container) {
                            Some(End::Begin) => begins.extend(date_in(&component.value)),
                            Some(End::Finish) => ends.extend(date_in(&component.value)),
                            None => {}
                        }
                        self.visit(&component.children(), true, depth + 1);
                    }
                },
                _ => {}
            }
        }
        for (begin, end) in begins.iter().zip(&ends) {
            self.range(begin, end);
        }
        self.dates.extend(begins);
        self.dates.extend(ends);
    }

    fn look_at(&mut self, component: &Component) {
        match (component.kind.as_str(), component.alias.as_str(), component.name.as_str()) {
            ("DDHolidayField", ..) => self.holiday(component),
            (_, "userCheckTime", _) | (_, _, "补卡时间") => self.makeup(component),
            // The server adds this one to makeups.
            (_, _, "repairCheckTime") => self.dates.extend(day_of(&Value::from(component.value.as_str()))),
            (_, "partner" | "traveler", _) => self.people.extend(people(component)),
            _ => {}
        }
    }

    /// A range, and the days that the platform reckons it to be.
    fn holiday(&mut self, component: &Component) {
        let told = list(&component.value);
        let mut ends = told.iter().take(2).filter_map(Value::as_str).filter_map(date_in);
        if let (Some(begin), Some(end)) = (ends.next(), ends.next()) {
            self.range(&begin, &end);
        }
        let extra = object(&component.extra);
        let days = extra.get("detailList").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        self.dates.extend(days.iter().filter_map(|day| day_of(day.get("workDate")?)));
    }

    /// The day of the punch, and the day to which it counts.
    fn makeup(&mut self, component: &Component) {
        let extra = object(&component.extra);
        let counts_to = extra.get("workDate").and_then(day_of);
        if let Some(at) = moment(&component.value) {
            let date = date_of(at);
            let may_be_of_the_night = counts_to.is_none() && is_night(at);
            self.dates.extend(day_before(&date).filter(|_| may_be_of_the_night));
            self.dates.insert(date);
        }
        self.dates.extend(counts_to);
        self.dates.extend(extra.get("userCheckTime").and_then(day_of));
    }

    fn range(&mut self, first: &str, last: &str) {
        self.dates.extend(dates_between(first, last, MOST_DAYS));
    }
}

/// Which end of a range a component is.
enum End {
    Begin,
    Finish,
}

impl Component {
    /// By its alias; in a container also by its name, since the cells of tables have no alias.
    fn end(&self, in_container: bool) -> Option<End> {
        match (self.alias.as_str(), self.name.as_str()) {
            ("startTime", _) => Some(End::Begin),
            ("finishTime" | "endTime", _) => Some(End::Finish),
            ("", "开始时间") if in_container => Some(End::Begin),
            ("", "结束时间") if in_container => Some(End::Finish),
            _ => None,
        }
    }
}

/// The day of a moment, which may also be written as a date.
fn day_of(value: &Value) -> Option<String> {
    as_moment(value).map(date_of).or_else(|| date_in(&as_text(value)?))
}

/// The ids of the people whom a component names: beside the names, or in their place.
fn people(component: &Component) -> Vec<String> {
    let of = |json: &str| -> Vec<String> { list(json).iter().filter_map(person).collect() };
    let beside = of(&component.extra);
    if beside.is_empty() { of(&component.value) } else { beside }
}

fn person(told: &Value) -> Option<String> {
    match told {
        Value::Object(told) => ["emplId", "userId", "userid", "staffId"].iter().find_map(|name| text_at(told, name)),
        // A text is an id unless it is a name.
        Value::String(id) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()) => Some(id.clone()),
        _ => None,
    }
}
