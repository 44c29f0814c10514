//! Changes as receivers are handed them.

use rusqlite::{Connection, params};

use super::rows;
use super::sql::{ChangeId, RequestId};
use crate::decide::flapping;
use crate::model::{Announcement, EventId, Incident, IncidentState, Timestamp};

pub(super) const CHANGE: &str = "
SELECT m.history_id, c.request_id, c.hook_id, c.kind, c.from_status, c.to_status, c.at, c.event_time, c.error_code,
    c.message, t.name AS target, t.account_id, t.region, r.identifier, r.type_name, r.target_id,
    EXISTS (
        SELECT 1 FROM gaps AS g
        WHERE g.target_id = r.target_id AND g.from_at <= c.event_time AND (g.to_at IS NULL OR g.to_at >= c.event_time)
    ) AS observed_late
FROM changes AS c
JOIN requests AS r ON r.id = c.request_id
JOIN targets AS t ON t.id = r.target_id
JOIN meta AS m ON m.id = 1
WHERE c.id = ?1";

/// How the requests on a resource ended, newest first. Identifiers are unique to a type in an account and Region.
pub(super) const ENDS: &str = "
SELECT status = 'SUCCESS'
FROM requests
WHERE identifier = ?1 AND type_name = ?2 AND target_id = ?3 AND phase = 'finished' AND status IN ('SUCCESS', 'FAILED')
    AND finished_at > ?4 AND finished_at <= ?5
ORDER BY finished_at DESC
LIMIT 100";

/// What a delivery adds to its change.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Errand {
    pub(super) incident: Option<i64>,
    pub(super) resolves: bool,
    pub(super) replayed: bool,
}

/// The change as it was, with its request and its hook as they are now.
pub(super) fn announcement(
    connection: &Connection,
    change: ChangeId,
    errand: Errand,
) -> rusqlite::Result<Announcement> {
    let mut statement = connection.prepare_cached(CHANGE)?;
    statement.query_row([change], |row| {
        let history_id: String = row.get("history_id")?;
        let request: RequestId = row.get("request_id")?;
        let hook = row.get::<_, Option<_>>("hook_id")?;
        let at: Timestamp = row.get("at")?;
        let (identifier, type_name): (Option<String>, Option<String>) = (row.get("identifier")?, row.get("type_name")?);
        let turns = match (identifier, type_name) {
            (Some(identifier), Some(type_name)) => {
                let since = at.minus(Announcement::TURNS_WITHIN);
                let target: i64 = row.get("target_id")?;
                let mut statement = connection.prepare_cached(ENDS)?;
                let ends = statement.query_map(params![identifier, type_name, target, since, at], |row| row.get(0))?;
                let mut ends: Vec<bool> = ends.collect::<rusqlite::Result<_>>()?;
                ends.reverse();
                flapping::turns(ends)
            }
            _ => 0,
        };
        Ok(Announcement {
            id: event_id(&history_id, change),
            kind: row.get("kind")?,
            from: row.get("from_status")?,
            to: row.get("to_status")?,
            at,
            event_time: row.get("event_time")?,
            observed_late: row.get("observed_late")?,
            error_code: row.get("error_code")?,
            message: row.get("message")?,
            target: row.get("target")?,
            account_id: row.get("account_id")?,
            region: row.get("region")?,
            request: rows::request(connection, request)?,
            hook: hook.map(|hook| rows::hook(connection, hook)).transpose()?,
            turns,
            incident: errand.incident.map(|incident| Incident {
                key: format!("ccwatch-{history_id}-i{incident}"),
                state: if errand.resolves {
                    IncidentState::Resolved
                } else {
                    IncidentState::Open
                },
            }),
            replayed: errand.replayed,
        })
    })
}

fn event_id(history_id: &str, change: ChangeId) -> EventId {
    EventId(format!("{history_id}-{}", change.0))
}
