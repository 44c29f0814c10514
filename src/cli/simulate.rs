//! `ccwatch simulate`

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::clock::Clock;
use crate::config::ConfigErrors;
use crate::config::wording::{listed, suggestion};
use crate::daemon::Signals;
use crate::simulator::{Scenario, Simulator, http};

/// Serve a simulated Cloud Control endpoint.
///
/// For whoever writes or tests a Cloud Control client: requests take time, have hooks, fail, can be cancelled and expire.
/// What a client asks for finishes within ten seconds, unless another scenario is given. Nothing is kept when it stops.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch simulate
  aws cloudcontrol list-resource-requests --endpoint-url http://127.0.0.1:4599 --region eu-west-1
  ccwatch simulate --scenario flaky-network --seed 7
  ccwatch simulate --scenario my-scenario.toml --clock manual
  curl http://127.0.0.1:4599/_simulator/advance -d '{\"by\": \"90s\"}'")]
pub(super) struct Arguments {
    /// The address to listen on. Anyone who can reach it can use it, unless there is a secret access key.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4599")]
    listen: SocketAddr,
    /// What the world is like: friendly, lively, hooks, throttled, flaky-network, traps, busy; a TOML file; or `-` for
    /// standard input.
    #[arg(long, value_name = "NAME|FILE", default_value = "friendly", value_hint = clap::ValueHint::FilePath)]
    scenario: String,
    /// The same seed gives the same world; by chance if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// What drives the world's time.
    #[arg(long, value_enum, default_value_t = ClockKind::System)]
    clock: ClockKind,
    /// Serve only calls that are signed with this secret, whatever their access key id. What is under `/_simulator/`
    /// stays open.
    #[arg(
        long,
        value_name = "SECRET",
        env = "CCWATCH_SIMULATOR_SECRET",
        hide_env_values = true
    )]
    secret_access_key: Option<SecretString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    /// Time passes by itself.
    System,
    /// Time stands still until `POST /_simulator/advance`.
    Manual,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // Before signals are caught: while standard input is waited for, Ctrl-C ends the process as it would any other.
    let scenario = scenario(&arguments.scenario)?;
    let stop = CancellationToken::new();
    Signals::catch()?.forward(stop.clone(), CancellationToken::new());
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("can't listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    let clock = match arguments.clock {
        ClockKind::System => Clock::system(),
        ClockKind::Manual => Clock::manual(Clock::system().now()),
    };
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    let simulator = Simulator::new(scenario, seed, clock.now());
    // Set to nothing, as by `${SECRET:-}`, is not set.
    let secret = arguments
        .secret_access_key
        .filter(|secret| !secret.expose_secret().is_empty());
    let (simulator, unguarded) = match secret {
        Some(secret) => (simulator.verifying(secret), "what is under /_simulator/"),
        None => (simulator, "it"),
    };
    // The address is a result: with port 0 it is the only way to learn it.
    writeln!(std::io::stdout(), "http://{address}")?;
    let mut talk = std::io::stderr();
    writeln!(talk, "simulating Cloud Control with seed {seed}; Ctrl-C stops it")?;
    if clock.is_manual() {
        writeln!(talk, "it is {}, until POST /_simulator/advance", clock.now())?;
    }
    if !address.ip().is_loopback() {
        writeln!(
            talk,
            "warning: there is no authentication: whoever can reach {address} can use {unguarded}"
        )?;
    }
    http::serve(listener, simulator, clock, stop).await?;
    Ok(())
}

/// The scenario that is meant by a name, a path or `-`. A file that is called as one of ours is read by `./NAME`.
fn scenario(argument: &str) -> Result<Scenario, ConfigErrors> {
    if argument == "-" {
        return Scenario::load_from(std::io::stdin().lock(), Path::new("<stdin>"));
    }
    let path = Path::new(argument);
    match Scenario::preset(argument) {
        Some(scenario) => Ok(scenario),
        None if argument.contains('/') || path.exists() => Scenario::load(path),
        None => {
            let suggestion = suggestion(argument, Scenario::names());
            let names = listed(Scenario::names());
            let message =
                format!("no such file, nor a scenario of that name{suggestion}; those that come along are {names}");
            Err(ConfigErrors::unreadable(path, "scenario", &message))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::simulator::Scenario;

    #[test]
    fn the_help_names_every_scenario() {
        let help = super::super::Arguments::command()
            .find_subcommand_mut("simulate")
            .unwrap()
            .render_help()
            .to_string();
        for name in Scenario::names() {
            assert!(help.contains(name), "{name}: {help}");
        }
    }
}
