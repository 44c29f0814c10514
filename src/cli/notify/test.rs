//! `ccwatch notify test`

use std::io::Write;
use std::time::Duration;

use anyhow::anyhow;
use tokio::time::Instant;
use tracing::warn;

use super::sample;
use crate::cli::history_file::ConfigFile;
use crate::cli::when::rough;
use crate::cli::{Failure, block_on, spinner};
use crate::clock::Clock;
use crate::config::{Environment, ReceiverSettings, Secrets};
use crate::decide::retry::Outcome;
use crate::deliver::{Output, Report, build};
use crate::model::{News, printable};

/// Send a receiver a sample message, and show what it answers.
///
/// The message says that it is a test. A receiver that keeps incidents has one opened and resolved. Exits with 1 if the
/// receiver does not accept it. Only this receiver's secrets are read, and no history.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch notify test ops-chat
  ccwatch notify test pager --kind hook.status --config ccwatch.toml")]
pub(super) struct Arguments {
    /// The name of a receiver of the configuration.
    #[arg(value_name = "RECEIVER")]
    receiver: String,
    /// What it is told of.
    #[arg(long, value_name = "KIND", default_value = sample::DEFAULT, value_parser = sample::of_kind)]
    kind: News,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (path, environment) = (&arguments.config.config, Environment::of_process());
    let (settings, warnings) = ReceiverSettings::load(path, &arguments.receiver, &environment, Secrets::Needed)?;
    for warning in warnings {
        warn!("{warning}");
    }
    let clock = Clock::system();
    let news = sample::fitting(sample::made_now(arguments.kind.clone(), clock.now()), &settings)?;
    block_on(send(&settings, &news, &clock))
}

async fn send(settings: &ReceiverSettings, news: &News, clock: &Clock) -> Result<(), Failure> {
    let destinations = build(std::slice::from_ref(settings), &Output::stdout())?;
    let resolving = sample::resolving(news);
    let mut thread: Option<String> = None;
    for (what, news) in [("", Some(news)), (", resolved", resolving.as_ref())] {
        for (destination, news) in destinations.iter().zip(news) {
            let started = Instant::now();
            let waiting = format!("sending to {} …", settings.name);
            let sending = destination.test(news, thread.as_deref(), clock.now());
            let report = spinner::while_waiting(&waiting, sending).await;
            show(settings, &format!("{}{what}", news.kind()), &report, started.elapsed())?;
            thread = report.thread.or(thread);
        }
    }
    Ok(())
}

/// Says how it went; fails if it went wrong.
fn show(settings: &ReceiverSettings, what: &str, report: &Report, took: Duration) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let (name, took) = (&settings.name, rough(took));
    let result = match &report.outcome {
        Outcome::Accepted => {
            writeln!(out, "{name}: {what}: accepted in {took}")?;
            Ok(())
        }
        Outcome::Failed { error, retry_after } => {
            writeln!(out, "{name}: {what}: not accepted, after {took}")?;
            let again = retry_after.map_or_else(String::new, |pause| {
                format!("; it asks to be left alone for {}", rough(pause))
            });
            Err(anyhow!("{}{again} (ccwatch would try again)", printable(error)))
        }
        Outcome::Rejected { error } => {
            writeln!(out, "{name}: {what}: refused, after {took}")?;
            Err(anyhow!("{} (ccwatch would not try again)", printable(error)))
        }
    };
    if let Some(answer) = &report.answer {
        let status = answer.status.map_or_else(String::new, |status| format!(" {status}"));
        let said = if answer.said.is_empty() {
            "nothing more".into()
        } else {
            printable(&answer.said)
        };
        writeln!(out, "  it answered{status}: {said}")?;
    }
    out.flush()?;
    Ok(result?)
}
