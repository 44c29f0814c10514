//! Email, handed to a mail server by SMTP: a letter for each piece of news, as text and as HTML.
//!
//! - **One thread for each request**, without anything kept: each letter refers to a root that was never sent and whose
//!   Message-ID is made of the request alone; mail programs show what refers to the same letter as one conversation (RFC
//!   5322 allows to refer to what the reader does not have). Gmail wants the same subject too. It is not given one: the
//!   subject says what happened, which is what people read first.
//! - **The Message-ID stays over retries**, so that a letter whose acceptance was not heard, and which is sent again, can be
//!   told from a new one.
//! - **No header can be injected**: words are printable, so that they hold no line break, and are encoded; ids are made of a
//!   few harmless characters; addresses are parsed once, when the receiver is made.
//! - **Everything in the HTML is escaped**, and nothing in it is fetched. Mail programs make links of bare addresses in any
//!   text, which no sender can keep them from.
//! - **Nobody's autoresponder answers**: `Auto-Submitted: auto-generated` (RFC 3834).
//! - **What a person may mend is tried again**: that no one answers, TLS, a wrong password, and what is refused for reasons of
//!   security or policy (5.7.x of RFC 3463), such as relaying; and an address that is refused, since one of them keeps the
//!   letter from all (nothing is sent before each is accepted). Other refusals by 5yz are for good (RFC 5321).
//! - A connection for each letter, which ends with its attempt. Mail servers have no common rate: one letter a second.
//!
//! <https://www.rfc-editor.org/rfc/rfc5321>, <https://www.rfc-editor.org/rfc/rfc5322#section-3.6.4>,
//! <https://www.rfc-editor.org/rfc/rfc3834#section-5>, <https://www.rfc-editor.org/rfc/rfc3463>

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;

use crate::config::{EmailSettings, EmailTls};
use crate::decide::retry::Outcome;
use crate::deliver::receiver::{Answered, Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::model::{Timestamp, printable};
use crate::render::letter::{headline, html, plain};
use crate::render::text::{cut, length};
use crate::render::{Message, Words, fit};

/// As long as over HTTP. The whole has the attempt's time: a server that falls silent is left when the attempt ends.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a subject may be, in UTF-16 units. There is no limit, and mail programs show no more.
const SUBJECT: usize = 200;
/// How long a letter may be, in UTF-16 units: servers set their limits in megabytes, and nobody reads more than this.
const LETTER: usize = 50_000;
/// How much of an answer is kept, in UTF-16 units.
const KEPT: usize = 1024;
/// How much of it an error shows.
const SHOWN: usize = 200;
/// How many bytes of what an id is made of go into it: a line of a header holds 998 (RFC 5322).
const ID: usize = 240;

/// An email receiver cannot be made from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    #[error("`{key}` is no address: {error}")]
    Address {
        key: &'static str,
        error: lettre::address::AddressError,
    },
    #[error("TLS to `host` cannot be set up: {0}")]
    Tls(lettre::transport::smtp::Error),
}

