//! What the other history has of a request that this one has not.
//!
//! To compare fifty thousand events takes longer than anyone is to wait, so it is done by reading, while others write. What it
//! was compared with is remembered by a [`Mark`], and the transaction that brings the rest looks whether that still holds.

use std::collections::VecDeque;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::super::Failure;
use super::super::sql::{ChangeId, HookId, RequestId};
use super::other::{
    CHANGE_COLUMNS, DELIVERY_COLUMNS, HOOK_COLUMNS, HOOK_EVENT_COLUMNS, PROGRESS_EVENT_COLUMNS, TheirChange,
    TheirDelivery, TheirHook, Theirs, all,
};
use super::targets::known_target;
use crate::decide::merging::{self, Known};
use crate::model::{HookStatus, RequestToken, TargetId};

/// So many of the first columns say what an event, a hook, a change or a delivery is known by.
const EVENT_SAYS: usize = 5;
const HOOK_IS: usize = 5;
const HOOK_EVENT_SAYS: usize = 4;
const CHANGE_SAYS: usize = 6;
const DELIVERY_IS: usize = 3;

/// Where a hook's status stands in its columns; its state is this and the four that follow.
const HOOK_STATUS: usize = 5;
const HOOK_STATE: usize = 5;

/// The first and the last of what is compared. Rows are only added at the end, and removed from the begin on.
pub(super) const MARK: &str = "
SELECT (SELECT min(id) FROM progress_events WHERE request_id = ?1),
    (SELECT max(id) FROM progress_events WHERE request_id = ?1),
    (SELECT min(id) FROM changes WHERE request_id = ?1),
    (SELECT max(id) FROM changes WHERE request_id = ?1),
    (SELECT max(id) FROM hooks WHERE request_id = ?1),
    (SELECT max((SELECT max(e.id) FROM hook_events AS e WHERE e.hook_id = h.id)) FROM hooks AS h WHERE h.request_id = ?1)";

pub(super) const KNOWN: &str = "
SELECT id, phase, status, last_seen_at, final_looks_left FROM requests WHERE token = ?2 AND target_id = ?1";

/// What is here of a request, told by little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark([Option<i64>; 6]);

/// A request of the other history, and what of it is not here.
#[derive(Debug)]
pub(super) struct Compared {
    /// Without what hangs on it.
    pub(super) theirs: Theirs,
    /// What it was compared with.
    pub(super) here: Option<(RequestId, Mark)>,
    /// Whether there are invocations of hooks there.
    pub(super) has_hooks: bool,
    /// Whether changes come to others that are here.
    pub(super) mixes_changes: bool,
    /// Where each of their hooks is here, as far as it is.
    pub(super) hooks: Vec<Option<HookId>>,
    /// In the order in which they are brought: a hook before what hangs on it.
    pub(super) units: VecDeque<Unit>,
}

/// What is brought at once, of a request that is here. A hook is told by its place among theirs.
#[derive(Debug)]
pub(super) enum Unit {
    ProgressEvent(Vec<Value>),
    Hook(usize, Vec<Value>),
    /// Its state, of which the end was not known here.
    HookEnd(HookId, Vec<Value>),
    HookEvent(usize, Vec<Value>),
    Change(Option<usize>, TheirChange),
    Delivery(ChangeId, TheirDelivery),
}

impl Unit {
    pub(super) fn rows(&self) -> usize {
        let told = |delivery: &TheirDelivery| 1 + delivery.attempts.len();
        match self {
            Self::ProgressEvent(_) | Self::Hook(..) | Self::HookEnd(..) | Self::HookEvent(..) => 1,
            Self::Change(_, change) => 1 + change.deliveries.iter().map(told).sum::<usize>(),
            Self::Delivery(_, delivery) => told(delivery),
        }
    }
}

