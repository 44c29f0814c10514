//! `ccwatch history restore`

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use indicatif::HumanBytes;

use super::progress;
use crate::cli::Failure;
use crate::cli::history_file::HistoryFile;
use crate::cli::interruption::{Interruption, interruptible};
use crate::cli::new_file::NewFile;
use crate::clock::Clock;
use crate::history::{OpenError, Restore, RestoreError, Restored};

/// Put a backup in the place of the history, and keep what was there.
///
/// ccwatch has to be stopped. The backup is checked and copied first; the history that was there, damaged or not, keeps all of
/// its files under another name beside it. Whatever ends this, the history is either that one or the restored one, whole. It belongs
/// to whom it belonged to before, or to whom its folder belongs.
///
/// It refuses while another program has the history open. What is idle on a file without a write-ahead log, such as whoever reads a
/// backup in place of a history, can't be seen: end it first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  systemctl stop ccwatch
  ccwatch history restore /backup/ccwatch-Mon.db --history /var/lib/ccwatch/history.db
  systemctl start ccwatch")]
pub(super) struct Arguments {
    /// A file that `ccwatch history backup` made, or another history.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    #[command(flatten)]
    history: HistoryFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    interruptible("the history is as it was", async |interruption| {
        put(arguments, interruption)
    })
}

fn put(arguments: &Arguments, interruption: &Interruption) -> Result<(), Failure> {
    let restore = Restore::prepare(&arguments.backup, &arguments.history.path()?)?;
    // In the history's folder, where it can take the history's name. It never takes this one.
    let mut beside = restore.path().as_os_str().to_owned();
    beside.push(".restored");
    let copy = NewFile::begin(Path::new(&beside), true, restore.path())?;
    let (bar, told) = progress::copy("copying");
    let copied = restore.copy(copy.file(), copy.partial(), interruption.stop(), told);
    bar.finish_and_clear();
    copied?;
    if interruption.stop().is_cancelled() {
        return Err(interruption.failure());
    }
    let restored = restore.put(copy.partial(), Clock::system().now())?;
    tell(&arguments.backup, restore.path(), &restored)
}

/// What was done, and what to do next.
fn tell(backup: &Path, path: &Path, restored: &Restored) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: restored from {}, {}, checked",
        path.display(),
        backup.display(),
        HumanBytes(restored.bytes)
    )?;
    if let Some(before) = &restored.before {
        writeln!(out, "{}: what was there before", before.display())?;
    }
    for beside in &restored.beside {
        writeln!(out, "{}: what lay beside it", beside.display())?;
    }
    if let Some(damage) = &restored.damage {
        writeln!(out, "  It can't be read: {damage}")?;
    }
    if !restored.is_counted_on {
        writeln!(
            out,
            "
How far the ids of the history before had counted is not known. If this backup was restored before, receivers may take something
new for what they were told already. To be sure, restore a copy of it: ccwatch history backup --history BACKUP COPY"
        )?;
    }
    let history = quoted(path);
    writeln!(
        out,
        "
What ended since the backup, and not longer than seven days ago, is found and told anew. To tell no one of it, nor of anything
else in these minutes, before ccwatch runs:
  ccwatch silence add 'kind=*' --for 15m --reason 'a backup was restored' --history {history}

Then:
  systemctl start ccwatch"
    )?;
    if let (Some(before), None) = (&restored.before, &restored.damage) {
        writeln!(
            out,
            "
What only the history before knows comes back by:
  ccwatch history import {} --history {history}",
            quoted(before)
        )?;
    }
    Ok(out.flush()?)
}

/// As a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    // A path has no NUL, which alone can't be typed.
    shlex::try_quote(&text).map(Into::into).unwrap_or_default()
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Itself { .. } | RestoreError::NotThere { .. } => Self::Arguments(error.to_string()),
            // One that is there and may not be used is no wrong argument.
            RestoreError::Open(OpenError::Folder { ref source, .. })
                if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Self::Arguments(error.to_string())
            }
            RestoreError::Open(error) => error.into(),
            error => Self::Work(error.into()),
        }
    }
}
