//! `type = "ntfy"`

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{Section, Surroundings, Type, token, url_or};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::secret::secret;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "ntfy",
    keys: &["url", "topic", "token"],
    audience: Audience::People,
    time_out: Duration::from_secs(15),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let url = url_or(section, "https://ntfy.sh", surroundings);
    let topic = topic(section, surroundings);
    let token = section.optional("token", |_| token(section, "token", "an access token", surroundings));
    Ok(ReceiverKind::Ntfy {
        url: url?,
        topic: topic?,
        token: token?,
    })
}

/// A secret, since whoever knows an open topic's name can read it.
/// <https://docs.ntfy.sh/publish/>
fn topic(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<SecretString> {
    let item = section.required("topic", "the topic's name, as text or by reference: { env = \"NAME\" }")?;
    let secret = secret(&item, surroundings)?;
    let topic = secret.value.expose_secret();
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if topic.len() > 64 || !topic.bytes().all(is_right) {
        return Err(secret.error("is no topic's name: 1 to 64 letters, digits, dashes or underscores"));
    }
    Ok(secret.value)
}
