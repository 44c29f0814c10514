//! One transaction, over whichever connection.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::{Failure, HistoryError, WriteTx, open};

/// Does `work` on one unchanging state of the history at `path`, and takes no lock in anyone's way.
pub(super) fn reading<T>(
    connection: &Connection,
    path: &Arc<Path>,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, HistoryError> {
    let outcome = connection
        .unchecked_transaction()
        .map_err(Failure::from)
        .and_then(|transaction| work(&transaction));
    outcome.map_err(|failure| of(path, failure))
}

/// Does `work` in one transaction: all of it is committed if it succeeds, none of it if not.
///
/// The transaction is immediate: it waits for other writers at its begin, where nothing is lost, and not in its
/// middle, where SQLite could only refuse.
pub(super) fn writing<T>(
    connection: &mut Connection,
    path: &Arc<Path>,
    work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure>,
) -> Result<T, HistoryError> {
    let outcome = begun(connection).and_then(|tx| {
        let value = work(&tx)?;
        tx.transaction.commit()?;
        Ok(value)
    });
    outcome.map_err(|failure| of(path, failure))
}

/// Does `work` and undoes it: what it returns is what it would have come to.
pub(super) fn rehearsing<T>(
    connection: &mut Connection,
    path: &Arc<Path>,
    work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure>,
) -> Result<T, HistoryError> {
    let outcome = begun(connection).and_then(|tx| work(&tx));
    outcome.map_err(|failure| of(path, failure))
}

/// Writes something that says nothing new, and yet a page: a row that is updated to what it was is not written by SQLite, and a
/// full disk would be found by whoever comes next.
pub(super) fn prove_writable(tx: &WriteTx<'_>) -> Result<(), Failure> {
    tx.transaction
        .pragma_update(None, "application_id", open::APPLICATION_ID)?;
    Ok(())
}

fn begun(connection: &mut Connection) -> Result<WriteTx<'_>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    Ok(WriteTx { transaction })
}

fn of(path: &Arc<Path>, failure: Failure) -> HistoryError {
    HistoryError {
        path: Arc::clone(path),
        failure,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::MAIN_DB;
    use rusqlite::wal::CheckpointMode;

    use super::super::fixtures::Scene;
    use super::super::{History, locked};
    use super::*;

    fn pages_in_the_log(history: &History) -> i32 {
        let writer = locked(&history.shared.writer);
        writer.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::NOOP).unwrap().0
    }

    #[test]
    fn what_proves_that_it_can_be_written_writes_a_page() {
        let scene = Scene::new();
        let before = pages_in_the_log(&scene.history);
        scene.history.write(prove_writable).unwrap();
        assert_eq!(pages_in_the_log(&scene.history), before + 1);
        assert_eq!(scene.count("PRAGMA application_id"), i64::from(open::APPLICATION_ID));
    }
}
