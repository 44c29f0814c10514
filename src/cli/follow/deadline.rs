//! The end of a command's time.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When the time that `--timeout` gives is up, counted from the beginning of the command; never, if none was given.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Deadline(Option<Instant>);

impl Deadline {
    pub(in crate::cli) fn after(timeout: Option<Duration>) -> Self {
        // What is further away than can be counted never comes.
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    pub(in crate::cli) async fn passed(self) {
        match self.0 {
            Some(at) => sleep_until(at).await,
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_counts_from_its_beginning_and_may_be_never() {
        let begun = Instant::now();
        let deadline = Deadline::after(Some(Duration::from_secs(90)));
        tokio::time::sleep(Duration::from_mins(1)).await;
        deadline.passed().await;
        assert_eq!(begun.elapsed().as_secs(), 90);
        for never in [None, Some(Duration::MAX)] {
            let passed = Deadline::after(never).passed();
            assert!(tokio::time::timeout(Duration::from_hours(1000), passed).await.is_err());
        }
    }
}
