//! What single values must look like: durations, names, Regions, account ids, URLs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::RangeInclusive;
use std::time::Duration;

use humantime::format_duration;
use toml_span::value::ValueInner;
use url::{Host, Url};

use super::document::{Item, Section};
use super::problems::{Read, Reported};
use super::wording::{listed, quoted, suggestion};

/// A duration within bounds, written as people do: `10s`, `1h 30m`. `or` names what else its reader would take.
pub(crate) fn duration(item: &Item<'_>, bounds: &RangeInclusive<Duration>, or: &str) -> Read<Duration> {
    let expected = format!(
        "a duration from {} to {}{or}",
        format_duration(*bounds.start()),
        format_duration(*bounds.end())
    );
    let text = item.string(&format!("{expected}, in quotes and with its unit, such as \"10s\""))?;
    let found = quoted(text);
    Err(item.error(match humantime::parse_duration(text) {
        Ok(duration) if bounds.contains(&duration) => return Ok(duration),
        Ok(_) => format!("expected {expected}, found {found}"),
        Err(_) if text.trim_start().starts_with('-') => format!("expected {expected}, found the negative {found}"),
        // Its own message would point into the value by offsets.
        Err(_) => format!("expected {expected}, such as \"10s\", \"5m\" or \"1h 30m\", found {found}"),
    }))
}

/// A number, whole or not, that is as it should be; never NaN.
pub(crate) fn number(item: &Item<'_>, expected: &str, is_right: impl Fn(f64) -> bool) -> Read<f64> {
    let number = match item.inner() {
        ValueInner::Float(number) => *number,
        #[expect(clippy::cast_precision_loss, reason = "what is not exact is far out of bounds")]
        ValueInner::Integer(number) => *number as f64,
        _ => return Err(item.wrong_type(expected)),
    };
    if !number.is_nan() && is_right(number) {
        Ok(number)
    } else {
        Err(item.error(format!("expected {expected}, found {number}")))
    }
}

/// A whole number within bounds.
pub(crate) fn integer(item: &Item<'_>, bounds: &RangeInclusive<i64>) -> Read<i64> {
    let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
    match item.inner() {
        ValueInner::Integer(number) if bounds.contains(number) => Ok(*number),
        ValueInner::Integer(number) => Err(item.error(format!("expected {expected}, found {number}"))),
        _ => Err(item.wrong_type(&expected)),
    }
}

/// `true` or `false`, without quotes.
pub(crate) fn boolean(item: &Item<'_>) -> Read<bool> {
    match item.inner() {
        ValueInner::Boolean(boolean) => Ok(*boolean),
        _ => Err(item.wrong_type("true or false")),
    }
}

/// One of a few words.
pub(crate) fn one_of<T: Copy>(item: &Item<'_>, words: &[(&str, T)]) -> Read<T> {
    let names = || words.iter().map(|(word, _)| *word);
    let quoted_names: Vec<_> = names().map(quoted).collect();
    let expected = format!("one of {}", listed(quoted_names.iter().map(String::as_str)));
    let text = item.string(&expected)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let suggestion = suggestion(text, names());
        item.error(format!("expected {expected}, found {}{suggestion}", quoted(text)))
    })
}

/// The item's text if it is as it should be.
pub(crate) fn checked(item: &Item<'_>, expected: &str, is_right: impl Fn(&str) -> bool) -> Read<String> {
    let text = item.string(expected)?;
    if is_right(text) {
        Ok(text.to_owned())
    } else {
        Err(item.error(format!("expected {expected}, found {}", quoted(text))))
    }
}

/// The names of the entries of one kind, each of which must be its own.
#[derive(Default)]
pub(super) struct Names<'d> {
    known: BTreeMap<&'d str, Item<'d>>,
    /// That an entry has no usable name, so that a name which is not known may yet be meant for it.
    incomplete: Option<Reported>,
}

impl<'d> Names<'d> {
    /// Reads an entry's name.
    pub(super) fn take(&mut self, section: &Section<'d>) -> Read<&'d str> {
        let (item, name) = name(section).inspect_err(|reported| self.refuse(*reported))?;
        match self.known.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(item);
                Ok(name)
            }
            Entry::Occupied(entry) => Err(item.error(format!(
                "{} is already the name of the entry at line {}",
                quoted(name),
                entry.get().line()
            ))),
        }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Notes that there are names which could not be read.
    pub(super) fn refuse(&mut self, reported: Reported) {
        self.incomplete = Some(reported);
    }

