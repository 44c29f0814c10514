//! An end for what reads or copies a whole history, when whoever asked for it has no more patience.

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use super::{OpenError, Reader};

/// Steps of SQLite's machine between two looks at whether to go on: some tenths of a millisecond.
const LOOK_EVERY: i32 = 20_000;

/// Has what runs on the connection fail soon after `stop`. `each_time` is called whenever that is looked at.
pub(super) fn heed(
    connection: &mut Connection,
    stop: &CancellationToken,
    mut each_time: impl FnMut() + Send + 'static,
) -> rusqlite::Result<()> {
    let stop = stop.clone();
    connection.progress_handler(
        LOOK_EVERY,
        Some(move || {
            each_time();
            stop.is_cancelled()
        }),
    )
}

impl Reader {
    /// Has whatever is asked fail soon after `stop`, even in the middle of a long answer.
    pub fn heeding(mut self, stop: &CancellationToken) -> Result<Self, OpenError> {
        let heeded = heed(&mut self.connection, stop, || ());
        heeded.map_err(|source| OpenError::from_sqlite(&self.path, source))?;
        Ok(self)
    }
}
