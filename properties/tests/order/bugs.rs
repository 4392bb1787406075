//! Planted bugs: the shell and the driver do something wrong on purpose, and these tests must notice. What is tested, the
//! crates themselves, has no switch for any of it.

use crate::{random, sets};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Now and then a row of the waiting table is not written.
    LostWaitingRow,
    /// Now and then it is forgotten who is to be looked at again: a crash between a commit and the slice after it.
    LostRelease,
    /// A batch is acknowledged although its transaction was lost.
    EarlyAcknowledgement,
    /// The keys of a batch are remembered although its transaction was lost.
    KeysBeforeCommit,
    /// Events of one second are taken for the same event, as the platform advises (reference wecom 2.10).
    SenderAndSecond,
    /// Nobody locks the tenant: a batch is worked out on records that another one is about to change.
    NoLock,
    /// A removal is forgotten once it was sent, so that the next life inherits from the one before.
    InheritedAcrossRemoval,
    /// A rename counts from when it arrives, so that it reaches whoever bears the id by then.
    RenameOfLaterPerson,
    /// The changes of a transaction are numbered in the order of their ids.
    NumberedById,
    /// A destination is given repeats and older versions again.
    NoPositionCheck,
    /// A destination is given what comes after a gap.
    GapIsSkipped,
    /// A sink that restarts forgets what it passed over.
    ExceptionsForgotten,
}

const BUGS: [Bug; 12] = [
    Bug::LostWaitingRow,
    Bug::LostRelease,
    Bug::EarlyAcknowledgement,
    Bug::KeysBeforeCommit,
    Bug::SenderAndSecond,
    Bug::NoLock,
    Bug::InheritedAcrossRemoval,
    Bug::RenameOfLaterPerson,
    Bug::NumberedById,
    Bug::NoPositionCheck,
    Bug::GapIsSkipped,
    Bug::ExceptionsForgotten,
];

#[test]
fn random_orders_find_every_planted_bug() {
    for bug in BUGS {
        let found = (0..2000).find(|seed| random::run_seed(*seed, Some(bug)).is_err());
        assert!(found.is_some(), "{bug:?} goes unnoticed");
    }
}

#[test]
fn all_orders_of_the_event_sets_find_every_planted_bug() {
    for bug in BUGS {
        let found = sets::SETS.iter().find(|set| sets::try_all_orders(set, Some(bug)).is_err());
        assert!(found.is_some(), "{bug:?} goes unnoticed");
    }
}
