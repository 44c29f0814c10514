use serde_json::json;

use super::super::fixtures::{self, RECEIVER, Scene, all_to, at, event, guarded, hook, some_to};
use super::*;
use crate::decide::route::Field;
use crate::model::HookStatus::{CompleteFailed, InProgress as HookInProgress};
use crate::model::RequestStatus::{Failed, InProgress, Pending, Success};
use crate::model::{HookProgressEvent, Phase};

const TABLES: [&str; 7] = [
    "requests",
    "resource_models",
    "progress_events",
    "hooks",
    "hook_events",
    "changes",
    "deliveries",
];

fn everything(scene: &Scene) -> Vec<serde_json::Value> {
    TABLES.map(|table| scene.rows(&format!("SELECT * FROM {table}"))).into()
}

/// A batch that writes to every table, a request that is known among them.
fn batch(scene: &Scene) -> Vec<Sighting> {
    let with_model = ProgressEvent {
        resource_model: Some("{}".into()),
        ..guarded("a", Failed)
    };
    vec![
        scene.seen(2, event("b", Pending)),
        scene.got(3, with_model, vec![hook("A::B::C", CompleteFailed)]),
    ]
}

#[test]
fn a_batch_is_recorded_wholly_or_not_at_all() {
    for table in TABLES {
        let scene = Scene::new();
        scene.record(&[scene.got(1, guarded("a", Pending), vec![hook("A::B::C", HookInProgress)])]);
        let before = everything(&scene);
        // The last row that the batch writes into this table cannot be written.
        let last = if table == "requests" {
            "NEW.status = 'FAILED'"
        } else {
            "TRUE"
        };
        scene.execute(&format!(
            "CREATE TEMP TRIGGER refuse_insert BEFORE INSERT ON {table} WHEN {last}
             BEGIN SELECT raise(ABORT, 'refused'); END;
             CREATE TEMP TRIGGER refuse_update BEFORE UPDATE ON {table} WHEN {last}
             BEGIN SELECT raise(ABORT, 'refused'); END;"
        ));
        let outcome = scene.history.write(|tx| tx.record(&batch(&scene), &all_to(RECEIVER)));
        assert!(outcome.unwrap_err().to_string().contains("refused"), "{table}");
        assert_eq!(everything(&scene), before, "{table}");

        scene.execute("DROP TRIGGER refuse_insert; DROP TRIGGER refuse_update");
        let recorded = scene.record(&batch(&scene));
        assert_eq!((recorded.changes, recorded.deliveries), (3, 3), "{table}");
    }
}

#[test]
fn a_transaction_whose_work_panics_is_undone_and_the_history_goes_on() {
    let scene = Scene::new();
    let before = everything(&scene);
    let history = scene.history.clone();
    let sightings = batch(&scene);
    let panicked = std::thread::spawn(move || {
        history.write(|tx| -> Result<(), Failure> {
            tx.record(&sightings, &all_to(RECEIVER))?;
            panic!("in mid-transaction");
        })
    });
    panicked.join().unwrap_err();
    assert_eq!(everything(&scene), before);
    assert_eq!(scene.record(&batch(&scene)).changes, 3);
}

#[test]
fn standings_are_those_after_the_batch_each_request_once() {
    let scene = Scene::new();
    let recorded = scene.record(&[
        scene.seen(1, event("b", Pending)),
        scene.seen(1, event("a", Pending)),
        scene.gone(2, "never-known"),
        scene.seen(3, event("b", Success)),
    ]);
    let standings: Vec<_> = recorded
        .standings
        .iter()
        .map(|s| (s.key.token.as_str(), s.phase))
        .collect();
    assert_eq!(standings, [("b", Phase::Finished), ("a", Phase::Open)]);

    let known = scene.record(&[scene.seen(3, event("b", Success)), scene.gone(4, "a")]);
    assert_eq!(
        known.standings[0], recorded.standings[0],
        "what does not differ stands where it stood"
    );
    assert_eq!(known.standings[1].gone_looks, 1);
}

