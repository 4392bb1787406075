//! Rows of attendance in one shape, whichever interface tells them: for one day with names like `plan_id` and times as
//! a clock shows them, for many days with names like `planId` and times in milliseconds.

use common::UnixMillis;
use serde_json::{Map, Value};

use crate::{
    api::lenient::{as_moment, text_at},
    china_time,
};

/// What the platform says of a check point at which nobody punched.
const NOT_SIGNED: &str = "NotSigned";

/// Where a punch comes from that an approval made.
const APPROVE: &str = "APPROVE";

/// What came of a planned check point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// The member's id.
    pub member: String,
    /// The day to which it counts: `yyyy-MM-dd`.
    pub date: String,
    /// The id of the planned check point.
    pub plan_id: Option<String>,
    /// `OnDuty` or `OffDuty`.
    pub check_type: Option<String>,
    /// For when it was planned.
    pub planned_at: Option<UnixMillis>,
    /// When the member punched; `None` when nobody did.
    pub checked_at: Option<UnixMillis>,
    /// The platform's `time_result`: `Normal`, `Early`, `Late`, `SeriousLate`, `Absenteeism` or `NotSigned`.
    pub outcome: Option<String>,
    /// The platform's `source_type`: `USER`, `ATM`, `BOSS` for an administrator's edit, `APPROVE` for a makeup, ...
    pub source: Option<String>,
    /// `Normal`, `Outside` or `NotSigned`.
    pub place: Option<String>,
    /// The attendance group's id.
    pub group_id: Option<String>,
    /// The punch that was used.
    pub record_id: Option<String>,
    /// The approval that made it.
    pub approval: Option<String>,
}

/// A punch, by hand or by an approved makeup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PunchRow {
    /// The member's id.
    pub member: String,
    /// The day to which it counts: `yyyy-MM-dd`. Where only its time is told, the day of that.
    pub date: String,
    /// The record's id.
    pub record_id: Option<String>,
    /// When it was.
    pub checked_at: UnixMillis,
    /// The platform's `source_type`, as for [`ResultRow::source`].
    pub source: Option<String>,
    /// Why it does not count: `Security` or `Other`.
    pub invalid: Option<String>,
}

/// An approval that covers a day, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// The member's id.
    pub member: String,
    /// The day: `yyyy-MM-dd`.
    pub date: String,
    /// `leave`, `overtime`, `trip` or `outing`.
    pub kind: &'static str,
    /// The approval's id; `None` for what another program wrote without one.
    pub approval: Option<String>,
    /// When what was approved begins.
    pub begins_at: Option<UnixMillis>,
    /// The row as it was told.
    pub told: Map<String, Value>,
}

impl ResultRow {
    pub(super) fn of_day(member: &str, date: &str, row: &Map<String, Value>) -> Option<Self> {
        let text = |name| text_at(row, name);
        let told = Self {
            member: member.to_owned(),
            date: date.to_owned(),
            plan_id: id_at(row, "plan_id"),
            check_type: text("check_type"),
            planned_at: moment_at(row, "plan_check_time"),
            checked_at: moment_at(row, "user_check_time"),
            outcome: text("time_result"),
            source: text("source_type"),
            place: text("location_result"),
            group_id: id_at(row, "group_id"),
            record_id: id_at(row, "record_id"),
            approval: text("procInst_id"),
        };
        told.checked()
    }

    pub(super) fn of_list(row: &Map<String, Value>) -> Option<Self> {
        let text = |name| text_at(row, name);
        let told = Self {
            member: text("userId")?,
            date: china_time::date_of(moment_at(row, "workDate")?),
            plan_id: id_at(row, "planId"),
            check_type: text("checkType"),
            planned_at: moment_at(row, "planCheckTime").or_else(|| moment_at(row, "baseCheckTime")),
            checked_at: moment_at(row, "userCheckTime"),
            outcome: text("timeResult"),
            source: text("sourceType"),
            place: text("locationResult"),
            group_id: id_at(row, "groupId"),
            record_id: id_at(row, "recordId"),
            approval: text("procInstId"),
        };
        told.checked()
    }

    /// `None` when it does not say which check point it is of. Where nobody punched there is no punch, whatever time is
    /// told for it.
    fn checked(mut self) -> Option<Self> {
        if self.plan_id.is_none() && self.check_type.is_none() {
            return None;
        }
        if self.outcome.as_deref() == Some(NOT_SIGNED) {
            (self.checked_at, self.record_id) = (None, None);
        }
        Some(self)
    }
}

impl PunchRow {
    pub(super) fn of_day(member: &str, date: &str, row: &Map<String, Value>) -> Option<Self> {
        Some(Self {
            member: member.to_owned(),
            date: date.to_owned(),
            record_id: id_at(row, "record_id"),
            checked_at: moment_at(row, "user_check_time")?,
            source: text_at(row, "source_type"),
            invalid: text_at(row, "invalid_record_type"),
        })
    }

    pub(super) fn of_list(row: &Map<String, Value>) -> Option<Self> {
        let checked_at = moment_at(row, "userCheckTime")?;
        Some(Self {
            member: text_at(row, "userId")?,
            date: china_time::date_of(moment_at(row, "workDate").unwrap_or(checked_at)),
            record_id: id_at(row, "recordId").or_else(|| id_at(row, "id")),
            checked_at,
            source: text_at(row, "sourceType"),
            invalid: text_at(row, "invalidRecordType"),
        })
    }

    /// Whether an approved makeup made it, and nobody's hand.
    pub fn is_makeup(&self) -> bool {
        self.source.as_deref() == Some(APPROVE)
    }
}

impl ApprovalRow {
    /// `None` when it is neither leave nor overtime, trip or outing.
    pub(super) fn of_day(member: &str, date: &str, told: Map<String, Value>) -> Option<Self> {
        Some(Self {
            member: member.to_owned(),
            date: date.to_owned(),
            kind: kind(text_at(&told, "tag_name").as_deref(), text_at(&told, "biz_type").as_deref())?,
            approval: text_at(&told, "procInst_id"),
            begins_at: moment_at(&told, "begin_time"),
            told,
        })
    }
}

/// The kind of an approval, by its tag or else by its type. Trips and outings have one type.
fn kind(tag: Option<&str>, biz_type: Option<&str>) -> Option<&'static str> {
    match (tag, biz_type) {
        (Some("请假"), _) => Some("leave"),
        (Some("加班"), _) => Some("overtime"),
        (Some("出差"), _) => Some("trip"),
        (Some("外出"), _) => Some("outing"),
        (_, Some("1")) => Some("overtime"),
        (_, Some("2")) => Some("outing"),
        (_, Some("3")) => Some("leave"),
        _ => None,
    }
}

/// An id; 0 is none.
fn id_at(row: &Map<String, Value>, name: &str) -> Option<String> {
    text_at(row, name).filter(|id| id != "0")
}

fn moment_at(row: &Map<String, Value>, name: &str) -> Option<UnixMillis> {
    as_moment(row.get(name)?).filter(|moment| moment.0 > 0)
}
