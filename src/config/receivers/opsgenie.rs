//! `type = "opsgenie"`

use std::time::Duration;

use super::{Section, Surroundings, Type, token, url_or};
use crate::config::ReceiverKind;
use crate::config::problems::Read;
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "opsgenie",
    keys: &["api_key", "url"],
    audience: Audience::Incidents,
    time_out: Duration::from_secs(15),
    read,
};

/// Jira Service Management's, which stays when Opsgenie's own ends.
/// <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/>
const URL: &str = "https://api.atlassian.com/jsm/ops/integration";

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let api_key = token(section, "api_key", "the key of an API integration", surroundings);
    let url = url_or(section, URL, surroundings);
    Ok(ReceiverKind::Opsgenie {
        api_key: api_key?,
        url: url?,
    })
}
