//! Hooks for tests that break things, and for those who measure.

use std::time::Duration;

/// Scripted faults for tests: asked around every piece of work that passes the door.
pub trait Faults: Send + Sync {
    /// Before the work begins. [`Fault::Fail`] keeps it from beginning.
    fn before(&self, what: &'static str) -> Fault;
    /// After the work succeeded and is committed. [`Fault::Fail`] reports a failure all the same: an answer that got
    /// lost.
    fn after(&self, what: &'static str) -> Fault;
}

/// What a scripted fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The caller gets [`Error::Unavailable`](crate::Error::Unavailable).
    Fail,
    /// The caller goes on after this time; no connection is held meanwhile.
    Delay(Duration),
    /// The caller never goes on, as if the process had been killed at this point; no connection is held meanwhile.
    Hang,
}

/// Told of everything that passed the door, for metrics.
pub trait Observer: Send + Sync {
    /// `what` waited for a connection, then took so long, and succeeded or not.
    fn ran(&self, what: &'static str, waited: Duration, took: Duration, ok: bool);
}
