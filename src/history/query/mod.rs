//! Someone else's SQL, asked of a history that a daemon may be writing.
//!
//! What a statement of any text can and cannot do, and what sees to it:
//!
//! - **It only reads.** An authorizer lets through what reads and nothing else ([`permission`]), the connection is
//!   `query_only`, and a statement that SQLite does not call read-only is not begun. Each of the three would do; a mistake
//!   in one is caught by the next. *(`query_tests`, `tests/sql_command.rs`: the file's bytes stay the same)*
//! - **It reaches no other file**: no ATTACH, no extension, no temporary file. What a sort or a `DISTINCT` needs is kept in
//!   memory, since SQLite bounds memory, and bounds files by nothing.
//! - **It can't use up the machine.** All of SQLite's memory in this process has a hard limit, sorts and results in the
//!   making included; a single value, the statement's own length and its depth have limits of their own, so that most
//!   of what is absurd is refused before it costs anything.
//! - **It can be stopped**, from another thread, by its [`Stopper`]. SQLite looks for that between two steps of its
//!   machine, and one step may be a function's long work on a long text: whoever promises a time must also be ready to
//!   end the process, which loses nothing, because it only reads.
//! - **It sees one state of the history**, from its first row to its last. Until then the WAL can't be folded away, so
//!   whoever asks should give it an end.
//!
//! A separate process with a seccomp filter, or a copy of the file, would be stronger walls; they would also be a second
//! program to keep, or minutes of waiting for a large history.

mod failure;
mod permission;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, InterruptHandle};

use super::{OpenError, open};

pub use failure::SqlError;

/// The longest statement, in bytes.
pub const LONGEST_STATEMENT: usize = 1024 * 1024;

/// The longest text or blob, in bytes: 64 of the longest resource models that the service takes.
const LONGEST_VALUE: i32 = 16 * 1024 * 1024;

/// Far more than a query that a person writes has, and little enough that a statement is neither compiled for long nor
/// deep enough for a stack. <https://www.sqlite.org/limits.html>
const LIMITS: [(Limit, i32); 8] = [
    (Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 1024 * 1024),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
    (Limit::SQLITE_LIMIT_VDBE_OP, 1_000_000),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// Asks a history what someone else wrote, and cannot write to it.
#[derive(Debug)]
pub struct SqlReader {
    connection: Connection,
    path: Arc<Path>,
    denied: Denied,
    memory: u64,
}

/// What the authorizer said no to last, in words: SQLite itself only says "not authorized".
type Denied = Arc<Mutex<Option<String>>>;

/// A value of a result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SqlValue<'a> {
    Null,
    Integer(i64),
    /// Never NaN, which SQLite shows as NULL; may be infinite.
    Real(f64),
    /// As stored: SQLite does not see to it that it is UTF-8.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// Stops a statement that runs in another thread.
pub struct Stopper(InterruptHandle);

impl Stopper {
    /// Has the running statement fail soon with [`SqlError::Stopped`]. Without a running statement, nothing happens, not
    /// even to the next one.
    pub fn stop(&self) {
        self.0.interrupt();
    }
}

impl std::fmt::Debug for Stopper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stopper")
    }
}

impl SqlReader {
    /// Opens the history at `path`, as [`Reader::open`](super::Reader::open) does.
    ///
    /// `memory` is all that SQLite may use, in bytes. It holds for this process, and can't be raised again in it.
    /// <https://www.sqlite.org/pragma.html#pragma_hard_heap_limit>
    pub fn open(path: &Path, memory: u64) -> Result<Self, OpenError> {
        let mut connection = open::outside_reader(path)?.connection;
        let denied = Denied::default();
        restrict(&mut connection, memory, &denied).map_err(|source| OpenError::from_sqlite(path, source))?;
        Ok(Self {
            connection,
            path: path.into(),
            denied,
            memory,
        })
    }

    pub fn stopper(&self) -> Stopper {
        Stopper(self.connection.get_interrupt_handle())
    }

