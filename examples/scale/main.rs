//! How ccwatch does at scale, beside what a user would otherwise run, in one run.
//!
//! ```sh
//! cargo run --release --example scale -- --targets 1 --open 10000 --life 5m --hooks 0.1
//! cargo run --release --example scale -- --targets 5000 --open 0 --watchers ccwatch
//! ```
//!
//! The simulator and each watcher run as processes of their own, over real HTTP, and each watcher meets the same world:
//! the same seed, begun long enough before that as many requests are open as there will be. Watchers are ccwatch, and the
//! two kinds of waiter that there are for a single request, one for each: one that looks every five seconds (the AWS
//! CLI's and boto3's), and one that looks when RetryAfter has passed (Pulumi's). `docs/performance.md` explains the
//! figures.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is here to print")]

mod daemon;
mod measure;
mod truth;
mod waiters;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

#[derive(Debug, Clone, Parser)]
#[command(about = "Measures ccwatch, and what else a user could run, against the simulator")]
struct Arguments {
    #[command(subcommand)]
    process: Option<Process>,
    #[command(flatten)]
    plan: Plan,
}

/// What is measured.
#[derive(Debug, Clone, clap::Args)]
struct Plan {
    /// Accounts that are watched, in one Region.
    #[arg(long, global = true, default_value_t = 1)]
    targets: u32,
    /// Requests that are open in each of them, on average.
    #[arg(long, global = true, default_value_t = 10_000)]
    open: u32,
    /// How long a request lives, on average; from half of it to half as much again.
    #[arg(long, global = true, default_value = "5m", value_parser = humantime::parse_duration)]
    life: Duration,
    /// How long the world has been going when the watchers begin; twice a life if not given, so that as many are open as
    /// there will be. Seven days of it are there to be listed.
    #[arg(long, global = true, value_parser = humantime::parse_duration)]
    going: Option<Duration>,
    /// How far ahead RetryAfter is.
    #[arg(long, global = true, default_value = "5s", value_parser = humantime::parse_duration)]
    retry_after: Duration,
    /// The share of the requests that a hook guards.
    #[arg(long, global = true, default_value_t = 0.1)]
    hooks: f64,
    /// How long the watchers have to settle before they are measured.
    #[arg(long, global = true, default_value = "30s", value_parser = humantime::parse_duration)]
    settle: Duration,
    /// How long they are measured.
    #[arg(long = "for", global = true, default_value = "1m", value_parser = humantime::parse_duration)]
    measured: Duration,
    /// The most calls a second that ccwatch may make in a target. (A configuration allows 25 at the most.)
    #[arg(long, global = true, default_value_t = 1_000.0)]
    calls_per_second: f64,
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Who watches, one after the other.
    #[arg(long, global = true, value_enum, value_delimiter = ',', default_values_t = [Watcher::Ccwatch, Watcher::RetryAfter, Watcher::Every5s])]
    watchers: Vec<Watcher>,
    /// Print the figures as JSON, a line for each watcher.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Watcher {
    /// `ccwatch run`.
    Ccwatch,
    /// One waiter for each request, which looks again when RetryAfter has passed.
    RetryAfter,
    /// One waiter for each request, which looks every five seconds.
    Every5s,
}

/// The processes that this one starts.
#[derive(Debug, Clone, Subcommand)]
enum Process {
    #[command(hide = true)]
    World,
    #[command(hide = true)]
    Daemon { config: std::path::PathBuf },
}

const REGION: &str = "eu-west-1";

/// The account that the target with this number is in.
fn account(number: u32) -> String {
    (100_000_000_000 + u64::from(number)).to_string()
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done: Result<()> = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match &arguments.process {
                Some(Process::World) => world::run(&arguments.plan).await,
                Some(Process::Daemon { config }) => daemon::run(config, &arguments.plan).await,
                None => measure::run(&arguments.plan).await,
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scale: {error:#}");
            ExitCode::FAILURE
        }
    }
}
