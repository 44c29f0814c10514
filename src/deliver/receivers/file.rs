//! A line of JSON for each change, at the end of a file: what `log` writes as `json`, kept.
//!
//! - **A line counts as written once it is on the disk** (`fdatasync`, and of a new file its folder too): at least once
//!   means little if a power cut can take back what was accepted.
//! - **Others rotate it.** The file is opened anew for each line, which costs far less than to sync it: whoever moves it away
//!   (logrotate's default) or cuts it (`copytruncate`) need not tell ccwatch. One write for a line, with O_APPEND, so that
//!   several writers do not mix. logrotate should not compress at once (`delaycompress`): a line may be on its way.
//! - **A torn line is closed off.** When a full disk or a crash left half a line, the next begins on a line of its own, and
//!   the torn one is told again: whoever reads the file must pass over a line that is no JSON.
//! - **It never hangs.** Only a regular file is opened: a pipe without a reader would wait for ever. Writing happens off
//!   the runtime's threads; while one write is blocked, on a dead network share say, further attempts fail at once rather
//!   than each taking a thread.
//! - A new file is its owner's alone to read (mode 0600): messages may say more than everyone should know.

use std::fs::{self, File as OpenFile, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use super::log;
use crate::decide::retry::Outcome;
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Report, Sending};
use crate::render::Message;

/// For a new file.
const MODE: u32 = 0o600;

/// A receiver of type `file`.
#[derive(Debug)]
pub struct File {
    /// Held while a line is written.
    path: Arc<Mutex<PathBuf>>,
}

impl File {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path: Arc::new(Mutex::new(path)),
        }
    }

    async fn append(&self, attempt: Attempt<'_>) -> Report {
        let line = match log::json(attempt.message.news) {
            Ok(line) => line,
            Err(error) => {
                return Report::from(Outcome::Rejected {
                    error: format!("the line cannot be written: {error}"),
                });
            }
        };
        let path = Arc::clone(&self.path);
        let written = tokio::task::spawn_blocking(move || {
            let path = match path.try_lock() {
                Ok(path) => path,
                Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
                Err(TryLockError::WouldBlock) => {
                    return Err("an earlier line is still being written: does its disk answer?".to_owned());
                }
            };
            append(&path, &line).map_err(|error| format!("{}: {error}; {}", path.display(), remedy(&error)))
        });
        Report::from(match written.await {
            Ok(Ok(())) => Outcome::Accepted,
            Ok(Err(error)) => failed(error),
            Err(error) => failed(error.to_string()),
        })
    }
}

fn failed(error: String) -> Outcome {
    Outcome::Failed {
        error,
        retry_after: None,
    }
}

impl Receiver for File {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::ZERO)
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        Preview {
            content: log::json(message.news).unwrap_or_else(|error| format!("the line cannot be written: {error}")),
            measures: Vec::new(),
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.append(attempt))
    }
}

/// Returns once the line is on the disk.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = open(path)?;
    // Whoever looks while another ccwatch writes would take its half-written line for a torn one. Let go with the file.
    file.lock()?;
    let text = if ends_within_a_line(&mut file)? {
        format!("\n{line}")
    } else {
        line.to_owned()
    };
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

fn open(path: &Path) -> io::Result<OpenFile> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => OpenOptions::new().read(true).append(true).open(path),
        Ok(metadata) if metadata.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")),
        Err(error) if error.kind() == ErrorKind::NotFound => create(path),
        Err(error) => Err(error),
    }
}

fn create(path: &Path) -> io::Result<OpenFile> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(MODE)
        .open(path)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    OpenFile::open(folder)?.sync_all()?;
    Ok(file)
}

fn ends_within_a_line(file: &mut OpenFile) -> io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    if end == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(end - 1))?;
    let mut last = [0];
    // Nothing is there to read if it was cut in between.
    let read = file.read(&mut last)?;
    Ok(read == 1 && last != *b"\n")
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on its disk; it will be tried again",
        ErrorKind::NotFound => "make the folder that it should be in; it will be tried again",
        ErrorKind::PermissionDenied => {
            "let ccwatch's user read and write it, and write in its folder; it will be tried again"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "a service may write only where its unit allows it (ReadWritePaths=); it will be tried again"
        }
        ErrorKind::IsADirectory => "name a file in `path`; it will be tried again",
        ErrorKind::InvalidInput => {
            "name a file in `path`, or use `exec` to hand on to a program; it will be tried again"
        }
        _ => "it will be tried again",
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
