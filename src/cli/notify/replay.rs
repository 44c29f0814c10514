//! `ccwatch notify replay`

use std::io::Write;
use std::ops::Range;

use super::FOUND_SOON;
use crate::cli::Failure;
use crate::cli::history_file::Configured;
use crate::cli::when::{self, Moment};
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::decide::route::{self, Audience, Subject};
use crate::history::{Editor, Reader};
use crate::model::{Timestamp, counted};

/// Tell a receiver once more what happened in a time.
///
/// The changes that the configuration's routes choose for it are put into the outbox again, oldest first and marked as
/// replayed. A daemon may run meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch notify replay --receiver ops-chat --since 2d --dry-run
  ccwatch notify replay --receiver archive --all --since 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00Z")]
pub(super) struct Arguments {
    /// The name of a receiver of the configuration.
    #[arg(long, value_name = "NAME")]
    receiver: String,
    /// From when on: so long ago, such as 2d, or a time, such as 2026-11-22T06:28:00Z or 2026-11-22; without a zone, local
    /// time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = when::moment)]
    since: Moment,
    /// Until when, given as for --since; by default until now.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = when::moment)]
    until: Option<Moment>,
    /// Every change of that time, whatever the routes say.
    #[arg(long)]
    all: bool,
    /// Say how many there are, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Also if there are more than 10,000.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    configured: Configured,
}

/// More than that are hardly meant.
const MANY: usize = 10_000;
/// Read, or written, at once: the daemon's writes wait for ours.
const BATCH: usize = 500;

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = &arguments.configured.config.config;
    let config = Config::load_without_secrets(config, &Environment::of_process())?;
    let receiver = config.receiver(&arguments.receiver)?;
    if receiver.audience == Audience::Incidents {
        return Err(Failure::Arguments(format!(
            "receiver `{}` keeps incidents: what is mended would be opened again",
            receiver.name
        )));
    }
    let path = arguments.configured.history()?;
    let now = Clock::system().now();
    let until = arguments.until.map_or(now, |until| until.from(now));
    let time = when::span(arguments.since.from(now), until)?;
    let routes = (!arguments.all).then_some(config.routes.as_slice());
    let changes = chosen(&Reader::open(&path)?, &time, &receiver.name, routes)?;
    let mut out = std::io::stdout().lock();
    if arguments.dry_run || changes.is_empty() {
        let changes = counted(changes.len(), "change");
        writeln!(out, "{changes} would be told again to {}", receiver.name)?;
        return Ok(out.flush()?);
    }
    if changes.len() > MANY && !arguments.yes {
        return Err(Failure::Arguments(format!(
            "{} would be told again to {}: narrow the time with --since and --until, or say --yes",
            counted(changes.len(), "change"),
            receiver.name
        )));
    }
    let mut editor = Editor::open(&path)?;
    let mut put = 0;
    for some in changes.chunks(BATCH) {
        put += editor.replay(some, &receiver.name, now)?;
    }
    writeln!(out, "{} told again to {}; {FOUND_SOON}", is_or_are(put), receiver.name)?;
    Ok(out.flush()?)
}

/// The numbers of the changes to be told, oldest first.
fn chosen(
    reader: &Reader,
    time: &Range<Timestamp>,
    receiver: &str,
    routes: Option<&[route::Route]>,
) -> Result<Vec<i64>, Failure> {
    let (mut chosen, mut after) = (Vec::new(), None);
    loop {
        let page = reader.announcements(time, after, BATCH)?;
        let Some((id, last)) = page.last() else {
            return Ok(chosen);
        };
        after = Some((last.at, *id));
        let is_chosen = |subject: &Subject<'_>| match routes {
            None => true,
            Some(routes) => routes
                .iter()
                .any(|route| route.to.iter().any(|to| to == receiver) && route.matches(subject)),
        };
        chosen.extend(page.iter().filter(|(_, one)| is_chosen(&one.into())).map(|(id, _)| *id));
    }
}

fn is_or_are(changes: usize) -> String {
    format!(
        "{} {}",
        counted(changes, "change"),
        if changes == 1 { "is" } else { "are" }
    )
}
