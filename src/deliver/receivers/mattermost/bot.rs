//! Mattermost, by a bot: one living message for a request, which a webhook cannot keep, since it is told no reference.
//!
//! - **What speaks of the message is permanent**; what speaks of the channel or the token is not: once someone has added the
//!   bot, say, the same message is welcome.
//! - **A root that was deleted is posted anew.** Asked to edit one, Mattermost says 403, as if the bot might not edit: what it
//!   may do, posting it anew will tell. A root whose time to be edited is over stays as it is, and its thread goes on.
//! - **A send each 300 milliseconds**: a server whose rate limit is switched on and left at its default allows ten calls a
//!   second, and a send makes at most three.
//!
//! <https://developers.mattermost.com/api-documentation/#/operations/CreatePost>,
//! <https://developers.mattermost.com/api-documentation/#/operations/PatchPost>,
//! <https://docs.mattermost.com/administration-guide/configure/rate-limiting-configuration-settings.html>

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::post;
use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Bearer, Endpoint};
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Sending};
use crate::deliver::receivers::living::{self, Living, Posted, Trouble};
use crate::render::{Message, Words};

/// A receiver of type `mattermost` with a token.
#[derive(Debug)]
pub struct MattermostBot {
    /// The server.
    endpoint: Endpoint,
    bearer: Bearer,
    channel_id: String,
}

/// A message that was posted.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::deliver::receivers) struct Root {
    channel_id: String,
    id: String,
}

impl MattermostBot {
    pub fn new(endpoint: Endpoint, bearer: Bearer, channel_id: &str) -> Self {
        Self {
            endpoint,
            bearer,
            channel_id: channel_id.to_owned(),
        }
    }

    fn body(&self, words: &Words, root: Option<&Root>) -> Value {
        let mut body = content(words);
        body["channel_id"] = self.channel_id.as_str().into();
        if let Some(root) = root {
            body["root_id"] = root.id.as_str().into();
        }
        body
    }

    async fn call(&self, method: Method, path: &[&str], body: &Value, attempt: Attempt<'_>) -> Result<Answer, Trouble> {
        let path = [&["api", "v4", "posts"], path].concat();
        let endpoint = self.endpoint.at(&path, &[]);
        let answer = endpoint.send_json(method, Some(&self.bearer), body, attempt).await?;
        judge(&answer, !path[3..].is_empty())?;
        Ok(answer)
    }
}

impl Receiver for MattermostBot {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_millis(300))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        living::preview(message, |words| format!("{:#}", self.body(words, None)), post::measures)
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(living::send(self, attempt))
    }
}

impl Living for MattermostBot {
    type Root = Root;

    async fn post(&self, words: &Words, root: Option<&Root>, attempt: Attempt<'_>) -> Result<Posted<Root>, Trouble> {
        let answer = self.call(Method::POST, &[], &self.body(words, root), attempt).await?;
        let said = answer.json().unwrap_or_default();
        let root = said["id"].as_str().map(|id| Root {
            channel_id: self.channel_id.clone(),
            id: id.to_owned(),
        });
        Ok(Posted { root, answer })
    }

    async fn edit(&self, root: &Root, words: &Words, attempt: Attempt<'_>) -> Result<Answer, Trouble> {
        // From before `channel_id` was changed.
        if root.channel_id != self.channel_id {
            return Err(Trouble::Gone);
        }
        self.call(Method::PUT, &[&root.id, "patch"], &content(words), attempt)
            .await
    }
}

fn content(words: &Words) -> Value {
    json!({"message": post::text(words), "props": {"attachments": post::attachments(words)}})
}

/// What Mattermost's answer means: to an edit, or to a post.
fn judge(answer: &Answer, is_edit: bool) -> Result<(), Trouble> {
    let said = answer.json();
    let id = said.as_ref().and_then(|said| said["id"].as_str());
    let outcome = match (answer.status.as_u16(), id) {
        (200..=299, Some(_)) => return Ok(()),
        // It did not come whole.
        (200..=299, None) if !answer.is_whole && answer.raw.starts_with(b"{") => return Ok(()),
        (200..=299, None) => {
            answer.failed("Mattermost would have said the post's id: check that `url` is the server's, and the proxy")
        }
        (429, _) => answer.failed("it is called too often; ccwatch waits"),
        (_, Some("api.post.create_post.root_id.app_error" | "api.post.create_post.channel_root_id.app_error")) => {
            return Err(Trouble::Gone);
        }
        (_, Some("api.post.update_post.permissions_time_limit.app_error")) => return Err(Trouble::Frozen),
        (403 | 404, Some(_)) if is_edit => return Err(Trouble::Gone),
        (401, Some(_)) => {
            answer.failed("Mattermost does not accept the token: make a new one for the bot and set `token`")
        }
        (403 | 404, Some(_)) => {
            answer.failed("add the bot to the channel with the right to post there, and check `channel_id`")
        }
        (_, Some(id))
            if id.starts_with("model.post.is_valid.") || id.starts_with("api.context.invalid_body_param.") =>
        {
            answer.rejected("Mattermost does not understand the message: please report this as a bug of ccwatch")
        }
        (400..=499, Some(_)) => answer.failed("check the channel and the bot in Mattermost; it will be tried again"),
        _ => match answer.outcome() {
            // Mattermost says why. Anything else comes from someone between, and may be gone in a minute.
            Outcome::Rejected { .. } => answer.failed("check `url`, and the proxy; it will be tried again"),
            outcome => outcome,
        },
    };
    Err(Trouble::Failed(answer.report(outcome)))
}

#[cfg(test)]
#[path = "bot_tests.rs"]
mod tests;
