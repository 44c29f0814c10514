//! The other history: a copy of it, brought to this version, and read request by request.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, Params, params};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::super::place::Place;
use super::super::stop::heed;
use super::super::{BackupError, Failure, OpenError, Reader, back_up, open};
use super::targets::TheirTarget;
use crate::decide::merging::Known;
use crate::model::{RequestToken, Timestamp};

/// A copy of another history, in a file that is this import's own.
#[derive(Debug)]
pub struct Other {
    connection: Connection,
    path: PathBuf,
}

/// Why another history can't be read.
#[derive(Debug, Error)]
pub enum OtherError {
    #[error(transparent)]
    Copy(#[from] BackupError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(
        "the history {} breaks the laws of a history ({law}), so nothing of it was taken; `ccwatch history check --history \
         {}` says more",
        path.display(),
        path.display()
    )]
    NotWell { path: PathBuf, law: &'static str },
    #[error("cannot read the copy of the history {}: {failure}", path.display())]
    Read { path: PathBuf, failure: Failure },
}

/// A request of the other history, with all that is taken of it.
#[derive(Debug)]
pub(super) struct Theirs {
    pub(super) id: i64,
    pub(super) target: TheirTarget,
    pub(super) token: RequestToken,
    pub(super) known: Known,
    /// [`REQUEST_COLUMNS`].
    pub(super) columns: Vec<Value>,
    pub(super) is_united: bool,
    pub(super) resource_model: Option<String>,
    /// [`PROGRESS_EVENT_COLUMNS`].
    pub(super) progress_events: Vec<Vec<Value>>,
    pub(super) hooks: Vec<TheirHook>,
    pub(super) changes: Vec<TheirChange>,
}

#[derive(Debug)]
pub(super) struct TheirHook {
    id: i64,
    /// [`HOOK_COLUMNS`].
    pub(super) columns: Vec<Value>,
    /// [`HOOK_EVENT_COLUMNS`].
    pub(super) events: Vec<Vec<Value>>,
}

#[derive(Debug)]
pub(super) struct TheirChange {
    /// Its place among the request's hooks.
    pub(super) hook: Option<usize>,
    /// [`CHANGE_COLUMNS`].
    pub(super) columns: Vec<Value>,
    pub(super) deliveries: Vec<TheirDelivery>,
}

#[derive(Debug)]
pub(super) struct TheirDelivery {
    /// [`DELIVERY_COLUMNS`].
    pub(super) columns: Vec<Value>,
    /// [`ATTEMPT_COLUMNS`].
    pub(super) attempts: Vec<Vec<Value>>,
}

/// A gap of the other history that has an end.
#[derive(Debug)]
pub(super) struct TheirGap {
    pub(super) id: i64,
    pub(super) target: TheirTarget,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) reason: String,
}

/// In the order in which they are read and written. What a request is known by comes apart.
pub(super) const REQUEST_COLUMNS: &str = "hooks_request_token, type_name, identifier, operation, status, error_code, \
    status_message, event_time, started_at, retry_after, first_seen_at, last_seen_at, finished_at, announced, \
    hooks_total, hooks_failed, hooks_pending";
/// What an event says comes first, and when and how it was seen last.
pub(super) const PROGRESS_EVENT_COLUMNS: &str =
    "event_time, status, error_code, status_message, identifier, observed_at, retry_after, source";
/// What a hook is known by comes first, then its state.
pub(super) const HOOK_COLUMNS: &str = "hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal, \
    status, status_message, failure_mode, event_time, finished_at, first_seen_at";
pub(super) const HOOK_EVENT_COLUMNS: &str = "event_time, status, status_message, failure_mode, observed_at";
pub(super) const CHANGE_COLUMNS: &str = "kind, event_time, from_status, to_status, error_code, message, at";
pub(super) const DELIVERY_COLUMNS: &str =
    "receiver, since, replayed, state, attempts, sent_at, last_error, group_key, not_before";
pub(super) const ATTEMPT_COLUMNS: &str = "number, at, took_ms, outcome, answer_status, answer, error";