/// A receiver of type `email`.
pub struct Email {
    server: AsyncSmtpTransport<Tokio1Executor>,
    /// With its port.
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    /// What stands in place of secrets that the server repeats.
    secrets: Vec<String>,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Email {
    pub fn new(settings: &EmailSettings) -> Result<Self, EmailError> {
        let address = |key, text: &str| text.parse().map_err(|error| EmailError::Address { key, error });
        let encrypted = || TlsParameters::new(settings.host.clone()).map_err(EmailError::Tls);
        let tls = match settings.tls {
            EmailTls::StartTls => Tls::Required(encrypted()?),
            EmailTls::Implicit => Tls::Wrapper(encrypted()?),
            EmailTls::None => Tls::None,
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .timeout(Some(CONNECT_TIME))
            .tls(tls);
        let mut secrets = Vec::new();
        if let Some(login) = &settings.login {
            let password = login.password.expose_secret();
            server = server.credentials(Credentials::new(login.user.clone(), password.to_owned()));
            // As the mechanisms PLAIN and LOGIN send it.
            let plain = BASE64.encode(format!("\0{}\0{password}", login.user));
            secrets = vec![plain, BASE64.encode(password), password.to_owned()];
        }
        Ok(Self {
            server: server.build(),
            host: format!("{}:{}", settings.host, settings.port),
            from: address("from", &settings.from)?,
            to: settings
                .to
                .iter()
                .map(|to| address("to", to))
                .collect::<Result<_, _>>()?,
            secrets,
        })
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let Attempt { message, now, .. } = attempt;
        let id = self.id(attempt.idempotency_key, "");
        let letter = match self.letter(message, id, now) {
            Ok(letter) => letter,
            Err(error) => {
                let error = format!("the letter cannot be written: {error}; please report this as a bug of ccwatch");
                return Outcome::Rejected { error }.into();
            }
        };
        self.report(self.server.send(letter).await)
    }

    fn letter(
        &self,
        message: &Message<'_>,
        id: String,
        now: Timestamp,
    ) -> Result<lettre::Message, lettre::error::Error> {
        let words = fit(&message.words, LETTER, char::len_utf16);
        let since_1970 = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut letter = lettre::Message::builder()
            .from(self.from.clone())
            .subject(subject(&words))
            .message_id(Some(id))
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        for to in &self.to {
            letter = letter.to(to.clone());
        }
        if let Some(root) = self.root(message) {
            letter = letter.in_reply_to(root.clone()).references(root);
        }
        letter.multipart(MultiPart::alternative_plain_html(plain(&words), document(&words)))
    }

    /// The Message-ID to which all letters about the request refer.
    fn root(&self, message: &Message<'_>) -> Option<String> {
        message.thread_key().map(|key| self.id(&key, ".request"))
    }

    /// A Message-ID. Those with another `kind` are others.
    fn id(&self, text: &str, kind: &str) -> String {
        let domain = self.from.email.domain();
        let domain = if domain.is_ascii() { domain } else { "localhost" };
        format!("<{}{kind}@{domain}>", atom(text))
    }

    /// What an answer, or that there was none, amounts to.
    fn report(&self, sent: Result<Response, lettre::transport::smtp::Error>) -> Report {
        match sent {
            Ok(response) => Report {
                outcome: Outcome::Accepted,
                thread: None,
                answer: Some(Answered {
                    status: Some(response.code().into()),
                    said: self.safe(&response.message().collect::<Vec<_>>().join(" "), KEPT),
                }),
            },
            Err(error) => {
                let status = error.status().map(u16::from);
                let said = self.safe(&error.to_string(), KEPT);
                let (remedy, is_permanent) = remedy(&error, status, &said);
                let error = format!("{}: {}; {remedy}", self.host, cut(&said, SHOWN));
                let outcome = if is_permanent {
                    Outcome::Rejected { error }
                } else {
                    let retry_after = None;
                    Outcome::Failed { error, retry_after }
                };
                let answer = status.map(|_| Answered { status, said });
                Report {
                    answer,
                    ..Report::from(outcome)
                }
            }
        }
    }

    /// The server's words, without what must not show.
    fn safe(&self, text: &str, longest: usize) -> String {
        let masked = self
            .secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"));
        cut(printable(&masked).trim(), longest).into_owned()
    }
}

impl Receiver for Email {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_secs(1))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let words = fit(&message.words, LETTER, char::len_utf16);
        let to: Vec<String> = self.to.iter().map(ToString::to_string).collect();
        let mut content = format!(
            "From: {}\nTo: {}\nSubject: {}\n",
            self.from,
            to.join(", "),
            subject(&words)
        );
        if let Some(root) = self.root(message) {
            content.extend(["References: ", &root, "\n"]);
        }
        content.extend(["\n", &plain(&words), "\n\n", &document(&words), "\n"]);
        let measure = |part, text: &str, limit| Measure {
            part,
            size: length(text),
            limit,
            unit: "characters",
        };
        let whole = plain(&fit(&message.words, usize::MAX, char::len_utf16));
        Preview {
            content,
            measures: vec![
                measure("subject", &headline(&message.words), SUBJECT),
                measure("letter", &whole, LETTER),
            ],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

fn subject(words: &Words) -> String {
    cut(&headline(words), SUBJECT).into_owned()
}

fn document(words: &Words) -> String {
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body style=\"font-family: sans-serif\">{}</body></html>",
        html(words)
    )
}

/// What of an id stands left of its `@`: letters, digits and dashes as they are, all else by its bytes. Two texts make the
/// same of it only if both are longer than any token of AWS (128 characters) and begin alike.
fn atom(text: &str) -> String {
    let mut atom = String::new();
    for byte in text.bytes().take(ID) {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            atom.push(char::from(byte));
        } else {
            atom.extend([format!("={byte:02X}")]);
        }
    }
    atom
}

/// What to do about an error, and whether it is for good.
fn remedy(error: &lettre::transport::smtp::Error, status: Option<u16>, said: &str) -> (&'static str, bool) {
    match status {
        // <https://www.iana.org/assignments/smtp-enhanced-status-codes>
        Some(432 | 454 | 530 | 534 | 535 | 538) => (
            "check `user`, `password` and `tls`, and how the server lets programs log in",
            false,
        ),
        Some(400..=499) => ("it will be tried again", false),
        Some(550..=559) if said.contains(" 5.7.") => (
            "it is refused for a reason of policy: check `user`, `from`, and for whom the server relays",
            false,
        ),
        // One address that was refused keeps the letter from all: whoever can mend that has a day for it.
        Some(552) if said.contains(" 5.2.") => ("the mailbox is full", false),
        Some(552) => ("the letter is too large for it, or the mailbox is full", true),
        Some(550 | 551 | 553) => ("check the addresses in `to` and `from`", false),
        Some(554..=559) => ("the server does not take this letter", true),
        Some(_) => (
            "check that `host` and `port` are a mail server's for programs like this",
            false,
        ),
        None if error.is_tls() => (
            "check `tls`, `port`, and that the server's certificate is for `host`",
            false,
        ),
        None if error.is_client() => ("check `tls`, and `user`", false),
        None if error.is_response() => ("check that `port` is right for `tls`, and speaks SMTP", false),
        None => (
            "check `host`, `port` and `tls`, and that it can be reached from here; it will be tried again",
            false,
        ),
    }
}

#[cfg(test)]
#[path = "email_tests.rs"]
mod tests;