impl Mark {
    pub(super) fn of(connection: &Connection, request: RequestId) -> Result<Self, Failure> {
        let mut statement = connection.prepare_cached(MARK)?;
        let mark = statement.query_row([request], |row| {
            let mut ids = [None; 6];
            for (place, id) in ids.iter_mut().enumerate() {
                *id = row.get(place)?;
            }
            Ok(Self(ids))
        });
        Ok(mark?)
    }
}

impl Compared {
    /// Compares a request with what is here of it, in one state of this history.
    pub(super) fn new(connection: &Connection, mut theirs: Theirs) -> Result<Self, Failure> {
        let here = match known_target(connection, &theirs.target)? {
            Some(target) => known_request(connection, target.id, &theirs.token)?.map(|(id, _)| id),
            None => None,
        };
        let here = here
            .map(|id| Mark::of(connection, id).map(|mark| (id, mark)))
            .transpose()?;
        let ours = Ours {
            connection,
            request: here.as_ref().map(|(id, _)| *id),
        };
        let their_hooks = std::mem::take(&mut theirs.hooks);
        let has_hooks = !their_hooks.is_empty();
        let mut units = VecDeque::new();
        let (hooks, contradicts) = ours.hooks(their_hooks, &mut units)?;
        let mixes_changes = ours.changes(std::mem::take(&mut theirs.changes), &hooks, &contradicts, &mut units)?;
        let known = ours.rows(PROGRESS_EVENT_COLUMNS, "progress_events")?;
        let events = std::mem::take(&mut theirs.progress_events);
        let events = paired(&known, events, EVENT_SAYS, |event| event).into_iter();
        let events = events.filter(|(_, pair)| pair.is_none());
        units.extend(events.map(|(event, _)| Unit::ProgressEvent(event)));
        Ok(Self {
            theirs,
            here,
            has_hooks,
            mixes_changes,
            hooks,
            units,
        })
    }
}

/// The request here, if it is known.
pub(super) fn known_request(
    connection: &Connection,
    target: TargetId,
    token: &RequestToken,
) -> Result<Option<(RequestId, Known)>, Failure> {
    let mut statement = connection.prepare_cached(KNOWN)?;
    let known = statement.query_row(params![target, token], |row| {
        let known = Known {
            phase: row.get("phase")?,
            status: row.get("status")?,
            last_seen_at: row.get("last_seen_at")?,
            final_looks_left: row.get("final_looks_left")?,
        };
        Ok((row.get("id")?, known))
    });
    Ok(known.optional()?)
}

/// A request as it is here, if it is.
struct Ours<'a> {
    connection: &'a Connection,
    request: Option<RequestId>,
}

