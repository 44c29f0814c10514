//! SQS: the CloudEvent as a message, with attributes to filter by.
//!
//! - **In a FIFO queue** (its name ends in `.fifo`) the changes of one request are one group, so that they are consumed in
//!   order; what is sent twice within five minutes, because its answer was lost, is there once.
//! - Limits are kept by `cloud_event` and `aws`: a message of 64 KiB at the most where SQS takes 1 MiB, six attributes of
//!   ten, XML's characters alone.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>

use std::fmt;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use tokio::sync::OnceCell;

use crate::config::AwsAccess;
use crate::decide::retry::Outcome;
use crate::deliver::aws::{self, Service};
use crate::deliver::cloud_event;
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Report, Sending};
use crate::render::Message;

const SERVICE: Service = Service {
    name: "SQS",
    action: "sqs:SendMessage",
    key: "queue_url",
};

/// A receiver of type `sqs`.
pub struct Sqs {
    queue_url: String,
    access: AwsAccess,
    /// Made with the first message, since finding credentials takes time.
    client: OnceCell<Client>,
}

impl fmt::Debug for Sqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqs")
            .field("queue_url", &self.queue_url)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl Sqs {
    pub fn new(queue_url: String, access: AwsAccess) -> Self {
        Self {
            queue_url,
            access,
            client: OnceCell::new(),
        }
    }

    async fn send_message(&self, attempt: Attempt<'_>) -> Report {
        let body = match cloud_event::written(attempt.message.news) {
            Ok(body) => body,
            Err(error) => return cloud_event::unwritten(&error),
        };
        let client = self
            .client
            .get_or_init(async || Client::new(&aws::load(&self.access).await))
            .await;
        let mut call = client.send_message().queue_url(&self.queue_url).message_body(body);
        for (name, value) in aws::attributes(attempt.message.news) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            match value.build() {
                Ok(value) => call = call.message_attributes(name, value),
                Err(error) => return cloud_event::unwritten(&error),
            }
        }
        if aws::is_fifo(&self.queue_url) {
            call = call
                .message_group_id(aws::group_id(attempt.message))
                .message_deduplication_id(aws::within_fifo(attempt.idempotency_key));
        }
        match call.send().await {
            Ok(_) => Report::from(Outcome::Accepted),
            Err(error) => SERVICE.failure(&error),
        }
    }
}

impl Receiver for Sqs {
    fn pace(&self) -> Pace {
        aws::PACE
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        cloud_event::preview(message.news)
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.send_message(attempt))
    }
}

#[cfg(test)]
#[path = "sqs_tests.rs"]
mod tests;
