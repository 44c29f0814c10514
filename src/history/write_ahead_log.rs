//! The write-ahead log (WAL): when it is folded into the file, and who waits for that.
//!
//! SQLite folds it as part of the commit that fills its thousandth page. The lock is open again by then, but the writer's
//! connection is still busy, and with it each look and verdict of this process that has something to write; the sync of a
//! thousand pages that lie anywhere in the file is the longest that any of them waits. So what is done at leisure
//! ([`History::write_at_leisure`]) neither folds nor syncs as part of its commit, and what it leaves in the WAL is folded by
//! a connection for which no one waits ([`History::fold_beside`]).
//!
//! One sync would be left: whoever is the first to write to a log all of which is folded begins it anew, and SQLite syncs its
//! new header before anything follows it, however little the commit itself is to last; without that, a power cut could bring
//! old pages back into the file (<https://sqlite.org/src/info/ff5be73dee>). On a disk that others keep busy this takes a
//! tenth of a second. So what is done at leisure never begins a log: it is done only where part of the log is not folded, and
//! else waits for a commit that syncs anyway, and then twice ([`History::next_write`]). Where nothing is written, it is not done.

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, MAIN_DB};

use super::{Failure, History, HistoryError, WriteTx, locked, transaction};

/// Pages in the WAL from which on it is worth a fold: as many as SQLite's own default.
/// <https://www.sqlite.org/c3ref/wal_autocheckpoint.html>
pub(super) const WORTH_A_FOLD: i32 = 1000;

impl History {
    /// Does `work` in one transaction, as [`History::write`] does, but for what would only be done again if a power cut
    /// undid it: its commit does not wait for the disk. All commits before and after it last as ever, and a crash of
    /// the process undoes none. `None`, and nothing is done, where it would have to begin the log: it is to be tried again
    /// after the [next write](History::next_write).
    /// <https://www.sqlite.org/pragma.html#pragma_synchronous>
    pub(super) fn write_at_leisure<T>(
        &self,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, HistoryError> {
        // Before the writer's: that is not to be held while another one folds.
        let at_leisure = locked(&self.shared.at_leisure);
        let mut writer = locked(&self.shared.writer);
        let set = |writer: &Connection, synchronous, fold_after| {
            set(writer, synchronous, fold_after).map_err(|error| self.error(error.into()))
        };
        set(&writer, "normal", 0)?;
        let outcome = transaction::writing(&mut writer, &self.shared.path, |tx| {
            // Asked within the transaction: what is not folded now was not when it began, and then it begins no log,
            // whatever another process folds meanwhile.
            let log = Log::of(&at_leisure)?;
            if log.is_folded() { Ok(None) } else { work(tx).map(Some) }
        });
        set(&writer, "full", WORTH_A_FOLD)?;
        outcome
    }

    /// Folds what lies in the WAL into the file, if it is enough to be worth it. No one waits for it: neither this process's
    /// writer nor another one, nor any reader.
    pub fn fold_beside(&self) -> Result<(), HistoryError> {
        let folding = || -> rusqlite::Result<()> {
            let connection = locked(&self.shared.at_leisure);
            let log = Log::of(&connection)?;
            if log.pages - log.folded >= WORTH_A_FOLD {
                connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)?;
            }
            Ok(())
        };
        match folding() {
            // Another one folds at this moment.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
            outcome => outcome.map_err(|error| self.error(error.into())),
        }
    }

    /// Waits until this process has written some row, but at leisure, since this was asked the last time. For one who asks at a
    /// time: a commit wakes no more than one.
    pub async fn next_write(&self) {
        self.shared.written.notified().await;
    }

    /// Folds all of the WAL into the file, so that the file alone holds everything: before a copy, or at the end. Returns
    /// whether all of it was; a reader in another process may hold a part back until it has finished.
    pub async fn checkpoint(&self) -> Result<bool, HistoryError> {
        self.blocking(Self::fold_all).await
    }

    pub(super) fn fold_all(&self) -> Result<bool, HistoryError> {
        locked(&self.shared.writer)
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map(|busy: i64| busy == 0)
            .map_err(|error| self.error(error.into()))
    }
}

/// Pages in the WAL, and how many of them are in the file as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Log {
    pages: i32,
    folded: i32,
}

impl Log {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let (pages, folded) = connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::NOOP)?;
        Ok(Self { pages, folded })
    }

    /// Whether whoever writes next begins it anew; if no reader needs it, which isn't to be known beforehand.
    fn is_folded(self) -> bool {
        self.folded >= self.pages
    }
}

