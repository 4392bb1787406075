//! One process per directory.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::pool::create_directory;

/// The right to a data directory, held until dropped; the operating system takes it back from a process that dies.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

/// Why a data directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryLockError {
    /// Another process works in it.
    #[error("{} is in use by another process", directory.display())]
    Taken {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory or its lock file cannot be made or opened.
    #[error("{} cannot be used as a data directory", directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes a directory, which is made where it is missing, by locking the file `lock` in it. Does not wait.
    ///
    /// # Errors
    /// See [`DirectoryLockError`].
    pub fn acquire(directory: &Path) -> Result<Self, DirectoryLockError> {
        let unusable = |source| DirectoryLockError::Unusable { directory: directory.to_owned(), source };
        create_directory(directory).map_err(unusable)?;
        let file = File::options().create(true).append(true).open(directory.join("lock")).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DirectoryLockError::Taken { directory: directory.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}
