//! The configuration file: TOML in, a validated [`Config`] out, or every problem at once with its line and column.
//!
//! - What can be known to be wrong without a network is found here: a [`Config`] that comes out names no receiver, file,
//!   variable or target that is not there, and no interval that makes a hot loop.
//! - All problems of a file are told together, in its order ([`ConfigErrors`]); only after a syntax error is the rest
//!   left unread. Where one mistake would make another look wrong, only the first is told.
//! - What is not wrong but will hardly be meant is a warning ([`Config::warnings`]).
//! - No input makes it panic, and no message holds a secret's value or a control character.
//! - It reads the file, and the files of secrets that it refers to; it asks for nothing else. The environment is an
//!   argument ([`Environment`]).
//!
//! `config/ccwatch.toml` shows and explains every key; a test holds it to that. The simulator reads its scenarios by the
//! same means (`document`, `values`), so that both kinds of file fail in the same words.

mod attention;
pub(crate) mod document;
mod environment;
mod grouping;
mod history;
mod mute;
mod pace;
pub(crate) mod problems;
mod receivers;
mod routes;
mod secret;
mod syntax;
mod targets;
pub(crate) mod values;
pub(crate) mod wording;

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use document::Item;
use pace::Draft;
use problems::{Read, Remarks};
use values::Names;

pub use environment::Environment;
pub use history::default_history_path;
pub use problems::ConfigErrors;
pub use receivers::{ReceiverError, UnknownReceiver};

use crate::decide::cadence::Pace;
use crate::decide::route::{Audience, Route};
use crate::decide::stuck::Patience;
use crate::model::{AccountId, Region};
use crate::render::Templates;

/// What `ccwatch run` is told to do. Whatever can be checked without a network has been.
#[derive(Debug)]
pub struct Config {
    pub history: HistorySettings,
    /// One for each `[[targets]]` entry and Region.
    pub targets: Vec<TargetSettings>,
    pub receivers: Vec<ReceiverSettings>,
    pub routes: Vec<Route>,
    pub attention: AttentionSettings,
    /// What is allowed but will hardly be meant, a line each, as in [`ConfigErrors`]. To be logged.
    pub warnings: Vec<String>,
    /// What [`Config::check`] could not look at, a line each.
    pub notes: Vec<String>,
}

/// `[history]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySettings {
    pub path: PathBuf,
    /// How long what has ended is kept; `None` for ever.
    pub retention: Option<Duration>,
    pub resource_model: ResourceModelPolicy,
}

/// What is kept of a ResourceModel, which may hold secrets (trap 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResourceModelPolicy {
    /// Nothing.
    #[default]
    Drop,
    /// Its shape, with every value masked.
    Redact,
    /// All of it.
    Keep,
}

/// A `[[targets]]` entry in one of its Regions.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSettings {
    /// The entry's name.
    pub entry: String,
    pub region: Region,
    pub account_id: Option<AccountId>,
    pub profile: Option<String>,
    pub role: Option<RoleSettings>,
    pub endpoint_url: Option<Url>,
    pub pace: Pace,
}

/// A role to assume before looking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleSettings {
    pub arn: String,
    pub external_id: Option<String>,
    pub session_name: Option<String>,
}

/// A `[[receivers]]` entry.
#[derive(Debug, Clone)]
pub struct ReceiverSettings {
    pub name: String,
    /// How long a delivery is retried.
    pub give_up_after: Duration,
    /// How long one attempt may take.
    pub time_out: Duration,
    pub audience: Audience,
    /// More changes than that are told in one digest; `None` if each is told for itself.
    pub digest_over: Option<u32>,
    /// `None`: the tool's own pace.
    pub max_messages_per_minute: Option<f64>,
    pub escalation: Option<Escalation>,
    /// Sound: they were tried when they were read.
    pub templates: Templates,
    pub kind: ReceiverKind,
}

/// Who is told that a receiver fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Another receiver's name.
    pub to: String,
    /// How long it has to fail.
    pub after: Duration,
}

/// `[attention]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttentionSettings {
    pub patience: Patience,
    /// The time between two reminders that a request is stuck; `None` for none.
    pub remind_every: Option<Duration>,
}

