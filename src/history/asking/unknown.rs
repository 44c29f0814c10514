//! Why nothing was found: names that a filter gives, and the history does not have, or not there.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::Filter;
use super::choice;
use crate::decide::route::{Field, Patterns};
use crate::history::{HistoryError, Reader, View};
use crate::model::{HookStatus, RequestStatus, TargetName};

/// A name that the history does not have, and those that it has, in order; or a status that rows of a view never have, and
/// those that they may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub field: Field,
    pub name: String,
    pub known: Vec<String>,
}

impl Reader {
    /// The names in `filter` that nothing in the history has: targets, Regions, types, error codes and hooks, where they are
    /// asked for by a whole name. A pattern with a `*` names nothing, and neither does one that excludes. With them the
    /// statuses that are a request's where hooks of `view` are asked for, or a hook's where requests are.
    pub fn unknown(&self, view: View, filter: &Filter) -> Result<Vec<Unknown>, HistoryError> {
        let mut unknown = self.read(|connection| Ok(unknown(connection, filter)?))?;
        let known: Option<&[&str]> = match view {
            View::Requests => Some(RequestStatus::KNOWN),
            View::Hooks => Some(HookStatus::KNOWN),
            View::Changes if filter.hook_type_name.is_some() => Some(HookStatus::KNOWN),
            _ => None,
        };
        if let Some(known) = known {
            let known: Vec<String> = known.iter().map(|&word| word.to_owned()).collect();
            let named = named(filter.status.as_ref());
            unknown.extend(named.filter_map(|name| unless_known(Field::Status, name, known.clone())));
        }
        Ok(unknown)
    }
}

fn unknown(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Unknown>> {
    let mut unknown = Vec::new();
    if filter.target.is_some() || filter.region.is_some() {
        let mut statement = connection.prepare_cached("SELECT name, region FROM targets")?;
        let targets = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let targets: Vec<(TargetName, String)> = targets.collect::<Result<_, _>>()?;
        let (mut names, mut entries, mut regions) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (name, region) in targets {
            entries.insert(name.entry().to_owned());
            names.insert(name.as_str().to_owned());
            regions.insert(region);
        }
        for name in named(filter.target.as_ref()) {
            let known = if name.contains('/') { &names } else { &entries };
            unknown.extend(unless_known(Field::Target, name, known.iter().cloned().collect()));
        }
        for name in named(filter.region.as_ref()) {
            unknown.extend(unless_known(Field::Region, name, regions.iter().cloned().collect()));
        }
    }
    for (field, patterns, column) in [
        (Field::TypeName, &filter.type_name, choice::TYPE_NAME),
        (Field::ErrorCode, &filter.error_code, choice::ERROR_CODE),
        (Field::HookTypeName, &filter.hook_type_name, choice::HOOK_TYPE_NAME),
    ] {
        for name in named(patterns.as_ref()) {
            unknown.extend(unless_known(field, name, column.values(connection)?));
        }
    }
    Ok(unknown)
}

/// The whole names among patterns.
fn named(patterns: Option<&Patterns>) -> impl Iterator<Item = String> {
    let included = patterns.into_iter().flat_map(Patterns::included);
    included.filter(|pattern| !pattern.contains('*'))
}

fn unless_known(field: Field, name: String, known: Vec<String>) -> Option<Unknown> {
    (!known.contains(&name)).then_some(Unknown { field, name, known })
}
