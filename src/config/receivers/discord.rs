//! `type = "discord"`

use std::time::Duration;

use super::{Section, Surroundings, Type, url};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::values::boolean;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "discord",
    keys: &["url", "forum"],
    audience: Audience::People,
    time_out: Duration::from_secs(15),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let (url, is_forum) = (url(section, surroundings), section.optional("forum", boolean));
    Ok(ReceiverKind::Discord {
        url: url?,
        is_forum: is_forum?.unwrap_or(false),
    })
}
