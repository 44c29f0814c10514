//! Slack, by an incoming webhook.
//!
//! - **A message of its own for each news**: Slack answers `ok` and no reference, so nothing can be edited or answered.
//!   The [bot](super::bot) can.
//! - **One message a second**, as Slack allows.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/apis/web-api/rate-limits>

use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::blocks;
use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Report, Sending};
use crate::render::Message;

/// A receiver of type `slack`.
#[derive(Debug)]
pub struct Slack {
    endpoint: Endpoint,
}

impl Slack {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let body = Value::Object(blocks::content(&attempt.message.words));
        match self.endpoint.send_json(Method::POST, None, &body, attempt).await {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for Slack {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_secs(1))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        Preview {
            content: format!("{:#}", Value::Object(blocks::content(&message.words))),
            measures: blocks::measures(&message.words),
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

/// What Slack's answer means: 200 with `ok`, or an error's name as plain text.
fn outcome(answer: &Answer) -> Outcome {
    let is_word = !answer.body.is_empty() && answer.body.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match answer.status.as_u16() {
        200 if answer.body == "ok" => Outcome::Accepted,
        // The body did not come in time, and what came of it could still become `ok`. Slack gives its errors a status of
        // their own, while a portal's page would have begun; to send again would show the message twice, since Slack
        // knows no id by which to tell.
        200 if !answer.is_whole && "ok".starts_with(&answer.body) => Outcome::Accepted,
        200..=299 => {
            answer.failed("Slack would have said `ok`: check that `url` is an incoming webhook's, and the proxy")
        }
        400 | 403 | 404 | 410 if is_word => answer.rejected(remedy(&answer.body)),
        // Slack refuses with a word. Anything else comes from someone between, and may be gone in a minute.
        _ => match answer.outcome() {
            Outcome::Rejected { .. } => {
                answer.failed("Slack would have said why in a word: check `url`, and the proxy; it will be tried again")
            }
            outcome => outcome,
        },
    }
}

/// What to do about the errors that Slack documents for incoming webhooks.
fn remedy(error: &str) -> &'static str {
    match error {
        "no_service" | "no_service_id" | "no_active_hooks" | "invalid_token" | "no_team" => {
            "the webhook was removed or disabled: make a new one in the Slack app's settings and set `url`"
        }
        "channel_is_archived" | "is_archived" => {
            "its channel is archived: unarchive it, or make a webhook for another one"
        }
        "channel_not_found" => "its channel was deleted: make a webhook for another one and set `url`",
        "action_prohibited" | "posting_to_general_channel_denied" => {
            "an administrator of the workspace restricts posting there: ask them, or choose another channel"
        }
        "team_disabled" => "the workspace is disabled",
        "user_not_found" => "the user that it posts to does not exist: make a new webhook and set `url`",
        "invalid_payload" | "invalid_blocks" | "invalid_blocks_format" | "no_text" | "msg_blocks_too_long" => {
            "Slack does not understand the message: please report this as a bug of ccwatch"
        }
        _ => "see Slack's page on incoming webhooks for what that means",
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
