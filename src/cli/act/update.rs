//! `ccwatch update`

use super::begin::{self, Beginning, Common};
use super::document;
use crate::cli::Failure;
use crate::cli::follow::EXIT_CODES;
use crate::cloud::Act;

/// Change a resource (UpdateResource), and follow the request.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  ccwatch update --type-name AWS::Logs::LogGroup --identifier /checkout \\
      --patch-document '[{{\"op\": \"replace\", \"path\": \"/RetentionInDays\", \"value\": 30}}]'
  ccwatch update --type-name AWS::Logs::LogGroup --identifier /checkout --patch-document @patch.json

{EXIT_CODES}"))]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    beginning: Beginning,
    /// The resource's primary identifier; parts of a compound one with | between them.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    identifier: String,
    /// The operations of RFC 6902 to apply to its properties: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    patch_document: String,
    #[command(flatten)]
    common: Common,
}

pub(in crate::cli) async fn update(arguments: Update) -> Result<(), Failure> {
    let act = Act::Update {
        patch_document: document::patch_document(&arguments.patch_document)?,
        terms: arguments.beginning.terms(),
        type_name: arguments.beginning.type_name,
        identifier: arguments.identifier,
    };
    begin::begin(arguments.common, act).await
}
