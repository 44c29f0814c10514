//! Requests themselves: which come, and what their own row takes over.

use std::collections::VecDeque;

use rusqlite::types::Value;
use rusqlite::{ToSql, named_params, params};

use super::super::sql::RequestId;
use super::super::{Failure, WriteTx};
use super::Imported;
use super::comparing::{Compared, Mark, known_request};
use super::other::{REQUEST_COLUMNS, Theirs};
use super::units::Rest;
use crate::decide::merging::{self, Merging};
use crate::model::{Phase, TargetId, Timestamp, mask_resource_model};

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

/// What came of requests that were to be brought.
#[derive(Debug)]
pub(super) struct Brought {
    /// What the import came to so far.
    pub(super) imported: Imported,
    /// What is left of them.
    pub(super) rest: VecDeque<Rest>,
    /// The last one that was dealt with; `None` if none was, since what is here changed.
    pub(super) last: Option<i64>,
}

impl WriteTx<'_> {
    /// Brings requests, and about `rows` rows of what hangs on them. Ends before one that has changed here since it was
    /// compared.
    pub(super) fn bring_requests(
        &self,
        requests: Vec<Compared>,
        imported: Imported,
        rows: usize,
        now: Timestamp,
    ) -> Result<Brought, Failure> {
        let before = imported.rows;
        let mut brought = Brought {
            imported,
            rest: VecDeque::new(),
            last: None,
        };
        for compared in requests {
            let id = compared.theirs.id;
            if !self.bring_request(compared, &mut brought, now)? {
                break;
            }
            brought.last = Some(id);
            let left = rows.saturating_sub(brought.imported.rows - before);
            brought.imported.rows += self.bring_rest(&mut brought.rest, left)?;
        }
        Ok(brought)
    }

    /// The request's own row. Returns whether it is as it was when it was compared.
    fn bring_request(&self, compared: Compared, brought: &mut Brought, now: Timestamp) -> Result<bool, Failure> {
        let Compared { theirs, here: seen, .. } = &compared;
        let Brought { imported, rest, .. } = brought;
        let target = self.target_of(&theirs.target)?;
        if target.is_new {
            imported.targets.insert(theirs.target.name().to_string());
        }
        let here = known_request(&self.transaction, target.id, &theirs.token)?;
        let known = here.as_ref().map(|(_, known)| known);
        let merging = merging::merging(known, &theirs.known, target.is_watched, now);
        if let Merging::Leave(left) = merging {
            *imported.left.entry(left).or_default() += 1;
            return Ok(true);
        }
        let here = here.map(|(id, _)| id);
        let mark = here
            .map(|id| Mark::of(&self.transaction, id).map(|mark| (id, mark)))
            .transpose()?;
        if mark != *seen {
            return Ok(false);
        }
        let before = imported.rows;
        let id = if let Some(id) = here {
            if merging == Merging::Settle {
                self.settle_request(id, &theirs.columns)?;
                imported.rows += 1;
            }
            id
        } else {
            imported.whole += 1;
            imported.rows += 1;
            self.bring_row(target.id, theirs)?
        };
        imported.rows += self.fill_in(id, &theirs.columns)?;
        if compared.has_hooks {
            self.count_hooks(id)?;
        }
        if theirs.is_united || compared.mixes_changes {
            self.mark_united(id)?;
        }
        if here.is_some() {
            let is_new = imported.rows > before || !compared.units.is_empty();
            *(if is_new {
                &mut imported.united
            } else {
                &mut imported.known
            }) += 1;
        }
        if let Some(model) = &theirs.resource_model {
            imported.rows += self.bring_model(id, model)?;
        }
        rest.push_back(Rest {
            request: id,
            hooks: compared.hooks,
            units: compared.units,
        });
        Ok(true)
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

    fn fill_in(&self, id: RequestId, columns: &[Value]) -> Result<usize, Failure> {
        let column = |name| named(columns, name);
        Ok(self.transaction.prepare_cached(FILL_IN)?.execute(named_params! {
            ":id": id,
            ":hooks_request_token": column("hooks_request_token"),
            ":type_name": column("type_name"),
            ":identifier": column("identifier"),
            ":operation": column("operation"),
            ":started_at": column("started_at"),
        })?)
    }

    /// Masked where all models that are here are. One that is here stays.
    fn bring_model(&self, request: RequestId, model: &str) -> Result<usize, Failure> {
        let model = if self.models_masked()? {
            mask_resource_model(model)
        } else {
            model.to_owned()
        };
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO resource_models (request_id, resource_model) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?;
        Ok(insert.execute(params![request, model])?)
    }
}

fn named<'a>(columns: &'a [Value], name: &str) -> &'a Value {
    let mut names = REQUEST_COLUMNS.split(',').map(str::trim);
    names
        .position(|other| other == name)
        .and_then(|place| columns.get(place))
        .unwrap_or(&Value::Null)
}
