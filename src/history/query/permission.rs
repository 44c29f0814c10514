//! What a statement that only reads may do: a list of what is allowed. What is not on it is denied, so that what a later
//! SQLite brings is denied too.

use rusqlite::hooks::{AuthAction, TransactionOperation};

/// Pragmas that take what to look at as their argument, and only read.
/// <https://www.sqlite.org/pragma.html>
const ABOUT: [&str; 9] = [
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that only read as long as they are given nothing.
const PLAIN: [&str; 15] = [
    "application_id",
    "collation_list",
    "compile_options",
    "database_list",
    "encoding",
    "freelist_count",
    "function_list",
    "hard_heap_limit",
    "journal_mode",
    "module_list",
    "page_count",
    "page_size",
    "pragma_list",
    "schema_version",
    "user_version",
];

/// Functions that reach out of the database. SQLite has both turned off already.
const REACHING_OUT: [&str; 2] = ["fts3_tokenizer", "load_extension"];

/// What is denied, in words that follow "it may not" or the like; `None` if the action is allowed.
pub(super) fn denied(action: &AuthAction<'_>) -> Option<String> {
    match *action {
        AuthAction::Select | AuthAction::Recursive | AuthAction::Read { .. } => None,
        AuthAction::Function { function_name } => {
            let reaches_out = REACHING_OUT.iter().any(|name| function_name.eq_ignore_ascii_case(name));
            reaches_out.then(|| format!("the function {function_name}"))
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => {
            let is_one_of = |names: &[&str]| names.iter().any(|name| pragma_name.eq_ignore_ascii_case(name));
            let only_reads = is_one_of(&ABOUT) || pragma_value.is_none() && is_one_of(&PLAIN);
            (!only_reads).then(|| match pragma_value {
                None => format!("PRAGMA {pragma_name}"),
                Some(_) => format!("PRAGMA {pragma_name} with a value"),
            })
        }
        AuthAction::Attach { .. } => Some("ATTACH".to_owned()),
        AuthAction::Detach { .. } => Some("DETACH".to_owned()),
        AuthAction::Insert { table_name } => Some(written("INSERT", table_name)),
        AuthAction::Update { table_name, .. } => Some(written("UPDATE", table_name)),
        AuthAction::Delete { table_name } => Some(written("DELETE", table_name)),
        AuthAction::Transaction { operation } => Some(match operation {
            TransactionOperation::Begin => "BEGIN".to_owned(),
            _ => "COMMIT or ROLLBACK".to_owned(),
        }),
        AuthAction::Savepoint { .. } => Some("SAVEPOINT".to_owned()),
        AuthAction::Reindex { .. } => Some("REINDEX".to_owned()),
        AuthAction::Analyze { .. } => Some("ANALYZE".to_owned()),
        _ => Some("a change of the schema".to_owned()),
    }
}

/// What a statement would write, by its first word, in the same words; `None` if that word is none that writes. SQLite finds
/// fault with some statements before it asks whether they may be, such as a DELETE from a view.
pub(super) fn written_by(sql: &str) -> Option<&'static str> {
    const SCHEMA: &str = "a change of the schema";
    const WORDS: [(&str, &str); 7] = [
        ("ALTER", SCHEMA),
        ("CREATE", SCHEMA),
        ("DELETE", "DELETE"),
        ("DROP", SCHEMA),
        ("INSERT", "INSERT"),
        ("REPLACE", "REPLACE"),
        ("UPDATE", "UPDATE"),
    ];
    let first = beginning(sql).split(|c: char| !c.is_ascii_alphabetic()).next()?;
    let known = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(first));
    known.map(|(_, what)| *what)
}

/// A statement without the blanks and the comments before its first word.
fn beginning(mut sql: &str) -> &str {
    loop {
        sql = sql.trim_start();
        let comment = match sql.get(..2) {
            Some("--") => sql.split_once('\n'),
            Some("/*") => sql.split_once("*/"),
            _ => return sql,
        };
        sql = comment.map_or("", |(_, rest)| rest);
    }
}

/// CREATE and DROP are asked of as writes to the schema's own table.
fn written(what: &str, table: &str) -> String {
    if table.starts_with("sqlite_") {
        "a change of the schema".to_owned()
    } else {
        what.to_owned()
    }
}
