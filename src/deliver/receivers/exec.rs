//! A program for each change: the news as JSON on its standard input, the most used parts in `CCWATCH_*`
//! variables.
//!
//! - No shell is involved, so nothing in a message can become a command.
//! - It runs in a process group of its own: Ctrl-C on a terminal does not reach it, and when its time is up, or ccwatch
//!   stops, the whole group is killed.
//! - Exit 0: delivered. 75 (EX_TEMPFAIL of sysexits.h): later. Any other status: never. A program that was killed has
//!   said nothing, and one that cannot be started (not there yet, not executable, just being replaced) has not seen the
//!   message: both are tried again.
//! - It need not read its input. What it writes to standard error is kept for the error, the last KiB of it; what it
//!   writes to standard output is dropped.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};

use crate::decide::retry::Outcome;
use crate::deliver::receiver::{Answered, Attempt, Pace, Preview, Receiver, Report, Sending};
use crate::model::rows::{HookRow, RequestRow};
use crate::model::{Announcement, printable};
use crate::render::Message;
use crate::render::text::cut;

/// EX_TEMPFAIL.
const TRY_LATER: i32 = 75;
/// How much of standard error is kept, in bytes. The end of it: there stands what went wrong.
const KEPT: usize = 1024;
/// How long is waited for the rest of standard error after the program's end: what it left running may hold it open.
const DRAIN: Duration = Duration::from_millis(500);
/// UTF-16 units. A variable longer than 128 KiB would keep the program from starting (MAX_ARG_STRLEN in execve(2)).
const LONGEST_VARIABLE: usize = 8 * 1024;
/// What speaks of ccwatch's own relation to systemd, and would confuse a program that knows it too.
const NOT_INHERITED: [&str; 6] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// The configured command has no program.
#[derive(Debug, thiserror::Error)]
#[error("its `command` is empty: name a program")]
pub struct EmptyCommand;

/// A receiver of type `exec`.
#[derive(Debug)]
pub struct Exec {
    program: String,
    arguments: Vec<String>,
}

impl Exec {
    /// `command` is the program and its arguments.
    pub fn new(command: &[String]) -> Result<Self, EmptyCommand> {
        match command {
            [program, arguments @ ..] if !program.is_empty() => Ok(Self {
                program: program.clone(),
                arguments: arguments.to_vec(),
            }),
            _ => Err(EmptyCommand),
        }
    }

    fn command(&self, attempt: Attempt<'_>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        for (name, value) in variables(attempt) {
            match value {
                Some(value) => command.env(name, value),
                // One that ccwatch itself was started with says nothing about this change.
                None => command.env_remove(name),
            };
        }
        command
    }

    async fn run(&self, attempt: Attempt<'_>) -> Report {
        let failed = |error: String| {
            Report::from(Outcome::Failed {
                error,
                retry_after: None,
            })
        };
        let input = match input(attempt.message) {
            Ok(input) => input,
            Err(error) => {
                return Report::from(Outcome::Rejected {
                    error: error.to_string(),
                });
            }
        };
        let child = match self.command(attempt).spawn() {
            Ok(child) => child,
            Err(error) => return failed(cannot_start(&self.program, &error)),
        };
        match finish(child, &input).await {
            Ok((status, said)) => report(&self.program, status, &said),
            Err(error) => failed(format!("`{}` was lost sight of: {error}", self.program)),
        }
    }
}

/// A template's payload as it is, else the news as JSON.
fn input(message: &Message<'_>) -> serde_json::Result<Vec<u8>> {
    match &message.payload {
        Some(payload) => Ok(payload.clone().into_bytes()),
        None => serde_json::to_vec(message.news),
    }
}

impl Receiver for Exec {
    fn pace(&self) -> Pace {
        Pace::at_once(4)
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let content = match &message.payload {
            Some(payload) => payload.clone(),
            None => serde_json::to_string_pretty(message.news)
                .unwrap_or_else(|error| format!("the news cannot be written: {error}")),
        };
        Preview {
            content,
            measures: Vec::new(),
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.run(attempt))
    }
}

