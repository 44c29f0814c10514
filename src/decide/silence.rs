//! Silences: what someone asked not to be told of for a while, and why.
//!
//! Matchers are written as in a shell, `type_name=AWS::RDS::*` or `target=!prod`, with commas between patterns, and match as
//! those of a route do. The same text, a line for each, is what the history keeps ([`text`]).
//!
//! - Whatever can match nothing for a slip of the finger is refused: a silence that does not silence is found out at
//!   night.
//! - So is one without any matcher. Who means everything writes `kind=*`.
//! - A pattern can't hold a comma or a control character; `*` matches them.

use std::collections::BTreeSet;

use super::route::{Field, Matcher, Patterns, Subject};
use crate::model::{Timestamp, nearest, printable};

/// What is not told, until when, and by whose wish.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// The history's number for it.
    pub id: i64,
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    pub starts_at: Timestamp,
    /// The first moment at which it is over.
    pub ends_at: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Silence {
    fn covers(&self, now: Timestamp, subject: &Subject<'_>) -> bool {
        (self.starts_at..self.ends_at).contains(&now) && subject.matches(&self.matchers)
    }
}

/// The silence that a change which comes `now` falls under: of several, the one that ends last.
pub fn silenced<'s>(silences: &'s [Silence], now: Timestamp, subject: &Subject<'_>) -> Option<&'s Silence> {
    let covering = silences.iter().filter(|silence| silence.covers(now, subject));
    covering.max_by_key(|silence| silence.ends_at)
}

/// What is wrong with a matcher that someone wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    #[error("no matcher: say what to silence, such as type_name=AWS::RDS::* or target=prod; kind=* is everything")]
    None,
    #[error(
        "`{0}` is no matcher: expected a field, = and patterns with commas between, such as status=FAILED,CANCEL_*"
    )]
    NoEquals(String),
    #[error("`{found}` is no field{suggestion}; known are {known}", known = known_fields())]
    Field { found: String, suggestion: String },
    #[error("{0} is given twice, and one change would have to match both: write its patterns into one, with commas")]
    Twice(&'static str),
    #[error("{field}: an empty pattern, or a control character in one")]
    Pattern { field: &'static str },
    #[error("{}: `{found}` can match nothing{suggestion}; {}", .field.key(), expectation(*.field))]
    CantMatch {
        field: Field,
        found: String,
        suggestion: String,
    },
}

fn expectation(field: Field) -> String {
    match field {
        Field::AccountId => "expected twelve digits".to_owned(),
        Field::TypeName | Field::HookTypeName => {
            "expected a whole name, such as AWS::S3::Bucket, or a pattern, such as AWS::S3::*".to_owned()
        }
        _ => format!("known are {}", field.words().join(", ")),
    }
}

fn known_fields() -> String {
    Field::ALL.map(|(key, _)| key).join(", ")
}

/// The matchers that each of `words` is one of.
pub fn parse_matchers<S: AsRef<str>>(words: &[S]) -> Result<Vec<Matcher>, MatcherError> {
    if words.is_empty() {
        return Err(MatcherError::None);
    }
    let mut seen = BTreeSet::new();
    let matchers = words.iter().map(|word| {
        let matcher = matcher(word.as_ref())?;
        let key = matcher.0.key();
        if seen.insert(key) {
            Ok(matcher)
        } else {
            Err(MatcherError::Twice(key))
        }
    });
    matchers.collect()
}

fn matcher(word: &str) -> Result<Matcher, MatcherError> {
    let (key, patterns) = word
        .split_once('=')
        .ok_or_else(|| MatcherError::NoEquals(shown(word)))?;
    let found = Field::ALL.into_iter().find(|(known, _)| *known == key);
    let (key, field) = found.ok_or_else(|| MatcherError::Field {
        found: shown(key),
        suggestion: suggestion(key, &Field::ALL.map(|(key, _)| key)),
    })?;
    let patterns: Vec<&str> = patterns.split(',').collect();
    for pattern in &patterns {
        let name = pattern.strip_prefix('!').unwrap_or(pattern);
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(MatcherError::Pattern { field: key });
        }
        if !field.can_match(name) {
            return Err(MatcherError::CantMatch {
                field,
                found: shown(name),
                suggestion: suggestion(name, &field.words()),
            });
        }
    }
    Ok((field, Patterns::new(patterns)))
}

/// Matchers as the history keeps them, a line each: what [`parse_text`] reads.
pub fn text(matchers: &[Matcher]) -> String {
    let lines: Vec<_> = matchers
        .iter()
        .map(|(field, patterns)| format!("{}={patterns}", field.key()))
        .collect();
    lines.join("\n")
}

/// The matchers of a [`text`].
pub fn parse_text(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    parse_matchers(&text.lines().collect::<Vec<_>>())
}

fn shown(word: &str) -> String {
    printable(word).into_owned()
}

fn suggestion(word: &str, known: &[&'static str]) -> String {
    nearest(word, known.iter().copied()).map_or_else(String::new, |near| format!(" (did you mean {near}?)"))
}

#[cfg(test)]
#[path = "silence_tests.rs"]
mod tests;