#[test]
fn what_is_worth_a_look_survives_in_every_detail() {
    let scene = Scene::new();
    let retry_after = Some(at(30));
    let recorded = scene.record(&[
        scene.seen(
            1,
            ProgressEvent {
                retry_after,
                ..guarded("open", InProgress)
            },
        ),
        scene.got(
            2,
            guarded("final looks", Success),
            vec![hook("A::B::C", HookInProgress)],
        ),
        scene.seen(2, event("done", Success)),
        scene.gone(3, "open"),
    ]);
    let mut kept = scene
        .history
        .read(|connection| super::super::requests::standings(connection, scene.target))
        .unwrap();
    let order = |standing: &Standing| standing.key.token.clone();
    let mut worth: Vec<_> = recorded
        .standings
        .into_iter()
        .filter(|s| s.key.token.as_str() != "done")
        .collect();
    worth.sort_by_key(order);
    kept.sort_by_key(order);
    assert_eq!(kept, worth);
    assert!(kept.iter().all(|standing| standing.hooks_pending));
    assert_eq!(kept[1].retry_after, retry_after);
}

#[test]
fn what_is_known_is_read_back_as_it_was_written() {
    let scene = Scene::new();
    let twice = HookProgressEvent {
        hook_type_name: None,
        ..hook("", CompleteFailed)
    };
    let full = ProgressEvent {
        identifier: Some("id".into()),
        error_code: Some("WordOfTomorrow".into()),
        status_message: Some("ü".repeat(2048)),
        retry_after: Some(at(9)),
        resource_model: Some("x".repeat(262_144)),
        operation: Some("CREATE".into()),
        ..guarded("a", InProgress)
    };
    let look = scene.got(
        1,
        full,
        vec![
            twice.clone(),
            hook("A::B::C", HookInProgress),
            twice,
            hook("", CompleteFailed),
        ],
    );
    scene.record(std::slice::from_ref(&look));
    let expected = diff::diff(None, &look, Baseline::Complete(Timestamp::from_millis(i64::MIN)))
        .unwrap()
        .state;
    let read = fixtures::known(&scene, &look.key).unwrap();
    assert_eq!(read, expected);
    assert_eq!(read.hooks.len(), 4);
}

#[test]
fn a_resource_model_is_read_only_to_be_compared_with_another() {
    let scene = Scene::new();
    let with_model = |model: &str| ProgressEvent {
        resource_model: Some(model.into()),
        ..event("a", InProgress)
    };
    let model = || {
        fixtures::known(&scene, &scene.key("a"))
            .unwrap()
            .resource_model
            .unwrap()
    };
    scene.record(&[scene.seen(1, with_model("{\"first\":1}"))]);
    scene.record(&[scene.seen(2, event("a", InProgress)), scene.seen(3, with_model("{}"))]);
    assert_eq!(model(), "{}");
    let changes = scene.total_changes();
    scene.record(&[scene.seen(3, with_model("{}"))]);
    assert_eq!(scene.total_changes(), changes);

    scene.execute("UPDATE resource_models SET resource_model = CAST(x'ff' AS TEXT)");
    scene.record(&[scene.seen(4, event("a", InProgress))]);
    let unreadable = [scene.seen(5, with_model("{}"))];
    scene
        .history
        .write(|tx| tx.record(&unreadable, &Routing::default()))
        .unwrap_err();
}

#[test]
fn routes_choose_by_what_the_change_says() {
    let scene = Scene::new();
    let routes = vec![
        some_to("hooks", Field::HookTypeName, "A::*"),
        some_to("warnings", Field::FailureMode, "WARN"),
        some_to("types", Field::TypeName, "AWS::Logs::*"),
        some_to("lost", Field::Kind, "request.lost"),
        some_to("elsewhere", Field::Region, "us-*"),
        some_to("entry", Field::Target, "prod"),
        some_to("from", Field::From, "PENDING"),
    ];
    let warning = HookProgressEvent {
        failure_mode: Some(FailureMode::Warn),
        ..hook("A::B::C", CompleteFailed)
    };
    let sightings = [
        scene.seen(1, guarded("a", Pending)),
        scene.got(2, guarded("a", InProgress), vec![warning]),
    ];
    scene.history.write(|tx| tx.record(&sightings, &routes.into())).unwrap();
    let told = scene.rows(
        "SELECT c.kind, c.to_status, group_concat(d.receiver, ' ') FROM v_changes AS c
         JOIN v_deliveries AS d ON d.change_id = c.id GROUP BY c.id ORDER BY c.id",
    );
    assert_eq!(
        told,
        serde_json::json!([
            ["request.status", "PENDING", "types entry"],
            ["hook.status", "HOOK_COMPLETE_FAILED", "hooks warnings types entry"],
            ["request.status", "IN_PROGRESS", "types entry from"],
        ])
    );
}

