//! What the commands that act share: to make the call, to have it remembered, and to follow it.

use std::cell::{OnceCell, RefCell};
use std::io::{self, Write};
use std::time::Duration;

use anyhow::anyhow;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli::access::{Access, Way};
use crate::cli::follow::{self, Deadline, End, Outcome, Ways};
use crate::cli::interruption::Interruption;
use crate::cli::output;
use crate::cli::{Failure, spinner};
use crate::clock::Clock;
use crate::cloud::{self, Act, Cause, Looked, Refused};
use crate::decide::back_off;
use crate::history::{self, Editor, Reader};
use crate::model::{ProgressEvent, RequestStatus, RequestToken, TargetName, Timestamp, printable};

/// So many times a call is made at the most.
const TRIES: u32 = 4;

/// What goes with any call.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) access: Access,
    /// End when the request has begun, and print its token.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    terms: follow::Terms,
}

impl Common {
    /// Of a command that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        self.terms.deadline()
    }
}

/// What goes with a call that begins a request.
#[derive(Debug, clap::Args)]
pub(super) struct Beginning {
    /// The type of the resource, such as AWS::S3::Bucket.
    #[arg(long, value_name = "TYPE")]
    pub(super) type_name: String,
    /// The role that Cloud Control is to act as; else it acts as the caller.
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// The version of a private type; else its default one.
    #[arg(long, value_name = "ID")]
    type_version_id: Option<String>,
    /// What tells this request from others: the same token again begins nothing, for 36 hours. Made if it is not given, and
    /// printed on standard error.
    #[arg(long, value_name = "TOKEN", value_parser = client_token)]
    client_token: Option<String>,
}

impl Beginning {
    pub(super) fn terms(&self) -> cloud::Terms {
        let made = || format!("ccwatch-{:032x}", fastrand::u128(..));
        cloud::Terms {
            client_token: self.client_token.clone().unwrap_or_else(made),
            role_arn: self.role_arn.clone(),
            type_version_id: self.type_version_id.clone(),
        }
    }
}

/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html>
fn client_token(text: &str) -> Result<String, String> {
    let is_right = |c: char| c.is_ascii_alphanumeric() || "-+/=".contains(c);
    if (1..=128).contains(&text.len()) && text.chars().all(is_right) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 128 letters, digits or characters of -+/=".to_owned())
    }
}

/// What was begun, as `--format json` gives it.
#[derive(Debug, Serialize)]
struct Begun<'a> {
    /// Absent for a cancel, which has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
    #[serde(flatten)]
    end: &'a End,
}

/// Makes the call by the way that the arguments say, and sees to all that follows.
pub(super) async fn begin(common: Common, act: Act) -> Result<(), Failure> {
    let deadline = common.deadline();
    let way = before_the_call(common.access.way(), deadline).await?;
    begin_by(common, way, act, deadline).await
}

/// Does what comes before the call, such as to find credentials.
pub(super) async fn before_the_call<T>(
    work: impl Future<Output = Result<T, Failure>>,
    deadline: Deadline,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        done = work => done,
        () = deadline.passed() => {
            say("the time is up, and nothing was asked of Cloud Control");
            Err(Failure::Outcome(Outcome::Open))
        }
    }
}

