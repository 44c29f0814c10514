//! Gaps: times in which the target was not looked at, or could not be (law 7).

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Gap, Poller};
use crate::cloud::Failure;
use crate::decide::outage::Outage;
use crate::model::Timestamp;
use crate::watch::Memory;

impl<M: Memory> Poller<M> {
    /// Law 7: the time in which ccwatch did not run is a gap.
    pub(super) async fn note_absence(&mut self, stop: &CancellationToken) -> Result<(), M::Error> {
        let Some(last) = self.watched.last_looked_at else {
            return Ok(());
        };
        if self.clock.now().since(last) < self.pace.idle_every {
            return Ok(());
        }
        self.write_gap(last, "ccwatch was not running", stop).await
    }

    pub(super) fn tell(&self, call: &str, failure: &Failure, is_news: bool) {
        let target_name = &self.watched.target.name;
        if is_news {
            warn!(%target_name, call, error = %failure, remedy = failure.cause.remedy(), "a target can't be looked at");
        } else {
            debug!(%target_name, call, error = %failure, "a target still can't be looked at");
        }
    }

    /// Opens the target's gap once an outage has become one.
    pub(super) async fn open_gap(&mut self, stop: &CancellationToken) -> Result<(), M::Error> {
        if self.gap == Gap::Open {
            return Ok(());
        }
        let outages = [&self.lists, &self.sweeps, &self.gets];
        let Some((from, reason)) = outages.into_iter().find_map(Outage::gap) else {
            return Ok(());
        };
        let reason = reason.to_owned();
        self.write_gap(from, &reason, stop).await?;
        self.gap = Gap::Open;
        Ok(())
    }

    pub(super) async fn write_gap(
        &mut self,
        from: Timestamp,
        reason: &str,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let target = self.watched.target.id;
        self.insist(stop, |memory| {
            let reason = reason.to_owned();
            async move { memory.open_gap(target, from, reason).await }
        })
        .await
    }

    /// Closes it after a call that succeeded, unless another kind of call is still out.
    pub(super) async fn close_gap(&mut self, at: Timestamp, stop: &CancellationToken) -> Result<(), M::Error> {
        let outages = [&self.lists, &self.sweeps, &self.gets];
        if self.gap == Gap::Closed || outages.into_iter().any(|outage| outage.gap().is_some()) {
            return Ok(());
        }
        let target = self.watched.target.id;
        self.insist(stop, move |memory| async move { memory.close_gap(target, at).await })
            .await?;
        self.gap = Gap::Closed;
        Ok(())
    }
}
