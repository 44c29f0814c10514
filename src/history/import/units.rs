//! The rows that hang on a request, brought one by one: a transaction may end between any two.

use std::collections::VecDeque;

use rusqlite::ToSql;
use rusqlite::types::Value;

use super::super::sql::{ChangeId, HookId, RequestId};
use super::super::{Failure, WriteTx, prune};
use super::comparing::Unit;
use super::other::{
    ATTEMPT_COLUMNS, CHANGE_COLUMNS, DELIVERY_COLUMNS, HOOK_COLUMNS, HOOK_EVENT_COLUMNS, PROGRESS_EVENT_COLUMNS,
    TheirChange, TheirDelivery,
};

/// Why nothing that comes is told.
const NOT_TOLD: &str = "imported: it was still to be told by the other history";
/// The same, of what the other has given up: here it is not to be tried again either.
const GIVEN_UP: &str = "imported: the other history gave it up";

/// Where a delivery's state and its reason stand in its columns.
const STATE: usize = 3;
const REASON: usize = 6;

const HOOK_END: &str = "
UPDATE hooks SET status = ?2, status_message = ?3, failure_mode = ?4, event_time = ?5, finished_at = ?6 WHERE id = ?1";

/// What is still to be brought of a request that is here.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) request: RequestId,
    /// Where each of their hooks is here, as far as it is.
    pub(super) hooks: Vec<Option<HookId>>,
    pub(super) units: VecDeque<Unit>,
}

impl Rest {
    pub(super) fn rows(&self) -> usize {
        self.units.iter().map(Unit::rows).sum()
    }
}

impl WriteTx<'_> {
    /// Brings about `rows` rows of what is left. Returns how many that were.
    pub(super) fn bring_rest(&self, rest: &mut VecDeque<Rest>, rows: usize) -> Result<usize, Failure> {
        let mut brought = 0;
        while brought < rows
            && let Some(next) = rest.front_mut()
        {
            brought += self.bring_units(next, rows - brought)?;
            if next.units.is_empty() {
                rest.pop_front();
            }
        }
        Ok(brought)
    }

    fn bring_units(&self, rest: &mut Rest, rows: usize) -> Result<usize, Failure> {
        let mut is_there = self
            .transaction
            .prepare_cached("SELECT 1 FROM requests WHERE id = ?1")?;
        if !is_there.exists([rest.request])? {
            // It was forgotten since an earlier step.
            rest.units.clear();
            return Ok(0);
        }
        let (mut brought, mut hooks) = (0, false);
        while brought < rows
            && let Some(unit) = rest.units.pop_front()
        {
            hooks |= matches!(unit, Unit::Hook(..) | Unit::HookEnd(..));
            brought += self.bring_unit(rest.request, &mut rest.hooks, unit)?;
        }
        if hooks {
            self.count_hooks(rest.request)?;
        }
        Ok(brought)
    }

    pub(super) fn count_hooks(&self, request: RequestId) -> Result<(), Failure> {
        let mut count = self.transaction.prepare_cached(prune::COUNT_HOOKS)?;
        count.execute([request])?;
        Ok(())
    }

    /// Returns how many rows that were.
    fn bring_unit(&self, request: RequestId, hooks: &mut [Option<HookId>], unit: Unit) -> Result<usize, Failure> {
        match unit {
            Unit::ProgressEvent(columns) => {
                let lead: [&dyn ToSql; 1] = [&request];
                let columns = (PROGRESS_EVENT_COLUMNS, columns.as_slice());
                self.insert("progress_events", ("request_id", &lead), columns)?;
            }
            Unit::Hook(place, columns) => {
                let lead: [&dyn ToSql; 1] = [&request];
                let id = self.insert("hooks", ("request_id", &lead), (HOOK_COLUMNS, &columns))?;
                if let Some(hook) = hooks.get_mut(place) {
                    *hook = Some(HookId(id));
                }
            }
            Unit::HookEnd(hook, state) => {
                let mut settle = self.transaction.prepare_cached(HOOK_END)?;
                let mut values: Vec<&dyn ToSql> = vec![&hook];
                values.extend(state.iter().map(|value| value as &dyn ToSql));
                settle.execute(values.as_slice())?;
            }
            Unit::HookEvent(place, columns) => {
                let hook = hooks.get(place).copied().flatten();
                let lead: [&dyn ToSql; 1] = [&hook];
                self.insert("hook_events", ("hook_id", &lead), (HOOK_EVENT_COLUMNS, &columns))?;
            }
            Unit::Change(place, change) => {
                let hook = place.and_then(|place| hooks.get(place).copied().flatten());
                return self.bring_change(request, hook, change);
            }
            Unit::Delivery(change, delivery) => return self.bring_delivery(request, change, delivery),
        }
        Ok(1)
    }

    fn bring_change(&self, request: RequestId, hook: Option<HookId>, change: TheirChange) -> Result<usize, Failure> {
        let lead: [&dyn ToSql; 2] = [&request, &hook];
        let columns = (CHANGE_COLUMNS, change.columns.as_slice());
        let id = ChangeId(self.insert("changes", ("request_id, hook_id", &lead), columns)?);
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

    /// A record of who was told by the other: it is in no line, never due, and never tried again.
    fn bring_delivery(
        &self,
        request: RequestId,
        change: ChangeId,
        mut delivery: TheirDelivery,
    ) -> Result<usize, Failure> {
        let why = match &delivery.columns[STATE] {
            Value::Text(state) if state == "pending" => Some(NOT_TOLD.to_owned()),
            Value::Text(state) if state == "dead" => Some(match &delivery.columns[REASON] {
                Value::Text(error) => format!("{GIVEN_UP}: {error}"),
                _ => GIVEN_UP.to_owned(),
            }),
            _ => None,
        };
        if let Some(why) = why {
            delivery.columns[STATE] = Value::Text("skipped".to_owned());
            delivery.columns[REASON] = Value::Text(why);
        }
        let lead: [&dyn ToSql; 3] = [&change, &request, &0];
        let columns = (DELIVERY_COLUMNS, delivery.columns.as_slice());
        let id = self.insert("deliveries", ("change_id, request_id, resolves", &lead), columns)?;
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

    /// Inserts a row: what is this history's own of it, then what is the other's. Returns its id.
    pub(super) fn insert(
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
