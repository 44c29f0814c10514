//! JSON by HTTP, with a token where one is needed.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::SecretString;
use serde_json::Value;

use super::{Answer, Endpoint, bearer};
use crate::deliver::receiver::{Attempt, Report};

/// A token cannot be sent in a header.
#[derive(Debug, thiserror::Error)]
#[error("its `token` holds a character that no token has: was it copied whole, and without its quotes?")]
pub struct TokenError;

/// `Authorization: Bearer …` (RFC 6750). Does not show the token.
#[derive(Debug, Clone)]
pub struct Bearer(HeaderValue);

impl Bearer {
    pub fn new(token: &SecretString) -> Result<Self, TokenError> {
        bearer(token).map(Self).ok_or(TokenError)
    }
}

impl Endpoint {
    /// Sends a JSON body: see [`send`](Self::send).
    pub async fn send_json(
        &self,
        method: Method,
        bearer: Option<&Bearer>,
        body: &Value,
        attempt: Attempt<'_>,
    ) -> Result<Answer, Report> {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        if let Some(Bearer(value)) = bearer {
            headers.insert(AUTHORIZATION, value.clone());
        }
        self.send(method, headers, body.to_string().into_bytes(), attempt).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_shows_nowhere() {
        let bearer = Bearer::new(&"T0SECRETmarker".into()).unwrap();
        assert!(!format!("{bearer:?}").contains("T0SECRETmarker"));
        let error = Bearer::new(&"T0SECRETmarker\u{7f}".into()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("T0SECRETmarker"));
    }
}
