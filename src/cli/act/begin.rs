//! What the commands that act share: to make the call, to have it remembered, and to follow it.

use std::io::{BufWriter, Write};

use anyhow::anyhow;
use serde::Serialize;

use crate::cli::access::{Access, Way};
use crate::cli::follow::{self, End, Ways};
use crate::cli::output::{self, DocumentFormat};
use crate::cli::{Failure, spinner};
use crate::clock::Clock;
use crate::cloud::{self, Act, Client, Refused};
use crate::decide::back_off;
use crate::history::{Editor, Reader};
use crate::model::{ProgressEvent, TargetName, printable};

/// So many times a call is made at the most.
const TRIES: u32 = 4;

/// What goes with any call.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) access: Access,
    /// End when the request has begun, and print its token.
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
    #[command(flatten)]
    terms: follow::Terms,
}

/// What goes with a call that begins a request.
#[derive(Debug, clap::Args)]
pub(super) struct Beginning {
    /// The type of the resource, such as AWS::S3::Bucket.
    #[arg(long, value_name = "TYPE")]
    pub(super) type_name: String,
    /// The role that Cloud Control is to act as; else it acts as the caller.
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// The version of a private type; else its default one.
    #[arg(long, value_name = "ID")]
    type_version_id: Option<String>,
    /// What tells this request from others: the same token again begins nothing, for 36 hours. Made if it is not given, and
    /// printed on standard error.
    #[arg(long, value_name = "TOKEN", value_parser = client_token)]
    client_token: Option<String>,
}

impl Beginning {
    pub(super) fn terms(&self) -> cloud::Terms {
        let made = || format!("ccwatch-{:032x}", fastrand::u128(..));
        cloud::Terms {
            client_token: self.client_token.clone().unwrap_or_else(made),
            role_arn: self.role_arn.clone(),
            type_version_id: self.type_version_id.clone(),
        }
    }
}

/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html>
fn client_token(text: &str) -> Result<String, String> {
    let is_right = |c: char| c.is_ascii_alphanumeric() || "-+/=".contains(c);
    if (1..=128).contains(&text.len()) && text.chars().all(is_right) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 128 letters, digits or characters of -+/=".to_owned())
    }
}

/// What was begun, as `--format json` gives it.
#[derive(Debug, Serialize)]
struct Begun<'a> {
    /// Absent for a cancel, which has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
    #[serde(flatten)]
    end: &'a End,
}

/// Makes the call by the way that the arguments say, and sees to all that follows.
pub(super) async fn begin(common: Common, act: Act) -> Result<(), Failure> {
    let way = common.access.way().await?;
    begin_by(common, way, act).await
}

/// As [`begin`], by a way that is known.
pub(super) async fn begin_by(common: Common, way: Way, act: Act) -> Result<(), Failure> {
    let path = common.access.history_or_new()?;
    let mut editor = Editor::open_or_make(&path)?;
    way.may_record(&mut editor)?;

    let client_token = act.client_token();
    if let Some(token) = client_token {
        writeln!(std::io::stderr(), "client token {token}")?;
    }
    let event = spinner::while_waiting(act.operation(), insist(&way.client, &act)).await;
    let event = event.map_err(|refused| explain(&refused, &act, &way.name))?;

    let token = event.request_token.clone();
    let place = (&way.name, way.account.as_ref(), &way.region);
    let target = editor
        .record_answer(place, event, &way.routing(), Clock::system().now())
        .map_err(|error| {
            Failure::Work(anyhow!(
                "{} has begun the request {token}, which goes on, but it could not be remembered: {error}",
                act.operation()
            ))
        })?;
    drop(editor);

    let end = if common.no_wait {
        follow::state(&Reader::open(&path)?, &target, &token)?
    } else {
        let requests = vec![(target, token.clone())];
        let mut ends = follow::follow(&path, Ways::Known(&way), requests, common.terms.timeout).await?;
        ends.pop()
            .ok_or_else(|| Failure::Work(anyhow!("nothing was followed")))?
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    match common.terms.format {
        DocumentFormat::Table if common.no_wait => writeln!(out, "{}", printable(token.as_str()))?,
        DocumentFormat::Table => follow::tell(&mut out, std::slice::from_ref(&end))?,
        format => {
            let begun = Begun {
                client_token,
                end: &end,
            };
            output::write_document(&mut out, &begun, format)?;
        }
    }
    out.flush()?;
    if common.no_wait { Ok(()) } else { follow::exit(&[end]) }
}

/// Makes the call, and again for as long as that can help and begins nothing twice.
async fn insist(client: &Client, act: &Act) -> Result<ProgressEvent, Refused> {
    let mut tries = 1;
    loop {
        match client.act(act).await {
            Err(refused) if refused.may_pass && tries < TRIES => {
                tokio::time::sleep(back_off::pause(tries, fastrand::f64())).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

fn explain(refused: &Refused, act: &Act, target: &TargetName) -> Failure {
    let operation = act.operation();
    let open = match act.client_token() {
        _ if !refused.is_open => String::new(),
        Some(token) => format!(
            "\nWhether the request has begun is not known: the same command with --client-token {token} begins it, or finds it \
             if it has"
        ),
        None => "\nWhether it was cancelled is not known: to ask again does no harm".to_owned(),
    };
    let text = format!("{operation} in {target}: {refused}\n{}{open}", refused.remedy);
    Failure::Work(anyhow!(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_token_is_what_the_service_takes() {
        for right in ["a", "ccwatch-0f/+=", &"x".repeat(128)] {
            assert!(client_token(right).is_ok(), "{right}");
        }
        for wrong in ["", "a b", "a_b", "\u{e9}", &"x".repeat(129)] {
            assert!(client_token(wrong).is_err(), "{wrong}");
        }
    }
}
