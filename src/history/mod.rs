//! The history: what AWS forgets after seven days, in one SQLite file, and the outbox of what is still to be told.
//!
//! This is the only room with SQL. Its guarantees, and where each is tested:
//!
//! - **One transaction for what is remembered and what is to be told** (law 3). A change, its history rows and its
//!   deliveries are committed together or not at all, on a full disk and under SIGKILL too. Nothing is returned, and
//!   so nothing in memory moves, before the commit. *(`record_tests`, `disk_tests`, `tests/history_processes.rs`)*
//! - **A write outside a transaction cannot compile**: writes are methods of [`WriteTx`], and only
//!   [`History::write`] makes one.
//! - **What was seen before is not written again** (law 1): a batch that differs in nothing touches no page, so it
//!   costs no fsync. *(`record_tests`, `laws_tests`)*
//! - **Lines keep their order** (law 4): of one request's pending deliveries to one receiver only the first is ever
//!   due. The schema itself refuses a second head of a line. *(`outbox_tests`, `laws_tests`)*
//! - **A commit lasts**: WAL with `synchronous=FULL`. NORMAL would be quicker, and forget after a power cut what people
//!   were already told.
//! - **One daemon a file**, by a lock that dies with its holder. Any number of other processes read meanwhile.
//!   *(`tests/history_processes.rs`)*
//! - **A process keeps its locks**: no file is looked at, by other means than SQLite, that this process has open (`open`).
//!   *(`reader_tests`, `tests/acting`)*
//! - **The views are a promise**: `v_…` keep their names and columns. Tables are ours to change. *(`schema_tests`)*
//! - **Someone else's SQL only reads**, and can't use up the machine ([`SqlReader`]). *(`query_tests`,
//!   `tests/sql_command.rs`)*
//! - **A restored backup is there whole, or the history that it was to replace.** *(`restore_tests`, `tests/restoring.rs`)*
//! - **A stricter `resource_model` cleans what is stored** (law 8), to the last byte of the file. *(`resource_models`)*
//! - **A file of someone else's is not touched**, nor one from a newer version. *(`open_tests`)*
//!
//! # Why no writer thread
//!
//! A transaction is one short `spawn_blocking` that takes a mutex. A thread of its own with a channel, or one long
//! `spawn_blocking`, breaks tokio's paused time, which then leaps or freezes; `block_in_place` panics on the
//! current-thread runtime that paused tests use. Reads of the daemon have a second connection, so that asking for what is
//! due does not wait for another task's fsync. A third folds the WAL beside what is forgotten (`write_ahead_log`).
//!
//! The `async` methods are the synchronous ones on a blocking thread. Dropping their future does not stop the
//! transaction: never race one in `select!`.
//!
//! # Whose file
//!
//! A new file and folder are for their owner alone (0600, 0700): messages hold ARNs and account ids. SQLite gives `-wal`
//! and `-shm` the database file's own mode, so to let a group read, `chmod g+r` the file and `g+x` its folder once; it
//! holds from the next start on. *(`tests/history_processes.rs`)*
//!
//! A history belongs on a local disk: neither WAL nor the lock can be relied on over NFS.

mod announcements;
mod asking;
#[cfg(test)]
mod async_tests;
mod attention;
#[cfg(test)]
mod backtest_law_tests;
mod backup;
mod beside;
mod board;
mod check;
mod digests;
mod disk;
#[cfg(test)]
mod disk_tests;
mod editor;
mod error;
mod export;
#[cfg(test)]
mod fixtures;
mod following;
mod gaps;
mod held;
mod import;
mod in_use;
#[cfg(test)]
mod laws_tests;
mod learning;
mod lock;
mod open;
mod outbox;
mod owner;
mod place;
mod prune;
mod public_schema;
mod query;
mod reader;
mod record;
mod requests;
mod resource_models;
mod restore;
mod rows;
#[cfg(test)]
mod schema_tests;
mod silences;
mod sql;
mod stop;
mod targets;
mod telling;
mod told;
mod transaction;
mod vacuum;
mod write_ahead_log;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::decide::diff::Baseline;
use crate::decide::retry::Attempted;
use crate::decide::routing::Routing;
use crate::decide::stuck::Patience;
use crate::model::{AccountId, Delivery, Region, RequestKey, Sighting, Standing, TargetId, TargetName, Timestamp};