const REQUESTS_AFTER: &str = "
SELECT r.id, t.name, t.account_id, t.region, t.registered_at, t.baseline_began_at, t.baseline_completed_at, r.token, r.phase,
    r.status, r.last_seen_at, r.final_looks_left, u.request_id IS NOT NULL AS is_united
FROM requests AS r
JOIN targets AS t ON t.id = r.target_id
LEFT JOIN united AS u ON u.request_id = r.id
WHERE r.id > ?1
ORDER BY r.id
LIMIT ?2";

const GAPS_AFTER: &str = "
SELECT t.name, t.account_id, t.region, t.registered_at, t.baseline_began_at, t.baseline_completed_at, g.id, g.from_at, g.to_at,
    g.reason
FROM gaps AS g
JOIN targets AS t ON t.id = g.target_id
WHERE g.id > ?1 AND g.to_at IS NOT NULL
ORDER BY g.id
LIMIT ?2";

/// The words of a digest stand with the first of its deliveries alone. Here each brings them along, since it may come alone.
const ATTEMPTS: &str = "
SELECT a.number, a.at, a.took_ms, a.outcome, a.answer_status, coalesce(a.answer, l.answer), coalesce(a.error, l.error)
FROM attempts AS a
LEFT JOIN attempts AS l ON l.delivery_id = a.told_with AND l.at = a.at AND l.outcome = a.outcome
WHERE a.delivery_id = ?1
GROUP BY a.id
ORDER BY a.id";

/// Requests looked at in one step, whatever they have.
const REQUESTS_AT_ONCE: usize = 256;

impl Other {
    /// Copies the history at `path` into the file `copy`, which is empty, brings the copy to this version, and checks it.
    /// Fails soon after `stop`.
    pub fn open(
        path: &Path,
        copy: &Path,
        stop: &CancellationToken,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<Self, OtherError> {
        back_up(path, copy, stop, progress)?;
        let mut connection = Connection::open(copy).map_err(|source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        })?;
        // A copy needs to survive nothing, and its journal in memory leaves no file behind.
        let quick = connection
            .pragma_update_and_check(None, "journal_mode", "memory", |_| Ok(()))
            .and_then(|()| connection.pragma_update(None, "synchronous", "off"))
            .and_then(|()| heed(&mut connection, stop, || ()));
        quick.map_err(|source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        })?;
        open::migrate(path, &mut connection)?;
        let reader = Reader {
            connection,
            path: path.into(),
            place: Place::of(copy)?,
        };
        let broken = reader.check(true, |_| ());
        if let Some(finding) = broken.iter().find(|finding| !finding.is_well()) {
            return Err(OtherError::NotWell {
                path: path.to_owned(),
                law: finding.law,
            });
        }
        Ok(Self {
            connection: reader.connection,
            path: path.to_owned(),
        })
    }

    /// The highest id that its requests have.
    pub fn last_request(&self) -> Result<i64, OtherError> {
        self.read(|connection| {
            Ok(connection.query_row("SELECT coalesce(max(id), 0) FROM requests", [], |row| row.get(0))?)
        })
    }

    /// The requests after `after`, until they have about `rows` rows.
    pub(super) fn requests_after(&self, after: i64, rows: usize, with_models: bool) -> Result<Vec<Theirs>, OtherError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(REQUESTS_AFTER)?;
            let limit = i64::try_from(REQUESTS_AT_ONCE).unwrap_or(i64::MAX);
            let mut found = statement.query(params![after, limit])?;
            let (mut theirs, mut gathered) = (Vec::new(), 0);
            while gathered < rows
                && let Some(row) = found.next()?
            {
                let id = row.get("id")?;
                let request = Theirs {
                    id,
                    target: TheirTarget::from_row(row)?,
                    token: row.get("token")?,
                    known: Known {
                        phase: row.get("phase")?,
                        status: row.get("status")?,
                        last_seen_at: row.get("last_seen_at")?,
                        final_looks_left: row.get("final_looks_left")?,
                    },
                    columns: all(
                        connection,
                        &format!("SELECT {REQUEST_COLUMNS} FROM requests WHERE id = ?1"),
                        [id],
                    )?
                    .pop()
                    .unwrap_or_default(),
                    is_united: row.get("is_united")?,
                    resource_model: if with_models { model(connection, id)? } else { None },
                    progress_events: all(
                        connection,
                        &format!(
                            "SELECT {PROGRESS_EVENT_COLUMNS} FROM progress_events WHERE request_id = ?1 ORDER BY id"
                        ),
                        [id],
                    )?,
                    hooks: hooks(connection, id)?,
                    changes: Vec::new(),
                };
                let changes = changes(connection, id, &request.hooks)?;
                let request = Theirs { changes, ..request };
                gathered += request.rows();
                theirs.push(request);
            }
            Ok(theirs)
        })
    }

    pub(super) fn gaps_after(&self, after: i64, limit: usize) -> Result<Vec<TheirGap>, OtherError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(GAPS_AFTER)?;
            let gaps = statement.query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok(TheirGap {
                    id: row.get("id")?,
                    target: TheirTarget::from_row(row)?,
                    from: row.get("from_at")?,
                    to: row.get("to_at")?,
                    reason: row.get("reason")?,
                })
            })?;
            Ok(gaps.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, OtherError> {
        work(&self.connection).map_err(|failure| OtherError::Read {
            path: self.path.clone(),
            failure,
        })
    }
}

