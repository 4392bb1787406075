//! A company that lives in DingTalk: departments, members, attendance, approvals, and the events that each change of
//! them raises.
//!
//! Operations change the truth and return the events that DingTalk would push for it; who delivers them, and how badly,
//! is a matter of [`crate::dingtalk::Channels`].

mod approvals;
mod attendance;
mod corrections;
mod days;
mod departments;
mod effects;
mod forms;
mod instances;
mod leave;
mod matching;
mod members;
mod options;
mod people;
mod population;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::events::Event;

pub use attendance::Shift;
pub use days::{CheckResult, CheckType, Cover, CoverKind, Day, Plan, Punch, Source, TimeResult};
pub use instances::{BizAction, Component, Instance, InstanceStatus, Matter, Operation, Task, TaskState, Verdict};
pub use leave::{LeaveType, LeaveUnit};
pub use members::NewMember;
pub use options::{CompanyOptions, Illegal};
pub use people::{Department, Member, Post};

/// The root department.
pub const ROOT: i64 = 1;

/// The company.
#[derive(Debug)]
pub struct Company {
    options: CompanyOptions,
    now_ms: i64,
    departments: BTreeMap<i64, Department>,
    members: BTreeMap<String, Member>,
    former: BTreeSet<String>,
    /// Days by user id and date.
    days: BTreeMap<(String, String), Day>,
    holidays: BTreeSet<String>,
    leave_types: Vec<LeaveType>,
    instances: BTreeMap<String, Instance>,
    /// The last minute in which each member's punch raised an event.
    punch_minutes: BTreeMap<String, i64>,
    raised: Vec<Event>,
    numbers: Numbers,
}

/// The next numbers of everything that is numbered.
#[derive(Debug)]
struct Numbers {
    department: i64,
    person: u64,
    order: i64,
    record: i64,
    plan: i64,
    result: i64,
    task: i64,
    instance: u64,
    event: u64,
}

impl Company {
    /// A company with a root department and nobody in it.
    #[must_use]
    pub fn new(options: CompanyOptions) -> Self {
        let root = Department {
            id: ROOT,
            name: options.name.clone(),
            parent: None,
            order: 0,
            managers: Vec::new(),
            hidden: false,
            in_scope: true,
            readable_from_ms: 0,
        };
        Self {
            now_ms: options.start_ms,
            departments: BTreeMap::from([(ROOT, root)]),
            members: BTreeMap::new(),
            former: BTreeSet::new(),
            days: BTreeMap::new(),
            holidays: BTreeSet::new(),
            leave_types: leave::usual(),
            instances: BTreeMap::new(),
            punch_minutes: BTreeMap::new(),
            raised: Vec::new(),
            numbers: Numbers {
                department: 900_000_001,
                person: 1,
                order: 176_000_000_000_000_001,
                record: 1_001,
                plan: 5_001,
                result: 70_001,
                task: 811_165_001,
                instance: 1,
                event: 1,
            },
            options,
        }
    }

    /// The corp id.
    #[must_use]
    pub fn corp_id(&self) -> &str {
        &self.options.corp_id
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &CompanyOptions {
        &self.options
    }

    /// Changes options from now on.
    pub fn configure(&mut self, change: impl FnOnce(&mut CompanyOptions)) {
        change(&mut self.options);
    }

    /// The company's time, Unix ms.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Sets the company's time; the next operation happens then.
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// The departments by id.
    #[must_use]
    pub fn departments(&self) -> &BTreeMap<i64, Department> {
        &self.departments
    }

    /// A department.
    #[must_use]
    pub fn department(&self, id: i64) -> Option<&Department> {
        self.departments.get(&id)
    }

    /// The members by user id.
    #[must_use]
    pub fn members(&self) -> &BTreeMap<String, Member> {
        &self.members
    }

    /// A member.
    #[must_use]
    pub fn member(&self, userid: &str) -> Option<&Member> {
        self.members.get(userid)
    }

    /// User ids of those who left and did not come back.
    #[must_use]
    pub fn former(&self) -> &BTreeSet<String> {
        &self.former
    }

    /// The days that have anything, by user id and date (`yyyy-MM-dd`, China time).
    #[must_use]
    pub fn days(&self) -> &BTreeMap<(String, String), Day> {
        &self.days
    }

    /// A member's day; none where nothing was planned and nothing happened.
    #[must_use]
    pub fn day(&self, userid: &str, date: &str) -> Option<&Day> {
        self.days.get(&(userid.to_owned(), date.to_owned()))
    }

    /// The holidays (`yyyy-MM-dd`).
    #[must_use]
    pub fn holidays(&self) -> &BTreeSet<String> {
        &self.holidays
    }

    /// The leave types.
    #[must_use]
    pub fn leave_types(&self) -> &[LeaveType] {
        &self.leave_types
    }

    /// The leave types, to be changed; no event tells of it.
    pub fn leave_types_mut(&mut self) -> &mut Vec<LeaveType> {
        &mut self.leave_types
    }

    /// The approvals by id, those that were deleted included.
    #[must_use]
    pub fn instances(&self) -> &BTreeMap<String, Instance> {
        &self.instances
    }

    /// An approval.
    #[must_use]
    pub fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.get(id)
    }

    /// All events raised so far, in order.
    #[must_use]
    pub fn raised(&self) -> &[Event] {
        &self.raised
    }

    /// The time of an operation; the clock goes on.
    fn tick(&mut self) -> i64 {
        let now_ms = self.now_ms;
        self.now_ms = now_ms.saturating_add(self.options.pace_ms);
        now_ms
    }

    /// Raises an event; `data` is an object without the event's id.
    fn raise(&mut self, kind: &str, born_ms: i64, data: Value) -> Event {
        let number = self.numbers.event;
        self.numbers.event += 1;
        let event = Event::new(self.options.seed, number, &self.options.corp_id, kind, born_ms, data);
        self.raised.push(event.clone());
        event
    }
}
