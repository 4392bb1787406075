//! What a core product should hold in the end: the truth as rows, under the ids by which a bridge keeps them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::attendance::day::cover_row;
use crate::dingtalk::{
    CheckResult, Company, Cover, CoverKind, Day, Instance, InstanceStatus, Punch, Source, TimeResult,
};

/// One attendance record.
#[derive(Clone, Debug, PartialEq)]
pub struct AttendanceRow {
    /// The user id as the company spells it.
    pub member: String,
    /// The work date, `yyyy-MM-dd`: of a night shift the day on which it began.
    pub work_date: String,
    /// `result`, `punch`, `makeup`, `leave`, `overtime`, `trip` or `outing`.
    pub kind: &'static str,
    /// `OnDuty` or `OffDuty`, of a result.
    pub check_type: Option<&'static str>,
    /// The planned time of a result, Unix ms.
    pub planned_ms: Option<i64>,
    /// When somebody punched, Unix ms in whole seconds.
    pub checked_ms: Option<i64>,
    /// `time_result` of a result.
    pub result: Option<&'static str>,
    /// `source_type` of a result or punch.
    pub source: Option<&'static str>,
    /// What an approval covers, as `approve_list` tells it.
    pub details: Option<Value>,
}

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRow {
    /// The template (`processCode`).
    pub template: String,
    /// The title.
    pub title: String,
    /// The originator's user id.
    pub applicant: String,
    /// `running`, `completed` or `terminated`.
    pub status: &'static str,
    /// `agree`, `refuse`, or `none` while and where nobody decided.
    pub result: &'static str,
    /// When it was started, Unix ms. The API tells minutes only: who did not hear of the event knows no better.
    pub started_ms: i64,
    /// When it was decided or withdrawn, Unix ms; minutes as above.
    pub finished_ms: Option<i64>,
}

/// The attendance records that the API can tell of at that time (Unix ms), by `{member}/{date}/{kind}/{key}` with the
/// member in lower case. With `i64::MAX` nothing lags behind.
///
/// The key is the plan of a result, the record of a punch or makeup, and of what an approval covers that approval. What
/// would have an id together gets `-2`, `-3` in the order of its times.
#[must_use]
pub fn truth_of_attendance(company: &Company, at_ms: i64) -> BTreeMap<String, AttendanceRow> {
    let mut rows = BTreeMap::new();
    for ((member, date), day) in company.days() {
        add_day(&mut rows, &Owner { member, date }, day, at_ms);
    }
    rows
}

/// The approvals that the API can tell of at that time (Unix ms), by id; those that were deleted are not among them.
#[must_use]
pub fn truth_of_approvals(company: &Company, at_ms: i64) -> BTreeMap<String, ApprovalRow> {
    let told = company.instances().values().filter(|instance| !instance.deleted && instance.readable_from_ms <= at_ms);
    told.map(|instance| (instance.id.clone(), approval(instance))).collect()
}

/// Whose day it is.
struct Owner<'a> {
    member: &'a str,
    date: &'a str,
}

impl Owner<'_> {
    fn id(&self, kind: &str, key: &str) -> String {
        format!("{}/{}/{kind}/{key}", self.member.to_lowercase(), self.date)
    }

    fn row(&self, kind: &'static str) -> AttendanceRow {
        AttendanceRow {
            member: self.member.to_owned(),
            work_date: self.date.to_owned(),
            kind,
            check_type: None,
            planned_ms: None,
            checked_ms: None,
            result: None,
            source: None,
            details: None,
        }
    }
}

fn add_day(rows: &mut BTreeMap<String, AttendanceRow>, owner: &Owner<'_>, day: &Day, at_ms: i64) {
    for result in day.results_at(at_ms) {
        rows.insert(owner.id("result", &result.plan.id.to_string()), of_result(owner, result));
    }
    for punch in day.punches_at(at_ms) {
        let kind = if punch.source == Source::Approve { "makeup" } else { "punch" };
        rows.insert(owner.id(kind, &punch.record_id.to_string()), of_punch(owner, kind, punch));
    }
    let mut covers: Vec<&Cover> = day.covers_at(at_ms).collect();
    covers.sort_by_key(|cover| cover.begin_ms);
    for cover in covers {
        let kind = name(cover.kind);
        let first = owner.id(kind, &cover.instance);
        let others = (2..).map(|place: u32| format!("{first}-{place}"));
        let free = std::iter::once(first.clone()).chain(others).find(|id| !rows.contains_key(id));
        let row = AttendanceRow { details: Some(cover_row(cover)), ..owner.row(kind) };
        rows.extend(free.map(|id| (id, row)));
    }
}

fn of_result(owner: &Owner<'_>, result: &CheckResult) -> AttendanceRow {
    let punched = result.time_result != TimeResult::NotSigned;
    AttendanceRow {
        check_type: Some(result.plan.check_type.name()),
        planned_ms: Some(seconds(result.plan.planned_ms)),
        checked_ms: result.checked_ms.filter(|_checked| punched).map(seconds),
        result: Some(result.time_result.name()),
        source: Some(result.source.name()),
        ..owner.row("result")
    }
}

fn of_punch(owner: &Owner<'_>, kind: &'static str, punch: &Punch) -> AttendanceRow {
    let checked_ms = Some(seconds(punch.checked_ms));
    AttendanceRow { checked_ms, source: Some(punch.source.name()), ..owner.row(kind) }
}

fn approval(instance: &Instance) -> ApprovalRow {
    ApprovalRow {
        template: instance.process_code.clone(),
        title: instance.title.clone(),
        applicant: instance.originator.clone(),
        status: match instance.status {
            InstanceStatus::Running => "running",
            InstanceStatus::Completed => "completed",
            InstanceStatus::Terminated => "terminated",
        },
        result: instance.result.map_or("none", |verdict| verdict.name()),
        started_ms: instance.created_ms,
        finished_ms: instance.finished_ms,
    }
}

fn name(kind: CoverKind) -> &'static str {
    match kind {
        CoverKind::Overtime => "overtime",
        CoverKind::Trip => "trip",
        CoverKind::Outing => "outing",
        CoverKind::Leave => "leave",
    }
}

/// All interfaces tell attendance in whole seconds.
fn seconds(at_ms: i64) -> i64 {
    at_ms.div_euclid(1000) * 1000
}
