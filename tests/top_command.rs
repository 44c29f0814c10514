//! `ccwatch top` in a terminal: what it shows, what keys do, and that the terminal is given back on every way out. A
//! pseudo-terminal is driven by `tests/terminal/top.py`, for which Python's standard library is enough.
//!
//! Without a `python3` there is nothing to try, and the test says so; with `CCWATCH_SKIP_NOTHING` set, as `.ci/run` does, it
//! must be there.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::io::ErrorKind;
use std::process::{Command, Stdio};

#[test]
fn people_watch_it_in_a_terminal_and_get_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let driven = Command::new("python3")
        .args(["-B", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/top.py")])
        .arg(env!("CARGO_BIN_EXE_ccwatch"))
        .arg(folder.path())
        .stdin(Stdio::null())
        .output();
    let driven = match driven {
        Err(error) if error.kind() == ErrorKind::NotFound && std::env::var_os("CCWATCH_SKIP_NOTHING").is_none() => {
            eprintln!("skipped: there is no python3");
            return;
        }
        driven => driven.unwrap(),
    };
    let told = [driven.stdout.as_slice(), driven.stderr.as_slice()]
        .map(String::from_utf8_lossy)
        .concat();
    assert!(driven.status.success(), "{told}");
    // One line for each part that was tried.
    assert_eq!(told.lines().count(), 8, "{told}");
}
