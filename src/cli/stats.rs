//! `ccwatch stats`

mod holdings;
mod row;

use std::io::{BufWriter, Write};

use clap::ValueEnum;
use serde::Serialize;

use self::holdings::Holdings;
use self::row::Row;
use super::Failure;
use super::filters::Filters;
use super::history_file;
use super::output::{self, Column, Format, Table, cell};
use super::period::Period;
use super::{unknown, when};
use crate::clock::Clock;
use crate::history::{Filter, Reader, View};
use crate::model::Timestamp;
use crate::statistics::{Buckets, Groups, Outcome, sparkline};

/// Count requests: how many, how many failed, how long they took, and when there were how many.
///
/// A request counts in the moment at which it started: of the last 30 days, unless --since says otherwise. Below the table: what the history holds, what room it takes and how
/// fast it grows.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch stats
  ccwatch stats --by error --since 7d --type 'AWS::RDS::*'
  ccwatch stats --by hook --since 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z
  ccwatch stats --format json | jq '.groups[] | select(.failed_share > 0.1)'")]
pub(super) struct Arguments {
    #[command(flatten)]
    history: history_file::HistoryFile,
    /// What makes a group.
    #[arg(long, value_enum, default_value_t = By::Type)]
    by: By,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    filters: Filters,
}

/// What makes a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum By {
    /// The resource type.
    Type,
    Operation,
    Target,
    Region,
    /// The error code, of the failed ones alone.
    Error,
    /// The hook's type. What is counted then is a hook's invocations, not requests.
    Hook,
}

impl By {
    /// What is counted.
    fn view(self) -> View {
        match self {
            Self::Type | Self::Operation | Self::Target | Self::Region | Self::Error => View::Requests,
            Self::Hook => View::Hooks,
        }
    }
}

/// Parts of a trend at the most: a month by days, and a width that leaves a terminal room for the rest.
const TREND: usize = 32;

/// As `--format json` gives it.
#[derive(Debug, Serialize)]
struct Statistics {
    by: By,
    from: Timestamp,
    /// `None`: now.
    to: Option<Timestamp>,
    /// What a part of a trend is, such as `day`.
    trend_unit: String,
    /// When the first part begins. Parts are aligned in UTC.
    trend_from: Timestamp,
    groups: Vec<Row<Vec<u64>>>,
    all: Row<Vec<u64>>,
    history: Holdings,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let now = Clock::system().now();
    let mut filter = arguments.filters.filter(now)?;
    let period = Period::of(&mut filter, now)?;
    let reader = arguments.history.open()?;
    let groups = count(&reader, arguments.by, &filter, period)?;
    let rows = groups.by_count();
    let rows = rows.iter().map(|(name, tally)| Row::new(*name, tally));
    let mut out = BufWriter::new(std::io::stdout().lock());
    match arguments.format {
        Format::Csv => output::write_rows(&mut out, &rows.map(Row::with_text).collect::<Vec<_>>(), Format::Csv)?,
        Format::Jsonl => output::write_rows(&mut out, &rows.collect::<Vec<_>>(), Format::Jsonl)?,
        Format::Table | Format::Json => {
            let total = groups.total();
            let statistics = Statistics {
                by: arguments.by,
                from: period.from,
                to: period.ends.then_some(period.to),
                trend_unit: total.buckets().unit(),
                trend_from: total.buckets().begin(0),
                groups: rows.collect(),
                all: Row::new(None, &total),
                history: Holdings::of(&reader, arguments.history.settings()?.as_ref(), now)?,
            };
            if arguments.format == Format::Json {
                output::write_json(&mut out, &statistics)?;
            } else {
                let why = if statistics.groups.is_empty() {
                    unknown::in_words(&reader, arguments.by.view(), &filter)?
                } else {
                    String::new()
                };
                let that_match = if arguments.filters.in_words().is_empty() {
                    ""
                } else {
                    " that match"
                };
                tell(&mut out, &statistics, that_match, &why)?;
            }
        }
    }
    Ok(out.flush()?)
}

fn count(reader: &Reader, by: By, filter: &Filter, period: Period) -> Result<Groups, Failure> {
    let first = match by {
        By::Hook => reader.first_hook_at()?,
        _ => reader.first_request_at()?,
    };
    // A history of a week has a trend of a week, however far back one asks.
    let begin = first.map_or(period.from, |first| first.max(period.from));
    let mut groups = Groups::new(Buckets::over(begin, period.to, TREND));
    if by == By::Hook {
        reader.hook_facts(filter, |hook| {
            groups.add(
                hook.hook_type_name,
                hook.first_seen_at,
                hook.outcome.outcome(),
                hook.latency,
            );
        })?;
        return Ok(groups);
    }
    reader.request_facts(filter, |request| {
        let name = match by {
            By::Type | By::Hook => request.type_name,
            By::Operation => request.operation,
            By::Target => Some(request.target),
            By::Region => Some(request.region),
            By::Error if request.outcome != Outcome::Failed => return,
            By::Error => request.error_code,
        };
        groups.add(name, request.at, request.outcome, request.took);
    })?;
    Ok(groups)
}

/// What is said where there is nothing: `that_match`, if not all was asked for, and `why`.
fn tell(out: &mut impl Write, statistics: &Statistics, that_match: &str, why: &str) -> Result<(), Failure> {
    let (heading, what, began, durations) = match statistics.by {
        By::Type => ("TYPE", "requests", "started", "what succeeded"),
        By::Operation => ("OPERATION", "requests", "started", "what succeeded"),
        By::Target => ("TARGET", "requests", "started", "what succeeded"),
        By::Region => ("REGION", "requests", "started", "what succeeded"),
        By::Error => ("ERROR", "failed requests", "started", "what succeeded"),
        By::Hook => (
            "HOOK",
            "invocations of hooks",
            "were first seen",
            "what passed, as ccwatch saw it,",
        ),
    };
    let time = match statistics.to {
        Some(to) => format!("from {} until {to}", statistics.from),
        None => format!("since {}", statistics.from),
    };
    if statistics.groups.is_empty() {
        writeln!(out, "No {what}{that_match} {began} {time}{why}.")?;
    } else {
        let mut table = Table::new([
            Column::name(heading),
            Column::whole("COUNT").right(),
            Column::whole("FAILED").right(),
            Column::whole("P50").right().yields(3),
            Column::whole("P90").right().yields(1),
            Column::whole("P99").right().yields(4),
            Column::whole("TREND").yields(2),
        ]);
        let groups = statistics.groups.iter().map(|row| (row.group.as_deref(), row));
        for (name, row) in groups.chain([(Some("(all)"), &statistics.all)]) {
            table.row([
                cell(name),
                cell(Some(&row.count_in_words())),
                cell(Some(&row.failed_in_words())),
                cell(Some(&when::seconds(row.p50_s))),
                cell(Some(&when::seconds(row.p90_s))),
                cell(Some(&when::seconds(row.p99_s))),
                cell(Some(&sparkline(&row.trend))),
            ]);
        }
        table.write(out)?;
        writeln!(out)?;
        let count = format!("{what} that {began} {time}.");
        let took = format!("so many per cent of {durations} took no longer than this.");
        let (unit, begin) = (&statistics.trend_unit, statistics.trend_from);
        let trend = format!("COUNT by the {unit}, in UTC, from {begin} on.");
        table.write_legend(
            out,
            &[
                (&["COUNT"], &count),
                (&["FAILED"], "of those whose end is known."),
                (&["P50", "P90", "P99"], &took),
                (&["TREND"], &trend),
            ],
        )?;
    }
    writeln!(out)?;
    statistics.history.tell(out)
}
