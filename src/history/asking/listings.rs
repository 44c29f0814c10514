//! Requests, hooks, changes and gaps, as a filter asks for them, newest first.

use std::ops::ControlFlow;

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::Filter;
use super::choice::Conditions;
use super::filter::Narrowed;
use super::of_requests::OfRequests;
use crate::history::reader::rows;
use crate::history::rows::{HOOK_BY_ID, REQUEST_BY_ID, Stored};
use crate::history::sql::{ChangeId, HookId};
use crate::history::told::CHANGE_BY_ID;
use crate::history::{HistoryError, Reader};
use crate::model::rows::{ChangeRow, GapRow, InvocationRow, RequestRow};

/// Rows that are read in one transaction, where there are many: a reader that takes its time holds up no checkpoint.
const AT_ONCE: usize = 1000;

pub(super) const LAST_CHANGE: &str = "SELECT coalesce(max(id), 0) FROM changes";
/// The last of the next changes, and how many they are.
pub(super) const NEXT_CHANGES: &str = "
SELECT coalesce(max(id), ?1), count(*) FROM (SELECT id FROM changes WHERE id > ?1 ORDER BY id LIMIT ?2)";

/// A step of following along.
#[derive(Debug)]
pub struct Following {
    pub changes: Vec<ChangeRow>,
    /// The number to go on after.
    pub last: i64,
    /// Whether it was the last step, for now.
    pub is_all: bool,
}

impl Reader {
    /// The requests that `filter` lets through, newest first.
    pub fn requests(&self, filter: &Filter) -> Result<Vec<RequestRow>, HistoryError> {
        let mut rows = Vec::new();
        self.each_request(filter, |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    /// Hands each request that `filter` lets through to `each`, newest first, until that breaks off. Which they are is one
    /// state of the history; each is shown as it is when its turn comes, and left out if it was removed by then.
    pub fn each_request(
        &self,
        filter: &Filter,
        each: impl FnMut(RequestRow) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let ids = self.read(|connection| Ok(Narrowed::new(connection, filter)?.requests(connection)?))?;
        self.each_row(&ids, REQUEST_BY_ID, |id| id.0, each)
    }

    /// As [`each_request`](Self::each_request), the hooks, with what they judged.
    pub fn each_hook(
        &self,
        filter: &Filter,
        each: impl FnMut(InvocationRow) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let ids = self.read(|connection| Ok(hooks(connection, &Narrowed::new(connection, filter)?)?))?;
        self.each_row(&ids, HOOK_BY_ID, |id| id.0, each)
    }

    /// As [`each_request`](Self::each_request), the changes, but oldest first, as a log has them: of a limit, the newest ones.
    /// Returns the number to follow on after: that of the last change there was (0: none), whether it was asked for or not.
    pub fn each_change(
        &self,
        filter: &Filter,
        each: impl FnMut(ChangeRow) -> ControlFlow<()>,
    ) -> Result<i64, HistoryError> {
        let (mut ids, last) = self.read(|connection| {
            let mut statement = connection.prepare_cached(LAST_CHANGE)?;
            let last = statement.query_row([], |row| row.get(0))?;
            Ok((changes(connection, &Narrowed::new(connection, filter)?)?, last))
        })?;
        ids.reverse();
        self.each_row(&ids, CHANGE_BY_ID, |id| id.0, each)?;
        Ok(last)
    }

    /// What `filter` lets through (but for its time and its limit) of up to `limit` changes after the one with the number
    /// `after`, oldest first. Numbers only grow, so this follows along, and looks at each change once however few match.
    pub fn changes_after(&self, filter: &Filter, after: i64, limit: usize) -> Result<Following, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(NEXT_CHANGES)?;
            let (last, found): (i64, i64) =
                statement.query_row(params![after, rows(limit)], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (sql, params) = following(&Narrowed::new(connection, filter)?, after, last);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut by_id = connection.prepare_cached(&ChangeRow::sql(CHANGE_BY_ID))?;
            let ids = statement.query_map(params_from_iter(params), |row| row.get::<_, i64>(0))?;
            let changes = ids.map(|id| by_id.query_row([id?], ChangeRow::from_row));
            Ok(Following {
                changes: changes.collect::<rusqlite::Result<_>>()?,
                is_all: found < rows(limit),
                last,
            })
        })
    }

    /// The gaps that `filter` lets through, newest first: by target, Region and time, and (`open`) those that last.
    pub fn gaps(&self, filter: &Filter) -> Result<Vec<GapRow>, HistoryError> {
        self.read(|connection| {
            let narrowed = Narrowed::new(connection, filter)?;
            let (rest, params) = gaps_where(&narrowed);
            Ok(GapRow::all(connection, &rest, params_from_iter(params))?)
        })
    }

    fn each_row<I, R: Stored>(
        &self,
        ids: &[I],
        by_id: &str,
        number: impl Fn(&I) -> i64,
        mut each: impl FnMut(R) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        for ids in ids.chunks(AT_ONCE) {
            let rows = self.read(|connection| {
                let mut statement = connection.prepare_cached(&R::sql(by_id))?;
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    for row in statement.query_map([number(id)], R::from_row)? {
                        found.push(row?);
                    }
                }
                Ok(found)
            })?;
            for row in rows {
                if each(row).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

pub(super) fn hooks(connection: &Connection, narrowed: &Narrowed<'_>) -> rusqlite::Result<Vec<HookId>> {
    let found = OfRequests::hooks(narrowed).newest(connection)?;
    Ok(found.into_iter().map(HookId).collect())
}

pub(super) fn changes(connection: &Connection, narrowed: &Narrowed<'_>) -> rusqlite::Result<Vec<ChangeId>> {
    let found = OfRequests::changes(narrowed).newest(connection)?;
    Ok(found.into_iter().map(ChangeId).collect())
}

/// The statement that finds changes by their numbers.
pub(super) fn following(narrowed: &Narrowed<'_>, after: i64, last: i64) -> (String, Vec<Value>) {
    let mut conditions = Conditions::default();
    conditions.add("c.id > ? AND c.id <= ?", [Value::from(after), Value::from(last)]);
    let about = narrowed.about_request(None);
    let join = if about.is_empty() {
        ""
    } else {
        "CROSS JOIN requests AS r ON r.id = c.request_id"
    };
    let conditions = conditions.and(narrowed.of_change(None)).and(about);
    let sql = format!(
        "SELECT c.id FROM changes AS c NOT INDEXED {join}{}\nORDER BY c.id",
        conditions.to_where()
    );
    (sql, conditions.params)
}

/// The statement from WHERE on, with its parameters.
pub(super) fn gaps_where(narrowed: &Narrowed<'_>) -> (String, Vec<Value>) {
    let filter = narrowed.filter;
    let mut conditions = narrowed.lasting("g.from_at", "g.to_at");
    if let Some(targets) = narrowed.target() {
        conditions = conditions.and(targets.condition_on("g.target_id"));
    }
    if filter.open {
        conditions.add("g.to_at IS NULL", []);
    }
    let mut rest = conditions.to_where();
    rest.push_str("\nORDER BY g.from_at DESC, g.id DESC\nLIMIT ?");
    let mut params = conditions.params;
    params.push(Value::from(filter.limit.map_or(-1, rows)));
    (rest, params)
}
