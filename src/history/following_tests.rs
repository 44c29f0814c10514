use serde_json::json;

use super::super::Filter;
use super::super::fixtures::{RECEIVER, Scene, all_to, at, event, hook, name, region};
use super::*;
use crate::model::RequestStatus::{InProgress, Pending, Success};

fn account() -> AccountId {
    AccountId("111122223333".into())
}

/// A new request as its own call answers it.
fn begun(editor: &mut Editor, second: i64, target: &str, token: &str) -> TargetName {
    let place = (&name(target), Some(&account()), &region());
    let answer = editor.record_answer(place, event(token, Pending), &all_to(RECEIVER), at(second));
    answer.unwrap()
}

#[test]
fn what_was_begun_is_told_once_even_in_a_target_that_was_never_swept() {
    let scene = Scene::before_baseline();
    let mut editor = Editor::open(&scene.path()).unwrap();
    assert_eq!(begun(&mut editor, 1, "prod", "a").as_str(), "prod/eu-west-1");
    let told = json!([["request.status", null, "PENDING"]]);
    let changes = || scene.rows("SELECT kind, from_status, to_status FROM changes ORDER BY id");
    assert_eq!(changes(), told);
    assert_eq!(scene.due(1).len(), 1);
    assert_eq!(scene.rows("SELECT source FROM progress_events"), json!([["call"]]));
    assert_eq!(
        scene.rows("SELECT baseline_began_at FROM targets"),
        json!([[null]]),
        "the first sweep is still to come"
    );

    // The daemon comes to see it, before its sweep and after.
    scene.record(&[scene.got(2, event("a", Pending), Vec::new())]);
    scene
        .history
        .write(|tx| tx.begin_baseline(scene.target, at(3)))
        .unwrap();
    scene.record(&[scene.seen(4, event("a", Pending))]);
    assert_eq!(changes(), told);
    // What ended before anyone swept is old news, but for what was begun here.
    let mut old = event("old", Success);
    old.event_time = Some(at(0));
    let mut own = event("a", Success);
    own.event_time = Some(at(2));
    scene.record(&[scene.seen(5, old), scene.seen(5, own)]);
    let told = json!([
        ["request.status", null, "PENDING"],
        ["request.status", "PENDING", "SUCCESS"]
    ]);
    assert_eq!(changes(), told);
}

#[test]
fn the_same_answer_twice_and_one_that_the_daemon_saw_before_change_nothing() {
    let scene = Scene::new();
    let mut editor = Editor::open(&scene.path()).unwrap();
    let mut hinted = event("a", InProgress);
    hinted.retry_after = Some(at(60));
    scene.record(&[scene.got(1, hinted, Vec::new())]);
    let before = scene.rows("SELECT * FROM changes");
    for second in [2, 3] {
        begun(&mut editor, second, "prod", "a");
    }
    assert_eq!(scene.rows("SELECT * FROM changes"), before, "PENDING is an echo");
    assert_eq!(
        scene.rows("SELECT retry_after FROM requests"),
        json!([[at(60).as_millis()]]),
        "law 5: an answer without a RetryAfter hastens no look"
    );
}

#[test]
fn a_target_keeps_the_name_that_its_daemon_gave_it() {
    let scene = Scene::new();
    let mut editor = Editor::open(&scene.path()).unwrap();
    assert_eq!(begun(&mut editor, 1, "111122223333", "a").as_str(), "prod/eu-west-1");
    assert_eq!(scene.rows("SELECT name FROM targets"), json!([["prod/eu-west-1"]]));

    let watched = |entry: &str, account: Option<&AccountId>| {
        let found = editor.watched(&name(entry), account, &region()).unwrap();
        found.map(|name| name.as_str().to_owned())
    };
    assert_eq!(watched("else", Some(&account())).as_deref(), Some("prod/eu-west-1"));
    assert_eq!(watched("prod", None).as_deref(), Some("prod/eu-west-1"));
    assert_eq!(watched("prod", Some(&AccountId("999900001111".into()))), None);
    assert_eq!(watched("else", None), None);
}

#[test]
fn a_name_that_is_another_accounts_stays_so() {
    let scene = Scene::new();
    let mut editor = Editor::open(&scene.path()).unwrap();
    let (own, other) = (account(), AccountId("999900001111".into()));
    assert_eq!(editor.holder(&name("prod"), &other).unwrap(), Some(own.clone()));
    assert_eq!(editor.holder(&name("prod"), &own).unwrap(), None);
    assert_eq!(editor.holder(&name("else"), &other).unwrap(), None);

    // Should it be taken between the question and the answer, what was begun is not forgotten.
    let place = (&name("prod"), Some(&other), &region());
    let called = editor.record_answer(place, event("a", Pending), &all_to(RECEIVER), at(1));
    assert_eq!(called.unwrap().as_str(), "prod/eu-west-1@999900001111");
    assert_eq!(
        scene.rows("SELECT name, account_id FROM targets ORDER BY id"),
        json!([
            ["prod/eu-west-1", "111122223333"],
            ["prod/eu-west-1@999900001111", "999900001111"]
        ])
    );
}

