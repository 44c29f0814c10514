//! What goes wrong on purpose, fault by fault.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::tests::{START, call, create, raw, refused, whole, world};
use super::*;
use crate::simulator::faults::{Skew, Throttle};
use crate::simulator::{Faults, Scenario};

#[test]
fn each_fault_answers_as_the_service_does_and_is_counted() {
    let always = Faults::default;
    let cases: [(Faults, &[(u16, &str)]); 5] = [
        (
            Faults {
                throttled: 1.0,
                ..always()
            },
            &[(400, "ThrottlingException")],
        ),
        (
            Faults {
                expired_credentials: true,
                ..always()
            },
            &[(400, "ExpiredTokenException")],
        ),
        (
            Faults {
                access_denied: BTreeSet::from(["*".to_owned()]),
                ..always()
            },
            &[(400, "AccessDeniedException")],
        ),
        (
            Faults {
                server_errors: 1.0,
                ..always()
            },
            &[(500, "InternalFailure"), (503, "ServiceUnavailableException")],
        ),
        (
            Faults {
                throttle: Some(Throttle {
                    per_second: 0.0,
                    burst: 0.0,
                }),
                ..always()
            },
            &[(400, "ThrottlingException")],
        ),
    ];
    for (faults, expected) in cases {
        let mut world = world();
        world.set_faults(faults);
        let mut seen = BTreeSet::new();
        for _ in 0..50 {
            let (status, code, message) = refused(&mut world, "ListResourceRequests", &json!({}));
            assert!(!message.is_empty());
            seen.insert((status, code));
        }
        let expected: BTreeSet<_> = expected
            .iter()
            .map(|(status, code)| (*status, (*code).to_owned()))
            .collect();
        assert_eq!(seen, expected);
        let calls = world.calls().of("ListResourceRequests");
        assert_eq!(calls.answered, 0);
        assert_eq!(calls.refused + calls.throttled + calls.faulted, 50);
    }
}

#[test]
fn an_operation_alone_may_be_denied() {
    let mut world = world();
    world.set_faults(Faults {
        access_denied: BTreeSet::from(["CancelResourceRequest".to_owned()]),
        ..Faults::default()
    });
    let token = create(&mut world);
    let (_, code, message) = refused(&mut world, "CancelResourceRequest", &json!({ "RequestToken": token }));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("cloudformation:CancelResourceRequest"), "{message}");
}

#[test]
fn a_budget_throttles_what_exceeds_it() {
    let mut world = world();
    world.set_faults(Faults {
        throttle: Some(Throttle {
            per_second: 10.0,
            burst: 5.0,
        }),
        ..Faults::default()
    });
    for _ in 0..8 {
        raw(&mut world, "ListResourceRequests", &json!({}));
    }
    world.advance(START.plus(Duration::from_millis(200)));
    for _ in 0..8 {
        raw(&mut world, "ListResourceRequests", &json!({}));
    }
    let calls = world.calls().of("ListResourceRequests");
    assert_eq!((calls.received, calls.answered, calls.throttled), (16, 7, 9));
}

#[test]
fn what_is_lost_on_the_way_was_carried_out_but_told_nobody_anything() {
    for faults in [
        Faults {
            cut_off: 1.0,
            ..Faults::default()
        },
        Faults {
            empty_bodies: 1.0,
            ..Faults::default()
        },
        Faults {
            resets: 1.0,
            ..Faults::default()
        },
    ] {
        let mut world = world();
        let token = create(&mut world);
        world.set_faults(faults.clone());
        let mut lost = 0;
        for _ in 0..40 {
            let input = json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{}" });
            match raw(&mut world, "CreateResource", &input) {
                Answer::Reset => assert!(faults.resets > 0.0),
                Answer::CutOff(response) => {
                    assert!(faults.cut_off > 0.0);
                    assert!(response.body().len() > 100, "a whole answer, to be cut");
                }
                Answer::Whole(response) => assert_eq!(&response.body()[..], b"{}"),
            }
            raw(
                &mut world,
                "GetResourceRequestStatus",
                &json!({ "RequestToken": token }),
            );
            raw(&mut world, "ListResourceRequests", &json!({}));
            lost += 1;
        }
        let created = world.len() - 1;
        if faults.resets > 0.0 {
            assert!(
                (5..35).contains(&created),
                "half of them before the call, half after: {created}"
            );
        } else {
            assert_eq!(created, lost);
        }
        assert_eq!(world.calls().early_looks(), 0, "no RetryAfter has reached the client");
        let calls = world.calls().of("CreateResource");
        assert_eq!((calls.answered, calls.faulted), (1, 40));
    }
}

#[test]
fn looks_before_retry_after_are_early_whatever_the_servers_clock_says() {
    for skew in [
        Skew::default(),
        Skew::ahead(Duration::from_secs(77)),
        Skew::behind(Duration::from_hours(30)),
    ] {
        let mut world = world();
        world.set_faults(Faults {
            clock_skew: skew,
            ..Faults::default()
        });
        let token = create(&mut world);
        let input = json!({ "RequestToken": token });
        let (_, answer) = call(&mut world, "GetResourceRequestStatus", &input);
        let seconds = answer["ProgressEvent"]["RetryAfter"].as_f64().unwrap();
        let (_, answer) = call(&mut world, "ListResourceRequests", &json!({}));
        let listed = answer["ResourceRequestStatusSummaries"][0]["RetryAfter"]
            .as_f64()
            .unwrap();
        assert_ne!(seconds.to_bits(), listed.to_bits(), "it moves");
        let server_now = Duration::from_millis(world.server_now().as_millis().unsigned_abs());
        let left = Duration::from_secs_f64(listed).checked_sub(server_now).unwrap();
        world.advance(START.plus(left).minus(Duration::from_millis(2)));
        assert_eq!(world.calls().early_looks(), 0);
        call(&mut world, "GetResourceRequestStatus", &input);
        assert_eq!(world.calls().early_looks(), 1);
        assert_eq!(world.calls().of("GetResourceRequestStatus").early_looks, 1);
        world.advance(START.plus(Duration::from_mins(1)));
        call(&mut world, "GetResourceRequestStatus", &input);
        assert_eq!(world.calls().early_looks(), 1);
    }
}

