//! SNS: the CloudEvent as a message, with attributes for subscriptions to filter by, and a subject for those who read mail.
//!
//! - **In a FIFO topic** (its name ends in `.fifo`) the changes of one request are one group and stay in order; what is sent
//!   twice within five minutes, because its answer was lost, is passed on once.
//! - Limits are kept by `cloud_event` and `aws`: a message of 64 KiB at the most where SNS takes 256, six attributes of the
//!   ten that raw delivery to SQS takes.
//! - **A subject is a hundred characters of ASCII**; one that holds a control character or anything beyond ASCII, SNS refuses
//!   with the whole message.
//!
//! <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>,
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>

use std::fmt;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use tokio::sync::OnceCell;

use crate::config::AwsAccess;
use crate::decide::retry::Outcome;
use crate::deliver::aws::{self, Service};
use crate::deliver::cloud_event;
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::render::Message;

const SERVICE: Service = Service {
    name: "SNS",
    action: "sns:Publish",
    key: "topic_arn",
};
/// Characters of a subject.
const SUBJECT: usize = 100;

/// A receiver of type `sns`.
pub struct Sns {
    topic_arn: String,
    access: AwsAccess,
    /// Made with the first message, since finding credentials takes time.
    client: OnceCell<Client>,
}

impl fmt::Debug for Sns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sns")
            .field("topic_arn", &self.topic_arn)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl Sns {
    pub fn new(topic_arn: String, access: AwsAccess) -> Self {
        Self {
            topic_arn,
            access,
            client: OnceCell::new(),
        }
    }

    async fn publish(&self, attempt: Attempt<'_>) -> Report {
        let body = match cloud_event::written(attempt.message.news) {
            Ok(body) => body,
            Err(error) => return cloud_event::unwritten(&error),
        };
        let client = self
            .client
            .get_or_init(async || Client::new(&aws::load(&self.access).await))
            .await;
        let mut call = client
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(subject(&attempt.message.words.title))
            .message(body);
        for (name, value) in aws::attributes(attempt.message.news) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            match value.build() {
                Ok(value) => call = call.message_attributes(name, value),
                Err(error) => return cloud_event::unwritten(&error),
            }
        }
        if aws::is_fifo(&self.topic_arn) {
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

impl Receiver for Sns {
    fn pace(&self) -> Pace {
        aws::PACE
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let title = &message.words.title;
        let event = cloud_event::preview(message.news);
        let mut measures = vec![Measure {
            part: "subject",
            size: title.chars().count(),
            limit: SUBJECT,
            unit: "characters",
        }];
        measures.extend(event.measures);
        Preview {
            content: format!("Subject: {}\n\n{}", subject(title), event.content),
            measures,
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.publish(attempt))
    }
}

/// The title in what SNS takes for a subject. It must begin with a letter, a digit or a sign.
fn subject(title: &str) -> String {
    let ascii = title.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' });
    let subject: String = ascii.skip_while(|c| *c == ' ').collect();
    if subject.len() <= SUBJECT {
        return if subject.is_empty() {
            "ccwatch".to_owned()
        } else {
            subject
        };
    }
    // Of ASCII alone: each byte is a character.
    format!("{}...", &subject[..SUBJECT - 3])
}

#[cfg(test)]
#[path = "sns_tests.rs"]
mod tests;
