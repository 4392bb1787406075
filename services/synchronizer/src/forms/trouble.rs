//! A form of which nothing can be learnt now. Nothing follows from that for any other part of the tenant, and nothing of it grows old: what
//! was asked for already waits for departments, not for the form.

use std::time::Duration;

use common::{Disposition, UnixMillis, jitter_of};
use jiandaoyun::{
    api::{ApiError, Meaning},
    mapping::Problem,
};

use super::source::Source;
use crate::desk::Desk;

/// How long a form is left alone that a person has to do something about.
const FOR_A_PERSON: Duration = Duration::from_secs(60);

/// Why nothing can be learnt of a form. Its text holds nothing of any record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// A call brought no answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The mapping does not fit the form.
    #[error("the mapping does not fit the form: {}", told(.0))]
    Mapping(Vec<Problem>),
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Trouble {
    /// After how long it is worth trying again.
    pub(crate) fn passes_after(&self) -> Duration {
        match self {
            Self::Mapping(_) => FOR_A_PERSON,
            Self::Api(error) => match error.disposition() {
                Disposition::Retry { after } => after,
                Disposition::Reject { .. } | Disposition::Fatal => FOR_A_PERSON,
            },
        }
    }
}

/// Leaves the form alone for a while, longer each time; says until when. Only the first time of several in a row is told.
pub(crate) fn rest(desk: &Desk, source: &Source, why: &Trouble) -> UnixMillis {
    let (until, is_news) = {
        let mut memory = source.memory();
        memory.failures = memory.failures.saturating_add(1);
        let roll = jitter_of(&[source.tenant.as_str(), &desk.context.instance], memory.failures);
        let wait = desk.timing.backoff.wait(memory.failures, roll).max(why.passes_after());
        let until = desk.now().plus_millis(millis(wait));
        memory.rests_until = Some(until);
        (until, memory.failures == 1)
    };
    if is_news {
        tracing::warn!(tenant.id = %source.tenant, error = %why, "the form tells nothing; trying again");
    }
    until
}

/// The form told something.
pub(crate) fn told_something(source: &Source) {
    let mut memory = source.memory();
    (memory.failures, memory.rests_until) = (0, None);
}

/// Whether a failure is about what was asked alone, and says nothing of the form.
pub(crate) fn is_of_one(error: &ApiError) -> bool {
    match error {
        ApiError::Answered { meaning, .. } => matches!(meaning, Meaning::Permanent(_) | Meaning::Unknown),
        ApiError::TooLarge { .. } | ApiError::Incomplete { .. } => true,
        ApiError::Transport { .. }
        | ApiError::Status { .. }
        | ApiError::Foreign { .. }
        | ApiError::Misplaced { .. }
        | ApiError::Closed { .. } => false,
    }
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
