//! The rows of a public view, in portions, for whoever takes them elsewhere.
//!
//! **What is promised**: each row is one that the view had at some moment of the export, no row comes twice, and every row
//! that was there from its begin to its end comes. Two rows may be from different moments: a request that ends meanwhile can
//! be open in one portion while an event of its end is in a later export. A single transaction over all of it would show one
//! state, but hold back the WAL for as long as the export takes, minutes where someone's `less` reads it. For one state, make
//! a backup and export that.
//!
//! Memory holds one portion.

mod views;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params, params_from_iter};

use super::asking::Narrowed;
use super::public_schema::Kind;
use super::reader::rows;
use super::{Failure, Filter, HistoryError, Reader};
use crate::model::Timestamp;

use views::Source;
pub use views::View;

/// What a row has in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Absent,
    Text(String),
    Integer(i64),
    Real(f64),
    Bool(bool),
    Time(Timestamp),
}

/// Some rows of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Portion {
    /// In the order of their ids. It may be that there are none, and that more follow.
    pub rows: Vec<Vec<Cell>>,
    /// What to ask for the next portion with.
    pub last: i64,
}

impl Reader {
    /// The rows of `view` among the `limit` that follow `after`, which is 0 at the begin; `None` at the end. Of `filter`, the
    /// targets, Regions and time count: when a request started or an event was observed, and whether a gap was.
    pub fn portion(
        &self,
        view: View,
        filter: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<Option<Portion>, HistoryError> {
        self.read(|connection| {
            let source = view.source();
            let mut statement = connection.prepare_cached(&last_of(&source))?;
            let Some(last) = statement.query_row(params![after, rows(limit)], |row| row.get(0))? else {
                return Ok(None);
            };
            let rows = read(connection, view, &Narrowed::new(connection, filter)?, (after, last))?;
            Ok(Some(Portion { rows, last }))
        })
    }

    /// The highest id that `view` has, which portions walk up to: what progress is measured against.
    pub fn last_id(&self, view: View) -> Result<i64, HistoryError> {
        self.read(|connection| {
            let source = view.source();
            let sql = format!("SELECT coalesce(max({}), 0) FROM {}", source.plain_id, source.table);
            Ok(connection.query_row(&sql, [], |row| row.get(0))?)
        })
    }
}

fn last_of(source: &Source) -> String {
    let Source { table, plain_id, .. } = source;
    format!(
        "SELECT max({plain_id}) FROM (SELECT {plain_id} FROM {table} WHERE {plain_id} > ?1 ORDER BY {plain_id} LIMIT ?2)"
    )
}

/// What finds the rows of a portion.
fn between(view: View, narrowed: &Narrowed<'_>, (after, last): (i64, i64)) -> (String, Vec<Value>) {
    let source = view.source();
    let Source { select, id, .. } = source;
    let mut conditions = match source.end {
        Some(end) => narrowed.lasting(source.time, end),
        None => narrowed.time(source.time),
    };
    if let (Some(targets), Some(target)) = (narrowed.target(), source.target) {
        // The `+`: rows come by their id, not by their target.
        conditions = conditions.and(targets.condition_on(&format!("+{target}")));
    }
    conditions.add(
        format!("{id} > ? AND {id} <= ?"),
        [Value::from(after), Value::from(last)],
    );
    (
        format!("{select}{}\nORDER BY {id}", conditions.to_where()),
        conditions.params,
    )
}

fn read(
    connection: &Connection,
    view: View,
    narrowed: &Narrowed<'_>,
    ids: (i64, i64),
) -> Result<Vec<Vec<Cell>>, Failure> {
    let (sql, params) = between(view, narrowed, ids);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(params), |row| {
        let cells = view.columns().iter().enumerate();
        cells.map(|(place, column)| cell(row, place, column.kind)).collect()
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn cell(row: &Row<'_>, place: usize, kind: Kind) -> rusqlite::Result<Cell> {
    if row.get_ref(place)? == ValueRef::Null {
        return Ok(Cell::Absent);
    }
    Ok(match kind {
        Kind::Text => Cell::Text(row.get(place)?),
        Kind::Integer => Cell::Integer(row.get(place)?),
        Kind::Real => Cell::Real(row.get(place)?),
        Kind::Bool => Cell::Bool(row.get(place)?),
        Kind::Time => Cell::Time(row.get(place)?),
    })
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