/// As [`begin`], by a way that is known.
pub(super) async fn begin_by(common: Common, way: Way, act: Act, deadline: Deadline) -> Result<(), Failure> {
    let interruption = Interruption::catch()?;
    let path = common.access.history_or_new()?;
    let mut editor = Editor::open_or_make(&path)?;
    way.may_record(&editor)?;
    // What is begun is to be remembered. One that is only busy is waited for with the answer in hand.
    match editor.prove_writable() {
        Err(error) if !error.may_pass() || matches!(error.failure, history::Failure::DiskFull(_)) => {
            return Err(error.into());
        }
        Ok(()) | Err(_) => {}
    }
    if interruption.stop().is_cancelled() {
        return Err(interruption.failure());
    }

    let client_token = act.client_token();
    if let Some(token) = client_token {
        say(&format!("client token {token}"));
    }
    let (begun_as, last_refusal) = (OnceCell::new(), RefCell::new(None));
    let call = || async {
        let answer = way.client.act(&act).await;
        last_refusal.replace(answer.as_ref().err().map(Refused::to_string));
        answer
    };
    let begun = async {
        let event = match insist(call, interruption.stop()).await {
            Ok(event) => event,
            Err(refused) => {
                let look = look_at_ended(&mut editor, &way, &act, &refused);
                // What is known by now is that it was refused.
                let ended = tokio::select! {
                    biased;
                    ended = look => ended?,
                    () = interruption.stop().cancelled() => None,
                    () = deadline.passed() => None,
                };
                let (target, token) = ended.ok_or_else(|| explain(&refused, &act, &way.name))?;
                return Ok::<_, Failure>((target, token, HadEnded(true)));
            }
        };
        let token = event.request_token.clone();
        let _ = begun_as.set(token.clone());
        let target = remember(&mut editor, &way, event, &act).await?;
        Ok((target, token, HadEnded(false)))
    };
    let begun = see_through(spinner::while_waiting(act.operation(), begun), &interruption, deadline);
    let (target, token, HadEnded(had_ended)) = match begun.await {
        Ok(begun) => begun?,
        Err(failure) => {
            if let Some(refusal) = last_refusal.take() {
                say(&format!("the last call failed: {refusal}"));
            }
            say(&unfinished(&act, begun_as.get()));
            return Err(failure);
        }
    };
    drop(editor);
    if had_ended {
        return tell_ended(&common, &follow::state(&Reader::open(&path)?, &target, &token)?);
    }

    let end = if common.no_wait {
        follow::state(&Reader::open(&path)?, &target, &token)?
    } else {
        let requests = vec![(target, token)];
        let mut ends = follow::follow(
            &path,
            Ways::Known(&way),
            &common.access,
            requests,
            deadline,
            &interruption,
        )
        .await?;
        ends.pop()
            .ok_or_else(|| Failure::Work(anyhow!("nothing was followed")))?
    };
    let written = write(&common, client_token, &end);
    match act {
        _ if common.no_wait => written,
        Act::Cancel { .. } => follow::conclude_cancel(written, &end),
        Act::Create { .. } | Act::Update { .. } | Act::Delete { .. } => follow::conclude(written, &[end]),
    }
}

/// Tells of a request that was to be cancelled, and had ended before.
pub(super) fn tell_ended(common: &Common, end: &End) -> Result<(), Failure> {
    if end.outcome == Outcome::Cancelled {
        say(&format!(
            "the request {} was cancelled before",
            end.request.request_token
        ));
    }
    follow::conclude_cancel(write(common, None, end), end)
}

/// Writes how it stands; to people who do not wait, its token alone.
fn write(common: &Common, client_token: Option<&str>, end: &End) -> Result<(), Failure> {
    output::show_document(&Begun { client_token, end }, common.terms.format, |out| {
        if common.no_wait {
            return Ok(writeln!(out, "{}", printable(&end.request.request_token))?);
        }
        follow::tell(out, std::slice::from_ref(end))
    })
}

/// Says something on standard error. If that is closed there is nowhere to say so, and it is no reason not to act.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(text));
}

/// Sees a call through. What was sent can't be taken back, so the first signal lets the call end and what came of it be
/// remembered; the second one, and the end of the time, leave that to chance: then there is the failure to end with.
async fn see_through<T>(
    work: impl Future<Output = T>,
    interruption: &Interruption,
    deadline: Deadline,
) -> Result<T, Failure> {
    let cut = async {
        interruption.stop().cancelled().await;
        say("the call that is under way is waited for, to remember what it began; once more ends at once");
        interruption.cut().cancelled().await;
    };
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = cut => Err(interruption.failure()),
        () = deadline.passed() => {
            say("the time is up");
            Err(Failure::Outcome(Outcome::Open))
        }
    }
}

/// Makes the call, and again for as long as that can help and begins nothing twice. It is open whether it was carried out if
/// that is open of any of the tries: the last may have been throttled, and an earlier one have arrived.
async fn insist<C: Future<Output = Result<ProgressEvent, Refused>>>(
    call: impl Fn() -> C,
    stop: &CancellationToken,
) -> Result<ProgressEvent, Refused> {
    let (mut tries, mut is_open) = (1, false);
    loop {
        let mut refused = match call().await {
            Ok(event) => return Ok(event),
            Err(refused) => refused,
        };
        is_open |= refused.is_open;
        refused.is_open = is_open;
        if !refused.may_pass || tries == TRIES {
            return Err(refused);
        }
        tokio::select! {
            () = stop.cancelled() => return Err(refused),
            () = tokio::time::sleep(back_off::pause(tries, fastrand::f64())) => {}
        }
        tries += 1;
    }
}

