//! What a call that brought no answer means for what was asked.

use std::time::Duration;

use common::Disposition;
use wecom::api::{ApiError, Kind, Meaning};

/// As whom it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedAs {
    /// With the contact-sync secret.
    Contact,
    /// With the secret of an app.
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
pub(crate) fn classify(error: &ApiError, asked_as: AskedAs) -> Meant {
    let after = match error.disposition() {
        Disposition::Retry { after } => after,
        Disposition::Reject { .. } | Disposition::Fatal => Duration::ZERO,
    };
    // The contact secret sees everything: when it may not ask, a person has to do something.
    let is_barred = error.kind() == Some(Kind::Forbidden) && asked_as == AskedAs::Contact;
    match (error, error.kind()) {
        _ if is_barred => Meant::Silent { after },
        (ApiError::Closed { .. }, _) => Meant::Silent { after },
        (_, Some(Kind::TooLarge)) => Meant::TooMuch,
        (ApiError::Unreadable { .. }, _)
        | (_, Some(Kind::NotFound | Kind::Invisible | Kind::Forbidden | Kind::Invalid)) => Meant::Unseen,
        _ => match error.meaning() {
            Some(Meaning::Outage | Meaning::Renew | Meaning::Wait { .. }) => Meant::Silent { after },
            _ => Meant::Later { after },
        },
    }
}
