//! `ccwatch check`

use std::io::Write;

use super::Failure;
use super::history_file::ConfigFile;
use crate::config::wording::counted;
use crate::config::{Config, Environment};

/// Check a configuration file, and do nothing else.
///
/// Says everything that is wrong with it, with line and column, and exits with 78; or what it amounts to, and exits
/// with 0. Nothing is asked of the network.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::load(&arguments.config.config, &Environment::of_process())?;
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
    for warning in &config.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}
