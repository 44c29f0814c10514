//! Sightings in, changes and deliveries out, in one transaction (law 3).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use rusqlite::params;

use super::requests::Known;
use super::sql::{ChangeId, HookId, RequestId};
use super::telling::{Stored, Telling};
use super::{Failure, WriteTx};
use crate::decide::diff::{self, Baseline, Difference};
use crate::decide::route::Subject;
use crate::decide::routing::Routing;
use crate::model::{
    Change, FailureMode, HookKey, HookState, Operation, ProgressEvent, RequestKey, RequestState, Seen, Sighting,
    Source, Standing, Target, TargetId, Timestamp,
};

/// What a batch of sightings came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Where each request that was sighted stands now, once, in the order in which they first came. A token that is
    /// gone and was never known stands nowhere.
    pub standings: Vec<Standing>,
    pub changes: usize,
    /// How many deliveries were put into the outbox: if any, ring the bell.
    pub deliveries: usize,
}

impl WriteTx<'_> {
    /// Compares each sighting with what is known, and writes what differs: the request, its events, its hooks, the
    /// changes, and a delivery for each receiver that a route chose. Where nothing differs nothing is written.
    ///
    /// Fails where a request is new and the baseline of its target was not begun: old news could not be told from new
    /// (law 6).
    pub fn record(&self, sightings: &[Sighting], routing: &Routing) -> Result<Recorded, Failure> {
        self.record_against(sightings, routing, |target| self.baseline(target))
    }

    /// Records the answer to a call that began a request, or cancelled it: news even in a target that was never swept.
    /// No baseline is begun by it: that is for who looks at the whole target, and all else in it stays old news.
    pub(super) fn record_call(&self, sighting: &Sighting, routing: &Routing) -> Result<Recorded, Failure> {
        let nothing_is_old = Baseline::Complete(Timestamp::from_millis(i64::MIN));
        self.record_against(std::slice::from_ref(sighting), routing, |_| Ok(Some(nothing_is_old)))
    }

    /// Records a look at a request that someone named, in a target that may never have been swept: there, one that is not known
    /// and has ended by then is old news. What a known one has become is news as ever. No baseline is begun by it either.
    pub(super) fn record_look(&self, sighting: &Sighting, routing: &Routing) -> Result<Recorded, Failure> {
        let ended_before = Baseline::Complete(sighting.seen_at);
        self.record_against(std::slice::from_ref(sighting), routing, |target| {
            Ok(Some(self.baseline(target)?.unwrap_or(ended_before)))
        })
    }

    fn record_against(
        &self,
        sightings: &[Sighting],
        routing: &Routing,
        baseline_of: impl Fn(TargetId) -> Result<Option<Baseline>, Failure>,
    ) -> Result<Recorded, Failure> {
        let mut targets: BTreeMap<TargetId, (Target, Option<Baseline>)> = BTreeMap::new();
        let mut known: IndexMap<&RequestKey, Option<Known>> = IndexMap::new();
        let mut recorded = Recorded::default();
        let mut telling = Telling::new(routing);
        for sighting in sightings {
            let id = sighting.key.target;
            if let std::collections::btree_map::Entry::Vacant(entry) = targets.entry(id) {
                entry.insert((self.target(id)?, baseline_of(id)?));
            }
            let Some((target, baseline)) = targets.get(&id) else {
                return Err(Failure::NoSuchTarget(id));
            };
            if !known.contains_key(&sighting.key) {
                known.insert(&sighting.key, self.known(&sighting.key)?);
            }
            if let Seen::Event(event, _) = &sighting.seen
                && event.resource_model.is_some()
                && let Some(Some(known)) = known.get_mut(&sighting.key)
                && known.state.resource_model.is_none()
            {
                known.state.resource_model = self.resource_model(known.id)?;
            }
            let before = known.get(&sighting.key).and_then(Option::as_ref);
            // It matters at first sight alone: what is known was told from old news already.
            let baseline = match (baseline, before) {
                (Some(baseline), _) => *baseline,
                (None, Some(_)) => Baseline::Complete(sighting.seen_at),
                (None, None) => return Err(Failure::NoBaseline(id)),
            };
            let Some(difference) = diff::diff(before.map(|known| &known.state), sighting, baseline) else {
                continue;
            };
            let id = self.store_request(&sighting.key, before, &difference.state)?;
            recorded.deliveries += self.store_difference(id, target, sighting, &difference, &mut telling)?;
            recorded.changes += difference.changes.len();
            let state = difference.state;
            known.insert(&sighting.key, Some(Known { id, state }));
        }
        recorded.standings = known
            .into_iter()
            .filter_map(|(key, known)| known.map(|known| known.state.standing(key.clone())))
            .collect();
        Ok(recorded)
    }

    /// Everything of a difference but the request's own row. Returns the number of deliveries.
    fn store_difference(
        &self,
        request: RequestId,
        target: &Target,
        sighting: &Sighting,
        difference: &Difference,
        telling: &mut Telling<'_>,
    ) -> Result<usize, Failure> {
        let at = sighting.seen_at;
        if difference.is_progress
            && let Seen::Event(event, _) = &sighting.seen
        {
            self.store_progress_event(request, event, at, sighting.source)?;
        }
        let mut hooks: BTreeMap<&HookKey, HookId> = BTreeMap::new();
        for hook in &difference.hooks {
            let id = self.store_hook(request, hook)?;
            self.store_hook_event(id, hook, at)?;
            hooks.insert(&hook.key, id);
        }
        let mut deliveries = 0;
        for change in &difference.changes {
            let hook = change.hook.as_ref().and_then(|key| hooks.get(key)).copied();
            let id = self.store_change(request, hook, change)?;
            let stored = Stored {
                id,
                request,
                target: target.id,
                change,
                subject: subject(change, target, &difference.state),
                at,
            };
            deliveries += self.tell(&stored, telling)?;
        }
        Ok(deliveries)
    }

    fn store_progress_event(
        &self,
        request: RequestId,
        event: &ProgressEvent,
        at: Timestamp,
        source: Source,
    ) -> Result<(), Failure> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO progress_events (
                 request_id, observed_at, event_time, status, error_code, status_message, identifier, retry_after, source)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        statement.execute(params![
            request,
            at,
            event.event_time,
            event.status,
            event.error_code,
            event.status_message,
            event.identifier,
            event.retry_after,
            source,
        ])?;
        Ok(())
    }

    fn store_hook_event(&self, hook: HookId, state: &HookState, at: Timestamp) -> Result<(), Failure> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO hook_events (hook_id, observed_at, event_time, status, status_message, failure_mode)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        statement.execute(params![
            hook,
            at,
            state.event_time,
            state.status,
            state.status_message,
            state.failure_mode,
        ])?;
        Ok(())
    }

    pub(super) fn store_change(
        &self,
        request: RequestId,
        hook: Option<HookId>,
        change: &Change,
    ) -> Result<ChangeId, Failure> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO changes (
                 request_id, hook_id, kind, at, event_time, from_status, to_status, error_code, message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             RETURNING id",
        )?;
        let id = statement.query_row(
            params![
                request,
                hook,
                change.kind,
                change.at,
                change.event_time,
                change.from,
                change.to,
                change.error_code,
                change.message,
            ],
            |row| row.get(0),
        )?;
        Ok(id)
    }
}

/// What routes can ask about a change.
pub(super) fn subject<'a>(change: &'a Change, target: &'a Target, state: &'a RequestState) -> Subject<'a> {
    let hook = change
        .hook
        .as_ref()
        .and_then(|key| state.hooks.iter().find(|hook| hook.key == *key));
    Subject {
        kind: change.kind.as_str(),
        status: change.to.as_deref(),
        from: change.from.as_deref(),
        type_name: state.type_name.as_deref(),
        identifier: state.identifier.as_deref(),
        operation: state.operation.as_ref().map(Operation::as_str),
        error_code: change.error_code.as_ref().map(crate::model::ErrorCode::as_str),
        target: target.name.as_str(),
        account_id: target.account_id.as_ref().map(|id| id.0.as_str()),
        region: &target.region.0,
        hook_type_name: change.hook.as_ref().and_then(|key| key.hook_type_name.as_deref()),
        failure_mode: hook
            .and_then(|hook| hook.failure_mode.as_ref())
            .map(FailureMode::as_str),
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
