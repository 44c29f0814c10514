//! `type = "log"`

use std::time::Duration;

use super::{Section, Surroundings, Type};
use crate::config::problems::Read;
use crate::config::values::one_of;
use crate::config::{LogFormat, ReceiverKind};
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "log",
    keys: &["format"],
    audience: Audience::Machines,
    time_out: Duration::from_secs(15),
    read,
};

const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

fn read(section: &Section<'_>, _: &Surroundings<'_>) -> Read<ReceiverKind> {
    let format = section.optional("format", |item| one_of(item, &FORMATS))?;
    Ok(ReceiverKind::Log {
        format: format.unwrap_or_default(),
    })
}
