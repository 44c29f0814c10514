//! `[[receivers]]`: the keys that all have; a file for each type has those that are its own.

mod email;
mod exec;
mod log;
mod matrix;
mod ntfy;
mod slack;
mod telegram;
mod webhook;

use std::ops::RangeInclusive;
use std::time::Duration;

use indexmap::IndexSet;
use secrecy::{ExposeSecret, SecretString};

use super::document::{Item, Section};
use super::problems::{Read, all};
use super::secret::secret;
use super::values::{Names, duration, http_url, is_exposed, one_of};
use super::wording::{listed, quoted};
use super::{ReceiverKind, ReceiverSettings, Surroundings};
use crate::decide::route::Audience;

/// Keys of every receiver.
pub(super) const COMMON_KEYS: [&str; 4] = ["name", "type", "give_up_after", "time_out"];

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

/// In the order in which the annotated configuration shows them.
pub(super) const TYPES: [Type; 8] = [
    log::TYPE,
    slack::TYPE,
    matrix::TYPE,
    telegram::TYPE,
    ntfy::TYPE,
    email::TYPE,
    webhook::TYPE,
    exec::TYPE,
];

const GIVE_UP_AFTER: Duration = Duration::from_hours(24);
const GIVE_UP_BOUNDS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(30 * 24);
const TIME_OUT_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(10);

pub(super) fn read<'d>(
    root: &Section<'d>,
    surroundings: &Surroundings<'_>,
    names: &mut Names<'d>,
) -> Read<Vec<ReceiverSettings>> {
    let entries = root.entries("receivers");
    let entries = entries.inspect_err(|reported| names.refuse(*reported))?;
    all(entries.iter().map(|section| entry(section, surroundings, names)))
}

fn entry<'d>(section: &Section<'d>, surroundings: &Surroundings<'_>, names: &mut Names<'d>) -> Read<ReceiverSettings> {
    let name = names.take(section);
    let give_up_after = section.optional("give_up_after", |item| duration(item, &GIVE_UP_BOUNDS, ""));
    let time_out = section.optional("time_out", |item| duration(item, &TIME_OUT_BOUNDS, ""));
    let type_ = type_of(section);
    let known = refuse_unknown(section, type_.as_ref().ok());
    let type_ = type_?;
    let kind = (type_.read)(section, surroundings);
    known?;
    Ok(ReceiverSettings {
        name: name?.to_owned(),
        give_up_after: give_up_after?.unwrap_or(GIVE_UP_AFTER),
        time_out: time_out?.unwrap_or(type_.time_out),
        audience: type_.audience,
        kind: kind?,
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
    let own_keys = types.clone().flat_map(|type_| type_.keys).copied();
    let keys: IndexSet<&str> = COMMON_KEYS.into_iter().chain(own_keys).collect();
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

/// `url` where the tool has an address that is right for most.
fn url_or(section: &Section<'_>, default: &str, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let url = section.optional("url", |item| address(item, surroundings))?;
    Ok(url.unwrap_or_else(|| SecretString::from(default)))
}

fn address(item: &Item<'_>, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let secret = secret(item, surroundings)?;
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
