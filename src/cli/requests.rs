//! `ccwatch requests`

use std::io::{BufWriter, Write};

use super::Failure;
use super::history_file;
use super::output::{self, Format, cell, status_cell};
use super::when::{self, Times};
use crate::clock::Clock;
use crate::history::RequestFilter;

/// List requests, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch requests --open
  ccwatch requests --failed --type 'AWS::RDS::*'
  ccwatch requests --format json | jq '.[].request_token'")]
pub(super) struct Arguments {
    #[command(flatten)]
    history: history_file::HistoryFile,
    /// Only those that have not ended.
    #[arg(long)]
    open: bool,
    /// Only those that FAILED.
    #[arg(long, conflicts_with = "open")]
    failed: bool,
    /// Only those with this status, such as CANCEL_COMPLETE.
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Only resource types that match; `*` stands for any characters.
    #[arg(long = "type", value_name = "PATTERN")]
    type_name: Option<String>,
    /// Only targets that match, by the entry's name or as `entry/region`; `*` stands for any characters.
    #[arg(long, value_name = "PATTERN")]
    target: Option<String>,
    /// At most so many; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show absolute times, in UTC.
    #[arg(long)]
    utc: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let filter = RequestFilter {
        open: arguments.open,
        failed: arguments.failed,
        status: arguments.status.as_deref().map(str::to_ascii_uppercase),
        type_name: arguments.type_name.clone(),
        target: arguments.target.clone(),
        limit: (arguments.limit > 0).then_some(arguments.limit),
    };
    let requests = arguments.history.open()?.requests(&filter)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if arguments.format != Format::Table {
        output::write_rows(&mut out, &requests, arguments.format)?;
        return Ok(out.flush()?);
    }
    if requests.is_empty() {
        writeln!(std::io::stderr(), "no requests match")?;
        return Ok(());
    }
    let times = Times {
        utc: arguments.utc,
        now: Clock::system().now(),
    };
    let mut table = output::table(&[
        "STARTED",
        "TARGET",
        "OPERATION",
        "TYPE",
        "IDENTIFIER",
        "STATUS",
        "TOOK",
        "HOOKS",
        "TOKEN",
    ]);
    for request in &requests {
        let hooks = match (request.hooks_total, request.hooks_failed) {
            (0, _) => "-".to_owned(),
            (total, 0) => total.to_string(),
            (total, failed) => format!("{total}, {failed} failed"),
        };
        table.add_row([
            cell(Some(&times.show(request.started_at.or(Some(request.first_seen_at))))),
            cell(Some(&request.target)),
            cell(request.operation.as_deref()),
            cell(request.type_name.as_deref()),
            cell(request.identifier.as_deref()),
            status_cell(request.status.as_deref()),
            cell(Some(&when::seconds(request.duration_s))),
            cell(Some(&hooks)),
            cell(Some(output::short_token(&request.request_token))),
        ]);
    }
    output::write_table(&mut out, &table)?;
    Ok(out.flush()?)
}
