//! The systemd unit, held against systemd's own checks. Without `systemd-analyze` those are skipped, and say so.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::path::Path;
use std::process::{Command, Output};

const UNIT: &str = include_str!("../systemd/ccwatch.service");
const README: &str = include_str!("../README.md");

/// Runs systemd-analyze on the unit, with the program that was just built in place of the installed one. `None` if this
/// machine has no systemd-analyze.
fn systemd_analyze(arguments: &[&str]) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("ccwatch.service");
    let built = env!("CARGO_BIN_EXE_ccwatch");
    assert!(UNIT.contains("\nExecStart=/usr/bin/ccwatch run "));
    std::fs::write(
        &unit,
        UNIT.replace("ExecStart=/usr/bin/ccwatch", &format!("ExecStart={built}")),
    )
    .unwrap();
    match Command::new("systemd-analyze").args(arguments).arg(&unit).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: systemd-analyze is not installed");
            None
        }
        Err(error) => panic!("systemd-analyze does not start: {error}"),
    }
}

fn printed(output: &Output) -> String {
    [output.stdout.as_slice(), output.stderr.as_slice()]
        .map(String::from_utf8_lossy)
        .concat()
}

/// It exits with 0 in spite of what it finds, so that any output is a finding.
#[test]
fn systemd_finds_no_fault_with_it() {
    if let Some(output) = systemd_analyze(&["verify", "--recursive-errors=no", "--man=no"]) {
        assert_eq!(printed(&output), "");
        assert!(output.status.success());
    }
}

/// 1.5 of 10, where 10 is a service that may do all.
#[test]
fn its_exposure_is_low() {
    if let Some(output) = systemd_analyze(&["security", "--offline=yes", "--threshold=15", "--no-pager"]) {
        assert!(output.status.success(), "{}", printed(&output));
    }
}

fn value(key: &str) -> &str {
    let mut values = UNIT
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let value = values.next().unwrap();
    assert_eq!(values.next(), None, "{key} is given twice");
    value
}

/// What the program and the unit must agree on.
#[test]
fn it_fits_the_program() {
    let given_up: Vec<&str> = value("RestartPreventExitStatus").split(' ').collect();
    assert!(given_up.contains(&ccwatch::config::ConfigErrors::EXIT_CODE.to_string().as_str()));
    let stop = humantime::parse_duration(value("TimeoutStopSec")).unwrap();
    assert!(stop > ccwatch::daemon::GRACE + std::time::Duration::from_secs(5));
    assert_eq!(value("Type"), "notify");
    assert_eq!(value("ExecStart").rsplit(' ').next(), Some("/etc/ccwatch/ccwatch.toml"));
    // $STATE_DIRECTORY, where the history is kept by default.
    let state = Path::new("/var/lib").join(value("StateDirectory"));
    assert_eq!(value("Environment"), format!("HOME={}", state.display()));
}

/// The README's configuration, as its way to a service changes it, has the credential that its drop-in gives, and needs nothing
/// of a shell.
#[test]
fn the_configuration_of_the_readme_becomes_one_of_the_service() {
    let between = |begin: &str, end: &str| {
        let (_, after) = README.split_once(begin).unwrap();
        after.split_once(end).unwrap().0
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ccwatch.toml");
    std::fs::write(&file, between("```toml\n", "```")).unwrap();
    let mut sed = Command::new("sed");
    let changed = sed
        .arg(between("\nsed '", "' ccwatch.toml"))
        .arg(&file)
        .output()
        .unwrap();
    assert!(changed.status.success(), "{}", printed(&changed));
    std::fs::write(&file, changed.stdout).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    check.arg("check").arg("--config").arg(&file);
    let checked = check.env_clear().env("HOME", folder.path()).output().unwrap();
    assert!(checked.status.success(), "{}", printed(&checked));
    let (_, given) = README.split_once("\nLoadCredential=").unwrap();
    let name = given.split(':').next().unwrap();
    let note = format!("the credential \"{name}\" can't be looked at here");
    assert!(printed(&checked).contains(&note), "{}", printed(&checked));
}
