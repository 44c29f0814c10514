//! `type = "mattermost"`

use std::time::Duration;

use super::{Section, Surroundings, Type, token, url};
use crate::config::problems::{Read, Reported};
use crate::config::values::checked;
use crate::config::{MattermostBotSettings, ReceiverKind};
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "mattermost",
    keys: &["url", "token", "channel_id"],
    audience: Audience::People,
    time_out: Duration::from_secs(15),
    read,
};

const TOKEN: &str = "the bot's token, as text or by reference: { env = \"NAME\" }";
const CHANNEL: &str =
    "a channel's id of 26 lower-case letters and digits, which Mattermost shows in the channel's info";

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let (url, bot) = (url(section, surroundings), bot(section, surroundings));
    Ok(ReceiverKind::Mattermost { url: url?, bot: bot? })
}

fn bot(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<Option<MattermostBotSettings>> {
    let token = section.optional("token", |item| token(item, surroundings));
    let channel_id = section.optional("channel_id", |item| checked(item, CHANNEL, is_id));
    let is_given = |key| section.get(key).is_some();
    match (is_given("token"), is_given("channel_id")) {
        (true, false) => Err(missing(section, "channel_id", "token", CHANNEL)),
        (false, true) => Err(missing(section, "token", "channel_id", TOKEN)),
        _ => Ok(token?
            .zip(channel_id?)
            .map(|(token, channel_id)| MattermostBotSettings { token, channel_id })),
    }
}

fn missing(section: &Section<'_>, key: &str, with: &str, expected: &str) -> Reported {
    section.error(key, format!("missing; with `{with}`, expected {expected}"))
}

fn is_id(text: &str) -> bool {
    text.len() == 26
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
