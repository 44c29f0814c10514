//! What goes wrong on the way to AWS: never a hot loop, never silence, and never one target's trouble another's.

use std::collections::BTreeSet;
use std::time::Duration;

use ccwatch::decide::cadence::Pace;
use ccwatch::history::Filter;
use ccwatch::simulator::scenario::TypeScenario;
use ccwatch::simulator::{Faults, Scenario, Spread};

use super::stage::Stage;

/// However AWS fails for an hour, it is asked no more than a call a minute or so, and the hour is a gap.
#[tokio::test(start_paused = true)]
async fn each_kind_of_failure_backs_off_and_becomes_a_gap() {
    let all = || BTreeSet::from(["*".to_owned()]);
    let kinds: [(&str, Faults); 6] = [
        (
            "throttled",
            Faults {
                throttled: 1.0,
                ..Faults::default()
            },
        ),
        (
            "5xx",
            Faults {
                server_errors: 1.0,
                ..Faults::default()
            },
        ),
        (
            "expired credentials",
            Faults {
                expired_credentials: true,
                ..Faults::default()
            },
        ),
        (
            "denied",
            Faults {
                access_denied: all(),
                ..Faults::default()
            },
        ),
        (
            "cut off",
            Faults {
                cut_off: 1.0,
                ..Faults::default()
            },
        ),
        (
            "time-outs",
            Faults {
                slow: 1.0,
                slow_by: Duration::from_hours(2),
                ..Faults::default()
            },
        ),
    ];
    for (name, faults) in kinds {
        let stage = Stage::new(
            Scenario {
                arrivals_per_second: 0.02,
                ..Scenario::lively()
            },
            1,
        );
        stage.simulator.set_faults(faults);
        let daemon = stage.start(Pace::default());
        tokio::time::sleep(Duration::from_hours(1)).await;
        let calls: u64 = stage
            .simulator
            .calls()
            .operations
            .values()
            .map(|calls| calls.received)
            .sum();
        // A call that was given up before it was carried out was never counted by the simulator.
        assert!(calls >= 30 || name == "time-outs", "{name}: only {calls} calls");
        assert!(calls <= 150, "{name}: {calls} calls");
        stage.simulator.set_faults(Faults::default());
        tokio::time::sleep(Duration::from_mins(10)).await;
        daemon.stop().await;
        let gaps = stage.reader().gaps(&Filter::default()).unwrap();
        assert_eq!(gaps.len(), 1, "{name}: {gaps:?}");
        assert!(gaps[0].to_at.is_some(), "{name}");
        assert!(
            !stage.reader().requests(&Filter::default()).unwrap().is_empty(),
            "{name}"
        );
    }
}

/// Answers that parse and hold nothing are not taken for a world without requests.
#[tokio::test(start_paused = true)]
async fn empty_answers_are_a_gap_and_no_request_is_given_up_for_them() {
    let stage = Stage::new(
        Scenario {
            arrivals_per_second: 0.05,
            ..Scenario::lively()
        },
        5,
    );
    let daemon = stage.start(Pace::default());
    tokio::time::sleep(Duration::from_mins(10)).await;
    // Something is open while the answers are empty.
    while stage
        .reader()
        .summary()
        .unwrap()
        .requests
        .iter()
        .all(|(status, _)| status.as_deref() != Some("IN_PROGRESS"))
    {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stage.simulator.set_faults(Faults {
        empty_bodies: 1.0,
        ..Faults::default()
    });
    tokio::time::sleep(Duration::from_hours(1)).await;
    stage.simulator.set_faults(Faults::default());
    tokio::time::sleep(Duration::from_mins(10)).await;
    daemon.stop().await;
    let gaps = stage.reader().gaps(&Filter::default()).unwrap();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(
        gaps[0].to_at.unwrap().since(gaps[0].from_at) > Duration::from_mins(55),
        "{gaps:?}"
    );
    assert!(
        stage
            .received
            .all()
            .iter()
            .all(|announcement| announcement.kind.as_str() != "request.lost")
    );
}

/// Gets that are denied do not stop the lists, are asked for rarely, and are a gap: hooks can't be seen.
#[tokio::test(start_paused = true)]
async fn an_identity_that_may_only_list_still_sees_statuses() {
    let stage = Stage::new(
        Scenario {
            arrivals_per_second: 0.05,
            ..Scenario::lively()
        },
        2,
    );
    stage.simulator.set_faults(Faults {
        access_denied: BTreeSet::from(["GetResourceRequestStatus".to_owned()]),
        ..Faults::default()
    });
    let daemon = stage.start(Pace::default());
    tokio::time::sleep(Duration::from_hours(1)).await;
    daemon.stop().await;
    let calls = stage.simulator.calls();
    assert!(calls.of("GetResourceRequestStatus").received < 150, "{calls:?}");
    assert!(calls.of("ListResourceRequests").received > 200, "{calls:?}");
    let finished = stage.reader().requests(&Filter::default()).unwrap();
    assert!(finished.iter().filter(|request| !request.open).count() > 100);
    assert!(
        stage.reader().gaps(&Filter::default()).unwrap()[0]
            .reason
            .contains("AccessDenied")
    );
}

/// Two targets that are one account and Region are looked at once.
#[tokio::test(start_paused = true)]
async fn a_second_target_for_the_same_account_and_region_is_skipped() {
    let stage = Stage::new(
        Scenario {
            arrivals_per_second: 0.02,
            ..Scenario::lively()
        },
        4,
    );
    let targets = vec![
        Stage::target("prod", Pace::default()),
        Stage::target("production", Pace::default()),
    ];
    let daemon = stage.start_with(targets);
    tokio::time::sleep(Duration::from_mins(30)).await;
    daemon.stop().await;
    // Whichever of the two came first, it alone is asked for, and keeps its name.
    let calls = stage.simulator.calls().of("ListResourceRequests").received;
    assert!(calls < 30 * 6 + 60, "{calls} calls");
    let told: BTreeSet<_> = stage
        .received
        .all()
        .into_iter()
        .map(|announcement| announcement.target)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let tokens: Vec<_> = stage
        .reader()
        .requests(&Filter::default())
        .unwrap()
        .into_iter()
        .map(|request| request.request_token)
        .collect();
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len());
    assert!(tokens.len() > 10);
}

