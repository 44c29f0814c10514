//! What is asked for, and what that is in this history.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::choice::{self, Choice, Conditions};
use super::{BOUNDS, Bounds};
use crate::decide::route::Patterns;
use crate::model::{HookStatus, RequestStatus, TargetName, Timestamp};

/// Which requests, hooks, changes or gaps to show. What is not given does not matter; what is given must all hold.
///
/// Patterns are as in routes: `*` stands for any characters, `!` in front excludes. `target`, `region`, `type_name`, `operation`,
/// `error_code`, `identifier` and `open` are about the request, whatever is shown of it; `status`, `failed` and the time are
/// about what is shown.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A request's or a hook's; of a change, the one that it led to. What is written out as a word of a request's, such as
    /// FAILED, asks for no hook, and for no change of one.
    pub status: Option<Patterns>,
    /// By the entry's name, or as `entry/region`.
    pub target: Option<Patterns>,
    pub region: Option<Patterns>,
    pub type_name: Option<Patterns>,
    pub operation: Option<Patterns>,
    pub error_code: Option<Patterns>,
    /// A request of which such a hook is known; such a hook; a change of such a hook.
    pub hook_type_name: Option<Patterns>,
    pub identifier: Option<Patterns>,
    /// Requests by their start, hooks by when they were first seen, changes by when they were seen, gaps by when they lasted.
    pub since: Option<Timestamp>,
    /// This moment is the first that does not count.
    pub until: Option<Timestamp>,
    /// Only of requests that have not ended.
    pub open: bool,
    /// Only failures: FAILED, HOOK_COMPLETE_FAILED, HOOK_FAILED.
    pub failed: bool,
    /// At the most so many; `None`: all.
    pub limit: Option<usize>,
}

/// A filter whose patterns have become values of this history.
#[derive(Debug, Clone)]
pub(in crate::history) struct Narrowed<'f> {
    pub(super) filter: &'f Filter,
    /// Of the request: target, type, operation, error code.
    pub(super) of_request: Vec<Choice>,
    /// Of a request that is shown itself.
    pub(super) status: Option<Choice>,
    /// Of a change that is shown.
    pub(super) to_status: Option<Choice>,
    pub(super) hook: Option<Choice>,
    pub(super) bounds: Bounds,
}

/// Where a request begins, as far as is known. Spelled as in the indexes.
pub(in crate::history) const START: &str = "coalesce(r.started_at, r.first_seen_at)";

impl<'f> Narrowed<'f> {
    pub(in crate::history) fn new(connection: &Connection, filter: &'f Filter) -> rusqlite::Result<Self> {
        let mut of_request = Vec::new();
        if filter.target.is_some() || filter.region.is_some() {
            of_request.push(targets(connection, filter)?);
        }
        for (patterns, column) in [
            (&filter.type_name, choice::TYPE_NAME),
            (&filter.operation, choice::OPERATION),
            (&filter.error_code, choice::ERROR_CODE),
        ] {
            if let Some(patterns) = patterns {
                of_request.push(Choice::new(connection, column, patterns)?);
            }
        }
        let hook = filter.hook_type_name.as_ref();
        let hook = hook.map(|patterns| Choice::new(connection, choice::HOOK_TYPE_NAME, patterns));
        let failed = filter.failed.then(|| Patterns::new([RequestStatus::Failed.as_str()]));
        let status = filter.status.as_ref().or(failed.as_ref());
        let status = status.map(|patterns| Choice::new(connection, choice::STATUS, patterns));
        let to_status = filter.status.as_ref();
        let to_status = to_status.map(|patterns| Choice::new(connection, choice::TO_STATUS, patterns));
        Ok(Self {
            filter,
            of_request,
            status: status.transpose()?,
            to_status: to_status.transpose()?,
            hook: hook.transpose()?,
            bounds: BOUNDS,
        })
    }

    /// What is asked of the request `r`, whatever is shown of it, but for one choice.
    pub(in crate::history) fn about_request(&self, except: Option<&Choice>) -> Conditions {
        let mut conditions = self
            .of_request
            .iter()
            .filter(|choice| except.is_none_or(|except| except.column != choice.column))
            .fold(Conditions::default(), |all, choice| all.and(choice.condition()));
        if let Some(patterns) = &self.filter.identifier {
            conditions = conditions.and(choice::matching("r.identifier", patterns));
        }
        if self.filter.open {
            conditions.add("r.phase = 'open'", []);
        }
        conditions
    }

    /// What is asked of a request `r` that is shown itself, but for the time and for one choice.
    pub(in crate::history) fn request(&self, except: Option<&Choice>) -> Conditions {
        let mut conditions = self.about_request(except);
        if let Some(status) = &self.status
            && except.is_none_or(|except| except.column != status.column)
        {
            conditions = conditions.and(status.condition());
        }
        if self.filter.failed && self.filter.status.is_some() {
            let failed = RequestStatus::Failed.as_str().to_owned();
            conditions.add("r.status = ?", [Value::from(failed)]);
        }
        if let Some(hook) = &self.hook {
            let Conditions { sql, params } = hook.condition();
            let sql = sql.join(" AND ");
            conditions.add(
                format!(
                    "EXISTS (SELECT 1 FROM hooks AS h INDEXED BY hooks_by_request WHERE h.request_id = r.id AND {sql})"
                ),
                params,
            );
        }
        conditions
    }

