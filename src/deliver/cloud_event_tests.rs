use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::deliver::samples::{failed_hook, failed_request, hostile};
use crate::model::Announcement;

fn body(announcement: &Announcement) -> String {
    written(&News::Change(Box::new(announcement.clone()))).unwrap()
}

#[test]
fn the_body_is_a_cloud_event() {
    let event: Value = serde_json::from_str(&body(&failed_request())).unwrap();
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
                    "started_at": "2025-11-22T06:26:47.642Z",
                    "first_seen_at": "2025-11-22T06:26:47.642Z",
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
    let event: Value = serde_json::from_str(&body(&failed_hook("WARN"))).unwrap();
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

#[test]
fn what_is_no_character_of_xml_is_escaped_and_means_the_same() {
    let mut announcement = failed_request();
    let odd = "a\u{fffe}b\u{ffff}c\u{1}";
    announcement.message = Some(odd.into());
    let body = body(&announcement);
    assert!(!body.contains(['\u{fffe}', '\u{ffff}']), "{body}");
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(event["data"]["message"], odd);
}

#[test]
fn what_keeps_the_services_limits_is_sent_whole() {
    let mut announcement = failed_hook("FAIL");
    let longest = "\u{1}".repeat(2048);
    announcement.message = Some(longest.clone());
    announcement.request.status_message = Some(longest.clone());
    announcement.request.identifier = Some("i".repeat(1024));
    announcement.hook.as_mut().unwrap().status_message = Some(longest.clone());
    let event: Value = serde_json::from_str(&body(&announcement)).unwrap();
    assert_eq!(event["data"]["message"], longest);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_body_is_never_beyond_what_must_be_passed_on(unit in any::<String>(), long in 1_usize..10_000) {
        let text: String = unit.chars().cycle().take(long).collect();
        let body = body(&hostile(&text));
        prop_assert!(body.len() <= LARGEST, "{}", body.len());
        let event: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(&event["specversion"], "1.0");
        // W3C's XML 1.0, 2.2 Characters.
        let is_xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        prop_assert!(body.chars().all(is_xml));
    }
}
