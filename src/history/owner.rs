//! Whose a history is.
//!
//! A service runs as a user of its own, and root sees to its files: what root makes there before the service does, or in place
//! of what was there, is the service's all the same. Else it could not open its own history.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use super::OpenError;
use super::place::folder_of;

/// Whose a history is, and who may read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
}

impl Owner {
    /// As the file or folder at `path` has it; where there is none, its folder's owner and group, and no one else.
    pub(super) fn of(path: &Path) -> Result<Self, OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| OpenError::File { path, source }
        };
        let (about, mode) = match fs::metadata(path) {
            Ok(about) => (about.clone(), about.mode() & 0o777),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = folder_of(path);
                (fs::metadata(folder).map_err(failed(folder))?, 0o600)
            }
            Err(error) => return Err(failed(path)(error)),
        };
        Ok(Self {
            user: about.uid(),
            group: about.gid(),
            mode,
        })
    }

    /// Gives them the file, and lets no one else in than their own.
    pub(super) fn give(self, file: &File) -> io::Result<()> {
        let about = file.metadata()?;
        if (about.uid(), about.gid()) != (self.user, self.group) {
            fchown(file, Some(self.user), Some(self.group))?;
        }
        file.set_permissions(Permissions::from_mode(self.mode))
    }

    /// Gives them a file that was just made for its maker alone, if that is root; another user's stays their own.
    pub(super) fn give_what_root_made(self, file: &File) -> io::Result<()> {
        if rustix::process::geteuid().is_root() {
            Self { mode: 0o600, ..self }.give(file)?;
        }
        Ok(())
    }
}
