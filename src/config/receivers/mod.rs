//! `[[receivers]]`: the keys that all have; a file for each type has those that are its own.

mod alertmanager;
mod aws;
mod common;
mod discord;
mod email;
mod eventbridge;
mod exec;
mod file;
mod google_chat;
mod log;
mod matrix;
mod mattermost;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod slack_bot;
mod sns;
mod sqs;
mod teams;
mod telegram;
mod webhook;

use std::ops::RangeInclusive;
use std::time::Duration;

use indexmap::IndexSet;
use secrecy::{ExposeSecret, SecretString};

use super::document::{Item, Section};
use super::problems::{Read, all};
use super::secret::{secret, secret_like};
use super::values::{Names, duration, http_url, is_exposed, one_of};
use super::wording::{listed, quoted, suggestion};
use super::{ConfigErrors, ReceiverKind, ReceiverSettings, Surroundings};
use crate::decide::route::Audience;
use crate::model::printable;
use crate::render::{Part, Template, Templates};

/// Keys of every receiver.
pub(super) const COMMON_KEYS: [&str; 10] = [
    "name",
    "type",
    "give_up_after",
    "time_out",
    "digest_over",
    "max_messages_per_minute",
    "escalate_to",
    "escalate_after",
    "title",
    "body",
];
/// Those of them that only words for people have. A machine gets the news itself, and the line of a `log` has a form of its
/// own, by which it is searched.
const KEYS_FOR_PEOPLE: [Part; 2] = [Part::Title, Part::Body];

/// What a type of receiver is.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) name: &'static str,
    /// Keys of this type alone.
    pub(super) keys: &'static [&'static str],
    audience: Audience,
    time_out: Duration,
    read: fn(&Section<'_>, &Surroundings<'_>) -> Read<ReceiverKind>,
}

impl Type {
    fn all_keys(&self) -> impl Iterator<Item = &'static str> {
        let is_common = |key: &&str| {
            self.audience != Audience::Machines || KEYS_FOR_PEOPLE.iter().all(|part| part.as_str() != *key)
        };
        let common = COMMON_KEYS.into_iter().filter(is_common);
        common.chain(self.keys.iter().copied())
    }
}

/// In the order in which the annotated configuration shows them.
pub(super) const TYPES: [Type; 20] = [
    log::TYPE,
    slack::TYPE,
    slack_bot::TYPE,
    discord::TYPE,
    mattermost::TYPE,
    teams::TYPE,
    google_chat::TYPE,
    matrix::TYPE,
    telegram::TYPE,
    ntfy::TYPE,
    email::TYPE,
    pagerduty::TYPE,
    opsgenie::TYPE,
    alertmanager::TYPE,
    webhook::TYPE,
    sqs::TYPE,
    sns::TYPE,
    eventbridge::TYPE,
    file::TYPE,
    exec::TYPE,
];

pub(super) const GIVE_UP_AFTER: Duration = Duration::from_hours(24);
pub(super) const TIME_OUT: Duration = Duration::from_secs(15);
pub(super) const DIGEST_OVER: u32 = 10;
const GIVE_UP_BOUNDS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(30 * 24);
const TIME_OUT_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(10);

pub(super) fn read<'d>(
    root: &Section<'d>,
    surroundings: &Surroundings<'_>,
    names: &mut Names<'d>,
) -> Read<Vec<ReceiverSettings>> {
    let entries = root.entries("receivers");
    let entries = entries.inspect_err(|reported| names.refuse(*reported))?;
    let receivers = all(entries.iter().map(|section| entry(section, surroundings, names)))?;
    common::check_escalations(&entries, &receivers)?;
    Ok(receivers)
}

/// The entry of that name, and none of the others.
pub(super) fn read_one(
    root: &Section<'_>,
    surroundings: &Surroundings<'_>,
    name: &str,
) -> Read<Result<ReceiverSettings, UnknownReceiver>> {
    let entries = root.entries("receivers")?;
    let name_of = |section: &Section<'_>| section.get("name").and_then(|item| item.text().map(str::to_owned));
    if let Some(section) = entries.iter().find(|section| name_of(section).as_deref() == Some(name)) {
        return entry(section, surroundings, &mut Names::default()).map(Ok);
    }
    let known: Vec<String> = entries.iter().filter_map(name_of).collect();
    Ok(Err(UnknownReceiver::new(name, known.iter().map(String::as_str))))
}

/// No receiver has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownReceiver(String);

impl UnknownReceiver {
    pub(super) fn new<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let found = quoted(name);
        let text = if known.clone().next().is_none() {
            format!("no receiver is named {found}: the configuration has no [[receivers]] entry")
        } else {
            let suggestion = suggestion(name, known.clone());
            format!("no receiver is named {found}{suggestion}; known are {}", listed(known))
        };
        Self(printable(&text).into_owned())
    }
}

