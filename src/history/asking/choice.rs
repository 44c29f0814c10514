//! Conditions on a column, from patterns.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use crate::decide::route::Patterns;

/// Conditions that a row must meet, with their parameters in order.
#[derive(Debug, Clone, Default)]
pub(in crate::history) struct Conditions {
    pub(in crate::history) sql: Vec<String>,
    pub(in crate::history) params: Vec<Value>,
}

impl Conditions {
    pub(in crate::history) fn add(&mut self, sql: impl Into<String>, params: impl IntoIterator<Item = Value>) {
        self.sql.push(sql.into());
        self.params.extend(params);
    }

    pub(in crate::history) fn and(mut self, other: Self) -> Self {
        self.sql.extend(other.sql);
        self.params.extend(other.params);
        self
    }

    /// `WHERE` with all of them, or nothing.
    pub(in crate::history) fn to_where(&self) -> String {
        if self.sql.is_empty() {
            return String::new();
        }
        format!("\nWHERE {}", self.sql.join(" AND "))
    }

    pub(in crate::history) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }
}

/// A column with few different values, and how to read them from an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// The next value after `?1`, by an index that begins with the column.
    pub(super) next: &'static str,
    /// Gives a row if there is a row without a value, by the same index.
    pub(super) absent: &'static str,
    /// The index that gives the rows of one value newest first.
    pub(super) index: &'static str,
}

pub(super) const STATUS: Column = Column {
    name: "r.status",
    next: "SELECT status FROM requests WHERE status > ?1 ORDER BY status LIMIT 1",
    absent: "SELECT 1 FROM requests WHERE status IS NULL LIMIT 1",
    index: "requests_by_status",
};
pub(super) const TYPE_NAME: Column = Column {
    name: "r.type_name",
    next: "SELECT type_name FROM requests WHERE type_name > ?1 ORDER BY type_name LIMIT 1",
    absent: "SELECT 1 FROM requests WHERE type_name IS NULL LIMIT 1",
    index: "requests_by_type",
};
pub(super) const OPERATION: Column = Column {
    name: "r.operation",
    next: "SELECT operation FROM requests WHERE operation > ?1 ORDER BY operation LIMIT 1",
    absent: "SELECT 1 FROM requests WHERE operation IS NULL LIMIT 1",
    index: "requests_by_operation",
};
pub(super) const ERROR_CODE: Column = Column {
    name: "r.error_code",
    next: "SELECT error_code FROM requests WHERE error_code > ?1 ORDER BY error_code LIMIT 1",
    // Its index leaves them out, and there are always some: whatever did not fail.
    absent: "SELECT 1",
    index: "requests_by_error",
};
pub(super) const HOOK_TYPE_NAME: Column = Column {
    name: "h.hook_type_name",
    next: "SELECT hook_type_name FROM hooks WHERE hook_type_name > ?1 ORDER BY hook_type_name LIMIT 1",
    absent: "SELECT 1 FROM hooks WHERE hook_type_name IS NULL LIMIT 1",
    index: "hooks_by_name",
};
pub(super) const TO_STATUS: Column = Column {
    name: "c.to_status",
    next: "SELECT to_status FROM changes WHERE to_status > ?1 ORDER BY to_status LIMIT 1",
    absent: "SELECT 1 FROM changes WHERE to_status IS NULL LIMIT 1",
    index: "changes_by_status",
};
/// Its values are rows of `targets`.
pub(super) const TARGET: Column = Column {
    name: "r.target_id",
    next: "",
    absent: "",
    index: "requests_by_target",
};

impl Column {
    /// All values that it has, in order.
    pub(super) fn values(self, connection: &Connection) -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare_cached(self.next)?;
        let mut values = Vec::<String>::new();
        // The empty text comes before every other; the service gives none.
        while let Some(value) = statement
            .query_row([values.last().map_or("", String::as_str)], |row| row.get(0))
            .optional()?
        {
            values.push(value);
        }
        Ok(values)
    }
}

