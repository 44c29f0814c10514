//! `ccwatch backtest`

mod excesses;

use std::io::Write;
use std::ops::Range;

use serde::Serialize;
use tracing::warn;

use self::excesses::{Cut, Excesses, Unmade};
use super::Failure;
use super::history_file::Configured;
use super::output::{self, Column, DocumentFormat, Table, cell};
use super::when::{self, Moment, rough};
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::decide::backtest::{Backtest, Manner, Outcome, Sent};
use crate::decide::routing::Routing;
use crate::deliver::{Destination, Output, build};
use crate::history::Reader;
use crate::model::{Timestamp, printable};

/// Say who would have been told what by another configuration.
///
/// Sends the changes of the history through the routes, groups, mute windows, digests and rates of a configuration, and
/// counts. Calls no one. Secrets that can't be read here are not missed. Silences are not considered, every message is
/// accepted at once, and requests are as they are now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch backtest --config new.toml
  ccwatch backtest --config new.toml --history /var/lib/ccwatch/history.db --since 7d
  ccwatch backtest --config new.toml --format json | jq '.receivers[] | {receiver, messages}'")]
pub(super) struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// From when on: so long ago, such as 7d, or a time, such as 2026-11-22T06:28:00Z or 2026-11-22; without a zone, local
    /// time.
    #[arg(long, value_name = "TIME", default_value = "30d", allow_hyphen_values = true, value_parser = when::moment)]
    since: Moment,
    /// Until when, given as for --since; by default until now.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = when::moment)]
    until: Option<Moment>,
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    format: DocumentFormat,
}

/// Read at once.
const BATCH: usize = 500;

/// As `--format json` gives it.
#[derive(Debug, Serialize)]
struct Findings {
    from: Timestamp,
    to: Timestamp,
    /// When the first of the changes was seen.
    first_change_at: Option<Timestamp>,
    changes: u64,
    receivers: Vec<Told>,
    routes: Vec<Matched>,
    /// Some of each receiver's messages that would have been cut.
    cut: Vec<Cut>,
    /// Some of those that a receiver's templates can't make.
    unmade: Vec<Unmade>,
}

/// What a receiver would have been told.
#[derive(Debug, Serialize)]
struct Told {
    receiver: String,
    changes: u64,
    messages: u64,
    digests: u64,
    busiest_hour_at: Option<Timestamp>,
    busiest_hour_messages: u64,
    longest_wait_s: u64,
    /// Messages of which a part would have been cut to the receiver's limit.
    cut: u64,
}

#[derive(Debug, Serialize)]
struct Matched {
    route: String,
    changes: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = &arguments.configured.config.config;
    let config = Config::load_without_secrets(config, &Environment::of_process())?;
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let now = Clock::system().now();
    let until = arguments.until.map_or(now, |until| until.from(now));
    let time = when::span(arguments.since.from(now), until)?;
    let destinations = build(&config.receivers, &Output::stdout())?;
    let audiences = config
        .receivers
        .iter()
        .map(|receiver| (receiver.name.as_str(), receiver.audience));
    let routing = Routing::new(config.routes.clone(), audiences);
    let reader = Reader::open(&arguments.configured.history()?)?;
    let findings = find(&reader, time, &routing, &destinations)?;
    output::show_document(&findings, arguments.format, |out| tell(out, &findings))
}

