//! `ccwatch check`

use std::io::Write;
use std::path::PathBuf;

use super::Failure;
use crate::config::{Config, Environment};

/// Where a service looks for its configuration unless told otherwise.
pub(super) const DEFAULT_CONFIG: &str = "/etc/ccwatch/ccwatch.toml";

/// Check a configuration file, and do nothing else.
///
/// Says everything that is wrong with it, with line and column, and exits with 78; or what it amounts to, and exits
/// with 0. Nothing is asked of the network.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "CCWATCH_CONFIG", default_value = DEFAULT_CONFIG, value_hint = clap::ValueHint::FilePath)]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::load(&arguments.config, &Environment::of_process())?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} is fine: {}, {}, {}; the history is {}",
        arguments.config.display(),
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

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
