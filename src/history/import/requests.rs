//! Requests, with all that hangs on them.

use std::collections::VecDeque;

use rusqlite::types::Value;
use rusqlite::{ToSql, named_params, params};

use super::super::sql::{ChangeId, HookId, RequestId};
use super::super::{Failure, WriteTx, prune};
use super::other::{
    ATTEMPT_COLUMNS, CHANGE_COLUMNS, DELIVERY_COLUMNS, HOOK_COLUMNS, HOOK_EVENT_COLUMNS, PROGRESS_EVENT_COLUMNS,
    REQUEST_COLUMNS, TheirChange, TheirDelivery, TheirHook, Theirs, all,
};
use super::{Imported, Rest};
use crate::decide::merging::{self, Merging};
use crate::model::{HookStatus, Phase, TargetId, Timestamp, mask_resource_model};

/// Why nothing that comes is told.
const NOT_TOLD: &str = "imported: it was still to be told by the other history";

/// So many of the first columns say what an event, a hook, a change or a delivery is known by.
const EVENT_SAYS: usize = 5;
const HOOK_IS: usize = 5;
const HOOK_EVENT_SAYS: usize = 4;
const CHANGE_SAYS: usize = 6;
const DELIVERY_IS: usize = 3;

/// Where a hook's status stands in its columns.
const HOOK_STATUS: usize = 5;
/// Where a delivery's state and its reason stand in its columns.
const STATE: usize = 3;
const REASON: usize = 6;

/// What is brought at once, of a request that is here.
#[derive(Debug)]
pub(super) enum Unit {
    ProgressEvent(Vec<Value>),
    HookEvent(HookId, Vec<Value>),
    Change(Option<HookId>, TheirChange),
    Delivery(ChangeId, TheirDelivery),
}

impl Unit {
    pub(super) fn rows(&self) -> usize {
        let told = |delivery: &TheirDelivery| 1 + delivery.attempts.len();
        match self {
            Self::ProgressEvent(_) | Self::HookEvent(..) => 1,
            Self::Change(_, change) => 1 + change.deliveries.iter().map(told).sum::<usize>(),
            Self::Delivery(_, delivery) => told(delivery),
        }
    }
}

/// What a request has once and for all, and its start.
const FILL_IN: &str = "
UPDATE requests SET
    hooks_request_token = coalesce(hooks_request_token, :hooks_request_token),
    type_name = coalesce(type_name, :type_name),
    identifier = coalesce(identifier, :identifier),
    operation = coalesce(operation, :operation),
    started_at = min(coalesce(started_at, :started_at), coalesce(:started_at, started_at))
WHERE id = :id AND (
    hooks_request_token IS NULL AND :hooks_request_token IS NOT NULL
    OR type_name IS NULL AND :type_name IS NOT NULL
    OR identifier IS NULL AND :identifier IS NOT NULL
    OR operation IS NULL AND :operation IS NOT NULL
    OR started_at > :started_at
    OR started_at IS NULL AND :started_at IS NOT NULL)";

/// How it ended. Nothing looks at it any more.
const SETTLE: &str = "
UPDATE requests SET
    phase = 'finished',
    status = :status,
    error_code = :error_code,
    status_message = :status_message,
    identifier = coalesce(:identifier, identifier),
    event_time = :event_time,
    finished_at = :finished_at,
    retry_after = NULL, final_looks_left = 0, gone_looks = 0, gone_at = NULL
WHERE id = :id";

const SETTLE_HOOK: &str = "
UPDATE hooks SET status = ?2, status_message = ?3, failure_mode = ?4, event_time = ?5, finished_at = ?6 WHERE id = ?1";