impl ReceiverSettings {
    /// Reads one `[[receivers]]` entry alone, so that nothing that is wrong elsewhere stands in the way. Returns it with
    /// the warnings.
    ///
    /// # Errors
    ///
    /// With all that is wrong with that entry, with why the file can't be read, or if no entry has that name.
    pub fn load(
        path: &Path,
        name: &str,
        environment: &Environment,
        secrets: Secrets,
    ) -> Result<(Self, Vec<String>), ReceiverError> {
        let text = document::load(path, WHAT)?;
        let surroundings = Surroundings {
            secrets,
            ..Surroundings::of(path, environment)
        };
        let (found, remarks) = document::parse(&text, path, WHAT, |document| {
            receivers::read_one(&document.section("a table")?, &surroundings, name)
        })?;
        Ok((found?, remarks.warnings))
    }

    /// One with nothing but what it must have.
    pub fn plain(name: impl Into<String>, audience: Audience, kind: ReceiverKind) -> Self {
        Self {
            name: name.into(),
            give_up_after: receivers::GIVE_UP_AFTER,
            time_out: receivers::TIME_OUT,
            audience,
            digest_over: (audience == Audience::People).then_some(receivers::DIGEST_OVER),
            max_messages_per_minute: None,
            escalation: None,
            templates: Templates::default(),
            kind,
        }
    }
}

/// The receiver's `type`, with the keys that it alone has.
#[derive(Debug, Clone)]
pub enum ReceiverKind {
    Log {
        format: LogFormat,
    },
    Webhook {
        /// Secret as a whole: what grants access often stands in its path or query.
        url: SecretString,
        /// `whsec_…`; more than one while the secret is being rotated. Empty: unsigned.
        secrets: Vec<SecretString>,
    },
    Slack {
        url: SecretString,
    },
    SlackBot {
        /// Of the Web API.
        url: SecretString,
        token: SecretString,
        /// The channel's id.
        channel: String,
    },
    Discord {
        url: SecretString,
        /// Whether the webhook's channel is a forum.
        is_forum: bool,
    },
    Mattermost {
        /// The webhook's, or for a bot the server's.
        url: SecretString,
        bot: Option<MattermostBotSettings>,
    },
    Teams {
        url: SecretString,
    },
    GoogleChat {
        url: SecretString,
    },
    PagerDuty {
        /// The integration's key.
        routing_key: SecretString,
        url: SecretString,
    },
    Opsgenie {
        /// An API integration's key.
        api_key: SecretString,
        url: SecretString,
    },
    Alertmanager {
        url: SecretString,
        login: Option<Login>,
    },
    Sqs {
        queue_url: String,
        access: AwsAccess,
    },
    Sns {
        topic_arn: String,
        access: AwsAccess,
    },
    EventBridge {
        /// A bus's name or ARN.
        bus: String,
        access: AwsAccess,
    },
    File {
        path: PathBuf,
    },
    Matrix {
        /// The homeserver's.
        url: SecretString,
        token: SecretString,
        /// Its id, `!…`.
        room: String,
    },
    Telegram {
        /// The bot's.
        token: SecretString,
        /// A number, or a public chat's `@name`.
        chat_id: String,
        /// A topic of a forum.
        message_thread_id: Option<i64>,
        /// The Bot API's.
        url: SecretString,
    },
    Ntfy {
        /// The server's.
        url: SecretString,
        topic: SecretString,
        token: Option<SecretString>,
    },
    Email(EmailSettings),
    Exec {
        /// The program and its arguments. No shell is involved.
        command: Vec<String>,
    },
}

/// A bot of Mattermost.
#[derive(Debug, Clone)]
pub struct MattermostBotSettings {
    pub token: SecretString,
    pub channel_id: String,
}

/// Where in AWS a receiver is, and by whose credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsAccess {
    pub region: Region,
    /// Instead of the SDK's chain.
    pub profile: Option<String>,
    pub endpoint_url: Option<Url>,
}

/// How to log in by HTTP.
#[derive(Debug, Clone)]
pub enum Login {
    Basic { user: String, password: SecretString },
    Bearer { token: SecretString },
}