pub use asking::{Filter, Following, Unknown};
pub use attention::{Escalation, Stuck};
pub use backup::{BackedUp, BackupError, Size, back_up};
pub use board::{Board, Brief, OpenRequest, ReceiverHealth, TargetHealth};
pub use check::Finding;
pub use editor::{Editor, Retried};
pub use error::{Failure, HistoryError, OpenError};
pub use export::{Cell, Portion, View};
pub use following::Attendance;
pub use import::{Import, ImportError, Imported, Other, OtherError, Step};
pub(crate) use place::folder_of;
pub use prune::{Pruned, Pruning, Round};
pub use public_schema::{Kind, PublicColumn, PublicView, VIEWS};
pub use query::{LONGEST_STATEMENT, SqlAnswer, SqlError, SqlReader, SqlValue, Stopper, Wanted};
pub use reader::{Reader, Summary};
pub use record::Recorded;
pub use restore::{Restore, RestoreError, Restored};
pub use targets::Registered;
pub use told::{DeliveryFilter, Told};
pub use vacuum::{Vacuum, VacuumError, Vacuumed};

/// A history that this process holds. Cheap to clone; the file is closed, and its lock let go, with the last clone.
#[derive(Debug, Clone)]
pub struct History {
    shared: Arc<Shared>,
}

/// Dropped in this order: the writer goes last of the connections and folds the WAL into the file, then the lock opens.
#[derive(Debug)]
struct Shared {
    reader: Mutex<Connection>,
    /// Reads what is to be removed, and folds the WAL into the file: no look, telling or question waits for it.
    at_leisure: Mutex<Connection>,
    writer: Mutex<Connection>,
    /// Rung by each commit that wrote a row, but those that are made at leisure.
    written: Notify,
    path: Arc<Path>,
    place: place::Place,
    lock: lock::Lock,
}

/// A transaction that may write. Committed by [`History::write`] if its work succeeds, undone if not.
#[derive(Debug)]
pub struct WriteTx<'a> {
    transaction: Transaction<'a>,
}

impl History {
    /// Opens the history at `path` for this process alone. Makes the folder and the file where there are none, and
    /// brings an older schema up to date.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let path = open::prepare(path)?;
        let lock = lock::Lock::take(&path)?;
        let writer = open::writer(&path)?;
        let reader = open::reader(&path)?;
        let at_leisure = open::at_leisure(&path)?;
        Ok(Self {
            shared: Arc::new(Shared {
                reader: Mutex::new(reader),
                at_leisure: Mutex::new(at_leisure),
                writer: Mutex::new(writer),
                written: Notify::new(),
                place: place::Place::of(&path)?,
                path: path.into(),
                lock,
            }),
        })
    }

    /// Fails if its path, or its lock's, no longer leads to the file that this process holds. What is written then is
    /// lost with the process, and a second daemon could be let in. Nothing but a look at the folder: the disk may be full.
    pub async fn is_in_place(&self) -> Result<(), HistoryError> {
        self.blocking(|history| {
            let missing = [&history.shared.place, history.shared.lock.place()]
                .into_iter()
                .find(|place| !place.is_held());
            match missing {
                None => Ok(()),
                Some(place) => Err(history.error(Failure::Displaced(place.path().to_owned()))),
            }
        })
        .await
    }

    /// Writes something that says nothing new, where there is room for a transaction or two. May fail where something small
    /// could still be written.
    pub async fn prove_writable(&self) -> Result<(), HistoryError> {
        self.blocking(|history| {
            disk::prove_room(history.path()).map_err(|failure| history.error(failure))?;
            history.write(transaction::prove_writable)
        })
        .await
    }

    /// How long its disk takes to sync a page, without any lock of the history; `None` where that can't be asked.
    pub async fn synced_in(&self, clock: Clock) -> Result<Option<Duration>, HistoryError> {
        self.blocking(move |history| Ok(disk::synced_in(history.path(), &clock)))
            .await
    }

    /// A number that the commits of other processes change, and none of this one's.
    /// <https://www.sqlite.org/pragma.html#pragma_data_version>
    pub async fn others_version(&self) -> Result<i64, HistoryError> {
        self.blocking(|history| {
            // The writer's own: to another connection, what it commits would be another's as well.
            let writer = locked(&history.shared.writer);
            let version = writer.pragma_query_value(None, "data_version", |row| row.get(0));
            version.map_err(|error| history.error(error.into()))
        })
        .await
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Does `work` in one transaction: all of it is committed if it succeeds, none of it if not.
    ///
    /// The transaction is immediate: it waits for other writers at its begin, where nothing is lost, and not in its
    /// middle, where SQLite could only refuse.
    pub fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure>) -> Result<T, HistoryError> {
        let mut writer = locked(&self.shared.writer);
        let before = writer.total_changes();
        let value = transaction::writing(&mut writer, &self.shared.path, work)?;
        if writer.total_changes() != before {
            self.shared.written.notify_one();
        }
        Ok(value)
    }

    /// Does `work` on one unchanging state of the history.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, HistoryError> {
        transaction::reading(&locked(&self.shared.reader), &self.shared.path, work)
    }

    fn error(&self, failure: Failure) -> HistoryError {
        HistoryError {
            path: Arc::clone(&self.shared.path),
            failure,
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let history = self.clone();
        match tokio::task::spawn_blocking(move || work(&history)).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(self.error(Failure::Interrupted)),
            },
        }
    }

    async fn writing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, HistoryError> {
        self.blocking(move |history| history.write(work)).await
    }

    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, HistoryError> {
        self.blocking(move |history| history.read(work)).await
    }
}

