//! Days in simulated time, checked against what the simulator knows to be true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ccwatch::decide::cadence::Pace;
use ccwatch::history::Filter;
use ccwatch::model::ErrorCode;
use ccwatch::model::rows::{ChangeRow, RequestRow};
use ccwatch::simulator::{Faults, RequestTruth, Scenario};

use super::stage::{START, Stage};

const DAY: Duration = Duration::from_hours(24);

/// About 2,000 requests a day, with lives and hooks of every kind.
fn busy() -> Scenario {
    let mut scenario = Scenario {
        arrivals_per_second: 2_000.0 / DAY.as_secs_f64(),
        ..Scenario::lively()
    };
    // All that the real service may do to RetryAfter.
    scenario.retry_after.far = 0.02;
    scenario.retry_after.far_after = Duration::from_mins(20);
    for hook in scenario.hooks.iter_mut().map(Arc::make_mut) {
        hook.twice = 0.1;
        hook.without_event_time = 0.1;
    }
    scenario.list_lag = Duration::from_secs(2);
    scenario
}

fn faulty() -> Faults {
    Faults {
        throttled: 0.05,
        server_errors: 0.03,
        resets: 0.03,
        cut_off: 0.01,
        empty_bodies: 0.01,
        shifting_pages: 0.2,
        ..Faults::default()
    }
}

fn truth(stage: &Stage) -> BTreeMap<String, RequestTruth> {
    stage.simulator.advance(stage.clock.now());
    stage
        .simulator
        .truth()
        .requests()
        .into_iter()
        .map(|(token, truth)| (token.to_string(), truth))
        .collect()
}

fn history(stage: &Stage) -> BTreeMap<String, RequestRow> {
    let requests = stage.reader().requests(&Filter::default()).unwrap();
    requests
        .into_iter()
        .map(|request| (request.request_token.clone(), request))
        .collect()
}

fn changes(stage: &Stage) -> Vec<ChangeRow> {
    stage
        .reader()
        .changes_after(&Filter::default(), 0, usize::MAX)
        .unwrap()
        .changes
}

/// Every request that ended before `until` is in the history with the end that it really had, and its hooks too.
fn assert_history_is_true(stage: &Stage, until: Duration) -> usize {
    stage.assert_well();
    let (truth, history) = (truth(stage), history(stage));
    let mut checked = 0;
    for (token, truth) in &truth {
        if truth.finished_at.is_none_or(|at| at > START.plus(until)) {
            continue;
        }
        let request = history
            .get(token)
            .unwrap_or_else(|| panic!("{token} is not in the history: {truth:?}"));
        assert_eq!(request.status.as_deref(), Some(truth.status.as_str()), "{token}");
        assert_eq!(
            request.error_code.as_deref(),
            truth.error_code.as_ref().map(ErrorCode::as_str),
            "{token}"
        );
        assert_eq!(request.status_message.as_deref(), truth.message.as_deref(), "{token}");
        assert_eq!(request.identifier.as_deref(), truth.identifier.as_deref(), "{token}");
        assert!(!request.open, "{token}");
        let mut known: Vec<_> = hooks(stage, request).into_iter().collect();
        let mut real: Vec<_> = truth
            .hooks
            .values()
            .map(|hook| (hook.hook_type_name.to_string(), hook.status.to_string()))
            .collect();
        known.sort();
        real.sort();
        assert_eq!(known, real, "hooks of {token}");
        checked += 1;
    }
    // Nothing that never was.
    for token in history.keys() {
        assert!(truth.contains_key(token), "{token} is not true");
    }
    checked
}

fn hooks(stage: &Stage, request: &RequestRow) -> Vec<(String, String)> {
    let (target, token) = stage
        .reader()
        .find_tokens(&request.request_token, None, 1)
        .unwrap()
        .remove(0);
    let hooks = stage.reader().hooks(&target, &token).unwrap();
    hooks
        .into_iter()
        .map(|hook| (hook.hook_type_name.unwrap(), hook.status.unwrap()))
        .collect()
}

