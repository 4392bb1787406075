//! The kinds of faults, and how often each happened.

use std::fmt;

/// Something that goes wrong, or that happens every day and must do no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The platform answers a few calls that it is busy.
    ApiBusy,
    /// A few answers are no answers: an HTTP status, or the connection is cut before or after the call is done.
    ApiBroken,
    /// The platform says that there were too many calls.
    ApiThrottled,
    /// The platform refuses whoever calls, for some calls.
    ApiRefuses,
    /// Tokens die before their time.
    TokensDie,
    /// The platform forgets all places in lists.
    CursorsDie,
    /// A page of the list of ids does not come.
    PageFails,
    /// A department does not answer.
    DepartmentFails,
    /// For a while the app sees one department only.
    ScopeNarrowed,
    /// From one piece of work on the synchronizer reaches the database no more, as if it had died there.
    CutOff,
    /// The same, but that piece of work is committed.
    CutOffAfterCommit,
    /// The queue takes nothing.
    PublishFailed,
    /// The queue took it, and the synchronizer hears of a failure.
    ConfirmLost,
    /// The product does not answer.
    DeliveryFailed,
    /// The product took a batch, and that is lost.
    DeliveryUnheard,
    /// Somebody edits a row of the product.
    RowEdited,
    /// Somebody deletes a row of the product.
    RowDeleted,
    /// Somebody sets our clock.
    ClockSet,
    CallbackLost,
    CallbackRepeated,
    CallbackDelayed,
    AnswerRepeated,
    AnswerDelayed,
    /// A plan is applied a day after it was made.
    PlanAppliedLate,
    /// A person says no to a plan.
    PlanRejected,
}

impl Kind {
    pub(crate) const ALL: [Self; 25] = [
        Self::ApiBusy,
        Self::ApiBroken,
        Self::ApiThrottled,
        Self::ApiRefuses,
        Self::TokensDie,
        Self::CursorsDie,
        Self::PageFails,
        Self::DepartmentFails,
        Self::ScopeNarrowed,
        Self::CutOff,
        Self::CutOffAfterCommit,
        Self::PublishFailed,
        Self::ConfirmLost,
        Self::DeliveryFailed,
        Self::DeliveryUnheard,
        Self::RowEdited,
        Self::RowDeleted,
        Self::ClockSet,
        Self::CallbackLost,
        Self::CallbackRepeated,
        Self::CallbackDelayed,
        Self::AnswerRepeated,
        Self::AnswerDelayed,
        Self::PlanAppliedLate,
        Self::PlanRejected,
    ];

    /// Whether something fails. The rest happens every day.
    const fn is_fault(self) -> bool {
        !matches!(
            self,
            Self::CallbackRepeated
                | Self::CallbackDelayed
                | Self::AnswerRepeated
                | Self::AnswerDelayed
                | Self::PlanAppliedLate
                | Self::PlanRejected
        )
    }

    /// Whether so seldom that a thousand seeds may do without.
    pub(crate) const fn is_rare(self) -> bool {
        matches!(self, Self::PlanRejected)
    }
}

/// How often each kind happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts([u64; Kind::ALL.len()]);

impl Counts {
    pub(crate) fn add(&mut self, kind: Kind) {
        self.0[kind as usize] += 1;
    }

    pub(crate) fn of(&self, kind: Kind) -> u64 {
        self.0[kind as usize]
    }

    pub(crate) fn faults(&self) -> u64 {
        Kind::ALL.iter().filter(|kind| kind.is_fault()).map(|kind| self.of(*kind)).sum()
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }
}

/// In one line.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = Kind::ALL.iter().map(|kind| format!("{kind:?} {}", self.of(*kind))).collect();
        f.write_str(&each.join(", "))
    }
}
