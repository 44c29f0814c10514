//! `type = "pagerduty"`

use std::time::Duration;

use super::{Section, Surroundings, Type, token, url_or};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "pagerduty",
    keys: &["routing_key", "url"],
    audience: Audience::Incidents,
    time_out: Duration::from_secs(15),
    read,
};

/// <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>
const URL: &str = "https://events.pagerduty.com/v2/enqueue";

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let routing_key = token(
        section,
        "routing_key",
        "the Integration Key of an Events API v2 integration",
        surroundings,
    );
    let url = url_or(section, URL, surroundings);
    Ok(ReceiverKind::PagerDuty {
        routing_key: routing_key?,
        url: url?,
    })
}