/// The budget holds whatever there is to look at.
#[tokio::test(start_paused = true)]
async fn the_call_budget_holds() {
    let stage = Stage::new(
        Scenario {
            arrivals_per_second: 5.0,
            ..Scenario::lively()
        },
        6,
    );
    let pace = Pace {
        max_calls_per_second: 2.0,
        ..Pace::default()
    };
    let daemon = stage.start(pace);
    tokio::time::sleep(Duration::from_mins(10)).await;
    daemon.stop().await;
    let calls: u64 = stage
        .simulator
        .calls()
        .operations
        .values()
        .map(|calls| calls.received)
        .sum();
    assert!(calls <= 2 * 600 + 3, "{calls} calls");
    assert!(calls >= 2 * 500, "{calls} calls");
}

/// Trap 12 and 8: PENDING for ever is looked at ever more seldom, and after seven days it is lost, not failed.
#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_lost_when_its_token_expires() {
    let mut scenario = Scenario {
        arrivals_per_second: 0.0001,
        never_start: 1.0,
        ..Scenario::lively()
    };
    scenario.retry_after.absent = 1.0;
    let stage = Stage::new(scenario, 8);
    let pace = Pace {
        sweep_every: Duration::from_hours(6),
        discover_every: Duration::from_mins(10),
        idle_every: Duration::from_mins(10),
        max_look_every: Duration::from_hours(2),
        ..Pace::default()
    };
    let daemon = stage.start(pace);
    tokio::time::sleep(Duration::from_hours(24 * 9)).await;
    daemon.stop().await;
    let lost: Vec<_> = stage
        .received
        .all()
        .into_iter()
        .filter(|announcement| announcement.kind.as_str() == "request.lost")
        .collect();
    assert!(lost.len() > 3, "{} lost", lost.len());
    stage.assert_well();
    for announcement in lost {
        assert_eq!(announcement.from.as_deref(), Some("PENDING"));
        assert_eq!(announcement.request.status.as_deref(), Some("PENDING"));
        assert!(!announcement.request.open);
    }
}

/// A list that takes long, page by page, is no time in which nothing was looked at.
#[tokio::test(start_paused = true)]
async fn a_slow_listing_is_no_gap() {
    let stage = Stage::new(
        Scenario {
            types: vec![TypeScenario {
                duration: Spread::Fixed(Duration::from_mins(5)),
                ..TypeScenario::default()
            }],
            arrivals_per_second: 3.0,
            ..Scenario::default()
        },
        9,
    );
    tokio::time::sleep(Duration::from_mins(10)).await;
    // Nine hundred open requests are nine pages, at a call a second.
    let daemon = stage.start(Pace {
        discover_every: Duration::from_secs(1),
        idle_every: Duration::from_secs(1),
        max_calls_per_second: 1.0,
        ..Pace::default()
    });
    tokio::time::sleep(Duration::from_mins(10)).await;
    daemon.stop().await;
    assert!(stage.simulator.calls().of("ListResourceRequests").answered > 100);
    assert_eq!(stage.reader().gaps(&Filter::default()).unwrap(), []);
}
