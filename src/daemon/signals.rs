//! SIGTERM, SIGINT and SIGHUP, once to stop in order, twice to stop at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals that stop a service. Caught from the moment that this is made.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// The terminal was closed.
    hang_up: Signal,
}

impl Signals {
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Cancels `stop` at the first signal and `cut` at the second.
    pub fn forward(mut self, stop: CancellationToken, cut: CancellationToken) {
        tokio::spawn(async move {
            self.next().await;
            stop.cancel();
            self.next().await;
            cut.cancel();
        });
    }

    /// Waits for one, and says which it is.
    pub async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
        }
    }
}
