//! `[[receivers]]`

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use indexmap::IndexSet;
use secrecy::{ExposeSecret, SecretString};

use super::document::Section;
use super::problems::{Read, all};
use super::secret::{secret, signing_key};
use super::values::{Names, duration, http_url, is_exposed, one_of};
use super::wording::quoted;
use super::{LogFormat, ReceiverKind, ReceiverSettings, Surroundings};

/// Keys of every receiver.
pub(super) const COMMON_KEYS: [&str; 4] = ["name", "type", "give_up_after", "time_out"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Log,
    Webhook,
    Slack,
    Exec,
}

pub(super) const TYPES: [(&str, Type); 4] = [
    ("log", Type::Log),
    ("webhook", Type::Webhook),
    ("slack", Type::Slack),
    ("exec", Type::Exec),
];

const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

const GIVE_UP_AFTER: Duration = Duration::from_hours(24);
const GIVE_UP_BOUNDS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(30 * 24);
const TIME_OUT_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(10);

impl Type {
    /// Keys of this type alone.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Log => &["format"],
            Self::Webhook => &["url", "secret"],
            Self::Slack => &["url"],
            Self::Exec => &["command"],
        }
    }

    fn time_out(self) -> Duration {
        match self {
            Self::Log | Self::Webhook | Self::Slack => Duration::from_secs(15),
            Self::Exec => Duration::from_secs(30),
        }
    }
}

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
    let type_ = section
        .required("type", "one of \"log\", \"webhook\", \"slack\", \"exec\"")
        .and_then(|item| one_of(&item, &TYPES));
    let known = refuse_unknown(section, type_.ok());
    let type_ = type_?;
    let kind = kind(section, type_, surroundings);
    known?;
    Ok(ReceiverSettings {
        name: name?.to_owned(),
        give_up_after: give_up_after?.unwrap_or(GIVE_UP_AFTER),
        time_out: time_out?.unwrap_or(type_.time_out()),
        kind: kind?,
    })
}

/// Which type's keys are right is not known where the type is not, so that those of any type pass.
fn refuse_unknown(section: &Section<'_>, known_type: Option<Type>) -> Read<()> {
    let types = TYPES
        .iter()
        .filter(|(_, type_)| known_type.is_none_or(|known| known == *type_));
    let own_keys = types.clone().flat_map(|(_, type_)| type_.keys()).copied();
    let keys: IndexSet<&str> = COMMON_KEYS.into_iter().chain(own_keys).collect();
    let names: Vec<_> = types.map(|(name, _)| *name).collect();
    let whose = match names.as_slice() {
        [name] => format!(" of a receiver of type \"{name}\""),
        _ => " of [[receivers]]".to_owned(),
    };
    section.refuse_unknown(&keys.into_iter().collect::<Vec<_>>(), &whose)
}

fn kind(section: &Section<'_>, type_: Type, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    Ok(match type_ {
        Type::Log => {
            let format = section.optional("format", |item| one_of(item, &FORMATS))?;
            ReceiverKind::Log {
                format: format.unwrap_or_default(),
            }
        }
        Type::Webhook => {
            let (url, secrets) = (url(section, surroundings), signing_keys(section, surroundings));
            ReceiverKind::Webhook {
                url: url?,
                secrets: secrets?,
            }
        }
        Type::Slack => ReceiverKind::Slack {
            url: url(section, surroundings)?,
        },
        Type::Exec => ReceiverKind::Exec {
            command: command(section)?,
        },
    })
}

fn url(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let item = section.required("url", "the URL to post to, as text or by reference: { env = \"NAME\" }")?;
    let secret = secret(&item, surroundings)?;
    let url = http_url(secret.value.expose_secret()).map_err(|fault| secret.error(&fault))?;
    if is_exposed(&url) {
        secret
            .warning("is http to another machine: messages, and what grants access in the URL, can be read on the way");
    }
    Ok(SecretString::from(String::from(url)))
}

fn signing_keys(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<Vec<SecretString>> {
    let keys = section.optional("secret", |item| {
        let members = item.one_or_more("a signing key, or several while it is being changed")?;
        all(members.iter().map(|member| signing_key(member, surroundings)))
    });
    Ok(keys?.unwrap_or_default())
}

fn command(section: &Section<'_>) -> Read<Vec<String>> {
    let expected = "a program and its arguments, such as [\"/usr/bin/logger\", \"-t\", \"ccwatch\"]";
    let item = section.required("command", expected)?;
    if let Some(program) = item.inner().as_str()
        && !Path::new(program).is_absolute()
    {
        return Err(item.error(format!(
            "expected an array, or the absolute path of a program alone (no shell is there to split it), found {}",
            quoted(program)
        )));
    }
    let members = item.one_or_more(expected)?;
    all(members.iter().enumerate().map(|(index, member)| {
        let word = member.string("a string")?;
        if index == 0 && word.trim().is_empty() {
            return Err(member.error(format!("expected a program, found {}", quoted(word))));
        }
        if word.contains('\0') {
            return Err(member.error("holds a NUL character, which no argument can"));
        }
        Ok(word.to_owned())
    }))
}
