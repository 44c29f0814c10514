//! `ccwatch run`

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Failure;
use super::history_file::ConfigFile;
use crate::clock::Clock;
use crate::cloud::Connection;
use crate::config::{Config, Environment};
use crate::daemon::{Daemon, Signals};
use crate::deliver::Output;

/// Watch the configured targets until stopped.
///
/// Polls Cloud Control, keeps what it sees in the history, and tells the receivers. Runs in the foreground, as a service
/// manager wants it. SIGTERM or Ctrl-C stops it in order; a second one stops it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch run --config ./ccwatch.toml
  CCWATCH_LOG=debug ccwatch run")]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // Caught first, so that a stop that comes while things open is not lost.
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    Signals::catch()?.forward(stop.clone(), cut.clone());
    let config = Config::load(&arguments.config.config, &Environment::of_process())?;
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let daemon = Daemon::new(config, Connection::to_aws(), Clock::system(), &Output::stdout())?;
    daemon.run(stop, cut).await?;
    Ok(())
}
