//! `ccwatch wait`

use super::access::Access;
use super::follow::{self, EXIT_CODES, Ways};
use super::interruption::Interruption;
use super::{Failure, find};
use crate::history::Reader;

/// Wait until requests have ended.
///
/// Shows how they stand meanwhile, with their hooks, on standard error, and how they ended on standard output. Where a ccwatch
/// watches their targets it reads the history and calls no one; where none does it looks at them itself, if it is told how.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  ccwatch wait 73553e7d
  ccwatch wait 73553e7d 8951bd20 --timeout 30m
  ccwatch wait 73553e7d --config ccwatch.toml && ./next-step
  ccwatch wait 73553e7d --region eu-west-1 --format json

{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// The request tokens, or enough of the beginning of each to tell it from the others.
    #[arg(value_name = "TOKEN", required = true)]
    tokens: Vec<String>,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    terms: follow::Terms,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let deadline = arguments.terms.deadline();
    let path = arguments.access.history()?;
    let reader = Reader::open(&path)?;
    let mut requests = Vec::new();
    for token in &arguments.tokens {
        let found = find::one(&reader, token, arguments.access.target.as_deref())?;
        if !requests.contains(&found) {
            requests.push(found);
        }
    }
    drop(reader);
    let interruption = Interruption::catch()?;
    let ways = Ways::Of(&arguments.access);
    let ends = follow::follow(&path, ways, requests, deadline, &interruption).await?;
    follow::conclude(follow::write(&ends, arguments.terms.format), &ends)
}
