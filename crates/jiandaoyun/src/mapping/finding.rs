//! What is odd about a mapping, and what is wrong with it.

use std::fmt;

use serde::Serialize;

/// The longest piece of a file that is shown.
const LONGEST_QUOTE_CHARS: usize = 60;

/// Something odd that was understood all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Where in the file, such as `source.filter.cond_1.value`.
    pub at: String,
    /// What it is, in one word.
    pub word: &'static str,
    /// What it is and what was made of it, for people.
    pub text: String,
}

/// Something that keeps a mapping from being used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{at}: {text}")]
pub struct Problem {
    /// Where in the file, such as `request[2].check`.
    pub at: String,
    /// What it is, in one word.
    pub word: &'static str,
    /// What it is and what would be right, for people.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

/// Collects both while a mapping is read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    warnings: Vec<Warning>,
    problems: Vec<Problem>,
}

impl Findings {
    pub(crate) fn warn(&mut self, at: &str, word: &'static str, text: impl Into<String>) {
        self.warnings.push(Warning { at: at.to_owned(), word, text: text.into() });
    }

    pub(crate) fn refuse(&mut self, at: &str, word: &'static str, text: impl Into<String>) {
        self.problems.push(Problem { at: at.to_owned(), word, text: text.into() });
    }

    /// What was read, if nothing is wrong with it. Whoever has nothing has said why.
    pub(crate) fn finish<T>(mut self, read: Option<T>) -> Result<(T, Vec<Warning>), Vec<Problem>> {
        match read {
            Some(read) if self.problems.is_empty() => Ok((read, self.warnings)),
            _ if self.problems.is_empty() => {
                self.refuse("mapping", "unreadable", "the mapping cannot be read");
                Err(self.problems)
            }
            _ => Err(self.problems),
        }
    }
}

/// A word of a file, short enough to be shown.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST_QUOTE_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
