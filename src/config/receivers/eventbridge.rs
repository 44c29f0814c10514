//! `type = "eventbridge"`

use std::time::Duration;

use super::{Section, Surroundings, Type, aws};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::config::wording::quoted;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "eventbridge",
    keys: &["bus", "region", "profile", "endpoint_url"],
    audience: Audience::Machines,
    time_out: Duration::from_secs(30),
    read,
};

fn read(section: &Section<'_>, _: &Surroundings<'_>) -> Read<ReceiverKind> {
    aws::is_built_in(section)?;
    let expected = "an event bus by its name, such as \"default\", or by its ARN";
    let item = section.required("bus", expected)?;
    let bus = item.string(expected)?;
    let wrong = || item.error(format!("expected {expected}, found {}", quoted(bus)));
    let region = match section.get("region") {
        None if bus.starts_with("arn:") => aws::region_of(bus, "events").ok_or_else(wrong),
        Some(region) if bus.starts_with("arn:") => Err(region.error("the bus's ARN says it already: leave it out")),
        _ if !is_name(bus) => Err(wrong()),
        _ => aws::region(section),
    };
    let access = aws::access(section, region);
    Ok(ReceiverKind::EventBridge {
        bus: bus.to_owned(),
        access: access?,
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>
fn is_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    (1..=256).contains(&text.len()) && text.chars().all(is_allowed)
}
