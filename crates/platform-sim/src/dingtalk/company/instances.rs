//! Approval instances as DingTalk keeps them (reference dingtalk 3.4 and 4.6).

/// Where an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceStatus {
    /// Not decided.
    Running,
    /// Agreed to or refused.
    Completed,
    /// Withdrawn.
    Terminated,
}

impl InstanceStatus {
    /// As the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Terminated => "TERMINATED",
        }
    }
}

/// How an approval or a task was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Agreed to.
    Agree,
    /// Refused.
    Refuse,
}

impl Verdict {
    /// As events and instances spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Refuse => "refuse",
        }
    }
}

/// Whether an instance stands for itself or corrects another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BizAction {
    /// For itself.
    None,
    /// Replaces what the main instance asked for.
    Modify,
    /// Takes back what the main instance asked for.
    Revoke,
}

impl BizAction {
    /// As the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Modify => "MODIFY",
            Self::Revoke => "REVOKE",
        }
    }
}

/// What an approval is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// 请假 of the originator.
    Leave {
        /// The name of one of the company's leave types.
        leave_type: String,
        /// Where it begins, Unix ms.
        begin_ms: i64,
        /// Where it ends, Unix ms.
        end_ms: i64,
    },
    /// 加班 of these people, who need not be the originator.
    Overtime {
        /// User ids.
        workers: Vec<String>,
        /// Where it begins, Unix ms.
        begin_ms: i64,
        /// Where it ends, Unix ms.
        end_ms: i64,
    },
    /// 出差 of the originator.
    Trip {
        /// Where it begins, Unix ms.
        begin_ms: i64,
        /// Where it ends, Unix ms.
        end_ms: i64,
    },
    /// 外出 of the originator.
    Outing {
        /// Where it begins, Unix ms.
        begin_ms: i64,
        /// Where it ends, Unix ms.
        end_ms: i64,
    },
    /// 补卡 of the originator.
    Makeup {
        /// The day that it is for, `yyyy-MM-dd`: of a night shift the day before the punch.
        work_date: String,
        /// The punch time, Unix ms.
        at_ms: i64,
    },
    /// Something that attendance does not care about.
    Other,
}

/// One component of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its id; empty for what the server adds.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its value, always a text.
    pub value: String,
    /// What it carries besides; empty without.
    pub ext_value: String,
    /// Its type, such as `DDHolidayField`; empty for what the server adds.
    pub component_type: String,
    /// Its business alias, which only the new API tells; empty without.
    pub biz_alias: String,
}

/// What a task came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Waits for its approver.
    Running,
    /// Agreed to.
    Agreed,
    /// Refused.
    Refused,
    /// Forwarded to somebody else.
    Redirected,
    /// No longer needed.
    Canceled,
}

impl TaskState {
    /// `status` of the API.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Agreed | Self::Refused | Self::Redirected => "COMPLETED",
            Self::Canceled => "CANCELED",
        }
    }

    /// `result` of the API; `NONE` while there is none.
    #[must_use]
    pub fn result(self) -> &'static str {
        match self {
            Self::Running | Self::Canceled => "NONE",
            Self::Agreed => "AGREE",
            Self::Refused => "REFUSE",
            Self::Redirected => "REDIRECTED",
        }
    }
}

/// One approver's task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: i64,
    /// The approver.
    pub userid: String,
    /// What it came to.
    pub state: TaskState,
    /// When it was given, Unix ms.
    pub created_ms: i64,
    /// When it was decided, Unix ms.
    pub finished_ms: Option<i64>,
    /// The step's id.
    pub activity_id: String,
}

/// What somebody did with an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who.
    pub userid: String,
    /// When, Unix ms.
    pub at_ms: i64,
    /// Such as `EXECUTE_TASK_NORMAL`.
    pub kind: &'static str,
    /// AGREE, REFUSE or NONE.
    pub result: &'static str,
    /// The text; may be empty.
    pub remark: String,
}

/// An approval instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// The template.
    pub process_code: String,
    /// The business category; empty where there is none, as for leave.
    pub category: &'static str,
    /// The number that people see.
    pub business_id: String,
    /// The title.
    pub title: String,
    /// Who started it.
    pub originator: String,
    /// The originator's department; the API writes the root as -1.
    pub originator_department: i64,
    /// When it was started, Unix ms.
    pub created_ms: i64,
    /// When it was decided or withdrawn, Unix ms.
    pub finished_ms: Option<i64>,
    /// Where it stands.
    pub status: InstanceStatus,
    /// How it was decided.
    pub result: Option<Verdict>,
    /// Whether it corrects another one.
    pub action: BizAction,
    /// The one that it corrects.
    pub main: Option<String>,
    /// Those that correct it.
    pub attached: Vec<String>,
    /// What it is about.
    pub matter: Matter,
    /// The form as the API shows it.
    pub form: Vec<Component>,
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// What was done, in order.
    pub operations: Vec<Operation>,
    /// Who was told in copy.
    pub cc: Vec<String>,
    /// Whether it was deleted: the API knows it no more.
    pub deleted: bool,
    /// From when the API knows it, Unix ms: an event may come before.
    pub readable_from_ms: i64,
}

impl Instance {
    /// Whether it was agreed to.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        self.status == InstanceStatus::Completed && self.result == Some(Verdict::Agree)
    }
}