impl Ours<'_> {
    /// Returns where each of theirs is here, and which of them contradict ours: nothing of those comes.
    fn hooks(
        &self,
        theirs: Vec<TheirHook>,
        units: &mut VecDeque<Unit>,
    ) -> Result<(Vec<Option<HookId>>, Vec<bool>), Failure> {
        let known = self.rows(&format!("{HOOK_COLUMNS}, id"), "hooks")?;
        let (mut hooks, mut contradicts) = (Vec::new(), Vec::new());
        for (place, (hook, pair)) in paired(&known, theirs, HOOK_IS, |hook| &hook.columns)
            .into_iter()
            .enumerate()
        {
            let here = pair.map(|pair| &known[pair]);
            let id = here.map(|columns| HookId(number(columns.last())));
            let ends = |columns: &[Value]| columns.get(HOOK_STATUS).is_some_and(is_final);
            let contradicting = here.is_some_and(|ours| {
                ends(ours) && ends(&hook.columns) && ours.get(HOOK_STATUS) != hook.columns.get(HOOK_STATUS)
            });
            hooks.push(id);
            contradicts.push(contradicting);
            if contradicting {
                continue;
            }
            match (id, here) {
                (Some(id), Some(ours)) if ends(&hook.columns) && !ends(ours) => {
                    let state = hook.columns.iter().skip(HOOK_STATUS).take(HOOK_STATE);
                    units.push_back(Unit::HookEnd(id, state.cloned().collect()));
                }
                (Some(_), _) => {}
                (None, _) => units.push_back(Unit::Hook(place, hook.columns)),
            }
            let events = self.of(HOOK_EVENT_COLUMNS, "hook_events", "hook_id", id)?;
            let events = paired(&events, hook.events, HOOK_EVENT_SAYS, |event| event).into_iter();
            let events = events.filter(|(_, pair)| pair.is_none());
            units.extend(events.map(|(event, _)| Unit::HookEvent(place, event)));
        }
        Ok((hooks, contradicts))
    }

    /// Returns whether some come to others that are here.
    fn changes(
        &self,
        theirs: Vec<TheirChange>,
        hooks: &[Option<HookId>],
        contradicts: &[bool],
        units: &mut VecDeque<Unit>,
    ) -> Result<bool, Failure> {
        let known = self.rows(&format!("coalesce(hook_id, 0), {CHANGE_COLUMNS}, id"), "changes")?;
        let is_coming = |change: &TheirChange| change.hook.is_none_or(|place| contradicts.get(place) == Some(&false));
        let coming: Vec<TheirChange> = theirs.into_iter().filter(is_coming).collect();
        let keys: Vec<String> = coming
            .iter()
            .map(|change| {
                let hook = match change.hook.map(|place| hooks.get(place).copied().flatten()) {
                    None => 0,
                    Some(Some(hook)) => hook.0,
                    // Of a hook that is not here, nothing is.
                    Some(None) => -1,
                };
                let mut says = vec![Value::Integer(hook)];
                says.extend_from_slice(&change.columns[..CHANGE_SAYS]);
                key(&says)
            })
            .collect();
        let ours: Vec<String> = known.iter().map(|row| key(&row[..=CHANGE_SAYS])).collect();
        let pairs = merging::paired(&ours, &keys);
        let mut comes = false;
        for (change, pair) in coming.into_iter().zip(pairs) {
            let Some(place) = pair else {
                comes = true;
                units.push_back(Unit::Change(change.hook, change));
                continue;
            };
            if change.deliveries.is_empty() {
                continue;
            }
            let id = ChangeId(number(known[place].last()));
            let told = self.of(DELIVERY_COLUMNS, "deliveries", "change_id", Some(id))?;
            let deliveries = paired(&told, change.deliveries, DELIVERY_IS, |delivery| &delivery.columns).into_iter();
            let deliveries = deliveries.filter(|(_, pair)| pair.is_none());
            units.extend(deliveries.map(|(delivery, _)| Unit::Delivery(id, delivery)));
        }
        Ok(comes && !known.is_empty())
    }

    fn rows(&self, columns: &str, table: &str) -> Result<Vec<Vec<Value>>, Failure> {
        self.of(columns, table, "request_id", self.request)
    }

    /// What hangs on something that is here; nothing, if it is not.
    fn of(&self, columns: &str, table: &str, parent: &str, id: Option<impl ToSql>) -> Result<Vec<Vec<Value>>, Failure> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let sql = format!("SELECT {columns} FROM {table} WHERE {parent} = ?1 ORDER BY id");
        all(self.connection, &sql, [id])
    }
}

/// What a row says, to be compared with what another one does.
fn key(says: &[Value]) -> String {
    format!("{says:?}")
}

/// Each of theirs, with the place of the one here that it is.
fn paired<T>(
    here: &[Vec<Value>],
    theirs: Vec<T>,
    says: usize,
    columns: impl Fn(&T) -> &Vec<Value>,
) -> Vec<(T, Option<usize>)> {
    let ours: Vec<String> = here.iter().map(|row| key(&row[..says])).collect();
    let keys: Vec<String> = theirs.iter().map(|one| key(&columns(one)[..says])).collect();
    let pairs = merging::paired(&ours, &keys);
    theirs.into_iter().zip(pairs).collect()
}

fn is_final(status: &Value) -> bool {
    matches!(status, Value::Text(status) if HookStatus::from(status.as_str()).is_final())
}

fn number(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Integer(number)) => *number,
        _ => 0,
    }
}
