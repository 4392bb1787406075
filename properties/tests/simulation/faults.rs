//! The kinds of faults, and how often each happened.

use std::fmt;

use crate::life::{Role, Side};

/// Something that goes wrong, or that a platform does and that must do no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    GatewayKilledBefore,
    GatewayKilledAfter,
    ResolverKilledBefore,
    ResolverKilledAfter,
    SinkKilledBefore,
    SinkKilledAfter,
    /// A transaction of ours does not even begin.
    StoreFailed,
    /// It is committed, and who waits for it hears of a failure.
    CommitAnswerLost,
    StoreSlow,
    PublishFailed,
    /// It is in the queue, and who published hears of a failure.
    ConfirmLost,
    PublishedTwice,
    PublishHung,
    /// A batch comes again later, perhaps after newer ones.
    Redelivered,
    /// Two processes have the same batch in hand at once.
    Overlapped,
    AcknowledgementLost,
    /// A batch is taken away from whoever has it in hand.
    HandedOver,
    BrokerCrashed,
    QueueStoreFailed,
    QueueCommitAnswerLost,
    ClockForward,
    ClockBack,
    DestinationAway,
    /// A destination answers 500 to one entity for some time.
    ChangeRefused,
    /// A destination took it, and we hear of nothing.
    AnswerLost,
    DestinationHung,
    CallbackRepeated,
    CallbackDelayed,
    CallbacksReordered,
}

impl Kind {
    pub(crate) const ALL: [Self; 29] = [
        Self::GatewayKilledBefore,
        Self::GatewayKilledAfter,
        Self::ResolverKilledBefore,
        Self::ResolverKilledAfter,
        Self::SinkKilledBefore,
        Self::SinkKilledAfter,
        Self::StoreFailed,
        Self::CommitAnswerLost,
        Self::StoreSlow,
        Self::PublishFailed,
        Self::ConfirmLost,
        Self::PublishedTwice,
        Self::PublishHung,
        Self::Redelivered,
        Self::Overlapped,
        Self::AcknowledgementLost,
        Self::HandedOver,
        Self::BrokerCrashed,
        Self::QueueStoreFailed,
        Self::QueueCommitAnswerLost,
        Self::ClockForward,
        Self::ClockBack,
        Self::DestinationAway,
        Self::ChangeRefused,
        Self::AnswerLost,
        Self::DestinationHung,
        Self::CallbackRepeated,
        Self::CallbackDelayed,
        Self::CallbacksReordered,
    ];

    /// A process dies at a step, with its effect undone or done.
    pub(crate) const fn killed(role: Role, side: Side) -> Self {
        match (role, side) {
            (Role::Gateway, Side::Before) => Self::GatewayKilledBefore,
            (Role::Gateway, Side::After) => Self::GatewayKilledAfter,
            (Role::Resolver, Side::Before) => Self::ResolverKilledBefore,
            (Role::Resolver, Side::After) => Self::ResolverKilledAfter,
            (Role::Sink, Side::Before) => Self::SinkKilledBefore,
            (Role::Sink, Side::After) => Self::SinkKilledAfter,
        }
    }

    /// Whether something fails. The rest is what a platform does every day, and a database that takes its time.
    const fn is_fault(self) -> bool {
        !matches!(self, Self::StoreSlow | Self::CallbackRepeated | Self::CallbackDelayed | Self::CallbacksReordered)
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

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Kind::ALL.iter().try_for_each(|kind| writeln!(f, "{:>24} {}", format!("{kind:?}"), self.of(*kind)))
    }
}
