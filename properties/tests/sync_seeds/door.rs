//! The synchronizer's door to our database, where it can be cut off.

use std::sync::{Mutex, MutexGuard};

use database::{Fault, Faults};

/// What a process does by itself, whatever is asked of it.
const BY_ITSELF: &str = "tenants.changed";

/// See the module.
#[derive(Default)]
pub(crate) struct Door(Mutex<Cut>);

/// Where it is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cut {
    #[default]
    Nowhere,
    /// After so many more pieces of work.
    After { left: usize, is_committed: bool },
    /// What is being done is committed, and nobody hears of it.
    Now,
    /// Nothing gets through any more.
    Off,
}

impl Door {
    /// After so many more pieces of work nothing gets through. The last one is committed, or it is not.
    pub(crate) fn cut_after(&self, left: usize, is_committed: bool) {
        *self.cut() = Cut::After { left, is_committed };
    }

    /// Nothing is to happen any more, if nothing did.
    pub(crate) fn spare(&self) {
        *self.cut() = Cut::Nowhere;
    }

    pub(crate) fn is_cut_off(&self) -> bool {
        *self.cut() == Cut::Off
    }

    fn cut(&self) -> MutexGuard<'_, Cut> {
        self.0.lock().unwrap()
    }
}

impl Faults for Door {
    fn before(&self, what: &'static str) -> Fault {
        let mut cut = self.cut();
        let next = match *cut {
            _ if what == BY_ITSELF => return Fault::None,
            Cut::After { left: 0, is_committed: true } => Cut::Now,
            Cut::After { left: 0, is_committed: false } => Cut::Off,
            Cut::After { left, is_committed } => Cut::After { left: left - 1, is_committed },
            other => other,
        };
        *cut = next;
        if next == Cut::Off { Fault::Fail } else { Fault::None }
    }

    fn after(&self, what: &'static str) -> Fault {
        let mut cut = self.cut();
        if what == BY_ITSELF || *cut != Cut::Now {
            return Fault::None;
        }
        *cut = Cut::Off;
        Fault::Fail
    }
}