/// Whether the request that was to be cancelled had ended before.
struct HadEnded(bool);

/// Looks once at a request that can't be cancelled, perhaps because it has ended, and has the history take in how: not before
/// RetryAfter (law 5). `None` where it has not ended, or that is not to be learnt: then what the service said is all that
/// can be told.
async fn look_at_ended(
    editor: &mut Editor,
    way: &Way,
    act: &Act,
    refused: &Refused,
) -> Result<Option<(TargetName, RequestToken)>, Failure> {
    let Act::Cancel { token } = act else { return Ok(None) };
    if !refused.may_have_ended {
        return Ok(None);
    }
    let Some(wait) = forbidden_for(editor.retry_after(token)?, refused.date) else {
        return Ok(None);
    };
    tokio::time::sleep(wait).await;
    let Ok(Looked::Seen(event, hooks)) = way.client.get(token).await.result else {
        return Ok(None);
    };
    let has_ended = event.status.as_ref().is_some_and(RequestStatus::is_final);
    let place = (&way.name, way.account.as_ref(), &way.region);
    let target = editor.record_look(place, *event, hooks, &way.routing(), Clock::system().now())?;
    Ok(has_ended.then(|| (target, token.clone())))
}

/// How long the service is not to be asked, from when its clock showed `date`. `None` where it is not known what it shows.
fn forbidden_for(retry_after: Option<Timestamp>, date: Option<Timestamp>) -> Option<Duration> {
    match retry_after {
        None => Some(Duration::ZERO),
        Some(retry_after) => date.map(|date| retry_after.since(date)),
    }
}

/// Has the history take in what was begun. One that can't be written for now is waited for: to go on would be to forget it.
/// Returns what the target is called there.
async fn remember(editor: &mut Editor, way: &Way, event: ProgressEvent, act: &Act) -> Result<TargetName, Failure> {
    let place = (&way.name, way.account.as_ref(), &way.region);
    let (routing, now) = (way.routing(), Clock::system().now());
    let mut failures = 0;
    loop {
        let (operation, token) = (act.operation(), &event.request_token);
        match editor.record_answer(place, event.clone(), &routing, now) {
            Ok(target) => return Ok(target),
            Err(error) if error.may_pass() => {
                failures += 1;
                if failures == 1 {
                    say(&format!(
                        "{operation} has begun the request {token}, which goes on; it is remembered as soon as that can be: {error}"
                    ));
                }
                tokio::time::sleep(back_off::pause(failures, fastrand::f64())).await;
            }
            Err(error) => {
                return Err(Failure::Work(anyhow!(
                    "{operation} has begun the request {token}, which goes on, but it could not be remembered: {error}"
                )));
            }
        }
    }
}

fn explain(refused: &Refused, act: &Act, target: &TargetName) -> Failure {
    let begun = match refused.failure.cause {
        _ if refused.is_open => format!("\n{}", not_known(act)),
        Cause::Unreachable => format!("\n{}", not_sent(act)),
        _ => String::new(),
    };
    let operation = act.operation();
    Failure::Work(anyhow!("{operation} in {target}: {refused}\n{}{begun}", refused.remedy))
}

/// How things stand where the call was not seen through. `begun_as` is the request that it began, if the answer came.
fn unfinished(act: &Act, begun_as: Option<&RequestToken>) -> String {
    let (Some(begun_as), Some(token)) = (begun_as, act.client_token()) else {
        return not_known(act);
    };
    format!(
        "The request {begun_as} has begun and goes on, and is not in the history: the same command with --client-token \
         {token} puts it there"
    )
}

/// What is certain where there was no one to send the call to.
fn not_sent(act: &Act) -> &'static str {
    match act {
        Act::Create { .. } | Act::Update { .. } | Act::Delete { .. } => {
            "No connection was made, so no request has begun"
        }
        Act::Cancel { .. } => "No connection was made, so nothing was cancelled",
    }
}

/// What to do where no answer came.
fn not_known(act: &Act) -> String {
    match act.client_token() {
        Some(token) => format!(
            "Whether the request has begun is not known: the same command with --client-token {token} begins it, or finds it \
             if it has"
        ),
        None => "Whether it was cancelled is not known: to ask again does no harm".to_owned(),
    }
}

#[cfg(test)]
#[path = "begin_tests.rs"]
mod tests;