#[test]
fn a_skewed_clock_moves_date_event_time_and_retry_after() {
    let mut world = world();
    world.set_faults(Faults {
        clock_skew: Skew::ahead(Duration::from_hours(1)),
        ..Faults::default()
    });
    create(&mut world);
    let response = whole(raw(&mut world, "ListResourceRequests", &json!({})));
    assert_eq!(response.headers()["date"], "Tue, 30 Dec 2025 17:02:20 GMT");
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    let entry = &answer["ResourceRequestStatusSummaries"][0];
    assert_eq!(entry["EventTime"], json!(1_767_114_140.245));
    assert!(entry["RetryAfter"].as_f64().unwrap() > 1_767_114_141.0);
}

#[test]
fn fields_and_known_statuses_may_be_missing() {
    let mut scenario = Scenario::friendly();
    Arc::make_mut(&mut scenario.hooks[0]).share = 1.0;
    let mut world = World::new(scenario, 1, START);
    let token = create(&mut world);
    let input = json!({ "RequestToken": token });
    world.advance(START.plus(Duration::from_mins(1)));
    world.set_faults(Faults {
        missing_fields: 1.0,
        ..Faults::default()
    });
    let (_, answer) = call(&mut world, "GetResourceRequestStatus", &input);
    assert_eq!(
        answer,
        json!({ "ProgressEvent": { "RequestToken": token }, "HooksProgressEvent": [{}] })
    );
    world.set_faults(Faults {
        unknown_statuses: 1.0,
        ..Faults::default()
    });
    let (_, answer) = call(&mut world, "GetResourceRequestStatus", &input);
    let known = [
        "PENDING",
        "IN_PROGRESS",
        "SUCCESS",
        "FAILED",
        "CANCEL_IN_PROGRESS",
        "CANCEL_COMPLETE",
    ];
    assert!(!known.contains(&answer["ProgressEvent"]["OperationStatus"].as_str().unwrap()));
    assert!(
        !answer["HooksProgressEvent"][0]["HookStatus"]
            .as_str()
            .unwrap()
            .contains("COMPLETE")
    );
}

#[test]
fn pages_may_shift_and_next_tokens_repeat() {
    let mut world = World::new(Scenario::lively(), 1, START);
    world.advance(START.plus(Duration::from_mins(3)));
    let mut page = |input: &Value| {
        let (_, answer) = call(&mut world, "ListResourceRequests", input);
        let tokens: Vec<Value> = answer["ResourceRequestStatusSummaries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["RequestToken"].clone())
            .collect();
        (tokens, answer.get("NextToken").cloned())
    };
    let (all, _) = page(&json!({ "MaxResults": 100 }));
    let (_, next) = page(&json!({ "MaxResults": 10 }));
    let second = json!({ "MaxResults": 10, "NextToken": next });
    assert_eq!(page(&second).0, all[10..20]);

    world.set_faults(Faults {
        shifting_pages: 1.0,
        ..Faults::default()
    });
    let mut starts = BTreeSet::new();
    for _ in 0..50 {
        let (_, answer) = call(&mut world, "ListResourceRequests", &second);
        let first = &answer["ResourceRequestStatusSummaries"][0]["RequestToken"];
        starts.insert(all.iter().position(|token| token == first).unwrap());
    }
    assert_eq!(starts, BTreeSet::from([7, 13]), "three early or three late");

    world.set_faults(Faults {
        repeated_next_tokens: 1.0,
        ..Faults::default()
    });
    let (_, answer) = call(&mut world, "ListResourceRequests", &second);
    assert_eq!(answer["NextToken"], second["NextToken"]);
}

#[test]
fn slow_calls_wait() {
    let mut world = world();
    assert_eq!(delay(&mut world), Duration::ZERO);
    world.set_faults(Faults {
        slow: 1.0,
        slow_by: Duration::from_secs(3),
        ..Faults::default()
    });
    assert_eq!(delay(&mut world), Duration::from_secs(3));
}

/// Everything goes wrong now and then.
fn misfortune() -> Faults {
    Faults {
        throttle: Some(Throttle {
            per_second: 1.0,
            burst: 30.0,
        }),
        throttled: 0.1,
        server_errors: 0.1,
        resets: 0.1,
        cut_off: 0.1,
        slow: 0.1,
        missing_fields: 0.1,
        unknown_statuses: 0.1,
        repeated_next_tokens: 0.1,
        shifting_pages: 0.1,
        empty_bodies: 0.1,
        ..Faults::default()
    }
}

#[test]
fn the_same_seed_gives_the_same_answers_and_the_same_misfortune() {
    let run = |seed| {
        let scenario = Scenario {
            faults: misfortune(),
            ..Scenario::lively()
        };
        let mut world = World::new(scenario, seed, START);
        let mut answers = Vec::new();
        for seconds in 0..200 {
            world.advance(START.plus(Duration::from_secs(seconds)));
            let input =
                json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{}", "ClientToken": format!("c{seconds}") });
            let wait = delay(&mut world);
            let created = raw(&mut world, "CreateResource", &input);
            let listed = raw(&mut world, "ListResourceRequests", &json!({}));
            answers.push(format!("{wait:?} {created:?} {listed:?}"));
        }
        answers.push(format!("{:?} {:?}", world.calls(), world.truth()));
        answers
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
