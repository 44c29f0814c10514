//! `ccwatch notify list`

use std::io::BufWriter;
use std::time::Duration;

use anyhow::anyhow;
use clap::ValueEnum;

use crate::cli::Failure;
use crate::cli::listing::{self, Listing};
use crate::cli::output::{self, Column, Format, cell};
use crate::cli::when::{self, Moment, Times, rough};
use crate::history::{DeliveryFilter, Reader, Told};
use crate::model::rows::{AttemptRow, ChangeRow};
use crate::model::{DeliveryId, DeliveryState};

/// List deliveries, newest first: what was told to whom, what waits, and what was given up.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch notify list --receiver ops-chat --state pending
  ccwatch notify list --state dead --since 2d
  ccwatch notify list --attempts 4711
  ccwatch notify list --state dead --format json | jq '.[].last_error'")]
pub(super) struct Arguments {
    /// Only those to this receiver.
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// Only those in this state.
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those that came since: so long ago, such as 2d, or at a time, such as 2026-11-22T06:28:00Z or 2026-11-22; without
    /// a zone, local time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = when::moment)]
    since: Option<Moment>,
    /// Show every attempt at the delivery with this id instead.
    #[arg(long, value_name = "ID", conflicts_with_all = ["receiver", "state", "since"])]
    attempts: Option<i64>,
    #[command(flatten)]
    common: listing::Common,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// To be attempted, again perhaps.
    Pending,
    /// The receiver accepted it.
    Sent,
    /// Given up.
    Dead,
    /// Silenced, tried again as another delivery, or its receiver is no longer configured.
    Skipped,
}

impl From<State> for DeliveryState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Sent => Self::Sent,
            State::Dead => Self::Dead,
            State::Skipped => Self::Skipped,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let (reader, times) = (common.history.open()?, common.times());
    if let Some(id) = arguments.attempts {
        return attempts(&reader, id, common.format, times);
    }
    let told = reader.told(&DeliveryFilter {
        receiver: arguments.receiver.clone(),
        state: arguments.state.map(DeliveryState::from),
        since: arguments.since.map(|since| since.from(times.now)),
        limit: common.limits().1,
    })?;
    if common.format == Format::Csv {
        // The delivery alone: a line of CSV has no room for what it tells.
        let deliveries: Vec<_> = told.into_iter().map(|told| told.delivery).collect();
        return output::write_rows(&mut BufWriter::new(std::io::stdout().lock()), &deliveries, Format::Csv);
    }
    listing::show_all(
        common.format,
        Listing {
            columns: &[
                Column::whole("ID"),
                Column::whole("SEEN"),
                Column::name("RECEIVER"),
                Column::text("WHAT").yields(3),
                Column::words("STATE"),
                Column::whole("ATTEMPTS").yields(2),
                Column::text("LAST ERROR").yields(1),
            ],
            none: "no deliveries match",
            history: &reader,
            filter: None,
            most: common.limits().0,
        },
        told,
        |told| {
            let delivery = &told.delivery;
            let seen = told.change.as_ref().map(|change| change.at);
            vec![
                cell(Some(&delivery.id.to_string())),
                cell(Some(&times.show(seen.or(told.notice.as_ref().map(|notice| notice.at))))),
                cell(Some(&delivery.receiver)),
                cell(Some(&what(told))),
                cell(Some(&state(told, times))),
                cell(Some(&delivery.attempts.to_string())),
                cell(delivery.last_error.as_deref()),
            ]
        },
    )
}

fn what(told: &Told) -> String {
    let again = if told.delivery.replayed { " (replayed)" } else { "" };
    match (&told.change, &told.notice) {
        (Some(change), _) => format!("{}{again}", change_in_words(change)),
        (None, Some(notice)) if notice.failing => format!("receiver {} fails", notice.receiver),
        (None, Some(notice)) => format!("receiver {} is well again", notice.receiver),
        (None, None) => "-".to_owned(),
    }
}

fn change_in_words(change: &ChangeRow) -> String {
    let hook = change.hook().map(|hook| format!("hook {hook}"));
    let words = [
        change.operation.as_deref(),
        change.type_name.as_deref(),
        change.identifier.as_deref(),
        hook.as_deref(),
        change.to_status.as_deref().or(Some(&change.kind)),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn state(told: &Told, times: Times) -> String {
    let delivery = &told.delivery;
    match (delivery.sent_at, delivery.next_attempt_at) {
        (Some(_), _) => format!("{} {}", delivery.state, times.show(delivery.sent_at)),
        (None, Some(next)) if next <= times.now => format!("{}, due", delivery.state),
        (None, Some(_)) => format!("{}, {}", delivery.state, times.show(delivery.next_attempt_at)),
        (None, None) if delivery.state == DeliveryState::Pending.as_str() => format!("{}, in line", delivery.state),
        (None, None) => delivery.state.clone(),
    }
}

fn attempts(reader: &Reader, id: i64, format: Format, times: Times) -> Result<(), Failure> {
    let attempts = reader
        .attempts(DeliveryId(id))?
        .ok_or_else(|| anyhow!("no delivery in the history has the id {id}; `ccwatch notify list` shows the latest"))?;
    listing::show_all(
        format,
        Listing {
            columns: &[
                Column::whole("NUMBER"),
                Column::whole("AT"),
                Column::whole("TOOK").yields(3),
                Column::whole("OUTCOME"),
                Column::whole("STATUS").yields(4),
                Column::text("ANSWER").yields(1),
                Column::text("ERROR").yields(2),
            ],
            none: &format!("no attempt at delivery {id}"),
            history: reader,
            filter: None,
            most: None,
        },
        attempts,
        |attempt| {
            let took = Duration::from_millis(u64::try_from(attempt.took_ms).unwrap_or(0));
            vec![
                cell(Some(&attempt.number.to_string())),
                cell(Some(&times.show(Some(attempt.at)))),
                cell(Some(&rough(took))),
                cell(Some(&attempt.outcome)),
                cell(attempt.answer_status.map(|status| status.to_string()).as_deref()),
                cell(answer(attempt).as_deref()),
                cell(attempt.error.as_deref()),
            ]
        },
    )
}

/// The deliveries of a digest have one answer, which is kept with the first of them.
fn answer(attempt: &AttemptRow) -> Option<String> {
    if attempt.told_with == attempt.delivery_id {
        attempt.answer.clone()
    } else {
        Some(format!("(in a digest: see --attempts {})", attempt.told_with))
    }
}
