//! Proof of life: each poller beats as its loop comes round, the history is written, and only then is the watchdog fed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::error;

use super::joints::HistoryMemory;
use super::service_manager::ServiceManager;
use crate::clock::Clock;
use crate::history::{History, HistoryError};
use crate::model::TargetName;
use crate::watch::{Pulse, Recording};

/// A poller's loop comes round within three and a half minutes: it waits for a minute at the most, for its turn to call for
/// two, and for the answer half of one. One that has not for this long is stuck. (One that waits for the history to be writable beats, too.)
const STUCK_AFTER: Duration = Duration::from_mins(5);

/// How often the pulses are felt and the last looks are written. A gap that a crash leaves begins up to this much early, but
/// no earlier than at the look before the last news.
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
    /// too: the pollers wait for it, and a restart would not make room on a disk. One whose file was taken away ends
    /// everything: a restart begins a new one, and to go on would be to remember for no one.
    pub(super) async fn keep(
        self,
        history: History,
        memory: HistoryMemory,
        service_manager: ServiceManager,
        stop: CancellationToken,
    ) -> Result<(), HistoryError> {
        let every = service_manager
            .watchdog_interval()
            .map_or(EVERY, |watchdog| EVERY.min(watchdog / 2));
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = stop.cancelled() => return Ok(()),
            }
            history.is_in_place().await?;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_history_is_taken_away_under_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let history = History::open(&path).unwrap();
        let (bell, _) = tokio::sync::watch::channel(());
        let memory = HistoryMemory::new(history.clone(), Arc::default(), bell);
        let stop = CancellationToken::new();
        let vigil = Vigil::new(Clock::simulated(crate::model::Timestamp::from_millis(0)));
        let kept = tokio::spawn(vigil.keep(history, memory, ServiceManager::none(), stop.clone()));
        tokio::time::sleep(EVERY * 3).await;
        assert!(!kept.is_finished());
        std::fs::remove_file(&path).unwrap();
        tokio::time::sleep(EVERY * 2).await;
        let error = kept.await.unwrap().unwrap_err().to_string();
        assert!(error.contains("was removed or replaced"), "{error}");
    }
}
