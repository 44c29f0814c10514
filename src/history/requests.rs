//! Requests and their hooks: the state that a sighting is compared with, read and written whole.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::sql::{HookId, RequestId};
use super::{Failure, WriteTx};
use crate::model::{
    HookKey, HookState, HookStatus, RequestKey, RequestState, RequestStatus, Standing, TargetId, Timestamp,
};

/// A request's state with the row that holds it. Its ResourceModel is `None` until it is asked for by
/// [`WriteTx::resource_model`]: it may be 256 KiB, and only an answer that carries one is compared with it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: RequestId,
    pub(super) state: RequestState,
}

/// The columns of a request that a look may change, in the order in which [`WriteTx::write_row`] gives them. Without what
/// seldom changes and is in an index, `settled_columns`: naming it would have each update rewrite the request's entry there.
macro_rules! changing_columns {
    () => {
        "hooks_request_token, identifier, status, error_code, status_message, event_time, retry_after, phase,
    last_seen_at, finished_at, final_looks_left, gone_looks, gone_at, announced, hooks_total, hooks_failed, hooks_pending"
    };
}

/// What the first look nearly always tells for good.
macro_rules! settled_columns {
    () => {
        "type_name, operation, started_at"
    };
}

/// Read in this order by [`state_from`]: to look each column up by its name takes longer than SQLite's search.
pub(super) const REQUEST: &str = "
SELECT id, hooks_request_token, type_name, identifier, operation, status, error_code, status_message, event_time,
    started_at, retry_after, phase, first_seen_at, last_seen_at, finished_at, final_looks_left, gone_looks, gone_at,
    announced, hooks_total
FROM requests
WHERE token = ?2 AND target_id = ?1";

pub(super) const RESOURCE_MODEL: &str = "SELECT resource_model FROM resource_models WHERE request_id = ?1";

pub(super) const HOOKS: &str = "SELECT * FROM hooks WHERE request_id = ?1";

pub(super) const STANDINGS: &str = "
SELECT token, phase, status, final_looks_left, gone_looks, hooks_pending, announced, retry_after, first_seen_at
FROM requests
WHERE target_id = ?1 AND (phase = 'open' OR final_looks_left > 0)";

pub(super) const STANDING: &str = "
SELECT token, phase, status, final_looks_left, gone_looks, hooks_pending, announced, retry_after, first_seen_at
FROM requests
WHERE token = ?2 AND target_id = ?1";

/// A request begins before it is last seen, so its start bounds the walk along the index; spelled as in the index.
pub(super) const OPEN_BUT_UNSEEN: &str = "
SELECT target_id, token
FROM requests
WHERE phase = 'open' AND coalesce(started_at, first_seen_at) < ?1 AND last_seen_at < ?1
ORDER BY coalesce(started_at, first_seen_at)
LIMIT ?2";

/// What most looks come to. The whole row would be written as well, but so would its entry in each index.
pub(super) const SEEN_AGAIN: &str = "UPDATE requests SET last_seen_at = ?2, retry_after = ?3 WHERE id = ?1";

