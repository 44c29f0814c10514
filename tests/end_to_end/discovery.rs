//! How soon what no one told us of is found, and at what cost.

use std::collections::BTreeMap;
use std::time::Duration;

use ccwatch::decide::cadence::Pace;
use ccwatch::history::Filter;
use ccwatch::model::RequestStatus;
use ccwatch::simulator::scenario::TypeScenario;
use ccwatch::simulator::{Scenario, Spread};

use super::stage::{START, Stage};

/// Requests that live for two seconds at the most, and thousands that have ended.
fn short_lives(arrivals_per_second: f64) -> Scenario {
    Scenario {
        types: vec![TypeScenario {
            type_name: "AWS::SSM::Parameter".into(),
            duration: Spread::Uniform {
                from: Duration::from_millis(100),
                to: Duration::from_millis(1_800),
            },
            ..TypeScenario::default()
        }],
        arrivals_per_second,
        pending: Spread::Fixed(Duration::from_millis(100)),
        fail: 0.1,
        ..Scenario::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_quick_failure_is_told_within_a_discovery_and_a_quick_success_within_a_sweep() {
    let stage = Stage::new(short_lives(1.0), 5);
    // Thousands of SUCCESS rows, and hundreds of FAILED ones: some pages more than what is open.
    tokio::time::sleep(Duration::from_hours(2)).await;
    let pace = Pace::default();
    let daemon = stage.start(pace.clone());
    tokio::time::sleep(Duration::from_mins(31)).await;
    daemon.stop().await;

    let truth = stage.simulator.truth().requests();
    let (mut failures, mut successes) = (0, 0);
    let told = stage.received.by_request();
    // In the first minutes the first sweep takes most of the budget.
    let (from, to) = (Duration::from_mins(125), Duration::from_mins(145));
    for (token, truth) in truth {
        let Some(ended) = truth
            .finished_at
            .filter(|at| *at >= START.plus(from) && *at < START.plus(to))
        else {
            continue;
        };
        let news = told
            .get(&token.to_string())
            .unwrap_or_else(|| panic!("{token} was never told"));
        let delay = news.last().unwrap().at.since(ended);
        // Some calls may stand before it.
        let moment = Duration::from_secs(5);
        if truth.status == RequestStatus::Failed {
            failures += 1;
            assert!(
                delay <= pace.discover_every + moment,
                "{token} failed and was told {delay:?} later"
            );
        } else {
            successes += 1;
            assert!(
                delay <= pace.sweep_every + moment,
                "{token} succeeded and was told {delay:?} later"
            );
        }
    }
    assert!(failures > 50 && successes > 500, "{failures} {successes}");
    // Eight pages of old failures each ten seconds, seventy of sweep each five minutes, a look for most that end.
    let calls = stage.simulator.calls().of("ListResourceRequests").received;
    assert!(calls < 31 * 60 * 3 / 2, "{calls} lists");
    assert_eq!(stage.simulator.calls().early_looks(), 0);
}

/// Bounded by the budget alone: five pages a second.
#[tokio::test(start_paused = true)]
async fn a_first_sweep_of_fifty_thousand_is_as_fast_as_the_budget_lets_it() {
    let scenario = Scenario {
        fail: 0.01,
        ..short_lives(0.1)
    };
    let stage = Stage::new(scenario, 5);
    tokio::time::sleep(Duration::from_secs(500_000)).await;
    stage.simulator.advance(stage.clock.now());
    let finished = stage.simulator.truth().requests().len();
    assert!((49_000..51_000).contains(&finished), "{finished}");
    let daemon = stage.start(Pace::default());
    tokio::time::sleep(Duration::from_secs(130)).await;
    let known = stage.reader().requests(&Filter::default()).unwrap().len();
    daemon.stop().await;
    assert!(known >= finished, "{known} of {finished}");
}

/// More ends a second than there are calls: each SUCCESS takes a Get. What is new is found all the same, and what needs no
/// Get is told.
#[tokio::test(start_paused = true)]
async fn a_backlog_of_gets_leaves_the_lists_their_turn() {
    let scenario = Scenario {
        types: vec![TypeScenario {
            type_name: "AWS::SSM::Parameter".into(),
            duration: Spread::log_normal(Duration::from_secs(30), Duration::from_mins(2)),
            ..TypeScenario::default()
        }],
        arrivals_per_second: 8.0,
        ..Scenario::default()
    };
    let stage = Stage::new(scenario, 5);
    let pace = Pace::default();
    let daemon = stage.start(pace.clone());
    tokio::time::sleep(Duration::from_mins(15)).await;
    daemon.stop().await;
    let known = stage.reader().requests(&Filter::default()).unwrap();
    let first_seen: BTreeMap<_, _> = known
        .into_iter()
        .map(|request| (request.request_token, request.first_seen_at))
        .collect();
    let settled = START.plus(Duration::from_mins(5));
    let end = START.plus(Duration::from_mins(13));
    let mut found = 0;
    for (token, truth) in stage.simulator.truth().requests() {
        // What ends sooner than it could be listed is left to the sweep.
        let in_time = 3 * pace.discover_every;
        let lives = truth.finished_at.is_none_or(|at| at.since(truth.began_at) > in_time);
        if !lives || truth.began_at < settled || truth.began_at > end {
            continue;
        }
        let seen = first_seen
            .get(&token.to_string())
            .unwrap_or_else(|| panic!("{token} was never seen"));
        let delay = seen.since(truth.began_at);
        assert!(
            delay <= 3 * pace.discover_every,
            "{token} was seen {delay:?} after it began"
        );
        found += 1;
    }
    assert!(found > 1_500, "{found}");
}
