//! What a call that brought no answer means for what was asked.

use std::time::Duration;

use crate::contacts::Failure;

/// As whom it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedAs {
    /// As who lists ids and sees everything: with WeCom's contact-sync secret.
    Contact,
    /// As an app, for details of what it sees.
    App,
}

/// What a call that brought no answer means for what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    /// The platform refuses or cannot be reached: nothing follows for what was asked, and no clock runs meanwhile.
    Silent {
        /// It is not worth asking before this.
        after: Duration,
    },
    /// It may pass: ask again. It counts.
    Later {
        /// Not before this.
        after: Duration,
    },
    /// The app does not see it, or there is no such thing: only the lists of ids can tell.
    Unseen,
    /// Too much was asked for at once.
    TooMuch,
}

/// Sorts a failure. One call that the platform is too busy for, or that got lost, says nothing about the platform: whoever meets such
/// failures only asks it what it always answers, see [`crate::silence`].
pub(crate) fn classify(failure: &Failure, asked_as: AskedAs) -> Meant {
    failure.meant(asked_as)
}
