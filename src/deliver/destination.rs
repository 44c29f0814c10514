//! A configured receiver: its name, its limits, and how it sends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::receiver::{Attempt, Pace, Preview, Receiver, Report};
use crate::decide::retry::Outcome;
use crate::model::{Delivery, News, Timestamp};
use crate::render::{Message, Renderer, TemplateError};

/// Where deliveries go: a `[[receivers]]` entry, ready to send.
#[derive(Debug, Clone)]
pub struct Destination {
    pub name: String,
    /// How long a delivery is retried, and a few times at the least: see [`verdict`](crate::decide::retry::verdict).
    pub give_up_after: Duration,
    /// How long one attempt may take.
    pub time_out: Duration,
    /// More changes than this, due together, are told in one digest; `None`: each is told for itself.
    pub digest_over: Option<u32>,
    /// The least time between two sends, in place of the receiver's own.
    pub spacing: Option<Duration>,
    /// Puts the news into words.
    pub renderer: Renderer,
    pub receiver: Arc<dyn Receiver>,
}

impl Destination {
    /// How fast it may be sent to.
    pub fn pace(&self) -> Pace {
        let pace = self.receiver.pace();
        match self.spacing {
            Some(spacing) => Pace {
                spacing,
                burst: 1,
                ..pace
            },
            None => pace,
        }
    }

    /// Makes the next attempt, within the time limit. Errors are prefixed with the receiver's name.
    pub async fn send(&self, delivery: &Delivery, now: Timestamp) -> Report {
        let message = match self.message(&delivery.news) {
            Ok(message) => message,
            Err(error) => return self.without_payload(&error),
        };
        let idempotency_key = match delivery.ids.as_slice() {
            [id] => format!("{}-{}", message.id(), id.0),
            _ => message.id().to_string(),
        };
        let number = delivery.attempts.saturating_add(1);
        let thread = delivery.thread.as_deref();
        self.attempt(&message, (&idempotency_key, number), thread, now).await
    }

    /// Sends news that did not happen, in words that say so: the only attempt, within the time limit.
    pub async fn test(&self, news: &News, thread: Option<&str>, now: Timestamp) -> Report {
        let mut message = match self.message(news) {
            Ok(message) => message,
            Err(error) => return self.without_payload(&error),
        };
        for words in [Some(&mut message.words), message.present.as_mut()]
            .into_iter()
            .flatten()
        {
            words.title = format!("Test: {}", words.title);
            words.about = format!("Test: {}", words.about);
        }
        self.attempt(&message, (&message.id().0, 1), thread, now).await
    }

    /// What would be sent. Calls no one.
    ///
    /// # Errors
    ///
    /// If its `payload` makes nothing of the news.
    pub fn preview(&self, news: &News) -> Result<Preview, TemplateError> {
        Ok(self.receiver.preview(&self.message(news)?))
    }

    fn message<'n>(&self, news: &'n News) -> Result<Message<'n>, TemplateError> {
        let rendered = self.renderer.message(news)?;
        for error in &rendered.failures {
            tracing::warn!(
                receiver = self.name,
                template = error.part.as_str(),
                %error,
                "a template fails; ccwatch's own words stand in its place"
            );
        }
        Ok(rendered.message)
    }

    async fn attempt(
        &self,
        message: &Message<'_>,
        (idempotency_key, number): (&str, u32),
        thread: Option<&str>,
        now: Timestamp,
    ) -> Report {
        let deadline = Instant::now() + self.time_out;
        let attempt = Attempt {
            message,
            idempotency_key,
            thread,
            number,
            now,
            deadline,
        };
        let mut report = timeout_at(deadline, self.receiver.send(attempt))
            .await
            .unwrap_or_else(|_| {
                Report::from(Outcome::Failed {
                    error: format!(
                        "not done within {}; raise its `time_out` if it needs longer",
                        humantime::format_duration(self.time_out)
                    ),
                    retry_after: None,
                })
            });
        match &mut report.outcome {
            Outcome::Accepted => {}
            Outcome::Failed { error, .. } | Outcome::Rejected { error } => {
                *error = format!("receiver `{}`: {error}", self.name);
            }
        }
        report
    }

    /// There is nothing to send until the template is mended.
    fn without_payload(&self, error: &TemplateError) -> Report {
        // A person mends it, and starts ccwatch again: nothing is lost by it.
        Report::from(Outcome::Failed {
            error: format!(
                "receiver `{}`: its `payload` makes nothing of this news: {error}",
                self.name
            ),
            retry_after: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ReceiverKind, ReceiverSettings};
    use crate::decide::route::Audience;
    use crate::deliver::Output;
    use crate::deliver::build::build;
    use crate::deliver::samples::{NOW, delivery};
    use crate::model::News;
    use crate::render::{Part, Template};

    fn settings(name: &str, kind: ReceiverKind) -> ReceiverSettings {
        ReceiverSettings {
            time_out: Duration::from_millis(100),
            ..ReceiverSettings::plain(name, Audience::Machines, kind)
        }
    }

    fn output() -> Output {
        Output::new(std::io::sink(), false)
    }

    #[tokio::test]
    async fn an_attempt_ends_with_its_time_and_says_whose_it_was() {
        let command = ["/bin/sh", "-c", "exec sleep 1000"].map(str::to_owned).to_vec();
        let destination = build(&[settings("ops", ReceiverKind::Exec { command })], &output())
            .unwrap()
            .remove(0);
        let report = destination.send(&delivery(1, "a", 0), NOW).await;
        assert_eq!(
            report.outcome,
            Outcome::Failed {
                error: "receiver `ops`: not done within 100ms; raise its `time_out` if it needs longer".into(),
                retry_after: None
            }
        );
    }

    fn exec_with_payload(script: &str, payload: &str) -> Destination {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let mut settings = settings("ops", ReceiverKind::Exec { command });
        settings.time_out = Duration::from_mins(1);
        settings.templates.payload = Some(Template::new(Part::Payload, payload).unwrap());
        build(&[settings], &output()).unwrap().remove(0)
    }

    #[tokio::test]
    async fn a_payload_is_what_is_sent() {
        let destination = exec_with_payload("read -r line; test \"$line\" = 'it is FAILED'", "it is {{ to }}\n");
        assert_eq!(
            destination.send(&delivery(1, "a", 0), NOW).await.outcome,
            Outcome::Accepted
        );
    }

    #[tokio::test]
    async fn a_payload_that_cannot_be_made_is_given_up_with_the_reason() {
        let destination = exec_with_payload("true", "{% if to == 'PAUSED' %}{{ 1 / 0 }}{% endif %}x");
        let mut delivery = delivery(1, "a", 0);
        let News::Change(change) = &mut delivery.news else {
            panic!("{delivery:?}");
        };
        change.to = Some("PAUSED".into());
        let error = "receiver `ops`: its `payload` makes nothing of this news: line 1 of the template: invalid operation: \
                     unable to calculate 1 / 0";
        assert_eq!(
            destination.send(&delivery, NOW).await.outcome,
            Outcome::Failed {
                error: error.into(),
                retry_after: None,
            }
        );
    }
}