/// A receiver can't be had from a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error(transparent)]
    Unknown(#[from] UnknownReceiver),
}

fn entry<'d>(section: &Section<'d>, surroundings: &Surroundings<'_>, names: &mut Names<'d>) -> Read<ReceiverSettings> {
    let name = names.take(section);
    let give_up_after = section.optional("give_up_after", |item| duration(item, &GIVE_UP_BOUNDS, ""));
    let time_out = section.optional("time_out", |item| duration(item, &TIME_OUT_BOUNDS, ""));
    let max_messages_per_minute = section.optional("max_messages_per_minute", common::messages_per_minute);
    let escalation = common::escalation(section);
    let type_ = type_of(section);
    let known = refuse_unknown(section, type_.as_ref().ok());
    let type_ = type_?;
    let digest_over = common::digest_over(section, type_.name, type_.audience);
    let templates = templates(section, &type_);
    let kind = (type_.read)(section, surroundings);
    known?;
    let plain = ReceiverSettings::plain(name?, type_.audience, kind?);
    Ok(ReceiverSettings {
        give_up_after: give_up_after?.unwrap_or(plain.give_up_after),
        time_out: time_out?.unwrap_or(type_.time_out),
        digest_over: digest_over?.or(plain.digest_over),
        max_messages_per_minute: max_messages_per_minute?,
        escalation: escalation?,
        templates: templates?,
        ..plain
    })
}

/// Each is tried while it is read; those that the type does not know were refused already.
fn templates(section: &Section<'_>, type_: &Type) -> Read<Templates> {
    let template = |part: Part| {
        if !type_.all_keys().any(|key| key == part.as_str()) {
            return Ok(None);
        }
        section.optional(part.as_str(), |item| {
            let source = item.string("a template, such as \"{{ target }}: {{ words.title }}\"")?;
            Template::new(part, source).map_err(|error| item.error(error.to_string()))
        })
    };
    let (title, body, payload) = (template(Part::Title), template(Part::Body), template(Part::Payload));
    Ok(Templates {
        title: title?,
        body: body?,
        payload: payload?,
    })
}

fn type_of(section: &Section<'_>) -> Read<Type> {
    let quoted_names = TYPES.map(|type_| quoted(type_.name));
    let expected = format!("one of {}", listed(quoted_names.iter().map(String::as_str)));
    let item = section.required("type", &expected)?;
    one_of(&item, &TYPES.map(|type_| (type_.name, type_)))
}

/// Which type's keys are right is not known where the type is not, so that those of any type pass.
fn refuse_unknown(section: &Section<'_>, known_type: Option<&Type>) -> Read<()> {
    let types = TYPES
        .iter()
        .filter(|type_| known_type.is_none_or(|known| known.name == type_.name));
    let keys: IndexSet<&str> = types.clone().flat_map(Type::all_keys).collect();
    let names: Vec<_> = types.map(|type_| type_.name).collect();
    let whose = match names.as_slice() {
        [name] => format!(" of a receiver of type \"{name}\""),
        _ => " of [[receivers]]".to_owned(),
    };
    section.refuse_unknown(&keys.into_iter().collect::<Vec<_>>(), &whose)
}

/// `url`, the address to send to: a secret, since what grants access often stands in it.
fn url(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let item = section.required("url", "the URL to post to, as text or by reference: { env = \"NAME\" }")?;
    address(&item, surroundings)
}

/// `url`, where there is one for all: the vendor's. Another one leads to a proxy, or to what stands in for the vendor.
fn url_or(section: &Section<'_>, default: &str, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let url = section.optional("url", |item| address(item, surroundings))?;
    Ok(url.unwrap_or_else(|| SecretString::from(default)))
}

fn address(item: &Item<'_>, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let secret = secret_like(item, "https://placeholder.invalid/", surroundings)?;
    let url = http_url(secret.value.expose_secret()).map_err(|fault| secret.error(&fault))?;
    if is_exposed(&url) {
        secret
            .warning("is http to another machine: messages, and what grants access in the URL, can be read on the way");
    }
    Ok(SecretString::from(String::from(url)))
}

/// What a tool gives out to know its callers by: sent in a header or beside a message. `what` it is stands in messages.
fn token(section: &Section<'_>, key: &str, what: &str, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let item = section.required(key, &format!("{what}, as text or by reference: {{ env = \"NAME\" }}"))?;
    let secret = secret(&item, surroundings)?;
    if !secret.value.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(secret.error("holds a space or a letter beyond ASCII, which no such key does"));
    }
    Ok(secret.value)
}

#[cfg(test)]
#[path = "templates_tests.rs"]
mod templates_tests;
