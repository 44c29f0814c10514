//! Mattermost, by an incoming webhook.
//!
//! - **A message of its own for each news**: Mattermost answers `ok` and no reference, so nothing can be edited or answered.
//!   The [bot](super::bot) can.
//! - **Ten messages a second at the most**: what a server allows where an administrator has switched its rate limit on and left
//!   it at its default.
//!
//! <https://developers.mattermost.com/integrate/webhooks/incoming/>,
//! <https://docs.mattermost.com/administration-guide/configure/rate-limiting-configuration-settings.html>

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::post;
use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Report, Sending};
use crate::render::{Message, Words};

/// A receiver of type `mattermost` with the address of a webhook.
#[derive(Debug)]
pub struct Mattermost {
    endpoint: Endpoint,
}

impl Mattermost {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let body = body(&attempt.message.words);
        match self.endpoint.send_json(Method::POST, None, &body, attempt).await {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for Mattermost {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_millis(100))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        Preview {
            content: format!("{:#}", body(&message.words)),
            measures: post::measures(&message.words),
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

fn body(words: &Words) -> Value {
    json!({"text": post::text(words), "attachments": post::attachments(words)})
}

/// What Mattermost's answer means: 200 with `ok`, or an error as JSON.
fn outcome(answer: &Answer) -> Outcome {
    let said = answer.json().unwrap_or_default();
    match said["id"].as_str() {
        _ if answer.status.is_success() => {
            // What came of a body that did not come in time may still have become `ok`.
            if answer.body == "ok" || !answer.is_whole && "ok".starts_with(&answer.body) {
                Outcome::Accepted
            } else {
                answer
                    .failed("Mattermost would have said `ok`: check that `url` is an incoming webhook's, and the proxy")
            }
        }
        Some("web.incoming_webhook.invalid.app_error") => {
            answer.rejected("the webhook was removed: make a new one in Mattermost's integrations and set `url`")
        }
        Some("web.incoming_webhook.parse.app_error" | "web.incoming_webhook.text.app_error") => {
            answer.rejected("Mattermost does not understand the message: please report this as a bug of ccwatch")
        }
        Some("web.incoming_webhook.disabled.app_error") => {
            answer.failed("incoming webhooks are switched off: ask the server's administrator")
        }
        Some(
            "web.incoming_webhook.channel.app_error"
            | "web.incoming_webhook.channel_locked.app_error"
            | "web.incoming_webhook.permissions.app_error"
            | "web.incoming_webhook.user.app_error",
        ) => answer.failed("the webhook's channel or user is gone, or may not post there: check it in Mattermost"),
        _ => match answer.outcome() {
            // It may be a proxy that says so.
            Outcome::Rejected { .. } => answer.failed("check `url`, and the proxy; it will be tried again"),
            outcome => outcome,
        },
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
