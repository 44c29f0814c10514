//! Silences: what is not told, until when, by whose wish and why.

use rusqlite::{Connection, Row, named_params, params};

use super::{Failure, WriteTx};
use crate::decide::route::Matcher;
use crate::decide::silence::{self, Silence};
use crate::model::Timestamp;

pub(super) const ACTIVE: &str = "
SELECT id, matchers, starts_at, ends_at, created_by, reason FROM silences WHERE ends_at > ?1 ORDER BY ends_at, id";

const INSERT: &str = "
INSERT INTO silences (matchers, starts_at, ends_at, created_at, created_by, reason)
VALUES (:matchers, :starts_at, :ends_at, :now, :by, :reason)
RETURNING id";

/// One that has not begun yet never will.
pub(super) const END: &str = "
UPDATE silences SET starts_at = min(starts_at, ?2), ends_at = ?2 WHERE id = ?1 AND ends_at > ?2";

/// The silences that have not ended at `now`, those that are still to begin among them; the one that ends next first.
pub(super) fn active(connection: &Connection, now: Timestamp) -> Result<Vec<Silence>, Failure> {
    let mut statement = connection.prepare_cached(ACTIVE)?;
    let silences = statement.query_map([now], from_row)?;
    Ok(silences
        .filter_map(rusqlite::Result::transpose)
        .collect::<rusqlite::Result<_>>()?)
}

/// `None` where the matchers can't be read: someone else wrote the row. Then people are told, since not to tell them is the
/// graver fault, and nothing else is held up.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Option<Silence>> {
    let (id, text): (i64, String) = (row.get("id")?, row.get("matchers")?);
    let matchers = match silence::parse_text(&text) {
        Ok(matchers) => matchers,
        Err(error) => {
            tracing::warn!(silence = id, %error, "a silence can't be read and has no effect");
            return Ok(None);
        }
    };
    Ok(Some(Silence {
        id,
        matchers,
        starts_at: row.get("starts_at")?,
        ends_at: row.get("ends_at")?,
        by: row.get("created_by")?,
        reason: row.get("reason")?,
    }))
}

impl WriteTx<'_> {
    /// Keeps a silence, and returns its number.
    pub fn add_silence(
        &self,
        matchers: &[Matcher],
        (starts_at, ends_at): (Timestamp, Timestamp),
        (by, reason): (&str, &str),
        now: Timestamp,
    ) -> Result<i64, Failure> {
        let mut statement = self.transaction.prepare_cached(INSERT)?;
        let id = statement.query_row(
            named_params! {
                ":matchers": silence::text(matchers),
                ":starts_at": starts_at,
                ":ends_at": ends_at,
                ":now": now,
                ":by": by,
                ":reason": reason,
            },
            |row| row.get(0),
        )?;
        Ok(id)
    }

    /// Ends a silence now. Returns whether there was one to end.
    pub fn end_silence(&self, id: i64, now: Timestamp) -> Result<bool, Failure> {
        let mut statement = self.transaction.prepare_cached(END)?;
        Ok(statement.execute(params![id, now])? > 0)
    }
}
