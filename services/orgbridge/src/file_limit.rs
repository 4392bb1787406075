//! Open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than any gateway needs.
const ENOUGH: u64 = 65_536;

/// A connection is a file, and the usual limit of 1024 is little for a gateway: takes what the system allows.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let raised =
        Rlimit { current: limit.maximum.map(|most| most.min(ENOUGH)).or(Some(ENOUGH)), maximum: limit.maximum };
    if limit.current < raised.current
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
