//! What the watch needs of the history. `daemon` joins the two; neither room knows the other.

use std::error::Error;
use std::future::Future;

use tokio::sync::watch;

use crate::model::{Sighting, Standing, TargetId, Timestamp};

/// Where sightings are remembered.
pub trait Recording: Clone + Send + Sync + 'static {
    type Error: Error + Send + Sync + 'static;

    /// Whether the same call may succeed later, a full disk with room again, say.
    fn may_pass(error: &Self::Error) -> bool;

    /// What is worth a look: the requests that are open, and those whose hooks are.
    fn standings(&self, target: TargetId) -> impl Future<Output = Result<Vec<Standing>, Self::Error>> + Send;

    /// Remembers what was seen, in one transaction with the news that it makes.
    fn record(&self, sightings: Vec<Sighting>) -> impl Future<Output = Result<Remembered, Self::Error>> + Send;
}

/// What else is remembered of a target that is watched as a whole.
pub trait Memory: Recording {
    /// Changes when someone else has written something, which may be a request of this target.
    fn others(&self) -> watch::Receiver<()>;

    /// The target's first sweep begins, at this time of the server's (law 6).
    fn begin_baseline(&self, target: TargetId, at: Timestamp) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The target's first sweep has seen everything.
    fn complete_baseline(
        &self,
        target: TargetId,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The target could be looked at. Called often; may be written late and many at once.
    fn looked(&self, target: TargetId, at: Timestamp);

    /// The target can't be looked at, since `from`. One that is open already keeps its start.
    fn open_gap(
        &self,
        target: TargetId,
        from: Timestamp,
        reason: String,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The target can be looked at again. Does nothing where no gap is open.
    fn close_gap(&self, target: TargetId, to: Timestamp) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What became of a batch of sightings.
#[derive(Debug, Default)]
pub struct Remembered {
    /// How each request that was seen stands now.
    pub standings: Vec<Standing>,
    /// How many pieces of news there were.
    pub changes: usize,
}
