//! Telegram: a living message for each request in a chat, with its changes as replies to it.
//!
//! - **The root shows the request's present state** and is edited before each change is told; changes answer it. A first
//!   change that the root tells by itself is not told twice. What is kept is the root's chat, topic and number: in another
//!   chat the number would be another message. A root that was deleted is posted anew.
//! - **The edit comes first**, since it may be repeated (`message is not modified` is success); Telegram knows no
//!   idempotency keys, and what is posted after it can show twice only if its answer was lost.
//! - **Nothing in a message can ping or link.** It is sent as text with entities: nothing is parsed, so nothing can be
//!   broken, and lengths are exact. Text from outside stands in `code` and `pre`, which can hold no other entity: neither
//!   @names nor addresses, hashtags and commands, which Telegram finds by itself elsewhere. Rejected: HTML, where the limit
//!   counts what is left after parsing.
//! - **Inside 4096 UTF-16 units.**
//! - **Two messages for each change, within Telegram's rate**: one a second, and in a group twenty a minute. The second
//!   waits for a second.
//! - **The bot's token stands in the path** of every call, and is masked as all of an address is.
//!
//! <https://core.telegram.org/bots/api#sendmessage>, `…#editmessagetext`, `…#messageentity`, `…#formatting-options`,
//! `…#making-requests`, `…#responseparameters`; <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>;
//! the errors' words, which are not documented: <https://github.com/TelegramBotAPI/errors>

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::deliver::receivers::living::in_time;
use crate::render::letter::below_title;
use crate::render::text::length;
use crate::render::{Message, Words, fit};

/// Telegram's limit for a message, in UTF-16 units.
const MESSAGE: usize = 4096;
/// What of it is left to labels, line breaks and the link's label.
const LAYOUT: usize = 400;
/// The least time between two messages to a chat.
const BETWEEN_MESSAGES: Duration = Duration::from_secs(1);
/// … and on average to a group.
const BETWEEN_MESSAGES_TO_A_GROUP: Duration = Duration::from_secs(3);
/// A change takes an edit and a reply.
const MESSAGES: u32 = 2;

/// A receiver of type `telegram`.
#[derive(Debug)]
pub struct Telegram {
    /// The bot's, token and all.
    bot: Endpoint,
    chat_id: String,
    message_thread_id: Option<i64>,
    /// How long to wait between the messages for one change.
    between_messages: Duration,
}

/// What is kept of a root.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Root {
    chat: String,
    topic: Option<i64>,
    message: i64,
}

impl Telegram {
    /// `api` is the Bot API's address, which must mask the token.
    pub fn new(api: &Endpoint, token: &SecretString, chat_id: String, message_thread_id: Option<i64>) -> Self {
        Self {
            bot: api.at(&[&format!("bot{}", token.expose_secret())], &[]),
            chat_id,
            message_thread_id,
            between_messages: BETWEEN_MESSAGES,
        }
    }

    async fn tell(&self, attempt: Attempt<'_>) -> Report {
        let words = &attempt.message.words;
        let Some(present) = &attempt.message.present else {
            let sent = self.post(words, None, attempt).await;
            return sent.map_or_else(|report| report, |(_, answer)| answer.report(Outcome::Accepted));
        };
        let known = match attempt.thread.and_then(|thread| self.root(thread)) {
            Some(root) => self
                .edit(root, present, attempt)
                .await
                .map(|is_there| is_there.then_some(root)),
            None => Ok(None),
        };
        let posted = match known {
            Ok(Some(root)) => Ok((root, None)),
            Ok(None) => self
                .post(present, None, attempt)
                .await
                .map(|(root, answer)| (root, Some(answer))),
            Err(report) => Err(report),
        };
        let (root, posted) = match posted {
            Ok(posted) => posted,
            Err(report) => return report,
        };
        let report = match posted {
            Some(answer) if attempt.message.is_told_by_present() => answer.report(Outcome::Accepted),
            _ => {
                let told = async {
                    sleep(self.between_messages).await;
                    let sent = self.post(words, Some(root), attempt).await;
                    sent.map_or_else(|report| report, |(_, answer)| answer.report(Outcome::Accepted))
                };
                in_time(attempt, told).await
            }
        };
        Report {
            thread: Some(self.thread(root)),
            ..report
        }
    }

    /// Posts a message, and answers with its number.
    async fn post(&self, words: &Words, root: Option<i64>, attempt: Attempt<'_>) -> Result<(i64, Answer), Report> {
        let mut message = self.message(words);
        if let Some(topic) = self.message_thread_id {
            message["message_thread_id"] = json!(topic);
        }
        if let Some(root) = root {
            message["reply_parameters"] = json!({"message_id": root, "allow_sending_without_reply": true});
        }
        let answer = self.call("sendMessage", &message, attempt).await?;
        let json = answer.json().unwrap_or_default();
        match json["result"]["message_id"].as_i64() {
            Some(message) if json["ok"] == true => Ok((message, answer)),
            _ => Err(answer.report(outcome(&answer, &json))),
        }
    }

