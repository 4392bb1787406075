//! Records, and from when on each of their states can be read.

use serde_json::{Map, Value};

/// Where a record's workflow is (reference jiandaoyun 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowState {
    /// 0.
    Running,
    /// 1: it went through to the end.
    Approved,
    /// 2: ended by hand.
    Ended,
    /// 3.
    Refused,
    /// 4: running again; not confirmed.
    Reactivated,
    /// 5: not confirmed.
    Paused,
}

impl FlowState {
    /// Its number.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Running => 0,
            Self::Approved => 1,
            Self::Ended => 2,
            Self::Refused => 3,
            Self::Reactivated => 4,
            Self::Paused => 5,
        }
    }
}

/// What becomes of a record that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It is approved.
    Approved,
    /// It is refused.
    Refused,
    /// It is ended by hand.
    Ended,
    /// It is approved, opened again, and approved again.
    Reactivated,
}

impl Life {
    /// The states after that of the submission.
    #[must_use]
    pub const fn states(self) -> &'static [FlowState] {
        match self {
            Self::Approved => &[FlowState::Approved],
            Self::Refused => &[FlowState::Refused],
            Self::Ended => &[FlowState::Ended],
            Self::Reactivated => &[FlowState::Approved, FlowState::Running, FlowState::Approved],
        }
    }
}

/// A record of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct FormRecord {
    /// Its id.
    pub id: String,
    /// When it was submitted, Unix ms.
    pub created_ms: i64,
    /// When it was last changed, Unix ms.
    pub updated_ms: i64,
    /// When it was deleted, Unix ms.
    pub removed_ms: Option<i64>,
    /// Who submitted it.
    pub creator: String,
    /// Who changed it last.
    pub updater: String,
    /// Where its workflow is; `None` without one, or while it has not begun.
    pub flow_state: Option<FlowState>,
    /// What its fields hold, in the read form, under the ids of the widgets.
    pub values: Map<String, Value>,
}

/// The states of a record, the newest of which may not be readable yet.
#[derive(Debug)]
pub(super) struct History {
    before: Vec<Version>,
    newest: Version,
}

#[derive(Debug)]
struct Version {
    readable_from_ms: i64,
    record: FormRecord,
}

impl History {
    pub(super) fn new(record: FormRecord, readable_from_ms: i64) -> Self {
        Self { before: Vec::new(), newest: Version { readable_from_ms, record } }
    }

    /// The record as it is.
    pub(super) fn newest(&self) -> &FormRecord {
        &self.newest.record
    }

    /// The record as it can be read at that time; deleted or not.
    pub(super) fn readable(&self, now_ms: i64) -> Option<&FormRecord> {
        let mut versions = std::iter::once(&self.newest).chain(self.before.iter().rev());
        versions.find(|version| version.readable_from_ms <= now_ms).map(|version| &version.record)
    }

    /// A newer state. Those that nobody can read any more at `now_ms` are forgotten.
    pub(super) fn write(&mut self, record: FormRecord, readable_from_ms: i64, now_ms: i64) {
        let older = std::mem::replace(&mut self.newest, Version { readable_from_ms, record });
        self.before.push(older);
        if let Some(place) = self.before.iter().rposition(|version| version.readable_from_ms <= now_ms) {
            self.before.drain(..place);
        }
    }
}
