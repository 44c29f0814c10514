//! `ccwatch wait`

use std::io::{self, Write};
use std::path::Path;

use anyhow::anyhow;

use super::access::Access;
use super::follow::{self, EXIT_CODES, Outcome, Ways};
use super::interruption::Interruption;
use super::{Failure, find, spinner};
use crate::clock::Clock;
use crate::cloud::Looked;
use crate::history::{Editor, OpenError, Reader};
use crate::model::{RequestToken, TargetName, printable};

/// Wait until requests have ended.
///
/// Shows how they stand meanwhile, with their hooks, on standard error, and how they ended on standard output. Where a ccwatch
/// watches their targets it reads the history and calls no one; where none does it looks at them itself, if it is told how.
/// A request that the history does not know, such as one that another tool has begun, is asked for by its whole token.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  ccwatch wait 73553e7d
  ccwatch wait 73553e7d 8951bd20 --timeout 30m
  ccwatch wait 73553e7d --config ccwatch.toml && ./next-step
  ccwatch wait 73553e7d --region eu-west-1 --format json
  ccwatch wait --region eu-west-1 $(aws cloudcontrol create-resource ... --query ProgressEvent.RequestToken --output text)

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
    let interruption = Interruption::catch()?;
    let (access, deadline) = (&arguments.access, arguments.terms.deadline());
    let path = if access.says_where() {
        access.history_or_new()?
    } else {
        access.history()?
    };
    let mut requests = Vec::new();
    for token in &arguments.tokens {
        let found = if let Some(found) = known(&path, token, access)? {
            found
        } else {
            tokio::select! {
                asked = spinner::while_waiting("GetResourceRequestStatus", ask(&path, token, access)) => asked?,
                () = interruption.stop().cancelled() => return Err(interruption.failure()),
                () = deadline.passed() => {
                    // There is nowhere left to say that standard error is closed.
                    let _ = writeln!(io::stderr(), "the time is up, and Cloud Control has not told of {}", printable(token));
                    return Err(Failure::Outcome(Outcome::Open));
                }
            }
        };
        if !requests.contains(&found) {
            requests.push(found);
        }
    }
    let ends = follow::follow(&path, Ways::Of(access), access, requests, deadline, &interruption).await?;
    follow::conclude(follow::write(&ends, arguments.terms.format), &ends)
}

/// The request, if the history knows it. A history that is not there knows none.
fn known(path: &Path, token: &str, access: &Access) -> Result<Option<(TargetName, RequestToken)>, Failure> {
    let reader = match Reader::open(path) {
        Err(OpenError::Missing { .. }) if access.says_where() => return Ok(None),
        opened => opened?,
    };
    match find::requests(&reader, token, access.target.as_deref())? {
        find::Found::None if access.says_where() => Ok(None),
        _ => find::one(&reader, token, access.target.as_deref()).map(Some),
    }
}

/// Asks Cloud Control for a request that the history does not know, and has it remembered.
async fn ask(path: &Path, token: &str, access: &Access) -> Result<(TargetName, RequestToken), Failure> {
    if !find::is_whole(token) {
        return Err(find::not_whole(token));
    }
    let way = access.way().await;
    let way = way.map_err(|failure| find::without_a_way(token, failure))?;
    let unknown = find::unknown(token);
    let token = RequestToken::new(token);
    let (event, hooks) = match way.client.get(&token).await.result {
        Ok(Looked::Seen(event, hooks)) => (*event, hooks),
        Ok(Looked::Gone) => {
            return Err(Failure::Work(anyhow!(
                "{unknown}, and Cloud Control in {} knows none of this whole token: it forgets a request after seven days",
                way.name
            )));
        }
        Err(failure) => {
            return Err(Failure::Work(anyhow!(
                "{unknown}, and Cloud Control in {} can't be asked for it: {failure}\n{}",
                way.name,
                failure.cause.remedy()
            )));
        }
    };
    let mut editor = Editor::open_or_make(path)?;
    way.may_record(&editor)?;
    let place = (&way.name, way.account.as_ref(), &way.region);
    let target = editor.record_look(place, event, hooks, &way.routing(), Clock::system().now())?;
    Ok((target, token))
}
