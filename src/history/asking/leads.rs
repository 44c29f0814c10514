//! Which index leads, and the requests that it finds.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::FEW;
use super::choice::{Choice, Conditions, beginning};
use super::filter::{Narrowed, START};
use crate::decide::route::Patterns;
use crate::history::reader::rows;
use crate::history::sql::RequestId;

/// Beyond this, it does not matter how many more.
const MANY: i64 = 20 * FEW;

/// The exact identifier, or all that begin so.
pub(super) const IDENTIFIED: &str = "
SELECT id FROM requests INDEXED BY requests_by_resource WHERE identifier = ?1 LIMIT ?2";
pub(super) const BEGINNING: &str = "
SELECT id FROM requests INDEXED BY requests_by_resource WHERE identifier >= ?1 AND identifier < ?2 LIMIT ?3";
pub(super) const GUARDED_BY: &str = "
SELECT DISTINCT request_id FROM hooks INDEXED BY hooks_by_name WHERE hook_type_name = ?1 LIMIT ?2";

/// What is read first.
#[derive(Debug)]
pub(super) enum Lead<'n> {
    /// All, by their start.
    Time,
    /// Those that are open, by their start.
    Open,
    /// Those with each value of a column, by their start.
    Each(&'n Choice),
    Few(Vec<RequestId>),
}