/// Laws 2 to 4 over what was told: each change once, in order for its request, and the final status last of its kind.
fn assert_telling_is_complete(stage: &Stage) {
    let changes = changes(stage);
    let told = stage.received.all();
    let ids: BTreeSet<_> = told.iter().map(|announcement| announcement.id.clone()).collect();
    assert_eq!(ids.len(), told.len(), "told twice");
    assert_eq!(told.len(), changes.len(), "every change is told");
    for (token, announcements) in stage.received.by_request() {
        let told: Vec<_> = announcements
            .iter()
            .map(|a| (a.kind.to_string(), a.from.clone(), a.to.clone()))
            .collect();
        let seen: Vec<_> = changes
            .iter()
            .filter(|change| change.request_token == token)
            .map(|change| {
                (
                    change.kind.clone(),
                    change.from_status.clone(),
                    change.to_status.clone(),
                )
            })
            .collect();
        assert_eq!(told, seen, "order of {token}");
        let finals = told.iter().filter(|(kind, _, to)| {
            kind == "request.status" && matches!(to.as_deref(), Some("SUCCESS" | "FAILED" | "CANCEL_COMPLETE"))
        });
        assert!(finals.count() <= 1, "two ends of {token}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_with_faults_is_remembered_and_told_as_it_was() {
    let stage = Stage::new(busy(), 7);
    // What happened before anyone asked, and is not to be told (law 6).
    tokio::time::sleep(Duration::from_hours(3)).await;
    let before: BTreeSet<String> = truth(&stage)
        .into_iter()
        .filter(|(_, truth)| truth.finished_at.is_some())
        .map(|(token, _)| token)
        .collect();
    assert!(before.len() > 100);

    stage.simulator.set_faults(faulty());
    *stage.received.fails_each.lock().unwrap() = 10;
    let daemon = stage.start(Pace::default());
    tokio::time::sleep(DAY).await;
    daemon.stop().await;

    let settled = Duration::from_hours(26);
    let checked = assert_history_is_true(&stage, settled);
    assert!(checked > 1_900, "only {checked} requests");
    assert_telling_is_complete(&stage);
    // Law 5.
    assert_eq!(stage.simulator.calls().early_looks(), 0);
    // Law 6.
    for announcement in stage.received.all() {
        assert!(
            !before.contains(&announcement.request.request_token),
            "old news: {announcement:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_day() {
    async fn play(seed: u64) -> (Vec<ChangeRow>, u64) {
        let stage = Stage::new(busy(), seed);
        stage.simulator.set_faults(faulty());
        let daemon = stage.start(Pace::default());
        tokio::time::sleep(Duration::from_hours(3)).await;
        daemon.stop().await;
        let calls = stage.simulator.calls();
        (
            changes(&stage),
            calls.operations.values().map(|calls| calls.received).sum(),
        )
    }
    let (first, again, other) = (play(1).await, play(1).await, play(2).await);
    assert!(first.0.len() > 500);
    assert_eq!(first.1, again.1);
    assert_eq!(first.0, again.0);
    assert_ne!(first.0, other.0);
}

/// Law 7: what could not be looked at is a gap, while the daemon runs and while it does not.
#[tokio::test(start_paused = true)]
async fn what_was_not_looked_at_is_a_gap_and_is_caught_up_with() {
    let stage = Stage::new(busy(), 3);
    let daemon = stage.start(Pace::default());
    tokio::time::sleep(Duration::from_hours(2)).await;
    stage.simulator.set_faults(Faults {
        resets: 1.0,
        ..Faults::default()
    });
    tokio::time::sleep(Duration::from_hours(1)).await;
    stage.simulator.set_faults(Faults::default());
    tokio::time::sleep(Duration::from_hours(1)).await;
    daemon.stop().await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    let daemon = stage.start(Pace::default());
    tokio::time::sleep(Duration::from_hours(1)).await;
    daemon.stop().await;

    let mut gaps = stage.reader().gaps(&Filter::default()).unwrap();
    gaps.reverse();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    let hour = Duration::from_hours(1);
    let near = |time, expected| {
        let expected = START.plus(expected);
        assert!(
            expected.minus(Duration::from_mins(2)) <= time && time <= expected.plus(Duration::from_mins(2)),
            "{time} is not near {expected}: {gaps:?}"
        );
    };
    near(gaps[0].from_at, 2 * hour);
    near(gaps[0].to_at.unwrap(), 3 * hour);
    near(gaps[1].from_at, 4 * hour);
    near(gaps[1].to_at.unwrap(), 5 * hour);
    assert_eq!(gaps[1].reason, "ccwatch was not running");
    assert!(assert_history_is_true(&stage, 5 * hour + Duration::from_mins(50)) > 300);
    assert_telling_is_complete(&stage);
}

/// Trap 2 and law 5: RetryAfter is the server's time, wherever its clock stands.
#[tokio::test(start_paused = true)]
async fn no_request_is_looked_at_too_early_on_a_skewed_server_clock() {
    use ccwatch::simulator::faults::Skew;
    for skew in [
        Skew::ahead(Duration::from_mins(5)),
        Skew::behind(Duration::from_mins(5)),
        Skew::ahead(Duration::from_millis(700)),
    ] {
        let stage = Stage::new(busy(), 11);
        stage.simulator.set_faults(Faults {
            clock_skew: skew,
            slow: 0.1,
            slow_by: Duration::from_secs(2),
            ..Faults::default()
        });
        let daemon = stage.start(Pace::default());
        tokio::time::sleep(Duration::from_hours(2)).await;
        daemon.stop().await;
        let calls = stage.simulator.calls();
        assert!(calls.of("GetResourceRequestStatus").received > 100);
        assert_eq!(calls.early_looks(), 0, "{skew:?}");
        assert_history_is_true(&stage, Duration::from_mins(110));
    }
}

/// Traps 3, 6, 13: what is left out or unknown is neither a panic nor a lost request.
#[tokio::test(start_paused = true)]
async fn answers_with_holes_and_unknown_words_are_lived_with() {
    let stage = Stage::new(busy(), 5);
    stage.simulator.set_faults(Faults {
        missing_fields: 0.2,
        unknown_statuses: 0.1,
        repeated_next_tokens: 0.1,
        ..Faults::default()
    });
    let daemon = stage.start(Pace::default());
    tokio::time::sleep(Duration::from_hours(2)).await;
    stage.simulator.set_faults(Faults::default());
    tokio::time::sleep(Duration::from_hours(1)).await;
    daemon.stop().await;
    let (truth, history) = (truth(&stage), history(&stage));
    for (token, truth) in truth.iter().filter(|(_, truth)| {
        truth
            .finished_at
            .is_some_and(|at| at < START.plus(Duration::from_mins(170)))
    }) {
        assert_eq!(history[token].status.as_deref(), Some(truth.status.as_str()), "{token}");
    }
    assert_telling_is_complete(&stage);
    stage.assert_well();
    assert_eq!(stage.simulator.calls().early_looks(), 0);
}
