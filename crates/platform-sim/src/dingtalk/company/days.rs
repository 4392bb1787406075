//! Attendance as DingTalk keeps it: a member's days (reference dingtalk 4.3).

/// Whether somebody comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckType {
    /// Comes.
    OnDuty,
    /// Goes.
    OffDuty,
}

impl CheckType {
    /// As the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnDuty => "OnDuty",
            Self::OffDuty => "OffDuty",
        }
    }
}

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The member's own device.
    User,
    /// A machine.
    Atm,
    /// Edited by an administrator.
    Boss,
    /// An approved makeup.
    Approve,
    /// The platform itself: nobody punched.
    System,
}

impl Source {
    /// As the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Atm => "ATM",
            Self::Boss => "BOSS",
            Self::Approve => "APPROVE",
            Self::System => "SYSTEM",
        }
    }
}

/// What came of a planned check point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeResult {
    /// In time.
    Normal,
    /// Left early.
    Early,
    /// Came late.
    Late,
    /// Came very late.
    SeriousLate,
    /// Came so late that it counts as absence.
    Absenteeism,
    /// Nobody punched.
    NotSigned,
}

impl TimeResult {
    /// As the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Early => "Early",
            Self::Late => "Late",
            Self::SeriousLate => "SeriousLate",
            Self::Absenteeism => "Absenteeism",
            Self::NotSigned => "NotSigned",
        }
    }
}

/// A planned check point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: i64,
    /// Come or go.
    pub check_type: CheckType,
    /// When, Unix ms.
    pub planned_ms: i64,
    /// The shift's id.
    pub class_id: i64,
    /// The attendance group's id.
    pub group_id: i64,
}

/// A raw punch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Punch {
    /// The id of the record.
    pub record_id: i64,
    /// The business id, which the event carries too.
    pub biz_id: String,
    /// When, Unix ms.
    pub checked_ms: i64,
    /// From where.
    pub source: Source,
    /// MAP, WIFI, ATM or OTHER.
    pub location_method: &'static str,
    /// Where; empty for makeups.
    pub address: String,
    /// The approval it comes from; empty without one.
    pub instance: String,
    /// Whether a result uses it.
    pub matched: bool,
    /// From when the API tells of it, Unix ms.
    pub visible_from_ms: i64,
}

/// What came of a planned check point: one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The id in `/attendance/list`, the same for all versions.
    pub id: i64,
    /// The plan.
    pub plan: Plan,
    /// The record that it uses; none while nobody punched.
    pub record_id: Option<i64>,
    /// When, Unix ms; none while nobody punched.
    pub checked_ms: Option<i64>,
    /// In time or not.
    pub time_result: TimeResult,
    /// From where.
    pub source: Source,
    /// MAP, WIFI, ATM or OTHER; empty while nobody punched.
    pub location_method: &'static str,
    /// Where; may be empty.
    pub address: String,
    /// The approval that made it; empty without one.
    pub instance: String,
    /// From when the API tells of it, Unix ms: results lag behind their event.
    pub visible_from_ms: i64,
}

impl CheckResult {
    /// `Normal` or `NotSigned`: nobody punches outside here.
    #[must_use]
    pub fn location_result(&self) -> &'static str {
        if self.time_result == TimeResult::NotSigned { "NotSigned" } else { "Normal" }
    }
}

/// What kind of approval covers a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverKind {
    /// 加班
    Overtime,
    /// 出差
    Trip,
    /// 外出
    Outing,
    /// 请假
    Leave,
}

impl CoverKind {
    /// `biz_type`: 1 overtime, 2 trip and outing, 3 leave.
    #[must_use]
    pub fn biz_type(self) -> i64 {
        match self {
            Self::Overtime => 1,
            Self::Trip | Self::Outing => 2,
            Self::Leave => 3,
        }
    }

    /// `tag_name`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Overtime => "加班",
            Self::Trip => "出差",
            Self::Outing => "外出",
            Self::Leave => "请假",
        }
    }
}

/// An approval that covers a day, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The approval.
    pub instance: String,
    /// What kind.
    pub kind: CoverKind,
    /// The name of the leave type; empty for others.
    pub sub_type: String,
    /// How much on this day, as the API prints it.
    pub duration: String,
    /// `HOUR` or `DAY`.
    pub duration_unit: &'static str,
    /// Where it begins on this day, Unix ms.
    pub begin_ms: i64,
    /// Where it ends on this day, Unix ms.
    pub end_ms: i64,
    /// When it was agreed to, Unix ms.
    pub finished_ms: i64,
    /// From when the API tells of it, Unix ms.
    pub visible_from_ms: i64,
    /// From when the API tells of it no more: a later approval took it back.
    pub visible_until_ms: Option<i64>,
}

/// A member's day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// The planned check points; none on days without a schedule.
    pub plans: Vec<Plan>,
    /// The raw punches, in order of their making.
    pub punches: Vec<Punch>,
    /// All versions of the results, the newest last.
    pub versions: Vec<CheckResult>,
    /// The approvals that covered it at any time.
    pub covers: Vec<Cover>,
}

impl Day {
    /// The results as they are in truth, one for each plan, in the order of the plans.
    #[must_use]
    pub fn results(&self) -> Vec<&CheckResult> {
        self.results_at(i64::MAX)
    }

    /// The results that the API tells at that time (Unix ms).
    #[must_use]
    pub fn results_at(&self, now_ms: i64) -> Vec<&CheckResult> {
        let newest = |plan: &Plan| {
            self.versions.iter().rev().find(|result| result.plan.id == plan.id && result.visible_from_ms <= now_ms)
        };
        self.plans.iter().filter_map(newest).collect()
    }

    /// The punches that the API tells at that time (Unix ms).
    pub fn punches_at(&self, now_ms: i64) -> impl Iterator<Item = &Punch> {
        self.punches.iter().filter(move |punch| punch.visible_from_ms <= now_ms)
    }

    /// The approvals that cover the day in truth.
    pub fn covers(&self) -> impl Iterator<Item = &Cover> {
        self.covers.iter().filter(|cover| cover.visible_until_ms.is_none())
    }

    /// The approvals that the API tells at that time (Unix ms).
    pub fn covers_at(&self, now_ms: i64) -> impl Iterator<Item = &Cover> {
        self.covers.iter().filter(move |cover| {
            cover.visible_from_ms <= now_ms && cover.visible_until_ms.is_none_or(|until| now_ms < until)
        })
    }
}
