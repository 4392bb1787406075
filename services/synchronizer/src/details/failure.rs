//! What a call that brought no answer means for what was asked.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use common::Disposition;
use dingtalk::api::{ApiError, Kind, Meaning};
use tokio_util::sync::CancellationToken;

/// How long an interface is left alone that the app may not call: a person has to permit it.
pub(crate) const BARRED_FOR: Duration = Duration::from_secs(300);
/// So many calls that got lost, and none that was answered, end a round.
const LOST_MAX: u32 = 16;
/// How many times as long, at most, what cannot be used is left alone each time: such answers cost a part of the quota, too.
const MOST_TIMES: u32 = 60;

/// What a call that brought no answer means for what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    /// The platform tells nothing of this kind: nothing follows for what was asked, and no clock runs meanwhile.
    Silent {
        /// It is not worth asking before this.
        after: Duration,
    },
    /// It is not worth what is left of the quota.
    TooDear {
        /// It will be after this.
        after: Duration,
    },
    /// It may pass: ask again. It counts.
    Later {
        /// Not before this.
        after: Duration,
    },
    /// The answer holds what cannot be read: of many things that were asked about at once one may be to blame.
    Unreadable {
        /// What is to blame by itself is not to be asked about before this.
        after: Duration,
    },
    /// There is no such thing.
    NotThere,
    /// It is the question's own fault: of many things that were asked about at once one may be to blame.
    Wrong,
}

/// Sorts a failure.
pub(crate) fn meant(error: &ApiError) -> Meant {
    let after = match error.disposition() {
        Disposition::Retry { after } => after,
        Disposition::Reject { .. } | Disposition::Fatal => Duration::ZERO,
    };
    match (error, error.kind()) {
        (ApiError::QuotaSpent { .. }, _) => Meant::TooDear { after },
        (ApiError::Closed { .. }, _) => Meant::Silent { after },
        (error, _) if error.is_unreadable() => Meant::Unreadable { after },
        (_, Some(Kind::Forbidden)) => Meant::Silent { after: BARRED_FOR },
        (_, Some(Kind::NotFound)) => Meant::NotThere,
        (_, Some(Kind::Invalid | Kind::TooLarge | Kind::Invisible)) => Meant::Wrong,
        _ => match error.meaning() {
            Some(Meaning::Outage | Meaning::Credentials | Meaning::Renew | Meaning::Quota | Meaning::Wait { .. }) => {
                Meant::Silent { after }
            }
            _ => Meant::Later { after },
        },
    }
}

/// How long what failed for the `attempt`th time is left alone at least, where it was to be for `after` the first time.
pub(crate) fn longer(after: Duration, attempt: u32) -> Duration {
    after.saturating_mul(attempt.clamp(1, MOST_TIMES))
}

/// Ends a round early: the platform tells nothing, or the process stops. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Halt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stop: CancellationToken,
    silent: OnceLock<(Duration, ApiError)>,
    /// The first call that got lost.
    outage: OnceLock<ApiError>,
    /// Calls that got lost, since the last one that was answered.
    lost: AtomicU32,
}

impl Halt {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self(Arc::new(Inner { stop, silent: OnceLock::new(), outage: OnceLock::new(), lost: AtomicU32::new(0) }))
    }

    /// Why the platform is silent, and how long it is to be left alone.
    fn silent(&self) -> Option<&(Duration, ApiError)> {
        self.0.silent.get()
    }

    /// The same of a round in which `answered` calls were answered: where none was and calls got lost, the platform cannot be reached.
    pub(crate) fn silence(&self, answered: u64) -> Option<(Duration, &ApiError)> {
        let refused = self.silent().map(|(after, error)| (*after, error));
        refused.or_else(|| self.0.outage.get().filter(|_| answered == 0).map(|error| (Duration::ZERO, error)))
    }

    /// Whether nothing more is to be asked.
    pub(crate) fn is_on(&self) -> bool {
        let Inner { stop, silent, lost, .. } = &*self.0;
        stop.is_cancelled() || silent.get().is_some() || lost.load(Ordering::Relaxed) >= LOST_MAX
    }

    /// Notes that the platform answers.
    pub(crate) fn answered(&self) {
        self.0.lost.store(0, Ordering::Relaxed);
    }

    /// What a failure means; a silence ends the round.
    pub(crate) fn judge(&self, error: &ApiError) -> Meant {
        let meant = meant(error);
        match meant {
            // Whoever noticed first is as right as the others.
            Meant::Silent { after } => drop(self.0.silent.set((after, error.clone()))),
            Meant::Later { .. } if error.is_outage() => {
                self.0.lost.fetch_add(1, Ordering::Relaxed);
                drop(self.0.outage.set(error.clone()));
            }
            // It says something, and be it that there is nothing.
            Meant::NotThere | Meant::Wrong | Meant::Unreadable { .. } => self.answered(),
            Meant::Later { .. } | Meant::TooDear { .. } => {}
        }
        meant
    }
}

#[cfg(test)]
mod tests {
    use common::UnixMillis;
    use dingtalk::api::{Code, Detail};

    use super::*;

    #[test]
    fn who_cannot_be_seen_is_nobody_elses_fault_and_what_is_not_permitted_is_everybodys() {
        let meant_by = |number| {
            let code = Code::Number(number);
            let meaning = code.meaning();
            let asked_at = UnixMillis(0);
            meant(&ApiError::Answered { api: "attendance/list", code, meaning, detail: Detail::None, asked_at })
        };
        assert_eq!(meant_by(50002), Meant::Wrong);
        assert_eq!(meant_by(60011), Meant::Silent { after: BARRED_FOR });
        assert_eq!(meant_by(60121), Meant::NotThere);
    }

    #[test]
    fn what_cannot_be_read_may_be_one_row_but_a_token_that_cannot_be_read_is_nobodys() {
        let meant_by = |api| meant(&ApiError::Incomplete { api });
        assert!(matches!(meant_by("attendance/list"), Meant::Unreadable { after } if after > Duration::ZERO));
        for api in ["v1.0/oauth2/accessToken", "gettoken"] {
            assert!(matches!(meant_by(api), Meant::Later { .. }), "{api}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_left_alone_longer_each_time() {
        let minute = Duration::from_secs(60);
        assert_eq!([0, 1, 2, 60, 1000].map(|attempt| longer(minute, attempt).as_secs()), [60, 60, 120, 3600, 3600]);
        assert_eq!(longer(Duration::ZERO, 7), Duration::ZERO);
    }
}
