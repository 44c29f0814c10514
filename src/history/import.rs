//! Bringing another history in.
//!
//! - **Nothing that comes is ever told.** What was still to be told there is kept as skipped, with the reason. Deliveries and
//!   attempts come as a record of who was told by the other.
//! - **Twice is once**: what is there already is found by what it says, never by its id ([`paired`](crate::decide::merging::paired)).
//!   Ids, and when each side saw something, are each history's own: what is here keeps its own.
//! - **A daemon may run beside it**, which is never held up for long: what comes is found by reading ([`comparing`]), a step
//!   is one transaction of about so many rows as the caller allows, and a request with more of them goes over several steps. A
//!   kill between two leaves a history that is well, and the next import goes on.
//! - **What goes on is left alone**: [`merging`](crate::decide::merging) decides, and says why.
//! - **The other history is never written to**, and not even read beyond a copy: [`Other`] is that copy, which is brought to
//!   this version and checked before anything of it is believed.
//!
//! What stays behind: incidents, silences, notices, threads and how receivers are doing, which are the business of the daemon
//! that keeps them; the last look at a target, since this daemon did not make it; and a gap that is still open there.

mod comparing;
mod other;
mod requests;
mod targets;
mod units;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rusqlite::Connection;

use super::{Editor, Failure, HistoryError, WriteTx};
use crate::clock::Clock;
use crate::decide::merging::Left;

use comparing::Compared;
pub use other::{Other, OtherError};
use units::Rest;

/// What an import brought, or would bring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// The names of targets that were not known.
    pub targets: BTreeSet<String>,
    /// Requests that came whole.
    pub whole: usize,
    /// Requests that were known, of which something came.
    pub united: usize,
    /// Requests of which nothing was new.
    pub known: usize,
    /// Requests that stay out, and why.
    pub left: BTreeMap<Left, usize>,
    /// Gaps, or what was left of them.
    pub gaps: usize,
    /// Rows of all tables.
    pub rows: usize,
}

/// An import that goes on step by step.
#[derive(Debug)]
pub struct Import<'a> {
    other: &'a Other,
    /// Whether resource models come, too.
    with_models: bool,
    /// Whether each step is undone: what would come is only counted.
    is_rehearsal: bool,
    /// The last of the other's requests, and of its gaps, that were dealt with.
    request: i64,
    gap: i64,
    /// What is left of a request that has more than a step takes.
    rest: VecDeque<Rest>,
    imported: Imported,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub rows: usize,
    /// How long no one else could write.
    pub held: Duration,
    pub is_done: bool,
}

impl<'a> Import<'a> {
    pub fn new(other: &'a Other, with_models: bool, is_rehearsal: bool) -> Self {
        Self {
            other,
            with_models,
            is_rehearsal,
            request: 0,
            gap: 0,
            rest: VecDeque::new(),
            imported: Imported::default(),
        }
    }

    /// How far it is, of [`Other::last_request`].
    pub fn position(&self) -> i64 {
        self.request
    }

    pub fn imported(&self) -> &Imported {
        &self.imported
    }

    /// Brings about `rows` rows more, in one transaction.
    pub fn step(&mut self, into: &mut Editor, rows: usize, clock: &Clock) -> Result<Step, ImportError> {
        if !self.rest.is_empty() {
            let mut rest = std::mem::take(&mut self.rest);
            let ((brought, rest), held) = self.commit(into, clock, |tx| {
                let brought = tx.bring_rest(&mut rest, rows)?;
                Ok((brought, rest))
            })?;
            self.rest = rest;
            self.imported.rows += brought;
            return Ok(Step {
                rows: brought,
                held,
                is_done: false,
            });
        }
        let requests = self.other.requests_after(self.request, rows, self.with_models)?;
        if !requests.is_empty() {
            let compare = |connection: &Connection| {
                let requests = requests.into_iter();
                requests.map(|theirs| Compared::new(connection, theirs)).collect()
            };
            let compared: Vec<Compared> = into.read(compare)?;
            let before = self.imported.clone();
            let now = clock.now();
            let (brought, held) = self.commit(into, clock, |tx| tx.bring_requests(compared, before, rows, now))?;
            let rows = brought.imported.rows - self.imported.rows;
            (self.imported, self.rest) = (brought.imported, brought.rest);
            self.request = brought.last.unwrap_or(self.request);
            if self.is_rehearsal {
                // The requests that it hangs on are not there.
                self.imported.rows += self.rest.drain(..).map(|rest| rest.rows()).sum::<usize>();
            }
            return Ok(Step {
                rows,
                held,
                is_done: false,
            });
        }
        let gaps = self.other.gaps_after(self.gap, rows)?;
        let Some(last) = gaps.last().map(|gap| gap.id) else {
            return Ok(Step {
                rows: 0,
                held: Duration::ZERO,
                is_done: true,
            });
        };
        let ((targets, brought), held) = self.commit(into, clock, |tx| tx.bring_gaps(&gaps))?;
        self.gap = last;
        self.imported.targets.extend(targets);
        self.imported.gaps += brought;
        self.imported.rows += brought;
        Ok(Step {
            rows: brought,
            held,
            is_done: false,
        })
    }

    /// Returns how long it took as well.
    fn commit<T>(
        &self,
        into: &mut Editor,
        clock: &Clock,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure>,
    ) -> Result<(T, Duration), HistoryError> {
        let begun = clock.uptime();
        let outcome = if self.is_rehearsal {
            into.rehearse(work)
        } else {
            into.write(work)
        }?;
        Ok((outcome, clock.uptime().saturating_sub(begun)))
    }
}

/// Why an import went no further. What came until then is whole, and the next import goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Here(#[from] HistoryError),
    #[error(transparent)]
    Other(#[from] OtherError),
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
