//! With real programs, all of them `/bin/sh -c`.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::deliver::samples::{attempt, failed_hook, failed_request, hostile, send};
use crate::model::News;

fn shell(script: &str, argument: &Path) -> Exec {
    let argument = argument.to_str().unwrap();
    Exec::new(&["/bin/sh", "-c", script, argument].map(str::to_owned)).unwrap()
}

async fn run(script: &str) -> Outcome {
    send(&shell(script, Path::new("sh")), &failed_request()).await.outcome
}

fn failure(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed { error, .. } => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_program_is_handed_the_announcement() {
    let folder = tempfile::tempdir().unwrap();
    let exec = shell(r#"cat > "$0/input"; env -0 > "$0/variables""#, folder.path());
    let announcement = failed_hook("WARN");
    let news = News::Change(Box::new(announcement.clone()));
    let message = Message::new(&news);
    let third = Attempt {
        number: 3,
        ..attempt(&message, None)
    };
    assert_eq!(exec.send(third).await.outcome, Outcome::Accepted);
    let input: Value = serde_json::from_slice(&std::fs::read(folder.path().join("input")).unwrap()).unwrap();
    assert_eq!(input, serde_json::to_value(&announcement).unwrap());
    let variables = std::fs::read_to_string(folder.path().join("variables")).unwrap();
    let mut variables: Vec<&str> = variables
        .split('\0')
        .filter(|line| line.starts_with("CCWATCH_"))
        .collect();
    // What the test itself was started with is inherited.
    variables.retain(|line| {
        line.split_once('=')
            .is_some_and(|(name, _)| std::env::var_os(name).is_none())
    });
    variables.sort_unstable();
    assert_eq!(
        variables,
        [
            "CCWATCH_ACCOUNT_ID=123456789012",
            "CCWATCH_ATTEMPT=3",
            "CCWATCH_EVENT_ID=01JD8Z-7",
            "CCWATCH_FAILURE_MODE=WARN",
            "CCWATCH_FROM=HOOK_IN_PROGRESS",
            "CCWATCH_HOOK_TYPE_NAME=Acme::S3::Guard",
            "CCWATCH_IDENTIFIER=my-bucket",
            "CCWATCH_KIND=hook.status",
            "CCWATCH_MESSAGE=bucket is not encrypted",
            "CCWATCH_OPERATION=CREATE",
            "CCWATCH_REGION=eu-west-1",
            "CCWATCH_REQUEST_TOKEN=73553e7d-token",
            "CCWATCH_STATUS=HOOK_COMPLETE_FAILED",
            "CCWATCH_TARGET=prod/eu-west-1",
            "CCWATCH_TYPE_NAME=AWS::S3::Bucket",
        ]
    );
}

#[test]
fn what_is_not_known_and_what_is_not_its_business_is_not_inherited() {
    let news = News::Change(Box::new(failed_request()));
    let command = shell("", Path::new("sh")).command(attempt(&Message::new(&news), None));
    let removed: Vec<_> = command
        .as_std()
        .get_envs()
        .filter(|(_, value)| value.is_none())
        .collect();
    for name in [
        "CCWATCH_HOOK_TYPE_NAME",
        "CCWATCH_FAILURE_MODE",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
    ] {
        assert!(removed.iter().any(|(removed, _)| *removed == name), "{name}");
    }
}

#[tokio::test]
async fn the_exit_status_decides() {
    assert_eq!(run("cat > /dev/null; exit 0").await, Outcome::Accepted);
    assert!(failure(run("exit 75").await).contains("asks to try later"));
    assert!(failure(run("kill -9 $$").await).contains("was killed (signal: 9"));
    for code in [1, 2, 64, 126, 127, 255] {
        let outcome = run(&format!("exit {code}")).await;
        let Outcome::Rejected { error } = outcome else {
            panic!("{code}: {outcome:?}");
        };
        assert!(
            error.contains(&format!("exit status {code}")) && error.contains("75"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_end_of_standard_error_is_kept_and_standard_output_is_not() {
    let error = failure(
        run("echo never; for n in $(seq 9999); do echo line $n >&2; done; printf 'the\\033[31m cause' >&2; exit 75")
            .await,
    );
    assert!(error.contains("line 9999 the\u{fffd}[31m cause"), "{error}");
    assert!(!error.contains("line 8000") && !error.contains("never"), "{error}");
    assert!(error.len() < 2 * KEPT);
}

#[tokio::test]
async fn input_need_not_be_read_however_much_it_is() {
    let mut announcement = failed_request();
    announcement.message = Some("m".repeat(1 << 20));
    let exec = shell("exec < /dev/null; exit 0", Path::new("sh"));
    assert_eq!(send(&exec, &announcement).await.outcome, Outcome::Accepted);
}

#[tokio::test]
async fn hostile_text_neither_fails_nor_becomes_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let trap = format!(
        "$(touch {0}/owned)`touch {0}/owned`;\0\n\u{1b}",
        folder.path().display()
    );
    let mut announcement = hostile(&trap);
    announcement.message = Some("😀".repeat(100_000));
    let exec = shell(r#"cat; echo "$CCWATCH_IDENTIFIER" "$@""#, folder.path());
    assert_eq!(send(&exec, &announcement).await.outcome, Outcome::Accepted);
    assert!(!folder.path().join("owned").exists());
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "no program").unwrap();
    for (program, remedy) in [
        (folder.path().join("absent"), "install it"),
        (plain, "make it executable"),
        (folder.path().to_owned(), "make it executable"),
    ] {
        let exec = Exec::new(&[program.to_str().unwrap().to_owned()]).unwrap();
        let error = failure(send(&exec, &failed_request()).await.outcome);
        assert!(error.contains(remedy), "{error}");
    }
    Exec::new(&[]).unwrap_err();
    Exec::new(&[String::new()]).unwrap_err();
}

/// Whether it runs; a zombie that nobody has buried does not.
fn runs(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status
        .rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Waits for what will come; the test's own time limit is the harness's.
async fn wait_for(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn when_its_time_is_up_it_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let exec = shell(
        r#"sleep 1000 & echo $! $$ > "$0/new"; mv "$0/new" "$0/pids"; wait"#,
        folder.path(),
    );
    let file = folder.path().join("pids");
    let announcement = failed_request();
    tokio::select! {
        outcome = send(&exec, &announcement) => panic!("{outcome:?}"),
        () = wait_for(|| file.exists()) => {}
    }
    let pids = std::fs::read_to_string(&file).unwrap();
    wait_for(|| !pids.split_whitespace().any(runs)).await;
}

#[tokio::test]
async fn what_it_leaves_running_on_purpose_is_left_alone_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let exec = shell(
        r#"sleep 1000 & echo $! > "$0/pid"; echo said >&2; exit 75"#,
        folder.path(),
    );
    let error = failure(send(&exec, &failed_request()).await.outcome);
    assert!(error.contains("said"), "{error}");
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    assert!(runs(pid.trim()));
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
}
