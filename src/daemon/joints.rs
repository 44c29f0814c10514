//! Where the rooms meet: the history as the watch's memory and as the couriers' outbox.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::decide::retry::Attempted;
use crate::decide::routing::Routing;
use crate::deliver::Outbox;
use crate::history::{Escalation, History, HistoryError, Registered, Stuck};
use crate::model::{AccountId, Delivery, Region, Sighting, Standing, TargetId, TargetName, Timestamp};
use crate::watch::{Memory, Recording, Remembered};

/// Requests told of as stuck in one transaction: looks wait for it.
const STUCK_AT_ONCE: usize = 100;

/// The history as the watch sees it. Rings the bell after each commit that put something into the outbox.
#[derive(Debug, Clone)]
pub(super) struct HistoryMemory {
    history: History,
    routing: Arc<Routing>,
    bell: watch::Sender<()>,
    /// Rung for what other processes wrote.
    others: watch::Sender<()>,
    /// When each target was last looked at, as far as that is not written yet: a write a look would be a sync of the
    /// disk a look.
    looked: Arc<Mutex<HashMap<TargetId, Timestamp>>>,
    /// The targets whose gap is open.
    gaps: Arc<Mutex<HashSet<TargetId>>>,
    /// Rung when a number that `status` shows may have moved.
    moved: watch::Sender<()>,
}

impl HistoryMemory {
    pub(super) fn new(history: History, routing: Arc<Routing>, bell: watch::Sender<()>) -> Self {
        Self {
            history,
            routing,
            bell,
            others: watch::Sender::new(()),
            looked: Arc::default(),
            gaps: Arc::default(),
            moved: watch::Sender::new(()),
        }
    }

    /// The same history as the couriers see it.
    pub(super) fn outbox(&self) -> HistoryOutbox {
        HistoryOutbox {
            history: self.history.clone(),
            moved: self.moved.clone(),
        }
    }

    pub(super) fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// How many targets are not, or can't be, looked at.
    pub(super) fn open_gaps(&self) -> usize {
        locked(&self.gaps).len()
    }

    pub(super) async fn register(
        &self,
        name: &TargetName,
        account: Option<&AccountId>,
        region: &Region,
        now: Timestamp,
    ) -> Result<Registered, HistoryError> {
        self.history.register_target(name, account, region, now).await
    }

    /// Writes when the targets were last looked at, all in one transaction. Where any was, proof that the history can be written,
    /// too.
    pub(super) async fn flush(&self) -> Result<(), HistoryError> {
        let looked: Vec<_> = locked(&self.looked).drain().collect();
        let result = self.history.looked(looked.clone()).await;
        if result.is_err() {
            let mut newer = locked(&self.looked);
            for (target, at) in looked {
                newer.entry(target).or_insert(at);
            }
        }
        result
    }

    /// Tells of requests that are stuck, a few in each transaction.
    pub(super) async fn tell_stuck(&self, stuck: Vec<Stuck>, now: Timestamp) -> Result<(), HistoryError> {
        for some in stuck.chunks(STUCK_AT_ONCE) {
            let told = self
                .history
                .tell_stuck(some.to_vec(), self.routing.clone(), now)
                .await?;
            self.ring_for(told);
        }
        Ok(())
    }

    pub(super) async fn escalate(&self, escalations: Vec<Escalation>, now: Timestamp) -> Result<(), HistoryError> {
        let told = self.history.escalate(escalations, now).await?;
        self.ring_for(told);
        Ok(())
    }

    /// Another process wrote something: it may be to be looked at, or to be told.
    pub(super) fn ring_for_others(&self) {
        self.others.send_replace(());
        self.bell.send_replace(());
        self.moved.send_replace(());
    }

    fn ring_for(&self, deliveries: usize) {
        if deliveries > 0 {
            self.bell.send_replace(());
            self.moved.send_replace(());
        }
    }
}

/// What is behind it is whole between any two lines that may panic.
fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording for HistoryMemory {
    type Error = HistoryError;

    fn may_pass(error: &HistoryError) -> bool {
        HistoryError::may_pass(error)
    }

    async fn standings(&self, target: TargetId) -> Result<Vec<Standing>, HistoryError> {
        self.history.standings(target).await
    }

    async fn record(&self, sightings: Vec<Sighting>) -> Result<Remembered, HistoryError> {
        let looked = locked(&self.looked).iter().map(|(target, at)| (*target, *at)).collect();
        let recorded = self.history.record(sightings, self.routing.clone(), looked).await?;
        self.ring_for(recorded.deliveries);
        if recorded.changes > 0 {
            self.moved.send_replace(());
        }
        Ok(Remembered {
            standings: recorded.standings,
            changes: recorded.changes,
        })
    }
}

impl Memory for HistoryMemory {
    fn others(&self) -> watch::Receiver<()> {
        self.others.subscribe()
    }

    async fn begin_baseline(&self, target: TargetId, at: Timestamp) -> Result<(), HistoryError> {
        self.history.begin_baseline(target, at).await.map(drop)
    }

    async fn complete_baseline(&self, target: TargetId, at: Timestamp) -> Result<(), HistoryError> {
        self.history.complete_baseline(target, at).await?;
        self.moved.send_replace(());
        Ok(())
    }

    fn looked(&self, target: TargetId, at: Timestamp) {
        locked(&self.looked).insert(target, at);
    }

    async fn open_gap(&self, target: TargetId, from: Timestamp, reason: String) -> Result<(), HistoryError> {
        self.history.open_gap(target, from, &reason).await?;
        locked(&self.gaps).insert(target);
        self.moved.send_replace(());
        Ok(())
    }

    async fn close_gap(&self, target: TargetId, to: Timestamp) -> Result<(), HistoryError> {
        self.history.close_gap(target, to).await?;
        locked(&self.gaps).remove(&target);
        self.moved.send_replace(());
        Ok(())
    }
}

/// The history as the couriers see it.
#[derive(Debug, Clone)]
pub(super) struct HistoryOutbox {
    history: History,
    /// The memory's.
    moved: watch::Sender<()>,
}

impl Outbox for HistoryOutbox {
    type Error = HistoryError;

    fn may_pass(error: &HistoryError) -> bool {
        HistoryError::may_pass(error)
    }

    async fn due(
        &self,
        receiver: &str,
        now: Timestamp,
        limit: usize,
        digest_over: Option<u32>,
    ) -> Result<Vec<Delivery>, HistoryError> {
        self.history.due_deliveries(receiver, now, limit, digest_over).await
    }

    async fn next_attempt_at(&self, receiver: &str) -> Result<Option<Timestamp>, HistoryError> {
        self.history.next_attempt_at(receiver).await
    }

    async fn prove_writable(&self) -> Result<(), HistoryError> {
        self.history.prove_writable().await
    }

    async fn record(&self, attempts: Vec<Attempted>, at: Timestamp) -> Result<(), HistoryError> {
        self.history.record_attempts(attempts, at).await?;
        self.moved.send_replace(());
        Ok(())
    }
}
