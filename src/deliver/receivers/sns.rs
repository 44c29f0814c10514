//! SNS: the CloudEvent as a message, with attributes for subscriptions to filter by, and a subject for those who read mail.
//!
//! - **In a FIFO topic** (its name ends in `.fifo`) the changes of one request are one group and stay in order; what is sent
//!   twice within five minutes, because its answer was lost, is passed on once.
//! - Limits are kept by [`cloud_event`] and [`aws`]: a message of 64 KiB at the most where SNS takes 256, six attributes of the
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
        if self.topic_arn.ends_with(".fifo") {
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::deliver::samples::failed_request;
    use crate::model::News;

    #[test]
    fn a_preview_shows_the_subject_and_measures_it() {
        let access = AwsAccess {
            region: crate::model::Region("eu-west-1".into()),
            profile: None,
            endpoint_url: None,
        };
        let sns = Sns::new("arn:aws:sns:eu-west-1:123456789012:t".into(), access);
        let news = News::Change(Box::new(failed_request()));
        let preview = sns.preview(&Message::new(&news));
        assert!(
            preview
                .content
                .starts_with("Subject: CREATE AWS::S3::Bucket failed\n\n{")
        );
        let parts: Vec<_> = preview.measures.iter().map(|measure| measure.part).collect();
        assert_eq!(parts, ["subject", "body"]);
        assert!(preview.measures.iter().all(|measure| measure.size <= measure.limit));
    }

    #[test]
    fn a_subject_is_ascii_of_bounded_length() {
        assert_eq!(subject("CREATE größe"), "CREATE gr??e");
        assert_eq!(subject(&"x".repeat(101)), "x".repeat(97) + "...");
        assert_eq!(subject(" \u{1}"), "?");
        assert_eq!(subject(""), "ccwatch");
    }

    proptest! {
        #[test]
        fn no_text_whatever_makes_a_subject_that_sns_refuses(text in any::<String>(), times in 0_usize..50) {
            let subject = subject(&text.repeat(times));
            prop_assert!((1..=100).contains(&subject.len()));
            prop_assert!(subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !subject.starts_with(' '));
        }
    }
}
