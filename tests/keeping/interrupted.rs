//! Ctrl-C and SIGTERM in the middle of the work.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ccwatch::history::History;
use rustix::process::{Pid, Signal, kill_process};

use crate::kept::{Kept, ccwatch, complaint, names, requests, summary, well};

/// A command, how it is known that it is at its work, and what sees whether one that ended well did it, and undoes it.
struct Trial<'a> {
    command: &'a dyn Fn() -> Command,
    is_at_work: &'a dyn Fn() -> bool,
    is_done: &'a dyn Fn() -> bool,
}

impl Trial<'_> {
    /// Sends the signal to the command at its work, again from the beginning for as long as that is over before the signal
    /// comes. Whatever came of it, no part of a file is left.
    fn until_stopped(&self, folder: &Path, signal: Signal) -> String {
        for _ in 0..1000 {
            let output = self.interrupted(signal);
            let left = names(folder);
            assert!(!left.iter().any(|name| name.contains("partial")), "{left:?}");
            let told = complaint(&output);
            if !output.status.success() {
                assert_eq!(output.status.code(), Some(128 + signal.as_raw()), "{told}");
                return told;
            }
            assert!((self.is_done)(), "{told}");
        }
        panic!("it was never stopped at its work");
    }

    fn interrupted(&self, signal: Signal) -> Output {
        let mut command = (self.command)();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while !(self.is_at_work)() && child.try_wait().unwrap().is_none() {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        if child.try_wait().unwrap().is_none() {
            kill_process(Pid::from_child(&child), signal).unwrap();
        }
        child.wait_with_output().unwrap()
    }
}

fn has_partial(folder: &Path) -> bool {
    names(folder).iter().any(|name| name.ends_with(".partial"))
}

#[test]
fn a_file_that_is_not_whole_yet_is_gone_and_the_shell_knows_why() {
    let kept = Kept::new(1500);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    let name = file.to_str().unwrap();
    let history = kept.history();
    let report = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        command.args(["report", "-o", name, "--history", &history]);
        command
    };
    let commands: [&dyn Fn() -> Command; 3] = [
        &|| ccwatch(&["backup", name, "--history", &history]),
        &|| {
            ccwatch(&[
                "export",
                "--view",
                "changes",
                "--format",
                "csv",
                "-o",
                name,
                "--history",
                &history,
            ])
        },
        &report,
    ];
    let signals = [Signal::INT, Signal::TERM, Signal::HUP];
    for (command, signal) in commands.into_iter().zip(signals) {
        let trial = Trial {
            command,
            is_at_work: &|| has_partial(place.path()),
            is_done: &|| fs::remove_file(&file).is_ok(),
        };
        let told = trial.until_stopped(place.path(), signal);
        assert!(told.starts_with("stopped: no ") && told.lines().count() == 1, "{told}");
        assert!(names(place.path()).is_empty());
    }
    well(&["check", "--history", &history]);
}

#[test]
fn an_import_that_is_stopped_is_sound_and_the_same_command_brings_the_rest() {
    let (from, folder) = (Kept::new(1500), tempfile::tempdir().unwrap());
    let copy = from.file("copy.db");
    well(&["backup", &copy, "--history", &from.history()]);
    let path = folder.path().join("history.db");
    let history = path.to_str().unwrap();
    drop(History::open(&path).unwrap());
    let is_done = || {
        let came = requests(&path);
        fs::remove_file(&path).unwrap();
        drop(History::open(&path).unwrap());
        came == 1500
    };
    let (copying, bringing) = (|| has_partial(folder.path()), || requests(&path) > 0);
    let moments: [&dyn Fn() -> bool; 2] = [&copying, &bringing];
    for is_at_work in moments {
        let trial = Trial {
            command: &|| ccwatch(&["import", &copy, "--history", history]),
            is_at_work,
            is_done: &is_done,
        };
        let told = trial.until_stopped(folder.path(), Signal::INT);
        assert!(told.contains("the same command brings the rest"), "{told}");
        well(&["check", "--history", history]);
    }
    let before = requests(&path);
    let rehearsal = Trial {
        command: &|| ccwatch(&["import", &copy, "--dry-run", "--history", history]),
        is_at_work: &copying,
        is_done: &|| true,
    };
    let told = rehearsal.until_stopped(folder.path(), Signal::TERM);
    assert!(told.starts_with("stopped: nothing has come"), "{told}");
    assert_eq!(requests(&path), before);
    well(&["import", &copy, "--history", history]);
    well(&["check", "--history", history]);
    assert_eq!(summary(&path).requests, summary(Path::new(&copy)).requests);
}
