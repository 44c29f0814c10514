//! What all receivers that speak HTTP share.
//!
//! - **No redirect is followed** (Standard Webhooks: a 3xx is a failure). A message and its signature go where the
//!   configuration says, and nowhere else.
//! - **An answer is never read beyond its first 64 KiB**, nor waited for longer than two seconds, nor until the attempt's
//!   deadline. Its first KiB is kept for a person who looks for the cause. Its status counts as soon as it is there, so
//!   that what was accepted is not sent again because the body was kept open.
//! - **An address is a secret.** It is named by its host; reqwest's errors are stripped of it, and what an answer echoes
//!   of its path, query or credentials is masked (many servers answer `Cannot POST /services/T0/B0/…`). So is a token that
//!   is sent along.
//! - Proxies come from the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), certificates from the operating system:
//!   both are reqwest's defaults with rustls.
//! - Time limits on the whole are the caller's; there is one of its own on connecting, so that the error says which.

mod answer;
mod json;
mod mask;
mod retry_after;

use std::fmt;
use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use answer::Answer;
pub use json::{Bearer, TokenError};
use mask::Mask;
pub(in crate::deliver) use retry_after::seconds;

use crate::decide::retry::Outcome;
use crate::deliver::receiver::{Attempt, Report};
use crate::model::printable;

const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How much of an answer's body is read, in bytes: some tools repeat the message in it before they say its id.
const BODY_LIMIT: usize = 64 * 1024;
/// How much of it is kept, in bytes.
const KEPT: usize = 1024;
/// How long is waited for an answer's body once its status is there.
const BODY_TIME: Duration = Duration::from_secs(2);

/// How long before the deadline of its attempt reading a body ends.
const HEADROOM: Duration = Duration::from_millis(50);

/// HTTP cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{0}")]
    Client(String),
    #[error("{0}")]
    Url(url::ParseError),
    #[error("it is not an http or https address")]
    NotHttp,
}

/// Connections, shared by all receivers.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
}

impl Http {
    pub fn new() -> Result<Self, HttpError> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME)
            .user_agent(concat!("ccwatch/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(|client| Self { client })
            .map_err(|error| HttpError::Client(chain(&error)))
    }

    /// An address to send to. `tokens` are secrets beside it, which are to be masked as its own are.
    pub fn endpoint(&self, url: &str, tokens: &[&SecretString]) -> Result<Endpoint, HttpError> {
        let url = Url::parse(url).map_err(HttpError::Url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HttpError::NotHttp);
        }
        let host = url.host_str().ok_or(HttpError::NotHttp)?;
        Ok(Endpoint {
            client: self.client.clone(),
            host: url
                .port()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            mask: Mask::of(&url, tokens),
            url,
        })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// `Authorization` by a token, marked as not to be shown. `None` if the token holds what no header can.
pub fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An address to send to. Shows its host alone.
#[derive(Clone)]
pub struct Endpoint {
    client: reqwest::Client,
    url: Url,
    /// With its port where that is not the scheme's own.
    host: String,
    mask: Mask,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The address with these path segments behind its own, percent-encoded, and these pairs in its query.
    #[must_use]
    pub fn at(&self, segments: &[&str], query: &[(&str, &str)]) -> Self {
        let mut endpoint = self.clone();
        // An http address can be a base, so it has segments.
        if let Ok(mut path) = endpoint.url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            endpoint.url.query_pairs_mut().extend_pairs(query);
        }
        endpoint
    }

    /// Posts `body`: see [`send`](Self::send).
    pub async fn post(&self, headers: HeaderMap, body: Vec<u8>, attempt: Attempt<'_>) -> Result<Answer, Report> {
        self.send(Method::POST, headers, body, attempt).await
    }

    /// Sends `body`. Where no answer comes, what to report is the error: it may work later.
    /// Reading the answer's body ends before the attempt's deadline, at which the caller drops this future.
    pub async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Vec<u8>,
        attempt: Attempt<'_>,
    ) -> Result<Answer, Report> {
        let Attempt { now, deadline, .. } = attempt;
        let response = self
            .client
            .request(method, self.url.clone())
            .headers(headers)
            .body(body)
            .send()
            .await;
        let mut response = response.map_err(|error| Outcome::Failed {
            error: self.transport_error(error),
            retry_after: None,
        })?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER)
            .and_then(|value| retry_after::parse(value, header(DATE), now))
            .or_else(|| {
                let is_limited = response.status() == StatusCode::TOO_MANY_REQUESTS;
                is_limited.then(|| retry_after::of_rate_limit(response.headers(), now))?
            });
        let mut body = Vec::new();
        let read = async {
            while body.len() < BODY_LIMIT {
                match response.chunk().await {
                    Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(BODY_LIMIT - body.len())]),
                    Ok(None) => return true,
                    // No failure of the post: the status has been given.
                    Err(_) => return false,
                }
            }
            false
        };
        let is_whole = timeout_at(read_until(Instant::now(), deadline), read)
            .await
            .unwrap_or(false);
        // Masked as a whole: a secret that the cut goes through would not be found.
        let masked = self.mask.apply(&String::from_utf8_lossy(&body));
        let kept = &masked[..masked.floor_char_boundary(KEPT)];
        Ok(Answer {
            host: self.host.clone(),
            status: response.status(),
            retry_after,
            body: printable(kept.trim()).into_owned(),
            is_whole,
            raw: body,
        })
    }

    fn transport_error(&self, error: reqwest::Error) -> String {
        let (host, remedy) = (
            &self.host,
            if error.is_connect() {
                "check that the host is right and can be reached from here, by a proxy if one is needed"
            } else {
                "it will be tried again"
            },
        );
        let what = if error.is_connect() {
            "cannot connect to"
        } else {
            "no answer from"
        };
        let cause = chain(&error.without_url());
        let cause = self.mask.apply(&cause);
        format!("{what} {host}: {}; {remedy}", printable(&cause))
    }
}

/// Until when an answer's body is read whose status came at `now`.
fn read_until(now: Instant, deadline: Instant) -> Instant {
    let latest = now + BODY_TIME;
    deadline.checked_sub(HEADROOM).map_or(now, |end| end.min(latest))
}

/// An error's causes, in one line, without the wrappers that say no more than that there is a cause.
fn chain(error: &dyn std::error::Error) -> String {
    let mut texts: Vec<String> = std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect();
    let last = texts.pop().unwrap_or_default();
    texts.retain(|text| !text.starts_with("error sending request") && !text.starts_with("client error ("));
    texts.retain(|text| !text.contains(&last));
    texts.push(last);
    texts.join(": ")
}

#[cfg(test)]
#[path = "http/http_tests.rs"]
mod tests;
