//! A configured receiver: its name, its limits, and how it sends.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::http::{Http, HttpError, bearer};
use super::receiver::{Attempt, Receiver, Report};
use super::receivers::email::{Email, EmailError};
use super::receivers::exec::{EmptyCommand, Exec};
use super::receivers::log::{Log, Output};
use super::receivers::matrix::Matrix;
use super::receivers::ntfy::Ntfy;
use super::receivers::slack::Slack;
use super::receivers::telegram::Telegram;
use super::receivers::webhook::{Webhook, WebhookSecretError};
use crate::config::{ReceiverKind, ReceiverSettings};
use crate::decide::retry::Outcome;
use crate::model::{Delivery, Timestamp};
use crate::render::Message;

/// Where deliveries go: a `[[receivers]]` entry, ready to send.
#[derive(Debug, Clone)]
pub struct Destination {
    pub name: String,
    /// How long a delivery is retried, and a few times at the least: see [`verdict`](crate::decide::retry::verdict).
    pub give_up_after: Duration,
    /// How long one attempt may take.
    pub time_out: Duration,
    pub receiver: Arc<dyn Receiver>,
}

/// A receiver cannot be made from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("HTTP cannot be set up: {0}")]
    Http(#[from] HttpError),
    #[error("receiver `{receiver}`: its `url` cannot be used: {error}")]
    Url { receiver: String, error: HttpError },
    #[error("receiver `{receiver}`: its `token` holds a character that no HTTP header can")]
    Token { receiver: String },
    #[error("receiver `{receiver}`: {error}")]
    WebhookSecret {
        receiver: String,
        error: WebhookSecretError,
    },
    #[error("receiver `{receiver}`: {error}")]
    Email { receiver: String, error: EmailError },
    #[error("receiver `{receiver}`: {error}")]
    Command { receiver: String, error: EmptyCommand },
}

/// Makes the receivers of a configuration, in its order. `output` is where the `log` receivers write.
pub fn build(settings: &[ReceiverSettings], output: &Output) -> Result<Vec<Destination>, BuildError> {
    let mut http = None;
    let destination = |settings: &ReceiverSettings| {
        Ok(Destination {
            name: settings.name.clone(),
            give_up_after: settings.give_up_after,
            time_out: settings.time_out,
            receiver: receiver(settings, &mut http, output)?,
        })
    };
    settings.iter().map(destination).collect()
}

/// `http` is set up by the first receiver that needs it: without one, a machine without certificates is no problem.
fn receiver(
    settings: &ReceiverSettings,
    http: &mut Option<Http>,
    output: &Output,
) -> Result<Arc<dyn Receiver>, BuildError> {
    let receiver = || settings.name.clone();
    let mut endpoint = |url: &SecretString, tokens: &[&SecretString]| {
        let http = match http {
            Some(http) => http,
            None => http.insert(Http::new()?),
        };
        http.endpoint(url.expose_secret(), tokens)
            .map_err(|error| BuildError::Url {
                receiver: receiver(),
                error,
            })
    };
    let authorization = |token: &SecretString| bearer(token).ok_or_else(|| BuildError::Token { receiver: receiver() });
    Ok(match &settings.kind {
        ReceiverKind::Log { format } => Arc::new(Log::new(*format, output.clone())),
        ReceiverKind::Webhook { url, secrets } => {
            let webhook = Webhook::new(endpoint(url, &[])?, secrets);
            Arc::new(webhook.map_err(|error| BuildError::WebhookSecret {
                receiver: receiver(),
                error,
            })?)
        }
        ReceiverKind::Slack { url } => Arc::new(Slack::new(endpoint(url, &[])?)),
        ReceiverKind::Matrix { url, token, room } => {
            let homeserver = endpoint(url, &[token])?;
            Arc::new(Matrix::new(&homeserver, room, authorization(token)?))
        }
        ReceiverKind::Telegram {
            token,
            chat_id,
            message_thread_id,
            url,
        } => {
            let api = endpoint(url, &[token])?;
            Arc::new(Telegram::new(&api, token, chat_id.clone(), *message_thread_id))
        }
        ReceiverKind::Ntfy { url, topic, token } => {
            let tokens: Vec<&SecretString> = std::iter::once(topic).chain(token).collect();
            let authorization = token.as_ref().map(authorization).transpose()?;
            Arc::new(Ntfy::new(endpoint(url, &tokens)?, topic.clone(), authorization))
        }
        ReceiverKind::Email(email) => Arc::new(Email::new(email).map_err(|error| BuildError::Email {
            receiver: receiver(),
            error,
        })?),
        ReceiverKind::Exec { command } => Arc::new(Exec::new(command).map_err(|error| BuildError::Command {
            receiver: receiver(),
            error,
        })?),
    })
}

