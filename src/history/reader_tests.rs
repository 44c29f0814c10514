use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::super::fixtures::{Scene, at, event, guarded, hook, name, region};
use super::*;
use crate::decide::routing::Routing;
use crate::history::{Editor, Filter};
use crate::model::HookStatus::{CompleteSucceeded, InProgress as HookInProgress};
use crate::model::RequestStatus::{Failed, InProgress, Pending, Success};
use crate::model::{ProgressEvent, RequestStatus};

/// Five requests, each started a minute after the one before.
fn scene() -> Scene {
    let scene = Scene::new();
    let started = |minute: i64, token: &str, status: RequestStatus, type_name: &str| {
        let event = ProgressEvent {
            event_time: Some(at(minute * 60)),
            type_name: Some(type_name.into()),
            ..event(token, status)
        };
        scene.seen(1000, event)
    };
    // In an order that is not the one in which they began, as a list would show them.
    scene.record(&[
        started(3, "aa-3", Success, "AWS::S3::Bucket"),
        started(1, "ab-1", Failed, "AWS::Logs::LogGroup"),
        started(5, "b-5", InProgress, "AWS::S3::AccessPoint"),
        started(2, "ab-2", Pending, "AWS::S3?::Bucket"),
        started(4, "a-4", Failed, "AWS::S3::Bucket"),
    ]);
    scene
}

fn reader(scene: &Scene) -> Reader {
    Reader::open(&scene.path()).unwrap()
}

/// As the kernel, and so another program, sees it.
fn is_locked(path: &Path) -> bool {
    let (process, file) = (std::process::id().to_string(), fs::metadata(path).unwrap().ino());
    // To read this file in pieces, as is done here, overlooks a lock that is there now and then, and never shows one that is not.
    (0..20).any(|_| {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|lock| {
            let words: Vec<&str> = lock.split_whitespace().collect();
            words.contains(&process.as_str()) && words.iter().any(|word| word.ends_with(&format!(":{file}")))
        })
    })
}

#[test]
fn who_writes_beside_a_reader_leaves_the_process_its_locks() {
    let scene = Scene::new();
    let (path, Scene { history, folder, .. }) = (scene.path(), scene);
    drop(history);
    let reader = Reader::open(&path).unwrap();
    assert!(is_locked(&path));
    let mut editor = reader.editor().unwrap();
    editor.prove_writable().unwrap();
    let place = (&name("dev"), None, &region());
    let answer = editor.record_answer(place, event("z", Pending), &Routing::default(), at(1));
    answer.unwrap();
    assert!(is_locked(&path));
    drop(editor);
    assert!(is_locked(&path));
    assert_eq!(reader.summary().unwrap().changes, 1);

    // Another file under its name is not looked at, and so not opened.
    fs::rename(&path, folder.path().join("aside.db")).unwrap();
    fs::write(&path, "").unwrap();
    assert!(matches!(reader.editor(), Err(OpenError::Replaced { .. })));
}

