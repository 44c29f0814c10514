use std::fs;

use super::super::fixtures::{Scene, at, attempted, event, guarded, hook};
use super::super::{OpenError, open};
use super::*;
use crate::decide::retry::Verdict;
use crate::model::{HookStatus, RequestStatus};

/// A history in which something of everything has happened.
fn lived() -> Scene {
    let scene = Scene::new();
    for number in 0..40 {
        let token = format!("token-{number}");
        let hooks = |status: HookStatus| vec![hook("A::B::C", status.clone()), hook("A::B::C", status)];
        scene.record(&[
            scene.got(
                number,
                guarded(&token, RequestStatus::Pending),
                hooks(HookStatus::InProgress),
            ),
            scene.got(
                number,
                guarded(&token, RequestStatus::InProgress),
                hooks(HookStatus::CompleteSucceeded),
            ),
        ]);
        if number % 3 > 0 {
            scene.record(&[scene.seen(number, guarded(&token, RequestStatus::Failed))]);
        }
        if number % 4 == 0 {
            for day in [9, 10] {
                scene.record(&[scene.gone(day * 24 * 3600 + number, &token)]);
            }
        }
        if let Some(delivery) = scene.due(1000).first() {
            let attempt = attempted(delivery.ids[0], Verdict::Sent);
            scene.history.write(|tx| tx.record_attempts(&[attempt], at(0))).unwrap();
        }
    }
    scene.record(&[scene.seen(5000, event("late", RequestStatus::Success))]);
    scene
}

#[test]
fn a_history_that_is_well_breaks_nothing() {
    let scene = lived();
    for quick in [false, true] {
        let mut findings = scene.reader().check(quick, |_| ());
        assert_eq!(findings.len(), LAWS.len() + 2);
        findings.retain(|finding| !finding.is_well());
        assert_eq!(findings, []);
    }
}

#[test]
fn each_law_notices_when_it_is_broken_and_names_who_breaks_it() {
    let breaks = [
        (
            "references",
            "PRAGMA foreign_keys = 0; DELETE FROM changes WHERE id = 1",
        ),
        ("one-end", "UPDATE progress_events SET status = 'SUCCESS' WHERE id = 2"),
        ("finished", "UPDATE requests SET finished_at = 1 WHERE phase = 'open'"),
        ("finished", "UPDATE requests SET phase = 'open' WHERE token = 'late'"),
        ("seen", "UPDATE requests SET last_seen_at = 1 WHERE token = 'late'"),
        (
            "one-end-of-a-hook",
            "UPDATE hook_events SET status = 'HOOK_FAILED' WHERE id = 1",
        ),
        ("finished-hooks", "UPDATE hooks SET finished_at = NULL WHERE id = 1"),
        (
            "hooks-counted",
            "UPDATE requests SET hooks_total = 7 WHERE token = 'late'",
        ),
        (
            "hooks-counted",
            "UPDATE requests SET hooks_failed = 7 WHERE token = 'late'",
        ),
        (
            "changes-in-a-row",
            "UPDATE changes SET from_status = NULL WHERE from_status = 'PENDING'",
        ),
        ("baseline", "UPDATE requests SET announced = 0 WHERE token = 'late'"),
        (
            "lines",
            "UPDATE deliveries SET next_attempt_at = NULL WHERE next_attempt_at IS NOT NULL",
        ),
        ("attempts", "UPDATE deliveries SET attempts = 0"),
        ("ids", "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'hook_events'"),
    ];
    for (law, sql) in breaks {
        let scene = lived();
        scene.execute(sql);
        let findings = scene.reader().check(true, |_| ());
        let found = findings.iter().find(|finding| finding.law == law).unwrap();
        assert!(found.broken > 0 && !found.examples.is_empty(), "{law}: {sql}");
        assert!(found.examples.len() <= 5 && found.broken >= found.examples.len());
        assert!(found.examples.iter().all(|example| !example.is_empty()), "{found:?}");
        let others = findings
            .iter()
            .filter(|finding| !finding.is_well() && finding.law != law);
        let others: Vec<_> = others.map(|finding| finding.law).collect();
        assert!(others.len() <= 2, "{law} alone is broken, and not {others:?}");
    }
}

/// Whatever bytes are overwritten, the answer is plain: the file can't be opened, or a finding says so, or it happened not to
/// matter. Never a panic, and never an error that is not told as damage.
#[test]
fn a_damaged_file_is_answered_plainly() {
    let scene = lived();
    assert!(scene.history.fold_all().unwrap());
    let whole = fs::read(scene.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.db");
    let mut noticed = 0;
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = whole.clone();
        if seed % 4 == 0 {
            bytes.truncate(random.usize(..bytes.len()));
        }
        for _ in 0..random.usize(1..40) {
            let (at, length) = (random.usize(..bytes.len()), random.usize(1..64));
            let end = (at + length).min(bytes.len());
            bytes[at..end].fill_with(|| random.u8(..));
        }
        fs::write(&path, &bytes).unwrap();
        for left in ["-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("damaged.db{left}")));
        }
        match Reader::open(&path) {
            Ok(reader) => {
                let findings = reader.check(seed % 2 == 0, |_| ());
                noticed += usize::from(findings.iter().any(|finding| !finding.is_well()));
            }
            Err(error) => {
                noticed += 1;
                assert!(!error.to_string().is_empty(), "{error:?}");
            }
        }
    }
    assert!(noticed > 150, "{noticed}");
}

#[test]
fn what_is_no_history_is_not_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    fs::write(&path, "text").unwrap();
    assert!(matches!(open::outside_reader(&path), Err(OpenError::NotSqlite { .. })));
}
