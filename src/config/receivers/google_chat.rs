//! `type = "google-chat"`

use std::time::Duration;

use super::{Section, Surroundings, Type, url};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "google-chat",
    keys: &["url"],
    audience: Audience::People,
    time_out: Duration::from_secs(15),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    Ok(ReceiverKind::GoogleChat {
        url: url(section, surroundings)?,
    })
}