    /// Compiles one statement and gives its parameters their values. `parameters` have names without `:`, `@` or `$`.
    ///
    /// A value that is a number as SQLite would write it is one: `duration_s > :longer` compares numbers.
    pub fn ask(&self, sql: &str, parameters: &[(String, String)]) -> Result<SqlAnswer<'_>, SqlError> {
        if sql.contains('\0') {
            return Err(SqlError::statement("there is a NUL character in the statement"));
        }
        if sql.len() > LONGEST_STATEMENT {
            return Err(SqlError::statement("the statement is longer than 1 MiB"));
        }
        self.forget_denied();
        let prepared = self.connection.prepare(sql);
        let mut statement = prepared.map_err(|error| self.failure(error).into_statement(sql))?;
        if !statement.readonly() {
            return Err(SqlError::only_reads("this statement"));
        }
        if statement.column_count() == 0 {
            return Err(SqlError::statement("there is no statement; ask with SELECT"));
        }
        bind(&mut statement, parameters)?;
        let columns = statement.column_names().map(str::to_owned).collect();
        Ok(SqlAnswer {
            statement,
            columns,
            reader: self,
        })
    }

    fn forget_denied(&self) {
        *self.denied.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn failure(&self, error: rusqlite::Error) -> SqlError {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure::sorted(error, denied, self.memory, &self.path)
    }
}

/// The rows of a statement, which runs while they are asked for.
#[derive(Debug)]
pub struct SqlAnswer<'a> {
    statement: rusqlite::Statement<'a>,
    columns: Vec<String>,
    reader: &'a SqlReader,
}

impl SqlAnswer<'_> {
    /// The names of the columns as SQLite has them: one may come twice.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Hands each row to `each`, until there are no more or it says that it has enough.
    ///
    /// The outer error is the statement's, the inner one is what `each` failed with.
    pub fn each_row<E>(
        &mut self,
        mut each: impl FnMut(&[SqlValue<'_>]) -> Result<Wanted, E>,
    ) -> Result<Result<(), E>, SqlError> {
        let width = self.columns.len();
        let mut rows = self.statement.raw_query();
        loop {
            let next = rows.next().map_err(|error| self.reader.failure(error))?;
            let Some(row) = next else { return Ok(Ok(())) };
            let mut values = Vec::with_capacity(width);
            for column in 0..width {
                let value = row.get_ref(column).map_err(|error| self.reader.failure(error))?;
                values.push(SqlValue::from(value));
            }
            match each(&values) {
                Ok(Wanted::More) => {}
                Ok(Wanted::NoMore) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}

/// Whether more rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    More,
    NoMore,
}

impl<'a> From<ValueRef<'a>> for SqlValue<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(text),
            ValueRef::Blob(blob) => Self::Blob(blob),
        }
    }
}

/// The order matters: the authorizer comes last, for it would refuse the pragmas before it.
fn restrict(connection: &mut Connection, memory: u64, denied: &Denied) -> rusqlite::Result<()> {
    // A schema that someone else has altered runs nothing but what is harmless, and no statement reaches below SQL.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    let memory = i64::try_from(memory).unwrap_or(i64::MAX);
    let _: i64 = connection.pragma_update_and_check(None, "hard_heap_limit", memory, |row| row.get(0))?;
    for (limit, value) in LIMITS {
        connection.set_limit(limit, value)?;
    }
    let denied = Arc::clone(denied);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        match permission::denied(&context.action) {
            None => Authorization::Allow,
            Some(what) => {
                *denied.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
                Authorization::Deny
            }
        }
    }))
}

fn bind(statement: &mut rusqlite::Statement<'_>, parameters: &[(String, String)]) -> Result<(), SqlError> {
    let mut unused: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or("?").to_owned();
        let bare = name.trim_start_matches([':', '@', '$']);
        let mut values = parameters.iter().filter(|(given, _)| given == bare);
        let Some((_, value)) = values.next() else {
            return Err(SqlError::Statement {
                message: format!("the statement's parameter {name} has no value"),
                place: None,
                hint: Some(match bare.strip_prefix('?') {
                    None => format!("give it one by --param {bare}=VALUE"),
                    Some(_) => "name it, as in :name, and give it a value by --param name=VALUE".to_owned(),
                }),
            });
        };
        if values.next().is_some() {
            return Err(SqlError::statement(&format!(
                "the statement's parameter {name} has several values"
            )));
        }
        unused.retain(|given| *given != bare);
        statement
            .raw_bind_parameter(index, as_value(value))
            .map_err(|error| SqlError::statement(&error.to_string()))?;
    }
    match unused.first() {
        None => Ok(()),
        Some(name) => Err(SqlError::statement(&format!("the statement has no parameter :{name}"))),
    }
}

/// A number if it is spelled as one, and text otherwise: `0012` and `1e` are text.
fn as_value(text: &str) -> Stored {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Stored::Integer(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number.to_string() == text => Stored::Real(number),
        _ => Stored::Text(text.to_owned()),
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