#[test]
fn the_start_of_a_token_finds_it() {
    let scene = scene();
    let find = |prefix: &str| {
        let found = reader(&scene).find_tokens(prefix, None, 10).unwrap();
        found
            .into_iter()
            .map(|(_, token)| token.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(find("ab"), ["ab-1", "ab-2"]);
    assert_eq!(find("a-4"), ["a-4"]);
    assert_eq!(find("AB"), [""; 0]);
    assert_eq!(find("ab%"), [""; 0]);
    assert_eq!(reader(&scene).find_tokens("", None, 3).unwrap().len(), 3);
    assert_eq!(reader(&scene).find_tokens("b", None, 10).unwrap()[0].0, name("prod"));
}

#[test]
fn the_start_of_a_token_is_looked_for_in_the_target_that_is_named() {
    let scene = scene();
    let place = (&name("dev"), None, &region());
    let mut editor = Editor::open(&scene.path()).unwrap();
    let begun = editor.record_answer(place, event("z", Pending), &Routing::default(), at(1));
    assert_eq!(begun.unwrap(), name("dev"));
    let find = |target| reader(&scene).find_tokens("", Some(target), 1).unwrap();
    for target in ["dev/eu-west-1", "dev"] {
        assert_eq!(
            find(target),
            [(name("dev"), RequestToken::new("z"))],
            "the last of all, and yet the first"
        );
    }
    assert_eq!(find("prod").len(), 1);
    for target in ["de", "d%", "dev/", ""] {
        assert_eq!(find(target), [], "{target}");
    }
}

#[test]
fn a_request_shows_its_story_in_order() {
    let scene = Scene::new();
    let check = |status| hook("Acme::Encrypt::Check", status);
    scene.record(&[
        scene.got(1, guarded("a", Pending), vec![check(HookInProgress)]),
        scene.seen(2, event("other", Pending)),
        scene.got(3, guarded("a", InProgress), vec![check(CompleteSucceeded)]),
        scene.seen(4, guarded("a", Success)),
    ]);
    let reader = reader(&scene);
    let (target, token) = (name("prod"), RequestToken::new("a"));
    let request = reader.request(&target, &token).unwrap().unwrap();
    assert_eq!((request.hooks_total, request.hooks_failed, request.open), (1, 0, false));
    let events = reader.progress_events(&target, &token).unwrap();
    let statuses: Vec<_> = events.iter().map(|event| event.status.as_deref().unwrap()).collect();
    assert_eq!(statuses, ["PENDING", "IN_PROGRESS", "SUCCESS"]);
    assert_eq!(events[2].source, "list");
    let hooks = reader.hooks(&target, &token).unwrap();
    assert_eq!(hooks.len(), 1);
    assert_eq!((hooks[0].first_seen_at, hooks[0].finished_at), (at(1), Some(at(3))));
    assert_eq!(reader.hook_events(&target, &token).unwrap().len(), 2);
    let changes = reader.changes(&target, &token).unwrap();
    let kinds: Vec<_> = changes.iter().map(|change| change.kind.as_str()).collect();
    let (of_hook, of_request) = ("hook.status", "request.status");
    assert_eq!(kinds, [of_hook, of_request, of_hook, of_request, of_request]);
    let deliveries = reader.deliveries(&target, &token).unwrap();
    let ids: Vec<_> = changes.iter().map(|change| change.id).collect();
    assert_eq!(
        deliveries
            .iter()
            .map(|delivery| delivery.change_id.unwrap())
            .collect::<Vec<_>>(),
        ids
    );

    let unknown = RequestToken::new("nothing");
    assert_eq!(reader.request(&target, &unknown).unwrap(), None);
    assert!(reader.changes(&target, &unknown).unwrap().is_empty());
}

#[test]
fn a_summary_counts() {
    let scene = scene();
    scene
        .history
        .write(|tx| tx.open_gap(scene.target, at(0), "asleep"))
        .unwrap();
    let reader = reader(&scene);
    assert_eq!(
        reader.summary().unwrap(),
        Summary {
            requests: [("FAILED", 2), ("IN_PROGRESS", 1), ("PENDING", 1), ("SUCCESS", 1)]
                .map(|(status, count)| (Some(status.to_owned()), count))
                .into(),
            hooks: vec![],
            changes: 5,
            deliveries: vec![("pending".into(), 5)],
        }
    );
    assert_eq!(reader.gaps(&Filter::default()).unwrap().len(), 1);
}

#[test]
fn the_gaps_of_a_target_are_those_that_touch_the_span() {
    let scene = Scene::new();
    let gaps = [(10, Some(20), "closed"), (30, Some(40), "later"), (50, None, "open")];
    scene
        .history
        .write(|tx| {
            let other = tx.register_target(&name("play"), None, &region(), at(0))?.target.id;
            tx.open_gap(other, at(0), "another target's")?;
            for (from, to, reason) in gaps {
                tx.open_gap(scene.target, at(from), reason)?;
                if let Some(to) = to {
                    tx.close_gap(scene.target, at(to))?;
                }
            }
            Ok(())
        })
        .unwrap();
    let reader = reader(&scene);
    let reasons = |from, to| -> Vec<String> {
        let gaps = reader.gaps_of(&TargetName::new("prod", &region()), at(from), at(to));
        gaps.unwrap().into_iter().map(|gap| gap.reason).collect()
    };
    assert_eq!(reasons(0, 100), ["closed", "later", "open"]);
    assert!(reasons(0, 9).is_empty());
    assert_eq!(reasons(20, 29), ["closed"]);
    assert_eq!(reasons(12, 30), ["closed", "later"]);
    assert_eq!(reasons(35, 35), ["later"]);
    assert!(reasons(41, 49).is_empty());
    assert_eq!(reasons(1000, 2000), ["open"]);
}

#[test]
fn an_absurd_time_from_the_wire_can_be_read_and_printed() {
    let scene = Scene::new();
    for (token, millis) in [("past", i64::MIN), ("future", i64::MAX)] {
        let event = ProgressEvent {
            event_time: Some(crate::model::Timestamp::from_millis(millis)),
            retry_after: Some(crate::model::Timestamp::from_millis(millis)),
            ..event(token, InProgress)
        };
        scene.record(&[scene.seen(1, event)]);
    }
    let requests = reader(&scene).requests(&Filter::default()).unwrap();
    let started: Vec<String> = requests.iter().map(|row| row.started_at.unwrap().to_string()).collect();
    assert_eq!(started, ["9999-12-31T23:59:59.999Z", "-009999-01-01T00:00:00.000Z"]);
    assert_eq!(scene.due(2).len(), 2);
    assert_eq!(
        scene
            .rows("SELECT started_at FROM v_requests")
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn hostile_text_is_data() {
    let scene = Scene::new();
    let hostile = "'; DROP TABLE requests; --\0\u{1b}[2J\u{202e}";
    let event = ProgressEvent {
        status_message: Some(hostile.repeat(1000)),
        status: Some(RequestStatus::from(hostile)),
        ..event(hostile, Pending)
    };
    scene.record(&[scene.seen(1, event)]);
    let reader = reader(&scene);
    let row = reader.requests(&Filter::default()).unwrap().remove(0);
    assert_eq!(row.status.as_deref(), Some(hostile));
    assert_eq!(row.status_message.unwrap().len(), hostile.len() * 1000);
    assert_eq!(reader.find_tokens(hostile, None, 1).unwrap().len(), 1);
}

/// A reader that is slow does not stop the daemon, and what it reads does not shift under it.
#[test]
fn a_reader_and_the_daemon_do_not_wait_for_each_other() {
    let scene = scene();
    let reader = reader(&scene);
    reader.connection.busy_timeout(Duration::ZERO).unwrap();
    let count = || -> i64 {
        let sql = "SELECT count(*) FROM v_requests";
        reader.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let transaction = reader.connection.unchecked_transaction().unwrap();
    assert_eq!(count(), 5);
    scene.record(&[scene.seen(2000, event("new", Pending))]);
    assert_eq!(count(), 5);
    transaction.commit().unwrap();
    assert_eq!(count(), 6);
}
