//! `ccwatch history vacuum`

use std::io::Write;

use indicatif::HumanBytes;

use super::progress;
use crate::cli::Failure;
use crate::cli::history_file::HistoryFile;
use crate::history::{Vacuum, VacuumError};

/// Give the room of what was removed back to the disk.
///
/// The history is written anew, which takes as much room again in the folder for temporary files and beside the history,
/// and no ccwatch may hold it meanwhile. What is removed by the retention leaves room that later requests fill, so this is of
/// use only after much was removed at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  systemctl stop ccwatch && ccwatch history vacuum; systemctl start ccwatch")]
pub(super) struct Arguments {
    #[command(flatten)]
    history: HistoryFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments.history.path()?;
    let vacuum = Vacuum::prepare(&path)?;
    let mut talk = std::io::stderr();
    for (folder, bytes) in vacuum.needs() {
        writeln!(talk, "needs {} in {} meanwhile", HumanBytes(bytes), folder.display())?;
    }
    vacuum.check_room()?;
    let bar = progress::spinner("writing the history anew");
    let vacuumed = vacuum.run();
    bar.finish_and_clear();
    let vacuumed = vacuumed?;
    let (before, after) = (vacuumed.before, vacuumed.after);
    writeln!(
        talk,
        "{}: {} → {}",
        path.display(),
        HumanBytes(before.file),
        HumanBytes(after.file)
    )?;
    if !vacuumed.is_folded {
        writeln!(
            talk,
            "the file becomes so small when those who read it now have finished"
        )?;
    }
    Ok(())
}

impl From<VacuumError> for Failure {
    fn from(error: VacuumError) -> Self {
        match error {
            VacuumError::Open(error) => error.into(),
            error => Self::Work(error.into()),
        }
    }
}
