//! `ccwatch history import`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;

use super::progress;
use crate::cli::Failure;
use crate::cli::history_file::{HistoryFile, is_same_file};
use crate::cli::interruption::{Interruption, interruptible};
use crate::cli::new_file::NewFile;
use crate::clock::Clock;
use crate::decide::merging::Left;
use crate::decide::retention::Stride;
use crate::history::{Editor, Import, ImportError, Imported, Other, OtherError};
use crate::model::{counted, printable};

/// Bring what another ccwatch history knows into this one.
///
/// ccwatch may run meanwhile. What is known here already is found and not brought twice; nothing that comes is told to anyone;
/// and what goes on, here or there, is left for a later import. A copy of OTHER is made beside the history while it lasts;
/// OTHER itself is not written to, and may be of an older version.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch history import /backup/other-host.db --dry-run
  ccwatch history import /backup/other-host.db
  ccwatch history import old.db --history /tmp/new.db --with-resource-models")]
pub(super) struct Arguments {
    /// The other history.
    #[arg(value_name = "OTHER")]
    other: PathBuf,
    /// Only say what would come.
    #[arg(long)]
    dry_run: bool,
    /// Bring resource models, too, which may hold passwords. They are masked where this history's are; under
    /// `resource_model = "drop"` they are gone at the next start.
    #[arg(long)]
    with_resource_models: bool,
    #[command(flatten)]
    history: HistoryFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let left = if arguments.dry_run {
        "nothing has come, and what would come is counted up to here alone"
    } else {
        "what has come stays, and the same command brings the rest"
    };
    interruptible(left, async |interruption| import(arguments, interruption).await)
}

async fn import(arguments: &Arguments, interruption: &Interruption) -> Result<(), Failure> {
    let path = arguments.history.path()?;
    if is_same_file(&arguments.other, &path) {
        return Err(Failure::Arguments(format!(
            "{} is this history itself",
            arguments.other.display()
        )));
    }
    let mut editor = Editor::open(&path)?;
    // Beside the history, where there is room for such a thing; gone at the end, never kept.
    let mut beside = fs::canonicalize(&path)?.into_os_string();
    beside.push(".import");
    let copy = NewFile::begin(Path::new(&beside), true, &path)?;
    if !copy.is_alone() {
        // What both bring would come twice.
        return Err(Failure::Work(anyhow!(
            "another import into {} is under way; import when it has ended (if none is: remove what is called .*.import.*.partial \
             beside the history)",
            printable(&path.to_string_lossy())
        )));
    }
    let (bar, told) = progress::copy("copying the other");
    let other = Other::open(&arguments.other, copy.partial(), interruption.stop(), told);
    bar.finish_and_clear();
    let other = other?;
    let mut import = Import::new(&other, arguments.with_resource_models, arguments.dry_run);
    let brought = bring(&mut import, &mut editor, &other, interruption).await;
    let told = tell(import.imported(), arguments.dry_run);
    // Why it failed counts for more than that no one reads how far it came.
    brought.and(told)
}

/// Others have their turn for at least as long as a step keeps it from them: SQLite gives the lock to whoever asks first, and a
/// waiting daemon asks seldom. To read and to compare, which is done without the lock, counts as that.
async fn bring(
    import: &mut Import<'_>,
    editor: &mut Editor,
    other: &Other,
    interruption: &Interruption,
) -> Result<(), Failure> {
    const LONGEST_PAUSE: Duration = Duration::from_millis(100);
    /// Of a step, which syncs at its end.
    const AIM: Duration = Duration::from_millis(5);
    let clock = Clock::system();
    let bar = progress::rows("importing", other.last_request()?.unsigned_abs());
    let mut stride = Stride::default();
    let brought = loop {
        if interruption.stop().is_cancelled() {
            break Err(interruption.failure());
        }
        let begun = clock.uptime();
        let step = match import.step(editor, stride.rows(), &clock) {
            Ok(step) if step.is_done => break Ok(()),
            Ok(step) => step,
            Err(error) => break Err(error.into()),
        };
        let free = clock.uptime().saturating_sub(begun).saturating_sub(step.held);
        stride = stride.after(step.rows, step.held, AIM);
        bar.set_position(import.position().unsigned_abs());
        tokio::time::sleep(step.held.saturating_sub(free).min(LONGEST_PAUSE)).await;
    };
    bar.finish_and_clear();
    brought
}

fn tell(imported: &Imported, is_rehearsal: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let comes = if is_rehearsal { "would come" } else { "came" };
    let requests = |count| counted(count, "request");
    writeln!(out, "{} {comes} whole", requests(imported.whole))?;
    writeln!(
        out,
        "{} known before, of which something {comes}",
        requests(imported.united)
    )?;
    writeln!(
        out,
        "{} known before, of which nothing is new",
        requests(imported.known)
    )?;
    writeln!(out, "{} {comes}", counted(imported.gaps, "gap"))?;
    if !imported.targets.is_empty() {
        let names: Vec<_> = imported
            .targets
            .iter()
            .map(|name| crate::model::printable(name))
            .collect();
        writeln!(out, "new targets: {}", names.join(", "))?;
    }
    for (left, count) in &imported.left {
        let why = match left {
            Left::GoesOnThere => "open there; import again when that has ended",
            Left::GoesOnHere => "open here, and told from here; import the rest when that has ended",
            Left::MayBeSeenHere => {
                "younger than eight days, of a target that is watched from here; this ccwatch finds such by itself"
            }
            Left::Contradicts => "ended otherwise here, which stays as it is",
        };
        writeln!(out, "{} left out: {why}", requests(*count))?;
    }
    Ok(())
}

impl From<OtherError> for Failure {
    fn from(error: OtherError) -> Self {
        match error {
            OtherError::Copy(error) => error.into(),
            OtherError::Open(error) => error.into(),
            error => Self::Work(error.into()),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::Work(error.into())
    }
}