fn find(
    reader: &Reader,
    time: Range<Timestamp>,
    routing: &Routing,
    destinations: &[Destination],
) -> Result<Findings, Failure> {
    let manners = destinations.iter().map(|destination| {
        let pace = destination.pace();
        Manner {
            receiver: destination.name.clone(),
            digest_over: destination.digest_over,
            spacing: pace.spacing,
            burst: pace.burst,
        }
    });
    let mut backtest = Backtest::new(routing, manners);
    let mut excesses = Excesses::default();
    let (mut changes, mut first_change_at, mut after) = (0, None, None);
    loop {
        let page = reader.announcements(&time, after, BATCH)?;
        let Some((id, last)) = page.last() else { break };
        after = Some((last.at, *id));
        for (id, announcement) in page {
            changes += 1;
            first_change_at.get_or_insert(announcement.at);
            let addressed = backtest.change(id, &announcement, &mut |sent: Sent<'_>| excesses.sent(sent));
            for addressed in addressed {
                if let Some(destination) = destinations.iter().find(|known| known.name == addressed.receiver) {
                    excesses.measure(destination, id, &announcement, addressed.incident);
                }
            }
        }
    }
    let Outcome { receivers, matched } = backtest.finish(&mut |sent: Sent<'_>| excesses.sent(sent));
    let told = receivers.into_iter().map(|(manner, tally)| Told {
        changes: tally.changes,
        messages: tally.messages,
        digests: tally.digests,
        busiest_hour_at: tally.busiest.map(|(hour, _)| hour),
        busiest_hour_messages: tally.busiest.map_or(0, |(_, messages)| messages),
        longest_wait_s: tally.longest_wait.as_secs(),
        cut: excesses.of(&manner.receiver),
        receiver: manner.receiver,
    });
    Ok(Findings {
        from: time.start,
        to: time.end,
        first_change_at,
        changes,
        receivers: told.collect(),
        routes: routing
            .routes
            .iter()
            .zip(matched)
            .map(|(route, changes)| Matched {
                route: route.name.clone(),
                changes,
            })
            .collect(),
        cut: excesses.examples(),
        unmade: excesses.unmade(),
    })
}

fn tell(out: &mut impl Write, findings: &Findings) -> Result<(), Failure> {
    let Findings { from, to, changes, .. } = findings;
    let first = findings.first_change_at.unwrap_or(*from);
    writeln!(out, "{changes} changes from {} to {to}\n", first.max(*from))?;
    let mut table = Table::new([
        Column::name("RECEIVER"),
        Column::whole("CHANGES"),
        Column::whole("MESSAGES"),
        Column::whole("DIGESTS").yields(3),
        Column::words("BUSIEST HOUR").yields(2),
        Column::whole("LONGEST WAIT").yields(1),
        Column::whole("CUT"),
    ]);
    for told in &findings.receivers {
        let busiest = told.busiest_hour_at.map(|hour| {
            format!(
                "{} at {}",
                told.busiest_hour_messages,
                hour.to_utc().strftime("%Y-%m-%d %H:%MZ")
            )
        });
        table.row([
            cell(Some(&told.receiver)),
            cell(Some(&told.changes.to_string())),
            cell(Some(&told.messages.to_string())),
            cell(Some(&told.digests.to_string())),
            cell(busiest.as_deref()),
            cell(Some(&rough(std::time::Duration::from_secs(told.longest_wait_s)))),
            cell(Some(&told.cut.to_string())),
        ]);
    }
    table.write(out)?;
    let unmatched: Vec<_> = findings.routes.iter().filter(|route| route.changes == 0).collect();
    if !unmatched.is_empty() {
        let names: Vec<_> = unmatched.iter().map(|route| route.route.as_str()).collect();
        writeln!(out, "\nRoutes that matched nothing: {}", names.join(", "))?;
    }
    for Unmade {
        receiver,
        change,
        error,
    } in &findings.unmade
    {
        let error = printable(error);
        writeln!(out, "\n{receiver} would be told nothing of change {change}: {error}")?;
    }
    if !findings.cut.is_empty() {
        writeln!(out, "\nMessages that would be cut, some of each receiver's:\n")?;
        let mut table = Table::new(["RECEIVER", "CHANGE", "PART", "SIZE", "LIMIT", "UNIT"].map(Column::words));
        for cut in &findings.cut {
            table.row([
                cell(Some(&cut.receiver)),
                cell(Some(&cut.change.to_string())),
                cell(Some(cut.part)),
                cell(Some(&cut.size.to_string())),
                cell(Some(&cut.limit.to_string())),
                cell(Some(cut.unit)),
            ]);
        }
        table.write(out)?;
        writeln!(out, "\n`ccwatch notify preview RECEIVER --change ID` shows one.")?;
    }
    Ok(())
}
