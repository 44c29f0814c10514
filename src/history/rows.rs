//! The public rows, read from the tables.
//!
//! They are what the views show, column by column, but read with times as numbers: an absurd time from the wire that no
//! calendar can write must not make a row unreadable. A test compares the two.

use rusqlite::{Connection, Params, Row};

use super::sql::{HookId, RequestId};
use crate::model::rows::{
    AttemptRow, ChangeRow, DeliveryRow, GapRow, HookEventRow, HookRow, IncidentRow, InvocationRow, NoticeRow,
    ProgressEventRow, RequestRow, ResourceModelRow, SilenceRow,
};

/// A row of a public view.
pub(super) trait Stored: Sized {
    /// Its columns and its tables, to be followed by WHERE and ORDER BY.
    const SELECT: &'static str;

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self>;

    /// The rows that `rest`, the statement from WHERE on, chooses.
    fn all(connection: &Connection, rest: &str, params: impl Params) -> rusqlite::Result<Vec<Self>> {
        let mut statement = connection.prepare_cached(&Self::sql(rest))?;
        statement.query_map(params, Self::from_row)?.collect()
    }

    fn sql(rest: &str) -> String {
        format!("{}\n{rest}", Self::SELECT)
    }
}

/// Implements [`Stored`] for a row whose fields go by the names of the selected columns.
macro_rules! stored {
    ($row:ident { $($column:ident),+ $(,)? } $select:literal) => {
        impl Stored for $row {
            const SELECT: &'static str = $select;

            fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
                Ok(Self { $($column: row.get(stringify!($column))?,)+ })
            }
        }
    };
}

stored! {
    RequestRow {
        target, account_id, region, request_token, hooks_request_token, type_name, identifier, operation, status,
        error_code, status_message, started_at, first_seen_at, last_seen_at, finished_at, duration_s, open, hooks_total,
        hooks_failed,
    }
    "SELECT t.name AS target, t.account_id, t.region, r.token AS request_token, r.hooks_request_token, r.type_name,
    r.identifier, r.operation, r.status, r.error_code, r.status_message, r.started_at, r.first_seen_at, r.last_seen_at,
    r.finished_at,
    CASE WHEN r.finished_at > r.started_at THEN (r.finished_at - r.started_at) / 1000.0 END AS duration_s,
    r.phase = 'open' AS open, r.hooks_total, r.hooks_failed
FROM requests AS r
JOIN targets AS t ON t.id = r.target_id"
}

stored! {
    ProgressEventRow {
        id, target, request_token, observed_at, event_time, status, error_code, status_message, identifier, retry_after,
        source,
    }
    "SELECT e.id, t.name AS target, r.token AS request_token, e.observed_at, e.event_time, e.status, e.error_code,
    e.status_message, e.identifier, e.retry_after, e.source
FROM requests AS r
JOIN targets AS t ON t.id = r.target_id
JOIN progress_events AS e ON e.request_id = r.id"
}

stored! {
    HookRow {
        target, request_token, hook_type_name, hook_type_version_id, hook_type_arn, invocation_point, failure_mode,
        status, status_message, event_time, first_seen_at, finished_at, invocation,
    }
    "SELECT t.name AS target, r.token AS request_token, h.hook_type_name, h.hook_type_version_id, h.hook_type_arn,
    h.invocation_point, h.failure_mode, h.status, h.status_message, h.event_time, h.first_seen_at, h.finished_at,
    h.ordinal + 1 AS invocation
FROM hooks AS h
JOIN requests AS r ON r.id = h.request_id
JOIN targets AS t ON t.id = r.target_id"
}

impl Stored for InvocationRow {
    const SELECT: &'static str = "SELECT t.name AS target, r.token AS request_token, h.hook_type_name,
    h.hook_type_version_id, h.hook_type_arn, h.invocation_point, h.failure_mode, h.status, h.status_message, h.event_time,
    h.first_seen_at, h.finished_at, h.ordinal + 1 AS invocation, r.type_name, r.identifier, r.operation
FROM hooks AS h
JOIN requests AS r ON r.id = h.request_id
JOIN targets AS t ON t.id = r.target_id";

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            hook: HookRow::from_row(row)?,
            type_name: row.get("type_name")?,
            identifier: row.get("identifier")?,
            operation: row.get("operation")?,
        })
    }
}

