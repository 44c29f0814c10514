//! A history that is held as by its daemon, for what none may run beside.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::lock::Lock;
use super::{OpenError, open};

/// A history of this version that was there, and its lock until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    /// Before the lock, so that it is closed while that is held.
    pub(super) connection: Connection,
    /// Of the file itself, where the name that was given is a link.
    pub(super) path: PathBuf,
    _lock: Lock,
}

impl Held {
    /// Takes the history at `path` as a daemon would, or says who holds it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        // Looked at before a lock is made beside it.
        drop(open::outside_reader(path)?);
        let path = fs::canonicalize(path).map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
        let lock = Lock::take(&path)?;
        Ok(Self {
            connection: open::outside_writer(&path)?,
            path,
            _lock: lock,
        })
    }
}
