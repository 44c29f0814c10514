//! What systemd is told: ready, alive, stopping, and how things stand. Without systemd (no NOTIFY_SOCKET) nothing is said to anyone.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::debug;

/// The service manager's notification socket (sd_notify(3)).
#[derive(Debug, Clone, Copy)]
pub struct ServiceManager {
    listens: bool,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    pub fn from_environment() -> Self {
        Self {
            listens: std::env::var_os("NOTIFY_SOCKET").is_some(),
            watchdog: sd_notify::watchdog_enabled(),
        }
    }

    /// For a daemon inside another program, which speaks for itself.
    pub fn none() -> Self {
        Self {
            listens: false,
            watchdog: None,
        }
    }

    /// How long it waits for a sign of life before it ends the service (WatchdogSec=); `None`: it does not.
    pub(super) fn watchdog_interval(self) -> Option<Duration> {
        self.watchdog
    }

    pub(super) fn listens(self) -> bool {
        self.listens
    }

    pub(super) fn ready(self) {
        self.say(&[NotifyState::Ready]);
    }

    pub(super) fn alive(self) {
        self.say(&[NotifyState::Watchdog]);
    }

    pub(super) fn stopping(self) {
        self.say(&[NotifyState::Stopping]);
    }

    /// A line for `systemctl status`.
    pub(super) fn status(self, text: &str) {
        self.say(&[NotifyState::Status(text)]);
    }

    fn say(self, state: &[NotifyState<'_>]) {
        if self.listens
            && let Err(error) = sd_notify::notify(state)
        {
            // Said to the one who would notice anyway: an unfed watchdog or a start that times out.
            debug!(%error, "the service manager could not be notified");
        }
    }
}
