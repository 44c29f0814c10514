//! `type = "slack-bot"`

use std::time::Duration;

use super::{Section, Surroundings, Type, token, url_or};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::values::checked;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "slack-bot",
    keys: &["token", "channel", "url"],
    audience: Audience::People,
    time_out: Duration::from_secs(15),
    read,
};

const API: &str = "https://slack.com/api/";

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let item = section.required(
        "token",
        "the app's bot token, xoxb-…, as text or by reference: { env = \"NAME\" }",
    );
    let token = item.and_then(|item| token(&item, surroundings));
    let url = url_or(section, surroundings, API);
    let expected = "a channel's id, such as \"C0123456789\", which Slack shows at the end of the channel's details";
    let channel = section.required("channel", expected);
    let channel = channel.and_then(|item| checked(&item, expected, is_channel));
    Ok(ReceiverKind::SlackBot {
        url: url?,
        token: token?,
        channel: channel?,
    })
}

/// Of a public or private channel, or a conversation with one person.
fn is_channel(text: &str) -> bool {
    text.starts_with(['C', 'G', 'D'])
        && (9..=21).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
