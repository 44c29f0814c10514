//! A configured receiver: its name, its limits, and how it sends.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use super::http::{Bearer, Http, HttpError, TokenError, bearer};
use super::receiver::{Attempt, Pace, Preview, Receiver, Report};
use super::receivers::alertmanager::{self, Alertmanager};
use super::receivers::discord::Discord;
use super::receivers::email::{Email, EmailError};
#[cfg(feature = "aws-receivers")]
use super::receivers::eventbridge::EventBridge;
use super::receivers::exec::{EmptyCommand, Exec};
use super::receivers::file::File;
use super::receivers::google_chat::GoogleChat;
use super::receivers::log::{Log, Output};
use super::receivers::matrix::Matrix;
use super::receivers::mattermost::bot::MattermostBot;
use super::receivers::mattermost::webhook::Mattermost;
use super::receivers::ntfy::Ntfy;
use super::receivers::opsgenie::Opsgenie;
use super::receivers::pagerduty::PagerDuty;
use super::receivers::slack::bot::SlackBot;
use super::receivers::slack::webhook::Slack;
use super::receivers::teams::Teams;
use super::receivers::telegram::Telegram;
use super::receivers::webhook::{Webhook, WebhookSecretError};
#[cfg(feature = "aws-receivers")]
use super::receivers::{sns::Sns, sqs::Sqs};
use crate::config::{ReceiverKind, ReceiverSettings};
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

