//! A full disk: what could not be written is undone, what was written stays, and when there is room it goes on.

use super::fixtures::{RECEIVER, Scene, all_to, event};
use super::{Failure, OpenError, Reader, open};
use crate::model::ProgressEvent;
use crate::model::RequestStatus::{InProgress, Pending, Success};

/// Lets the file grow by so many pages and no further, as a full disk would.
fn room_for(scene: &Scene, pages: i64) {
    let limit = scene.count("PRAGMA page_count") + pages;
    scene.execute(&format!("PRAGMA max_page_count = {limit}"));
}

fn long(token: &str, status: crate::model::RequestStatus) -> ProgressEvent {
    ProgressEvent {
        status_message: Some("long ".repeat(400)),
        ..event(token, status)
    }
}

#[test]
fn a_full_disk_undoes_the_batch_and_the_history_goes_on_when_there_is_room() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("first", InProgress))]);
    room_for(&scene, 3);
    let views = ["v_requests", "v_progress_events", "v_changes", "v_deliveries"];
    let everything = || views.map(|view| scene.rows(&format!("SELECT * FROM {view}")));
    let before = everything();
    let mut batch = vec![scene.seen(2, event("first", Success))];
    batch.extend((0..50).map(|number| scene.seen(2, long(&format!("t{number}"), Pending))));

    for _ in 0..2 {
        let error = scene
            .history
            .write(|tx| tx.record(&batch, &all_to(RECEIVER)))
            .unwrap_err();
        assert!(matches!(error.failure, Failure::DiskFull(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("history.db") && text.contains("make room"), "{text}");
        assert_eq!(everything(), before);
        assert_eq!(scene.due(10).len(), 1, "it can still be read");
        assert_eq!(scene.rows("PRAGMA integrity_check")[0][0], "ok");
    }

    room_for(&scene, 1000);
    let recorded = scene.record(&batch);
    assert_eq!((recorded.changes, recorded.deliveries), (51, 51));
    assert_eq!(Reader::open(&scene.path()).unwrap().summary().unwrap().changes, 52);
}

#[test]
fn a_disk_that_is_full_from_the_start_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA max_page_count = 5").unwrap();
    let migrated = open::migrate(&path, &mut connection);
    assert!(matches!(migrated, Err(OpenError::DiskFull { .. })), "{migrated:?}");
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'targets'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(tables, 0, "half a migration is none");
}
