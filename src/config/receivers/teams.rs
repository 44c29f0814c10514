//! `type = "teams"`

use std::time::Duration;

use super::{Section, Surroundings, Type, url};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "teams",
    keys: &["url"],
    audience: Audience::People,
    time_out: Duration::from_secs(15),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    Ok(ReceiverKind::Teams {
        url: url(section, surroundings)?,
    })
}
