//! Proof of life: each poller beats as its loop comes round, the history is written, and only then is the watchdog fed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::error;

use super::joints::HistoryMemory;
use super::service_manager::ServiceManager;
use crate::clock::Clock;
use crate::history::HistoryError;
use crate::model::TargetName;
use crate::watch::{Memory, Pulse};

/// A poller's loop comes round at least each minute and a half: it waits for a minute at the most, and a call for half
/// of one. One that has not for this long is stuck. (One that waits for the history to be writable beats, too.)
const STUCK_AFTER: Duration = Duration::from_mins(5);

/// How often the pulses are felt and the last looks are written. A gap that a crash leaves begins up to this much early.
const EVERY: Duration = Duration::from_secs(10);

/// The loops that are watched over.
#[derive(Debug)]
pub(super) struct Vigil {
    clock: Clock,
    pulses: Vec<(TargetName, Pulse)>,
}

impl Vigil {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            pulses: Vec::new(),
        }
    }

    /// A pulse for a loop that begins now.
    pub(super) fn pulse(&mut self, name: &TargetName) -> Pulse {
        let pulse = Pulse::new(self.clock.clone());
        self.pulses.push((name.clone(), pulse.clone()));
        pulse
    }

    /// Writes the last looks and feeds the watchdog, until `stop`. A history that can't be written for now feeds it
    /// too: the pollers wait for it, and a restart would not make room on a disk.
    pub(super) async fn keep(
        self,
        memory: HistoryMemory,
        service_manager: ServiceManager,
        stop: CancellationToken,
    ) -> Result<(), HistoryError> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return Ok(()),
            }
            match memory.flush().await {
                Err(error) if !HistoryMemory::may_pass(&error) => return Err(error),
                Ok(()) | Err(_) => {}
            }
            match self.stuck() {
                Some(name) => error!(target_name = %name, "a target's loop is stuck: the watchdog is not fed"),
                None => service_manager.alive(),
            }
        }
    }

    fn stuck(&self) -> Option<&TargetName> {
        self.pulses
            .iter()
            .find(|(_, pulse)| pulse.age() > STUCK_AFTER)
            .map(|(name, _)| name)
    }
}
