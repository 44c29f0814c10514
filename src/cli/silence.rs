//! `ccwatch silence`

use std::io::Write;
use std::time::Duration;

use anyhow::anyhow;
use clap::{ArgGroup, Subcommand};

use super::Failure;
use super::history_file::HistoryFile;
use super::listing::{self, Listing};
use super::output::{Column, Format, cell};
use super::when::{self, Times};
use crate::clock::Clock;
use crate::config::Environment;
use crate::decide::silence;
use crate::history::Editor;
use crate::model::Timestamp;
use crate::model::rows::SilenceRow;

/// Tell no one of what matches, for a while.
///
/// What is silenced is kept in the history, with who asked for it and why. A running ccwatch heeds it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch silence add target=dev 'type_name=AWS::RDS::*' --for 2h --reason 'load test'
  ccwatch silence list
  ccwatch silence end 3")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Add),
    List(List),
    #[command(alias = "expire")]
    End(End),
}

/// Silence what all of the matchers match.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("end").required(true).args(["duration", "until"]))]
#[command(after_help = "Examples:
  ccwatch silence add target=dev --for 2h --reason 'load test'
  ccwatch silence add 'type_name=AWS::RDS::*,AWS::DocDB::*' operation=!DELETE \\
      --from '2026-11-28 22:00' --until '2026-11-29 06:00' --reason 'database upgrade, CHG-1234'

A matcher is a field of a route (kind, status, from, type_name, identifier, operation, error_code, target,
account_id, region, hook_type_name, failure_mode), = and patterns with commas between. * globs, ! in front
excludes. kind=* is everything.")]
struct Add {
    #[arg(value_name = "MATCHER", required = true)]
    matchers: Vec<String>,
    /// For how long, such as 2h or 1d 12h.
    #[arg(long = "for", value_name = "DURATION", value_parser = when::duration)]
    duration: Option<Duration>,
    /// Until when, such as 2026-11-22T18:00:00Z or '2026-11-22 18:00'; without a zone, local time.
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    until: Option<Timestamp>,
    /// From when on, given as for --until; by default from now on.
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    from: Option<Timestamp>,
    /// Why, for whoever wonders that nothing was told.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Who asks for it; by default $SUDO_USER, $USER or the number of the user.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: Option<String>,
    #[command(flatten)]
    history: HistoryFile,
}

/// List the silences that have not ended, the one that ends next first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch silence list
  ccwatch silence list --all --format json")]
struct List {
    /// Also those that have ended, newest first.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    history: HistoryFile,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show absolute times, in UTC.
    #[arg(long)]
    utc: bool,
}

/// End a silence now, or have one that is still to come never begin.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch silence end 3")]
struct End {
    /// Its id, as `ccwatch silence list` shows it.
    #[arg(value_name = "ID")]
    id: i64,
    #[command(flatten)]
    history: HistoryFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let now = Clock::system().now();
    match &arguments.command {
        Command::Add(arguments) => add(arguments, now),
        Command::List(arguments) => list(arguments, now),
        Command::End(arguments) => end(arguments, now),
    }
}

fn add(arguments: &Add, now: Timestamp) -> Result<(), Failure> {
    let refused = Failure::Arguments;
    let matchers = silence::parse_matchers(&arguments.matchers).map_err(|error| refused(error.to_string()))?;
    let from = arguments.from.unwrap_or(now);
    let until = match (arguments.until, arguments.duration) {
        (Some(until), _) => until,
        (None, duration) => from.plus(duration.unwrap_or_default()),
    };
    if until <= from.max(now) {
        return Err(refused(format!("it would be over already: it ends at {until}")));
    }
    let by = arguments.by.clone().unwrap_or_else(someone);
    let mut editor = Editor::open(&arguments.history.path()?)?;
    let id = editor.add_silence(&matchers, (from, until), (&by, &arguments.reason), now)?;
    let mut out = std::io::stdout().lock();
    let begins = if from > now {
        format!("from {from} ")
    } else {
        String::new()
    };
    writeln!(
        out,
        "silence {id} holds {begins}until {until}; `ccwatch silence end {id}` ends it"
    )?;
    Ok(out.flush()?)
}

/// Who asks, as far as the environment says: that of a timer or a container names no one.
fn someone() -> String {
    let environment = Environment::of_process();
    let names = ["SUDO_USER", "USER"].map(|name| environment.get(name).and_then(|name| name.to_str()));
    let name = names.into_iter().flatten().find(|name| !name.is_empty());
    name.map_or_else(|| format!("uid {}", rustix::process::getuid()), str::to_owned)
}

fn list(arguments: &List, now: Timestamp) -> Result<(), Failure> {
    let reader = arguments.history.open()?;
    let silences = if arguments.all {
        reader.all_silences()?
    } else {
        reader.silences(now)?
    };
    let times = Times {
        utc: arguments.utc,
        now,
    };
    listing::show_all(
        arguments.format,
        Listing {
            columns: &[
                Column::whole("ID"),
                Column::whole("STATE"),
                Column::words("MATCHERS"),
                Column::whole("FROM").yields(2),
                Column::whole("UNTIL"),
                Column::name("BY").yields(3),
                Column::text("REASON").yields(1),
            ],
            none: "nothing is silenced",
            history: &reader,
            filter: None,
            most: None,
        },
        silences,
        |silence| {
            vec![
                cell(Some(&silence.id.to_string())),
                cell(Some(state(silence, now))),
                cell(Some(&silence.matchers)),
                cell(Some(&times.show(Some(silence.starts_at)))),
                cell(Some(&times.show(Some(silence.ends_at)))),
                cell(Some(&silence.created_by)),
                cell(Some(&silence.reason)),
            ]
        },
    )
}

fn state(silence: &SilenceRow, now: Timestamp) -> &'static str {
    if silence.ends_at <= now {
        "ended"
    } else if silence.starts_at > now {
        "to come"
    } else {
        "holds"
    }
}

fn end(arguments: &End, now: Timestamp) -> Result<(), Failure> {
    let id = arguments.id;
    if !Editor::open(&arguments.history.path()?)?.end_silence(id, now)? {
        return Err(Failure::Work(anyhow!(
            "there is no silence {id}, or it has ended; `ccwatch silence list` shows those that have not"
        )));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "silence {id} has ended")?;
    Ok(out.flush()?)
}
