//! `ccwatch history`: keeping the file itself.

mod backup;
mod check;
mod export;
mod import;
pub(super) mod progress;
mod prune;
mod restore;
mod vacuum;

use clap::Subcommand;

use super::Failure;

/// Back the history up, restore it, check it, take it elsewhere, bring another one in, make it smaller.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch history backup /backup/ccwatch-$(date +%F).db
  ccwatch history restore /backup/ccwatch-2026-11-22.db
  ccwatch history check
  ccwatch history export --since 30d -o requests.parquet
  ccwatch history import /backup/other-host.db --dry-run
  ccwatch history prune --older-than 1y --dry-run
  ccwatch history vacuum")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Backup(backup::Arguments),
    Check(check::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Prune(prune::Arguments),
    Restore(restore::Arguments),
    Vacuum(vacuum::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Backup(arguments) => backup::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Prune(arguments) => prune::run(arguments),
        Command::Restore(arguments) => restore::run(arguments),
        Command::Vacuum(arguments) => vacuum::run(arguments),
    }
}
