//! `type = "webhook"`

use std::time::Duration;

use secrecy::SecretString;

use super::{Section, Surroundings, Type, url};
use crate::config::ReceiverKind;
use crate::config::problems::{Read, all};
use crate::config::secret::signing_key;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "webhook",
    keys: &["url", "secret", "payload"],
    audience: Audience::Machines,
    time_out: Duration::from_secs(15),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let (url, secrets) = (url(section, surroundings), signing_keys(section, surroundings));
    Ok(ReceiverKind::Webhook {
        url: url?,
        secrets: secrets?,
    })
}

fn signing_keys(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<Vec<SecretString>> {
    let keys = section.optional("secret", |item| {
        let members = item.one_or_more("a signing key, or several while it is being changed")?;
        all(members.iter().map(|member| signing_key(member, surroundings)))
    });
    Ok(keys?.unwrap_or_default())
}
