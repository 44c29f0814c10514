//! `type = "email"`

use std::time::Duration;

use super::{Section, Surroundings, Type};
use crate::config::document::Item;
use crate::config::problems::{Read, all};
use crate::config::secret::secret;
use crate::config::values::{checked, integer, one_of};
use crate::config::{EmailLogin, EmailSettings, EmailTls, ReceiverKind};
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "email",
    keys: &["host", "port", "tls", "user", "password", "from", "to"],
    audience: Audience::People,
    time_out: Duration::from_mins(1),
    read,
};

const TLS: [(&str, EmailTls); 3] = [
    ("starttls", EmailTls::StartTls),
    ("implicit", EmailTls::Implicit),
    ("none", EmailTls::None),
];

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let host = host(section);
    let tls = section.optional("tls", |item| one_of(item, &TLS));
    let port = section.optional("port", |item| integer(item, &(1..=i64::from(u16::MAX))));
    let login = login(section, surroundings);
    let expected = "an address, such as \"ccwatch@example.com\" or \"ccwatch <ccwatch@example.com>\"";
    let from = section
        .required("from", expected)
        .and_then(|item| address(&item, expected));
    let to = recipients(section);
    let (host, tls) = (host?, tls?.unwrap_or_default());
    if tls == EmailTls::None && !is_this_machine(&host) {
        section.warning(
            "tls",
            "is \"none\" to another machine: messages, and the password, can be read and changed on the way",
        );
    }
    // The ports of RFC 8314, RFC 6409 and RFC 5321.
    let default_port = match tls {
        EmailTls::Implicit => 465,
        EmailTls::StartTls => 587,
        EmailTls::None => 25,
    };
    Ok(ReceiverKind::Email(EmailSettings {
        host,
        port: port?.and_then(|port| u16::try_from(port).ok()).unwrap_or(default_port),
        tls,
        login: login?,
        from: from?,
        to: to?,
    }))
}

fn host(section: &Section<'_>) -> Read<String> {
    let expected = "the mail server's name, such as \"smtp.example.com\", without its port";
    let item = section.required("host", expected)?;
    let is_right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let is_with_port = |text: &str| text.matches(':').count() == 1;
    checked(&item, expected, |text| {
        !text.is_empty() && text.len() <= 253 && text.chars().all(is_right) && !is_with_port(text)
    })
}

/// Both or none.
fn login(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<Option<EmailLogin>> {
    let user = section.optional("user", |item| {
        checked(item, "the user's name at the mail server", |text| {
            !text.is_empty() && !text.chars().any(char::is_control)
        })
    });
    let password = section.optional("password", |item| secret(item, surroundings).map(|secret| secret.value));
    match (user?, password?) {
        (Some(user), Some(password)) => Ok(Some(EmailLogin { user, password })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(section.error("password", "missing; `user` alone can't log in")),
        (None, Some(_)) => Err(section.error("user", "missing; `password` alone can't log in")),
    }
}

fn recipients(section: &Section<'_>) -> Read<Vec<String>> {
    let expected = "an address, such as \"ops@example.com\", or an array of them";
    let members = section.required("to", expected)?.one_or_more(expected)?;
    all(members.iter().map(|member| address(member, expected)))
}

/// Roughly: the last word on it is the receiver's, which parses it when it is made.
fn address(item: &Item<'_>, expected: &str) -> Read<String> {
    checked(item, expected, |text| {
        let parts = text.trim_end_matches('>').rsplit_once('@');
        let is_right = |(user, domain): (&str, &str)| {
            !user.is_empty() && !domain.is_empty() && !domain.contains(|c: char| c.is_whitespace() || c == ',')
        };
        parts.is_some_and(is_right) && !text.chars().any(char::is_control)
    })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
