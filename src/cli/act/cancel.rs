//! `ccwatch cancel`

use anyhow::anyhow;

use super::begin::{self, Common};
use crate::cli::follow::{self, EXIT_CODES_OF_CANCEL, Outcome};
use crate::cli::{Failure, find};
use crate::cloud::Act;
use crate::history::{OpenError, Reader};
use crate::model::RequestToken;

/// Cancel a request (CancelResourceRequest), and follow it.
///
/// Only a request that is PENDING or IN_PROGRESS can be cancelled. What it has done by then is not undone. Of one that the
/// history knows to have ended, Cloud Control is asked nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  ccwatch cancel 73553e7d
  ccwatch cancel 73553e7d-6c1b-4f9e-9c55-0d2f6f7f4f0e --region eu-west-1

{EXIT_CODES_OF_CANCEL}"))]
pub(in crate::cli) struct Cancel {
    /// The request's token; of one in the history enough of its beginning.
    #[arg(value_name = "TOKEN")]
    request_token: String,
    #[command(flatten)]
    common: Common,
}

pub(in crate::cli) async fn cancel(arguments: Cancel) -> Result<(), Failure> {
    let Cancel { request_token, common } = arguments;
    let deadline = common.deadline();
    let reader = match Reader::open(&common.access.history_or_new()?) {
        Ok(reader) => Some(reader),
        Err(OpenError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let found = match &reader {
        Some(reader) => find::requests(reader, &request_token, common.access.target.as_deref())?,
        None => find::Found::None,
    };
    match (found, reader) {
        (find::Found::Elsewhere(others), _) => Err(find::of_others(&others, common.access.target.as_deref())),
        (find::Found::Several(several), _) => Err(find::ambiguous(&request_token, &several)),
        (find::Found::One(target, token), Some(reader)) => {
            let end = follow::state(&reader, &target, &token)?;
            if matches!(end.outcome, Outcome::Success | Outcome::Failed | Outcome::Cancelled) {
                return begin::tell_ended(&common, &end);
            }
            let known = reader.target(&target)?;
            drop(reader);
            let known = known.ok_or_else(|| Failure::Work(anyhow!("the target {target} was removed")))?;
            let way = begin::before_the_call(common.access.way_to(&known), deadline).await?;
            let way = way.ok_or_else(|| {
                Failure::Arguments(format!(
                    "the request is one of {target}: give a configuration with this target by --config FILE, or its Region by \
                     --region, with --profile or --endpoint-url"
                ))
            })?;
            begin::begin_by(common, way, Act::Cancel { token }, deadline).await
        }
        // Of one that the history does not know, the whole token: the service tells whether it is one.
        (_, reader) if find::is_whole(&request_token) => {
            // Before it is opened to be written to: a process opens a history once at a time.
            drop(reader);
            let way = begin::before_the_call(common.access.way(), deadline).await;
            let way = way.map_err(|failure| find::without_a_way(&request_token, failure))?;
            let token = RequestToken::new(request_token);
            begin::begin_by(common, way, Act::Cancel { token }, deadline).await
        }
        _ => Err(find::not_whole(&request_token)),
    }
}