fn set(writer: &Connection, synchronous: &str, fold_after: i32) -> rusqlite::Result<()> {
    writer.pragma_update(None, "synchronous", synchronous)?;
    writer.pragma_update_and_check(None, "wal_autocheckpoint", fold_after, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::params;

    use super::super::fixtures::Scene;
    use super::*;

    /// Fills so many pages of the WAL in one commit.
    fn fill(tx: &WriteTx<'_>, pages: i32) -> Result<(), Failure> {
        let length = i64::from(pages) * 4096;
        let sql = "INSERT INTO silences (matchers, starts_at, ends_at, created_at, created_by, reason)
            VALUES (printf('%.*c', ?1, 'm'), 0, 1, 0, 'a', 'b')";
        tx.transaction.execute(sql, params![length])?;
        Ok(())
    }

    fn log(scene: &Scene) -> Log {
        Log::of(&locked(&scene.history.shared.at_leisure)).unwrap()
    }

    fn fill_at_leisure(scene: &Scene, pages: i32) {
        let filled = scene.history.write_at_leisure(|tx| fill(tx, pages)).unwrap();
        assert!(filled.is_some());
    }

    fn settings(scene: &Scene) -> (i64, i64) {
        (
            scene.count("PRAGMA synchronous"),
            scene.count("PRAGMA wal_autocheckpoint"),
        )
    }

    const LASTING: (i64, i64) = (2, WORTH_A_FOLD as i64);

    #[test]
    fn what_is_written_at_leisure_neither_syncs_nor_folds_and_all_else_does_both() {
        let scene = Scene::new();
        assert_eq!(settings(&scene), LASTING);
        let inside = scene.history.write_at_leisure(|tx| {
            fill(tx, 2 * WORTH_A_FOLD)?;
            let ask = |sql| tx.transaction.query_row(sql, [], |row| row.get::<_, i64>(0));
            Ok((ask("PRAGMA synchronous")?, ask("PRAGMA wal_autocheckpoint")?))
        });
        assert_eq!(inside.unwrap(), Some((1, 0)));
        let Log { pages, folded } = log(&scene);
        assert!(pages > 2 * WORTH_A_FOLD && folded == 0, "{pages} {folded}");
        assert_eq!(settings(&scene), LASTING);

        scene.history.write(|tx| fill(tx, 1)).unwrap();
        assert!(log(&scene).is_folded());
    }

    /// Its header would be synced before anything else was written, and the lock be held meanwhile.
    #[tokio::test]
    async fn what_is_done_at_leisure_begins_no_log() {
        let scene = Scene::new();
        // It was written before.
        scene.history.next_write().await;
        fill_at_leisure(&scene, 2 * WORTH_A_FOLD);
        scene.history.fold_beside().unwrap();
        let folded = log(&scene);
        assert!(folded.is_folded());
        let not_now = scene.history.write_at_leisure(|tx| fill(tx, 1)).unwrap();
        assert_eq!(not_now, None);
        assert_eq!(log(&scene), folded);
        assert_eq!(settings(&scene), LASTING);

        let waiting = tokio::spawn({
            let history = scene.history.clone();
            async move { history.next_write().await }
        });
        scene.history.write(|_| Ok(())).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished(), "nothing was written");
        scene.history.write(|tx| fill(tx, 1)).unwrap();
        waiting.await.unwrap();
        assert!(log(&scene).pages < folded.pages && !log(&scene).is_folded());
        fill_at_leisure(&scene, 1);

        // Nor the first one of all.
        assert!(scene.history.fold_all().unwrap());
        assert_eq!(log(&scene), Log { pages: 0, folded: 0 });
        let not_now = scene.history.write_at_leisure(|tx| fill(tx, 1)).unwrap();
        assert_eq!(not_now, None);
    }

    #[test]
    fn what_fails_at_leisure_leaves_the_next_commit_as_lasting_as_ever() {
        let scene = Scene::new();
        let failed = scene.history.write_at_leisure(|tx| {
            fill(tx, 1)?;
            Ok(tx
                .transaction
                .execute("INSERT INTO silences DEFAULT VALUES", [])
                .map(drop)?)
        });
        assert!(failed.is_err());
        assert_eq!(settings(&scene), LASTING);
        assert_eq!(scene.count("SELECT count(*) FROM silences"), 0);
    }

    #[test]
    fn it_is_folded_when_that_is_worth_it_and_while_others_write_and_read() {
        let scene = Scene::new();
        fill_at_leisure(&scene, WORTH_A_FOLD / 2);
        scene.history.fold_beside().unwrap();
        assert_eq!(log(&scene).folded, 0, "too little");
        fill_at_leisure(&scene, WORTH_A_FOLD);
        let reader = scene.reader();
        reader.summary().unwrap();
        scene
            .history
            .write(|tx| {
                tx.transaction.execute("UPDATE meta SET history_id = history_id", [])?;
                scene.history.fold_beside().unwrap();
                assert!(log(&scene).folded > WORTH_A_FOLD);
                Ok(())
            })
            .unwrap();
    }

    #[tokio::test]
    async fn to_fold_is_no_commit_of_another_process() {
        let scene = Scene::new();
        let before = scene.history.others_version().await.unwrap();
        fill_at_leisure(&scene, 2 * WORTH_A_FOLD);
        scene.history.fold_beside().unwrap();
        assert!(log(&scene).is_folded());
        assert_eq!(scene.history.others_version().await.unwrap(), before);
    }

    /// A backup, for one, may read for minutes.
    #[test]
    fn a_reader_that_takes_its_time_is_no_error() {
        let scene = Scene::new();
        let reader = rusqlite::Connection::open(scene.path()).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        let _: i64 = reader
            .query_row("SELECT count(*) FROM targets", [], |row| row.get(0))
            .unwrap();
        fill_at_leisure(&scene, 2 * WORTH_A_FOLD);
        scene.history.fold_beside().unwrap();
        assert!(!log(&scene).is_folded());
        reader.execute_batch("COMMIT").unwrap();
        scene.history.fold_beside().unwrap();
        assert!(log(&scene).is_folded());
    }
}
