//! Giving free pages back to the disk.
//!
//! SQLite's `VACUUM` writes all of the history anew, into a temporary file and from there over the old one by way of the
//! WAL. Whatever ends it, the file is the old one or the new one. A copy that takes the place of the file would need less
//! room, but whoever has the old one open would go on reading that.
//!
//! No daemon may hold the history meanwhile: its looks would wait for as long as it takes.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};
use thiserror::Error;

use super::backup::{Size, size};
use super::held::Held;
use super::place::folder_of;
use super::{Failure, OpenError};

/// A history that is to be written anew, and is held for that.
#[derive(Debug)]
pub struct Vacuum {
    held: Held,
    size: Size,
    temporary: PathBuf,
}

/// Why a history was not written anew. It is as it was.
#[derive(Debug, Error)]
pub enum VacuumError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(
        "{needed} bytes are needed in {} to write the history anew, and {free} are free; make room, or set SQLITE_TMPDIR to a \
         folder for what is only needed meanwhile",
        folder.display()
    )]
    NoRoom { folder: PathBuf, needed: u64, free: u64 },
    #[error("the history {} was not written anew: {failure}", path.display())]
    Failed { path: PathBuf, failure: Failure },
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vacuumed {
    pub before: Size,
    pub after: Size,
    /// Whether the file is as small as that already. If not, someone reads it, and it becomes so when they have finished.
    pub is_folded: bool,
}

impl Vacuum {
    /// Takes the history at `path` as a daemon would, or says who holds it.
    pub fn prepare(path: &Path) -> Result<Self, VacuumError> {
        let held = Held::take(path)?;
        let size = size(&held.connection).map_err(|source| VacuumError::Failed {
            path: held.path.clone(),
            failure: source.into(),
        })?;
        Ok(Self {
            held,
            size,
            temporary: temporary_folder(),
        })
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// The folders in which room is needed meanwhile, and how many bytes: for the temporary file, and beside the history for
    /// its WAL.
    pub fn needs(&self) -> [(&Path, u64); 2] {
        let beside = folder_of(&self.held.path);
        [(&self.temporary, self.size.used), (beside, self.size.used)]
    }

    /// Fails where there is not the room that it needs.
    pub fn check_room(&self) -> Result<(), VacuumError> {
        let [(temporary, first), (beside, second)] = self.needs();
        let is_one = device(temporary).is_some() && device(temporary) == device(beside);
        let needs = if is_one {
            vec![(beside, first + second)]
        } else {
            vec![(temporary, first), (beside, second)]
        };
        for (folder, needed) in needs {
            // Where it can't be asked, SQLite finds out, and undoes what it began.
            let Ok(about) = statvfs(folder) else { continue };
            let free = about.f_bavail.saturating_mul(about.f_frsize);
            if free < needed {
                return Err(VacuumError::NoRoom {
                    folder: folder.to_owned(),
                    needed,
                    free,
                });
            }
        }
        Ok(())
    }

    /// Writes it anew, and lets go of it.
    pub fn run(self) -> Result<Vacuumed, VacuumError> {
        let connection = &self.held.connection;
        let work = || -> rusqlite::Result<Vacuumed> {
            connection.execute_batch("VACUUM")?;
            let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            Ok(Vacuumed {
                before: self.size,
                after: size(connection)?,
                is_folded: !is_busy,
            })
        };
        work().map_err(|source| VacuumError::Failed {
            path: self.held.path.clone(),
            failure: source.into(),
        })
    }
}

/// Where SQLite puts its temporary files: the first of these folders in which this process may write.
/// <https://www.sqlite.org/tempfiles.html#temporary_file_storage_locations>
fn temporary_folder() -> PathBuf {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(std::env::var_os);
    let usual = ["/var/tmp", "/usr/tmp", "/tmp"].map(Into::into);
    named
        .chain(usual)
        .map(PathBuf::from)
        .find(|folder| folder.is_dir() && access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok())
        .unwrap_or_else(|| PathBuf::from("."))
}

fn device(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let about: io::Result<_> = std::fs::metadata(folder);
    about.ok().map(|about| about.dev())
}
