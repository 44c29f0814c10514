//! An end for a statement, whatever it does.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;

use crate::cli::{Failure, output, when};
use crate::history::Stopper;

/// How often a statement is told to stop: one that has not begun yet does not hear it.
const AGAIN: Duration = Duration::from_millis(50);
/// After how many times the process is ended: SQLite does not hear it within a function's work on a long text, nor while
/// a row is written to a pipe that no one reads.
const TIMES: usize = 40;

/// Watches over the time that a statement takes, from another thread, until it is over.
#[derive(Debug)]
pub(super) struct TimeOut {
    /// Dropped: it is over.
    _over: Option<Sender<()>>,
}

impl TimeOut {
    /// Begins to count. `Duration::ZERO` is for ever.
    pub(super) fn after(time: Duration, stopper: Stopper) -> Self {
        if time.is_zero() {
            return Self { _over: None };
        }
        let (sender, is_over) = channel();
        thread::spawn(move || {
            if is_over.recv_timeout(time) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            for _ in 0..TIMES {
                stopper.stop();
                if is_over.recv_timeout(AGAIN) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
            // Nothing is lost by this: what only reads leaves nothing half-done.
            let failure = failure(time);
            output::complain(&failure);
            std::process::exit(i32::from(failure.exit_code()));
        });
        Self { _over: Some(sender) }
    }

    pub(super) fn over(self) {
        drop(self);
    }
}

pub(super) fn failure(time: Duration) -> Failure {
    Failure::Work(anyhow!(
        "stopped after {}: ask for less, or give it more time by --timeout",
        humantime::format_duration(time)
    ))
}

/// Reads `30s`, `5m` and the like, and a plain 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    when::duration(text).map_err(|expected| format!("{expected}, or 0 for none"))
}
