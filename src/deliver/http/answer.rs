//! What an answer means.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::decide::retry::Outcome;
use crate::deliver::receiver::{Answered, Report};
use crate::render::text::cut;

/// How much of an answer's body an error shows, in UTF-16 units.
const SHOWN: usize = 200;

/// An HTTP answer, safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub host: String,
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    /// The first KiB, on one line, with what it echoes of the address masked.
    pub body: String,
    /// Whether the body ended, neither cut by the limit nor by time.
    pub is_whole: bool,
    /// The first 64 KiB, as they came: not safe to show.
    pub(in crate::deliver) raw: Vec<u8>,
}

impl Answer {
    /// What this answer means where the receiver has no meanings of its own (RFC 9110, Standard Webhooks).
    ///
    /// A status is permanent only if it speaks of the message or of the address for good. 401, 403 and 407 speak of who
    /// asks: often it is a proxy on the way that says so for a while, and once access is mended the same message is
    /// welcome, so they are retried. So are 404 and 405, which an ingress says while what stands behind it is deployed,
    /// and a temporary redirect, which may lead to a login or maintenance page.
    pub fn outcome(&self) -> Outcome {
        match self.status.as_u16() {
            200..=299 => Outcome::Accepted,
            301 | 308 => {
                self.rejected("the address has moved, and redirects are never followed: set `url` to the new address")
            }
            300..=399 => self.failed("it redirects, perhaps to a login page, and redirects are never followed"),
            401 | 403 => {
                self.failed("access is refused: check the credentials in `url`, or a proxy or firewall on the way")
            }
            407 => self.failed("the proxy wants credentials: check HTTPS_PROXY and HTTP_PROXY"),
            408 | 425 => self.failed("it will be tried again"),
            429 => self.failed("it is called too often; ccwatch waits"),
            404 => self.failed("there is no such address: check `url`; it will be tried again"),
            405 => self.failed("it takes no POST there: check `url`; it will be tried again"),
            410 => self.rejected("the address was closed for good: ask for a new one and set `url`"),
            413 => self.rejected("the message is too large for it"),
            400..=499 => self.rejected("it does not take this message: check that `url` is meant for it"),
            _ => self.failed("the fault is on its side; it will be tried again"),
        }
    }

    /// The body, if it is JSON. Not safe to show.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.raw).ok()
    }

    /// The same answer with another wish to wait: some tools say it in the body.
    #[must_use]
    pub fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self {
            retry_after: retry_after.or(self.retry_after),
            ..self
        }
    }

    /// An outcome with this answer as its reason.
    pub fn report(&self, outcome: Outcome) -> Report {
        Report {
            outcome,
            thread: None,
            answer: Some(Answered {
                status: Some(self.status.as_u16()),
                said: self.body.clone(),
            }),
        }
    }

    /// It may work later.
    pub fn failed(&self, remedy: &str) -> Outcome {
        Outcome::Failed {
            error: self.describe(remedy),
            retry_after: self.retry_after,
        }
    }

    /// It will not work, however often it is tried.
    pub fn rejected(&self, remedy: &str) -> Outcome {
        Outcome::Rejected {
            error: self.describe(remedy),
        }
    }

    fn describe(&self, remedy: &str) -> String {
        let Self { host, status, body, .. } = self;
        let said = match cut(body, SHOWN) {
            body if body.is_empty() => String::new(),
            body => format!(" (\"{body}\")"),
        };
        let wish = match self.retry_after {
            Some(pause) => format!(" and asks to wait {}", humantime::format_duration(pause)),
            None => String::new(),
        };
        format!("{host} answered {status}{said}{wish}; {remedy}")
    }
}
