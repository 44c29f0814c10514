//! Requests, their events and what was told of them, as rows.
//!
//! Columns that are not named here would stop an INSERT, as a column without a default that a migration adds does: then
//! this file has to follow.

use std::collections::HashMap;
use std::path::Path;

use ccwatch::decide::diff::Difference;
use ccwatch::model::{HookKey, HookStatus, RequestKey, RequestState, Seen, Sighting};
use rusqlite::{Connection, ToSql, params};

/// Ids are given here, counted from 1, so that nothing has to be asked back.
pub(super) struct Rows {
    connection: Connection,
    requests: i64,
    hooks: i64,
    changes: i64,
}

/// The rows of one request.
pub(super) struct RequestRows<'r> {
    rows: &'r mut Rows,
    id: i64,
    hooks: HashMap<HookKey, i64>,
}

impl Rows {
    pub(super) fn new(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        // No journal, no sync, and a quarter of a GiB of cache: what is cut short is thrown away.
        connection
            .execute_batch(
                "PRAGMA locking_mode = exclusive; PRAGMA journal_mode = off; PRAGMA synchronous = off;
                 PRAGMA foreign_keys = off; PRAGMA cache_size = -262144; BEGIN",
            )
            .unwrap();
        Self {
            connection,
            requests: 0,
            hooks: 0,
            changes: 0,
        }
    }

    pub(super) fn request(&mut self) -> RequestRows<'_> {
        self.requests += 1;
        RequestRows {
            id: self.requests,
            rows: self,
            hooks: HashMap::new(),
        }
    }

    pub(super) fn finish(self) {
        self.connection
            .execute_batch("COMMIT; PRAGMA locking_mode = normal; PRAGMA journal_mode = wal")
            .unwrap();
    }

    fn insert(&self, table: &str, columns: &str, values: &[&dyn ToSql]) {
        let places = vec!["?"; values.len()].join(",");
        let sql = format!("INSERT INTO {table} ({columns}) VALUES ({places})");
        let mut statement = self.connection.prepare_cached(&sql).unwrap();
        statement.execute(values).unwrap();
    }
}

impl RequestRows<'_> {
    /// What a sighting differed in: its events, and its changes. A log was told what ended, and a chat what failed.
    pub(super) fn differed(&mut self, sighting: &Sighting, difference: &Difference) {
        let (id, at) = (self.id, sighting.seen_at);
        if let Seen::Event(event, _) = &sighting.seen
            && difference.is_progress
        {
            self.rows.insert(
                "progress_events",
                "request_id, observed_at, event_time, status, error_code, status_message, identifier, retry_after, source",
                params![
                    id,
                    at,
                    event.event_time,
                    event.status,
                    event.error_code,
                    event.status_message,
                    event.identifier,
                    event.retry_after,
                    sighting.source
                ],
            );
        }
        for hook in &difference.hooks {
            let hook_id = *self.hooks.entry(hook.key.clone()).or_insert_with(|| {
                self.rows.hooks += 1;
                self.rows.hooks
            });
            self.rows.insert(
                "hook_events",
                "hook_id, observed_at, event_time, status, status_message, failure_mode",
                params![
                    hook_id,
                    at,
                    hook.event_time,
                    hook.status,
                    hook.status_message,
                    hook.failure_mode
                ],
            );
        }
        for change in &difference.changes {
            self.rows.changes += 1;
            let change_id = self.rows.changes;
            self.rows.insert(
                "changes",
                "id, request_id, hook_id, kind, at, event_time, from_status, to_status, error_code, message",
                params![
                    change_id,
                    id,
                    change.hook.as_ref().map(|key| self.hooks[key]),
                    change.kind,
                    change.at,
                    change.event_time,
                    change.from,
                    change.to,
                    change.error_code,
                    change.message
                ],
            );
            let receivers: &[&str] = match change.to.as_deref() {
                Some("FAILED" | "HOOK_COMPLETE_FAILED") => &["log", "chat"],
                Some("SUCCESS" | "CANCEL_COMPLETE") => &["log"],
                _ => &[],
            };
            for receiver in receivers {
                self.rows.insert(
                    "deliveries",
                    "change_id, request_id, receiver, group_key, state, attempts, since, not_before, sent_at, resolves,
                     replayed",
                    params![
                        change_id, id, receiver, "", "sent", 1, change.at, change.at, change.at, false, false
                    ],
                );
            }
        }
    }

    /// Where the request has got to, with its hooks.
    pub(super) fn ended(&self, key: &RequestKey, state: &RequestState) {
        let number = |count: usize| i64::try_from(count).unwrap();
        let failed = |status: &HookStatus| status.is_failure();
        let hooks_failed = state
            .hooks
            .iter()
            .filter(|hook| hook.status.as_ref().is_some_and(failed))
            .count();
        self.rows.insert(
            "requests",
            "id, target_id, token, hooks_request_token, type_name, identifier, operation, status, error_code,
             status_message, event_time, started_at, retry_after, phase, first_seen_at, last_seen_at, finished_at,
             final_looks_left, gone_looks, gone_at, announced, hooks_total, hooks_failed, hooks_pending",
            params![
                self.id,
                key.target,
                key.token,
                state.hooks_request_token,
                state.type_name,
                state.identifier,
                state.operation,
                state.status,
                state.error_code,
                state.status_message,
                state.event_time,
                state.started_at,
                state.retry_after,
                state.phase,
                state.first_seen_at,
                state.last_seen_at,
                state.finished_at,
                state.final_looks_left,
                state.gone_looks,
                state.gone_at,
                state.announced,
                number(state.hooks.len()),
                number(hooks_failed),
                state.hooks_pending()
            ],
        );
        for hook in &state.hooks {
            self.rows.insert(
                "hooks",
                "id, request_id, hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal,
                 failure_mode, status, status_message, event_time, first_seen_at, finished_at",
                params![
                    self.hooks[&hook.key],
                    self.id,
                    hook.key.hook_type_name,
                    hook.key.hook_type_arn,
                    hook.key.hook_type_version_id,
                    hook.key.invocation_point,
                    hook.key.ordinal,
                    hook.failure_mode,
                    hook.status,
                    hook.status_message,
                    hook.event_time,
                    hook.first_seen_at,
                    hook.finished_at
                ],
            );
        }
    }
}
