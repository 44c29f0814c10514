use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::super::fixtures::{Scene, at, attempted, event, guarded, hook};
use super::super::locked;
use super::*;
use crate::decide::retry::Verdict;
use crate::model::{HookStatus, RequestStatus};

const DAY: i64 = 24 * 3600;

fn step(scene: &Scene, now: i64, days: u64, rows: usize) -> Pruned {
    let retention = Duration::from_hours(24 * days);
    let mut round = Round::new(at(now), retention);
    go_on(scene, &mut round, rows)
}

fn go_on(scene: &Scene, round: &mut Round, rows: usize) -> Pruned {
    scene.history.find_old(round).unwrap();
    scene.history.read_old(round, rows).unwrap();
    // It stands still: no machine is too slow for these tests.
    let clock = Clock::manual(at(0));
    let pruned = scene.history.forget_old(round, rows, &clock).unwrap();
    pruned.expect("not all of the log is folded")
}

/// Steps of so many rows until all is done. Returns how many requests are gone.
fn prune(scene: &Scene, now: i64, days: u64, rows: usize) -> usize {
    let mut round = Round::new(at(now), Duration::from_hours(24 * days));
    let mut requests = 0;
    loop {
        let pruned = go_on(scene, &mut round, rows);
        assert!(pruned.rows <= rows, "{pruned:?}");
        requests += pruned.requests;
        if pruned.is_done {
            return requests;
        }
    }
}

fn tokens(scene: &Scene) -> serde_json::Value {
    scene.rows("SELECT request_token FROM v_requests ORDER BY 1")
}

fn tell_all(scene: &Scene) {
    while let Some(delivery) = scene.due(1000 * DAY).first() {
        let attempt = attempted(delivery.ids[0], Verdict::Sent);
        scene.history.write(|tx| tx.record_attempts(&[attempt], at(0))).unwrap();
    }
}

#[test]
fn what_ended_long_ago_goes_with_all_that_hangs_on_it() {
    let scene = Scene::new();
    scene.record(&[
        scene.got(
            1,
            guarded("old", RequestStatus::Failed),
            vec![
                hook("A::B::C", HookStatus::Failed),
                hook("D::E::F", HookStatus::Pending),
            ],
        ),
        scene.seen(20 * DAY, event("new", RequestStatus::Success)),
    ]);
    scene.execute("INSERT INTO resource_models SELECT id, '{}' FROM requests");
    tell_all(&scene);
    assert_eq!(prune(&scene, 30 * DAY, 30, 10), 0, "not before its time");
    assert_eq!(prune(&scene, 30 * DAY + 2, 30, 10), 1);
    assert_eq!(tokens(&scene), json!([["new"]]));
    for table in ["progress_events", "changes", "deliveries", "resource_models"] {
        assert_eq!(scene.count(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
    for table in ["hooks", "hook_events"] {
        assert_eq!(scene.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[test]
fn what_is_open_or_still_to_be_told_stays() {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(1, event("open", RequestStatus::Pending)),
        scene.seen(1, event("told", RequestStatus::Success)),
    ]);
    tell_all(&scene);
    scene.record(&[scene.seen(2, event("untold", RequestStatus::Success))]);
    assert_eq!(prune(&scene, 400 * DAY, 30, 10), 1);
    assert_eq!(tokens(&scene), json!([["open"], ["untold"]]));
}

#[test]
fn what_the_service_may_still_list_stays_however_short_the_retention() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, event("a", RequestStatus::Success))]);
    tell_all(&scene);
    assert_eq!(prune(&scene, 8 * DAY, 0, 10), 0);
    assert_eq!(prune(&scene, 8 * DAY + 1, 0, 10), 1);
}

