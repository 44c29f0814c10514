use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::deliver::samples::{attempt, failed_request, hostile, send};
use crate::model::{Announcement, EventId, News};

fn numbered(number: usize) -> Announcement {
    Announcement {
        id: EventId(format!("id-{number}")),
        ..failed_request()
    }
}

/// The ids in the file, a line each; `torn` for a line that is no JSON.
fn ids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    let id = |line: &str| {
        serde_json::from_str::<Value>(line)
            .ok()
            .map(|line| line["id"].as_str().unwrap().to_owned())
    };
    text.lines()
        .map(|line| id(line).unwrap_or_else(|| "torn".to_owned()))
        .collect()
}

async fn accept(file: &File, number: usize) {
    assert_eq!(send(file, &numbered(number)).await.outcome, Outcome::Accepted);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

async fn error(file: &File) -> String {
    match send(file, &failed_request()).await.outcome {
        Outcome::Failed { error, .. } => error,
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn a_line_for_each_in_a_file_that_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    let file = File::new(path.clone());
    accept(&file, 1).await;
    accept(&file, 2).await;
    assert_eq!(ids(&path), ["id-1", "id-2"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_is_there_keeps_its_content_and_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    fs::write(&path, "{\"id\":\"old\"}\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    accept(&File::new(path.clone()), 1).await;
    assert_eq!(ids(&path), ["old", "id-1"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[tokio::test]
async fn others_may_move_it_away_cut_it_or_remove_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (
        folder.path().join("changes.jsonl"),
        folder.path().join("changes.jsonl.1"),
    );
    let file = File::new(path.clone());
    accept(&file, 1).await;
    fs::rename(&path, &moved).unwrap();
    accept(&file, 2).await;
    assert_eq!(
        (ids(&moved), ids(&path)),
        (vec!["id-1".to_owned()], vec!["id-2".to_owned()])
    );
    // As copytruncate does.
    fs::copy(&path, &moved).unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    accept(&file, 3).await;
    assert_eq!(
        (ids(&moved), ids(&path)),
        (vec!["id-2".to_owned()], vec!["id-3".to_owned()])
    );
    fs::remove_file(&path).unwrap();
    accept(&file, 4).await;
    assert_eq!(ids(&path), ["id-4"]);
}

#[tokio::test]
async fn a_torn_line_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    let file = File::new(path.clone());
    accept(&file, 1).await;
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.clone() + &whole[..whole.len() / 2]).unwrap();
    accept(&file, 2).await;
    assert_eq!(ids(&path), ["id-1", "torn", "id-2"]);
}

#[tokio::test]
async fn what_is_no_file_is_a_failure_with_a_remedy_and_nothing_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (path, says) in [
        (folder.path().to_owned(), "name a file in `path`"),
        (pipe, "use `exec`"),
        (PathBuf::from("/dev/full"), "it is not a regular file"),
        (folder.path().join("no/such/folder.jsonl"), "make the folder"),
    ] {
        let error = error(&File::new(path.clone())).await;
        assert!(
            error.contains(says) && error.contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn a_disk_that_takes_no_more_is_named_so() {
    for (code, says) in [
        (rustix::io::Errno::NOSPC, "make room"),
        (rustix::io::Errno::DQUOT, "make room"),
        (rustix::io::Errno::ROFS, "ReadWritePaths="),
        (rustix::io::Errno::ACCESS, "ccwatch's user"),
    ] {
        assert!(remedy(&io::Error::from(code)).contains(says), "{code}");
    }
}

#[test]
fn while_a_line_is_being_written_others_fail_at_once() {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let file = File::new(folder.path().join("changes.jsonl"));
    let writing = file.path.lock().unwrap();
    let error = runtime.block_on(error(&file));
    drop(writing);
    assert!(error.contains("does its disk answer?"), "{error}");
    runtime.block_on(accept(&file, 1));
}

#[tokio::test]
async fn writers_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    let (one, two) = (File::new(path.clone()), File::new(path.clone()));
    for number in 0..20 {
        tokio::join!(accept(&one, number), accept(&two, number + 20));
    }
    let mut ids = ids(&path);
    ids.sort_by_key(|id| id[3..].parse::<usize>().unwrap());
    assert_eq!(ids, (0..40).map(|number| format!("id-{number}")).collect::<Vec<_>>());
}

#[test]
fn a_preview_is_the_line() {
    let news = News::Change(Box::new(failed_request()));
    let preview = File::new("/x".into()).preview(&Message::new(&news));
    assert_eq!(preview.content, log::json(&news).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_text_whatever_breaks_a_line(text in "[\u{0}-\u{ff}\u{2028}😀]{0,40}") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("changes.jsonl");
        let file = File::new(path.clone());
        let news = News::Change(Box::new(hostile(&text)));
        let report = runtime().block_on(file.send(attempt(&Message::new(&news), None)));
        prop_assert_eq!(report.outcome, Outcome::Accepted);
        prop_assert_eq!(ids(&path).len(), 1);
    }
}
