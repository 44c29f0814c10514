//! Hears what other processes write into the history: a request that a person began, a delivery that is to be tried again.
//!
//! Nothing else tells the daemon: the database is the only door. SQLite keeps a number that changes with others' commits
//! alone, so asking for it touches no table, and only when it changed is anything read.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::joints::HistoryMemory;
use crate::history::{History, HistoryError};

/// As long as a person who waits for a first sign does not notice.
const EVERY: Duration = Duration::from_secs(2);

/// Rings for what others wrote, until `stop`.
pub(super) async fn hear(history: History, memory: HistoryMemory, stop: CancellationToken) -> Result<(), HistoryError> {
    let mut known = None;
    loop {
        match history.others_version().await {
            Ok(version) => {
                if known.replace(version).is_some_and(|known| known != version) {
                    memory.ring_for_others();
                }
            }
            Err(error) if error.may_pass() => debug!(%error, "what others wrote can't be asked for now"),
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}