    /// The proof that a name is missing, if one is.
    pub(super) fn incomplete(&self) -> Option<Reported> {
        self.incomplete
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'d str> {
        self.known.keys().copied()
    }

    /// Each name with the item that gives it.
    pub(super) fn items(&self) -> impl Iterator<Item = (&'d str, &Item<'d>)> {
        self.known.iter().map(|(name, item)| (*name, item))
    }
}

fn name<'d>(section: &Section<'d>) -> Read<(Item<'d>, &'d str)> {
    let expected = "a name of 1 to 64 letters, digits, dots, dashes or underscores";
    let item = section.required("name", expected)?;
    let text = item.string(expected)?;
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if (1..=64).contains(&text.len()) && text.chars().all(valid) {
        Ok((item, text))
    } else {
        Err(item.error(format!("expected {expected}, found {}", quoted(text))))
    }
}

/// Whether the text has the shape of a Region's code, such as `eu-west-1` or `us-gov-east-1`. Which ones there are is
/// not asked: AWS opens new ones.
pub(crate) fn is_region(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 32
        && parts.len() >= 2
        && parts.iter().all(is_word)
        && parts[0].len() >= 2
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account of an IAM role's ARN, `arn:<partition>:iam::<account>:role/<path and name>`, or `None` if it is no such
/// ARN. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
pub(super) fn account_of_role(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (prefix, partition, service, region, account, resource) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    );
    let is_partition = partition.split('-').next() == Some("aws")
        && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let role = resource.strip_prefix("role/")?;
    let name = role.rsplit('/').next().unwrap_or_default();
    let is_role = !name.is_empty() && role.len() <= 577 && role.chars().all(|c| is_iam_character(c) || c == '/');
    (prefix == "arn" && is_partition && service == "iam" && region.is_empty() && is_account_id(account) && is_role)
        .then_some(account)
}

/// Of IAM's names: `[\w+=,.@-]`.
pub(super) fn is_iam_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

/// An http or https URL with a host. The error says what is wrong without a word of the URL, which may be a secret.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("begins with neither https:// nor http://".to_owned());
    }
    if url.host().is_none() {
        return Err("names no host".to_owned());
    }
    Ok(url)
}

/// Whether what is sent there can be read on the way.
pub(super) fn is_exposed(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !is_loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_judged_by_their_shape() {
        for region in [
            "eu-west-1",
            "us-gov-east-1",
            "ap-southeast-10",
            "eusc-de-east-1",
            "us-iso-west-1",
        ] {
            assert!(is_region(region), "{region}");
        }
        for other in [
            "",
            "eu",
            "eu-west",
            "eu-1",
            "EU-west-1",
            "eu-west-1a",
            "eu--1",
            "e-west-1",
            "eu-west-",
            " eu-west-1",
            "eu-west-1/",
        ] {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn role_arns_are_judged_by_their_shape() {
        for arn in [
            "arn:aws:iam::123456789012:role/ccwatch",
            "arn:aws-us-gov:iam::123456789012:role/teams/ops/cc-watch_1@x",
            "arn:aws-cn:iam::123456789012:role/r",
        ] {
            assert_eq!(account_of_role(arn), Some("123456789012"), "{arn}");
        }
        for other in [
            "",
            "ccwatch",
            "arn:aws:iam::123456789012:user/ccwatch",
            "arn:aws:iam::12345678901:role/ccwatch",
            "arn:aws:iam:eu-west-1:123456789012:role/ccwatch",
            "arn:aws:sts::123456789012:assumed-role/ccwatch/session",
            "arn:gcp:iam::123456789012:role/ccwatch",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/path/",
            "arn:aws:iam::123456789012:role/a b",
        ] {
            assert_eq!(account_of_role(other), None, "{other}");
        }
    }

    #[test]
    fn a_url_is_exposed_unless_it_is_encrypted_or_stays_on_the_machine() {
        for (text, exposed) in [
            ("https://example.com/", false),
            ("http://example.com/", true),
            ("http://10.0.0.1/", true),
            ("http://localhost:80/", false),
            ("http://127.0.0.2:8080/x", false),
            ("http://[::1]/", false),
            ("http://localhost.example.com/", true),
        ] {
            assert_eq!(is_exposed(&http_url(text).unwrap()), exposed, "{text}");
        }
    }

    #[test]
    fn a_bad_url_is_described_without_showing_it() {
        for text in [
            "hunter2",
            "ftp://hunter2/",
            "https://",
            "data:hunter2",
            "https://hunter2:x/",
            "/hunter2",
        ] {
            let error = http_url(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
