//! Which index leads, and the requests that it finds.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::Bounds;
use super::choice::{Choice, Conditions, beginning, glob};
use super::filter::{Narrowed, START};
use crate::decide::route::Patterns;
use crate::history::reader::rows;
use crate::history::sql::RequestId;

/// From where what matches begins up to where it ends; all identifiers, if it may begin with anything.
pub(super) const IDENTIFIED: &str = "
SELECT id FROM requests INDEXED BY requests_by_resource
WHERE identifier >= ?1 AND identifier < ?2 AND identifier GLOB ?3 LIMIT ?4";
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
        let (lead, _) = self.rarest(connection, self.status.as_ref(), &self.time(START))?;
        Ok(lead)
    }

    /// What leads to the requests of what is shown, by the fewest rows of those that `time` lets through, and how many these
    /// are: more than any number, if not counted. `status` is the requests', if one is asked of them.
    pub(super) fn rarest(
        &'n self,
        connection: &Connection,
        status: Option<&'n Choice>,
        time: &Conditions,
    ) -> rusqlite::Result<(Lead<'n>, i64)> {
        let Bounds { few, many } = self.bounds;
        let (mut lead, mut fewest) = (Lead::Time, i64::MAX);
        if self.filter.open {
            // What is open is few among all, and the index holds nothing else.
            (lead, fewest) = (Lead::Open, few);
        }
        for choice in self.of_request.iter().chain(status).filter(|choice| choice.can_lead()) {
            if let Some(count) = count(connection, choice, time, fewest, many)? {
                (lead, fewest) = (Lead::Each(choice), count);
            }
        }
        if let Some(patterns) = &self.filter.identifier
            && let Some(ids) =
                identified(connection, patterns, few, fewest >= many)?.filter(|ids| rows(ids.len()) < fewest)
        {
            fewest = rows(ids.len());
            lead = Lead::Few(ids);
        }
        if let Some(hook) = &self.hook
            && let Some(ids) = guarded(connection, hook, few)?.filter(|ids| rows(ids.len()) < fewest)
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
        let found = newest(connection, statements(&lead, shown), self.filter.limit)?;
        Ok(found.into_iter().map(RequestId).collect())
    }
}

/// How many rows a choice leaves, counted up to `many` for each value and in all; `None` if no fewer than `fewest`.
fn count(
    connection: &Connection,
    choice: &Choice,
    time: &Conditions,
    fewest: i64,
    many: i64,
) -> rusqlite::Result<Option<i64>> {
    let mut count = 0;
    for (condition, value) in choice.each() {
        let mut conditions = Conditions::default();
        conditions.add(condition, value);
        let conditions = conditions.and(time.clone());
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM requests AS r INDEXED BY {}{} LIMIT {many})",
            choice.column.index,
            conditions.to_where()
        );
        let mut statement = connection.prepare_cached(&sql)?;
        count += statement.query_row(params_from_iter(conditions.params), |row| row.get::<_, i64>(0))?;
        if count >= fewest {
            return Ok(None);
        }
        if count >= many {
            break;
        }
    }
    Ok(Some(count))
}

impl Lead<'_> {
    /// How it is read, once for each of its values: by which index, and under which conditions, with those that are asked
    /// besides; a choice that leads is not asked again.
    pub(super) fn each(&self, besides: impl Fn(Option<&Choice>) -> Conditions) -> Vec<(String, Conditions)> {
        let by = |index: &str| format!("INDEXED BY {index}");
        match self {
            Lead::Time => vec![(by("requests_by_start"), besides(None))],
            Lead::Open => vec![(by("requests_open_by_start"), besides(None))],
            Lead::Each(choice) => {
                let each = choice.each().into_iter().map(|(condition, value)| {
                    let mut first = Conditions::default();
                    first.add(condition, value);
                    (by(choice.column.index), first.and(besides(Some(choice))))
                });
                each.collect()
            }
            Lead::Few(ids) => {
                let each = ids.iter().map(|id| {
                    let mut first = Conditions::default();
                    first.add("r.id = ?", [Value::from(id.0)]);
                    (String::new(), first.and(besides(None)))
                });
                each.collect()
            }
        }
    }
}

/// The statements that find requests by a lead.
pub(super) fn statements(
    lead: &Lead<'_>,
    besides: impl Fn(Option<&Choice>) -> Conditions,
) -> Vec<(String, Vec<Value>)> {
    let each = lead.each(besides).into_iter().map(|(index, conditions)| {
        let sql = format!(
            "SELECT {START}, r.id FROM requests AS r {index}{}\nORDER BY {START} DESC, r.id DESC LIMIT ?",
            conditions.to_where()
        );
        (sql, conditions.params)
    });
    each.collect()
}

/// Runs statements that give a time and an id, and keeps the newest.
pub(super) fn newest(
    connection: &Connection,
    statements: Vec<(String, Vec<Value>)>,
    limit: Option<usize>,
) -> rusqlite::Result<Vec<i64>> {
    let mut found: Vec<(i64, i64)> = Vec::new();
    for (sql, mut params) in statements {
        params.push(Value::from(limit.map_or(-1, rows)));
        let mut statement = connection.prepare_cached(&sql)?;
        for row in statement.query_map(params_from_iter(params), |row| Ok((row.get(0)?, row.get(1)?)))? {
            found.push(row?);
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.truncate(limit.unwrap_or(usize::MAX));
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// The requests on what the patterns may match, if they are few. Where `walk` is false, each pattern must begin with something.
fn identified(
    connection: &Connection,
    patterns: &Patterns,
    limit: i64,
    walk: bool,
) -> rusqlite::Result<Option<Vec<RequestId>>> {
    let mut ids: Vec<RequestId> = Vec::new();
    let mut patterns = patterns.included().peekable();
    if patterns.peek().is_none() {
        return Ok(None);
    }
    for pattern in patterns {
        let beginning = beginning(&pattern);
        if beginning.is_empty() && !walk {
            return Ok(None);
        }
        let end = format!("{beginning}{}", char::MAX);
        let mut statement = connection.prepare_cached(IDENTIFIED)?;
        for id in statement.query_map(params![beginning, end, glob(&pattern), limit], |row| row.get(0))? {
            ids.push(id?);
        }
    }
    Ok(few(ids, limit))
}

/// The requests of which such hooks are known, if they are few.
fn guarded(connection: &Connection, hook: &Choice, limit: i64) -> rusqlite::Result<Option<Vec<RequestId>>> {
    if hook.or_absent {
        return Ok(None);
    }
    let mut ids: Vec<RequestId> = Vec::new();
    for name in &hook.values {
        let mut statement = connection.prepare_cached(GUARDED_BY)?;
        let found: rusqlite::Result<Vec<RequestId>> =
            statement.query_map(params![name, limit], |row| row.get(0))?.collect();
        ids.extend(found?);
        if rows(ids.len()) >= limit {
            return Ok(None);
        }
    }
    Ok(few(ids, limit))
}

fn few(mut ids: Vec<RequestId>, limit: i64) -> Option<Vec<RequestId>> {
    ids.sort_unstable();
    ids.dedup();
    (rows(ids.len()) < limit).then_some(ids)
}
