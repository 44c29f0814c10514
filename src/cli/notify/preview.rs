//! `ccwatch notify preview`

use std::io::Write;

use anyhow::anyhow;
use serde::Serialize;
use tracing::warn;

use super::sample;
use crate::cli::Failure;
use crate::cli::history_file::Configured;
use crate::cli::output::{self, Column, DocumentFormat, Table, cell};
use crate::config::{Environment, ReceiverSettings, Secrets};
use crate::deliver::{Measure, Output, build};
use crate::history::Reader;
use crate::model::{News, printable};

/// Show what a receiver would be sent, with its size against the limits. Calls no one.
///
/// Secrets that can't be read here are not missed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch notify preview ops-chat
  ccwatch notify preview ops-chat --kind digest
  ccwatch notify preview ops-chat --change 4711 --format json | jq .measures")]
pub(super) struct Arguments {
    /// The name of a receiver of the configuration.
    #[arg(value_name = "RECEIVER")]
    receiver: String,
    /// A change of the history, by its id in `v_changes`, as `ccwatch events --format json` shows it.
    #[arg(long, value_name = "ID", conflicts_with = "kind")]
    change: Option<i64>,
    /// What the sample is about.
    #[arg(long, value_name = "KIND", default_value = sample::DEFAULT, value_parser = sample::of_kind)]
    kind: News,
    #[command(flatten)]
    configured: Configured,
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    format: DocumentFormat,
}

/// As `--format json` gives it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    receiver: &'a str,
    kind: &'a str,
    content: &'a str,
    measures: Vec<Measured>,
}

#[derive(Debug, Serialize)]
struct Measured {
    part: &'static str,
    size: usize,
    limit: usize,
    unit: &'static str,
    /// Whether it would be sent cut.
    cut: bool,
}

impl From<&Measure> for Measured {
    fn from(measure: &Measure) -> Self {
        Self {
            part: measure.part,
            size: measure.size,
            limit: measure.limit,
            unit: measure.unit,
            cut: measure.size > measure.limit,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (path, environment) = (&arguments.configured.config.config, Environment::of_process());
    let (settings, warnings) = ReceiverSettings::load(path, &arguments.receiver, &environment, Secrets::Dispensable)?;
    for warning in warnings {
        warn!("{warning}");
    }
    let news = match arguments.change {
        None => arguments.kind.clone(),
        Some(id) => stored(arguments, id)?,
    };
    let news = sample::fitting(news, &settings)?;
    for destination in build(std::slice::from_ref(&settings), &Output::stdout())? {
        let preview = destination
            .preview(&news)
            .map_err(|error| anyhow!("receiver `{}` would be sent nothing: {error}", settings.name))?;
        let measures = preview.measures.iter().map(Measured::from).collect();
        let shown = Shown {
            receiver: &settings.name,
            kind: news.kind(),
            content: &preview.content,
            measures,
        };
        output::show_document(&shown, arguments.format, |out| tell(out, &shown))?;
    }
    Ok(())
}

fn stored(arguments: &Arguments, id: i64) -> Result<News, Failure> {
    let announcement = Reader::open(&arguments.configured.history()?)?.announcement(id)?;
    let announcement = announcement.ok_or_else(|| {
        anyhow!("no change in the history has the id {id}; `ccwatch events --format json` shows those that there are")
    })?;
    Ok(News::Change(Box::new(announcement)))
}

fn tell(out: &mut impl Write, shown: &Shown<'_>) -> Result<(), Failure> {
    for line in shown.content.lines() {
        writeln!(out, "{}", printable(line))?;
    }
    if !shown.measures.is_empty() {
        writeln!(out)?;
        let mut table = Table::new(["PART", "SIZE", "LIMIT", "UNIT", ""].map(Column::words));
        for measure in &shown.measures {
            table.row([
                cell(Some(measure.part)),
                cell(Some(&measure.size.to_string())),
                cell(Some(&measure.limit.to_string())),
                cell(Some(measure.unit)),
                cell(Some(if measure.cut { "would be cut" } else { "fits" })),
            ]);
        }
        table.write(out)?;
    }
    Ok(())
}
