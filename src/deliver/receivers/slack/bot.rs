//! Slack, by a bot: one living message for a request, which a webhook cannot keep, since it is told no reference.
//!
//! - **`ok: false` comes with HTTP 200**: what happened is the answer's `error`, not its status. What speaks of the message
//!   is permanent. What speaks of the channel, the token or the workspace is not: once someone has invited the bot, say,
//!   the same message is welcome.
//! - **The root is edited by the channel id that posting it answered**, which is what chat.update asks for. A root that was
//!   deleted, or that another bot posted, is posted anew; one that the workspace's settings allow no more to be edited
//!   stays as it is, and its thread goes on.
//! - **A send each two seconds.** Slack allows a post a second for each channel (short bursts above it are fine), and 50
//!   edits a minute. A send makes one edit and one post, or, when it begins a thread, up to two posts: so neither limit is
//!   passed on the average. Rejected: a pause within a send, in which its time limit would run.
//!
//! <https://docs.slack.dev/reference/methods/chat.postMessage>,
//! <https://docs.slack.dev/reference/methods/chat.update>,
//! <https://docs.slack.dev/apis/web-api/rate-limits>

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::blocks;
use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Bearer, Endpoint};
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Sending};
use crate::deliver::receivers::living::{self, Living, Posted, Trouble};
use crate::render::{Message, Words};

/// A receiver of type `slack-bot`.
#[derive(Debug)]
pub struct SlackBot {
    /// Of the Web API; a method's name follows.
    endpoint: Endpoint,
    bearer: Bearer,
    /// The channel's id.
    channel: String,
}

/// A message that was posted.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::deliver::receivers) struct Root {
    /// Where it was to go: after a change of the configuration, requests get new roots in the new channel.
    posted_to: String,
    /// The channel's id as Slack has it.
    channel: String,
    ts: String,
}

impl SlackBot {
    pub fn new(endpoint: Endpoint, bearer: Bearer, channel: &str) -> Self {
        Self {
            endpoint,
            bearer,
            channel: channel.to_owned(),
        }
    }

    /// A message with what else the method asks for.
    fn body(words: &Words, arguments: &[(&str, &str)]) -> Map<String, Value> {
        let mut body = blocks::content(words);
        body.extend(
            arguments
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value))),
        );
        body
    }

    async fn call(&self, method: &str, body: Map<String, Value>, attempt: Attempt<'_>) -> Result<Answer, Trouble> {
        let endpoint = self.endpoint.at(&[method], &[]);
        let answer = endpoint
            .send_json(Method::POST, Some(&self.bearer), &Value::Object(body), attempt)
            .await?;
        judge(&answer)?;
        Ok(answer)
    }
}

impl Receiver for SlackBot {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_secs(2))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let content = |words: &Words| {
            let body = Self::body(words, &[("channel", &self.channel)]);
            format!("{:#}", Value::Object(body))
        };
        living::preview(message, content, blocks::measures)
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(living::send(self, attempt))
    }
}

impl Living for SlackBot {
    type Root = Root;

    async fn post(&self, words: &Words, root: Option<&Root>, attempt: Attempt<'_>) -> Result<Posted<Root>, Trouble> {
        let mut arguments = vec![("channel", root.map_or(self.channel.as_str(), |root| &root.channel))];
        arguments.extend(root.map(|root| ("thread_ts", root.ts.as_str())));
        let mut body = Self::body(words, &arguments);
        body.insert("unfurl_links".to_owned(), false.into());
        body.insert("unfurl_media".to_owned(), false.into());
        let answer = self.call("chat.postMessage", body, attempt).await?;
        let said = answer.json().unwrap_or_default();
        let text = |name: &str| said[name].as_str().map(str::to_owned);
        let root = text("channel").zip(text("ts")).map(|(channel, ts)| Root {
            posted_to: self.channel.clone(),
            channel,
            ts,
        });
        Ok(Posted { root, answer })
    }

