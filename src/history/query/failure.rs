//! Why a statement has no answer, for whoever wrote it: what SQLite says, where, and what they may have meant.

use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

use super::super::public_schema::{PublicView, VIEWS};
use super::super::{Failure, HistoryError};
use super::permission;
use crate::model::{nearest, printable};

/// Why a statement has no answer, or no more of it.
#[derive(Debug, Error)]
pub enum SqlError {
    /// Nothing was run.
    #[error("{}", shown(message, place.as_deref(), hint.as_deref()))]
    Statement {
        message: String,
        /// The line of the statement, and under it a sign where the trouble begins.
        place: Option<String>,
        hint: Option<String>,
    },
    #[error("while the statement ran: {0}")]
    Running(String),
    /// By [`Stopper::stop`](super::Stopper::stop).
    #[error("stopped")]
    Stopped,
    #[error(
        "the statement needs more than {} MiB of memory: ask for fewer rows or columns, sort or group less, or give it more",
        .bytes / (1024 * 1024)
    )]
    Memory { bytes: u64 },
    #[error("the statement makes a text or a blob of more than 16 MiB")]
    LongValue,
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl SqlError {
    pub(super) fn statement(message: &str) -> Self {
        Self::Statement {
            message: message.to_owned(),
            place: None,
            hint: None,
        }
    }

    /// What went wrong before anything ran is the statement's fault.
    pub(super) fn into_statement(self, sql: &str) -> Self {
        match self {
            Self::Statement { message, .. } | Self::Running(message) if let Some(what) = written(&message, sql) => {
                Self::only_reads(&what)
            }
            Self::Running(message) => {
                let hint = hint(&message, "");
                Self::Statement {
                    message,
                    place: None,
                    hint,
                }
            }
            other => other,
        }
    }

    pub(super) fn only_reads(what: &str) -> Self {
        Self::statement(&format!(
            "{what} is refused: only what reads is run (SELECT, EXPLAIN, and pragmas such as table_info)"
        ))
    }
}

/// What a statement would write in which SQLite found another fault first.
fn written(message: &str, sql: &str) -> Option<String> {
    let view = message.strip_prefix("cannot modify ");
    let view = view.and_then(|message| message.strip_suffix(" because it is a view"));
    let by_word = permission::written_by(sql).map(str::to_owned);
    by_word.or_else(|| view.map(|view| format!("a change of {view}")))
}

fn shown(message: &str, place: Option<&str>, hint: Option<&str>) -> String {
    let mut text = message.to_owned();
    if let Some(place) = place {
        text = format!("{text}\n{place}");
    }
    if let Some(hint) = hint {
        text = format!("{text}\n{hint}");
    }
    text
}

/// Sorts what SQLite said of a statement.
pub(super) fn sorted(error: rusqlite::Error, denied: Option<String>, memory: u64, path: &Arc<Path>) -> SqlError {
    if let Some(what) = denied {
        return SqlError::only_reads(&printable(&what));
    }
    match error {
        rusqlite::Error::MultipleStatement => {
            SqlError::statement("there is more than one statement; ask one at a time")
        }
        rusqlite::Error::SqlInputError { msg, sql, offset, .. } => SqlError::Statement {
            place: usize::try_from(offset).ok().and_then(|offset| pointed_at(&sql, offset)),
            hint: hint(&msg, &sql),
            message: printable(&msg).into_owned(),
        },
        rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
            ErrorCode::OperationInterrupted => SqlError::Stopped,
            ErrorCode::OutOfMemory => SqlError::Memory { bytes: memory },
            ErrorCode::TooBig => SqlError::LongValue,
            ErrorCode::ReadOnly => SqlError::only_reads("this statement"),
            // What SQL itself can do wrong, such as `abs` of the least number. Anything else is trouble with the file.
            ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange => {
                let message = message.unwrap_or_else(|| failure.to_string());
                SqlError::Running(printable(&message).into_owned())
            }
            _ => history(path, rusqlite::Error::SqliteFailure(failure, message)),
        },
        error => history(path, error),
    }
}

fn history(path: &Arc<Path>, error: rusqlite::Error) -> SqlError {
    SqlError::History(HistoryError {
        path: Arc::clone(path),
        failure: Failure::from(error),
    })
}

/// How much of a long line is shown on either side of the place, in characters.
const AROUND: usize = 60;

/// The line with the byte at `offset`, and a sign under it.
fn pointed_at(sql: &str, offset: usize) -> Option<String> {
    let before = sql.get(..offset)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = sql[start..].lines().next().unwrap_or_default();
    let column = before[start..].chars().count();
    let cut = column.saturating_sub(AROUND);
    let shown: String = line.chars().skip(cut).take(2 * AROUND).collect();
    let front = if cut > 0 { "…" } else { "" };
    let head = if sql.trim_end().contains('\n') {
        format!("line {}: {front}", before.matches('\n').count() + 1)
    } else {
        format!("  {front}")
    };
    let blank = " ".repeat(head.chars().count() + column - cut);
    Some(format!("{head}{}\n{blank}^", printable(&shown)))
}

/// What someone meant who named a table or a column that is not there.
fn hint(message: &str, sql: &str) -> Option<String> {
    if let Some(table) = message.strip_prefix("no such table: ") {
        let names = || VIEWS.iter().map(|view| view.name);
        let bare = table.rsplit('.').next().unwrap_or(table);
        let meant = nearest(bare, names()).or_else(|| nearest(&format!("v_{bare}"), names()));
        return Some(match meant {
            Some(view) => format!("did you mean {view}? `ccwatch sql --schema` lists all"),
            None => format!("the views are {}", names().collect::<Vec<_>>().join(", ")),
        });
    }
    let column = message.strip_prefix("no such column: ")?;
    let bare = column
        .rsplit('.')
        .next()
        .unwrap_or(column)
        .split(' ')
        .next()
        .unwrap_or(column);
    let lower = sql.to_lowercase();
    let named: Vec<&PublicView> = VIEWS.iter().filter(|view| lower.contains(view.name)).collect();
    let columns = || {
        named
            .iter()
            .flat_map(|view| view.columns.iter().map(|column| column.name))
    };
    if let Some(meant) = nearest(bare, columns()) {
        return Some(format!("did you mean {meant}?"));
    }
    let lists: Vec<String> = named
        .iter()
        .map(|view| {
            let columns: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
            format!("{} has {}", view.name, columns.join(", "))
        })
        .collect();
    (!lists.is_empty()).then(|| lists.join("\n"))
}
