//! Pruning by hand, where no daemon runs: no one waits for a step, and so none waits for the disk to be calm.
//!
//! For a history that has no daemon, for a disk on which the daemon never finds the time, and for who wants the room now. What may
//! go is what the daemon would remove: never an open request, nor one of which something is still to be told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::held::Held;
use super::super::{HistoryError, OpenError, Reader, transaction};
use super::{Pruned, Round};
use crate::clock::Clock;
use crate::decide::retention::Stride;
use crate::model::Timestamp;

/// Of a transaction: so soon after a signal it ends in order.
const LONGEST: Duration = Duration::from_secs(1);

/// A history that is held for as long as it is pruned.
#[derive(Debug)]
pub struct Pruning {
    held: Held,
    path: Arc<Path>,
    round: Round,
}

impl Pruning {
    /// Takes the history at `path` as a daemon would, or says who holds it.
    pub fn prepare(path: &Path, round: Round) -> Result<Self, OpenError> {
        let held = Held::take(path)?;
        let path = held.path.as_path().into();
        Ok(Self { held, path, round })
    }

    /// Removes some of what is old, in one transaction. To be called until it is done.
    pub fn step(&mut self, clock: &Clock) -> Result<Pruned, HistoryError> {
        let Self { held, path, round } = self;
        transaction::reading(&held.connection, path, |connection| round.find(connection))?;
        transaction::writing(&mut held.connection, path, |tx| {
            tx.forget(round, (Stride::MOST.rows(), LONGEST), clock)
        })
    }
}

impl Reader {
    /// How many requests may go that ended and were last seen more than `retention` before `now`; see [`Round::new`].
    pub fn count_what_is_old(&self, now: Timestamp, retention: Duration) -> Result<usize, HistoryError> {
        let mut round = Round::new(now, retention);
        let mut count = 0;
        while !round.is_done() {
            count += self.read(|connection| round.find(connection))?;
            round.found.clear();
        }
        Ok(count)
    }
}