#[test]
fn what_hangs_on_no_request_goes_as_well_once_nothing_is_told_of_it() {
    let scene = Scene::new();
    scene.execute(
        "INSERT INTO silences (matchers, starts_at, ends_at, created_at, created_by, reason)
             VALUES ('kind=*', 0, 1, 0, 'a', 'b'), ('kind=*', 0, 9223372036854775807, 0, 'a', 'b');
         INSERT INTO notices (at, receiver, since, failing, waiting) VALUES (1, 'r', 0, 1, 0), (1, 'r', 0, 0, 0);
         INSERT INTO deliveries (notice_id, receiver, group_key, state, attempts, since, not_before, next_attempt_at,
             resolves, replayed)
             VALUES (1, 'm', '', 'pending', 0, 1, 1, 1, 0, 0), (2, 'm', '', 'dead', 0, 1, 1, NULL, 0, 0);
         INSERT INTO incidents (receiver, target_id, line, by_hook, opened_at, resolved_at)
             SELECT 'p', id, 1, 0, 1, NULL FROM targets UNION ALL SELECT 'p', id, 1, 0, 1, 2 FROM targets;
         INSERT INTO delivery_groups VALUES ('r', 'g', 1)",
    );
    assert_eq!(prune(&scene, 100 * DAY, 30, 10), 0);
    for table in ["silences", "notices", "incidents", "deliveries"] {
        assert_eq!(scene.count(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
    let forget = |tx: &WriteTx<'_>| tx.forget_groups(at(100 * DAY), 10);
    assert_eq!(scene.history.write(forget).unwrap(), 1);
}

#[test]
fn it_goes_in_steps_the_oldest_first_and_no_id_comes_back() {
    let scene = Scene::new();
    for second in 0..5 {
        let token = format!("t{second}");
        scene.record(&[scene.seen(second, event(&token, RequestStatus::Success))]);
    }
    tell_all(&scene);
    // A request's event, its change, the delivery with its attempt, and itself.
    let pruned = step(&scene, 100 * DAY, 30, 10);
    assert_eq!((pruned.requests, pruned.rows, pruned.is_done), (2, 10, false));
    assert_eq!(tokens(&scene), json!([["t2"], ["t3"], ["t4"]]));
    assert_eq!(prune(&scene, 100 * DAY, 30, 1000), 3);
    scene.record(&[scene.seen(200 * DAY, event("t9", RequestStatus::Success))]);
    for view in ["v_progress_events", "v_changes", "v_deliveries"] {
        assert_eq!(scene.count(&format!("SELECT id FROM {view}")), 6, "{view}");
    }
}

/// However many rows a request has, and of whatever table, a step removes no more than it may.
#[test]
fn a_request_with_many_rows_goes_over_many_steps() {
    const MANY: i64 = 50_000;
    const ROWS: usize = 2000;
    let scene = Scene::new();
    scene.record(&[scene.got(
        1,
        guarded("long", RequestStatus::Failed),
        vec![hook("A::B::C", HookStatus::Failed), hook("D::E::F", HookStatus::Failed)],
    )]);
    tell_all(&scene);
    let many = format!("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY})");
    let some = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)";
    scene.execute(&format!(
        "BEGIN;
         INSERT INTO progress_events (request_id, observed_at, status, source)
             {many} SELECT r.id, n, 'IN_PROGRESS', 'list' FROM n, requests AS r;
         INSERT INTO hook_events (hook_id, observed_at) {some} SELECT h.id, n FROM n, hooks AS h;
         INSERT INTO hooks (request_id, ordinal, first_seen_at, status)
             {some} SELECT r.id, n, 0, 'HOOK_FAILED' FROM n, requests AS r;
         INSERT INTO changes (request_id, kind, at) {some} SELECT r.id, 'request.detail', 0 FROM n, requests AS r;
         INSERT INTO deliveries (change_id, receiver, group_key, state, attempts, since, not_before, resolves, replayed)
             SELECT c.id, 'r', '', 'dead', 1, 0, 0, 0, 0 FROM changes AS c;
         INSERT INTO attempts (delivery_id, told_with, number, at, took_ms, outcome)
             {some} SELECT (SELECT max(id) FROM deliveries), 1, n, 0, 0, 'dead' FROM n;
         UPDATE requests SET hooks_total = 3002, hooks_failed = 3002;
         COMMIT;"
    ));
    let (mut steps, mut requests) = (0, 0);
    loop {
        let before = scene.total_changes();
        let pruned = step(&scene, 100 * DAY, 30, ROWS);
        // One more: the request's hooks are counted.
        assert!(scene.total_changes() - before <= ROWS as u64 + 1, "{pruned:?}");
        let counted = "SELECT count(*) FROM requests AS r
            WHERE hooks_total <> (SELECT count(*) FROM hooks AS h WHERE h.request_id = r.id)";
        assert_eq!(scene.count(counted), 0);
        (steps, requests) = (steps + 1, requests + pruned.requests);
        if pruned.is_done {
            break;
        }
        assert!(pruned.rows == ROWS || requests == 1, "{pruned:?}");
    }
    assert!(steps > 30, "{steps}");
    assert_eq!(requests, 1);
    for table in [
        "requests",
        "progress_events",
        "hooks",
        "hook_events",
        "changes",
        "deliveries",
        "attempts",
    ] {
        assert_eq!(scene.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

/// Between two steps, someone asks for what is half gone to be told again: it is to be told, so the rest of it stays.
#[test]
fn what_is_to_be_told_again_meanwhile_stays_from_then_on() {
    let scene = Scene::new();
    for status in [
        RequestStatus::Pending,
        RequestStatus::InProgress,
        RequestStatus::Success,
    ] {
        scene.record(&[scene.seen(1, event("a", status))]);
    }
    tell_all(&scene);
    // Its events, and the first change with what was told of it.
    step(&scene, 100 * DAY, 30, 6);
    scene.execute("UPDATE deliveries SET state = 'pending', sent_at = NULL, next_attempt_at = 1 WHERE id = 2");
    assert_eq!(prune(&scene, 100 * DAY, 30, 6), 0);
    assert_eq!(scene.rows("SELECT id FROM changes"), json!([[2], [3]]));
}

/// The law: whatever there is, and however small the steps, all that may go goes, and nothing else.
#[test]
fn no_open_request_and_no_undelivered_change_is_ever_forgotten() {
    let status = select(vec![
        RequestStatus::Pending,
        RequestStatus::Success,
        RequestStatus::Failed,
    ]);
    let request = (status, 0..60i64, any::<bool>());
    proptest!(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() },
        |(requests in prop::collection::vec(request, 1..12), rows in 1..40usize)| {
        let scene = Scene::new();
        let mut stay = Vec::new();
        for (number, (status, day, is_told)) in requests.iter().enumerate() {
            let token = format!("t{number:02}");
            scene.record(&[scene.got(day * DAY, guarded(&token, status.clone()), vec![hook("A::B::C", HookStatus::Pending)])]);
            if *is_told {
                tell_all(&scene);
            }
        }
        let pending = scene.rows("SELECT DISTINCT request_token FROM v_changes AS c JOIN v_deliveries AS d
            ON d.change_id = c.id WHERE d.state = 'pending'");
        for (number, (status, day, _)) in requests.iter().enumerate() {
            let token = json!([format!("t{number:02}")]);
            if !status.is_final() || *day >= 30 || pending.as_array().unwrap().contains(&token) {
                stay.push(token);
            }
        }
        let untold = "SELECT * FROM v_deliveries WHERE state = 'pending'";
        let untold_before = scene.rows(untold);
        let gone = prune(&scene, 60 * DAY, 30, rows);
        prop_assert_eq!(gone, requests.len() - stay.len());
        prop_assert_eq!(tokens(&scene), json!(stay));
        prop_assert_eq!(scene.rows(untold), untold_before);
        prop_assert_eq!(scene.rows("PRAGMA foreign_key_check"), json!([]));
        let whole = "SELECT count(*) FROM v_requests AS r WHERE NOT EXISTS (
            SELECT 1 FROM v_progress_events AS e WHERE e.request_token = r.request_token)";
        prop_assert_eq!(scene.count(whole), 0);
    });
}

/// To overwrite a model takes as long as it is long.
#[test]
fn a_long_model_counts_as_many_rows() {
    let scene = Scene::new();
    for token in ["a", "b", "c"] {
        scene.record(&[scene.seen(1, event(token, RequestStatus::Success))]);
    }
    tell_all(&scene);
    scene.execute("INSERT INTO resource_models SELECT id, printf('%.*c', 256 * 1024, 'm') FROM requests");
    let mut round = Round::new(at(100 * DAY), Duration::ZERO);
    let mut steps = 0;
    loop {
        let models = scene.count("SELECT count(*) FROM resource_models");
        let pruned = go_on(&scene, &mut round, 50);
        assert!(models - scene.count("SELECT count(*) FROM resource_models") <= 1);
        steps += 1;
        if pruned.is_done {
            break;
        }
    }
    assert!(steps >= 3, "{steps}");
    assert_eq!(tokens(&scene), json!([]));
}

#[test]
fn a_round_walks_past_what_stays_once() {
    let scene = Scene::new();
    for number in 0..2 * CANDIDATES {
        let token = format!("t{number:04}");
        scene.record(&[scene.seen(i64::try_from(number).unwrap(), event(&token, RequestStatus::Success))]);
    }
    // Of every other one, something is still to be told.
    scene.execute(
        "UPDATE deliveries SET state = 'skipped', next_attempt_at = NULL
         WHERE change_id IN (SELECT id FROM changes WHERE request_id % 2 = 0)",
    );
    let mut round = Round::new(at(100 * DAY), Duration::ZERO);
    let (mut gone, mut last) = (0, FROM_THE_FIRST);
    while !round.is_done() {
        gone += go_on(&scene, &mut round, 20).requests;
        assert!(round.after >= last || round.kinds.front() != Some(&Kind::Request));
        last = round.after;
    }
    assert_eq!(gone, CANDIDATES);
    assert_eq!(scene.count("SELECT count(*) FROM requests WHERE id % 2 = 0"), 0);
}

/// However slow a row is, and whatever its step was allowed: it ends after its time, and yet removes something.
#[test]
fn a_step_whose_time_is_over_ends_and_the_next_one_goes_on() {
    for took in [10, 40] {
        let scene = Scene::new();
        for number in 0..3 {
            scene.record(&[scene.got(
                1,
                guarded(&format!("t{number}"), RequestStatus::Failed),
                vec![hook("A::B::C", HookStatus::Failed)],
            )]);
        }
        tell_all(&scene);
        scene.execute("INSERT INTO resource_models SELECT id, '{}' FROM requests");
        let clock = Clock::manual(at(0));
        let (moved, mut now) = (clock.clone(), at(0));
        let each_row = move |_, _: &str, _: &str, _| {
            now = now.plus(Duration::from_millis(took));
            moved.advance_to(now).unwrap();
        };
        locked(&scene.history.shared.writer)
            .update_hook(Some(each_row))
            .unwrap();
        let mut round = Round::new(at(100 * DAY), Duration::ZERO);
        let (mut steps, mut requests) = (0, 0);
        while !round.is_done() {
            scene.history.find_old(&mut round).unwrap();
            let before = clock.uptime();
            let pruned = scene.history.forget_old(&mut round, 1000, &clock).unwrap().unwrap();
            assert!(pruned.rows > 0 || pruned.is_done, "{pruned:?}");
            // What hangs on a request besides, and the request, go at once: four rows, one of them in no other's table.
            let most = retention::LONGEST_STEP + 4 * Duration::from_millis(took);
            assert!(clock.uptime().saturating_sub(before) <= most, "{pruned:?}");
            (steps, requests) = (steps + 1, requests + pruned.requests);
        }
        assert_eq!((requests, tokens(&scene)), (3, json!([])));
        assert!(steps > 6, "{steps}");
    }
}
