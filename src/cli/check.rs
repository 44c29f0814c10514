//! `ccwatch check`

use std::io::Write;

use super::history_file::ConfigFile;
use super::{Failure, history_file};
use crate::config::{Config, Environment};
use crate::model::counted;

/// Check a configuration file, and do nothing else.
///
/// Says everything that is wrong with it, with line and column, and exits with 78; or what it amounts to, and exits
/// with 0. Nothing is asked of the network. What systemd gives to the service alone (`{ credential = "NAME" }`) is not
/// looked at elsewhere.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let config = Config::check(&arguments.config.config, &environment)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} is fine: {}, {}, {}; the history is {}",
        arguments.config.config.display(),
        counted(config.targets.len(), "target"),
        counted(config.receivers.len(), "receiver"),
        counted(config.routes.len(), "route"),
        config.history.path.display()
    )?;
    if let Some(service) = history_file::of_the_service(&config.history.path, &environment) {
        writeln!(
            out,
            "note: that is where `ccwatch run` from here keeps it; the service's is {}",
            service.display()
        )?;
    }
    for note in &config.notes {
        writeln!(out, "note: {note}")?;
    }
    for warning in &config.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}
