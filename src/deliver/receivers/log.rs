//! A line for each change, on standard output.
//!
//! `text` is for people: coloured on a terminal, unless NO_COLOR says otherwise; in systemd's journal, which says when a line
//! came, without a time of its own unless it is told late. `json` is for machines: the
//! announcement with its `id`, one object a line. In both, whatever could play with a terminal is made harmless: text
//! replaces it, JSON writes it as `\u….`, so that nothing is lost.
//!
//! Writing happens off the runtime's threads, since a pipe that nobody reads blocks its writer. While one write is
//! blocked, further attempts fail at once rather than each taking a thread. A closed pipe is an outcome like any other:
//! Rust's runtime ignores SIGPIPE, and nothing here panics on it as `println!` would.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::config::LogFormat;
use crate::decide::retry::Outcome;
use crate::deliver::receiver::{Attempt, Pace, Preview, Receiver, Report, Sending};
use crate::journal;
use crate::model::{EventId, News, Timestamp, printable};
use crate::render::{Message, Tone};

/// News that is older than that when it is told comes late, after a mute window or a restart, say.
const LATE: Duration = Duration::from_mins(1);

/// Where lines go. Clones write to the same place.
#[derive(Clone)]
pub struct Output {
    writer: Arc<Mutex<dyn Write + Send>>,
    is_coloured: bool,
    /// Whether whoever reads it puts a time to each line.
    is_timed: bool,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("is_coloured", &self.is_coloured)
            .field("is_timed", &self.is_timed)
            .finish_non_exhaustive()
    }
}

impl Output {
    pub fn new(writer: impl Write + Send + 'static, is_coloured: bool) -> Self {
        Self {
            writer: Arc::new(Mutex::new(writer)),
            is_coloured,
            is_timed: false,
        }
    }

    /// Standard output, coloured where it is a terminal that can, and NO_COLOR is unset or empty (no-color.org;
    /// CLICOLOR_FORCE=1 colours in any case).
    pub fn stdout() -> Self {
        let choice = anstream::AutoStream::choice(&io::stdout());
        Self {
            is_timed: journal::reads(&io::stdout()),
            ..Self::new(io::stdout(), choice != anstream::ColorChoice::Never)
        }
    }

    /// Written by `writer` instead, for the same reader.
    pub fn through(self, writer: impl Write + Send + 'static) -> Self {
        Self {
            is_timed: self.is_timed,
            ..Self::new(writer, self.is_coloured)
        }
    }

    /// One write for a line, so that lines of several writers do not mix.
    fn write(&self, line: &str) -> io::Result<()> {
        let mut writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => {
                let blocked = "an earlier line is still being written: does anyone read it?";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, blocked));
            }
        };
        writer.write_all(line.as_bytes())?;
        writer.flush()
    }
}

/// A receiver of type `log`.
#[derive(Debug)]
pub struct Log {
    format: LogFormat,
    output: Output,
}

impl Log {
    pub fn new(format: LogFormat, output: Output) -> Self {
        Self { format, output }
    }

    fn line(&self, message: &Message<'_>, is_coloured: bool, has_time: bool) -> serde_json::Result<String> {
        match self.format {
            LogFormat::Text => Ok(text(message, is_coloured, has_time)),
            LogFormat::Json => json(message.news),
        }
    }
}

impl Receiver for Log {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::ZERO)
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        Preview {
            content: self
                .line(message, false, true)
                .unwrap_or_else(|error| format!("the line cannot be written: {error}")),
            measures: Vec::new(),
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(async move {
            let output = &self.output;
            let has_time = !output.is_timed || is_late(attempt.message.news, attempt.now);
            let written = match self.line(attempt.message, output.is_coloured, has_time) {
                Ok(line) => {
                    let output = output.clone();
                    tokio::task::spawn_blocking(move || output.write(&line))
                        .await
                        .unwrap_or_else(|error| Err(io::Error::other(error)))
                }
                Err(error) => Err(error.into()),
            };
            Report::from(match written {
                Ok(()) => Outcome::Accepted,
                Err(error) => Outcome::Failed {
                    error: format!("standard output cannot be written: {error}"),
                    retry_after: None,
                },
            })
        })
    }
}

fn is_late(news: &News, now: Timestamp) -> bool {
    now.since(news.at()) > LATE
}

/// One line for people:
/// `2026-11-22T06:28:00.123Z prod/eu-west-1 CREATE AWS::S3::Bucket my-bucket IN_PROGRESS → FAILED AlreadyExists: … [token]`
fn text(message: &Message<'_>, is_coloured: bool, has_time: bool) -> String {
    let words = &message.words;
    let paint = |style: Style, text: &str| {
        if is_coloured {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    };
    let dim = Style::new().dimmed();
    let tone = match words.tone {
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Warning => AnsiColor::Yellow.on_default(),
        Tone::Neutral => AnsiColor::Cyan.on_default(),
    };
    let change = message.news.change();
    let mut parts = Vec::new();
    if has_time {
        parts.push(paint(dim, &message.news.at().to_string()));
    }
    parts.extend(change.map(|change| printable(&change.target).into_owned()));
    parts.push(paint(Style::new().bold(), &words.about));
    parts.extend(words.hook.clone());
    parts.push(paint(tone, &words.status));
    parts.extend(words.reason.clone());
    parts.extend(change.map(|change| paint(dim, &format!("[{}]", printable(&change.request.request_token)))));
    parts.join(" ") + "\n"
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a EventId,
    #[serde(flatten)]
    news: &'a News,
}

/// One line for machines.
pub(super) fn json(news: &News) -> serde_json::Result<String> {
    let line = serde_json::to_string(&Line { id: news.id(), news })?;
    // JSON escapes C0 by itself. The rest of what plays with terminals can only stand inside of strings, where an
    // escape means the same.
    let mut harmless = String::with_capacity(line.len() + 1);
    for c in line.chars() {
        let mut utf8 = [0; 4];
        let as_text: &str = c.encode_utf8(&mut utf8);
        if printable(as_text) == as_text {
            harmless.push(c);
        } else {
            let mut utf16 = [0; 2];
            for unit in c.encode_utf16(&mut utf16) {
                harmless.extend(format!("\\u{unit:04x}").chars());
            }
        }
    }
    harmless.push('\n');
    Ok(harmless)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
