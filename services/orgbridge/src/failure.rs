//! How a command fails.

use std::io;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage or configuration, one line each: exit code 2.
    Wrong(Vec<String>),
    /// It was tried and did not work: exit code 1.
    Failed(anyhow::Error),
    /// It did not work, and everything is said already: exit code 1.
    Silent,
    /// Nobody reads the output any more, as after `| head`: nothing to say, exit code 0.
    Unread,
}

impl Failure {
    /// A failure that a sentence tells.
    pub(crate) fn say(sentence: impl Into<String>) -> Self {
        Self::Failed(anyhow::Error::msg(sentence.into()))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<database::Error> for Failure {
    fn from(error: database::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<Vec<service::Problem>> for Failure {
    fn from(problems: Vec<service::Problem>) -> Self {
        Self::Wrong(problems.iter().map(ToString::to_string).collect())
    }
}
