//! A configured receiver: its name, its limits, and how it sends.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::http::{Http, HttpError};
use super::receiver::{Attempt, Receiver};
use super::receivers::exec::{EmptyCommand, Exec};
use super::receivers::log::{Log, Output};
use super::receivers::slack::Slack;
use super::receivers::webhook::{Webhook, WebhookSecretError};
use crate::config::{ReceiverKind, ReceiverSettings};
use crate::decide::retry::Outcome;
use crate::model::{Announcement, Timestamp};

/// Where deliveries go: a `[[receivers]]` entry, ready to send.
#[derive(Debug, Clone)]
pub struct Destination {
    pub name: String,
    /// How long a delivery is retried.
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
    #[error("receiver `{receiver}`: {error}")]
    WebhookSecret {
        receiver: String,
        error: WebhookSecretError,
    },
    #[error("receiver `{receiver}`: {error}")]
    Command { receiver: String, error: EmptyCommand },
}

/// Makes the receivers of a configuration, in its order. `output` is where the `log` receivers write.
pub fn build(settings: &[ReceiverSettings], output: &Output) -> Result<Vec<Destination>, BuildError> {
    let http = Http::new()?;
    settings
        .iter()
        .map(|settings| {
            Ok(Destination {
                name: settings.name.clone(),
                give_up_after: settings.give_up_after,
                time_out: settings.time_out,
                receiver: receiver(settings, &http, output)?,
            })
        })
        .collect()
}

fn receiver(settings: &ReceiverSettings, http: &Http, output: &Output) -> Result<Arc<dyn Receiver>, BuildError> {
    let name = || settings.name.clone();
    let endpoint = |url: &secrecy::SecretString| {
        http.endpoint(url.expose_secret()).map_err(|error| BuildError::Url {
            receiver: name(),
            error,
        })
    };
    Ok(match &settings.kind {
        ReceiverKind::Log { format } => Arc::new(Log::new(*format, output.clone())),
        ReceiverKind::Webhook { url, secrets } => {
            Arc::new(
                Webhook::new(endpoint(url)?, secrets).map_err(|error| BuildError::WebhookSecret {
                    receiver: name(),
                    error,
                })?,
            )
        }
        ReceiverKind::Slack { url } => Arc::new(Slack::new(endpoint(url)?)),
        ReceiverKind::Exec { command } => Arc::new(Exec::new(command).map_err(|error| BuildError::Command {
            receiver: name(),
            error,
        })?),
    })
}

impl Destination {
    /// Makes attempt `number` (1 for the first), within the time limit. Errors are prefixed with the receiver's name.
    pub async fn send(&self, announcement: &Announcement, number: u32, now: Timestamp) -> Outcome {
        let attempt = Attempt {
            announcement,
            number,
            now,
        };
        let outcome = tokio::time::timeout(self.time_out, self.receiver.send(attempt))
            .await
            .unwrap_or_else(|_| Outcome::Failed {
                error: format!(
                    "not done within {}; raise its `time_out` if it needs longer",
                    humantime::format_duration(self.time_out)
                ),
                retry_after: None,
            });
        let named = |error: String| format!("receiver `{}`: {error}", self.name);
        match outcome {
            Outcome::Accepted => Outcome::Accepted,
            Outcome::Failed { error, retry_after } => Outcome::Failed {
                error: named(error),
                retry_after,
            },
            Outcome::Rejected { error } => Outcome::Rejected { error: named(error) },
        }
    }
}
