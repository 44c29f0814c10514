//! `POST /_simulator/advance`: the hand that moves a manual clock.
//!
//! `{"by": "90s"}` or `{"to": "2026-11-22T06:28:00Z"}`; the answer holds the new time and how many transitions happened on
//! the way, in all worlds. It goes there in strides, and they are free between two: calls are answered meanwhile, at the time that
//! has been reached, and if the client goes away, time stops where it is. One advance at a time, so that two of 10 seconds
//! are 20 seconds.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use humantime::format_duration;
use serde::Deserialize;
use serde_json::json;

use super::{BadRequest, Service, body, to_json};
use crate::clock::RunsByItself;
use crate::model::Timestamp;

/// The farthest that one call goes: over every time in the service's life (seven days of retention, 36 hours of a
/// ClientToken), and not so far that a slip of the finger keeps a busy world busy for a day.
const FARTHEST: Duration = Duration::from_hours(30 * 24);

/// How far the world goes before others get their turn.
const STRIDE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    by: Option<String>,
    to: Option<String>,
}

pub(super) async fn advance(
    State(service): State<Service>,
    head: HeaderMap,
    body: Body,
) -> Result<Response, BadRequest> {
    let body = body::read(&head, body).await?;
    let _alone = service.hand.lock().await;
    // Before the body is judged: on such a clock nothing that it could say would be right.
    if !service.clock.is_manual() {
        return Ok(runs_by_itself());
    }
    let to = destination(&body, service.clock.now()).map_err(BadRequest)?;
    let mut transitions = 0;
    while service.clock.now() < to {
        let next = service.clock.now().plus(STRIDE).min(to);
        match service.simulator.advance_clock(&service.clock, next) {
            Ok(happened) => transitions += happened,
            Err(RunsByItself) => return Ok(runs_by_itself()),
        }
        tokio::task::yield_now().await;
    }
    let answer = json!({ "now": service.clock.now(), "transitions": transitions });
    Ok(to_json(StatusCode::OK, &answer))
}

fn runs_by_itself() -> Response {
    let message = "this simulator's clock runs by itself; one that is started with --clock manual can be advanced";
    to_json(StatusCode::CONFLICT, &json!({ "error": message }))
}

/// Where the clock is to go from `now`.
fn destination(body: &[u8], now: Timestamp) -> Result<Timestamp, String> {
    let expected = "expected {\"by\": \"90s\"} or {\"to\": \"2026-11-22T06:28:00Z\"}";
    let input: Input = serde_json::from_slice(body).map_err(|error| format!("{error}; {expected}"))?;
    let to = match (input.by, input.to) {
        (Some(by), None) => {
            let by = humantime::parse_duration(&by).map_err(|error| format!("`by`: {error}; {expected}"))?;
            now.plus(by)
        }
        (None, Some(to)) => {
            let to: jiff::Timestamp = to.parse().map_err(|error| format!("`to`: {error}; {expected}"))?;
            to.into()
        }
        _ => return Err(expected.to_owned()),
    };
    if to < now {
        return Err(format!(
            "{to} is before {now}, the time that it is: time goes forward only"
        ));
    }
    if to.since(now) > FARTHEST {
        let farthest = format_duration(FARTHEST);
        return Err(format!("that is farther than {farthest}, the most for one call"));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_328_880_000);

    #[test]
    fn a_destination_is_by_a_duration_or_to_a_time() {
        let to = |body: &str| destination(body.as_bytes(), NOW).unwrap();
        assert_eq!(to(r#"{"by": "1m 30s"}"#), NOW.plus(Duration::from_secs(90)));
        assert_eq!(to(r#"{"by": "30days"}"#), NOW.plus(FARTHEST));
        assert_eq!(to(r#"{"by": "0s"}"#), NOW);
        let later = NOW.plus(Duration::from_millis(1_500));
        assert_eq!(to(&json!({ "to": later }).to_string()), later);
    }

    #[test]
    fn what_is_no_destination_is_refused_in_plain_words() {
        let expected = "expected {\"by\": \"90s\"} or {\"to\":";
        let earlier = json!({ "to": NOW.minus(Duration::from_millis(1)) }).to_string();
        for (body, says) in [
            ("", "EOF"),
            ("[]", expected),
            ("{}", expected),
            (r#"{"by": 90}"#, expected),
            (r#"{"by": "-90s"}"#, "`by`: "),
            (r#"{"by": "soon"}"#, "`by`: "),
            (r#"{"to": "tomorrow"}"#, "`to`: "),
            (r#"{"by": "1s", "to": "2027-01-01T00:00:00Z"}"#, expected),
            (r#"{"for": "1s"}"#, "unknown field `for`"),
            (r#"{"by": "30days 1ms"}"#, "farther than 30days"),
            (r#"{"by": "500000years"}"#, "farther than 30days"),
            (r#"{"to": "9999-01-01T00:00:00Z"}"#, "farther than 30days"),
            (earlier.as_str(), "time goes forward only"),
        ] {
            let error = destination(body.as_bytes(), NOW).unwrap_err();
            assert!(error.contains(says), "{body}: {error}");
        }
    }
}
