//! What someone asks who follows a few requests from outside the daemon, and what they write who began one.
//!
//! - **It is remembered as the daemon would**: by the same diff and the same routing, in one transaction. Whichever of the
//!   two sees a thing first makes it news, and the other finds nothing new in it (law 1).
//! - **A target keeps the name that the daemon gave it**, and its baseline is the daemon's to begin: what else happened in a
//!   target that was never swept stays old news (law 6), though what was begun here is told.

use std::path::Path;
use std::time::Duration;

use rusqlite::{OptionalExtension, Row, params};

use super::targets::{TARGET_BY_NAME, target_from};
use super::{Editor, History, HistoryError, OpenError, Reader, Recorded, attention, lock, requests};
use crate::decide::routing::Routing;
use crate::decide::stuck::Usual;
use crate::model::{
    AccountId, HookProgressEvent, ProgressEvent, Region, RequestKey, RequestToken, Seen, Sighting, Source, Standing,
    Target, TargetId, TargetName, Timestamp,
};

/// How often, and after how long each time, a history that another process makes is looked for: ten seconds in all.
const MOMENTS: u32 = 500;
const MOMENT: Duration = Duration::from_millis(20);

pub(super) const ATTENDANCE: &str = "
SELECT t.id, t.name, t.account_id, t.region, t.last_looked_at, t.baseline_began_at IS NOT NULL AS is_watched,
    (SELECT g.reason FROM gaps AS g WHERE g.target_id = t.id AND g.to_at IS NULL) AS gap
FROM targets AS t
WHERE t.id = ?1";

pub(super) const WATCHED: &str = "
SELECT name FROM targets
WHERE baseline_began_at IS NOT NULL AND (account_id = ?2 AND region = ?3 OR name = ?1 AND (?2 IS NULL OR account_id IS NULL))";

pub(super) const HOLDER: &str = "SELECT account_id FROM targets WHERE name = ?1 AND account_id <> ?2";

/// As many rows as targets.
pub(super) const LAST_LOOK: &str = "SELECT max(last_looked_at) FROM targets";

pub(super) const RETRY_AFTER: &str = "SELECT max(retry_after) FROM requests WHERE token = ?1";

/// A target, and whether anyone looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendance {
    pub target: Target,
    /// When a daemon last looked at it, give or take ten seconds.
    pub last_looked_at: Option<Timestamp>,
    /// Whether one ever did.
    pub is_watched: bool,
    /// Why it can't be looked at, if that is so.
    pub gap: Option<String>,
}

impl Reader {
    /// Whether a daemon holds this history. One may begin, or end, at any time.
    pub fn is_held(&self) -> bool {
        lock::is_held(self.path())
    }

    /// The last look at any target, if no daemon holds this history now: since then nothing is known, which is no gap yet, as
    /// only the next daemon can say why. `None`: one holds it, or none ever looked.
    pub fn unwatched_since(&self) -> Result<Option<Timestamp>, HistoryError> {
        if self.is_held() {
            return Ok(None);
        }
        self.read(|connection| Ok(connection.query_row(LAST_LOOK, [], |row| row.get(0))?))
    }

    /// A target by its name just now.
    pub fn target(&self, name: &TargetName) -> Result<Option<Target>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(TARGET_BY_NAME)?;
            Ok(statement.query_row([name], target_from).optional()?)
        })
    }

    /// A target, by what it keeps when its daemon calls it otherwise.
    pub fn attendance(&self, target: TargetId) -> Result<Option<Attendance>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(ATTENDANCE)?;
            Ok(statement.query_row([target], attendance_from).optional()?)
        })
    }

    /// How a request stands; `None`: it is not known.
    pub fn standing(&self, target: TargetId, token: &RequestToken) -> Result<Option<Standing>, HistoryError> {
        let key = RequestKey {
            target,
            token: token.clone(),
        };
        self.read(|connection| requests::standing(connection, &key))
    }

    /// How long requests of a type and operation took that succeeded, as far as enough of them are known.
    pub fn usual(&self, type_name: &str, operation: &str) -> Result<Option<Usual>, HistoryError> {
        let sort = (type_name.to_owned(), operation.to_owned());
        self.read(|connection| attention::usual_of(connection, &sort))
    }
}

