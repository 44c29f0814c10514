//! Matrix: a living message for each request in a room, with its changes as a thread below.
//!
//! - **The root shows the request's present state** and is edited (`m.replace`) before each change is told; changes follow
//!   in its thread (`m.thread`). A first change that the root tells by itself is not told twice. What is kept is the
//!   root's event id.
//! - **A repeated attempt shows nothing twice.** The homeserver answers a transaction id that it knows with the event that
//!   it made of it. Root and reply have ids of the delivery alone, so that they stay over retries; an edit's has its
//!   content as well: between two attempts the request may have gone on, and the same id would have the homeserver ignore
//!   the newer state. For the same reason a root of an earlier attempt, whose answer was lost, is edited at once.
//!   Homeservers forget transaction ids in time (Synapse after a day), and know those of one access token only.
//! - **A root that was removed is posted anew.** Before an edit, the root is asked for: a homeserver takes an edit of a
//!   redacted event, and nobody would see it. One read for each change; reads do not count against the limit on messages.
//! - **Nothing in a message can ping**: `m.mentions` is there and empty, which turns off every search for names in the text
//!   (and `m.notice` is what bots send, to which no bot answers). All text is escaped.
//! - **Inside an event's 64 KiB**, which a homeserver fills with signatures and hashes of its own too. An edit carries its
//!   content once: what clients show that know no edits is the title alone.
//! - **One change each ten seconds**: a change takes two events, and Synapse lets through one each five seconds by default
//!   (`rc_message`). Of its burst of ten, three changes take six.
//!
//! Events are not encrypted: in an encrypted room, clients mark them so.
//!
//! <https://spec.matrix.org/v1.15/client-server-api/#event-replacements>, `…/#threading`, `…/#mroommessage-msgtypes`,
//! `…/#transaction-identifiers`, `…/#size-limits`, `…/#user-and-room-mentions`;
//! <https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_message>

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::render::letter::{headline, html, html_bytes, plain};
use crate::render::text::cut;
use crate::render::{Message, Words, fit};

/// The limit on an event, in bytes.
const EVENT: usize = 65_536;
/// How many bytes an event's words may take, written as HTML. They stand there as text too, and JSON writes some of them
/// in two bytes: four times as many still fit.
const WORDS: usize = 12_000;
/// The title where it stands alone, in UTF-16 units.
const TITLE: usize = 300;

/// A receiver of type `matrix`.
#[derive(Debug)]
pub struct Matrix {
    /// `/_matrix/client/v3/rooms/{room}`
    room: Endpoint,
    /// `Authorization`.
    authorization: HeaderValue,
}

impl Matrix {
    /// `homeserver` is its address, `room` the room's id, `authorization` a [`bearer`](crate::deliver::http::bearer) token.
    pub fn new(homeserver: &Endpoint, room: &str, authorization: HeaderValue) -> Self {
        Self {
            room: homeserver.at(&["_matrix", "client", "v3", "rooms", room], &[]),
            authorization,
        }
    }

    async fn tell(&self, attempt: Attempt<'_>) -> Report {
        if let Some(present) = &attempt.message.present {
            return self.tell_in_thread(present, attempt).await;
        }
        let sent = self.put("news", &content(&attempt.message.words), attempt).await;
        sent.map_or_else(|report| report, |(_, answer)| answer.report(Outcome::Accepted))
    }

    async fn tell_in_thread(&self, present: &Words, attempt: Attempt<'_>) -> Report {
        let known = match attempt.thread {
            Some(root) => self.has(root, attempt).await.map(|is_there| is_there.then_some(root)),
            None => Ok(None),
        };
        let root = match known {
            Ok(Some(root)) => Ok((root.to_owned(), None)),
            Ok(None) => self
                .put("root", &content(present), attempt)
                .await
                .map(|(root, answer)| (root, Some(answer))),
            Err(report) => Err(report),
        };
        let (root, posted) = match root {
            Ok(root) => root,
            Err(report) => return report,
        };
        let told = self.tell_below(&root, posted, present, attempt).await;
        Report {
            thread: Some(root),
            ..told.unwrap_or_else(|report| report)
        }
    }

    /// What is left to be told once the root is there. `posted` is the answer by which it came to be, in this attempt.
    async fn tell_below(
        &self,
        root: &str,
        posted: Option<Answer>,
        present: &Words,
        attempt: Attempt<'_>,
    ) -> Result<Report, Report> {
        // What was posted in an earlier attempt is answered for again, and may show an older state.
        let is_up_to_date = posted.is_some() && attempt.number == 1;
        if !is_up_to_date {
            let edit = edit(root, present);
            let step = format!("edit-{}", fingerprint(&edit));
            self.put(&step, &edit, attempt).await?;
        }
        let answer = match posted {
            Some(answer) if attempt.message.is_told_by_present() => answer,
            _ => {
                self.put("reply", &reply(root, &attempt.message.words), attempt)
                    .await?
                    .1
            }
        };
        Ok(answer.report(Outcome::Accepted))
    }

