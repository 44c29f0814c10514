//! `ccwatch show`

mod timeline;

use std::io::{BufWriter, Write};

use anyhow::anyhow;
use serde::Serialize;

use self::timeline::{Scale, after};
use super::Failure;
use super::find;
use super::history_file;
use super::output::{self, Column, Format, Table, cell, noted_status_cell};
use super::when::{self, Times};
use crate::clock::Clock;
use crate::model::rows::{ChangeRow, DeliveryRow, GapRow, HookEventRow, HookRow, ProgressEventRow, RequestRow};

/// Show one request: what is known of it, its timeline with its hooks, and who was told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch show 73553e7d
  ccwatch show 73553e7d-6c1b-4f9e-9c55-0d2f6f7f4f0e --format json")]
pub(super) struct Arguments {
    /// The request token, or enough of its beginning to tell it from the others.
    #[arg(value_name = "TOKEN")]
    token: String,
    /// Only the target with this name, as `entry/region`, where several know the token.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
    #[command(flatten)]
    history: history_file::HistoryFile,
    /// As csv, the timeline alone.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show absolute times, in UTC.
    #[arg(long)]
    utc: bool,
}

/// A request's whole story, as `--format json` gives it.
#[derive(Debug, Serialize)]
struct Story {
    request: RequestRow,
    progress_events: Vec<ProgressEventRow>,
    hooks: Vec<HookRow>,
    hook_events: Vec<HookEventRow>,
    changes: Vec<ChangeRow>,
    deliveries: Vec<DeliveryRow>,
    /// Times within its life in which its target was not looked at.
    gaps: Vec<GapRow>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let reader = arguments.history.open()?;
    let (target, token) = find::one(&reader, &arguments.token, arguments.target.as_deref())?;
    let request = reader
        .request(&target, &token)?
        .ok_or_else(|| anyhow!("the request was removed while it was read"))?;
    let (begin, end) = (
        request.started_at.unwrap_or(request.first_seen_at),
        request.last_seen_at,
    );
    let gaps = reader.gaps_of(&target, begin.min(request.first_seen_at), end)?;
    let story = Story {
        request,
        progress_events: reader.progress_events(&target, &token)?,
        hooks: reader.hooks(&target, &token)?,
        hook_events: reader.hook_events(&target, &token)?,
        changes: reader.changes(&target, &token)?,
        deliveries: reader.deliveries(&target, &token)?,
        gaps,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    match arguments.format {
        Format::Table => {
            let times = Times {
                utc: arguments.utc,
                now: Clock::system().now(),
            };
            tell(&mut out, &story, times)?;
        }
        Format::Json => output::write_json(&mut out, &story)?,
        Format::Jsonl => output::write_json_line(&mut out, &story)?,
        Format::Csv => output::write_rows(&mut out, &timeline::steps(&story), Format::Csv)?,
    }
    Ok(out.flush()?)
}

fn tell(out: &mut impl Write, story: &Story, times: Times) -> Result<(), Failure> {
    let request = &story.request;
    let account = request.account_id.as_deref().unwrap_or("unknown account");
    let place = format!("{} ({account}, {})", request.target, request.region);
    let started = times.show(request.started_at.or(Some(request.first_seen_at)));
    // One that no one looks at any more would look alive.
    let last_seen = times.show(request.open.then_some(request.last_seen_at));
    let finished = times.show(request.finished_at);
    let took = when::seconds(request.duration_s);
    let rows = [
        ("target", Some(place.as_str())),
        ("operation", request.operation.as_deref()),
        ("type", request.type_name.as_deref()),
        ("identifier", request.identifier.as_deref()),
        ("started", Some(started.as_str())),
        ("last seen", Some(last_seen.as_str())),
        ("finished", Some(finished.as_str())),
        ("took", Some(took.as_str())),
        ("error", request.error_code.as_deref()),
        ("message", request.status_message.as_deref()),
    ];
    let known = rows
        .into_iter()
        .filter(|(_, value)| value.is_some_and(|value| value != "-"));
    let facts = [
        ("REQUEST", cell(Some(&request.request_token))),
        (
            "status",
            noted_status_cell(request.status.as_deref(), request.is_lost().then_some("lost")),
        ),
    ];
    let facts = facts.into_iter().chain(known.map(|(name, value)| (name, cell(value))));
    output::write_facts(out, facts)?;

    writeln!(out)?;
    let scale = Scale::of(story, times.now);
    timeline::write(out, scale, &timeline::steps(story), output::terminal_width())?;

    if !story.deliveries.is_empty() {
        writeln!(out)?;
        let mut deliveries = Table::new([
            Column::whole("AFTER"),
            Column::name("RECEIVER"),
            Column::words("CHANGE"),
            Column::whole("STATE"),
            Column::whole("ATTEMPTS").yields(2),
            Column::whole("SENT").yields(3),
            Column::text("LAST ERROR").yields(1),
        ]);
        for delivery in &story.deliveries {
            let change = story
                .changes
                .iter()
                .find(|change| Some(change.id) == delivery.change_id)
                .map(|change| format!("{} {}", change.kind, change.to_status.as_deref().unwrap_or_default()));
            let sent_after = delivery.sent_at.map(|sent_at| after(sent_at, scale.begin));
            deliveries.row([
                cell(sent_after.as_deref()),
                cell(Some(&delivery.receiver)),
                cell(change.as_deref()),
                cell(Some(&delivery.state)),
                cell(Some(&delivery.attempts.to_string())),
                cell(Some(&times.show(delivery.sent_at))),
                cell(delivery.last_error.as_deref()),
            ]);
        }
        deliveries.write(out)?;
    }
    Ok(())
}