/// The values of a column that are asked for, of those that the history has. Where none are left, nothing can match, and its
/// lead finds that at once.
#[derive(Debug, Clone)]
pub(in crate::history) struct Choice {
    pub(super) column: Column,
    pub(super) values: Vec<Value>,
    /// Whether what has no value is asked for, too, and there is such.
    pub(super) or_absent: bool,
}

impl Choice {
    /// Those values of a column that `patterns` let through. What is absent passes where there are only exclusions.
    pub(super) fn new(connection: &Connection, column: Column, patterns: &Patterns) -> rusqlite::Result<Self> {
        let values = column.values(connection)?.into_iter();
        let values = values.filter(|value| patterns.matches(&[value])).map(Value::from);
        let or_absent = patterns.matches(&[]) && connection.prepare_cached(column.absent)?.exists([])?;
        Ok(Self {
            column,
            values: values.collect(),
            or_absent,
        })
    }

    pub(super) fn condition(&self) -> Conditions {
        self.condition_on(self.column.name)
    }

    /// The same, of a column of another table that refers to it.
    pub(in crate::history) fn condition_on(&self, name: &str) -> Conditions {
        let mut conditions = Conditions::default();
        if self.values.is_empty() && !self.or_absent {
            // False, but only when it runs. SQLite folds `IN ()` away with all that is asked besides, which an index of a
            // part of the rows may need: "no query solution".
            conditions.add("?", [Value::from(false)]);
            return conditions;
        }
        let places = vec!["?"; self.values.len()].join(", ");
        let absent = if self.or_absent {
            format!(" OR {name} IS NULL")
        } else {
            String::new()
        };
        conditions.add(format!("({name} IN ({places}){absent})"), self.values.iter().cloned());
        conditions
    }

    /// A condition for each value by itself.
    pub(super) fn each(&self) -> Vec<(String, Option<Value>)> {
        let name = self.column.name;
        let values = self.values.iter().cloned();
        let values = values.map(|value| (format!("{name} = ?"), Some(value)));
        let absent = self.or_absent.then(|| (format!("{name} IS NULL"), None));
        values.chain(absent).collect()
    }

    /// Whether its index holds all that is asked for: that of errors leaves out what has none.
    pub(super) fn can_lead(&self) -> bool {
        !(self.or_absent && self.column == ERROR_CODE)
    }
}

/// Patterns held against a column whose values are no short list.
pub(super) fn matching(column: &str, patterns: &Patterns) -> Conditions {
    let mut conditions = Conditions::default();
    let included: Vec<String> = patterns.included().collect();
    if !included.is_empty() {
        let any: Vec<String> = included
            .iter()
            .map(|pattern| format!("{column} {} ?", comparison(pattern)))
            .collect();
        let params = included.iter().map(|pattern| Value::from(operand(pattern)));
        conditions.add(format!("({})", any.join(" OR ")), params);
    }
    for pattern in patterns.excluded() {
        let comparison = comparison(&pattern);
        conditions.add(
            format!("({column} IS NULL OR NOT {column} {comparison} ?)"),
            [Value::from(operand(&pattern))],
        );
    }
    conditions
}

/// What every text that a pattern matches begins with; nothing, if it may begin with anything.
pub(super) fn beginning(pattern: &str) -> &str {
    pattern.split('*').next().unwrap_or_default()
}

fn comparison(pattern: &str) -> &'static str {
    if pattern.contains('*') { "GLOB" } else { "=" }
}

fn operand(pattern: &str) -> String {
    if pattern.contains('*') {
        glob(pattern)
    } else {
        pattern.to_owned()
    }
}

/// A pattern in which `*` alone is special, as SQLite's GLOB, in which `?` and `[` are too.
pub(super) fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        match c {
            '?' | '[' => glob.extend(['[', c, ']']),
            c => glob.push(c),
        }
    }
    glob
}
