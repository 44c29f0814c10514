//! `ccwatch notify retry`

use std::io::Write;

use anyhow::anyhow;

use super::FOUND_SOON;
use crate::cli::Failure;
use crate::cli::history_file::HistoryFile;
use crate::clock::Clock;
use crate::history::{Editor, Retried};
use crate::model::DeliveryId;

/// Have deliveries tried again: those that were given up, or at once what waits for its next attempt.
///
/// What was given up is put at the end of its line, as a new delivery: what came meanwhile is told first. A daemon may run
/// meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch notify retry 4711 4712
  ccwatch notify retry --dead
  ccwatch notify retry --dead --receiver ops-chat")]
pub(super) struct Arguments {
    /// Ids of deliveries, as `ccwatch notify list` shows them.
    #[arg(value_name = "ID", required_unless_present = "dead", conflicts_with = "dead")]
    ids: Vec<i64>,
    /// All that were given up.
    #[arg(long)]
    dead: bool,
    /// Of those that were given up, only those to this receiver.
    #[arg(long, value_name = "NAME", requires = "dead")]
    receiver: Option<String>,
    #[command(flatten)]
    history: HistoryFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut editor = Editor::open(&arguments.history.path()?)?;
    let now = Clock::system().now();
    let mut out = std::io::stdout().lock();
    if arguments.dead {
        let retried = editor.retry_dead(arguments.receiver.as_deref(), now)?;
        match retried.len() {
            0 => writeln!(out, "nothing was given up")?,
            1 => writeln!(out, "1 delivery is tried again; {FOUND_SOON}")?,
            count => writeln!(out, "{count} deliveries are tried again; {FOUND_SOON}")?,
        }
        return Ok(out.flush()?);
    }
    let mut refused = 0;
    for id in &arguments.ids {
        match editor.retry(DeliveryId(*id), now)? {
            Retried::As(again) => writeln!(out, "{id}: is tried again as delivery {}; {FOUND_SOON}", again.0)?,
            Retried::Sooner => writeln!(out, "{id}: its next attempt is due now; {FOUND_SOON}")?,
            Retried::InLine => {
                writeln!(
                    out,
                    "{id}: waits for an earlier change of its request, and is told after it"
                )?;
            }
            Retried::Settled => {
                refused += 1;
                writeln!(
                    out,
                    "{id}: was sent or skipped already; to tell it once more, see `ccwatch notify replay`"
                )?;
            }
            Retried::Unknown => {
                refused += 1;
                writeln!(
                    out,
                    "{id}: there is no such delivery; `ccwatch notify list` shows the latest"
                )?;
            }
        }
    }
    out.flush()?;
    match refused {
        0 => Ok(()),
        refused => Err(Failure::Work(anyhow!(
            "{refused} of {} could not be tried again",
            arguments.ids.len()
        ))),
    }
}
