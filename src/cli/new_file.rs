//! A file that is there whole or not at all.
//!
//! It is written beside its place under another name, for its owner alone, and takes its name when it is whole and on the
//! disk: neither a full disk nor a kill leaves half a file under that name. A failure removes it, and so does a signal that
//! asks the process to end ([`interruption`](super::interruption)); what a killed process left under the other name is
//! removed by the next one that writes the same file.
//!
//! It stays for its owner alone ([`NewFile::keep`]), whatever it replaces; or takes the mode of what it replaces, where who
//! could read that is to read this ([`NewFile::keep_with_former_mode`]).
//!
//! Whether someone still writes it is told by a lock (`flock`) on it, which ends with its process however that ends. A process
//! number in its name would tell nothing in a container, where each has the number 1.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::Failure;
use super::history_file::is_same_file;
use super::interruption::Interruption;
use crate::history::{self, folder_of};
use crate::model::printable;

/// What SQLite may have beside a file that it fills, and the file itself.
const BESIDE: [&str; 4] = ["-journal", "-wal", "-shm", ""];

/// Removed when it is dropped, unless it was kept.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    partial: PathBuf,
    path: PathBuf,
    replace: bool,
    is_kept: bool,
}

/// Not buffered.
pub(super) struct Named<'f>(&'f NewFile);

impl Write for Named<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0.file).write(bytes).map_err(|error| {
            let told = format!("can't write {}: {error}", printable(&self.0.path.to_string_lossy()));
            io::Error::new(error.kind(), told)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile {
    /// Begins a file that is to be at `path`, made of what the history `asked` tells. With `replace`, one that is there is
    /// replaced when this one is whole; never what belongs to a history.
    pub(super) fn begin(path: &Path, replace: bool, asked: &Path) -> Result<Self, Failure> {
        let path = &followed(path)?;
        let Some(name) = path
            .file_name()
            .filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"))
        else {
            return Err(Failure::Arguments(format!("{} names no file", path.display())));
        };
        if let Some(whose) = history_of(path, asked) {
            return Err(Failure::Arguments(format!(
                "{} belongs to the history {}; name another file",
                path.display(),
                whose.display()
            )));
        }
        match fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => {
                let text = format!("{} is a folder; name a file in it", path.display());
                return Err(Failure::Arguments(text));
            }
            // A device or a pipe is not to be replaced by a file.
            Ok(about) if !about.is_file() => {
                let text = format!("{} is no regular file; name another one", path.display());
                return Err(Failure::Arguments(text));
            }
            Ok(_) if !replace => return Err(is_there(path)),
            _ => {}
        }
        is_free(path)?;
        let folder = folder_of(path);
        // SQLite would take a name that begins with "file:" for an address: a whole path does not.
        let folder = fs::canonicalize(folder)
            .map_err(|error| Failure::of_named(&format!("can't use the folder {}", folder.display()), &error))?;
        let name = name.to_string_lossy();
        sweep(&folder, &name);
        let (file, partial) = begin(&folder, &name)
            .map_err(|error| Failure::of_named(&format!("can't make a file in {}", folder.display()), &error))?;
        Ok(Self {
            file,
            partial,
            path: path.to_owned(),
            replace,
            is_kept: false,
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Writes to it, and says of what fails which file it is.
    pub(super) fn writer(&self) -> Named<'_> {
        Named(self)
    }

    /// Whether no one else makes a file for that path at this moment.
    pub(super) fn is_alone(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.partial.ends_with(partial_name(&name, 1))
    }

    /// Where it is until it is kept: a whole path.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Brings it to the disk, and gives it its name, unless a signal came by then.
    pub(super) fn keep(mut self, interruption: &Interruption) -> Result<(), Failure> {
        let to_disk = || format!("can't write {} to the disk", self.path.display());
        self.file.sync_all().with_context(to_disk)?;
        if interruption.stop().is_cancelled() {
            return Err(interruption.failure());
        }
        is_free(&self.path)?;
        self.name().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => is_there(&self.path),
            _ => Failure::Work(anyhow!("can't give {} its name: {error}", self.path.display())),
        })?;
        self.is_kept = true;
        // The name is on the disk with its folder.
        if let Some(folder) = self.partial.parent() {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .with_context(to_disk)?;
        }
        Ok(())
    }

    /// As [`keep`](Self::keep), with the mode of the file that it replaces, if it replaces one.
    pub(super) fn keep_with_former_mode(self, interruption: &Interruption) -> Result<(), Failure> {
        if let Ok(about) = fs::metadata(&self.path) {
            let mode = || format!("can't give {} the mode of the file it replaces", self.path.display());
            self.file.set_permissions(about.permissions()).with_context(mode)?;
        }
        self.keep(interruption)
    }

    fn name(&self) -> io::Result<()> {
        if self.replace {
            return fs::rename(&self.partial, &self.path);
        }
        match renameat_with(CWD, &self.partial, CWD, &self.path, RenameFlags::NOREPLACE) {
            // Some file systems, NFS among them, can't rename so. What came between the look and the name is lost there.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if fs::symlink_metadata(&self.path).is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(&self.partial, &self.path)
            }
            renamed => Ok(renamed?),
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            remove(&self.partial);
        }
    }
}

