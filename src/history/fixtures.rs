//! What the tests of this room share: a history in a folder that goes away, and sightings to feed it with.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::{History, Reader, Recorded, locked};
use crate::decide::retry::{Attempted, Verdict};
use crate::decide::route::{Field, Patterns, Route};
use crate::decide::routing::Routing;
use crate::model::{
    AccountId, Delivery, DeliveryId, HookProgressEvent, HookStatus, ProgressEvent, Region, RequestKey, RequestState,
    RequestStatus, RequestToken, Seen, Sighting, Source, TargetId, TargetName, Timestamp,
};

pub(super) const RECEIVER: &str = "team";

/// A history on a real file, with one target whose baseline is complete.
pub(super) struct Scene {
    pub(super) history: History,
    pub(super) target: TargetId,
    pub(super) folder: TempDir,
}

impl Scene {
    pub(super) fn new() -> Self {
        let scene = Self::before_baseline();
        scene
            .history
            .write(|tx| {
                tx.begin_baseline(scene.target, at(0))?;
                tx.complete_baseline(scene.target, at(0))
            })
            .unwrap();
        scene
    }

    pub(super) fn before_baseline() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let account = AccountId("111122223333".into());
        let registered = history
            .write(|tx| tx.register_target(&name("prod"), Some(&account), &region(), at(0)))
            .unwrap();
        Self {
            history,
            target: registered.target.id,
            folder,
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    /// As another process would read it.
    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.path()).unwrap()
    }

    pub(super) fn record(&self, sightings: &[Sighting]) -> Recorded {
        self.history
            .write(|tx| tx.record(sightings, &all_to(RECEIVER)))
            .unwrap()
    }

    pub(super) fn seen(&self, second: i64, event: ProgressEvent) -> Sighting {
        Sighting {
            key: self.key(event.request_token.as_str()),
            seen_at: at(second),
            source: Source::List,
            seen: Seen::Event(Box::new(event), None),
        }
    }

    pub(super) fn got(&self, second: i64, event: ProgressEvent, hooks: Vec<HookProgressEvent>) -> Sighting {
        Sighting {
            key: self.key(event.request_token.as_str()),
            seen_at: at(second),
            source: Source::Get,
            seen: Seen::Event(Box::new(event), Some(hooks)),
        }
    }

    pub(super) fn gone(&self, second: i64, token: &str) -> Sighting {
        Sighting {
            key: self.key(token),
            seen_at: at(second),
            source: Source::Get,
            seen: Seen::Gone,
        }
    }

    pub(super) fn key(&self, token: &str) -> RequestKey {
        RequestKey {
            target: self.target,
            token: RequestToken::new(token),
        }
    }

    pub(super) fn due(&self, second: i64) -> Vec<Delivery> {
        self.history
            .read(|connection| super::outbox::due_deliveries(connection, RECEIVER, at(second), 100, None))
            .unwrap()
    }

    /// Rows that this history's writer has changed since it was opened.
    pub(super) fn total_changes(&self) -> u64 {
        locked(&self.history.shared.writer).total_changes()
    }

    /// One number.
    pub(super) fn count(&self, sql: &str) -> i64 {
        locked(&self.history.shared.writer)
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }

    /// SQL from outside of the program.
    pub(super) fn execute(&self, sql: &str) {
        locked(&self.history.shared.writer).execute_batch(sql).unwrap();
    }

    /// Every row of a statement, as JSON, an array in an array. Its parameters, if any, are null.
    pub(super) fn rows(&self, sql: &str) -> serde_json::Value {
        rows(&locked(&self.history.shared.writer), sql)
    }
}

/// All that is remembered of a request, its ResourceModel included.
pub(super) fn known(scene: &Scene, key: &RequestKey) -> Option<RequestState> {
    let read = scene.history.write(|tx| {
        let Some(known) = tx.known(key)? else { return Ok(None) };
        let resource_model = tx.resource_model(known.id)?;
        Ok(Some(RequestState {
            resource_model,
            ..known.state
        }))
    });
    read.unwrap()
}

pub(super) fn rows(connection: &rusqlite::Connection, sql: &str) -> serde_json::Value {
    use rusqlite::types::ValueRef;
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let values = (0..columns).map(|column| match row.get_ref(column).unwrap() {
            ValueRef::Null => serde_json::Value::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap().into(),
            ValueRef::Blob(_) => panic!("no column holds a blob"),
        });
        all.push(values.collect::<serde_json::Value>());
    }
    all.into()
}

/// So many seconds into 2026-11-22T06:28:00Z.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_795_328_880_000 + second * 1000)
}

pub(super) fn region() -> Region {
    Region("eu-west-1".into())
}

pub(super) fn name(entry: &str) -> TargetName {
    TargetName::new(entry, &region())
}

pub(super) fn event(token: &str, status: RequestStatus) -> ProgressEvent {
    ProgressEvent {
        type_name: Some("AWS::Logs::LogGroup".into()),
        status: Some(status),
        event_time: Some(at(0)),
        ..ProgressEvent::of(RequestToken::new(token))
    }
}

pub(super) fn guarded(token: &str, status: RequestStatus) -> ProgressEvent {
    ProgressEvent {
        hooks_request_token: Some(format!("hooks-{token}")),
        ..event(token, status)
    }
}

pub(super) fn hook(type_name: &str, status: HookStatus) -> HookProgressEvent {
    HookProgressEvent {
        hook_type_name: Some(type_name.into()),
        invocation_point: Some("PRE_PROVISION".into()),
        status: Some(status),
        ..HookProgressEvent::default()
    }
}

/// One route that tells `receiver` of everything.
pub(super) fn all_to(receiver: &str) -> Routing {
    let route = Route {
        name: "all".into(),
        to: vec![receiver.into()],
        ..Route::default()
    };
    vec![route].into()
}

/// One route that tells `receiver` of what has this value.
pub(super) fn some_to(receiver: &str, field: Field, pattern: &str) -> Route {
    Route {
        name: "some".into(),
        matchers: vec![(field, Patterns::new([pattern]))],
        to: vec![receiver.into()],
        ..Route::default()
    }
}

/// An attempt at one delivery.
pub(super) fn attempted(id: DeliveryId, verdict: Verdict) -> Attempted {
    Attempted {
        ids: vec![id],
        number: 1,
        began_at: at(0),
        took: Duration::from_millis(20),
        verdict,
        answer_status: None,
        answer: None,
        quiet_until: None,
        thread: None,
    }
}