    async fn edit(&self, root: &Root, words: &Words, attempt: Attempt<'_>) -> Result<Answer, Trouble> {
        if root.posted_to != self.channel {
            return Err(Trouble::Gone);
        }
        // Without it, chat.update links what looks like a name or a channel.
        let arguments = [("channel", root.channel.as_str()), ("ts", &root.ts), ("parse", "none")];
        self.call("chat.update", Self::body(words, &arguments), attempt).await
    }
}

/// What Slack's answer means.
fn judge(answer: &Answer) -> Result<(), Trouble> {
    let said = answer.json();
    let error = said.as_ref().and_then(|said| said["error"].as_str());
    let outcome = match (&said, error) {
        (Some(said), _) if said["ok"] == true && answer.status.is_success() => return Ok(()),
        // A long message is repeated in an answer that is too long to be read whole. It was posted.
        (None, _) if answer.status.is_success() && !answer.is_whole && answer.raw.starts_with(br#"{"ok":true,"#) => {
            return Ok(());
        }
        (_, Some("message_not_found" | "cant_update_message" | "thread_not_found" | "cannot_reply_to_message")) => {
            return Err(Trouble::Gone);
        }
        (_, Some("edit_window_closed")) => return Err(Trouble::Frozen),
        (_, Some(error)) if is_about_the_message(error) => {
            answer.rejected("Slack does not understand the message: please report this as a bug of ccwatch")
        }
        (_, Some(error)) => answer.failed(remedy(error)),
        (_, None) if answer.status.is_success() => {
            answer.failed("Slack would have said `ok` or why not: check `url`, and the proxy; it will be tried again")
        }
        // Slack says why in a word. Anything else comes from someone between, and may be gone in a minute.
        (_, None) => match answer.outcome() {
            Outcome::Rejected { .. } => {
                answer.failed("Slack would have said why in a word: check `url`, and the proxy; it will be tried again")
            }
            outcome => outcome,
        },
    };
    Err(Trouble::Failed(answer.report(outcome)))
}

/// Whether the same message would be refused again, whatever anyone does.
fn is_about_the_message(error: &str) -> bool {
    matches!(
        error,
        "msg_too_long"
            | "msg_blocks_too_long"
            | "no_text"
            | "invalid_blocks"
            | "invalid_blocks_format"
            | "block_mismatch"
            | "too_many_attachments"
            | "invalid_attachments"
            | "invalid_arguments"
            | "invalid_arg_name"
            | "invalid_array_arg"
            | "invalid_charset"
            | "invalid_form_data"
            | "invalid_post_type"
            | "missing_post_type"
    )
}

/// What to do about the errors that Slack documents.
fn remedy(error: &str) -> &'static str {
    match error {
        "channel_not_found" => {
            "check that `channel` is a channel's id, and invite the bot (/invite @name) if the channel is private"
        }
        "not_in_channel" | "no_permission" => {
            "invite the bot to the channel (/invite @name), or give it the scope chat:write.public"
        }
        "is_archived" | "is_inactive" => "its channel is archived: unarchive it, or set `channel` to another one",
        "invalid_auth" | "account_inactive" | "token_revoked" | "token_expired" | "not_authed" => {
            "Slack does not accept the token: install the app again and set `token` to its bot token (xoxb-…)"
        }
        "not_allowed_token_type" => "`token` must be a bot token (xoxb-…)",
        "missing_scope" => "give the app the scope chat:write and install it again",
        "access_denied"
        | "accesslimited"
        | "ekm_access_denied"
        | "enterprise_is_restricted"
        | "team_access_not_granted"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_non_threadable_channel"
        | "two_factor_setup_required"
        | "org_login_required" => {
            "an administrator of the workspace restricts posting there: ask them, or choose another channel"
        }
        "ratelimited" | "rate_limited" => "it is called too often; ccwatch waits",
        "team_added_to_org" | "external_channel_migrating" => "Slack is migrating it; it will be tried again",
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "update_failed" => {
            "the fault is on Slack's side; it will be tried again"
        }
        _ => "see Slack's page on chat.postMessage for what that means; it will be tried again",
    }
}

#[cfg(test)]
#[path = "bot_tests.rs"]
mod tests;