fn attendance_from(row: &Row<'_>) -> rusqlite::Result<Attendance> {
    Ok(Attendance {
        target: target_from(row)?,
        last_looked_at: row.get("last_looked_at")?,
        is_watched: row.get("is_watched")?,
        gap: row.get("gap")?,
    })
}

impl Editor {
    /// Opens the history at `path`, and makes one, as the daemon would, where there is none. Another process that makes it at
    /// this moment is waited for.
    pub fn open_or_make(path: &Path) -> Result<Self, OpenError> {
        for _ in 0..MOMENTS {
            match Self::open(path) {
                Err(OpenError::Missing { .. }) => {}
                opened => return opened,
            }
            match History::open(path) {
                Ok(_) => {}
                Err(OpenError::Held { .. }) => std::thread::park_timeout(MOMENT),
                Err(error) => return Err(error),
            }
        }
        Self::open(path)
    }

    /// What the target of this name, or of this account and Region, is called, if a daemon watches it or ever did.
    pub fn watched(
        &self,
        name: &TargetName,
        account_id: Option<&AccountId>,
        region: &Region,
    ) -> Result<Option<TargetName>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(WATCHED)?;
            let found = statement.query_row(params![name, account_id, region], |row| row.get(0));
            Ok(found.optional()?)
        })
    }

    /// Whose the target of this name is, if it is not this account's.
    pub fn holder(&self, name: &TargetName, account_id: &AccountId) -> Result<Option<AccountId>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(HOLDER)?;
            let found = statement.query_row(params![name, account_id], |row| row.get(0));
            Ok(found.optional()?)
        })
    }

    /// Records what a call answered that began a request, or cancelled one: news, and told to whom the routes name. Returns
    /// what its target is called here, which is registered if it is new.
    pub fn record_answer(
        &mut self,
        (name, account_id, region): (&TargetName, Option<&AccountId>, &Region),
        event: ProgressEvent,
        routing: &Routing,
        now: Timestamp,
    ) -> Result<TargetName, HistoryError> {
        self.write(|tx| {
            let target = tx.adopt_target(name, account_id, region, now)?;
            tx.record_call(&sighting(target, event, None, now), routing)?;
            Ok(tx.target(target)?.name)
        })
    }

    /// Records a look at a request that someone named, known here or not, and tells what is news as the daemon would. In a target
    /// that was never swept, one that is not known and has ended by then is old news, and told to no one. Returns what its target
    /// is called here, which is registered if it is new.
    pub fn record_look(
        &mut self,
        (name, account_id, region): (&TargetName, Option<&AccountId>, &Region),
        event: ProgressEvent,
        hooks: Vec<HookProgressEvent>,
        routing: &Routing,
        now: Timestamp,
    ) -> Result<TargetName, HistoryError> {
        self.write(|tx| {
            let target = tx.adopt_target(name, account_id, region, now)?;
            tx.record_look(&sighting(target, event, Some(hooks), now), routing)?;
            Ok(tx.target(target)?.name)
        })
    }

    /// See [`WriteTx::record`](super::WriteTx::record).
    pub fn record(&mut self, sightings: &[Sighting], routing: &Routing) -> Result<Recorded, HistoryError> {
        self.write(|tx| tx.record(sightings, routing))
    }

    /// When the service asked to be asked for a request again, whatever its target is called. `None`: it did not.
    pub fn retry_after(&self, token: &RequestToken) -> Result<Option<Timestamp>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(RETRY_AFTER)?;
            Ok(statement.query_row([token], |row| row.get(0))?)
        })
    }

    /// See [`History::standings`].
    pub fn standings(&self, target: TargetId) -> Result<Vec<Standing>, HistoryError> {
        self.read(|connection| requests::standings(connection, target))
    }
}

/// What a call answered, or with `hooks` what a look showed.
fn sighting(
    target: TargetId,
    event: ProgressEvent,
    hooks: Option<Vec<HookProgressEvent>>,
    seen_at: Timestamp,
) -> Sighting {
    Sighting {
        key: RequestKey {
            target,
            token: event.request_token.clone(),
        },
        seen_at,
        source: if hooks.is_some() { Source::Get } else { Source::Call },
        seen: Seen::Event(Box::new(event), hooks),
    }
}

#[cfg(test)]
#[path = "following_tests.rs"]
mod tests;
