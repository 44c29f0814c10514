//! What is to be seen while requests are followed: where lines move, one for each; elsewhere a line for each change.
//! All of it on standard error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::output;
use crate::cli::when::{self, rough};
use crate::decide::stuck::Usual;
use crate::model::rows::{ChangeRow, HookRow, RequestRow};
use crate::model::{HookStatus, Timestamp, printable};

/// How often the sign of life moves.
const TICK: Duration = Duration::from_millis(120);

/// Length of a bar that is full when such requests have usually ended.
const FULL: u64 = 1000;

pub(super) struct View {
    /// Where lines move. Elsewhere indicatif would say nothing at all.
    bars: Option<MultiProgress>,
}

/// What was last said of a request, and of each of its hooks.
#[derive(Default)]
pub(super) struct Said(BTreeMap<Option<String>, String>);

impl Said {
    /// The line of a change, unless it is what was said before: not all that changes is told in a line.
    pub(super) fn anew(&mut self, row: &ChangeRow) -> Option<String> {
        let line = change(row);
        let before = self.0.insert(row.hook(), line.clone());
        (before.as_ref() != Some(&line)).then_some(line)
    }
}

/// One request's line.
pub(super) struct Line(Option<ProgressBar>);

impl View {
    pub(super) fn new() -> Self {
        Self {
            bars: output::lines_move().then(MultiProgress::new),
        }
    }

    /// Whether there is a screen on which lines move.
    pub(super) fn moves(&self) -> bool {
        self.bars.is_some()
    }

    pub(super) fn line(&self) -> Line {
        let Some(bars) = &self.bars else { return Line(None) };
        let bar = bars.add(ProgressBar::new(FULL));
        bar.set_style(style("{spinner} {wide_msg}"));
        bar.enable_steady_tick(TICK);
        Line(Some(bar))
    }

    /// Says something that stays.
    pub(super) fn say(&self, text: &str) {
        let text = printable(text);
        // There is nowhere left to say that standard error is closed.
        let _ = match &self.bars {
            Some(bars) => bars.println(text),
            None => writeln!(io::stderr(), "{text}"),
        };
    }

