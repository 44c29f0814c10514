//! `ccwatch history` as whole processes, beside a daemon that writes, and killed at any moment.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "keeping/interrupted.rs"]
mod interrupted;
#[path = "keeping/kept.rs"]
mod kept;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ccwatch::history::History;

use kept::{Kept, ccwatch, complaint, names, refused, requests, run, summary, well};

#[test]
fn a_backup_beside_a_daemon_is_one_state_and_can_be_read_where_nothing_can_be_written() {
    let kept = Kept::new(200);
    let backups = kept.folder.path().join("backups");
    fs::create_dir(&backups).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| (0..20).for_each(|batch| kept.record(&format!("more-{batch}-"), 50)));
        for number in 0..5 {
            let file = backups.join(format!("{number}.db"));
            well(&["backup", file.to_str().unwrap(), "--history", &kept.history()]);
            // Whole batches, each request with all that hangs on it.
            let found = summary(&file);
            let requests: u32 = found.requests.iter().map(|(_, count)| count).sum();
            assert_eq!((requests % 50, found.changes), (0, requests * 6));
            well(&["check", "--history", file.to_str().unwrap()]);
        }
        writing.join().unwrap();
    });
    let mode = fs::metadata(backups.join("0.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for name in names(&backups) {
        assert!(name.len() == 4, "{name} was left");
    }
    // The header says "no WAL", without which SQLite needs no files beside it.
    let header = fs::read(backups.join("4.db")).unwrap();
    assert_eq!(header[18..20], [1, 1]);
    fs::set_permissions(&backups, fs::Permissions::from_mode(0o555)).unwrap();
    let file = backups.join("4.db");
    well(&["check", "--quick", "--history", file.to_str().unwrap()]);
    well(&["export", "-o", "-", "--history", file.to_str().unwrap()]);
    fs::set_permissions(&backups, fs::Permissions::from_mode(0o755)).unwrap();
    // And it takes the place of a lost one.
    drop(History::open(&file).unwrap());
}

#[test]
fn a_backup_replaces_nothing_by_itself_and_never_the_history() {
    let kept = Kept::new(5);
    let (history, file) = (kept.history(), kept.file("backup.db"));
    well(&["backup", &file, "--history", &history]);
    let before = fs::read(&file).unwrap();
    assert!(refused(&["backup", &file, "--history", &history], 2).contains("--force"));
    assert_eq!(fs::read(&file).unwrap(), before);
    kept.record("more", 5);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    well(&["backup", &file, "--force", "--history", &history]);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for its owner alone, whatever was there");
    assert_ne!(fs::read(&file).unwrap(), before);
    for own in ["history.db", "history.db-wal", "history.db-shm", "history.db.lock"] {
        let told = refused(&["backup", &kept.file(own), "--force", "--history", &history], 2);
        assert!(told.contains("belongs to the history"), "{told}");
    }
    let told = refused(
        &[
            "backup",
            kept.folder.path().to_str().unwrap(),
            "--force",
            "--history",
            &history,
        ],
        2,
    );
    assert!(told.contains("is a folder"), "{told}");
    let told = refused(&["backup", &kept.file("new.db/"), "--history", &history], 2);
    assert!(told.contains("names no file"), "{told}");
    assert!(refused(&["backup", "/no/such/folder/file", "--history", &history], 2).contains("/no/such/folder"));
    assert!(refused(&["backup", &kept.file("x"), "--history", &kept.file("none.db")], 2).contains("no history"));
    assert_eq!(names(kept.folder.path()), ["backup.db"]);
}

