//! A sign of life on a terminal, while something is waited for.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
const EVERY: Duration = Duration::from_millis(120);

/// Waits for `work`, and meanwhile shows `text` on standard error if that is a terminal.
pub(super) async fn while_waiting<T>(text: &str, work: impl Future<Output = T>) -> T {
    let mut error = io::stderr();
    if !error.is_terminal() {
        return work.await;
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut frames = FRAMES.iter().cycle();
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = ticks.tick() => {
                let frame = frames.next().unwrap_or(&' ');
                // A terminal that went away takes no harm from what is not shown.
                let _ = write!(error, "\r{frame} {text}").and_then(|()| error.flush());
            }
        }
    };
    let _ = write!(error, "\r\x1b[K").and_then(|()| error.flush());
    done
}
