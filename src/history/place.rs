//! Where a file lies, and whether its path still leads to it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// A path, and the file that it led to: device and inode, which stay while a file is held open, whatever its name does.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    pub(super) fn of(path: &Path) -> Result<Self, OpenError> {
        let file = identity(path).map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Only a file that is surely another, or none, counts as gone: a folder that can't be read for a moment does not.
    pub(super) fn is_held(&self) -> bool {
        match identity(&self.path) {
            Ok(file) => file == self.file,
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        }
    }
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|about| (about.dev(), about.ino()))
}

/// The folder that a file lies in, or would.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::history::{Failure, History};

    #[tokio::test]
    async fn a_history_whose_files_were_removed_or_replaced_says_so() {
        for displaced in ["history.db", "history.db.lock"] {
            let folder = tempfile::tempdir().unwrap();
            let history = History::open(&folder.path().join("history.db")).unwrap();
            history.is_in_place().await.unwrap();
            let path = folder.path().join(displaced);
            let aside = folder.path().join("aside");

            fs::rename(&path, &aside).unwrap();
            let error = history.is_in_place().await.unwrap_err();
            assert!(matches!(error.failure, Failure::Displaced(_)), "{error}");
            assert!(!error.may_pass());
            assert!(error.to_string().contains(displaced), "{error}");

            fs::copy(&aside, &path).unwrap();
            history.is_in_place().await.unwrap_err();
            fs::rename(&aside, &path).unwrap();
            history.is_in_place().await.unwrap();
        }
    }
}
