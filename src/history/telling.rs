//! Who is told of a change, when, and as part of what: rows in the outbox, in the transaction that stores the change.
//!
//! - **A silence comes first**: what falls under one is kept as skipped, with the silence as its reason, so that it can be
//!   asked later why no one was told. But what resolves an incident is told all the same: it takes back what was told.
//! - **A mute window holds, and a group gathers**: both set the time before which a delivery is not due.
//! - **An incident is opened and resolved here**, not by its receiver: what is resolved is found by resource, which only the
//!   history knows, and a route need not match the success that resolves a failure. What is told of it is one line, over all
//!   of its requests: a resolve never overtakes what it resolves.

use rusqlite::{OptionalExtension, named_params, params};

use super::announcements::Errand;
use super::outbox::Put;
use super::sql::{ChangeId, RequestId};
use super::{Failure, WriteTx, silences};
use crate::decide::incident::{self, Bearing, Ending, OpenIncident};
use crate::decide::route::{self, Chosen, Subject};
use crate::decide::routing::Routing;
use crate::decide::silence::{self, Silence};
use crate::decide::{grouping, mute};
use crate::model::{Change, ChangeKind, TargetId, Timestamp};

pub(super) const PENDING_FLUSH: &str = "
SELECT min(next_attempt_at) FROM deliveries
WHERE receiver = ?1 AND group_key = ?2 AND next_attempt_at > ?3 AND attempts = 0";

pub(super) const LAST_FLUSH: &str = "SELECT told_at FROM delivery_groups WHERE receiver = ?1 AND group_key = ?2";

/// What is open because of a request, or on its resource, whichever request opened it.
pub(super) const OPEN_INCIDENTS: &str = "
SELECT id, receiver, line, request_id IS :request AS by_request, by_hook FROM incidents
WHERE resolved_at IS NULL AND request_id = :request
UNION
SELECT id, receiver, line, request_id IS :request AS by_request, by_hook FROM incidents
WHERE resolved_at IS NULL AND identifier = :identifier AND type_name = :type_name AND target_id = :target";

const OPEN_INCIDENT: &str = "
INSERT INTO incidents (receiver, target_id, type_name, identifier, line, request_id, by_hook, opened_at)
VALUES (:receiver, :target, :type_name, :identifier, :request, :request, :by_hook, :at)
RETURNING id";

/// The identifier may have become known only now.
pub(super) const OPEN_AGAIN: &str = "
UPDATE incidents SET
    request_id = :request, by_hook = :by_hook,
    type_name = coalesce(type_name, :type_name), identifier = coalesce(identifier, :identifier)
WHERE id = :id";

/// The identifier often becomes known only when a resource has been made, after a hook found fault with it.
pub(super) const NAME_RESOURCE: &str = "
UPDATE incidents SET type_name = coalesce(type_name, :type_name), identifier = :identifier
WHERE request_id = :request AND identifier IS NULL AND resolved_at IS NULL";

/// Until when what opened an incident is held, as long as no attempt was made at it.
pub(super) const HELD_UNTIL: &str = "
SELECT max(not_before) FROM deliveries
WHERE state = 'pending' AND receiver = :receiver AND request_id = :line AND attempts = 0";

pub(super) const RESOLVE: &str = "UPDATE incidents SET resolved_at = :at WHERE id = :id";

/// A change that is stored, and what it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) id: ChangeId,
    pub(super) request: RequestId,
    pub(super) target: TargetId,
    pub(super) change: &'a Change,
    pub(super) subject: Subject<'a>,
    pub(super) at: Timestamp,
}

/// What is the same for all changes of a transaction.
#[derive(Debug)]
pub(super) struct Telling<'r> {
    routing: &'r Routing,
    /// Read with the first change that anyone is to be told of.
    silences: Option<Vec<Silence>>,
}

impl<'r> Telling<'r> {
    pub(super) fn new(routing: &'r Routing) -> Self {
        Self {
            routing,
            silences: None,
        }
    }
}

/// An incident that is not resolved.
struct Open {
    id: i64,
    receiver: String,
    line: RequestId,
    seen: OpenIncident,
}

