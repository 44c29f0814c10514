//! The filters that ccwatch adds to those of minijinja.
//!
//! All of them pass `none` on, so that what is not known need not be asked for first, and none of them asks the time: an
//! age is one at the time of the news, and the same in each attempt to tell it.
//!
//! `slack`, `html` and `markdown` are for payloads alone. A title and a body are escaped by the receiver that lays them out,
//! which knows its tool; escaped here as well, a reader would see the escapes.

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, State};

use super::text::{cut, cut_escaped};
use super::words;
use crate::model::Timestamp;

pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("duration", duration);
    environment.add_filter("age", age);
    environment.add_filter("arn", arn);
    environment.add_filter("truncate", truncate);
    environment.add_filter("slack", |text: &Value| escaped(text, slack));
    environment.add_filter("html", |text: &Value| escaped(text, html));
    environment.add_filter("markdown", |text: &Value| escaped(text, markdown));
}

/// `72.481|duration` and `started_at|duration(finished_at)` are `1m 12s`.
fn duration(from: &Value, to: Option<&Value>) -> Result<Value, Error> {
    let Some(to) = to else {
        refuse_undefined(from)?;
        if from.is_none() {
            return Ok(Value::from(()));
        }
        let seconds = f64::try_from(from.clone()).map_err(|_| wrong("a number of seconds", from))?;
        return in_words(seconds);
    };
    match (time(from)?, time(to)?) {
        (Some(from), Some(to)) => between(from, to),
        _ => Ok(Value::from(())),
    }
}

/// How long before the news a time was; nothing if it was later.
fn age(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let at = state.lookup("at").unwrap_or_default();
    match (time(value)?, time(&at)?) {
        (Some(then), Some(at)) => between(then, at),
        _ => Ok(Value::from(())),
    }
}

fn between(from: Timestamp, to: Timestamp) -> Result<Value, Error> {
    in_words(to.since(from).as_secs_f64())
}

fn in_words(seconds: f64) -> Result<Value, Error> {
    let in_words = words::duration(seconds);
    in_words.map(Value::from).ok_or_else(|| {
        let message = format!("expected a number of seconds that is not negative, found {seconds}");
        Error::new(ErrorKind::InvalidOperation, message)
    })
}

const ARN_PARTS: [&str; 5] = ["partition", "service", "region", "account", "resource"];

/// A part of an ARN, which may be empty; what is no ARN is returned whole.
fn arn(value: &Value, part: &str) -> Result<Value, Error> {
    let index = ARN_PARTS.iter().position(|known| *known == part).ok_or_else(|| {
        let message = format!("an ARN has no {part:?}: its parts are {}", ARN_PARTS.join(", "));
        Error::new(ErrorKind::InvalidOperation, message)
    })?;
    let Some(whole) = text(value)? else {
        return Ok(Value::from(()));
    };
    let part = whole.strip_prefix("arn:").and_then(|rest| {
        let parts: Vec<&str> = rest.splitn(ARN_PARTS.len(), ':').collect();
        (parts.len() == ARN_PARTS.len()).then(|| parts[index])
    });
    Ok(Value::from(part.unwrap_or(whole)))
}

/// At most `longest` characters (UTF-16 units), the last of them an ellipsis if something is missing.
fn truncate(value: &Value, longest: usize) -> Result<Value, Error> {
    Ok(text(value)?.map_or_else(|| Value::from(()), |text| Value::from(cut(text, longest).as_ref())))
}

fn escaped(value: &Value, escape: fn(char) -> Option<&'static str>) -> Result<Value, Error> {
    let escaped = text(value)?.map(|text| cut_escaped(text, usize::MAX, escape));
    Ok(escaped.map_or_else(|| Value::from(()), Value::from))
}

/// <https://docs.slack.dev/messaging/formatting-message-text>
fn slack(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

/// For Telegram's HTML and Matrix too: <https://core.telegram.org/bots/api#html-style>
fn html(c: char) -> Option<&'static str> {
    match c {
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        c => slack(c),
    }
}

/// Any ASCII punctuation may stand behind a backslash, where Markdown would else see a sign of its own: CommonMark 0.31,
/// section 2.4.
fn markdown(c: char) -> Option<&'static str> {
    Some(match c {
        '\\' => "\\\\",
        '`' => "\\`",
        '*' => "\\*",
        '_' => "\\_",
        '~' => "\\~",
        '|' => "\\|",
        '[' => "\\[",
        ']' => "\\]",
        '(' => "\\(",
        ')' => "\\)",
        '<' => "\\<",
        '>' => "\\>",
        '#' => "\\#",
        '&' => "\\&",
        '!' => "\\!",
        '@' => "\\@",
        _ => return None,
    })
}

/// The text, or `None` for `none`.
fn text(value: &Value) -> Result<Option<&str>, Error> {
    refuse_undefined(value)?;
    match value.as_str() {
        Some(text) => Ok(Some(text)),
        None if value.is_none() => Ok(None),
        None => Err(wrong("text", value)),
    }
}

fn time(value: &Value) -> Result<Option<Timestamp>, Error> {
    let parse = |text: &str| Timestamp::parse(text).ok_or_else(|| wrong("a time such as `at`", value));
    text(value)?.map(parse).transpose()
}

fn refuse_undefined(value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(())
}

fn wrong(expected: &str, found: &Value) -> Error {
    let message = format!("expected {expected}, found {}", found.kind());
    Error::new(ErrorKind::InvalidOperation, message)
}

#[cfg(test)]
#[path = "filters_tests.rs"]
mod tests;