impl<'n> Narrowed<'n> {
    /// What leads to the requests that are shown themselves.
    pub(super) fn lead(&'n self, connection: &Connection) -> rusqlite::Result<Lead<'n>> {
        let time = self.time(START);
        let (lead, fewest) = self.lead_about_request(connection, &time)?;
        if let Some(status) = &self.status
            && count(connection, status, &time, fewest)?.is_some()
        {
            return Ok(Lead::Each(status));
        }
        Ok(lead)
    }

    /// What leads to the requests of what is shown, with how many rows it leaves of those that `time` lets through: more than
    /// any number, if not counted.
    fn lead_about_request(&'n self, connection: &Connection, time: &Conditions) -> rusqlite::Result<(Lead<'n>, i64)> {
        let (mut lead, mut fewest) = (Lead::Time, i64::MAX);
        if self.filter.open {
            // What is open is few among all, and the index holds nothing else.
            (lead, fewest) = (Lead::Open, FEW);
        }
        for choice in self.of_request.iter().filter(|choice| choice.can_lead()) {
            if let Some(count) = count(connection, choice, time, fewest)? {
                (lead, fewest) = (Lead::Each(choice), count);
            }
        }
        if let Some(patterns) = &self.filter.identifier
            && let Some(ids) = identified(connection, patterns)?.filter(|ids| rows(ids.len()) < fewest)
        {
            fewest = rows(ids.len());
            lead = Lead::Few(ids);
        }
        if let Some(hook) = &self.hook
            && let Some(ids) = guarded(connection, hook)?.filter(|ids| rows(ids.len()) < fewest)
        {
            fewest = rows(ids.len());
            lead = Lead::Few(ids);
        }
        Ok((lead, fewest))
    }

    /// The requests that are shown themselves, newest first.
    pub(super) fn requests(&self, connection: &Connection) -> rusqlite::Result<Vec<RequestId>> {
        let lead = self.lead(connection)?;
        let shown = |except: Option<&Choice>| self.request(except).and(self.time(START));
        newest(connection, &lead, shown, self.filter.limit)
    }

    /// The requests of what is shown, if what is asked of them leaves few, whenever they began.
    pub(super) fn few_requests(&self, connection: &Connection) -> rusqlite::Result<Option<Vec<RequestId>>> {
        match self.lead_about_request(connection, &Conditions::default())? {
            (lead, fewest) if fewest < FEW || matches!(lead, Lead::Open) => {
                newest(connection, &lead, |except| self.about_request(except), None).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// How many rows a choice leaves, counted up to [`FEW`] for each value, and up to [`MANY`] in all; `None` if no fewer than
/// `fewest`.
fn count(connection: &Connection, choice: &Choice, time: &Conditions, fewest: i64) -> rusqlite::Result<Option<i64>> {
    let mut count = 0;
    for (condition, value) in choice.each() {
        let mut conditions = Conditions::default();
        conditions.add(condition, value);
        let conditions = conditions.and(time.clone());
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM requests AS r INDEXED BY {}{} LIMIT {FEW})",
            choice.column.index,
            conditions.to_where()
        );
        let mut statement = connection.prepare_cached(&sql)?;
        count += statement.query_row(params_from_iter(conditions.params), |row| row.get::<_, i64>(0))?;
        if count >= fewest {
            return Ok(None);
        }
        if count >= MANY {
            break;
        }
    }
    Ok(Some(count))
}

/// The statements of a lead, each for one value of it. `conditions` is what is asked besides; a choice that leads is not asked again.
pub(super) fn statements(
    lead: &Lead<'_>,
    conditions: impl Fn(Option<&Choice>) -> Conditions,
) -> Vec<(String, Vec<Value>)> {
    let select = |from: &str, conditions: Conditions| {
        let sql = format!(
            "SELECT {START}, r.id FROM requests AS r {from}{}\nORDER BY {START} DESC, r.id DESC LIMIT ?",
            conditions.to_where()
        );
        (sql, conditions.params)
    };
    match lead {
        Lead::Time => vec![select("INDEXED BY requests_by_start", conditions(None))],
        Lead::Open => vec![select("INDEXED BY requests_open_by_start", conditions(None))],
        Lead::Each(choice) => {
            let each = choice.each().into_iter().map(|(condition, value)| {
                let mut first = Conditions::default();
                first.add(condition, value);
                select(
                    &format!("INDEXED BY {}", choice.column.index),
                    first.and(conditions(Some(choice))),
                )
            });
            each.collect()
        }
        Lead::Few(ids) => {
            let each = ids.iter().map(|id| {
                let mut first = Conditions::default();
                first.add("r.id = ?", [Value::from(id.0)]);
                select("", first.and(conditions(None)))
            });
            each.collect()
        }
    }
}

fn newest(
    connection: &Connection,
    lead: &Lead<'_>,
    conditions: impl Fn(Option<&Choice>) -> Conditions,
    limit: Option<usize>,
) -> rusqlite::Result<Vec<RequestId>> {
    let mut found: Vec<(i64, RequestId)> = Vec::new();
    for (sql, mut params) in statements(lead, conditions) {
        params.push(Value::from(limit.map_or(-1, rows)));
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(params), |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            found.push(row?);
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.truncate(limit.unwrap_or(usize::MAX));
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// The requests on what the patterns may match, if each of them begins with something and they are few.
fn identified(connection: &Connection, patterns: &Patterns) -> rusqlite::Result<Option<Vec<RequestId>>> {
    let mut ids: Vec<RequestId> = Vec::new();
    let mut patterns = patterns.included().peekable();
    if patterns.peek().is_none() {
        return Ok(None);
    }
    for pattern in patterns {
        let beginning = beginning(&pattern);
        if beginning.is_empty() {
            return Ok(None);
        }
        let found: rusqlite::Result<Vec<RequestId>> = if beginning == pattern {
            let mut statement = connection.prepare_cached(IDENTIFIED)?;
            statement.query_map(params![pattern, FEW], |row| row.get(0))?.collect()
        } else {
            let end = format!("{beginning}{}", char::MAX);
            let mut statement = connection.prepare_cached(BEGINNING)?;
            statement
                .query_map(params![beginning, end, FEW], |row| row.get(0))?
                .collect()
        };
        ids.extend(found?);
    }
    Ok(few(ids))
}

/// The requests of which such hooks are known, if they are few.
fn guarded(connection: &Connection, hook: &Choice) -> rusqlite::Result<Option<Vec<RequestId>>> {
    if hook.or_absent {
        return Ok(None);
    }
    let mut ids: Vec<RequestId> = Vec::new();
    for name in &hook.values {
        let mut statement = connection.prepare_cached(GUARDED_BY)?;
        let found: rusqlite::Result<Vec<RequestId>> =
            statement.query_map(params![name, FEW], |row| row.get(0))?.collect();
        ids.extend(found?);
        if rows(ids.len()) >= FEW {
            return Ok(None);
        }
    }
    Ok(few(ids))
}

fn few(mut ids: Vec<RequestId>) -> Option<Vec<RequestId>> {
    ids.sort_unstable();
    ids.dedup();
    (rows(ids.len()) < FEW).then_some(ids)
}