/// What SQLite keeps beside a database that is in use.
const IN_USE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What SQLite and ccwatch keep beside a history.
const COMPANIONS: [&str; 4] = ["-wal", "-shm", "-journal", ".lock"];

/// The history that `path` belongs to: as the one that is asked, `asked`, or one that a daemon holds, by whatever name; or as
/// what is kept beside any. A history that no one holds or asks may be an old backup, and replaced by the next one.
fn history_of(path: &Path, asked: &Path) -> Option<PathBuf> {
    if is_same_file(path, asked) || history::is_held(path) {
        return Some(path.to_owned());
    }
    let name = path.as_os_str().as_bytes();
    let histories = COMPANIONS
        .iter()
        .filter_map(|companion| name.strip_suffix(companion.as_bytes()));
    histories
        .map(|name| PathBuf::from(OsStr::from_bytes(name)))
        .find(|history| history.is_file())
}

/// The file that a link leads to: whoever writes to a link means that file.
fn followed(path: &Path) -> Result<PathBuf, Failure> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    if !is_link {
        return Ok(path.to_owned());
    }
    fs::canonicalize(path).map_err(|_| {
        Failure::Arguments(format!(
            "{} is a link that leads to no file; name another one",
            path.display()
        ))
    })
}

/// Refuses a name beside which SQLite has its own: whoever has that database open would go on in them, and whoever opens this
/// file next would take what is in them for its last changes.
/// <https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use>
fn is_free(path: &Path) -> Result<(), Failure> {
    let beside = |suffix: &&str| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        let beside = PathBuf::from(beside);
        fs::symlink_metadata(&beside).is_ok().then_some(beside)
    };
    match IN_USE.iter().find_map(beside) {
        None => Ok(()),
        Some(beside) => Err(Failure::Arguments(format!(
            "{} shows that {} is in use, or was when its user was killed; name another file, or move both away",
            beside.display(),
            path.display()
        ))),
    }
}

fn is_there(path: &Path) -> Failure {
    Failure::Arguments(format!(
        "{} is there already, and is left as it is; name another file, or replace it with --force",
        path.display()
    ))
}

fn partial_name(name: &str, number: u32) -> String {
    format!(".{name}.{number}.partial")
}

/// Makes a file under a name that no one has, and takes its lock.
fn begin(folder: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    let mut number = 0;
    loop {
        number += 1;
        let partial = folder.join(partial_name(name, number));
        let made = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial);
        let file = match made {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => continue,
            Err(error) => return Err(error),
        };
        match file.lock() {
            // Another one may have swept it away before the lock was taken.
            Ok(()) if file.metadata()?.nlink() == 0 => {}
            // Where a file system has no locks, no one sweeps either.
            _ => return Ok((file, partial)),
        }
    }
}

/// Removes what was left of the same file by those who are gone.
fn sweep(folder: &Path, name: &str) {
    let is_partial = |found: &str| {
        let rest = found.strip_prefix(&format!(".{name}.")).unwrap_or_default();
        rest.strip_suffix(".partial")
            .is_some_and(|number| number.parse::<u32>().is_ok())
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !entry.file_name().to_str().is_some_and(is_partial) {
            continue;
        }
        // One that can't be opened or locked is left, and is in no one's way.
        let Ok(file) = File::open(entry.path()) else { continue };
        match file.try_lock() {
            Ok(()) => remove(&entry.path()),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

/// Removes it with what lies beside it: itself last, since it is what the next one knows the rest by.
fn remove(partial: &Path) {
    for suffix in BESIDE {
        let mut beside = partial.to_owned().into_os_string();
        beside.push(suffix);
        // Where this fails, the next one that writes the same file tries again.
        let _ = fs::remove_file(beside);
    }
}

#[cfg(test)]
#[path = "new_file_tests.rs"]
mod tests;