impl Theirs {
    fn rows(&self) -> usize {
        let deliveries = self.changes.iter().flat_map(|change| &change.deliveries);
        1 + self.progress_events.len()
            + self.hooks.iter().map(|hook| 1 + hook.events.len()).sum::<usize>()
            + self.changes.len()
            + deliveries.map(|delivery| 1 + delivery.attempts.len()).sum::<usize>()
    }
}

fn hooks(connection: &Connection, request: i64) -> Result<Vec<TheirHook>, Failure> {
    let sql = format!("SELECT {HOOK_COLUMNS}, id FROM hooks WHERE request_id = ?1 ORDER BY id");
    let mut hooks = Vec::new();
    for mut columns in all(connection, &sql, [request])? {
        let id = integer(columns.pop().as_ref());
        hooks.push(TheirHook {
            id,
            columns,
            events: all(
                connection,
                &format!("SELECT {HOOK_EVENT_COLUMNS} FROM hook_events WHERE hook_id = ?1 ORDER BY id"),
                [id],
            )?,
        });
    }
    Ok(hooks)
}

fn changes(connection: &Connection, request: i64, hooks: &[TheirHook]) -> Result<Vec<TheirChange>, Failure> {
    let sql = format!("SELECT {CHANGE_COLUMNS}, hook_id, id FROM changes WHERE request_id = ?1 ORDER BY id");
    let mut changes = Vec::new();
    for mut columns in all(connection, &sql, [request])? {
        let id = integer(columns.pop().as_ref());
        let hook = match columns.pop() {
            Some(Value::Integer(hook)) => hooks.iter().position(|known| known.id == hook),
            _ => None,
        };
        let sql = format!("SELECT {DELIVERY_COLUMNS}, id FROM deliveries WHERE change_id = ?1 ORDER BY id");
        let mut deliveries = Vec::new();
        for mut columns in all(connection, &sql, [id])? {
            let id = integer(columns.pop().as_ref());
            deliveries.push(TheirDelivery {
                columns,
                attempts: all(connection, ATTEMPTS, [id])?,
            });
        }
        changes.push(TheirChange {
            hook,
            columns,
            deliveries,
        });
    }
    Ok(changes)
}

fn model(connection: &Connection, request: i64) -> Result<Option<String>, Failure> {
    let sql = "SELECT resource_model FROM resource_models WHERE request_id = ?1";
    let mut model = all(connection, sql, [request])?.into_iter().flatten();
    Ok(match model.next() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    })
}

/// The last column of a row, where that is an id.
fn integer(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Integer(number)) => *number,
        _ => 0,
    }
}

/// The rows of a statement, column by column.
pub(super) fn all(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Vec<Value>>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map(params, |row| (0..columns).map(|column| row.get(column)).collect())?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
