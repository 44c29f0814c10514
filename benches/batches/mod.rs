//! A history on a real disk, and batches of a hundred sightings to record in it: what the service shows of requests that
//! begin, go on, and end.

use std::sync::Arc;

use ccwatch::decide::route::{Field, Patterns, Route};
use ccwatch::decide::routing::Routing;
use ccwatch::history::{History, Recorded};
use ccwatch::model::{
    AccountId, Operation, ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source,
    TargetId, TargetName, Timestamp,
};
use tempfile::TempDir;

/// Sightings in a transaction: a page of a list.
pub(super) const BATCH: usize = 100;

/// A history with one target whose baseline is complete, in a folder under `target/` that goes away with it: where a
/// temporary folder may lie in memory, this one is on a disk.
pub(super) struct Scene {
    pub(super) history: History,
    target: TargetId,
    routes: Arc<Routing>,
    /// Goes last, with all that lies in it.
    _folder: TempDir,
}

impl Scene {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let region = Region("eu-west-1".into());
        let name = TargetName::new("prod", &region);
        let account = AccountId("111122223333".into());
        let target = history
            .write(|tx| {
                let target = tx.register_target(&name, Some(&account), &region, at(0))?.target.id;
                tx.begin_baseline(target, at(0))?;
                tx.complete_baseline(target, at(0))?;
                Ok(target)
            })
            .unwrap();
        Self {
            history,
            target,
            routes: routes(),
            _folder: folder,
        }
    }

    /// One transaction.
    pub(super) fn record(&self, sightings: &[Sighting]) -> Recorded {
        self.history.write(|tx| tx.record(sightings, &self.routes)).unwrap()
    }

    /// Batch `number`, with what the service says of each of its requests at `second`.
    pub(super) fn batch(&self, number: usize, second: i64, stage: Stage) -> Vec<Sighting> {
        let sighting = |index| {
            let event = event(number * BATCH + index, second, stage);
            Sighting {
                key: RequestKey {
                    target: self.target,
                    token: event.request_token.clone(),
                },
                seen_at: at(second),
                source: Source::List,
                seen: Seen::Event(Box::new(event), None),
            }
        };
        (0..BATCH).map(sighting).collect()
    }
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Running,
    Ended,
}

fn event(number: usize, second: i64, stage: Stage) -> ProgressEvent {
    // Tokens come in no order; multiplying by an odd number makes each one once.
    let token = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let token = format!(
        "{:08x}-{:04x}-4ccf-b38f-{:012x}",
        token >> 32,
        token >> 16 & 0xFFFF,
        token & 0xFFFF
    );
    let mut event = ProgressEvent {
        type_name: Some("AWS::Logs::LogGroup".into()),
        identifier: Some(format!("/aws/lambda/function-{number}")),
        operation: Some(Operation::Create),
        status: Some(RequestStatus::InProgress),
        event_time: Some(at(second - second % 100)),
        retry_after: Some(at(second + 5)),
        ..ProgressEvent::of(RequestToken::new(token))
    };
    if stage == Stage::Ended {
        event.retry_after = None;
        if number.is_multiple_of(10) {
            event.status = Some(RequestStatus::Failed);
            event.error_code = Some("AlreadyExists".into());
            event.status_message = Some("Resource of type 'AWS::Logs::LogGroup' with this name already exists.".into());
        } else {
            event.status = Some(RequestStatus::Success);
        }
    }
    event
}

/// Whom a team would tell: a log of everything, and a chat of what went wrong.
fn routes() -> Arc<Routing> {
    let route = |name: &str, matchers| Route {
        name: name.into(),
        matchers,
        to: vec![name.into()],
        ..Route::default()
    };
    let failures = Patterns::new(["FAILED", "HOOK_COMPLETE_FAILED", "HOOK_FAILED"]);
    let lost = Patterns::new(["request.lost"]);
    let routes = vec![
        route("log", Vec::new()),
        route("chat", vec![(Field::Status, failures)]),
        route("pager", vec![(Field::Kind, lost)]),
    ];
    Arc::new(routes.into())
}

/// So many seconds into 2026-11-22T06:28:00Z.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_795_328_880_000 + second * 1000)
}
