//! Which records are asked for, and which are taken: the platform ignores a filter that it does not understand, so every record is
//! looked at again here (reference jiandaoyun 0, 6 and 12.1).

use std::collections::BTreeSet;

use common::UnixMillis;
use serde_json::{Value, json};

use super::{Mapping, conditions::Conditions};
use crate::api::{Condition, Filter, Method, Record, Rel};

/// How far ahead the range of the probe begins: no record will be changed then for years.
const AHEAD_SECONDS: i64 = 10 * 366 * 86_400;

/// A state that no workflow has.
const NO_STATE: i64 = 987_654;

/// Which of our conditions the platform was seen to honour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Honoured {
    /// That on the time of the last change.
    pub time: bool,
    /// That on the state of the workflow.
    pub flow: bool,
}

impl Default for Honoured {
    /// Both, as the platform's documents and its users say.
    fn default() -> Self {
        Self { time: true, flow: true }
    }
}

/// A filter that no record fits: whoever gets one has had it ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// What it is about.
    pub what: Probed,
    /// What is asked with [`Client::honours`](crate::api::Client::honours).
    pub filter: Filter,
}

/// What a probe is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// [`Honoured::time`].
    Time,
    /// [`Honoured::flow`].
    Flow,
}

/// Why a record is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its workflow did not run through to its end.
    NotApproved,
    /// It was made before the start.
    BeforeStart,
    /// It was last changed before the time that is asked about.
    BeforeSince,
    /// It does not tell when it was made or changed.
    NoTime,
    /// It does not fit a condition of the mapping; on which field, where it is a single one.
    Condition {
        /// The field.
        field: String,
    },
}

impl Why {
    /// A word for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NotApproved => "not_approved",
            Self::BeforeStart => "before_start",
            Self::BeforeSince => "before_since",
            Self::NoTime => "no_time",
            Self::Condition { .. } => "condition",
        }
    }
}

impl Mapping {
    /// The fields to ask for: what is mapped and looked at, and no more of what people wrote.
    pub fn fields(&self) -> Vec<String> {
        let mut names: BTreeSet<&str> = BTreeSet::from(["createTime", "updateTime"]);
        if self.wants_approval() {
            names.insert("flowState");
        }
        names.extend(self.fields.iter().map(String::as_str));
        names.extend(self.request.entries.iter().flat_map(|entry| entry.template.paths()).map(|path| path.head()));
        names.extend(self.conditions.own.iter().map(|condition| condition.field.as_str()));
        // It comes by itself, and alone it would be ignored.
        names.retain(|name| !matches!(*name, "_id" | "data_id"));
        names.into_iter().map(str::to_owned).collect()
    }

    /// What is asked for: records that are approved and were changed since then, or all that are approved, and the mapping's own
    /// conditions. `None` where there is nothing to be asked.
    pub fn filter(&self, since: Option<UnixMillis>, honoured: Honoured) -> Option<Filter> {
        let flow = self.wants_approval().then(|| flow_in(self.approved())).filter(|_| honoured.flow);
        let time = since.map(changed_since).filter(|_| honoured.time);
        let ours: Vec<Condition> = flow.into_iter().chain(time).collect();
        let own: Vec<Condition> = self.conditions.own.iter().filter_map(|own| own.asked(&self.zone)).collect();
        let is_any = self.conditions.rel == Rel::Or && self.conditions.own.len() > 1;
        let (rel, conditions) = match (is_any, ours.is_empty()) {
            (false, _) => (Rel::And, [ours, own].concat()),
            // There is one level of conditions only, and the platform must have all of one that may be enough alone.
            (true, true) if own.len() == self.conditions.own.len() => (Rel::Or, own),
            (true, _) => (Rel::And, ours),
        };
        (!conditions.is_empty()).then_some(Filter { rel, conditions })
    }

    /// The probes at the start (reference jiandaoyun 6): what each finds out is a part of [`Honoured`].
    pub fn probes(&self, now: UnixMillis) -> Vec<Probe> {
        let probe = |what, condition| Probe { what, filter: Filter { rel: Rel::And, conditions: vec![condition] } };
        let time = probe(Probed::Time, changed_since(now.plus_seconds(AHEAD_SECONDS)));
        let flow = self.wants_approval().then(|| probe(Probed::Flow, flow_in(&[NO_STATE])));
        [Some(time), flow].into_iter().flatten().collect()
    }

    /// Whether a record is taken: approved, made at or after `start`, changed at or after `since`, and as the mapping's own conditions
    /// have it. A form without a workflow approves by being submitted.
    ///
    /// # Errors
    /// [`Why`] it is not.
    pub fn admits(&self, record: &Record, since: Option<UnixMillis>, start: UnixMillis) -> Result<(), Why> {
        if !self.approves(record) {
            return Err(Why::NotApproved);
        }
        if record.created_at().ok_or(Why::NoTime)? < start {
            return Err(Why::BeforeStart);
        }
        if let Some(since) = since
            && record.update_time.ok_or(Why::NoTime)? < since
        {
            return Err(Why::BeforeSince);
        }
        self.fits(record)
    }

    /// Whether the state of the workflow is one that counts as approved.
    fn approves(&self, record: &Record) -> bool {
        let is_approved = |state: i64| self.approved().contains(&state);
        if self.wants_approval() {
            record.flow_state.is_some_and(is_approved)
        } else {
            // A form may have got a workflow since somebody looked.
            record.flow_state.is_none_or(is_approved)
        }
    }

    fn fits(&self, record: &Record) -> Result<(), Why> {
        let own = &self.conditions.own;
        let failing = own.iter().find(|condition| !condition.holds(record, &self.zone));
        let Some(failing) = failing else { return Ok(()) };
        let is_enough = self.conditions.rel == Rel::Or && own.iter().any(|one| one.holds(record, &self.zone));
        if is_enough { Ok(()) } else { Err(Why::Condition { field: failing.field.clone() }) }
    }

    /// Whether a record must say that it is approved.
    fn wants_approval(&self) -> bool {
        self.conditions.approved.is_some() || self.has_flow == Some(true)
    }

    fn approved(&self) -> &[i64] {
        self.conditions.approved.as_deref().unwrap_or(&Conditions::APPROVED)
    }
}

fn flow_in(states: &[i64]) -> Condition {
    let method = if states.len() == 1 { Method::Eq } else { Method::In };
    let values = states.iter().map(|state| json!(state)).collect();
    Condition { field: "flowState".to_owned(), kind: "flowstate".to_owned(), method, values }
}

/// In full and in UTC: whether a time without a zone is China's is not documented (reference jiandaoyun 6).
fn changed_since(since: UnixMillis) -> Condition {
    Condition {
        field: "updateTime".to_owned(),
        kind: "datetime".to_owned(),
        method: Method::Range,
        values: vec![Value::from(since.to_rfc3339()), Value::Null],
    }
}
