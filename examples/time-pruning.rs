#![allow(clippy::print_stdout, reason = "a measurement prints")]
//! How long the steps take in which old requests are forgotten, on a given history: `cargo run --release --example
//! time-pruning -- --history FILE`. It removes what is older than `--retention-days`, up to `--steps` hundreds of it.

use std::path::PathBuf;
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::history::{History, HistoryError};
use clap::Parser;

/// As in the daemon.
const STEP: usize = 100;

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    #[arg(long, default_value_t = 365)]
    retention_days: u64,
    #[arg(long, default_value_t = 50)]
    steps: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let history = History::open(&arguments.history)?;
    let clock = Clock::system();
    let retention = Duration::from_hours(24 * arguments.retention_days);
    let step = || -> Result<(usize, Duration), HistoryError> {
        let begun = clock.uptime();
        let removed = history.write(|tx| tx.prune(clock.now(), retention, STEP))?;
        Ok((removed, clock.uptime().saturating_sub(begun)))
    };
    let steps = (0..arguments.steps).map(|_| step()).collect::<Result<Vec<_>, _>>()?;
    let removed: usize = steps.iter().map(|(removed, _)| removed).sum();
    let mut times: Vec<Duration> = steps.into_iter().map(|(_, time)| time).collect();
    times.sort_unstable();
    println!("{removed} requests removed in {} steps", times.len());
    if let [least, .., most] = times.as_slice() {
        println!(
            "least / median / most: {least:.1?} / {:.1?} / {most:.1?}",
            times[times.len() / 2]
        );
    }
    Ok(())
}