/// Whether a process holds the history at `path`, if there is one. One may begin, or end, at any time.
pub fn is_held(path: &Path) -> bool {
    lock::is_held(path)
}

/// What the rooms around it ask of a history. Each call is one transaction; see the method of the same name of
/// [`WriteTx`] for what it does.
impl History {
    /// See [`WriteTx::register_target`].
    pub async fn register_target(
        &self,
        name: &TargetName,
        account_id: Option<&AccountId>,
        region: &Region,
        now: Timestamp,
    ) -> Result<Registered, HistoryError> {
        let (name, account_id, region) = (name.clone(), account_id.cloned(), region.clone());
        self.writing(move |tx| tx.register_target(&name, account_id.as_ref(), &region, now))
            .await
    }

    /// See [`WriteTx::begin_baseline`].
    pub async fn begin_baseline(&self, target: TargetId, server_time: Timestamp) -> Result<Baseline, HistoryError> {
        self.writing(move |tx| tx.begin_baseline(target, server_time)).await
    }

    /// See [`WriteTx::complete_baseline`].
    pub async fn complete_baseline(&self, target: TargetId, at: Timestamp) -> Result<(), HistoryError> {
        self.writing(move |tx| tx.complete_baseline(target, at)).await
    }

    /// See [`WriteTx::looked`].
    pub async fn looked(&self, looked: Vec<(TargetId, Timestamp)>) -> Result<(), HistoryError> {
        self.writing(move |tx| tx.looked(&looked)).await
    }

    /// See [`WriteTx::open_gap`].
    pub async fn open_gap(&self, target: TargetId, from: Timestamp, reason: &str) -> Result<(), HistoryError> {
        let reason = reason.to_owned();
        self.writing(move |tx| tx.open_gap(target, from, &reason)).await
    }

    /// See [`WriteTx::close_gap`].
    pub async fn close_gap(&self, target: TargetId, to: Timestamp) -> Result<(), HistoryError> {
        self.writing(move |tx| tx.close_gap(target, to)).await
    }

    /// The target's requests that are worth another look: those that are open, and those that have ended with looks at
    /// their hooks left.
    pub async fn standings(&self, target: TargetId) -> Result<Vec<Standing>, HistoryError> {
        self.reading(move |connection| requests::standings(connection, target))
            .await
    }

    /// Up to `limit` open requests, of any target, that were last seen before `since`, oldest first.
    pub async fn open_but_unseen(&self, since: Timestamp, limit: usize) -> Result<Vec<RequestKey>, HistoryError> {
        self.reading(move |connection| requests::open_but_unseen(connection, since, limit))
            .await
    }

    /// See [`WriteTx::record`]. With news, the looks that were `looked` before are written as well, in the same commit: what was
    /// seen in time is not to lie in the gap that a crash leaves.
    pub async fn record(
        &self,
        sightings: Vec<Sighting>,
        routing: Arc<Routing>,
        looked: Vec<(TargetId, Timestamp)>,
    ) -> Result<Recorded, HistoryError> {
        self.writing(move |tx| {
            let recorded = tx.record(&sightings, &routing)?;
            if recorded.changes > 0 {
                tx.looked(&looked)?;
            }
            Ok(recorded)
        })
        .await
    }

