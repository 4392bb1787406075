//! How a company is made, and what it refuses.

/// How a company is made.
#[derive(Clone, Debug)]
pub struct CompanyOptions {
    /// Ids follow from it.
    pub seed: u64,
    /// The corp id.
    pub corp_id: String,
    /// The root department's name.
    pub name: String,
    /// Where the company's clock starts, Unix ms.
    pub start_ms: i64,
    /// How far the clock goes on with each operation, in ms; 0 lets it stand, so that many things happen in one ms.
    pub pace_ms: i64,
    /// How much later the API tells of people, departments and approvals than their event, in ms.
    pub entity_lag_ms: i64,
    /// How much later the API tells of punches, results and covers than their event, in ms.
    pub result_lag_ms: i64,
    /// Whether an approval with a matter of attendance raises `attendance_approve_status_change` besides its own event.
    pub approve_status_events: bool,
}

impl Default for CompanyOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            corp_id: "ding0000demo0000corp".to_owned(),
            name: "示例制造有限公司".to_owned(),
            // 2026-09-21 09:00 in China, a Monday.
            start_ms: 1_789_952_400_000,
            pace_ms: 1_000,
            entity_lag_ms: 0,
            result_lag_ms: 0,
            approve_status_events: true,
        }
    }
}

/// Why DingTalk refuses an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// There is no such department.
    #[error("department {0} does not exist")]
    UnknownDepartment(i64),
    /// There is no such member.
    #[error("member {0} does not exist")]
    UnknownMember(String),
    /// There is no such approval.
    #[error("approval {0} does not exist")]
    UnknownInstance(String),
    /// There is no such planned check point.
    #[error("plan {0} does not exist")]
    UnknownPlan(i64),
    /// There is no such leave type.
    #[error("leave type {0} does not exist")]
    UnknownLeaveType(String),
    /// It still has members or departments.
    #[error("department {0} is not empty")]
    NotEmpty(i64),
    /// The root cannot be moved or removed.
    #[error("the root department stays where it is")]
    Root,
    /// The department would be below itself.
    #[error("department {0} would be below itself")]
    Cycle(i64),
    /// A member has that id.
    #[error("member id {0} is taken")]
    IdTaken(String),
    /// A member is in one department at least.
    #[error("member {0} would be in no department")]
    Nowhere(String),
    /// The approval was decided, withdrawn or deleted before.
    #[error("approval {0} is not running")]
    NotRunning(String),
    /// Only what was agreed to can be corrected.
    #[error("approval {0} was not agreed to")]
    NotAgreed(String),
    /// A time that cannot be: a day that does not exist, an end before its beginning.
    #[error("that is no time: {0}")]
    Time(String),
}
