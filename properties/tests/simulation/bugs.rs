//! Planted bugs: something is wrong on purpose, at a door or under the tables, and the runs must notice. What is tried has no
//! switch for any of it.

mod messages;
mod tables;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use database::{Connection, Database};
use diesel::connection::SimpleConnection;
use futures::FutureExt;

use crate::{
    run::run,
    seeds::{alone, on_all_cores},
    stores::Stores,
};

/// Each is found by one of so many seeds.
const SEEDS: u64 = 1000;

/// What goes wrong. The first twelve are those of the order tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Some rows of the waiting table are not written.
    LostWaitingRow,
    /// For some it is forgotten who is to be looked at again.
    LostRelease,
    /// A batch is acknowledged although its transaction was lost.
    EarlyAcknowledgement,
    /// The keys of a batch are remembered although its transaction was lost.
    KeysBeforeCommit,
    /// Events of one second are taken for the same event, as the platform advises (reference wecom 2.10).
    SenderAndSecond,
    /// Nobody locks the tenant: what one wrote to a record another one overwrites with what it had read before.
    NoLock,
    /// A removal is forgotten once it was sent, so that the next life inherits from the one before.
    InheritedAcrossRemoval,
    /// A rename counts from later on, so that it reaches whoever bears the id by then.
    RenameOfLaterPerson,
    /// The changes of a transaction are numbered in the order of their ids.
    NumberedById,
    /// A sink that opens its books begins some versions further back.
    NoPositionCheck,
    /// A sink that opens its books leaves one version out.
    GapIsSkipped,
    /// A sink that opens its books has forgotten what it passed over.
    ExceptionsForgotten,
    /// A position is moved when messages are stored, not when they are sent.
    PositionBeforeDelivery,
    /// A message that was stored is made anew after a crash.
    SealedAnew,
    /// Whoever wants a lease gets it.
    TwoSenders,
    /// The queue forgets messages when it hands them out.
    EarlyQueueAcknowledgement,
    /// The queue did not sync: a crash takes back the last of what it confirmed.
    QueueLosesOnCrash,
    /// The gateway hears that an event is durable before it is.
    AnswerBeforePublish,
}

impl Bug {
    const ALL: [Self; 18] = [
        Self::LostWaitingRow,
        Self::LostRelease,
        Self::EarlyAcknowledgement,
        Self::KeysBeforeCommit,
        Self::SenderAndSecond,
        Self::NoLock,
        Self::InheritedAcrossRemoval,
        Self::RenameOfLaterPerson,
        Self::NumberedById,
        Self::NoPositionCheck,
        Self::GapIsSkipped,
        Self::ExceptionsForgotten,
        Self::PositionBeforeDelivery,
        Self::SealedAnew,
        Self::TwoSenders,
        Self::EarlyQueueAcknowledgement,
        Self::QueueLosesOnCrash,
        Self::AnswerBeforePublish,
    ];
}

/// Does something to a database now: it works on this thread, so there is nothing to wait for.
pub(crate) fn at_once<T: Send + 'static>(
    database: &Database,
    work: impl FnOnce(&mut Connection) -> database::Result<T> + Send + 'static,
) -> T {
    let written = tokio::task::unconstrained(database.write("bug", work)).now_or_never();
    written.expect("an idle database").unwrap()
}

/// Executes SQL now.
pub(crate) fn execute(database: &Database, sql: &'static str) {
    at_once(database, move |conn| Ok(conn.sqlite()?.batch_execute(sql)?));
}

#[test]
fn every_planted_bug_is_found() {
    let _alone = alone();
    for bug in Bug::ALL {
        let found = first_that_fails(bug);
        println!("{bug:?}: found by {found:?}");
        assert!(found.is_some(), "{bug:?} goes unnoticed");
    }
}

/// A seed that notices, and by what.
fn first_that_fails(bug: Bug) -> Option<(u64, String)> {
    let (next, is_found) = (AtomicU64::new(0), AtomicBool::new(false));
    let found = on_all_cores(|| {
        let stores = Stores::open(Some(bug));
        while !is_found.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                break;
            }
            if let Some(violation) = run(&stores, seed, Some(bug), false).violations.first() {
                is_found.store(true, Ordering::Relaxed);
                return Some((seed, violation.to_string()));
            }
        }
        None
    });
    found.into_iter().flatten().min()
}
