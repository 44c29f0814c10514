//! A history to keep, and `ccwatch history` as a whole process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ccwatch::clock::Clock;
use ccwatch::decide::retry::{Attempted, Verdict};
use ccwatch::decide::route::Route;
use ccwatch::decide::routing::Routing;
use ccwatch::history::{History, Reader};
use ccwatch::model::{
    AccountId, HookProgressEvent, HookStatus, ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen,
    Sighting, Source, TargetId, TargetName, Timestamp,
};
use tempfile::TempDir;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) fn ccwatch(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    command.arg("history").args(arguments).stdin(Stdio::null());
    for name in ["CCWATCH_HISTORY", "CCWATCH_CONFIG"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    ccwatch(arguments).output().unwrap()
}

/// What a command printed that ended well.
pub(crate) fn well(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", complaint(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command complained of that ended with this code.
pub(crate) fn refused(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        complaint(&output)
    );
    complaint(&output)
}

pub(crate) fn complaint(output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!told.contains("panicked"), "{told}");
    told
}

/// A history with so many requests that ended long ago.
pub(crate) struct Kept {
    pub(crate) folder: TempDir,
    pub(crate) history: History,
    target: TargetId,
}

impl Kept {
    pub(crate) fn new(requests: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let region = Region("eu-west-1".into());
        let account = AccountId("111122223333".into());
        let name = TargetName::new("prod", &region);
        let target = history
            .write(|tx| {
                let target = tx.register_target(&name, Some(&account), &region, START)?.target.id;
                tx.begin_baseline(target, START)?;
                tx.complete_baseline(target, START)?;
                Ok(target)
            })
            .unwrap();
        let kept = Self {
            folder,
            history,
            target,
        };
        kept.record("t", requests);
        kept
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn history(&self) -> String {
        self.file("history.db")
    }

    pub(crate) fn record(&self, tokens: &str, requests: u32) {
        let routing = Routing::from(vec![Route {
            name: "all".into(),
            to: vec!["team".into()],
            ..Route::default()
        }]);
        let statuses = [RequestStatus::Pending, RequestStatus::InProgress, RequestStatus::Failed];
        let numbers: Vec<u32> = (0..requests).collect();
        for some in numbers.chunks(100) {
            let seen = |number: u32, step: usize| {
                let token = RequestToken::new(format!("{tokens}{number}"));
                let at = START.plus(std::time::Duration::from_secs(u64::from(number) * 10 + step as u64));
                let hook = HookProgressEvent {
                    hook_type_name: Some("Acme::Guard::Encryption".into()),
                    status: Some(
                        [
                            HookStatus::Pending,
                            HookStatus::InProgress,
                            HookStatus::CompleteSucceeded,
                        ][step]
                            .clone(),
                    ),
                    ..HookProgressEvent::default()
                };
                let event = ProgressEvent {
                    hooks_request_token: Some(format!("hooks-{number}")),
                    type_name: Some("AWS::S3::Bucket".into()),
                    status: Some(statuses[step].clone()),
                    event_time: Some(at),
                    status_message: (step == 2).then(|| "a \"message\",\nof two lines: ünï\u{1b}[2J".into()),
                    ..ProgressEvent::of(token.clone())
                };
                Sighting {
                    key: RequestKey {
                        target: self.target,
                        token,
                    },
                    seen_at: at,
                    source: Source::Get,
                    seen: Seen::Event(Box::new(event), Some(vec![hook])),
                }
            };
            let batch: Vec<_> = some
                .iter()
                .flat_map(|number| (0..3).map(|step| seen(*number, step)))
                .collect();
            self.history.write(|tx| tx.record(&batch, &routing)).unwrap();
        }
    }

    pub(crate) fn tell_all(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let now = Clock::system().now();
        while let Some(due) = Some(
            runtime
                .block_on(self.history.due_deliveries("team", now, 1000, None))
                .unwrap(),
        ) && !due.is_empty()
        {
            let attempts: Vec<_> = due
                .iter()
                .map(|delivery| Attempted {
                    ids: delivery.ids.clone(),
                    number: 1,
                    began_at: now,
                    took: std::time::Duration::ZERO,
                    verdict: Verdict::Sent,
                    answer_status: None,
                    answer: None,
                    quiet_until: None,
                    thread: None,
                })
                .collect();
            self.history.write(|tx| tx.record_attempts(&attempts, now)).unwrap();
        }
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("history.db"))
        .collect();
    names.sort();
    names
}

pub(crate) fn summary(path: &Path) -> ccwatch::history::Summary {
    Reader::open(path).unwrap().summary().unwrap()
}

pub(crate) fn requests(path: &Path) -> u32 {
    summary(path).requests.iter().map(|(_, count)| count).sum()
}