stored! {
    HookEventRow {
        id, target, request_token, hook_type_name, hook_type_arn, invocation_point, observed_at, event_time, status,
        status_message, failure_mode, hook_type_version_id, invocation,
    }
    "SELECT e.id, t.name AS target, r.token AS request_token, h.hook_type_name, h.hook_type_arn, h.invocation_point,
    e.observed_at, e.event_time, e.status, e.status_message, e.failure_mode, h.hook_type_version_id,
    h.ordinal + 1 AS invocation
FROM requests AS r
JOIN targets AS t ON t.id = r.target_id
JOIN hooks AS h ON h.request_id = r.id
JOIN hook_events AS e ON e.hook_id = h.id"
}

stored! {
    ChangeRow {
        id, at, kind, target, request_token, type_name, identifier, operation, hook_type_name, from_status, to_status,
        error_code, message, observed_late, invocation,
    }
    "SELECT c.id, c.at, c.kind, t.name AS target, r.token AS request_token, r.type_name, r.identifier, r.operation,
    h.hook_type_name, c.from_status, c.to_status, c.error_code, c.message,
    EXISTS (
        SELECT 1 FROM gaps AS g
        WHERE g.target_id = r.target_id AND g.from_at <= c.event_time AND (g.to_at IS NULL OR g.to_at >= c.event_time)
    ) AS observed_late,
    h.ordinal + 1 AS invocation
FROM changes AS c
JOIN requests AS r ON r.id = c.request_id
JOIN targets AS t ON t.id = r.target_id
LEFT JOIN hooks AS h ON h.id = c.hook_id"
}

stored! {
    DeliveryRow {
        id, change_id, receiver, state, attempts, next_attempt_at, sent_at, last_error, notice_id, incident_id, replayed,
    }
    "SELECT d.id, d.change_id, d.receiver, d.state, d.attempts, d.next_attempt_at, d.sent_at, d.last_error, d.notice_id,
    d.incident_id, d.replayed
FROM deliveries AS d"
}

stored! {
    AttemptRow {
        id, delivery_id, receiver, number, at, took_ms, outcome, answer_status, answer, error, told_with,
    }
    "SELECT a.id, a.delivery_id, d.receiver, a.number, a.at, a.took_ms, a.outcome, a.answer_status, a.answer, a.error,
    a.told_with
FROM attempts AS a
JOIN deliveries AS d ON d.id = a.delivery_id"
}

stored! {
    IncidentRow { id, receiver, target, request_token, type_name, identifier, opened_at, resolved_at }
    "SELECT i.id, i.receiver, t.name AS target, r.token AS request_token, i.type_name, i.identifier, i.opened_at,
    i.resolved_at
FROM incidents AS i
JOIN targets AS t ON t.id = i.target_id
LEFT JOIN requests AS r ON r.id = i.request_id"
}

stored! {
    NoticeRow { id, at, receiver, since, failing, waiting, error }
    "SELECT n.id, n.at, n.receiver, n.since, n.failing, n.waiting, n.error FROM notices AS n"
}

stored! {
    SilenceRow { id, matchers, starts_at, ends_at, created_at, created_by, reason }
    "SELECT s.id, s.matchers, s.starts_at, s.ends_at, s.created_at, s.created_by, s.reason FROM silences AS s"
}

stored! {
    GapRow { target, from_at, to_at, reason }
    "SELECT t.name AS target, g.from_at, g.to_at, g.reason
FROM gaps AS g
JOIN targets AS t ON t.id = g.target_id"
}

stored! {
    ResourceModelRow { target, request_token, resource_model }
    "SELECT t.name AS target, r.token AS request_token, m.resource_model
FROM requests AS r
JOIN targets AS t ON t.id = r.target_id
JOIN resource_models AS m ON m.request_id = r.id"
}

pub(super) const REQUEST_BY_ID: &str = "WHERE r.id = ?1";
pub(super) const HOOK_BY_ID: &str = "WHERE h.id = ?1";

pub(super) fn request(connection: &Connection, id: RequestId) -> rusqlite::Result<RequestRow> {
    let mut statement = connection.prepare_cached(&RequestRow::sql(REQUEST_BY_ID))?;
    statement.query_row([id], RequestRow::from_row)
}

pub(super) fn hook(connection: &Connection, id: HookId) -> rusqlite::Result<HookRow> {
    let mut statement = connection.prepare_cached(&HookRow::sql(HOOK_BY_ID))?;
    statement.query_row([id], HookRow::from_row)
}