    /// Has the root show the present state. Answers whether it is there.
    async fn edit(&self, root: i64, present: &Words, attempt: Attempt<'_>) -> Result<bool, Report> {
        let mut message = self.message(present);
        message["message_id"] = json!(root);
        let answer = self.call("editMessageText", &message, attempt).await?;
        let json = answer.json().unwrap_or_default();
        if json["ok"] == true {
            return Ok(true);
        }
        let description = json["description"].as_str().unwrap_or_default();
        let says = |words: &str| answer.status == 400 && description.contains(words);
        match () {
            () if says("message is not modified") => Ok(true),
            // Deleted, no message at all, or one that it may not edit (any more).
            () if says("message to edit not found")
                || says("MESSAGE_ID_INVALID")
                || says("message can't be edited") =>
            {
                sleep(self.between_messages).await;
                Ok(false)
            }
            () => Err(answer.report(outcome(&answer, &json))),
        }
    }

    async fn call(&self, method: &str, message: &Value, attempt: Attempt<'_>) -> Result<Answer, Report> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let endpoint = self.bot.at(&[method], &[]);
        let answer = endpoint
            .post(headers, message.to_string().into_bytes(), attempt)
            .await?;
        let json = answer.json().unwrap_or_default();
        let wish = json["parameters"]["retry_after"].as_u64().map(Duration::from_secs);
        Ok(answer.with_retry_after(wish))
    }

    fn message(&self, words: &Words) -> Value {
        let (text, entities) = layout(&fit(words, MESSAGE - LAYOUT, char::len_utf16));
        json!({
            "chat_id": self.chat_id,
            "text": text,
            "entities": entities,
            "link_preview_options": {"is_disabled": true},
        })
    }

    /// The root's number, if it is in this chat and topic.
    fn root(&self, thread: &str) -> Option<i64> {
        let root: Root = serde_json::from_str(thread).ok()?;
        (root.chat == self.chat_id && root.topic == self.message_thread_id).then_some(root.message)
    }

    fn thread(&self, message: i64) -> String {
        let (chat, topic) = (&self.chat_id, self.message_thread_id);
        json!({"chat": chat, "topic": topic, "message": message}).to_string()
    }
}

impl Receiver for Telegram {
    fn pace(&self) -> Pace {
        // The numbers of groups are negative, and only groups and channels have public names.
        let is_private = self.chat_id.starts_with(|c: char| c.is_ascii_digit());
        let spacing = if is_private {
            BETWEEN_MESSAGES
        } else {
            BETWEEN_MESSAGES_TO_A_GROUP
        };
        Pace::one_by_one(spacing * MESSAGES)
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let words = &message.words;
        let (whole, _) = layout(&fit(words, usize::MAX, char::len_utf16));
        let messages: Vec<Value> = message
            .present
            .iter()
            .chain([words])
            .map(|words| self.message(words))
            .collect();
        Preview {
            content: format!("{:#}", json!(messages)),
            measures: vec![Measure {
                part: "message",
                size: length(&whole),
                limit: MESSAGE,
                unit: "characters",
            }],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.tell(attempt))
    }
}

/// The text, and the entities that say how it looks: the title as `code`, all else as `pre`, the link on its label.
fn layout(words: &Words) -> (String, Vec<Value>) {
    let mut text = String::new();
    let mut entities = Vec::new();
    let mut add = |before: &str, part: &str, mut entity: Value| {
        if part.trim().is_empty() {
            return;
        }
        text.push_str(before);
        entity["offset"] = json!(length(&text));
        entity["length"] = json!(length(part));
        entities.push(entity);
        text.push_str(part);
    };
    let before_title = format!("{} ", words.tone.mark());
    add(&before_title, words.title.trim(), json!({"type": "code"}));
    add("\n", below_title(words).trim(), json!({"type": "pre"}));
    if let Some(link) = &words.link {
        add("\n", link.label, json!({"type": "text_link", "url": link.url}));
    }
    (text, entities)
}

/// What the Bot API's refusal means. It has a status and words for people, and no other classes: see the module's header.
fn outcome(answer: &Answer, json: &Value) -> Outcome {
    let Some(description) = json["description"].as_str().filter(|_| json["ok"] == false) else {
        // The Bot API always says what is wrong. Anything else comes from someone between, and may be gone in a minute.
        return match answer.outcome() {
            Outcome::Accepted | Outcome::Rejected { .. } => {
                answer.failed("the Bot API would have answered in JSON: check `url`, and the proxy")
            }
            failed @ Outcome::Failed { .. } => failed,
        };
    };
    let is_about_the_text = [
        "message is too long",
        "message text is empty",
        "can't parse",
        "entit",
        "ENTIT",
        "must be encoded in UTF-8",
    ];
    match answer.status.as_u16() {
        429 => answer.failed("it is called too often; ccwatch waits"),
        401 | 404 => answer.failed("the bot's token is not valid (any more): ask @BotFather for it and set `token`"),
        403 => answer.failed("the bot may not write there: let it into the chat again, or unblock it"),
        400 if json["parameters"]["migrate_to_chat_id"].is_i64() => {
            let chat = &json["parameters"]["migrate_to_chat_id"];
            answer.failed(&format!("the group has become a supergroup: set `chat_id` to {chat}"))
        }
        400 | 413 if answer.status == 413 || is_about_the_text.iter().any(|words| description.contains(words)) => {
            answer.rejected("Telegram does not take this message: please report this as a bug of ccwatch")
        }
        400 => answer.failed("check `chat_id` and `message_thread_id`, and what the bot may do there"),
        _ => answer.failed("the fault is on its side; it will be tried again"),
    }
}

#[cfg(test)]
#[path = "telegram_tests.rs"]
mod tests;