const INSERT_REQUEST: &str = concat!(
    "INSERT INTO requests (",
    changing_columns!(),
    ", ",
    settled_columns!(),
    ", first_seen_at, target_id, token)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);

pub(super) const UPDATE_REQUEST: &str = concat!(
    "UPDATE requests SET (",
    changing_columns!(),
    ") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
WHERE id = ?"
);

const SETTLE_OTHERWISE: &str = concat!(
    "UPDATE requests SET (",
    settled_columns!(),
    ") = (?, ?, ?) WHERE id = ?"
);

pub(super) const UPDATE_HOOK: &str = "
UPDATE hooks SET
    failure_mode = :failure_mode,
    status = :status,
    status_message = :status_message,
    event_time = :event_time,
    finished_at = :finished_at
WHERE request_id = :request_id
    AND hook_type_name IS :hook_type_name
    AND hook_type_arn IS :hook_type_arn
    AND hook_type_version_id IS :hook_type_version_id
    AND invocation_point IS :invocation_point
    AND ordinal = :ordinal
RETURNING id";

const INSERT_HOOK: &str = "
INSERT INTO hooks (
    request_id, hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal, failure_mode, status,
    status_message, event_time, first_seen_at, finished_at)
VALUES (
    :request_id, :hook_type_name, :hook_type_arn, :hook_type_version_id, :invocation_point, :ordinal, :failure_mode,
    :status, :status_message, :event_time, :first_seen_at, :finished_at)
RETURNING id";

pub(super) fn standings(connection: &Connection, target: TargetId) -> Result<Vec<Standing>, Failure> {
    let mut statement = connection.prepare_cached(STANDINGS)?;
    let standings = statement.query_map([target], |row| standing_from(row, target))?;
    Ok(standings.collect::<rusqlite::Result<_>>()?)
}

/// How one request stands, also one that is worth no more looks; `None`: it is not known.
pub(super) fn standing(connection: &Connection, key: &RequestKey) -> Result<Option<Standing>, Failure> {
    let mut statement = connection.prepare_cached(STANDING)?;
    let standing = statement.query_row(params![key.target, key.token], |row| standing_from(row, key.target));
    Ok(standing.optional()?)
}

fn standing_from(row: &Row<'_>, target: TargetId) -> rusqlite::Result<Standing> {
    Ok(Standing {
        key: RequestKey {
            target,
            token: row.get("token")?,
        },
        phase: row.get("phase")?,
        final_looks_left: row.get("final_looks_left")?,
        gone_looks: row.get("gone_looks")?,
        is_unlisted: matches!(row.get("status")?, Some(RequestStatus::Other(_))),
        hooks_pending: row.get("hooks_pending")?,
        announced: row.get("announced")?,
        retry_after: row.get("retry_after")?,
        first_seen_at: row.get("first_seen_at")?,
    })
}

pub(super) fn open_but_unseen(
    connection: &Connection,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<RequestKey>, Failure> {
    let mut statement = connection.prepare_cached(OPEN_BUT_UNSEEN)?;
    let keys = statement.query_map(params![since, count(limit)], |row| {
        Ok(RequestKey {
            target: row.get("target_id")?,
            token: row.get("token")?,
        })
    })?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

/// With whether it has hooks, which are read apart.
fn state_from(row: &Row<'_>) -> rusqlite::Result<(Known, bool)> {
    let known = Known {
        id: row.get(0)?,
        state: RequestState {
            hooks_request_token: row.get(1)?,
            type_name: row.get(2)?,
            identifier: row.get(3)?,
            operation: row.get(4)?,
            status: row.get(5)?,
            error_code: row.get(6)?,
            status_message: row.get(7)?,
            event_time: row.get(8)?,
            started_at: row.get(9)?,
            retry_after: row.get(10)?,
            phase: row.get(11)?,
            first_seen_at: row.get(12)?,
            last_seen_at: row.get(13)?,
            finished_at: row.get(14)?,
            final_looks_left: row.get(15)?,
            gone_looks: row.get(16)?,
            gone_at: row.get(17)?,
            announced: row.get(18)?,
            resource_model: None,
            hooks: Vec::new(),
        },
    };
    let hooks_total: u32 = row.get(19)?;
    Ok((known, hooks_total > 0))
}

fn hook_from(row: &Row<'_>) -> rusqlite::Result<HookState> {
    Ok(HookState {
        key: HookKey {
            hook_type_name: row.get("hook_type_name")?,
            hook_type_arn: row.get("hook_type_arn")?,
            hook_type_version_id: row.get("hook_type_version_id")?,
            invocation_point: row.get("invocation_point")?,
            ordinal: row.get("ordinal")?,
        },
        status: row.get("status")?,
        status_message: row.get("status_message")?,
        failure_mode: row.get("failure_mode")?,
        event_time: row.get("event_time")?,
        first_seen_at: row.get("first_seen_at")?,
        finished_at: row.get("finished_at")?,
    })
}

impl WriteTx<'_> {
    /// What is remembered of a request, with its hooks in the order of their keys, without its ResourceModel.
    pub(super) fn known(&self, key: &RequestKey) -> Result<Option<Known>, Failure> {
        let mut statement = self.transaction.prepare_cached(REQUEST)?;
        let known = statement
            .query_row(params![key.target, key.token], state_from)
            .optional()?;
        let Some((mut known, has_hooks)) = known else {
            return Ok(None);
        };
        if !has_hooks {
            return Ok(Some(known));
        }
        let mut statement = self.transaction.prepare_cached(HOOKS)?;
        let hooks = statement.query_map([known.id], hook_from)?;
        known.state.hooks = hooks.collect::<rusqlite::Result<_>>()?;
        known.state.hooks.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Some(known))
    }

    pub(super) fn resource_model(&self, request: RequestId) -> Result<Option<String>, Failure> {
        let mut statement = self.transaction.prepare_cached(RESOURCE_MODEL)?;
        Ok(statement.query_row([request], |row| row.get(0)).optional()?)
    }

    /// Writes a request's own row: a new one if nothing was known `before`. Its hooks are written one by one, those that
    /// differ.
    pub(super) fn store_request(
        &self,
        key: &RequestKey,
        before: Option<&Known>,
        state: &RequestState,
    ) -> Result<RequestId, Failure> {
        if let Some(before) = before
            && was_only_seen_again(&before.state, state)
        {
            let mut statement = self.transaction.prepare_cached(SEEN_AGAIN)?;
            statement.execute(params![before.id, state.last_seen_at, state.retry_after])?;
            return Ok(before.id);
        }
        let id = self.write_row(key, before, state)?;
        if let Some(model) = &state.resource_model
            && before.is_none_or(|before| before.state.resource_model.as_ref() != Some(model))
        {
            let mut statement = self.transaction.prepare_cached(
                "INSERT INTO resource_models (request_id, resource_model) VALUES (?1, ?2)
                 ON CONFLICT (request_id) DO UPDATE SET resource_model = excluded.resource_model",
            )?;
            statement.execute(params![id, model])?;
        }
        Ok(id)
    }

    fn write_row(&self, key: &RequestKey, before: Option<&Known>, state: &RequestState) -> Result<RequestId, Failure> {
        let failed = |hook: &&HookState| hook.status.as_ref().is_some_and(HookStatus::is_failure);
        let hooks_total = count(state.hooks.len());
        let hooks_failed = count(state.hooks.iter().filter(failed).count());
        let hooks_pending = state.hooks_pending();
        let changing: [&dyn ToSql; 17] = [
            &state.hooks_request_token,
            &state.identifier,
            &state.status,
            &state.error_code,
            &state.status_message,
            &state.event_time,
            &state.retry_after,
            &state.phase,
            &state.last_seen_at,
            &state.finished_at,
            &state.final_looks_left,
            &state.gone_looks,
            &state.gone_at,
            &state.announced,
            &hooks_total,
            &hooks_failed,
            &hooks_pending,
        ];
        let settled: [&dyn ToSql; 3] = [&state.type_name, &state.operation, &state.started_at];
        let Some(before) = before else {
            let lasting: [&dyn ToSql; 3] = [&state.first_seen_at, &key.target, &key.token];
            let mut insert = self.transaction.prepare_cached(INSERT_REQUEST)?;
            return Ok(RequestId(
                insert.insert([changing.as_slice(), &settled, &lasting].concat().as_slice())?,
            ));
        };
        let row: [&dyn ToSql; 1] = [&before.id];
        let mut update = self.transaction.prepare_cached(UPDATE_REQUEST)?;
        update.execute([changing.as_slice(), &row].concat().as_slice())?;
        let known = &before.state;
        if (&state.type_name, &state.operation, state.started_at)
            != (&known.type_name, &known.operation, known.started_at)
        {
            let mut settle_otherwise = self.transaction.prepare_cached(SETTLE_OTHERWISE)?;
            settle_otherwise.execute([settled.as_slice(), &row].concat().as_slice())?;
        }
        Ok(before.id)
    }

    pub(super) fn store_hook(&self, request: RequestId, hook: &HookState) -> Result<HookId, Failure> {
        let key = &hook.key;
        let given_each_time: [(&str, &dyn ToSql); 11] = [
            (":request_id", &request),
            (":hook_type_name", &key.hook_type_name),
            (":hook_type_arn", &key.hook_type_arn),
            (":hook_type_version_id", &key.hook_type_version_id),
            (":invocation_point", &key.invocation_point),
            (":ordinal", &key.ordinal),
            (":failure_mode", &hook.failure_mode),
            (":status", &hook.status),
            (":status_message", &hook.status_message),
            (":event_time", &hook.event_time),
            (":finished_at", &hook.finished_at),
        ];
        // No upsert: any column of the key may be NULL, and to an index two NULLs are never the same.
        let mut update = self.transaction.prepare_cached(UPDATE_HOOK)?;
        let updated = update.query_row(&given_each_time, |row| row.get(0)).optional()?;
        if let Some(id) = updated {
            return Ok(id);
        }
        let first_seen: [(&str, &dyn ToSql); 1] = [(":first_seen_at", &hook.first_seen_at)];
        let all = [given_each_time.as_slice(), &first_seen].concat();
        let mut insert = self.transaction.prepare_cached(INSERT_HOOK)?;
        Ok(insert.query_row(all.as_slice(), |row| row.get(0))?)
    }
}

fn was_only_seen_again(before: &RequestState, state: &RequestState) -> bool {
    let seen_again = RequestState {
        last_seen_at: state.last_seen_at,
        retry_after: state.retry_after,
        ..before.clone()
    };
    seen_again == *state
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
