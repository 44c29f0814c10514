//! What is wrong with the name of a file, and what stands in the way of using it, have exit codes of their own in every command.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ccwatch::history::History;

/// In a folder with a sound history, one that is no history, and files that are in the way.
fn run(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    command.args(line.split(' ')).current_dir(folder).stdin(Stdio::null());
    for name in ["CCWATCH_HISTORY", "CCWATCH_CONFIG", "STATE_DIRECTORY", "AWS_REGION"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

#[test]
fn a_name_is_the_fault_of_an_argument_and_what_stands_in_the_way_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    drop(History::open(&folder.join("h.db")).unwrap());
    fs::write(folder.join("text"), "text").unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    let act = "--region eu-west-1 --endpoint-url http://127.0.0.1:9 --history new.db";
    let create = format!("create {act} --type-name A::B::C --desired-state");
    let update = format!("update {act} --type-name A::B::C --identifier x --patch-document");
    let lines = [
        // To make what is there, or where there is no folder for it.
        (2, "history backup text --history h.db"),
        (2, "history backup none/x --history h.db"),
        (2, "history backup text/x --history h.db"),
        (2, "history backup folder --force --history h.db"),
        (2, "history backup h.db --force --history h.db"),
        (2, "history export --format csv -o text --history h.db"),
        (2, "history export -o none/x.csv --history h.db"),
        (2, "report -o text --history h.db"),
        (2, "report -o none/x.html --history h.db"),
        (2, "demo --for 1s --history text"),
        (2, "man --output text"),
        // To read what is not there, or is a folder.
        (2, "history backup x.db --history none.db"),
        (2, "history export -o x.csv --history none.db"),
        (2, "history import h.db --history none.db"),
        (2, "history import none.db --history h.db"),
        (2, "history import folder --history h.db"),
        (2, "history check --history none.db"),
        (2, "history vacuum --history none.db"),
        (2, "history prune --older-than 1y --history none.db"),
        (2, "report -o x.html --history none.db"),
        (2, "report --history folder"),
        (2, "requests --history none.db"),
        (2, "stats --history none.db"),
        (2, "sql SELECT --history none.db"),
        (2, "sql @none.sql --history h.db"),
        (2, "wait 73553e7d --history none.db"),
        (2, "silence list --history none.db"),
        (2, &format!("{create} @none.json")),
        (2, &format!("{create} @folder")),
        (2, &format!("{update} file://none.json")),
        (2, "completions text"),
        // What is no history, and where nothing can be read or made.
        (1, "history backup x.db --history text"),
        (1, "history export -o x.csv --history text"),
        (1, "history import h.db --history text"),
        (1, "history import text --history h.db"),
        (1, "report -o x.html --history text"),
        (1, "sql SELECT --history text"),
        (1, "history backup /sys/x.db --history h.db"),
        (1, "history export -o /sys/x.csv --history h.db"),
        (1, "report -o /sys/x.html --history h.db"),
        (1, "demo --for 1s --history /sys/x.db"),
        (1, &format!("{create} @/proc/self/mem")),
        // A configuration and a scenario are configuration, there or not.
        (78, "check --config none.toml"),
        (78, "run --config none.toml"),
        (78, "backtest --config none.toml"),
        (78, "requests --config none.toml"),
        (78, "check --config text"),
        (78, "simulate --scenario ./none.toml"),
    ];
    for (code, line) in lines {
        let output = run(folder, line);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {told}");
        assert!(
            told.lines().count() >= 1 && !told.contains("panicked"),
            "{line}: {told}"
        );
    }
    let mut left: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("h.db"))
        .collect();
    left.sort();
    assert_eq!(left, ["folder", "text"], "nothing was made");
    assert_eq!(fs::read_to_string(folder.join("text")).unwrap(), "text");
}