#[test]
fn the_same_token_in_another_target_is_another_request() {
    let scene = Scene::new();
    let other = scene
        .history
        .write(|tx| {
            let name = super::super::fixtures::name("play");
            let id = tx
                .register_target(&name, None, &super::super::fixtures::region(), at(0))?
                .target
                .id;
            tx.begin_baseline(id, at(0))?;
            Ok(id)
        })
        .unwrap();
    let mine = scene.seen(1, event("a", Success));
    let mut theirs = scene.seen(1, event("a", Failed));
    theirs.key.target = other;
    assert_eq!(scene.record(&[mine, theirs]).changes, 2);
    assert_eq!(
        scene.count("SELECT count(*) FROM v_requests WHERE request_token = 'a'"),
        2
    );
}

#[test]
fn a_finished_request_that_is_swept_again_costs_nothing() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Success))]);
    let wal = || {
        std::fs::metadata(scene.folder.path().join("history.db-wal"))
            .unwrap()
            .len()
    };
    let (changes, length) = (scene.total_changes(), wal());
    let recorded = scene.record(&[scene.seen(300, event("a", Success))]);
    assert_eq!((scene.total_changes(), wal()), (changes, length));
    assert_eq!((recorded.changes, recorded.standings.len()), (0, 1));
}

#[test]
fn an_open_request_that_is_seen_again_unchanged_keeps_its_schedule_and_makes_no_news() {
    let scene = Scene::new();
    let event = |retry_after| ProgressEvent {
        retry_after: Some(at(retry_after)),
        ..event("a", InProgress)
    };
    scene.record(&[scene.seen(1, event(10))]);
    let recorded = scene.record(&[scene.seen(9, event(20))]);
    assert_eq!((recorded.changes, recorded.standings[0].retry_after), (0, Some(at(20))));
    let known = scene.history.write(|tx| tx.known(&scene.key("a"))).unwrap().unwrap();
    assert_eq!(
        (known.state.last_seen_at, known.state.retry_after),
        (at(9), Some(at(20)))
    );
    assert_eq!(scene.count("SELECT count(*) FROM v_progress_events"), 1);
}

/// Law 7: what happened while no one looked is marked, whenever the gap's end became known.
#[test]
fn what_happened_in_a_gap_is_marked_as_observed_late() {
    let scene = Scene::new();
    let at_time = |token: &str, second: i64| ProgressEvent {
        event_time: Some(at(second)),
        ..event(token, Failed)
    };
    scene
        .history
        .write(|tx| tx.open_gap(scene.target, at(100), "away"))
        .unwrap();
    scene.record(&[
        scene.seen(200, at_time("before", 99)),
        scene.seen(200, at_time("meanwhile", 150)),
    ]);
    let marked = "SELECT request_token, observed_late FROM v_changes ORDER BY id";
    let expected = json!([["before", 0], ["meanwhile", 1]]);
    assert_eq!(scene.rows(marked), expected);
    scene.history.write(|tx| tx.close_gap(scene.target, at(201))).unwrap();
    scene.record(&[scene.seen(210, at_time("after", 205))]);
    assert_eq!(
        scene.rows(marked),
        json!([["before", 0], ["meanwhile", 1], ["after", 0]])
    );
    let told: Vec<bool> = scene
        .due(300)
        .iter()
        .map(|delivery| delivery.news.change().unwrap().observed_late)
        .collect();
    assert_eq!(told, [false, true, false]);
}
