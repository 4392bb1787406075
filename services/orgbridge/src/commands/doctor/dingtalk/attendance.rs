//! Attendance, and kinds of leave whose columns of the report stay empty since nobody configured them there.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKey, EntityKind, Field, Platform, TenantId};
use database::Connection;
use dingtalk::{
    api::{ApiError, Code, Column, Kind, LeaveTimes, MOST_LEAVE_NAMES},
    china_time,
};
use directory::Record;
use serde_json::Value;
use store::{people, records};

use super::{Look, Outcome, PAGE};
use crate::texts;

/// So many days are looked back: the platform tells of at most 31 at once (reference dingtalk 4.3).
const DAYS_BACK: i64 = 30;
/// Members whose report is asked for: each is a call that counts.
const MOST_ASKED: usize = 3;

/// A day on which somebody was on leave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    /// As the platform knows the member.
    member: String,
    date: String,
}

/// A day of each kind of leave, by its name.
type Leave = BTreeMap<String, Taken>;

impl Look<'_, '_> {
    /// Whether attendance may be asked for, and what the report lacks.
    pub(super) async fn attendance(&mut self) -> anyhow::Result<()> {
        let (language, now) = (self.visit.language, self.visit.desk.now());
        let (first, last) = (china_time::date_of(now.plus_seconds(-DAYS_BACK * 86_400)), china_time::date_of(now));
        let (tenant, since, is_directory) = (self.tenant(), first.clone(), self.is_directory());
        let look = move |conn: &mut Connection| -> database::Result<(Option<String>, Leave)> {
            Ok((somebody(conn, &tenant, is_directory)?, taken_since(conn, &tenant, &since, is_directory)?))
        };
        let (somebody, leave) = self.visit.desk.database.read("doctor.attendance", look).await?;
        if let Some(somebody) = somebody {
            match self.client.attendance_results(&[somebody], &last, &last).await {
                Ok(_) => self.note("attendance", Outcome::Fine, texts::ding_attendance(language)),
                Err(error) => {
                    self.blame("attendance", &error);
                    return Ok(());
                }
            }
        }
        match self.client.report_columns().await {
            Ok(answer) => {
                let columns = answer.value.rows.into_iter().filter(Column::is_leave);
                let columns: BTreeSet<String> = columns.map(|column| column.name).collect();
                let empty = self.empty_columns(&leave, &columns, (&first, &last)).await;
                self.tell_leave(&leave, &empty);
            }
            Err(error) if is_switched_off(&error) => {
                self.note("leave_columns", Outcome::Advice, texts::ding_no_report(language));
            }
            Err(error) => self.blame("attendance", &error),
        }
        Ok(())
    }

    fn tell_leave(&mut self, leave: &Leave, empty: &BTreeSet<&str>) {
        let language = self.visit.language;
        if !empty.is_empty() {
            let names: Vec<&str> = empty.iter().copied().collect();
            let told = texts::ding_leave_empty(language, names.join(", "));
            self.note("leave_columns", Outcome::Advice, told);
        } else if !leave.is_empty() {
            self.note("leave_columns", Outcome::Fine, texts::ding_leave(language, leave.len()));
        }
    }

    /// The kinds of leave that somebody took, and of which the report says nothing on that day.
    async fn empty_columns<'l>(
        &mut self,
        leave: &'l Leave,
        columns: &BTreeSet<String>,
        (first, last): (&str, &str),
    ) -> BTreeSet<&'l str> {
        let mut empty: BTreeSet<&str> =
            leave.keys().map(String::as_str).filter(|name| !columns.contains(*name)).collect();
        let mut by_member: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for (name, taken) in leave.iter().filter(|(name, _)| columns.contains(*name)) {
            by_member.entry(&taken.member).or_default().push((name, &taken.date));
        }
        for (member, taken) in by_member.into_iter().take(MOST_ASKED) {
            let names: Vec<String> = taken.iter().map(|(name, _)| (*name).to_owned()).take(MOST_LEAVE_NAMES).collect();
            match self.client.leave_times(member, &names, first, last).await {
                Ok(answer) => {
                    let asked = taken.into_iter().take(MOST_LEAVE_NAMES);
                    let untold = asked.filter(|(name, date)| !is_told(&answer.value, name, date));
                    empty.extend(untold.map(|(name, _)| name));
                }
                // The one who was on leave may be gone.
                Err(error) if matches!(error.kind(), Some(Kind::NotFound | Kind::Invisible | Kind::Invalid)) => {}
                Err(error) => {
                    self.blame("leave_columns", &error);
                    break;
                }
            }
        }
        empty
    }
}

