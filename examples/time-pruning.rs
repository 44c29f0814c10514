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
    let (mut held, mut folding, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    let (mut requests, mut rows) = (0, 0);
    for _ in 0..arguments.steps {
        history.find_old(&mut round)?;
        let begun = clock.uptime();
        let pruned = history.forget_old(&mut round, stride.rows(), &clock)?;
        let took = clock.uptime().saturating_sub(begun);
        held.push(took);
        strides.push(stride.rows());
        stride = stride.after(pruned.rows, took);
        let begun = clock.uptime();
        history.fold_beside()?;
        folding.push(clock.uptime().saturating_sub(begun));
        requests += pruned.requests;
        rows += pruned.rows;
        if pruned.is_done {
            break;
        }
    }
    println!("{requests} requests, {rows} rows removed in {} steps", held.len());
    println!("                   least, median, 99th, most");
    print("the lock was held", &mut held);
    print("folding beside it", &mut folding);
    print("rows in a step   ", &mut strides);
    Ok(())
}

fn print<T: Ord + std::fmt::Debug>(what: &str, all: &mut [T]) {
    all.sort_unstable();
    let at = |share: usize| all.get((all.len() * share / 100).min(all.len().saturating_sub(1)));
    if let (Some(least), Some(median), Some(high), Some(most)) = (at(0), at(50), at(99), at(100)) {
        println!("{what}: {least:.1?}, {median:.1?}, {high:.1?}, {most:.1?}");
    }
}
