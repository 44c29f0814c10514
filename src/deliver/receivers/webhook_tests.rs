use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::clock::Clock;
use crate::deliver::double::{Double, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::samples::{attempt, failed_hook, failed_request, hostile, send};
use crate::model::Announcement;

const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(double: &Double, secrets: &[&str]) -> Webhook {
    let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
    Webhook::new(double.endpoint(), &secrets).unwrap()
}

fn body(announcement: &Announcement) -> serde_json::Result<Vec<u8>> {
    cloud_event(&News::Change(Box::new(announcement.clone())))
}

#[test]
fn the_body_is_a_cloud_event() {
    let event: Value = serde_json::from_slice(&body(&failed_request()).unwrap()).unwrap();
    assert_eq!(
        event,
        json!({
            "specversion": "1.0",
            "type": "ccwatch.request.status",
            "source": "/ccwatch/123456789012/eu-west-1",
            "subject": "73553e7d-token",
            "id": "01JD8Z-7",
            "time": "2025-11-22T06:28:00.123Z",
            "datacontenttype": "application/json",
            "data": {
                "kind": "request.status",
                "from": "IN_PROGRESS",
                "to": "FAILED",
                "at": "2025-11-22T06:28:00.123Z",
                "event_time": null,
                "observed_late": false,
                "error_code": "AlreadyExists",
                "message": "my-bucket already exists",
                "target": "prod/eu-west-1",
                "account_id": "123456789012",
                "region": "eu-west-1",
                "request": {
                    "target": "prod/eu-west-1",
                    "account_id": "123456789012",
                    "region": "eu-west-1",
                    "request_token": "73553e7d-token",
                    "hooks_request_token": null,
                    "type_name": "AWS::S3::Bucket",
                    "identifier": "my-bucket",
                    "operation": "CREATE",
                    "status": "FAILED",
                    "error_code": "AlreadyExists",
                    "status_message": "my-bucket already exists",
                    "started_at": "2025-11-22T06:28:00.123Z",
                    "first_seen_at": "2025-11-22T06:28:00.123Z",
                    "last_seen_at": "2025-11-22T06:28:00.123Z",
                    "finished_at": "2025-11-22T06:28:00.123Z",
                    "duration_s": 72.481,
                    "open": false,
                    "hooks_total": 0,
                    "hooks_failed": 0
                },
                "hook": null,
                "turns": 0,
                "incident": null,
                "replayed": false
            }
        })
    );
}

#[test]
fn a_hooks_event_carries_the_hook() {
    let event: Value = serde_json::from_slice(&body(&failed_hook("WARN")).unwrap()).unwrap();
    assert_eq!(event["type"], "ccwatch.hook.status");
    assert_eq!(event["data"]["hook"]["hook_type_name"], "Acme::S3::Guard");
    assert_eq!(event["data"]["hook"]["failure_mode"], "WARN");
}

#[test]
fn an_unknown_account_is_named_so_and_no_name_can_break_the_source() {
    let mut announcement = failed_request();
    announcement.account_id = None;
    assert_eq!(
        source(&News::Change(Box::new(announcement))),
        "/ccwatch/unknown/eu-west-1"
    );
    assert_eq!(source(&News::Change(Box::new(hostile("a b/../ü?#")))), "/ccwatch/ab/ab");
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

#[test]
fn what_keeps_the_services_limits_is_sent_whole() {
    let mut announcement = failed_hook("FAIL");
    let longest = "\u{1}".repeat(2048);
    announcement.message = Some(longest.clone());
    announcement.request.status_message = Some(longest.clone());
    announcement.request.identifier = Some("i".repeat(1024));
    announcement.hook.as_mut().unwrap().status_message = Some(longest.clone());
    let event: Value = serde_json::from_slice(&body(&announcement).unwrap()).unwrap();
    assert_eq!(event["data"]["message"], longest);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_body_is_never_beyond_what_must_be_passed_on(unit in any::<String>(), long in 1_usize..10_000) {
        let text: String = unit.chars().cycle().take(long).collect();
        let body = body(&hostile(&text)).unwrap();
        prop_assert!(body.len() <= LARGEST, "{}", body.len());
        let event: Value = serde_json::from_slice(&body).unwrap();
        prop_assert_eq!(&event["specversion"], "1.0");
    }
}
