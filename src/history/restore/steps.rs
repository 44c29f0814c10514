//! From the present history to the restored one, in steps of which each is done whole or not at all.
//!
//! A write-ahead log (`-wal`) beside a file that is not its own would be taken for its own, and damage it; so would a rollback
//! journal. So the order is: each file of the present history gets a second name, by a hard link; what lies beside it loses
//! its first one; and the copy is renamed over it. The folder is synced in between, so that a power cut undoes no step before a
//! later one.
//!
//! What a kill leaves:
//!
//! - **Before the rename** the present history, whole, with a second name that may be removed and is no copy. SQLite has folded the log
//!   into it and removed it before ([`super::present`]), so there is nothing beside it that it could lose.
//! - **Of a history that SQLite can't open**, the file as it was. What lay beside it may have its second name alone; the
//!   set under the second name is whole from the first sync on. No ccwatch can run on such a file, before or after.
//! - **Of none**, but a log that someone forgot, the same: none.
//! - **After the rename** the restored history, with nothing beside it.
//!
//! A hidden copy that was not put in place is removed by the next restore. It and a plain `ccwatch run` find one of these states.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::beside::named;
use super::super::place::folder_of;
use crate::model::Timestamp;

/// What SQLite may have beside a database, and the database itself.
const FILES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Gives a file a second name.
    Link { file: PathBuf, second: PathBuf },
    /// Takes a file's first name.
    Unlink { file: PathBuf, second: PathBuf },
    /// Brings names to the disk.
    Sync { folder: PathBuf },
    /// Puts the copy into the place of whatever is there.
    Rename { copy: PathBuf, file: PathBuf },
}

/// What is to be done with the files that are `there`, each told by what its name ends with.
pub(super) fn plan(copy: &Path, path: &Path, aside: &Path, there: &[&str]) -> Vec<Step> {
    let names = |suffix: &&str| (named(path, suffix), named(aside, suffix));
    let sync = || Step::Sync {
        folder: folder_of(path).to_owned(),
    };
    let mut steps: Vec<Step> = there
        .iter()
        .map(names)
        .map(|(file, second)| Step::Link { file, second })
        .collect();
    steps.push(sync());
    let beside: Vec<_> = there.iter().filter(|suffix| !suffix.is_empty()).map(names).collect();
    if !beside.is_empty() {
        steps.extend(beside.into_iter().map(|(file, second)| Step::Unlink { file, second }));
        steps.push(sync());
    }
    steps.push(Step::Rename {
        copy: copy.to_owned(),
        file: path.to_owned(),
    });
    steps.push(sync());
    steps
}

impl Step {
    pub(super) fn take(&self) -> io::Result<()> {
        match self {
            Self::Link { file, second } => fs::hard_link(file, second),
            Self::Unlink { file, .. } => fs::remove_file(file),
            Self::Sync { folder } => File::open(folder)?.sync_all(),
            Self::Rename { copy, file } => fs::rename(copy, file),
        }
    }

    fn undo(&self) -> io::Result<()> {
        match self {
            Self::Link { second, .. } => fs::remove_file(second),
            Self::Unlink { file, second } => fs::hard_link(second, file),
            Self::Sync { .. } | Self::Rename { .. } => Ok(()),
        }
    }
}

/// Takes all of them. If one fails, those before it are undone, unless the copy is in place by then.
pub(super) fn take(steps: &[Step]) -> io::Result<()> {
    for (number, step) in steps.iter().enumerate() {
        let Err(error) = step.take() else { continue };
        let taken = steps.get(..number).unwrap_or_default();
        if !taken.iter().any(|step| matches!(step, Step::Rename { .. })) {
            for step in taken.iter().rev() {
                // What can't be undone has a second name too many, which is told by its name.
                let _ = step.undo();
            }
        }
        return Err(error);
    }
    Ok(())
}

/// What there is of the history at `path`, told by what the names end with.
pub(super) fn files(path: &Path) -> io::Result<Vec<&'static str>> {
    let mut there = Vec::new();
    for suffix in FILES {
        if is_there(&named(path, suffix))? {
            there.push(suffix);
        }
    }
    Ok(there)
}

/// A name beside the history at `path` under which nothing lies, and nothing that belongs to it.
pub(super) fn name_aside(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let first = named(path, &format!(".before-{}", now.to_jiff().strftime("%Y%m%dT%H%M%SZ")));
    let mut name = first.clone();
    let mut number = 1_u32;
    while !files(&name)?.is_empty() {
        number = number.saturating_add(1);
        name = named(&first, &format!(".{number}"));
    }
    Ok(name)
}

/// Whether `file` is the history at `path`, under whatever name, or one of the files beside it.
pub(super) fn is_part(file: &Path, path: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|about| (about.dev(), about.ino()));
    let parts = FILES.iter().chain(&[".lock"]);
    identity(file).is_some_and(|file| {
        parts
            .map(|suffix| named(path, suffix))
            .any(|part| Some(file) == identity(&part))
    })
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
