//! `ccwatch delete`

use super::begin::{self, Beginning, Common};
use crate::cli::Failure;
use crate::cli::follow::EXIT_CODES;
use crate::cloud::Act;

/// Delete a resource (DeleteResource), and follow the request.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  ccwatch delete --type-name AWS::SNS::Topic --identifier arn:aws:sns:eu-west-1:123456789012:news

{EXIT_CODES}"))]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    beginning: Beginning,
    /// The resource's primary identifier; parts of a compound one with | between them.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    identifier: String,
    #[command(flatten)]
    common: Common,
}

pub(in crate::cli) async fn delete(arguments: Delete) -> Result<(), Failure> {
    let act = Act::Delete {
        terms: arguments.beginning.terms(),
        type_name: arguments.beginning.type_name,
        identifier: arguments.identifier,
    };
    begin::begin(arguments.common, act).await
}