/// Whether the company has no report for applications, rather than the application no permission (reference dingtalk 4.3, 5.4).
const fn is_switched_off(error: &ApiError) -> bool {
    matches!(error, ApiError::Answered { code: Code::Number(43_007), .. })
}

/// A member as the platform knows it, to ask about; `None` while nobody is known.
fn somebody(conn: &mut Connection, tenant: &TenantId, is_directory: bool) -> database::Result<Option<String>> {
    if !is_directory {
        let known = people::list(conn, tenant, Platform::Dingtalk, None, 1)?;
        return Ok(known.into_iter().next().map(|person| person.foreign_id));
    }
    // No department comes after this one.
    let last = EntityKey::new(EntityKind::Member, "");
    let member = records::live_after(conn, tenant, Some(&last), 1)?.into_iter().next();
    Ok(member.map(|(key, row)| row.record.shown.map_or_else(|| key.id.as_ref().to_owned(), |(_, shown)| shown)))
}

/// Whether the report has something of that kind of leave on that day.
fn is_told(times: &[LeaveTimes], name: &str, date: &str) -> bool {
    let of_name = times.iter().filter(|times| times.name == name);
    let mut values = of_name.flat_map(|times| &times.values).filter(|(day, _)| day == date);
    values.any(|(_, value)| value.trim().parse::<f64>().ok().is_none_or(|value| value != 0.0))
}

/// The last day of each kind of leave that somebody took since a day, as far as the mirror knows.
fn taken_since(conn: &mut Connection, tenant: &TenantId, since: &str, is_directory: bool) -> database::Result<Leave> {
    let mut leave = Leave::new();
    let mut after: Option<String> = None;
    loop {
        let page = records::of_kind_after(conn, tenant, EntityKind::Attendance, after.as_deref(), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(leave) };
        after = Some(last.id.as_ref().to_owned());
        for (key, row) in &page {
            let Some((name, taken)) = leave_of(&key.id, &row.record, is_directory) else { continue };
            if taken.date.as_str() >= since && leave.get(&name).is_none_or(|known| known.date < taken.date) {
                leave.insert(name, taken);
            }
        }
    }
}

/// The kind of leave that a record is of, and the day.
fn leave_of(id: &str, record: &Record, is_directory: bool) -> Option<(String, Taken)> {
    let fields = &record.sent.as_ref()?.entity.fields;
    if fields.text(Field::RecordKind) != Some("leave") {
        return None;
    }
    let details: Value = serde_json::from_str(fields.text(Field::Details)?).ok()?;
    let name = details.get("sub_type").and_then(Value::as_str).filter(|name| !name.is_empty())?;
    // Where the directory is another platform's, the id is all that tells whom this one means.
    let (owner, _) = id.split_once('/')?;
    let own = format!("{}:", Platform::Dingtalk.as_str());
    let owner = owner.strip_prefix(&own).unwrap_or(owner);
    let member = if is_directory { fields.text(Field::Member)? } else { owner };
    let date = fields.text(Field::WorkDate)?.to_owned();
    Some((name.to_owned(), Taken { member: member.to_owned(), date }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_tells_nothing() {
        let times =
            |value: &str| vec![LeaveTimes { name: "年假".into(), values: vec![("2026-11-28".into(), value.into())] }];
        for (value, told) in [("1.0", true), ("0.5", true), ("0", false), ("0.0", false), ("一天", true)] {
            assert_eq!(is_told(&times(value), "年假", "2026-11-28"), told, "{value}");
        }
        assert!(!is_told(&times("1.0"), "年假", "2026-11-29"));
        assert!(!is_told(&times("1.0"), "事假", "2026-11-28"));
    }
}
