//! What the mirror would send of attendance and approvals, or a core product has of it, beside the truth.

use std::collections::{BTreeMap, BTreeSet};

use common::{EntityKind, Field, Fields, attendance::day_of_record};
use platform_sim::dingtalk::api::{AttendanceRow, truth_of_approvals, truth_of_attendance};
use serde_json::Value;

use super::scene::Scene;

/// An attendance record as both sides can be put: what is not there is empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) member: String,
    pub(super) work_date: String,
    pub(super) kind: String,
    pub(super) check_type: String,
    pub(super) planned: Option<i64>,
    pub(super) checked: Option<i64>,
    pub(super) outcome: String,
    pub(super) source: String,
    /// Only of what covers a day.
    pub(super) details: Value,
}

/// Whether records of a kind are what an approval covers of a day.
pub(super) fn covers_a_day(kind: &str) -> bool {
    ["leave", "overtime", "trip", "outing"].contains(&kind)
}

/// How what somebody has differs from the truth, on these days or on all.
pub(super) fn differing(
    seen: &BTreeMap<String, Row>,
    truth: &BTreeMap<String, Row>,
    days: Option<&BTreeSet<String>>,
) -> Vec<String> {
    let is_looked_at = |id: &&String| {
        let day = day_of_record(id).unwrap_or_default();
        days.is_none_or(|days| days.contains(day))
    };
    let ids: BTreeSet<&String> = seen.keys().chain(truth.keys()).filter(is_looked_at).collect();
    let others = ids.into_iter().filter(|id| seen.get(*id) != truth.get(*id));
    others.map(|id| format!("{id}: {:?} where {:?} is true", seen.get(id), truth.get(id))).collect()
}

impl Row {
    fn of_truth(row: &AttendanceRow) -> Self {
        let text = |text: Option<&'static str>| text.unwrap_or_default().to_owned();
        Self {
            member: row.member.clone(),
            work_date: row.work_date.clone(),
            kind: row.kind.to_owned(),
            check_type: text(row.check_type),
            planned: row.planned_ms,
            checked: row.checked_ms,
            outcome: text(row.result),
            source: text(row.source),
            details: row.details.clone().unwrap_or_default(),
        }
    }

    fn of_mirror(fields: &Fields) -> Self {
        let text = |field| fields.text(field).unwrap_or_default().to_owned();
        let kind = text(Field::RecordKind);
        let details = || serde_json::from_str(&text(Field::Details)).unwrap();
        Self {
            member: text(Field::Member),
            work_date: text(Field::WorkDate),
            check_type: text(Field::CheckType),
            planned: fields.number(Field::PlannedAt),
            checked: fields.number(Field::CheckedAt),
            outcome: text(Field::Outcome),
            source: text(Field::Source),
            details: if covers_a_day(&kind) { details() } else { Value::Null },
            kind,
        }
    }
}

impl Scene {
    /// What the mirror would send of attendance.
    pub(super) async fn attendance(&self) -> BTreeMap<String, Row> {
        let all = self.records(EntityKind::Attendance).await;
        let sent = all.into_iter().filter_map(|(key, row)| Some((key, row.record.sent?)));
        sent.map(|(key, sent)| (key.id.to_string(), Row::of_mirror(&sent.entity.fields))).collect()
    }

    /// The attendance that the platform can tell of now.
    pub(super) fn truth(&self) -> BTreeMap<String, Row> {
        let rows = truth_of_attendance(&self.api.company(), self.now().0);
        rows.iter().map(|(id, row)| (id.clone(), Row::of_truth(row))).collect()
    }

    /// How the mirror's attendance differs from the truth, on these days or on all.
    pub(super) async fn differences(&self, days: Option<&BTreeSet<String>>) -> Vec<String> {
        differing(&self.attendance().await, &self.truth(), days)
    }

    /// How the mirror's approvals differ from the truth.
    pub(super) async fn approval_differences(&self) -> Vec<String> {
        let truth = truth_of_approvals(&self.api.company(), self.now().0);
        let all = self.records(EntityKind::Approval).await;
        let sent = all.into_iter().filter_map(|(key, row)| Some((key.id.to_string(), row.record.sent?.entity.fields)));
        let mirror: BTreeMap<String, Fields> = sent.collect();
        let is_same = |id: &&String| match (mirror.get(*id), truth.get(*id)) {
            (Some(fields), Some(row)) => {
                let text = |field| fields.text(field).unwrap_or_default();
                text(Field::Template) == row.template
                    && text(Field::Subject) == row.title
                    && text(Field::Applicant) == row.applicant
                    && text(Field::Status) == row.status
                    && text(Field::Result) == row.result
                    && fields.number(Field::StartedAt) == Some(row.started_ms)
                    && fields.number(Field::FinishedAt) == row.finished_ms
            }
            (mirror, truth) => mirror.is_none() && truth.is_none(),
        };
        let ids: BTreeSet<&String> = mirror.keys().chain(truth.keys()).collect();
        ids.into_iter().filter(|id| !is_same(id)).cloned().collect()
    }
}