#[test]
fn a_report_replaces_neither_the_history_nor_a_device_even_by_force() {
    let kept = Kept::new(5);
    let report = |file: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        command.args(["report", "--force", "-o", file, "--history", &kept.history()]);
        command.output().unwrap()
    };
    for own in ["history.db", "history.db-wal", "history.db.lock"] {
        let output = report(&kept.file(own));
        assert_eq!(output.status.code(), Some(2));
        assert!(complaint(&output).contains("belongs to the history"));
    }
    let output = report("/dev/null");
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("no regular file"));
    let sound = well(&["check", "--history", &kept.history()]);
    let verdict = sound.lines().last().unwrap();
    assert!(
        verdict.starts_with("All ") && verdict.ends_with(" laws hold."),
        "{sound}"
    );
    assert!(names(kept.folder.path()).is_empty());
    assert!(report(&kept.file("page.html")).status.success());
    assert_eq!(names(kept.folder.path()), ["page.html"]);
}

#[test]
fn what_is_killed_leaves_no_half_file_and_a_history_that_is_well() {
    let kept = Kept::new(1500);
    let into = Kept::new(0);
    let (history, copy) = (kept.history(), kept.file("copy.db"));
    well(&["backup", &copy, "--history", &history]);
    let target = into.history();
    let folder = into.folder;
    drop(into.history);
    let mut interrupted = 0;
    for round in 0_usize..15 {
        let file = folder.path().join("backup.db").to_str().unwrap().to_owned();
        let csv = folder.path().join("out.csv").to_str().unwrap().to_owned();
        let commands: [&[&str]; 5] = [
            &["backup", &file, "--history", &copy],
            &["import", &copy, "--history", &target],
            &["prune", "--older-than", "8d", "--history", &target],
            &["vacuum", "--history", &target],
            &["export", "--view", "changes", "-o", &csv, "--history", &copy],
        ];
        let before = requests(Path::new(&target));
        let mut child = ccwatch(commands[round % 5])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It is at work: a file that is not whole yet, or the first rows that came or went; of a vacuum nothing is to be seen.
        let is_at_work = || match round % 5 {
            1 | 2 => requests(Path::new(&target)) != before,
            3 => true,
            _ => names(folder.path()).iter().any(|name| name.ends_with(".partial")),
        };
        while !is_at_work() && child.try_wait().unwrap().is_none() {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        let _ = child.kill();
        // One that ended by itself has no signal: each outcome is checked below.
        interrupted += usize::from(child.wait().unwrap().signal().is_some());
        well(&["check", "--history", &target]);
        if Path::new(&file).exists() {
            well(&["check", "--history", &file]);
            fs::remove_file(&file).unwrap();
        }
        if Path::new(&csv).exists() {
            let lines = csv::Reader::from_path(&csv)
                .unwrap()
                .records()
                .map(Result::unwrap)
                .count();
            assert_eq!(lines, 1500 * 6, "half a file was left");
            fs::remove_file(&csv).unwrap();
        }
    }
    assert!(interrupted > 0, "none was killed at its work");
    well(&["import", &copy, "--history", &target]);
    well(&["check", "--history", &target]);
    assert_eq!(summary(Path::new(&target)).requests, summary(Path::new(&copy)).requests);
    // What the killed ones left goes with the next of the same name.
    let file = folder.path().join("backup.db");
    well(&["backup", file.to_str().unwrap(), "--history", &copy]);
    let partial = |name: &String| name.contains("backup.db") && name.contains("partial");
    let left: Vec<String> = names(folder.path()).into_iter().filter(partial).collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn an_import_beside_a_daemon_comes_once_and_holds_no_one_up() {
    let (from, into) = (Kept::new(400), Kept::new(10));
    let copy = from.file("copy.db");
    well(&["backup", &copy, "--history", &from.history()]);
    let would = well(&["import", &copy, "--dry-run", "--history", &into.history()]);
    assert!(would.contains("390 requests would come whole"), "{would}");
    std::thread::scope(|scope| {
        let importing = scope.spawn(|| well(&["import", &copy, "--history", &into.history()]));
        for batch in 0..20 {
            into.record(&format!("own-{batch}-"), 10);
        }
        let came = importing.join().unwrap();
        assert!(came.contains("390 requests came whole"), "{came}");
    });
    let again = well(&["import", &copy, "--history", &into.history()]);
    assert!(again.contains("0 requests came whole"), "{again}");
    let other = fs::File::create(into.file(".history.db.import.1.partial")).unwrap();
    other.lock().unwrap();
    let told = refused(&["import", &copy, "--history", &into.history()], 1);
    assert!(told.contains("another import into"), "{told}");
    drop(other);
    well(&["check", "--history", &into.history()]);
    let requests: u32 = summary(&into.path()).requests.iter().map(|(_, count)| count).sum();
    assert_eq!(requests, 400 + 200);
    let told = refused(&["import", &into.history(), "--history", &into.history()], 2);
    assert!(told.contains("this history itself"), "{told}");
    fs::write(into.file("text"), "text").unwrap();
    let told = refused(&["import", &into.file("text"), "--history", &into.history()], 1);
    assert!(told.contains("not an SQLite file"), "{told}");
    assert_eq!(names(into.folder.path()), ["text"]);
}

#[test]
fn a_vacuum_waits_for_no_daemon_and_gives_room_back() {
    let kept = Kept::new(1000);
    let path = kept.history();
    let told = refused(&["vacuum", "--history", &path], 1);
    assert!(told.contains("held by another ccwatch"), "{told}");
    kept.tell_all();
    let folder = kept.folder;
    drop(kept.history);
    well(&["prune", "--older-than", "8d", "--history", &path]);
    let before = fs::metadata(&path).unwrap().len();
    let output = run(&["vacuum", "--history", &path]);
    assert!(output.status.success() && complaint(&output).contains("→"));
    let after = fs::metadata(&path).unwrap().len();
    assert!(after * 3 < before, "{before} → {after}");
    well(&["check", "--history", &path]);
    drop(folder);
}

#[test]
fn pruning_by_hand_waits_for_no_daemon_and_takes_what_is_old_and_told() {
    let kept = Kept::new(1000);
    let path = kept.history();
    let prune = |more: &[&'static str]| [&["prune", "--history", &path, "--older-than"], more].concat();
    for age in ["7d", "0s", "soon", ""] {
        assert!(refused(&prune(&[age]), 2).contains("at least 8d"), "{age}");
    }
    refused(&prune(&[])[..3], 2);
    assert!(refused(&prune(&["8d"]), 1).contains("held by another ccwatch"));
    let would = |count| format!("{count} requests would be removed from {path}\n");
    assert_eq!(well(&prune(&["8d", "--dry-run"])), would(0));
    kept.tell_all();
    assert_eq!(well(&prune(&["8d", "--dry-run"])), would(1000));
    let (folder, file) = (kept.folder, kept.history);
    drop(file);
    let removed = |count| format!("{count} requests removed from {path}\n");
    assert_eq!(well(&prune(&["100y"])), removed(0));
    assert_eq!(well(&prune(&["8d"])), removed(1000));
    assert_eq!(well(&prune(&["8d"])), removed(0));
    assert_eq!(requests(Path::new(&path)), 0);
    well(&["check", "--history", &path]);
    drop(folder);
}

#[test]
fn check_says_what_is_wrong_and_exits_with_1() {
    let kept = Kept::new(10);
    let path = kept.history();
    let document: serde_json::Value =
        serde_json::from_str(&well(&["check", "--format", "json", "--history", &path])).unwrap();
    assert_eq!(document["is_well"], true);
    let connection = rusqlite::Connection::open(kept.path()).unwrap();
    connection
        .execute_batch("UPDATE requests SET hooks_total = 7 WHERE token = 't3'")
        .unwrap();
    let output = run(&["check", "--history", &path]);
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        table.contains("hooks-counted") && table.contains("prod/eu-west-1 t3"),
        "{table}"
    );
    let verdict = table.lines().last().unwrap();
    assert!(
        verdict.starts_with("Broken: 1 of ") && verdict.ends_with(" laws."),
        "{table}"
    );
    assert!(complaint(&output).contains("is not well"));
    let output = run(&["check", "--quick", "--format", "jsonl", "--history", &path]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["is_well"], false);
}

/// The shell's limit on the size of a file stands for a full disk.
#[test]
fn an_export_without_room_names_its_file_and_leaves_none() {
    let kept = Kept::new(300);
    for format in ["jsonl", "csv", "parquet"] {
        let file = kept.file(&format!("requests.{format}"));
        let line = r#"trap '' XFSZ; ulimit -f 20; exec "$0" history export -o "$1" --history "$2""#;
        let output = Command::new("sh")
            .args(["-c", line, env!("CARGO_BIN_EXE_ccwatch"), &file, &kept.history()])
            .output()
            .unwrap();
        let told = complaint(&output);
        assert_eq!(output.status.code(), Some(1), "{format}: {told}");
        assert!(told.contains(&file), "{format}: {told}");
        assert!(!Path::new(&file).exists(), "{format}");
    }
}

#[test]
fn an_export_has_every_row_in_each_format() {
    let kept = Kept::new(30);
    let path = kept.history();
    let lines = well(&["export", "-o", "-", "--history", &path]);
    assert_eq!(lines.lines().count(), 30);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["request_token"], "t0");
    assert_eq!(first["open"], false);
    assert!(!lines.contains('\u{1b}'), "JSON escapes what moves a cursor");
    let csv = kept.file("out.csv");
    well(&["export", "-o", &csv, "--view", "progress_events", "--history", &path]);
    let mut reader = csv::Reader::from_path(&csv).unwrap();
    assert_eq!(reader.headers().unwrap().get(3), Some("observed_at"));
    assert_eq!(reader.records().map(Result::unwrap).count(), 90);
    let later = well(&[
        "export",
        "-o",
        "-",
        "--since",
        "2023-11-14T22:15:00Z",
        "--history",
        &path,
    ]);
    assert_eq!(later.lines().count(), 20);
    let none = well(&[
        "export",
        "-o",
        "-",
        "--format",
        "csv",
        "--target",
        "staging",
        "--history",
        &path,
    ]);
    assert_eq!(none.lines().count(), 1, "the names of the columns");

    assert!(refused(&["export", "-o", &csv, "--history", &path], 2).contains("--force"));
    fs::set_permissions(&csv, fs::Permissions::from_mode(0o644)).unwrap();
    well(&["export", "-o", &csv, "--force", "--history", &path]);
    let mode = fs::metadata(&csv).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "who could read it still can");
    assert!(refused(&["export", "-o", &kept.file("x.txt"), "--history", &path], 2).contains("--format"));
    assert!(refused(&["export", "-o", "-", "--format", "parquet", "--history", &path], 2).contains("-o"));
    assert!(
        refused(
            &["export", "-o", &path, "--format", "csv", "--force", "--history", &path],
            2
        )
        .contains("belongs to")
    );
    assert!(
        refused(
            &[
                "export",
                "-o",
                "-",
                "--view",
                "notices",
                "--target",
                "x",
                "--history",
                &path
            ],
            2
        )
        .contains("no target")
    );
}

/// `CCWATCH_PYTHON` names a Python that has duckdb. Without it there is nothing to try, and the test says so.
#[test]
fn parquet_is_read_with_its_types_by_another_program() {
    let Some(python) = std::env::var_os("CCWATCH_PYTHON") else {
        eprintln!("skipped: CCWATCH_PYTHON names no Python with duckdb");
        return;
    };
    let kept = Kept::new(30);
    for view in [
        "requests",
        "progress_events",
        "hooks",
        "hook_events",
        "changes",
        "deliveries",
        "attempts",
        "incidents",
        "notices",
        "silences",
        "gaps",
        "resource_models",
    ] {
        let (parquet, lines) = (
            kept.file(&format!("{view}.parquet")),
            kept.file(&format!("{view}.jsonl")),
        );
        well(&["export", "--view", view, "-o", &parquet, "--history", &kept.history()]);
        well(&["export", "--view", view, "-o", &lines, "--history", &kept.history()]);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/read_parquet.py");
        let output = Command::new(&python)
            .args(["-B", script, &parquet, &lines])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{view}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            complaint(&output)
        );
    }
}
