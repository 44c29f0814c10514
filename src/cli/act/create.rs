//! `ccwatch create`

use super::begin::{self, Beginning, Common};
use super::document;
use crate::cli::Failure;
use crate::cli::follow::EXIT_CODES;
use crate::cloud::Act;

/// Create a resource (CreateResource), and follow the request.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  ccwatch create --type-name AWS::SNS::Topic --desired-state '{{\"TopicName\": \"news\"}}'
  ccwatch create --type-name AWS::S3::Bucket --desired-state @bucket.json --target prod/eu-west-1
  ./render | ccwatch create --type-name AWS::S3::Bucket --desired-state - --no-wait

{EXIT_CODES}"))]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    beginning: Beginning,
    /// The resource's properties: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    desired_state: String,
    #[command(flatten)]
    common: Common,
}

pub(in crate::cli) async fn create(arguments: Create) -> Result<(), Failure> {
    let act = Act::Create {
        desired_state: document::desired_state(&arguments.desired_state)?,
        terms: arguments.beginning.terms(),
        type_name: arguments.beginning.type_name,
    };
    begin::begin(arguments.common, act).await
}
