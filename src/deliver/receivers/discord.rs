//! Discord, by a webhook: an embed, coloured by its tone, and one living message for a request.
//!
//! - **Inside every limit**: title 256 characters, description 4096, 25 fields of 256 and 1024, footer 2048, and 6000 in
//!   all. What is longer is cut after escaping, so that the sum stays below.
//! - **Nothing pings, formats or links**: `allowed_mentions` allows none, and every character that Discord's markdown
//!   knows is escaped, the colon of an address among them.
//! - **The root is edited.** In a forum channel (`forum = true`) each request has a thread of its own, in which each change
//!   is posted. Elsewhere a webhook can open no thread: there, a change that is bad or doubtful is a message of its own
//!   too, since an edit notifies no one; all else is seen in the root alone.
//! - **A root or thread that was deleted or locked is posted anew.** A message that Discord lets be edited no more (it is in
//!   an archived thread, or was edited too often) stays as it is.
//! - **`?wait=true`**: without it Discord answers before it has taken the message, and says no id.
//! - **A send each two seconds.** Discord names no number and asks that its answers be obeyed: `retry_after`, to the fraction of
//!   a second. Its headers allow a webhook five posts in two seconds, and a send makes at most two posts and an edit.
//!
//! <https://docs.discord.com/developers/resources/webhook>,
//! <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>,
//! <https://docs.discord.com/developers/topics/rate-limits>,
//! <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint, seconds};
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Sending};
use crate::deliver::receivers::colour::colour;
use crate::deliver::receivers::detail::detail;
use crate::deliver::receivers::living::{self, Living, Posted, Trouble};
use crate::render::text::{cut, cut_escaped, length};
use crate::render::{Message, Tone, Words};

const TITLE: usize = 256;
/// Half of what Discord allows: with it, all else at its longest, an embed stays below 6000 characters.
const DESCRIPTION: usize = 2048;
/// A template's own text, next to which only title and footer stand.
const BODY: usize = 4096;
/// A fourth of what Discord allows, for the same reason.
const FACT: usize = 256;
const MEANING: usize = 400;
/// Discord's limit for a thread's name.
const THREAD: usize = 100;
/// Discord's limit for an address. A longer link is left out.
const LINK: usize = 2048;

/// A receiver of type `discord`.
#[derive(Debug)]
pub struct Discord {
    /// The webhook.
    endpoint: Endpoint,
    is_forum: bool,
}

/// A message that was posted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Root {
    message: String,
    /// The thread that it opened in a forum.
    thread: Option<String>,
}

impl Discord {
    /// `is_forum`: the webhook's channel is a forum, in which each message opens a thread.
    pub fn new(endpoint: Endpoint, is_forum: bool) -> Self {
        Self { endpoint, is_forum }
    }

    /// A message that opens a thread where it has to.
    fn opening(&self, words: &Words) -> Value {
        let mut body = content(words);
        if self.is_forum {
            body["thread_name"] = cut(&words.title, THREAD).into();
        }
        body
    }
}

impl Receiver for Discord {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_secs(2))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        living::preview(message, |words| format!("{:#}", self.opening(words)), measures)
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(living::send(self, attempt))
    }
}

impl Living for Discord {
    type Root = Root;

    async fn post(&self, words: &Words, root: Option<&Root>, attempt: Attempt<'_>) -> Result<Posted<Root>, Trouble> {
        let thread = root.and_then(|root| root.thread.as_deref());
        let (body, mut query) = match thread {
            Some(thread) => (content(words), vec![("thread_id", thread)]),
            None => (self.opening(words), vec![]),
        };
        query.push(("wait", "true"));
        let endpoint = self.endpoint.at(&[], &query);
        let answer = endpoint.send_json(Method::POST, None, &body, attempt).await?;
        let answer = judge(answer, thread.is_some())?;
        let said = answer.json().unwrap_or_default();
        let id = |name: &str| said[name].as_str().map(str::to_owned);
        let root = match (id("id"), id("channel_id")) {
            (Some(message), thread @ Some(_)) if self.is_forum => Some(Root { message, thread }),
            (Some(message), _) if !self.is_forum => Some(Root { message, thread: None }),
            _ => None,
        };
        Ok(Posted { root, answer })
    }

    async fn edit(&self, root: &Root, words: &Words, attempt: Attempt<'_>) -> Result<Answer, Trouble> {
        // From before `forum` was changed.
        if root.thread.is_some() != self.is_forum {
            return Err(Trouble::Gone);
        }
        let query: Vec<(&str, &str)> = root
            .thread
            .iter()
            .map(|thread| ("thread_id", thread.as_str()))
            .collect();
        let endpoint = self.endpoint.at(&["messages", &root.message], &query);
        let answer = endpoint
            .send_json(Method::PATCH, None, &content(words), attempt)
            .await?;
        judge(answer, true)
    }

