//! What comes back.

use common::UnixMillis;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// An answer, and of when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The platform's time at which the request began, in whole seconds and never later than the truth: what is said
    /// here was so at this moment or later. Of an answer of several pages, that of the first one.
    pub asked_at: UnixMillis,
    /// What was answered.
    pub value: T,
}

impl<T> Answer<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { asked_at: self.asked_at, value: change(self.value) }
    }
}

/// A list as the platform answered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    /// What could be read.
    pub rows: Vec<T>,
    /// How many could not; 1 where there was no list at all.
    pub unreadable: usize,
}

/// A list as it is on the wire; `None` when it is missing or null.
pub(crate) type RawRows = Option<Vec<Box<RawValue>>>;

impl<T> Rows<T> {
    /// Whether all of it could be read: only then something that is not in it is not there.
    pub const fn is_whole(&self) -> bool {
        self.unreadable == 0
    }

    /// Reads row by row, so that one that is odd does not hide the others.
    pub(crate) fn read<W: DeserializeOwned>(raw: RawRows, to_row: impl Fn(W) -> Option<T>) -> Self {
        let Some(raw) = raw else { return Self { rows: Vec::new(), unreadable: 1 } };
        let rows: Vec<T> =
            raw.iter().filter_map(|row| serde_json::from_str::<W>(row.get()).ok()).filter_map(to_row).collect();
        Self { unreadable: raw.len() - rows.len(), rows }
    }
}