    /// Takes what moved off the screen: the results stand for themselves.
    pub(super) fn clear(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}

impl Line {
    pub(super) fn show(&self, text: &str, age: Duration, usual: Option<Usual>) {
        let Some(bar) = &self.0 else { return };
        if let Some(usual) = usual {
            bar.set_style(style("{spinner} [{bar:10}] {wide_msg}"));
            bar.set_position(part(age, usual.p99));
        }
        bar.set_message(printable(text).into_owned());
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.tick_chars("|/-\\ ").progress_chars("=> ")
}

/// How much of its usual time has passed, of [`FULL`].
fn part(age: Duration, usual: Duration) -> u64 {
    let (age, usual) = (age.as_millis(), usual.as_millis().max(1));
    u64::try_from(age * u128::from(FULL) / usual).map_or(FULL, |part| part.min(FULL))
}

/// Since a request began.
pub(super) fn age(request: &RequestRow, now: Timestamp) -> Duration {
    now.since(request.started_at.unwrap_or(request.first_seen_at))
}

/// How a request stands, in one line. `trouble` is what keeps it from being looked at.
pub(super) fn standing(
    request: &RequestRow,
    hooks: &[HookRow],
    usual: Option<Usual>,
    trouble: Option<&str>,
    now: Timestamp,
) -> String {
    let status = request.status.as_deref();
    let mut text = format!("{} {}", what(request), status.unwrap_or("-"));
    // Nothing refuses to be written to a String.
    if request.open {
        let age = age(request, now);
        let _ = write!(text, " for {}", rough(age));
        if let Some(usual) = usual {
            let much = if age > usual.p99 {
                "longer than the usual"
            } else {
                "usually within"
            };
            let _ = write!(text, ", {much} {}", rough(usual.p99));
        }
    } else if request.duration_s.is_some() {
        let _ = write!(text, " after {}", when::seconds(request.duration_s));
    }
    let running: Vec<&HookRow> = hooks.iter().filter(|hook| !has_ended(hook)).collect();
    for hook in &running {
        let _ = write!(text, "; {}", hook_in_words(hook));
    }
    let failed = hooks.iter().filter(|hook| has_failed(hook)).count();
    if failed > 0 {
        let _ = write!(text, "; {failed} of {} hooks failed", hooks.len());
    }
    if let Some(trouble) = trouble {
        let _ = write!(text, "; can't be looked at just now: {trouble}");
    }
    text
}

/// A change, in one line.
fn change(change: &ChangeRow) -> String {
    let status = change.to_status.as_deref().unwrap_or(&change.kind);
    let subject = match change.hook() {
        Some(hook) => format!("hook {hook}"),
        None => change.operation.clone().unwrap_or_else(|| "request".to_owned()),
    };
    let detail = [change.error_code.as_deref(), change.message.as_deref()];
    let detail: Vec<&str> = detail.into_iter().flatten().collect();
    let colon = if detail.is_empty() { "" } else { ": " };
    let type_name = change.type_name.as_deref().unwrap_or("of an unknown type");
    format!(
        "{} {subject} {type_name} {status}{colon}{}",
        short(&change.request_token),
        detail.join(": ")
    )
}

fn what(request: &RequestRow) -> String {
    let words = [
        Some(short(&request.request_token)),
        request.operation.as_deref(),
        request.type_name.as_deref(),
        request.identifier.as_deref(),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Enough of a token to be told from the others that are followed with it.
fn short(token: &str) -> &str {
    &token[..token.floor_char_boundary(8)]
}

fn hook_in_words(hook: &HookRow) -> String {
    let mode = hook.failure_mode.as_ref().map(|mode| format!(" ({mode})"));
    let status = hook.status.as_deref().unwrap_or("-");
    format!("hook {}{} {status}", hook.name(), mode.unwrap_or_default())
}

fn has_ended(hook: &HookRow) -> bool {
    hook.status
        .as_deref()
        .is_some_and(|status| HookStatus::from(status).is_final())
}

fn has_failed(hook: &HookRow) -> bool {
    hook.status
        .as_deref()
        .is_some_and(|status| HookStatus::from(status).is_failure())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_says_nothing_new_is_not_said() {
        let row = |hook: Option<&str>, to: &str| ChangeRow {
            request_token: "73553e7d-0000".to_owned(),
            hook_type_name: hook.map(str::to_owned),
            invocation: hook.map(|_| 1),
            operation: Some("CREATE".to_owned()),
            type_name: Some("AWS::S3::Bucket".to_owned()),
            to_status: Some(to.to_owned()),
            ..ChangeRow::default()
        };
        let identified = ChangeRow {
            identifier: Some("logs".to_owned()),
            ..row(None, "IN_PROGRESS")
        };
        let explained = ChangeRow {
            message: Some("waiting".to_owned()),
            ..row(None, "IN_PROGRESS")
        };
        let guard = Some("Acme::Guard::Tags");
        let mut said = Said::default();
        let lines = [
            row(None, "IN_PROGRESS"),
            row(guard, "HOOK_IN_PROGRESS"),
            identified,
            row(guard, "HOOK_COMPLETE_SUCCEEDED"),
            explained,
            row(guard, "HOOK_IN_PROGRESS"),
            ChangeRow {
                invocation: Some(2),
                ..row(guard, "HOOK_IN_PROGRESS")
            },
            row(guard, "HOOK_IN_PROGRESS"),
        ];
        let lines: Vec<String> = lines.iter().filter_map(|row| said.anew(row)).collect();
        assert_eq!(
            lines,
            [
                "73553e7d CREATE AWS::S3::Bucket IN_PROGRESS",
                "73553e7d hook Acme::Guard::Tags AWS::S3::Bucket HOOK_IN_PROGRESS",
                "73553e7d hook Acme::Guard::Tags AWS::S3::Bucket HOOK_COMPLETE_SUCCEEDED",
                "73553e7d CREATE AWS::S3::Bucket IN_PROGRESS: waiting",
                "73553e7d hook Acme::Guard::Tags AWS::S3::Bucket HOOK_IN_PROGRESS",
                "73553e7d hook Acme::Guard::Tags #2 AWS::S3::Bucket HOOK_IN_PROGRESS",
            ]
        );
    }

    #[test]
    fn what_has_ended_goes_on_no_longer() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let open = RequestRow {
            target: "prod/eu-west-1".to_owned(),
            account_id: None,
            region: "eu-west-1".to_owned(),
            request_token: "73553e7d-0000".to_owned(),
            hooks_request_token: None,
            type_name: Some("AWS::S3::Bucket".to_owned()),
            identifier: None,
            operation: Some("CREATE".to_owned()),
            status: Some("IN_PROGRESS".to_owned()),
            error_code: None,
            status_message: None,
            started_at: Some(now.minus(Duration::from_mins(20))),
            first_seen_at: now,
            last_seen_at: now,
            finished_at: None,
            duration_s: None,
            open: true,
            hooks_total: 0,
            hooks_failed: 0,
        };
        let usual = Some(Usual {
            p50: Duration::from_secs(5),
            p99: Duration::from_secs(13),
            samples: 100,
        });
        assert_eq!(
            standing(&open, &[], usual, None, now),
            "73553e7d CREATE AWS::S3::Bucket IN_PROGRESS for 20m, longer than the usual 13s"
        );
        let ended = RequestRow {
            status: Some("SUCCESS".to_owned()),
            finished_at: Some(now),
            duration_s: Some(5.0),
            open: false,
            ..open
        };
        assert_eq!(
            standing(&ended, &[], usual, None, now),
            "73553e7d CREATE AWS::S3::Bucket SUCCESS after 5s"
        );
    }
}
