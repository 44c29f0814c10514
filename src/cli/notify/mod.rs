//! `ccwatch notify`: whoever looks after the receivers.

mod list;
mod preview;
mod replay;
mod retry;
mod sample;
mod test;

use clap::Subcommand;

use super::Failure;

/// Try receivers out, see what they were told, and tell it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch notify test ops-chat --config ccwatch.toml
  ccwatch notify preview ops-chat --change 4711
  ccwatch notify list --state dead
  ccwatch notify retry --dead --receiver ops-chat
  ccwatch notify replay --receiver ops-chat --since 2d --dry-run")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Arguments),
    Preview(preview::Arguments),
    List(list::Arguments),
    Retry(retry::Arguments),
    Replay(replay::Arguments),
}

/// What is to be known of whatever was put into the outbox.
const FOUND_SOON: &str = "a running ccwatch finds it within half a minute";

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Test(arguments) => test::run(arguments),
        Command::Preview(arguments) => preview::run(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Retry(arguments) => retry::run(arguments),
        Command::Replay(arguments) => replay::run(arguments),
    }
}
