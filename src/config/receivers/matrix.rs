//! `type = "matrix"`

use std::time::Duration;

use super::{Section, Surroundings, Type, token, url};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::values::checked;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "matrix",
    keys: &["url", "token", "room"],
    audience: Audience::People,
    time_out: Duration::from_secs(30),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let url = url(section, surroundings);
    let token = token(section, "token", "an access token", surroundings);
    let room = room(section);
    Ok(ReceiverKind::Matrix {
        url: url?,
        token: token?,
        room: room?,
    })
}

/// Of at most 255 bytes. <https://spec.matrix.org/latest/appendices/#room-ids>
fn room(section: &Section<'_>) -> Read<String> {
    let expected =
        "a room's id, such as \"!OGEhHVWSdvArJzumhm:example.com\" (an alias, #name, may come to mean another room)";
    let item = section.required("room", expected)?;
    let is_right = |c: char| !c.is_control() && !c.is_whitespace();
    checked(&item, expected, |text| {
        (2..=255).contains(&text.len()) && text.starts_with('!') && text.chars().all(is_right)
    })
}