    /// The open requests that are stuck at `now` and are to be told of: for the first time, or again, `remind_every` after
    /// the last time. The oldest first.
    pub async fn stuck(
        &self,
        now: Timestamp,
        patience: Patience,
        remind_every: Option<Duration>,
    ) -> Result<Vec<Stuck>, HistoryError> {
        self.reading(move |connection| attention::stuck(connection, now, patience, remind_every))
            .await
    }

    /// See [`WriteTx::tell_stuck`].
    pub async fn tell_stuck(
        &self,
        stuck: Vec<Stuck>,
        routing: Arc<Routing>,
        now: Timestamp,
    ) -> Result<usize, HistoryError> {
        self.writing(move |tx| tx.tell_stuck(&stuck, &routing, now)).await
    }

    /// See [`WriteTx::escalate`].
    pub async fn escalate(&self, escalations: Vec<Escalation>, now: Timestamp) -> Result<usize, HistoryError> {
        self.writing(move |tx| tx.escalate(&escalations, now)).await
    }

    /// Up to `limit` deliveries to `receiver` whose time has come, longest due first. Each is the head of its line: no
    /// other pending delivery of its request to this receiver came before. Where more than `digest_over` changes are due
    /// together, a single digest with all of them. None while the receiver asked to be left alone.
    pub async fn due_deliveries(
        &self,
        receiver: &str,
        now: Timestamp,
        limit: usize,
        digest_over: Option<u32>,
    ) -> Result<Vec<Delivery>, HistoryError> {
        let receiver = receiver.to_owned();
        self.reading(move |connection| outbox::due_deliveries(connection, &receiver, now, limit, digest_over))
            .await
    }

    /// When the next delivery to `receiver` is due. In the past if it is due already; `None` if nothing waits.
    pub async fn next_attempt_at(&self, receiver: &str) -> Result<Option<Timestamp>, HistoryError> {
        let receiver = receiver.to_owned();
        self.reading(move |connection| outbox::next_attempt_at(connection, &receiver))
            .await
    }

    /// See [`WriteTx::record_attempts`].
    pub async fn record_attempts(&self, attempts: Vec<Attempted>, at: Timestamp) -> Result<(), HistoryError> {
        self.writing(move |tx| tx.record_attempts(&attempts, at)).await
    }

    /// See [`WriteTx::skip_unknown_receivers`].
    pub async fn skip_unknown_receivers(
        &self,
        known: &[String],
        incident_receivers: &BTreeSet<String>,
    ) -> Result<usize, HistoryError> {
        let (known, incident_receivers) = (known.to_vec(), incident_receivers.clone());
        self.writing(move |tx| tx.skip_unknown_receivers(&known, &incident_receivers))
            .await
    }

    /// See [`History::find_old`].
    pub async fn find_what_is_old(&self, mut round: Round) -> Result<Round, HistoryError> {
        self.blocking(move |history| history.find_old(&mut round).map(|()| round))
            .await
    }

    /// See [`History::read_old`].
    pub async fn read_what_is_old(&self, round: Round, rows: usize) -> Result<Round, HistoryError> {
        self.blocking(move |history| history.read_old(&round, rows).map(|()| round))
            .await
    }

    /// See [`History::forget_old`].
    pub async fn forget_what_is_old(
        &self,
        mut round: Round,
        rows: usize,
        clock: Clock,
    ) -> Result<(Round, Option<Pruned>), HistoryError> {
        self.blocking(move |history| {
            let pruned = history.forget_old(&mut round, rows, &clock)?;
            Ok((round, pruned))
        })
        .await
    }

    /// See [`History::fold_beside`].
    pub async fn fold_in_no_ones_way(&self) -> Result<(), HistoryError> {
        self.blocking(Self::fold_beside).await
    }

    /// See [`WriteTx::forget_groups`].
    pub async fn forget_groups(&self, now: Timestamp, limit: usize) -> Result<usize, HistoryError> {
        self.writing(move |tx| tx.forget_groups(now, limit)).await
    }
}

/// A panic elsewhere has undone its transaction while unwinding, so the connection behind a poisoned lock is sound.
fn locked(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}
