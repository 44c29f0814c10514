use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::decide::retry::Outcome;
use crate::deliver::double::{Double, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::samples::{attempt, failed_request, send};
use crate::model::News;

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(double: &Double, secrets: &[&str]) -> Webhook {
    let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
    Webhook::new(double.endpoint(), &secrets).unwrap()
}

#[tokio::test]
async fn each_secret_signs_each_attempt_with_the_same_id_and_the_attempts_own_time() {
    let double = Double::start(|_| answer(204, &[], "")).await;
    let webhook = webhook(&double, &[OLD, NEW]);
    let announcement = failed_request();
    let now = Clock::system().now();
    let earlier = now.minus(Duration::from_mins(1));
    let news = News::Change(Box::new(announcement));
    let message = Message::new(&news);
    for (number, now) in [(1, earlier), (2, now)] {
        let attempt = Attempt {
            number,
            now,
            ..attempt(&message, None)
        };
        assert_eq!(webhook.send(attempt).await.outcome, Outcome::Accepted);
    }
    let received = double.received();
    for ((_, headers, body), at) in received.iter().zip([earlier, now]) {
        assert_eq!(headers[CONTENT_TYPE], "application/cloudevents+json; charset=utf-8");
        assert_eq!(headers[HEADER_WEBHOOK_ID], "01JD8Z-7");
        assert_eq!(headers[HEADER_WEBHOOK_TIMESTAMP], (at.as_millis() / 1000).to_string());
        for secret in [OLD, NEW] {
            standardwebhooks::Webhook::new(secret)
                .unwrap()
                .verify(body, headers)
                .unwrap();
        }
        let other = standardwebhooks::Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        other.verify(body, headers).unwrap_err();
    }
    assert_eq!(received.len(), 2);
}

#[tokio::test]
async fn without_a_secret_it_is_not_signed() {
    let double = Double::start(|_| answer(200, &[], "")).await;
    let outcome = send(&webhook(&double, &[]), &failed_request()).await.outcome;
    assert_eq!(outcome, Outcome::Accepted);
    assert!(!double.received()[0].1.contains_key(HEADER_WEBHOOK_SIGNATURE));
}

#[tokio::test]
async fn no_secret_shows_in_an_error_or_in_debug() {
    let double = Double::start(|(path, headers, _)| answer(410, &[], format!("{path} {headers:?}"))).await;
    let webhook = webhook(&double, &[OLD]);
    let outcome = send(&webhook, &failed_request()).await;
    let shown = format!("{outcome:?} {webhook:?}");
    for secret in [SECRET, &OLD[6..]] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("was closed for good"), "{shown}");
}

#[test]
fn a_secret_that_cannot_sign_is_refused_and_not_repeated() {
    let endpoint = Http::new().unwrap().endpoint("https://example.com", &[]).unwrap();
    for secret in ["", "whsec_", " ", "whsec_not base64!", "whsec_QUJD*"] {
        let error = Webhook::new(endpoint.clone(), &[secret.into()]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("QUJD"));
    }
}

#[tokio::test]
async fn an_id_that_is_no_header_is_given_up() {
    let double = Double::start(|_| answer(200, &[], "")).await;
    let mut announcement = failed_request();
    announcement.id.0 = "a\r\nb: c".into();
    let outcome = send(&webhook(&double, &[]), &announcement).await.outcome;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
}
