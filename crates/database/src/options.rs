//! How a database is opened.

use std::path::PathBuf;

use crate::{Error, Result};

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://PATH` (relative or absolute; missing directories are created) or `sqlite::memory:`.
    pub url: String,
    /// How many reads may run at once; at least one. Writes are always one at a time. In memory everything is.
    pub pool_size: u32,
    /// What a commit waits for.
    pub synchronous: Synchronous,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Until it is on the disk: needed where a commit is an answer to somebody outside.
    #[default]
    Full,
    /// Until it is with the operating system: a power cut may take back the last commits, in order, but breaks nothing.
    Normal,
}

impl Options {
    /// Four reads at once, and commits that wait for the disk.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), pool_size: 4, synchronous: Synchronous::default() }
    }

    pub(crate) fn place(&self) -> Result<Place> {
        if self.url == "sqlite::memory:" {
            return Ok(Place::Memory);
        }
        match self.url.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() => Ok(Place::File(path.into())),
            _ => Err(Error::Url),
        }
    }
}

/// Where a database lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
}