    /// Whether statuses are asked for by words alone, and all of them are such.
    fn asks_only_for(&self, is_such: impl Fn(&str) -> bool) -> bool {
        let words = self.filter.status.iter().flat_map(Patterns::included);
        let mut words = words.peekable();
        words.peek().is_some() && words.all(|word| is_such(&word))
    }

    /// Whether no hook, and no change of one, is asked for.
    pub(super) fn asks_for_no_hook(&self) -> bool {
        self.asks_only_for(|word| RequestStatus::KNOWN.contains(&word))
    }

    /// Whether only failures are asked for.
    pub(super) fn asks_for_failures(&self) -> bool {
        let is_failure =
            |word: &str| RequestStatus::from(word) == RequestStatus::Failed || HookStatus::from(word).is_failure();
        self.filter.failed || self.asks_only_for(is_failure)
    }

    /// The statuses of the requests whose changes are shown, where changes to an end are asked for: an end is never left.
    pub(super) fn end(&self) -> Option<&Choice> {
        let is_final = |word: &str| RequestStatus::from(word).is_final();
        self.status.as_ref().filter(|_| self.asks_only_for(is_final))
    }

    /// The targets, if it matters which.
    pub(in crate::history) fn target(&self) -> Option<&Choice> {
        self.of_request.iter().find(|choice| choice.column == choice::TARGET)
    }

    /// What is asked of a hook `h`, but for its time, its request, and one choice.
    pub(in crate::history) fn of_hook(&self, except: Option<&Choice>) -> Conditions {
        let hook = self.hook.as_ref().filter(|_| except.is_none());
        let mut conditions = hook.map(Choice::condition).unwrap_or_default();
        if let Some(patterns) = &self.filter.status {
            conditions = conditions.and(choice::matching("h.status", patterns));
        }
        if self.asks_for_failures() {
            conditions.add(FAILED_HOOK, []);
        }
        conditions
    }

    /// What is asked of a change `c`, but for its time, its request, and one choice.
    pub(super) fn of_change(&self, except: Option<&Choice>) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some(hook) = &self.hook {
            let Conditions { sql, params } = hook.condition();
            let sql = sql.join(" AND ");
            conditions.add(
                format!("EXISTS (SELECT 1 FROM hooks AS h NOT INDEXED WHERE h.id = c.hook_id AND {sql})"),
                params,
            );
        }
        if let Some(status) = self.to_status.as_ref().filter(|_| except.is_none()) {
            conditions = conditions.and(status.condition());
        }
        if self.asks_for_no_hook() {
            conditions.add("c.hook_id IS NULL", []);
        }
        if self.asks_for_failures() {
            conditions.add(FAILED_CHANGE, []);
        }
        conditions
    }

    /// The time of which something from `from` to `to` must have a part; what has no end yet lasts.
    pub(in crate::history) fn lasting(&self, from: &str, to: &str) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some(since) = self.filter.since {
            conditions.add(format!("({to} IS NULL OR {to} >= ?)"), [Value::from(since.as_millis())]);
        }
        if let Some(until) = self.filter.until {
            conditions.add(format!("{from} < ?"), [Value::from(until.as_millis())]);
        }
        conditions
    }

    /// The time that `column` must lie in.
    pub(in crate::history) fn time(&self, column: &str) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some(since) = self.filter.since {
            conditions.add(format!("{column} >= ?"), [Value::from(since.as_millis())]);
        }
        if let Some(until) = self.filter.until {
            conditions.add(format!("{column} < ?"), [Value::from(until.as_millis())]);
        }
        conditions
    }
}

/// Spelled as in the indexes.
pub(super) const FAILED_HOOK: &str = "h.status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED')";

pub(super) const FAILED_CHANGE: &str = "c.to_status IN ('FAILED', 'HOOK_COMPLETE_FAILED', 'HOOK_FAILED')";

/// The targets that are asked for, by name and Region.
fn targets(connection: &Connection, filter: &Filter) -> rusqlite::Result<Choice> {
    let mut statement = connection.prepare_cached("SELECT id, name, region FROM targets")?;
    let mut rows = statement.query([])?;
    let mut values = Vec::new();
    while let Some(row) = rows.next()? {
        let name: TargetName = row.get("name")?;
        let region: String = row.get("region")?;
        let is_asked_for = |patterns: &Option<Patterns>, names: &[&str]| {
            patterns.as_ref().is_none_or(|patterns| patterns.matches(names))
        };
        if is_asked_for(&filter.target, &[name.as_str(), name.entry()]) && is_asked_for(&filter.region, &[&region]) {
            values.push(row.get("id")?);
        }
    }
    Ok(Choice {
        column: choice::TARGET,
        values,
        or_absent: false,
    })
}
