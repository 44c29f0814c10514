//! What SQLite has beside a file, and whether that can be the file's own.
//!
//! SQLite takes any sound write-ahead log or rollback journal under the right name for the file's own, and writes its pages
//! into it: a backup that is copied by hand over a history whose `-wal` is still there is lost, and a journal cuts the file
//! to the size that another one had. So what can't be the file's own is found by what the two say of themselves, before
//! SQLite opens them:
//!
//! - A file that is not in WAL mode, as no backup is, has no log. Of a file in WAL mode no one can tell; at least no log is
//!   folded into one that is not this program's to change ([`open::unguarded`](super::open::unguarded)).
//! - What ccwatch ever journals leaves the file's size as it is: the turn to WAL mode and back. Only a new file grows. So does the
//!   file of another program's transaction; while that goes on, the journal is the file's own, and the kernel knows whose
//!   ([`in_use`]).
//!
//! Others may make and remove all of these at any time, each before or after they change the file itself. So they are looked at
//! before the file's header is read and once more after it, and only what is there all the time counts: a journal is, by its
//! nonce, that of one transaction, which no one has under way in between.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::in_use;

/// The file format's read and write version, of a file that is not in WAL mode.
/// <https://www.sqlite.org/fileformat2.html#file_format_version_numbers>
const NO_WAL: [u8; 2] = [1, 1];

/// <https://www.sqlite.org/fileformat2.html#the_rollback_journal>
const JOURNAL: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// What lies beside a file at one moment.
#[derive(Debug)]
pub(super) struct Beside {
    log: Option<PathBuf>,
    journal: Option<Journal>,
}

/// What a rollback journal says of itself.
#[derive(Debug, PartialEq, Eq)]
struct Journal {
    path: PathBuf,
    /// Another one in each transaction.
    nonce: u32,
    /// How many pages its file had when the transaction was begun.
    pages: u32,
}

impl Beside {
    /// Refuses what is no regular file: SQLite could not use it, or would wait in it for ever.
    pub(super) fn of(path: &Path) -> Result<Self, OpenError> {
        // SQLite follows links, and so do the names beside.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let regular = |suffix| {
            let beside = named(&real, suffix);
            match fs::symlink_metadata(&beside) {
                Ok(about) if !about.is_file() => Err(OpenError::Obstructed {
                    path: path.to_owned(),
                    beside,
                }),
                Ok(about) => Ok((about.len() > 0).then_some(beside)),
                Err(_) => Ok(None),
            }
        };
        regular("-shm")?;
        Ok(Self {
            log: regular("-wal")?,
            journal: regular("-journal")?.and_then(Journal::read),
        })
    }

    /// Whether there is something in the file's write-ahead log.
    pub(super) fn has_log(&self) -> bool {
        self.log.is_some()
    }

    /// Refuses what can't belong to the `file` at `path`, which begins so.
    pub(super) fn belongs_to(self, path: &Path, header: &[u8], file: &File) -> Result<(), OpenError> {
        let failed = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        let pages = file.metadata().map_err(failed)?.len() / page_size(header);
        let is_under_way = self.journal.is_some() && in_use::is_journaled(file).map_err(failed)?;
        let now = Self::of(path)?;
        if let (Some(log), true) = (self.log, now.has_log())
            && header.get(18..20) == Some(NO_WAL.as_slice())
        {
            let path = path.to_owned();
            return Err(OpenError::ForeignLog { path, log });
        }
        if let (Some(journal), Some(still)) = (self.journal, now.journal)
            && journal == still
            && !is_under_way
            && u64::from(journal.pages) != pages
            && (journal.pages, pages) != (0, 1)
        {
            return Err(OpenError::ForeignJournal {
                path: path.to_owned(),
                journal: journal.path,
            });
        }
        Ok(())
    }
}

impl Journal {
    /// `None`: there is nothing in it that SQLite would play back.
    fn read(path: PathBuf) -> Option<Self> {
        let (mut magic, mut records, mut nonce, mut pages) = ([0; 8], [0; 4], [0; 4], [0; 4]);
        let mut file = File::open(&path).ok()?;
        for field in [&mut magic[..], &mut records, &mut nonce, &mut pages] {
            file.read_exact(field).ok()?;
        }
        (magic == JOURNAL).then(|| Self {
            path,
            nonce: u32::from_be_bytes(nonce),
            pages: u32::from_be_bytes(pages),
        })
    }
}

/// <https://www.sqlite.org/fileformat2.html#page_size>
fn page_size(header: &[u8]) -> u64 {
    let Some([high, low]) = header.get(16..18) else {
        return 1;
    };
    match u64::from(u16::from_be_bytes([*high, *low])) {
        0 | 1 => 65536,
        size => size,
    }
}

/// A name of what SQLite keeps beside the file at `path`.
pub(super) fn named(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
