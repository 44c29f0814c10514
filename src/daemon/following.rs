//! Where the rooms meet without a daemon: someone waits for a few requests, and looks at them.
//!
//! The history is written beside whoever may hold it, as [`Editor`] does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cloud::{Client, Failure};
use crate::decide::cadence::Pace;
use crate::decide::routing::Routing;
use crate::history::{Editor, HistoryError};
use crate::model::{RequestToken, Sighting, Standing, TargetId};
use crate::watch::{FollowError, Follower, Recording, Remembered};

/// The history of someone who is not the daemon, with the routes by which what they see is told.
#[derive(Debug, Clone)]
pub struct EditorMemory {
    editor: Arc<Mutex<Editor>>,
    routing: Arc<Routing>,
}

impl EditorMemory {
    pub fn new(editor: Editor, routing: Arc<Routing>) -> Self {
        Self {
            editor: Arc::new(Mutex::new(editor)),
            routing,
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Editor, &Routing) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let Self { editor, routing } = self.clone();
        let doing = tokio::task::spawn_blocking(move || {
            // A panic has undone its transaction while unwinding.
            let mut editor = editor.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut editor, &routing)
        });
        match doing.await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl Recording for EditorMemory {
    type Error = HistoryError;

    fn may_pass(error: &HistoryError) -> bool {
        HistoryError::may_pass(error)
    }

    async fn standings(&self, target: TargetId) -> Result<Vec<Standing>, HistoryError> {
        self.blocking(move |editor, _| editor.standings(target)).await
    }

    async fn record(&self, sightings: Vec<Sighting>) -> Result<Remembered, HistoryError> {
        let recorded = self
            .blocking(move |editor, routing| editor.record(&sightings, routing))
            .await?;
        Ok(Remembered {
            standings: recorded.standings,
            changes: recorded.changes,
        })
    }
}

/// Looks at some requests of a target until they have ended, or `stop`. What keeps it from looking just now is shown by
/// `trouble`.
pub async fn follow(
    target: TargetId,
    tokens: BTreeSet<RequestToken>,
    client: Client,
    history: EditorMemory,
    pace: Pace,
    trouble: watch::Sender<Option<Failure>>,
    stop: CancellationToken,
) -> Result<(), FollowError<HistoryError>> {
    let (clock, seed) = (Clock::system(), fastrand::u64(..));
    Follower::new(target, client, history, pace, clock, seed, trouble)
        .run(tokens, stop)
        .await
}
