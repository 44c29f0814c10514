//! A sign of life on a terminal, while something is waited for.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::output;

const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
const EVERY: Duration = Duration::from_millis(120);

/// Waits for `work`, and meanwhile shows `text` on standard error if lines move there.
pub(super) async fn while_waiting<T>(text: &str, work: impl Future<Output = T>) -> T {
    let mut error = io::stderr();
    if !output::lines_move() {
        return work.await;
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut frames = FRAMES.iter().cycle();
    let _cleared = Cleared;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => {
                let frame = frames.next().unwrap_or(&' ');
                // A terminal that went away takes no harm from what is not shown.
                let _ = write!(error, "\r{frame} {text}").and_then(|()| error.flush());
            }
        }
    }
}

/// Takes the sign off the terminal when it is dropped: when the work is done, or is waited for no more.
struct Cleared;

impl Drop for Cleared {
    fn drop(&mut self) {
        let mut error = io::stderr();
        let _ = write!(error, "\r\x1b[K").and_then(|()| error.flush());
    }
}
