//! What requests have, hooks and changes: found from the newest on, or from the requests.
//!
//! Nobody knows how far back the newest rows that match reach, but how many requests may have such rows can be counted. So the
//! newest rows are looked at for as long as it would take to look at these requests, and if that does not suffice, the
//! requests lead: that takes twice the time of the better way at the most. Few requests lead at once, and too many never.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::Bounds;
use super::choice::{Choice, Conditions};
use super::filter::{FAILED_CHANGE, FAILED_HOOK, Narrowed};
use super::leads::{self, Lead};

/// What it takes to find the rows of a request, in rows that are looked at one after the other.
const ROWS_A_REQUEST: i64 = 5;

/// A table of what requests have, and its indexes.
struct Table {
    from: &'static str,
    id: &'static str,
    request_id: &'static str,
    time: &'static str,
    by_time: &'static str,
    by_request: &'static str,
    failed_by_time: &'static str,
    /// What all that is in that index has in common.
    failed: &'static str,
}

const HOOKS: Table = Table {
    from: "hooks AS h",
    id: "h.id",
    request_id: "h.request_id",
    time: "h.first_seen_at",
    by_time: "hooks_by_time",
    by_request: "hooks_by_request",
    failed_by_time: "hooks_failed_by_time",
    failed: FAILED_HOOK,
};

const CHANGES: Table = Table {
    from: "changes AS c",
    id: "c.id",
    request_id: "c.request_id",
    time: "c.at",
    by_time: "changes_by_time",
    by_request: "changes_by_request",
    failed_by_time: "changes_failed_by_time",
    failed: FAILED_CHANGE,
};

/// What of a table is asked for.
pub(super) struct OfRequests<'n> {
    narrowed: &'n Narrowed<'n>,
    table: Table,
    /// Of the rows themselves, but for their time and what is chosen.
    asked: Conditions,
    /// The hooks' names, or the status that changes led to: each of them has an index by time.
    chosen: Option<&'n Choice>,
    /// The statuses of the requests, where they follow from what is asked.
    status: Option<&'n Choice>,
    /// Whether no row can be what is asked for.
    is_nothing: bool,
}

impl<'n> OfRequests<'n> {
    pub(super) fn hooks(narrowed: &'n Narrowed<'n>) -> Self {
        let chosen = narrowed.hook.as_ref();
        Self {
            narrowed,
            table: HOOKS,
            asked: narrowed.of_hook(chosen),
            chosen,
            status: None,
            is_nothing: narrowed.asks_for_no_hook(),
        }
    }

    pub(super) fn changes(narrowed: &'n Narrowed<'n>) -> Self {
        // Of several, one that never goes with what else is asked would be walked to its end.
        let chosen = narrowed.to_status.as_ref().filter(|status| status.each().len() <= 1);
        Self {
            narrowed,
            table: CHANGES,
            asked: narrowed.of_change(chosen),
            chosen,
            status: narrowed.end(),
            is_nothing: narrowed.asks_for_no_hook() && narrowed.hook.is_some(),
        }
    }

    /// The ids, newest first, up to the limit.
    pub(super) fn newest(&self, connection: &Connection) -> rusqlite::Result<Vec<i64>> {
        let Bounds { few, many } = self.narrowed.bounds;
        let limit = self.narrowed.filter.limit;
        let (lead, requests) = self.lead(connection)?;
        if requests >= many {
            return leads::newest(connection, self.by_time(None), limit);
        }
        if requests >= few {
            let (sql, params) = self.bound(requests.saturating_mul(ROWS_A_REQUEST));
            let mut statement = connection.prepare_cached(&sql)?;
            let bound = statement.query_row(params_from_iter(params), |row| row.get(0));
            let bound: Option<i64> = bound.optional()?;
            let newest = leads::newest(connection, self.by_time(bound), limit)?;
            if bound.is_none() || limit.is_some_and(|limit| newest.len() >= limit) {
                return Ok(newest);
            }
        }
        leads::newest(connection, self.by_request(&lead), limit)
    }

    /// What leads to the requests, and by how many rows.
    pub(super) fn lead(&self, connection: &Connection) -> rusqlite::Result<(Lead<'n>, i64)> {
        if self.is_nothing {
            return Ok((Lead::Few(Vec::new()), 0));
        }
        self.narrowed.rarest(connection, self.status, &Conditions::default())
    }

    /// The index that is walked through, and what is known of all that it has.
    fn walked(&self) -> (&'static str, Conditions) {
        let mut known = Conditions::default();
        if self.narrowed.asks_for_failures() {
            known.add(self.table.failed, []);
            return (self.table.failed_by_time, known);
        }
        (self.table.by_time, known)
    }

    /// The statement that finds the time back to which the `count` newest rows reach, if there are more.
    pub(super) fn bound(&self, count: i64) -> (String, Vec<Value>) {
        let Table { from, time, .. } = self.table;
        let (index, known) = self.walked();
        let conditions = known.and(self.narrowed.time(time));
        let sql = format!(
            "SELECT {time} FROM {from} INDEXED BY {index}{}\nORDER BY {time} DESC LIMIT 1 OFFSET {count}",
            conditions.to_where()
        );
        (sql, conditions.params)
    }

    /// The statements that find rows from the newest on, back to `since`: of each that is chosen, of those that failed, or of all.
    pub(super) fn by_time(&self, since: Option<i64>) -> Vec<(String, Vec<Value>)> {
        let Table {
            from, request_id, time, ..
        } = self.table;
        let about = self.narrowed.about_request(None);
        let join = if about.is_empty() {
            String::new()
        } else {
            format!("CROSS JOIN requests AS r ON r.id = {request_id}")
        };
        let mut rest = self.narrowed.time(time);
        if let Some(since) = since {
            rest.add(format!("{time} >= ?"), [Value::from(since)]);
        }
        let rest = rest.and(self.asked.clone()).and(about);
        let walk = |index: &str, first: Conditions| {
            self.select(&format!("{from} INDEXED BY {index} {join}"), first.and(rest.clone()))
        };
        let Some(chosen) = self.chosen else {
            return vec![walk(self.walked().0, Conditions::default())];
        };
        let each = chosen.each().into_iter().map(|(condition, value)| {
            let mut first = Conditions::default();
            first.add(condition, value);
            walk(chosen.column.index, first)
        });
        each.collect()
    }

    /// The statements that find rows by their requests.
    pub(super) fn by_request(&self, lead: &Lead<'_>) -> Vec<(String, Vec<Value>)> {
        let Table {
            from,
            request_id,
            time,
            by_request,
            ..
        } = self.table;
        let each = lead
            .each(|except| self.narrowed.about_request(except))
            .into_iter()
            .map(|(index, conditions)| {
                let chosen = self.chosen.map(Choice::condition).unwrap_or_default();
                let from =
                    format!("requests AS r {index} CROSS JOIN {from} INDEXED BY {by_request} ON {request_id} = r.id");
                self.select(
                    &from,
                    conditions
                        .and(chosen)
                        .and(self.asked.clone())
                        .and(self.narrowed.time(time)),
                )
            });
        each.collect()
    }

    fn select(&self, from: &str, conditions: Conditions) -> (String, Vec<Value>) {
        let Table { id, time, .. } = self.table;
        let sql = format!(
            "SELECT {time}, {id} FROM {from}{}\nORDER BY {time} DESC, {id} DESC LIMIT ?",
            conditions.to_where()
        );
        (sql, conditions.params)
    }
}