impl WriteTx<'_> {
    /// Puts a change into the outbox of everyone who is to be told. Returns for how many it is pending.
    pub(super) fn tell(&self, stored: &Stored<'_>, telling: &mut Telling<'_>) -> Result<usize, Failure> {
        let routing = telling.routing;
        let chosen = route::receivers(&routing.routes, &stored.subject);
        let bearing = incident::bearing(stored.change);
        let mut pending = 0;
        if let (Some(identifier), false) = (stored.subject.identifier, routing.incident_receivers.is_empty()) {
            let mut name = self.transaction.prepare_cached(NAME_RESOURCE)?;
            name.execute(named_params! {
                ":request": stored.request,
                ":type_name": stored.subject.type_name,
                ":identifier": identifier,
            })?;
        }
        if let Some(Bearing::Resolves(ending)) = bearing
            && !routing.incident_receivers.is_empty()
        {
            pending += self.resolve(stored, ending, routing)?;
        }
        if chosen.is_empty() {
            return Ok(pending);
        }
        let silences = match &mut telling.silences {
            Some(silences) => silences,
            none => none.insert(silences::active(&self.transaction, stored.at)?),
        };
        let skipped = silence::silenced(silences, stored.at, &stored.subject).map(|silence| {
            format!(
                "silence {} until {} by {}: {}",
                silence.id, silence.ends_at, silence.by, silence.reason
            )
        });
        for chosen in chosen {
            let mut line = stored.request;
            let errand = if !routing.incident_receivers.contains(chosen.receiver) {
                Errand::default()
            } else if let (Some(Bearing::Opens { by_hook }), None) = (bearing, &skipped) {
                let (incident, its_line) = self.opened(chosen.receiver, stored, by_hook)?;
                line = its_line;
                Errand {
                    incident: Some(incident),
                    ..Errand::default()
                }
            } else if let Some(Bearing::Opens { .. }) = bearing {
                Errand::default()
            } else {
                // It keeps incidents, and this is none.
                continue;
            };
            pending += usize::from(skipped.is_none());
            self.put(stored, chosen, line, skipped.as_deref(), errand)?;
        }
        Ok(pending)
    }

    fn put(
        &self,
        stored: &Stored<'_>,
        chosen: Chosen<'_>,
        line: RequestId,
        skipped: Option<&str>,
        errand: Errand,
    ) -> Result<(), Failure> {
        let Chosen { receiver, route } = chosen;
        let (mut group, mut not_before) = (String::new(), stored.at);
        if skipped.is_none() {
            if let Some(grouping) = &route.group {
                group = grouping::key(&route.name, grouping, &stored.subject);
                let mut pending = self.transaction.prepare_cached(PENDING_FLUSH)?;
                let pending = pending.query_row(params![receiver, group, stored.at], |row| row.get(0))?;
                let mut last = self.transaction.prepare_cached(LAST_FLUSH)?;
                let last = last.query_row(params![receiver, group], |row| row.get(0)).optional()?;
                not_before = grouping::due_at(stored.at, grouping, pending, last);
            }
            not_before = mute::held_until(not_before, &route.mute).unwrap_or(not_before);
        }
        self.put_into_outbox(Put {
            change: Some(stored.id),
            notice: None,
            request: Some(line),
            receiver,
            group: &group,
            at: stored.at,
            not_before,
            skipped,
            errand,
        })?;
        Ok(())
    }

    /// The incident that a change opens at a receiver, with its line: one that is open already, or a new one.
    fn opened(&self, receiver: &str, stored: &Stored<'_>, by_hook: bool) -> Result<(i64, RequestId), Failure> {
        let open = self
            .open_incidents(stored)?
            .into_iter()
            .find(|open| open.receiver == receiver);
        let Subject {
            type_name, identifier, ..
        } = stored.subject;
        let Some(open) = open else {
            let mut statement = self.transaction.prepare_cached(OPEN_INCIDENT)?;
            let id = statement.query_row(
                named_params! {
                    ":receiver": receiver,
                    ":target": stored.target,
                    ":type_name": type_name,
                    ":identifier": identifier,
                    ":request": stored.request,
                    ":by_hook": by_hook,
                    ":at": stored.at,
                },
                |row| row.get(0),
            )?;
            return Ok((id, stored.request));
        };
        if stored.change.kind == ChangeKind::RequestStuck {
            // What opened it first is graver: an end of the stuck request must not resolve that.
            return Ok((open.id, open.line));
        }
        let mut statement = self.transaction.prepare_cached(OPEN_AGAIN)?;
        statement.execute(named_params! {
            ":id": open.id,
            ":request": stored.request,
            ":by_hook": by_hook,
            ":type_name": type_name,
            ":identifier": identifier,
        })?;
        Ok((open.id, open.line))
    }

    fn resolve(&self, stored: &Stored<'_>, ending: Ending, routing: &Routing) -> Result<usize, Failure> {
        let mut told = 0;
        for open in self.open_incidents(stored)? {
            if !ending.resolves(&open.seen) {
                continue;
            }
            let mut statement = self.transaction.prepare_cached(RESOLVE)?;
            statement.execute(named_params! { ":id": open.id, ":at": stored.at })?;
            if !routing.incident_receivers.contains(&open.receiver) {
                continue;
            }
            // It takes back what may still be held by a mute window, and is no reason to tell that in the night.
            let mut held = self.transaction.prepare_cached(HELD_UNTIL)?;
            let held: Option<Timestamp> = held.query_row(
                named_params! { ":receiver": open.receiver, ":line": open.line },
                |row| row.get(0),
            )?;
            self.put_into_outbox(Put {
                change: Some(stored.id),
                notice: None,
                request: Some(open.line),
                receiver: &open.receiver,
                group: "",
                at: stored.at,
                not_before: held.map_or(stored.at, |held| held.max(stored.at)),
                skipped: None,
                errand: Errand {
                    incident: Some(open.id),
                    resolves: true,
                    replayed: false,
                },
            })?;
            told += 1;
        }
        Ok(told)
    }

    fn open_incidents(&self, stored: &Stored<'_>) -> Result<Vec<Open>, Failure> {
        let mut statement = self.transaction.prepare_cached(OPEN_INCIDENTS)?;
        let open = statement.query_map(
            named_params! {
                ":request": stored.request,
                ":identifier": stored.subject.identifier,
                ":type_name": stored.subject.type_name,
                ":target": stored.target,
            },
            |row| {
                Ok(Open {
                    id: row.get("id")?,
                    receiver: row.get("receiver")?,
                    line: row.get("line")?,
                    seen: OpenIncident {
                        opened_by_request: row.get("by_request")?,
                        by_hook: row.get("by_hook")?,
                    },
                })
            },
        )?;
        Ok(open.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
#[path = "telling_tests.rs"]
mod tests;