#[test]
fn whose_a_target_is_stays_unknown_until_its_daemon_says() {
    let scene = Scene::new();
    scene.execute("UPDATE targets SET account_id = NULL");
    let mut editor = Editor::open(&scene.path()).unwrap();
    assert_eq!(begun(&mut editor, 1, "prod", "a").as_str(), "prod/eu-west-1");
    assert_eq!(
        scene.rows("SELECT name, account_id FROM targets"),
        json!([["prod/eu-west-1", null]])
    );
}

#[test]
fn a_history_is_made_where_there_is_none_and_left_to_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/history.db");
    let mut editor = Editor::open_or_make(&path).unwrap();
    begun(&mut editor, 1, "new", "a");
    let reader = Reader::open(&path).unwrap();
    assert!(!reader.is_held());
    assert_eq!(reader.unwatched_since().unwrap(), None, "no one ever looked");
    let history = History::open(&path).unwrap();
    assert!(reader.is_held());
    assert_eq!(reader.unwatched_since().unwrap(), None);
    begun(&mut editor, 2, "new", "b");
    let target = reader.target(&name("new")).unwrap().unwrap().id;
    let attendance = reader.attendance(target).unwrap().unwrap();
    assert!(!attendance.is_watched && attendance.last_looked_at.is_none() && attendance.gap.is_none());
    assert_eq!(attendance.target.id, target);
    assert_eq!(reader.standing(target, &RequestToken::new("none")).unwrap(), None);
    let standing = reader.standing(target, &RequestToken::new("b")).unwrap().unwrap();
    assert!(standing.announced);

    let looked = history.write(|tx| {
        tx.begin_baseline(target, at(3))?;
        tx.looked(&[(target, at(4))])?;
        tx.open_gap(target, at(5), "no route to host")
    });
    looked.unwrap();
    let attendance = reader.attendance(target).unwrap().unwrap();
    assert_eq!(
        (
            attendance.is_watched,
            attendance.last_looked_at,
            attendance.gap.as_deref()
        ),
        (true, Some(at(4)), Some("no route to host"))
    );
    assert_eq!(reader.unwatched_since().unwrap(), None);
    drop(history);
    assert_eq!(reader.unwatched_since().unwrap(), Some(at(4)));
}

#[test]
fn a_folder_that_can_not_be_made_is_said_before_anything_begins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = Editor::open_or_make(&folder.path().join("file/history.db")).unwrap_err();
    assert!(
        matches!(error, OpenError::Folder { .. } | OpenError::File { .. }),
        "{error}"
    );
}

#[test]
fn a_request_that_someone_names_is_known_from_a_look_on() {
    let scene = Scene::before_baseline();
    let mut editor = Editor::open(&scene.path()).unwrap();
    let (here, elsewhere) = (name("prod"), name("elsewhere"));
    let mut look = |target: &TargetName, account: &AccountId, event: ProgressEvent, second| {
        let hooks = vec![hook("A::B::C", crate::model::HookStatus::InProgress)];
        let place = (target, Some(account), &region());
        editor
            .record_look(place, event, hooks, &all_to(RECEIVER), at(second))
            .unwrap()
    };
    assert_eq!(look(&here, &account(), event("open", InProgress), 1), here);
    let mut over = event("over", Success);
    over.event_time = Some(at(0));
    assert_eq!(look(&elsewhere, &AccountId("444455556666".into()), over, 1), elsewhere);
    let requests = "SELECT target, request_token, status FROM v_requests ORDER BY 2";
    let known = json!([
        [here.as_str(), "open", "IN_PROGRESS"],
        [elsewhere.as_str(), "over", "SUCCESS"]
    ]);
    assert_eq!(scene.rows(requests), known);
    assert_eq!(
        scene.rows("SELECT DISTINCT source FROM progress_events"),
        json!([["get"]])
    );
    assert_eq!(scene.count("SELECT count(*) FROM v_hooks"), 2);
    let told = "SELECT DISTINCT request_token FROM v_changes AS c JOIN v_deliveries AS d ON d.change_id = c.id";
    assert_eq!(scene.rows(told), json!([["open"]]));
    let baselines = "SELECT count(*) FROM targets WHERE baseline_began_at IS NOT NULL";
    assert_eq!(scene.count(baselines), 0, "the first sweep is still to come");

    // Looked at twice, it is known once.
    let before = scene.count("SELECT count(*) FROM v_changes");
    look(&here, &account(), event("open", InProgress), 2);
    assert_eq!(scene.count("SELECT count(*) FROM v_changes"), before);
}

#[test]
fn several_that_need_a_history_at_the_same_moment_share_one() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let path = folder.path().join(format!("{round}.db"));
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (path, start) = (&path, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut editor = Editor::open_or_make(path).unwrap();
                    begun(&mut editor, 1, "prod", &format!("t{number}"));
                });
            }
        });
        let requests = Reader::open(&path).unwrap().requests(&Filter::default()).unwrap();
        assert_eq!(requests.len(), 4);
    }
}