impl Destination {
    /// Makes the next attempt, within the time limit. Errors are prefixed with the receiver's name.
    pub async fn send(&self, delivery: &Delivery, now: Timestamp) -> Report {
        let message = Message::new(&delivery.news);
        let deadline = Instant::now() + self.time_out;
        let idempotency_key = match delivery.ids.as_slice() {
            [id] => format!("{}-{}", message.id(), id.0),
            _ => message.id().to_string(),
        };
        let attempt = Attempt {
            message: &message,
            idempotency_key: &idempotency_key,
            thread: delivery.thread.as_deref(),
            number: delivery.attempts.saturating_add(1),
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{EmailLogin, EmailSettings, EmailTls, LogFormat};
    use crate::decide::route::Audience;
    use crate::deliver::samples::{NOW, delivery};

    fn settings(name: &str, kind: ReceiverKind) -> ReceiverSettings {
        ReceiverSettings {
            name: name.into(),
            give_up_after: Duration::from_hours(24),
            time_out: Duration::from_millis(100),
            audience: Audience::Machines,
            kind,
        }
    }

    fn output() -> Output {
        Output::new(std::io::sink(), false)
    }

    #[tokio::test]
    async fn every_kind_can_be_made_and_shows_no_secret() {
        let url = || SecretString::from("https://example.com/T0SECRETmarker");
        let kinds = [
            settings(
                "log",
                ReceiverKind::Log {
                    format: LogFormat::Text,
                },
            ),
            settings("slack", ReceiverKind::Slack { url: url() }),
            settings(
                "webhook",
                ReceiverKind::Webhook {
                    url: url(),
                    secrets: vec!["whsec_T0SECRETmarkerAA".into()],
                },
            ),
            settings(
                "matrix",
                ReceiverKind::Matrix {
                    url: url(),
                    token: "T0SECRETmarker".into(),
                    room: "!a:b".into(),
                },
            ),
            settings(
                "telegram",
                ReceiverKind::Telegram {
                    token: "1:T0SECRETmarker".into(),
                    chat_id: "1".into(),
                    message_thread_id: None,
                    url: url(),
                },
            ),
            settings(
                "ntfy",
                ReceiverKind::Ntfy {
                    url: url(),
                    topic: "T0SECRETmarker".into(),
                    token: Some("T0SECRETmarker".into()),
                },
            ),
            settings(
                "email",
                ReceiverKind::Email(EmailSettings {
                    host: "mail.example.com".into(),
                    port: 587,
                    tls: EmailTls::StartTls,
                    login: Some(EmailLogin {
                        user: "ccwatch".into(),
                        password: "T0SECRETmarker".into(),
                    }),
                    from: "ccwatch@example.com".into(),
                    to: vec!["ops@example.com".into()],
                }),
            ),
            settings(
                "exec",
                ReceiverKind::Exec {
                    command: vec!["/bin/true".into()],
                },
            ),
        ];
        let destinations = build(&kinds, &output()).unwrap();
        let names: Vec<&str> = destinations
            .iter()
            .map(|destination| destination.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["log", "slack", "webhook", "matrix", "telegram", "ntfy", "email", "exec"]
        );
        assert!(!format!("{destinations:?} {kinds:?}").contains("T0SECRETmarker"));
    }

    #[test]
    fn what_cannot_be_made_is_named_and_not_repeated() {
        let url = || SecretString::from("https://example.com/");
        for (kind, key) in [
            (
                ReceiverKind::Slack {
                    url: "T0SECRETmarker".into(),
                },
                "`url`",
            ),
            (
                ReceiverKind::Webhook {
                    url: url(),
                    secrets: vec!["T0SECRETmarker!".into()],
                },
                "secret",
            ),
            (ReceiverKind::Exec { command: vec![] }, "`command`"),
        ] {
            let error = build(&[settings("ops", kind)], &output()).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("receiver `ops`: ") && text.contains(key), "{text}");
            assert!(!format!("{text} {error:?}").contains("T0SECRETmarker"));
        }
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
}
