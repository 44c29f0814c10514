//! Looks from time to time for what should have happened and did not: requests that are stuck, receivers that fail for
//! long. What is found is told as any change is.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::joints::HistoryMemory;
use crate::clock::Clock;
use crate::config::AttentionSettings;
use crate::history::{Escalation, History, HistoryError};

/// Stuck is what takes minutes at the least, so a minute more is not late.
const EVERY: Duration = Duration::from_mins(1);

/// Pays attention until `stop`.
pub(super) async fn pay(
    history: History,
    memory: HistoryMemory,
    clock: Clock,
    settings: AttentionSettings,
    escalations: Vec<Escalation>,
    stop: CancellationToken,
) -> Result<(), HistoryError> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
        let looked = async {
            let now = clock.now();
            let stuck = history.stuck(now, settings.patience, settings.remind_every).await?;
            memory.tell_stuck(stuck, now).await?;
            memory.escalate(escalations.clone(), now).await
        };
        match looked.await {
            Err(error) if error.may_pass() => warn!(%error, "what needs attention can't be told for now"),
            looked => looked?,
        }
    }
}
