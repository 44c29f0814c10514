//! Bringing the ResourceModels that are stored already under the policy of today (law 8).
//!
//! `cloud` lets no more in than the policy allows. That alone would leave what was stored under a more generous one in
//! the file for ever, passwords and all. Masking reads and parses every model, so the history remembers when all of them
//! are masked, and a start under the same policy costs nothing.
//!
//! What is deleted or masked is gone from the file, too: the writer overwrites what it frees (`secure_delete`), and the
//! WAL, which holds the pages as they were, is folded into the file at the end.

use rusqlite::params;

use super::sql::RequestId;
use super::{Failure, History, HistoryError, WriteTx};
use crate::config::ResourceModelPolicy;
use crate::model::mask_resource_model;

/// Models in one transaction. One may be 256 KiB.
const STEP: i64 = 50;

const DROP_SOME: &str = "
DELETE FROM resource_models WHERE request_id IN (SELECT request_id FROM resource_models ORDER BY request_id LIMIT ?1)";

pub(super) const NEXT: &str = "
SELECT request_id, resource_model FROM resource_models WHERE request_id > ?1 ORDER BY request_id LIMIT ?2";

pub(super) const MASK: &str = "UPDATE resource_models SET resource_model = ?2 WHERE request_id = ?1";

impl History {
    /// Deletes or masks the stored models that `policy` would not let in, in small steps. Call it before anything is
    /// recorded under `policy`. Returns how many models that were.
    ///
    /// Where it is cut short, the next call goes on. A reader in another process can keep the WAL from being folded; the
    /// next checkpoint then does it.
    pub async fn apply_resource_model_policy(&self, policy: ResourceModelPolicy) -> Result<usize, HistoryError> {
        self.blocking(move |history| {
            let cleaned = match policy {
                ResourceModelPolicy::Keep => history.write(|tx| tx.set_models_masked(false)).map(|()| 0),
                ResourceModelPolicy::Drop => history.drop_models(),
                ResourceModelPolicy::Redact => history.mask_models(),
            }?;
            if cleaned > 0 {
                history.fold_all()?;
            }
            Ok(cleaned)
        })
        .await
    }

    fn drop_models(&self) -> Result<usize, HistoryError> {
        let mut dropped = 0;
        loop {
            let step = self.write(|tx| Ok(tx.transaction.execute(DROP_SOME, [STEP])?))?;
            if step == 0 {
                return Ok(dropped);
            }
            dropped += step;
        }
    }

    fn mask_models(&self) -> Result<usize, HistoryError> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is not general enough"
        )]
        if self.write(|tx| tx.models_masked())? {
            return Ok(0);
        }
        let mut masked = 0;
        let mut after = RequestId(0);
        while let Some((last, step)) = self.write(|tx| tx.mask_some_models(after))? {
            after = last;
            masked += step;
        }
        self.write(|tx| tx.set_models_masked(true))?;
        Ok(masked)
    }
}

impl WriteTx<'_> {
    /// Whether every stored model is known to be masked.
    pub(super) fn models_masked(&self) -> Result<bool, Failure> {
        let sql = "SELECT models_masked FROM meta";
        Ok(self.transaction.query_row(sql, [], |row| row.get(0))?)
    }

    fn set_models_masked(&self, masked: bool) -> Result<(), Failure> {
        self.transaction
            .execute("UPDATE meta SET models_masked = ?1 WHERE models_masked <> ?1", [masked])?;
        Ok(())
    }

    /// Masks the models that follow `after`. Returns the last of them, and how many were not masked before; `None` at the
    /// end.
    fn mask_some_models(&self, after: RequestId) -> Result<Option<(RequestId, usize)>, Failure> {
        let mut next = self.transaction.prepare_cached(NEXT)?;
        let models: Vec<(RequestId, String)> = next
            .query_map(params![after, STEP], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut mask = self.transaction.prepare_cached(MASK)?;
        let mut masked = 0;
        for (id, model) in &models {
            let new = mask_resource_model(model);
            if new != *model {
                mask.execute(params![id, new])?;
                masked += 1;
            }
        }
        Ok(models.last().map(|(last, _)| (*last, masked)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Scene, event};
    use crate::config::ResourceModelPolicy::{Drop, Keep, Redact};
    use crate::model::{ProgressEvent, RequestStatus};

    /// More models than one step takes, some of which do not fit into a page.
    const MODELS: usize = 120;

    async fn with_models() -> Scene {
        let scene = Scene::new();
        scene.history.apply_resource_model_policy(Keep).await.unwrap();
        let sightings: Vec<_> = (0..MODELS)
            .map(|number| {
                let password = "hunter2 ".repeat(if number % 10 == 0 { 5000 } else { 1 });
                let event = ProgressEvent {
                    resource_model: Some(json!({ "Password": password }).to_string()),
                    ..event(&format!("t{number}"), RequestStatus::Success)
                };
                scene.seen(1, event)
            })
            .collect();
        scene.record(&sightings);
        assert!(scene.history.checkpoint().await.unwrap());
        assert!(holds_password(&scene));
        scene
    }

    /// Whether the password is anywhere in the file or its WAL, in a row or not.
    fn holds_password(scene: &Scene) -> bool {
        ["history.db", "history.db-wal"].iter().any(|file| {
            let bytes = std::fs::read(scene.folder.path().join(file)).unwrap();
            bytes.windows(7).any(|window| window == b"hunter2")
        })
    }

    #[tokio::test]
    async fn what_was_kept_is_dropped_to_the_last_byte() {
        let scene = with_models().await;
        assert_eq!(scene.history.apply_resource_model_policy(Drop).await.unwrap(), MODELS);
        assert_eq!(scene.count("SELECT count(*) FROM resource_models"), 0);
        assert!(!holds_password(&scene));
        assert_eq!(scene.history.apply_resource_model_policy(Drop).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_was_kept_is_masked_to_the_last_byte() {
        let scene = with_models().await;
        assert_eq!(scene.history.apply_resource_model_policy(Redact).await.unwrap(), MODELS);
        let models = "SELECT resource_model, count(*) FROM resource_models GROUP BY 1";
        assert_eq!(scene.rows(models), json!([[r#"{"Password":"***"}"#, MODELS]]));
        assert!(!holds_password(&scene));
    }

    #[tokio::test]
    async fn what_is_allowed_stays_and_a_start_under_the_same_policy_writes_nothing() {
        let scene = with_models().await;
        for policy in [Keep, Redact, Drop] {
            scene.history.apply_resource_model_policy(policy).await.unwrap();
            let changes = scene.total_changes();
            assert_eq!(scene.history.apply_resource_model_policy(policy).await.unwrap(), 0);
            assert_eq!(scene.total_changes(), changes, "{policy:?}");
        }
    }

    #[tokio::test]
    async fn what_is_stored_after_masked_ones_under_keep_is_masked_the_next_time() {
        let scene = with_models().await;
        for expected in [MODELS, 1] {
            assert_eq!(
                scene.history.apply_resource_model_policy(Redact).await.unwrap(),
                expected
            );
            scene.history.apply_resource_model_policy(Keep).await.unwrap();
            let event = ProgressEvent {
                resource_model: Some(r#"{"Password":"hunter2"}"#.into()),
                ..event("t0", RequestStatus::Success)
            };
            scene.record(&[scene.seen(2, event)]);
        }
    }
}
