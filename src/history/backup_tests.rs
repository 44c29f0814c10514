use std::collections::BTreeSet;

use super::super::fixtures::{RECEIVER, Scene, all_to, at, event};
use super::super::schema_tests::sample;
use super::super::{History, Reader, open};
use super::*;
use crate::model::RequestStatus;

/// What the history has to tell, by the ids that receivers know.
fn told(history: &History) -> BTreeSet<String> {
    let due = history
        .read(|connection| super::super::outbox::due_deliveries(connection, RECEIVER, at(99), 100, None))
        .unwrap();
    due.iter().map(|delivery| delivery.news.id().0.clone()).collect()
}

#[test]
fn a_restored_copy_gives_no_id_that_the_original_gave_after_it() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("before", RequestStatus::Failed))]);
    let before = told(&scene.history);
    let copy = scene.folder.path().join("copy.db");
    back_up(&scene.path(), &copy, &CancellationToken::new(), |_, _| ()).unwrap();
    scene.record(&[scene.seen(2, event("lost", RequestStatus::Failed))]);
    let after: BTreeSet<_> = told(&scene.history).difference(&before).cloned().collect();

    let restored = History::open(&copy).unwrap();
    assert_eq!(told(&restored), before, "what is still pending is recognised");
    let sighting = scene.seen(3, event("new", RequestStatus::Failed));
    restored.write(|tx| tx.record(&[sighting], &all_to(RECEIVER))).unwrap();
    let new: BTreeSet<_> = told(&restored).difference(&before).cloned().collect();
    assert!(!after.is_empty() && !new.is_empty());
    assert!(after.is_disjoint(&new), "{after:?} {new:?}");
}

#[test]
fn every_count_of_a_copy_is_ahead_of_a_table_with_rows_and_of_one_without() {
    for version in 1..=open::known_version() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("history.db"), folder.path().join("copy.db"));
        sample(&path, version);
        Connection::open(&path)
            .unwrap()
            .execute_batch("DELETE FROM sqlite_sequence WHERE name = 'hook_events'")
            .unwrap();
        back_up(&path, &copy, &CancellationToken::new(), |_, _| ()).unwrap();
        let connection = Connection::open(&copy).unwrap();
        let number = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        let counted = number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'");
        let ahead = format!("SELECT count(*) FROM sqlite_sequence WHERE seq >= {AHEAD}");
        assert_eq!(
            (counted, counted),
            (number(&ahead), number("SELECT count(*) FROM sqlite_sequence"))
        );
        assert!(counted >= 4);
        // The original counts on as it did.
        let original = Connection::open(&path).unwrap();
        let highest: i64 = original
            .query_row("SELECT max(seq) FROM sqlite_sequence", [], |row| row.get(0))
            .unwrap();
        assert!(highest < AHEAD);
    }
}

#[test]
fn what_is_stopped_fails_in_the_middle() {
    let scene = Scene::new();
    let many = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)";
    scene.execute(&format!(
        "INSERT INTO gaps (target_id, from_at, to_at, reason) {many} SELECT 1, n, n, 'away' FROM n"
    ));
    let (copy, stop) = (scene.folder.path().join("copy.db"), CancellationToken::new());
    let reader = Reader::open(&scene.path()).unwrap().heeding(&stop).unwrap();
    assert!(reader.summary().is_ok());
    let cut = stop.clone();
    let stopped = back_up(&scene.path(), &copy, &stop, move |_, _| cut.cancel()).unwrap_err();
    assert!(stopped.to_string().contains("interrupted"), "{stopped}");
    let stopped = reader
        .read(|connection| Ok(connection.query_row(&format!("{many} SELECT count(*) FROM n"), [], |_| Ok(()))?))
        .unwrap_err();
    assert!(stopped.to_string().contains("interrupted"), "{stopped}");
}

/// `VACUUM INTO` copies an index as it is.
#[test]
fn no_copy_is_kept_of_a_history_in_which_an_index_lacks_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.db");
    let scene = Scene::new();
    for second in 1..200 {
        scene.record(&[scene.seen(second, event(&format!("t{second}"), RequestStatus::Failed))]);
    }
    back_up(&scene.path(), &path, &CancellationToken::new(), |_, _| ()).unwrap();
    lack_a_row(&path, "changes_by_status");
    let copy = folder.path().join("copy.db");
    let error = back_up(&path, &copy, &CancellationToken::new(), |_, _| ()).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    let told = error.to_string();
    assert!(
        told.contains("changes_by_status") && told.contains("history check"),
        "{told}"
    );
}

/// What is removed while SQLite does not know of an index stays in it, and what is changed is not found by it.
fn lack_a_row(path: &Path, index: &str) {
    let unsafely = || {
        let connection = Connection::open(path).unwrap();
        connection
            .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)
            .unwrap();
        connection.pragma_update(None, "writable_schema", true).unwrap();
        connection
    };
    let connection = unsafely();
    let known: (i64, String) = connection
        .query_row(
            "SELECT rootpage, sql FROM sqlite_schema WHERE name = ?1",
            [index],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    connection
        .execute("DELETE FROM sqlite_schema WHERE name = ?1", [index])
        .unwrap();
    drop(connection);
    let connection = unsafely();
    connection
        .execute(
            "UPDATE changes SET to_status = 'SUCCESS' WHERE id = (SELECT max(id) FROM changes)",
            [],
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('index', ?1, 'changes', ?2, ?3)",
            rusqlite::params![index, known.0, known.1],
        )
        .unwrap();
}
