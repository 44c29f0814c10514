//! `type = "telegram"`

use std::time::Duration;

use toml_span::value::ValueInner;

use super::{Section, Surroundings, Type, token, url_or};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::values::{checked, integer};
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "telegram",
    keys: &["token", "chat_id", "message_thread_id", "url"],
    audience: Audience::People,
    time_out: Duration::from_secs(30),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let token = token(section, "token", "the bot's token", surroundings);
    let chat_id = chat_id(section);
    let message_thread_id = section.optional("message_thread_id", |item| integer(item, &(1..=i64::from(i32::MAX))));
    let url = url_or(section, "https://api.telegram.org", surroundings);
    Ok(ReceiverKind::Telegram {
        token: token?,
        chat_id: chat_id?,
        message_thread_id: message_thread_id?,
        url: url?,
    })
}

/// <https://core.telegram.org/bots/api#sendmessage>
fn chat_id(section: &Section<'_>) -> Read<String> {
    let expected =
        "a chat's number, such as -1001234567890, or a public channel's or group's name, such as \"@ccwatch\"";
    let item = section.required("chat_id", expected)?;
    if let ValueInner::Integer(number) = item.inner() {
        return Ok(number.to_string());
    }
    checked(&item, expected, |text| {
        let is_name =
            |name: &str| name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        text.strip_prefix('@').is_some_and(is_name) || text.parse::<i64>().is_ok()
    })
}