    fn is_told_apart(&self, words: &Words) -> bool {
        self.is_forum || words.tone >= Tone::Warning
    }
}

/// A message, wherever it goes.
fn content(words: &Words) -> Value {
    let mut embed = json!({
        "title": escape(&format!("{} {}", words.tone.mark(), words.title), TITLE),
        "color": colour(words.tone),
    });
    let detail = detail(words);
    if !detail.trim().is_empty() {
        let longest = if words.body.is_some() { BODY } else { DESCRIPTION };
        embed["description"] = escape(&detail, longest).into();
    }
    if words.body.is_none() {
        let facts = words.facts.iter().filter(|fact| !fact.value.trim().is_empty()).take(10);
        embed["fields"] = facts
            .map(|fact| json!({"name": fact.label, "value": escape(&fact.value, FACT), "inline": true}))
            .collect();
        if let Some(meaning) = &words.meaning {
            // No markdown is read there.
            embed["footer"] = json!({"text": cut(meaning, MEANING)});
        }
    }
    if let Some(link) = words.link.as_ref().filter(|link| length(&link.url) <= LINK) {
        embed["url"] = link.url.as_str().into();
    }
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

fn measures(words: &Words) -> Vec<Measure> {
    let measure = |part, text: &str, limit| Measure {
        part,
        size: length(&escape(text, usize::MAX)),
        limit,
        unit: "characters",
    };
    let title = format!("{} {}", words.tone.mark(), words.title);
    let (part, longest) = match words.body {
        Some(_) => ("body", BODY),
        None => ("description", DESCRIPTION),
    };
    vec![measure("title", &title, TITLE), measure(part, &detail(words), longest)]
}

fn escape(text: &str, longest: usize) -> String {
    cut_escaped(text, longest, |c| {
        Some(match c {
            '\\' => "\\\\",
            '*' => "\\*",
            '_' => "\\_",
            '~' => "\\~",
            '`' => "\\`",
            '|' => "\\|",
            '<' => "\\<",
            '>' => "\\>",
            '[' => "\\[",
            ']' => "\\]",
            '(' => "\\(",
            ')' => "\\)",
            '#' => "\\#",
            '-' => "\\-",
            '@' => "\\@",
            // Of an address, and of an emoji's name.
            ':' => "\\:",
            _ => return None,
        })
    })
}

/// What Discord's answer means; it was asked of a message or thread that was there before if `of_root`.
fn judge(answer: Answer, of_root: bool) -> Result<Answer, Trouble> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let said = answer.json().unwrap_or_default();
    let answer = answer.with_retry_after(said["retry_after"].as_f64().and_then(seconds));
    let outcome = match said["code"].as_u64() {
        // Unknown Message, Unknown Channel, a locked thread.
        Some(10008 | 10003 | 160_005) if of_root => return Err(Trouble::Gone),
        // Edited too often within an hour; archived, which only a post undoes.
        Some(30046 | 50083) if of_root => return Err(Trouble::Frozen),
        _ if answer.status == 429 => answer.failed("it is called too often; ccwatch waits"),
        // Unknown Webhook, Invalid Webhook Token.
        Some(10015 | 50027) => {
            answer.rejected("the webhook was removed: make a new one in the channel's settings and set `url`")
        }
        // Invalid Form Body, an empty message, a body too large.
        Some(50035 | 50006 | 40005) => {
            answer.rejected("Discord does not understand the message: please report this as a bug of ccwatch")
        }
        Some(220_001) => answer.failed("the channel is a forum: set `forum = true`"),
        Some(220_003) => answer.failed("the channel is no forum: remove `forum = true`"),
        Some(40067) => {
            answer.failed("the forum asks for a tag with each post, which a webhook's owner must switch off")
        }
        Some(50001 | 50013) => answer.failed("Discord refuses access: check `url`; it will be tried again"),
        // Discord refuses with a code that is known. Anything else may be mended, or comes from someone between.
        _ => match answer.outcome() {
            Outcome::Rejected { .. } => answer.failed("check `url`, and the proxy; it will be tried again"),
            outcome => outcome,
        },
    };
    Err(Trouble::Failed(answer.report(outcome)))
}

#[cfg(test)]
#[path = "discord_tests.rs"]
mod tests;
