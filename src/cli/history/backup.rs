//! `ccwatch history backup`

use std::io::Write;
use std::path::PathBuf;

use indicatif::HumanBytes;

use super::progress;
use crate::cli::Failure;
use crate::cli::history_file::HistoryFile;
use crate::cli::interruption::{Interruption, interruptible};
use crate::cli::new_file::NewFile;
use crate::history::{BackupError, back_up};

/// Copy the history into a file, while ccwatch runs.
///
/// The copy is one state of the history, whole and checked, without free pages and for its owner alone. It can be read by
/// every command with --history, and takes the place of a lost history as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch history backup /backup/ccwatch-$(date +%F).db
  ccwatch history backup --force /backup/ccwatch.db
  ccwatch requests --history /backup/ccwatch.db")]
pub(super) struct Arguments {
    /// The new file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace FILE if it is there, once the copy is whole.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    history: HistoryFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    interruptible("no copy was made", async |interruption| make(arguments, interruption))
}

fn make(arguments: &Arguments, interruption: &Interruption) -> Result<(), Failure> {
    let history = arguments.history.path()?;
    let new = NewFile::begin(&arguments.file, arguments.force, &history)?;
    let (bar, told) = progress::copy("copying");
    let made = back_up(&history, new.partial(), interruption.stop(), told);
    bar.finish_and_clear();
    let made = made?;
    new.keep(interruption)?;
    writeln!(
        std::io::stdout(),
        "{}: {}, checked, a copy of {}",
        arguments.file.display(),
        HumanBytes(made.bytes),
        history.display()
    )?;
    Ok(())
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Open(error) => error.into(),
            error => Self::Work(error.into()),
        }
    }
}
