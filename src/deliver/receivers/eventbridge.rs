//! EventBridge: the CloudEvent as an event's detail, for rules to match.
//!
//! - **`source` is `ccwatch`, `detail-type` the CloudEvent's type** (`ccwatch.request.status`), the detail the whole
//!   CloudEvent, so that a rule can match `detail.data.request.type_name`, and a consumer can tell by `detail.id` what it has
//!   seen: EventBridge itself does not.
//! - **An answer of 200 is no success by itself**: the entry may have failed in it, with a code of its own.
//! - Limits are kept by `cloud_event`: 64 KiB at the most where an entry may have 256.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>

use std::fmt;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use tokio::sync::OnceCell;

use crate::config::AwsAccess;
use crate::decide::retry::Outcome;
use crate::deliver::aws::{self, Service};
use crate::deliver::cloud_event;
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Report, Sending};
use crate::render::Message;
use crate::render::text::cut;

const SERVICE: Service = Service {
    name: "EventBridge",
    action: "events:PutEvents",
    key: "bus",
};
/// Characters of `detail-type`.
const DETAIL_TYPE: usize = 128;

/// A receiver of type `eventbridge`.
pub struct EventBridge {
    /// Its name or ARN.
    bus: String,
    access: AwsAccess,
    /// Made with the first message, since finding credentials takes time.
    client: OnceCell<Client>,
}

impl fmt::Debug for EventBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBridge")
            .field("bus", &self.bus)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl EventBridge {
    pub fn new(bus: String, access: AwsAccess) -> Self {
        Self {
            bus,
            access,
            client: OnceCell::new(),
        }
    }

    async fn put(&self, attempt: Attempt<'_>) -> Report {
        let news = attempt.message.news;
        let detail = match cloud_event::written(news) {
            Ok(detail) => detail,
            Err(error) => return cloud_event::unwritten(&error),
        };
        let client = self
            .client
            .get_or_init(async || Client::new(&aws::load(&self.access).await))
            .await;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source("ccwatch")
            .detail_type(cut(&cloud_event::kind(news), DETAIL_TYPE))
            .detail(detail)
            .time(DateTime::from_millis(news.at().as_millis()))
            .build();
        match client.put_events().entries(entry).send().await {
            Ok(answer) if answer.failed_entry_count() == 0 => Report::from(Outcome::Accepted),
            Ok(answer) => {
                let entry = answer.entries().first();
                let code = entry.and_then(|entry| entry.error_code());
                SERVICE.refusal(None, code, entry.and_then(|entry| entry.error_message()))
            }
            Err(error) => SERVICE.failure(&error),
        }
    }
}

impl Receiver for EventBridge {
    fn pace(&self) -> Pace {
        aws::PACE
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        cloud_event::preview(message.news)
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.put(attempt))
    }
}

#[cfg(test)]
#[path = "eventbridge_tests.rs"]
mod tests;