fn variables(attempt: Attempt<'_>) -> [(&'static str, Option<String>); 16] {
    let news = attempt.message.news;
    let change = news.change();
    let request = change.map(|change| &change.request);
    let hook = change.and_then(|change| change.hook.as_ref());
    let known = |value: Option<&str>| {
        // The environment cannot hold NUL.
        value.map(|text| cut(&text.replace('\0', "\u{fffd}"), LONGEST_VARIABLE).into_owned())
    };
    let of_change = |part: fn(&Announcement) -> Option<&str>| known(change.and_then(part));
    let of_request = |part: fn(&RequestRow) -> Option<&str>| known(request.and_then(part));
    let of_hook = |part: fn(&HookRow) -> Option<&str>| known(hook.and_then(part));
    [
        ("CCWATCH_EVENT_ID", known(Some(&news.id().0))),
        ("CCWATCH_KIND", known(Some(news.kind()))),
        ("CCWATCH_STATUS", of_change(|change| change.to.as_deref())),
        ("CCWATCH_FROM", of_change(|change| change.from.as_deref())),
        ("CCWATCH_TARGET", of_change(|change| Some(&change.target))),
        (
            "CCWATCH_ACCOUNT_ID",
            of_change(|change| change.account_id.as_ref().map(|account| account.0.as_str())),
        ),
        ("CCWATCH_REGION", of_change(|change| Some(&change.region.0))),
        (
            "CCWATCH_REQUEST_TOKEN",
            of_request(|request| Some(&request.request_token)),
        ),
        ("CCWATCH_TYPE_NAME", of_request(|request| request.type_name.as_deref())),
        (
            "CCWATCH_IDENTIFIER",
            of_request(|request| request.identifier.as_deref()),
        ),
        ("CCWATCH_OPERATION", of_request(|request| request.operation.as_deref())),
        ("CCWATCH_ERROR_CODE", of_change(|change| change.error_code.as_deref())),
        ("CCWATCH_MESSAGE", of_change(|change| change.message.as_deref())),
        ("CCWATCH_HOOK_TYPE_NAME", of_hook(|hook| hook.hook_type_name.as_deref())),
        ("CCWATCH_FAILURE_MODE", of_hook(|hook| hook.failure_mode.as_deref())),
        ("CCWATCH_ATTEMPT", Some(attempt.number.to_string())),
    ]
}

/// Kills the process group when dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // All that can go wrong is that nobody is left in it.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Feeds and awaits the program. Dropping this kills it, with whatever it started.
async fn finish(mut child: Child, input: &[u8]) -> io::Result<(ExitStatus, String)> {
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program that does not care for its input closes it: no error.
            let _unread = stdin.write_all(input).await;
        }
    };
    let mut said = Vec::new();
    let status = {
        let mut talk = pin!(async { tokio::join!(feed, keep_end(stderr, &mut said)) });
        let mut is_talking = true;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                _ = &mut talk, if is_talking => is_talking = false,
            }
        };
        // It has ended, so its number may be another's from now on. What it left running on purpose goes on.
        group.0 = None;
        if is_talking {
            let _held_open = tokio::time::timeout(DRAIN, talk).await.is_err();
        }
        status
    };
    Ok((status, String::from_utf8_lossy(&said).into_owned()))
}

/// Reads to the end, and keeps the last [`KEPT`] bytes.
async fn keep_end(stderr: Option<ChildStderr>, said: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut chunk = [0; 4 * KEPT];
    while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
        said.extend_from_slice(&chunk[..count]);
        said.drain(..said.len().saturating_sub(KEPT));
    }
}

fn report(program: &str, status: ExitStatus, said: &str) -> Report {
    Report {
        outcome: outcome(program, status, said),
        thread: None,
        answer: Some(Answered {
            status: status.code().and_then(|code| u16::try_from(code).ok()),
            said: printable(said.trim()).into_owned(),
        }),
    }
}

fn outcome(program: &str, status: ExitStatus, said: &str) -> Outcome {
    let said = match printable(said.trim()) {
        said if said.is_empty() => String::new(),
        said => format!(": {said}"),
    };
    match status.code() {
        Some(0) => Outcome::Accepted,
        Some(TRY_LATER) => Outcome::Failed {
            error: format!("`{program}` asks to try later (exit status 75){said}"),
            retry_after: None,
        },
        Some(code) => Outcome::Rejected {
            error: format!(
                "`{program}` refused with exit status {code}{said}; to have a message tried again, it must exit with 75"
            ),
        },
        None => Outcome::Failed {
            error: format!("`{program}` was killed ({status}){said}"),
            retry_after: None,
        },
    }
}

fn cannot_start(program: &str, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "install it, or correct `command` (a path, or a name in PATH)",
        io::ErrorKind::PermissionDenied => "make it executable for the user that ccwatch runs as",
        io::ErrorKind::ExecutableFileBusy => "it is just being replaced",
        _ => "it will be tried again",
    };
    format!("`{program}` cannot be started: {error}; {remedy}")
}

#[cfg(test)]
#[path = "exec_tests.rs"]
mod tests;
