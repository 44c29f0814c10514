//! `ccwatch history prune`

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::progress;
use crate::cli::Failure;
use crate::cli::history_file::HistoryFile;
use crate::cli::interruption::{Interruption, interruptible};
use crate::clock::Clock;
use crate::decide::retention;
use crate::history::{Pruning, Reader, Round};
use crate::model::counted;

/// Remove requests that ended, and were last seen, longer ago than so.
///
/// With them go their events, hooks, changes and deliveries, and silences and notices as old; never an open request, nor one of which
/// something is still to be told. A service whose configuration says `retention` does so by itself, in steps that no look waits for;
/// this takes its time from no one, since no ccwatch may hold the history meanwhile. The file stays as large as it is: what comes later
/// fills the room, or `ccwatch history vacuum` gives it back to the disk.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch history prune --older-than 1y --dry-run
  systemctl stop ccwatch && ccwatch history prune --older-than 90d && ccwatch history vacuum; systemctl start ccwatch")]
pub(super) struct Arguments {
    /// How long what has ended is kept, at least 8d: AWS lists a request for seven days.
    #[arg(long, value_name = "DURATION", value_parser = age)]
    older_than: Duration,
    /// Only say how many requests would go. The history may be held meanwhile.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    history: HistoryFile,
}

/// What was forgotten earlier would be seen again, and told again.
fn age(text: &str) -> Result<Duration, String> {
    let expected = "expected how long, at least 8d, such as 90d or 1y";
    match humantime::parse_duration(text) {
        Ok(age) if age >= retention::SHORTEST => Ok(age),
        _ => Err(expected.to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments.history.path()?;
    if arguments.dry_run {
        let requests = Reader::open(&path)?.count_what_is_old(Clock::system().now(), arguments.older_than)?;
        return tell(requests, "would be removed", &path);
    }
    let left = "what was removed is gone, and the same command removes the rest";
    interruptible(left, async |interruption| {
        prune(&path, arguments.older_than, interruption).await
    })
}

fn tell(requests: usize, what: &str, path: &Path) -> Result<(), Failure> {
    let requests = counted(requests, "request");
    Ok(writeln!(
        std::io::stdout(),
        "{requests} {what} from {}",
        path.display()
    )?)
}

async fn prune(path: &Path, older_than: Duration, interruption: &Interruption) -> Result<(), Failure> {
    let clock = Clock::system();
    let round = Round::new(clock.now(), older_than);
    let mut pruning = Pruning::prepare(path, round)?;
    let bar = progress::spinner("removing what is old");
    let mut requests = 0;
    let pruned = loop {
        if interruption.stop().is_cancelled() {
            break Err(interruption.failure());
        }
        match pruning.step(&clock) {
            Ok(pruned) => {
                requests += pruned.requests;
                if pruned.is_done {
                    break Ok(());
                }
            }
            Err(error) => break Err(error.into()),
        }
        bar.set_message(format!("removing what is old, {}", counted(requests, "request")));
        // The signals have their turn.
        tokio::task::yield_now().await;
    };
    bar.finish_and_clear();
    let told = tell(requests, "removed", path);
    // Why it failed counts for more than that no one reads how far it came.
    pruned.and(told)
}
