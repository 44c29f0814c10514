#![allow(clippy::print_stdout, reason = "a measurement prints")]
//! How long the steps take in which old requests are forgotten, on a given history: `cargo run --release --example
//! time-pruning -- --history FILE`. It removes what is older than `--retention-days`, in up to `--steps` steps, each of as
//! many rows as the daemon would take after the one before.

use std::path::PathBuf;
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::decide::retention::Stride;
use ccwatch::history::{History, Round};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    #[arg(long, default_value_t = 365)]
    retention_days: u64,
    #[arg(long, default_value_t = 500)]
    steps: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let history = History::open(&arguments.history)?;
    let clock = Clock::system();
    let retention = Duration::from_hours(24 * arguments.retention_days);
    let mut stride = Stride::default();
    let mut round = Round::new(clock.now(), retention);
    let (mut times, mut strides) = (Vec::new(), Vec::new());
    let (mut requests, mut rows) = (0, 0);
    for _ in 0..arguments.steps {
        history.find_old(&mut round)?;
        let begun = clock.uptime();
        let pruned = history.forget_old(&mut round, stride.rows())?;
        let took = clock.uptime().saturating_sub(begun);
        times.push(took);
        strides.push(stride.rows());
        stride = stride.after(pruned.rows, took);
        requests += pruned.requests;
        rows += pruned.rows;
        if pruned.is_done {
            break;
        }
    }
    times.sort_unstable();
    strides.sort_unstable();
    println!("{requests} requests, {rows} rows removed in {} steps", times.len());
    if let ([least, .., most], [fewest, .., highest]) = (times.as_slice(), strides.as_slice()) {
        let middle = times.len() / 2;
        println!(
            "time: least / median / most: {least:.1?} / {:.1?} / {most:.1?}",
            times[middle]
        );
        println!(
            "rows: least / median / most: {fewest} / {} / {highest}",
            strides[middle]
        );
    }
    Ok(())
}
