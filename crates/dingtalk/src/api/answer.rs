//! What comes back.

use common::UnixMillis;
use serde::de::DeserializeOwned;
use serde_json::Value;

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

    /// The same, where what was answered can be read.
    pub(crate) fn and_then<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Answer<U>, E> {
        Ok(Answer { asked_at: self.asked_at, value: change(self.value)? })
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

impl<T> Rows<T> {
    /// Whether all of it could be read: only then something that is not in it is not there.
    pub const fn is_whole(&self) -> bool {
        self.unreadable == 0
    }

    /// All of it, if all of it could be read.
    pub(crate) fn whole(self) -> Option<Vec<T>> {
        (self.unreadable == 0).then_some(self.rows)
    }

    /// Reads row by row, so that one that is odd does not hide the others. A single row may stand where a list is
    /// documented (reference dingtalk 4.1).
    pub(crate) fn read<W: DeserializeOwned>(told: Option<Value>, to_row: impl Fn(W) -> Option<T>) -> Self {
        let told = match told {
            Some(Value::Array(rows)) => rows,
            Some(row @ Value::Object(_)) => vec![row],
            _ => return Self { rows: Vec::new(), unreadable: 1 },
        };
        let count = told.len();
        let rows: Vec<T> =
            told.into_iter().filter_map(|row| serde_json::from_value::<W>(row).ok()).filter_map(to_row).collect();
        Self { unreadable: count - rows.len(), rows }
    }

    /// The same of a list that is left out where nothing is in it.
    pub(crate) fn read_or_none<W: DeserializeOwned>(told: Option<Value>, to_row: impl Fn(W) -> Option<T>) -> Self {
        match told {
            None | Some(Value::Null) => Self { rows: Vec::new(), unreadable: 0 },
            told => Self::read(told, to_row),
        }
    }
}
