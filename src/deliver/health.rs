//! What the log says of a receiver: a line when its state changes, not one for each attempt.

use crate::decide::retry::Verdict;
use crate::model::Timestamp;

/// How a receiver has been doing, in memory alone: after a restart the next failure is news again.
#[derive(Debug, Default)]
pub(super) struct Health {
    trouble: Option<Trouble>,
}

#[derive(Debug)]
struct Trouble {
    since: Timestamp,
    failed_attempts: u64,
    given_up: u64,
}

impl Health {
    /// Takes note of how an attempt ended. Warns of the first failure, and of the first delivery that is lost, and
    /// tells when the receiver is well again.
    pub(super) fn note(&mut self, receiver: &str, verdict: &Verdict, now: Timestamp) {
        let (error, lost) = match verdict {
            Verdict::Sent => {
                if let Some(trouble) = self.trouble.take() {
                    tracing::info!(
                        receiver,
                        failed_for = %humantime::format_duration(now.since(trouble.since)),
                        failed_attempts = trouble.failed_attempts,
                        given_up = trouble.given_up,
                        "receiver is well again"
                    );
                }
                return;
            }
            Verdict::RetryAt { error, .. } => (error, false),
            Verdict::Dead { error } => (error, true),
        };
        let is_new = self.trouble.is_none();
        let trouble = self.trouble.get_or_insert(Trouble {
            since: now,
            failed_attempts: 0,
            given_up: 0,
        });
        trouble.failed_attempts += 1;
        trouble.given_up += u64::from(lost);
        if lost && trouble.given_up == 1 {
            tracing::warn!(
                receiver,
                error,
                "a delivery is given up; further ones are counted until the receiver is well"
            );
        } else if is_new {
            tracing::warn!(receiver, error, "receiver fails; its deliveries wait and are retried");
        } else {
            tracing::debug!(receiver, error, lost, "attempt failed");
        }
    }
}
