//! What comes back.

use common::UnixMillis;

/// An answer, and of when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The platform's time at which the request began, in whole seconds and never later than the truth: what is said
    /// here was so at this moment or later.
    pub asked_at: UnixMillis,
    /// What was answered.
    pub value: T,
}

impl<T> Answer<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { asked_at: self.asked_at, value: change(self.value) }
    }
}