impl WriteTx<'_> {
    /// Brings requests, and about `rows` rows of what hangs on them. Returns what came of it all so far, and what is left.
    pub(super) fn bring_requests(
        &self,
        requests: Vec<Theirs>,
        mut imported: Imported,
        rows: usize,
        now: Timestamp,
    ) -> Result<(Imported, Rest), Failure> {
        let before = imported.rows;
        let mut rest = Rest::default();
        for theirs in requests {
            if let Some((id, units)) = self.bring_request(theirs, &mut imported, now)? {
                rest.extend(units.into_iter().map(|unit| (id, unit)));
            }
            let left = rows.saturating_sub(imported.rows - before);
            let brought;
            (brought, rest) = self.bring_rest(rest, left)?;
            imported.rows += brought;
        }
        Ok((imported, rest))
    }

    /// The request's own row and its hooks. Returns what of it is still to be brought.
    fn bring_request(
        &self,
        theirs: Theirs,
        imported: &mut Imported,
        now: Timestamp,
    ) -> Result<Option<(RequestId, VecDeque<Unit>)>, Failure> {
        let target = self.target_of(&theirs.target)?;
        if target.is_new {
            imported.targets.insert(theirs.target.name().to_string());
        }
        let here = self.is_known(target.id, &theirs.token)?;
        let known = here.as_ref().map(|(_, known)| known);
        let merging = merging::merging(known, &theirs.known, target.is_watched, now);
        let model = theirs.resource_model.clone();
        let (id, units) = match (merging, here) {
            (Merging::Leave(left), _) => {
                *imported.left.entry(left).or_default() += 1;
                return Ok(None);
            }
            (Merging::Unite | Merging::Settle, Some((id, _))) => {
                let before = imported.rows;
                if merging == Merging::Settle {
                    self.settle_request(id, &theirs.columns)?;
                    imported.rows += 1;
                }
                let units = self.unite(id, theirs, imported)?;
                if imported.rows > before || !units.is_empty() {
                    imported.united += 1;
                } else {
                    imported.known += 1;
                }
                (id, units)
            }
            (_, _) => {
                let id = self.bring_row(target.id, &theirs)?;
                imported.whole += 1;
                imported.rows += 1;
                (id, self.unite(id, theirs, imported)?)
            }
        };
        if let Some(model) = model {
            imported.rows += self.bring_model(id, model)?;
        }
        Ok(Some((id, units)))
    }

    fn bring_row(&self, target: TargetId, theirs: &Theirs) -> Result<RequestId, Failure> {
        // How it ended is not known there, and no one looks any more.
        let phase = match theirs.known.phase {
            Phase::Open => Phase::Lost,
            other => other,
        };
        let lead: [&dyn ToSql; 5] = [&target, &theirs.token, &phase, &0, &0];
        let id = RequestId(self.insert(
            "requests",
            ("target_id, token, phase, final_looks_left, gone_looks", &lead),
            (REQUEST_COLUMNS, &theirs.columns),
        )?);
        if theirs.is_united {
            self.mark_united(id)?;
        }
        Ok(id)
    }

    fn mark_united(&self, id: RequestId) -> Result<(), Failure> {
        let mut mark = self
            .transaction
            .prepare_cached("INSERT INTO united (request_id) VALUES (?1) ON CONFLICT DO NOTHING")?;
        mark.execute([id])?;
        Ok(())
    }

    fn settle_request(&self, id: RequestId, columns: &[Value]) -> Result<(), Failure> {
        let column = |name| named(columns, name);
        self.transaction.prepare_cached(SETTLE)?.execute(named_params! {
            ":id": id,
            ":status": column("status"),
            ":error_code": column("error_code"),
            ":status_message": column("status_message"),
            ":identifier": column("identifier"),
            ":event_time": column("event_time"),
            ":finished_at": column("finished_at"),
        })?;
        Ok(())
    }

    /// What of it is not here. The hooks are, afterwards.
    fn unite(&self, id: RequestId, theirs: Theirs, imported: &mut Imported) -> Result<VecDeque<Unit>, Failure> {
        let column = |name| named(&theirs.columns, name);
        imported.rows += self.transaction.prepare_cached(FILL_IN)?.execute(named_params! {
            ":id": id,
            ":hooks_request_token": column("hooks_request_token"),
            ":type_name": column("type_name"),
            ":identifier": column("identifier"),
            ":operation": column("operation"),
            ":started_at": column("started_at"),
        })?;
        let mut units = VecDeque::new();
        let here = self.rows_of(PROGRESS_EVENT_COLUMNS, "progress_events", "request_id", id)?;
        for (event, pair) in paired(&here, theirs.progress_events, EVENT_SAYS, |event| event) {
            if pair.is_none() {
                units.push_back(Unit::ProgressEvent(event));
            }
        }
        let hooks = self.unite_hooks(id, theirs.hooks, &mut units, imported)?;
        self.unite_changes(id, theirs.changes, &hooks, &mut units)?;
        Ok(units)
    }

    /// Returns where each of theirs is here; `None` where the two contradict each other, whereupon it stays out.
    fn unite_hooks(
        &self,
        request: RequestId,
        theirs: Vec<TheirHook>,
        units: &mut VecDeque<Unit>,
        imported: &mut Imported,
    ) -> Result<Vec<Option<HookId>>, Failure> {
        let here = self.rows_of(&format!("{HOOK_COLUMNS}, id"), "hooks", "request_id", request)?;
        let mut places = Vec::new();
        let is_any = !theirs.is_empty();
        for (hook, pair) in paired(&here, theirs, HOOK_IS, |hook| &hook.columns) {
            let id = match pair.map(|place| &here[place]) {
                None => {
                    let lead: [&dyn ToSql; 1] = [&request];
                    imported.rows += 1;
                    HookId(self.insert("hooks", ("request_id", &lead), (HOOK_COLUMNS, &hook.columns))?)
                }
                Some(known) => {
                    let (ours, their) = (&known[HOOK_STATUS], &hook.columns[HOOK_STATUS]);
                    if is_final(ours) && is_final(their) && ours != their {
                        places.push(None);
                        continue;
                    }
                    let id = HookId(number(known.last()));
                    if is_final(their) && !is_final(ours) {
                        let mut settle = self.transaction.prepare_cached(SETTLE_HOOK)?;
                        let state = &hook.columns[HOOK_STATUS..HOOK_STATUS + 5];
                        settle.execute(params![id, state[0], state[1], state[2], state[3], state[4]])?;
                        imported.rows += 1;
                    }
                    id
                }
            };
            let events = self.rows_of(HOOK_EVENT_COLUMNS, "hook_events", "hook_id", id)?;
            for (event, pair) in paired(&events, hook.events, HOOK_EVENT_SAYS, |event| event) {
                if pair.is_none() {
                    units.push_back(Unit::HookEvent(id, event));
                }
            }
            places.push(Some(id));
        }
        if is_any {
            self.transaction
                .prepare_cached(prune::COUNT_HOOKS)?
                .execute([request])?;
        }
        Ok(places)
    }

    fn unite_changes(
        &self,
        request: RequestId,
        theirs: Vec<TheirChange>,
        hooks: &[Option<HookId>],
        units: &mut VecDeque<Unit>,
    ) -> Result<(), Failure> {
        let columns = format!("coalesce(hook_id, 0), {CHANGE_COLUMNS}, id");
        let here = self.rows_of(&columns, "changes", "request_id", request)?;
        // Of a hook that contradicts ours, nothing comes.
        let mut coming = Vec::new();
        for change in theirs {
            match change.hook.map(|place| hooks.get(place).copied().flatten()) {
                None => coming.push((None, change)),
                Some(Some(hook)) => coming.push((Some(hook), change)),
                Some(None) => {}
            }
        }
        let keys: Vec<String> = coming
            .iter()
            .map(|(hook, change)| {
                let mut says = vec![Value::Integer(hook.map_or(0, |hook| hook.0))];
                says.extend_from_slice(&change.columns[..CHANGE_SAYS]);
                key(&says)
            })
            .collect();
        let ours: Vec<String> = here.iter().map(|row| key(&row[..=CHANGE_SAYS])).collect();
        let pairs = merging::paired(&ours, &keys);
        for ((hook, change), pair) in coming.into_iter().zip(pairs) {
            let Some(place) = pair else {
                units.push_back(Unit::Change(hook, change));
                continue;
            };
            if change.deliveries.is_empty() {
                continue;
            }
            let id = ChangeId(number(here[place].last()));
            let told = self.rows_of(DELIVERY_COLUMNS, "deliveries", "change_id", id)?;
            for (delivery, pair) in paired(&told, change.deliveries, DELIVERY_IS, |delivery| &delivery.columns) {
                if pair.is_none() {
                    units.push_back(Unit::Delivery(id, delivery));
                }
            }
        }
        if !here.is_empty() && units.iter().any(|unit| matches!(unit, Unit::Change(..))) {
            self.mark_united(request)?;
        }
        Ok(())
    }

    /// Returns how many rows that were.
    pub(super) fn bring_unit(&self, request: RequestId, unit: Unit) -> Result<usize, Failure> {
        match unit {
            Unit::ProgressEvent(columns) => {
                let lead: [&dyn ToSql; 1] = [&request];
                self.insert(
                    "progress_events",
                    ("request_id", &lead),
                    (PROGRESS_EVENT_COLUMNS, &columns),
                )?;
                Ok(1)
            }
            Unit::HookEvent(hook, columns) => {
                let lead: [&dyn ToSql; 1] = [&hook];
                self.insert("hook_events", ("hook_id", &lead), (HOOK_EVENT_COLUMNS, &columns))?;
                Ok(1)
            }
            Unit::Change(hook, change) => {
                let lead: [&dyn ToSql; 2] = [&request, &hook];
                let id = ChangeId(self.insert(
                    "changes",
                    ("request_id, hook_id", &lead),
                    (CHANGE_COLUMNS, &change.columns),
                )?);
                let mut announce = self
                    .transaction
                    .prepare_cached("UPDATE requests SET announced = 1 WHERE id = ?1 AND announced = 0")?;
                announce.execute([request])?;
                let mut rows = 1;
                for delivery in change.deliveries {
                    rows += self.bring_delivery(request, id, delivery)?;
                }
                Ok(rows)
            }
            Unit::Delivery(change, delivery) => self.bring_delivery(request, change, delivery),
        }
    }

    /// A record of who was told by the other: it is in no line, and never due.
    fn bring_delivery(
        &self,
        request: RequestId,
        change: ChangeId,
        mut delivery: TheirDelivery,
    ) -> Result<usize, Failure> {
        if delivery.columns[STATE] == Value::Text("pending".to_owned()) {
            delivery.columns[STATE] = Value::Text("skipped".to_owned());
            delivery.columns[REASON] = Value::Text(NOT_TOLD.to_owned());
        }
        let lead: [&dyn ToSql; 3] = [&change, &request, &0];
        let id = self.insert(
            "deliveries",
            ("change_id, request_id, resolves", &lead),
            (DELIVERY_COLUMNS, &delivery.columns),
        )?;
        for attempt in &delivery.attempts {
            let lead: [&dyn ToSql; 2] = [&id, &id];
            self.insert(
                "attempts",
                ("delivery_id, told_with", &lead),
                (ATTEMPT_COLUMNS, attempt),
            )?;
        }
        Ok(1 + delivery.attempts.len())
    }

    /// Masked where all models that are here are. One that is here stays.
    fn bring_model(&self, request: RequestId, model: String) -> Result<usize, Failure> {
        let model = if self.models_masked()? {
            mask_resource_model(&model)
        } else {
            model
        };
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO resource_models (request_id, resource_model) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?;
        Ok(insert.execute(params![request, model])?)
    }

    fn rows_of(&self, columns: &str, table: &str, parent: &str, id: impl ToSql) -> Result<Vec<Vec<Value>>, Failure> {
        let sql = format!("SELECT {columns} FROM {table} WHERE {parent} = ?1 ORDER BY id");
        all(&self.transaction, &sql, [id])
    }

    fn insert(
        &self,
        table: &str,
        (lead, first): (&str, &[&dyn ToSql]),
        (columns, values): (&str, &[Value]),
    ) -> Result<i64, Failure> {
        let places = vec!["?"; first.len() + values.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({lead}, {columns}) VALUES ({places})");
        let values = values.iter().map(|value| value as &dyn ToSql);
        let all: Vec<&dyn ToSql> = first.iter().copied().chain(values).collect();
        Ok(self.transaction.prepare_cached(&sql)?.insert(all.as_slice())?)
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

fn named<'a>(columns: &'a [Value], name: &str) -> &'a Value {
    let mut names = REQUEST_COLUMNS.split(',').map(str::trim);
    names
        .position(|other| other == name)
        .and_then(|place| columns.get(place))
        .unwrap_or(&Value::Null)
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