/// A mail server, and whose letters it is to carry to whom.
#[derive(Debug, Clone)]
pub struct EmailSettings {
    pub host: String,
    pub port: u16,
    pub tls: EmailTls,
    pub login: Option<EmailLogin>,
    pub from: String,
    pub to: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct EmailLogin {
    pub user: String,
    pub password: SecretString,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmailTls {
    /// From the STARTTLS command on, without which nothing is sent (RFC 3207).
    #[default]
    StartTls,
    /// From its first byte (RFC 8314).
    Implicit,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The keys of the document itself.
const KEYS: [&str; 6] = ["history", "poll", "targets", "receivers", "routes", "attention"];

/// What the document is, in messages.
const WHAT: &str = "configuration";

/// What becomes of a secret that the file refers to and that can't be read: a variable that is not set here, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// It is an error.
    Needed,
    /// A placeholder stands in for it, with a warning: for who calls no one with it.
    Dispensable,
    /// It is an error, except for what systemd gives to the service alone: a placeholder stands in for that, with a note. For who
    /// checks the file from outside of the service.
    IfAtHand,
}

/// What a configuration depends on beside its text.
struct Surroundings<'e> {
    environment: &'e Environment,
    secrets: Secrets,
    /// The configuration file's folder, against which relative paths in it are resolved: a service's working directory
    /// is a place that no one thinks of.
    folder: &'e Path,
}

impl<'e> Surroundings<'e> {
    /// Those of the file at `path`.
    fn of(path: &'e Path, environment: &'e Environment) -> Self {
        Self {
            environment,
            secrets: Secrets::Needed,
            folder: path.parent().unwrap_or(path),
        }
    }
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// With all that is wrong with it, or with why it can't be read.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        Self::load_with(Secrets::Needed, path, environment)
    }

    /// Reads the file for who only wants to know whether it is right: a secret that systemd gives to the service alone is not
    /// looked at elsewhere, and is among the notes.
    ///
    /// # Errors
    ///
    /// With all that is wrong with it, or with why it can't be read.
    pub fn check(path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        Self::load_with(Secrets::IfAtHand, path, environment)
    }

    /// Reads the file for who sends nothing: secrets that can't be read have placeholders, and are among the warnings.
    ///
    /// # Errors
    ///
    /// With all else that is wrong with it, or with why it can't be read.
    pub fn load_without_secrets(path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        Self::load_with(Secrets::Dispensable, path, environment)
    }

    fn load_with(secrets: Secrets, path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        let text = document::load(path, WHAT)?;
        let surroundings = Surroundings {
            secrets,
            ..Surroundings::of(path, environment)
        };
        Self::parse_with(&text, path, &surroundings)
    }

    /// Its receiver of that name.
    ///
    /// # Errors
    ///
    /// If there is none: with what the name may have been meant for.
    pub fn receiver(&self, name: &str) -> Result<&ReceiverSettings, UnknownReceiver> {
        let found = self.receivers.iter().find(|receiver| receiver.name == name);
        found.ok_or_else(|| UnknownReceiver::new(name, self.receivers.iter().map(|receiver| receiver.name.as_str())))
    }

    /// Reads the text of the file at `path`, which is named in messages and to whose folder relative paths refer.
    ///
    /// # Errors
    ///
    /// With all that is wrong with it.
    pub fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        Self::parse_with(text, path, &Surroundings::of(path, environment))
    }

    fn parse_with(text: &str, path: &Path, surroundings: &Surroundings<'_>) -> Result<Self, ConfigErrors> {
        let (config, Remarks { warnings, notes }) =
            document::parse(text, path, WHAT, |document| read(document, surroundings))?;
        Ok(Self {
            warnings,
            notes,
            ..config
        })
    }
}

impl HistorySettings {
    /// Reads `[history]` alone, for those who only read the history: the secrets elsewhere in the file are seldom theirs.
    ///
    /// # Errors
    ///
    /// With all that is wrong with that section, or with why the file can't be read.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        let text = document::load(path, WHAT)?;
        let surroundings = Surroundings::of(path, environment);
        let read = |document: &Item<'_>| history::read(&document.section("a table")?, &surroundings);
        Ok(document::parse(&text, path, WHAT, read)?.0)
    }
}

/// What the document says. Each part is read, whatever is wrong with the others, so that all of it is told.
fn read(document: &Item<'_>, surroundings: &Surroundings<'_>) -> Read<Config> {
    let root = document.section("a table")?;
    let known = root.refuse_unknown(&KEYS, "");
    let history = history::read(&root, surroundings);
    let poll = Draft::of_poll(&root);
    let (targets, places) = targets::read(&root, &poll);
    let mut names = Names::default();
    let receivers = receivers::read(&root, surroundings, &mut names);
    let settings = receivers.as_deref().unwrap_or_default();
    let routes = routes::read(&root, &names, settings, &places);
    let attention = attention::read(&root);
    known?;
    Ok(Config {
        history: history?,
        targets: targets?,
        receivers: receivers?,
        routes: routes?,
        attention: attention?,
        warnings: Vec::new(),
        notes: Vec::new(),
    })
}

#[cfg(test)]
#[path = "annotated_tests.rs"]
mod annotated_tests;
