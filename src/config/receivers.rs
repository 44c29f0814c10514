//! `[[receivers]]`

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use indexmap::IndexSet;
use secrecy::{ExposeSecret, SecretString};

use super::document::Section;
use super::secret::{check_signing_key, secret};
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
) -> Vec<ReceiverSettings> {
    let entries = root.entries("receivers");
    entries
        .iter()
        .filter_map(|section| entry(section, surroundings, names))
        .collect()
}

fn entry<'d>(
    section: &Section<'d>,
    surroundings: &Surroundings<'_>,
    names: &mut Names<'d>,
) -> Option<ReceiverSettings> {
    let name = names.take(section);
    let bounded = |key, bounds| section.get(key).map(|item| duration(&item, bounds, ""));
    let give_up_after = bounded("give_up_after", &GIVE_UP_BOUNDS).unwrap_or(Some(GIVE_UP_AFTER));
    let time_out = bounded("time_out", &TIME_OUT_BOUNDS);
    let named_type = section
        .required("type", "one of \"log\", \"webhook\", \"slack\", \"exec\"")
        .and_then(|item| {
            let type_ = one_of(&item, &TYPES)?;
            Some((item.inner().as_str()?, type_))
        });
    let Some((type_name, type_)) = named_type else {
        // Which type's keys are right is not known, so those of any type pass.
        let of_types = TYPES.iter().flat_map(|(_, type_)| type_.keys()).copied();
        let keys: IndexSet<&str> = COMMON_KEYS.into_iter().chain(of_types).collect();
        section.refuse_unknown(&keys.into_iter().collect::<Vec<_>>(), " of [[receivers]]");
        return None;
    };
    let whose = format!(" of a receiver of type \"{type_name}\"");
    section.refuse_unknown(&[&COMMON_KEYS, type_.keys()].concat(), &whose);
    let kind = match type_ {
        Type::Log => ReceiverKind::Log {
            format: section
                .get("format")
                .map_or(Some(LogFormat::default()), |item| one_of(&item, &FORMATS))?,
        },
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
    };
    Some(ReceiverSettings {
        name: name?.to_owned(),
        give_up_after: give_up_after?,
        time_out: time_out.unwrap_or(Some(type_.time_out()))?,
        kind,
    })
}

fn url(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<SecretString> {
    let item = section.required("url", "the URL to post to, as text or by reference: { env = \"NAME\" }")?;
    let secret = secret(&item, surroundings)?;
    let url = http_url(secret.value.expose_secret())
        .map_err(|fault| secret.error(&fault))
        .ok()?;
    if is_exposed(&url) {
        secret
            .warning("is http to another machine: messages, and what grants access in the URL, can be read on the way");
    }
    Some(SecretString::from(String::from(url)))
}

fn signing_keys(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<Vec<SecretString>> {
    let Some(item) = section.get("secret") else {
        return Some(Vec::new());
    };
    let members = item.one_or_more("a signing key, or several while it is being changed");
    let mut keys = Vec::new();
    for member in &members {
        let key = secret(member, surroundings)?;
        check_signing_key(&key);
        keys.push(key.value);
    }
    Some(keys)
}

fn command(section: &Section<'_>) -> Option<Vec<String>> {
    let expected = "a program and its arguments, such as [\"/usr/bin/logger\", \"-t\", \"ccwatch\"]";
    let item = section.required("command", expected)?;
    if let Some(program) = item.inner().as_str()
        && !Path::new(program).is_absolute()
    {
        item.error(format!(
            "expected an array, or the absolute path of a program alone (no shell is there to split it), found {}",
            quoted(program)
        ));
        return None;
    }
    let members = item.one_or_more(expected);
    let mut command = Vec::new();
    for member in &members {
        let word = member.string("a string")?;
        if word.contains('\0') {
            member.error("holds a NUL character, which no argument can");
            return None;
        }
        command.push(word.to_owned());
    }
    match command.first() {
        Some(program) if program.trim().is_empty() => {
            members[0].error("expected a program, found nothing");
            None
        }
        Some(_) => Some(command),
        None => None,
    }
}
