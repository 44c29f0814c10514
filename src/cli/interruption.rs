//! Ctrl-C, SIGTERM and SIGHUP, for commands that have something to see to before they end.
//!
//! The first asks the work to end in order. What comes after it is for those whom that takes too long.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::SignalKind;
use tokio_util::sync::CancellationToken;

use super::{Failure, block_on};
use crate::daemon::Signals;

/// Whether, and by what, this process was asked to end.
#[derive(Debug, Clone, Default)]
pub(super) struct Interruption {
    signal: Arc<OnceLock<SignalKind>>,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Interruption {
    /// Signals are caught from here on, until the process ends.
    pub(super) fn catch() -> Result<Self, Failure> {
        let mut signals = Signals::catch()?;
        let interruption = Self::default();
        let caught = interruption.clone();
        tokio::spawn(async move {
            let _ = caught.signal.set(signals.next().await);
            caught.stop.cancel();
            signals.next().await;
            caught.cut.cancel();
        });
        Ok(interruption)
    }

    /// Cancelled by the first signal.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Cancelled by the second.
    pub(super) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// Why a command failed that ended because of it.
    pub(super) fn failure(&self) -> Failure {
        Failure::Interrupted(self.signal.get().copied().unwrap_or(SignalKind::interrupt()))
    }
}

/// Does `work`, which leaves nothing half-done where it fails, and is to fail soon after the first signal. A second one ends
/// the process at once. `left` says how things stand after work that was stopped.
pub(super) fn interruptible(
    left: &str,
    work: impl AsyncFnOnce(&Interruption) -> Result<(), Failure>,
) -> Result<(), Failure> {
    block_on(async {
        let interruption = Interruption::catch()?;
        let again = interruption.clone();
        tokio::spawn(async move {
            again.cut().cancelled().await;
            std::process::exit(i32::from(again.failure().exit_code()));
        });
        let done = work(&interruption).await;
        if done.is_ok() || !interruption.stop().is_cancelled() {
            return done;
        }
        // There is nowhere left to say that standard error is closed.
        let _ = writeln!(io::stderr(), "stopped: {left}");
        Err(interruption.failure())
    })
}