    /// Sends an event. The step tells it from the others of the delivery.
    async fn put(&self, step: &str, content: &Value, attempt: Attempt<'_>) -> Result<(String, Answer), Report> {
        let transaction = format!("{}-{step}", attempt.idempotency_key);
        let endpoint = self.room.at(&["send", "m.room.message", &transaction], &[]);
        let body = content.to_string().into_bytes();
        let answer = with_wish(endpoint.send(Method::PUT, self.headers(), body, attempt).await?);
        let json = answer.json().unwrap_or_default();
        match json["event_id"].as_str() {
            Some(event) if answer.status.is_success() => Ok((event.to_owned(), answer)),
            _ => Err(answer.report(outcome(&answer, &json))),
        }
    }

    /// Whether the event is there for people to see.
    async fn has(&self, event: &str, attempt: Attempt<'_>) -> Result<bool, Report> {
        let endpoint = self.room.at(&["event", event], &[]);
        let answer = with_wish(endpoint.send(Method::GET, self.headers(), Vec::new(), attempt).await?);
        // Without JSON it is an event with all that relates to it, beyond what is read of an answer.
        let json = answer.json().unwrap_or_default();
        match answer.status.as_u16() {
            200 => Ok(json["unsigned"].get("redacted_because").is_none()),
            404 if json["errcode"] == "M_NOT_FOUND" => Ok(false),
            _ => Err(answer.report(outcome(&answer, &json))),
        }
    }

    fn headers(&self) -> HeaderMap {
        let content_type = HeaderValue::from_static("application/json");
        HeaderMap::from_iter([
            (AUTHORIZATION, self.authorization.clone()),
            (CONTENT_TYPE, content_type),
        ])
    }
}

impl Receiver for Matrix {
    fn pace(&self) -> Pace {
        Pace {
            burst: 3,
            ..Pace::one_by_one(Duration::from_secs(10))
        }
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let events = message.present.as_ref().map_or_else(
            || json!([content(&message.words)]),
            |present| json!([content(present), reply("$root", &message.words)]),
        );
        Preview {
            content: format!("{events:#}"),
            measures: vec![Measure {
                part: "event",
                size: uncut(&message.words).to_string().len(),
                limit: EVENT,
                unit: "bytes",
            }],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.tell(attempt))
    }
}

/// Words as an event's content.
fn content(words: &Words) -> Value {
    uncut(&fit(words, WORDS, html_bytes))
}

fn uncut(words: &Words) -> Value {
    json!({
        "msgtype": "m.notice",
        "body": plain(words),
        "format": "org.matrix.custom.html",
        "formatted_body": html(words),
        "m.mentions": {},
    })
}

/// A newer state for the root.
fn edit(root: &str, present: &Words) -> Value {
    json!({
        "msgtype": "m.notice",
        // The asterisk marks a correction where edits are not known.
        "body": format!("* {}", cut(&headline(present), TITLE)),
        "m.mentions": {},
        "m.new_content": content(present),
        "m.relates_to": {"rel_type": "m.replace", "event_id": root},
    })
}

/// A change, in the root's thread. Clients that know no threads show it as an answer to the root.
fn reply(root: &str, words: &Words) -> Value {
    let mut content = content(words);
    content["m.relates_to"] = json!({
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": true,
        "m.in_reply_to": {"event_id": root},
    });
    content
}

/// The same for the same content. Another release of the standard library may make another of it, which costs no more than
/// an edit that changes nothing.
fn fingerprint(content: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    content.to_string().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Homeservers say how long to wait in the body, in milliseconds; `Retry-After` came later (v1.10).
fn with_wish(answer: Answer) -> Answer {
    let json = answer.json().unwrap_or_default();
    let wish = json["retry_after_ms"].as_u64().map(Duration::from_millis);
    answer.with_retry_after(wish)
}

/// What a homeserver's refusal means: it has an `errcode`.
/// <https://spec.matrix.org/v1.15/client-server-api/#standard-error-response>
fn outcome(answer: &Answer, json: &Value) -> Outcome {
    let is_refusal = !answer.status.is_success();
    match json["errcode"].as_str() {
        Some("M_LIMIT_EXCEEDED") if is_refusal => answer.failed("it is called too often; ccwatch waits"),
        Some("M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN") if is_refusal => {
            answer.failed("the access token is not valid (any more): log in again and set `token`")
        }
        Some("M_FORBIDDEN") if is_refusal => {
            answer.failed("it may not write there: invite the bot to `room`, let it join, and let it send messages")
        }
        Some("M_USER_DEACTIVATED" | "M_USER_SUSPENDED" | "M_USER_LOCKED") if is_refusal => {
            answer.failed("the bot's account is closed: ask the homeserver's administrator")
        }
        Some("M_TOO_LARGE") if is_refusal => {
            answer.rejected("the message is too large: please report this as a bug of ccwatch")
        }
        Some("M_BAD_JSON" | "M_NOT_JSON") if is_refusal => {
            answer.rejected("the homeserver does not understand the message: please report this as a bug of ccwatch")
        }
        Some(_) if is_refusal => answer.failed("see the homeserver's words; it will be tried again"),
        // Homeservers refuse with a word. Anything else comes from someone between, and may be gone in a minute.
        _ => match answer.outcome() {
            Outcome::Accepted | Outcome::Rejected { .. } => {
                answer.failed("a homeserver would have answered in JSON: check `url`, and the proxy")
            }
            failed @ Outcome::Failed { .. } => failed,
        },
    }
}

#[cfg(test)]
#[path = "matrix_tests.rs"]
mod tests;
