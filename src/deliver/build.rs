//! Receivers as a configuration has them: a line for each type.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::Destination;
use super::http::{Bearer, Http, HttpError, TokenError, bearer};
use super::receiver::Receiver;
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
use crate::render::Renderer;

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

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