/// A receiver cannot be made from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("HTTP cannot be set up: {0}")]
    Http(#[from] HttpError),
    #[error("receiver `{receiver}`: its `url` cannot be used: {error}")]
    Url { receiver: String, error: HttpError },
    #[error("receiver `{receiver}`: {error}")]
    Token { receiver: String, error: TokenError },
    #[error("receiver `{receiver}`: {error}")]
    WebhookSecret {
        receiver: String,
        error: WebhookSecretError,
    },
    #[cfg(not(feature = "aws-receivers"))]
    #[error("receiver `{receiver}`: this ccwatch was built without the cargo feature `aws-receivers`")]
    NotBuiltIn { receiver: String },
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
            digest_over: settings.digest_over,
            spacing: settings
                .max_messages_per_minute
                .map(|most| Duration::try_from_secs_f64(60.0 / most).unwrap_or(Duration::MAX)),
            renderer: Renderer::new(settings.templates.clone()),
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
    let header = |token: &SecretString| {
        Bearer::new(token).map_err(|error| BuildError::Token {
            receiver: receiver(),
            error,
        })
    };
    let authorization = |token: &SecretString| {
        bearer(token).ok_or_else(|| BuildError::Token {
            receiver: receiver(),
            error: TokenError,
        })
    };
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
        ReceiverKind::SlackBot { url, token, channel } => {
            Arc::new(SlackBot::new(endpoint(url, &[token])?, header(token)?, channel))
        }
        ReceiverKind::Discord { url, is_forum } => Arc::new(Discord::new(endpoint(url, &[])?, *is_forum)),
        ReceiverKind::Mattermost { url, bot: None } => Arc::new(Mattermost::new(endpoint(url, &[])?)),
        ReceiverKind::Mattermost { url, bot: Some(bot) } => Arc::new(MattermostBot::new(
            endpoint(url, &[&bot.token])?,
            header(&bot.token)?,
            &bot.channel_id,
        )),
        ReceiverKind::Teams { url } => Arc::new(Teams::new(endpoint(url, &[])?)),
        ReceiverKind::GoogleChat { url } => Arc::new(GoogleChat::new(endpoint(url, &[])?)),
        ReceiverKind::PagerDuty { routing_key, url } => {
            let endpoint = endpoint(url, &[routing_key])?;
            Arc::new(PagerDuty::new(endpoint, routing_key.clone()))
        }
        ReceiverKind::Opsgenie { api_key, url } => Arc::new(Opsgenie::new(endpoint(url, &[api_key])?, api_key.clone())),
        ReceiverKind::Alertmanager { url, login } => {
            let secrets = login.as_ref().map(alertmanager::secrets);
            let tokens: Vec<&SecretString> = secrets.iter().flatten().collect();
            Arc::new(Alertmanager::new(&endpoint(url, &tokens)?, login.as_ref()))
        }
        #[cfg(feature = "aws-receivers")]
        ReceiverKind::Sqs { queue_url, access } => Arc::new(Sqs::new(queue_url.clone(), access.clone())),
        #[cfg(feature = "aws-receivers")]
        ReceiverKind::Sns { topic_arn, access } => Arc::new(Sns::new(topic_arn.clone(), access.clone())),
        #[cfg(feature = "aws-receivers")]
        ReceiverKind::EventBridge { bus, access } => Arc::new(EventBridge::new(bus.clone(), access.clone())),
        // The configuration refuses them before.
        #[cfg(not(feature = "aws-receivers"))]
        ReceiverKind::Sqs { .. } | ReceiverKind::Sns { .. } | ReceiverKind::EventBridge { .. } => {
            return Err(BuildError::NotBuiltIn { receiver: receiver() });
        }
        ReceiverKind::File { path } => Arc::new(File::new(path.clone())),
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

    /// There is nothing to send, and another attempt would make the same of it.
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
    use crate::config::{EmailLogin, EmailSettings, EmailTls, LogFormat, Login, MattermostBotSettings};
    use crate::decide::route::Audience;
    #[cfg(feature = "aws-receivers")]
    use crate::deliver::samples::aws_access;
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

    #[cfg(not(feature = "aws-receivers"))]
    fn kinds_in_aws() -> Vec<ReceiverSettings> {
        Vec::new()
    }

    #[cfg(feature = "aws-receivers")]
    fn kinds_in_aws() -> Vec<ReceiverSettings> {
        let queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q".into();
        let topic_arn = "arn:aws:sns:eu-west-1:123456789012:t".into();
        let (bus, access) = ("default".into(), aws_access());
        vec![
            settings(
                "sqs",
                ReceiverKind::Sqs {
                    queue_url,
                    access: access.clone(),
                },
            ),
            settings(
                "sns",
                ReceiverKind::Sns {
                    topic_arn,
                    access: access.clone(),
                },
            ),
            settings("eventbridge", ReceiverKind::EventBridge { bus, access }),
        ]
    }

    #[tokio::test]
    async fn every_kind_can_be_made_and_shows_no_secret() {
        let url = || SecretString::from("https://example.com/T0SECRETmarker");
        let mut kinds = vec![
            settings(
                "log",
                ReceiverKind::Log {
                    format: LogFormat::Text,
                },
            ),
            settings("slack", ReceiverKind::Slack { url: url() }),
            settings(
                "slack-bot",
                ReceiverKind::SlackBot {
                    url: url(),
                    token: "xoxb-T0SECRETmarker".into(),
                    channel: "C0123456789".into(),
                },
            ),
            settings(
                "discord",
                ReceiverKind::Discord {
                    url: url(),
                    is_forum: true,
                },
            ),
            settings("mattermost", ReceiverKind::Mattermost { url: url(), bot: None }),
            settings(
                "mattermost-bot",
                ReceiverKind::Mattermost {
                    url: url(),
                    bot: Some(MattermostBotSettings {
                        token: "T0SECRETmarker".into(),
                        channel_id: "4xp9fdt77pncbef59f4k1qe83o".into(),
                    }),
                },
            ),
            settings("teams", ReceiverKind::Teams { url: url() }),
            settings("google-chat", ReceiverKind::GoogleChat { url: url() }),
            settings(
                "pagerduty",
                ReceiverKind::PagerDuty {
                    routing_key: "T0SECRETmarker".into(),
                    url: url(),
                },
            ),
            settings(
                "opsgenie",
                ReceiverKind::Opsgenie {
                    api_key: "T0SECRETmarker".into(),
                    url: url(),
                },
            ),
            settings(
                "alertmanager",
                ReceiverKind::Alertmanager {
                    url: url(),
                    login: Some(Login::Bearer {
                        token: "T0SECRETmarker".into(),
                    }),
                },
            ),
            settings(
                "webhook",
                ReceiverKind::Webhook {
                    url: url(),
                    secrets: vec!["whsec_T0SECRETmarkerAA".into()],
                },
            ),
            settings("file", ReceiverKind::File { path: "/x".into() }),
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
        kinds.extend(kinds_in_aws());
        let destinations = build(&kinds, &output()).unwrap();
        let of = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            of(&mut destinations.iter().map(|destination| destination.name.as_str())),
            of(&mut kinds.iter().map(|settings| settings.name.as_str()))
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
            (
                ReceiverKind::SlackBot {
                    url: url(),
                    token: "T0SECRETmarker\n".into(),
                    channel: "C0123456789".into(),
                },
                "`token`",
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
