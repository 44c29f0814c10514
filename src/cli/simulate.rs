//! `ccwatch simulate`

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::clock::Clock;
use crate::daemon::Signals;
use crate::simulator::{Scenario, Simulator, http};

/// Serve a simulated Cloud Control endpoint.
///
/// For whoever writes or tests a Cloud Control client: requests take time, have hooks, fail, can be cancelled and expire.
/// What a client asks for finishes within ten seconds. Nothing is kept when it stops.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch simulate
  aws cloudcontrol list-resource-requests --endpoint-url http://127.0.0.1:4599 --region eu-west-1")]
pub(super) struct Arguments {
    /// The address to listen on. Anyone who can reach it can use it, unless there is a secret access key.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4599")]
    listen: SocketAddr,
    /// The same seed gives the same world; by chance if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Have other clients' requests come and go all the time, as `ccwatch demo` does.
    #[arg(long)]
    lively: bool,
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

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    Signals::catch()?.forward(stop.clone(), CancellationToken::new());
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("can't listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    let clock = Clock::system();
    let scenario = if arguments.lively {
        Scenario::lively()
    } else {
        Scenario::friendly()
    };
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    let simulator = Simulator::new(scenario, seed, clock.now());
    let simulator = match arguments.secret_access_key {
        Some(secret) => simulator.verifying(secret),
        None => simulator,
    };
    // The address is a result: with port 0 it is the only way to learn it.
    writeln!(std::io::stdout(), "http://{address}")?;
    writeln!(
        std::io::stderr(),
        "simulating Cloud Control with seed {seed}; Ctrl-C stops it"
    )?;
    http::serve(listener, simulator, clock, stop).await?;
    Ok(())
}
