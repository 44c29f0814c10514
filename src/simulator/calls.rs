//! What clients asked for, counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::lateness::Lateness;

/// Calls by operation. What names no operation is counted under `unknown`, so that strange names can't fill the memory.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Calls {
    pub operations: BTreeMap<&'static str, OperationCalls>,
    pub lateness: Lateness,
}

/// Each call that was received is counted in exactly one of the other counters but `early_looks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct OperationCalls {
    pub received: u64,
    /// Answered in full.
    pub answered: u64,
    /// Answered with an error that says something about the call: its input, its token, its credentials.
    pub refused: u64,
    /// Answered with ThrottlingException.
    pub throttled: u64,
    /// Made to fail: 5xx, a reset, a body that is cut off or empty.
    pub faulted: u64,
    /// GetResourceRequestStatus answered before the RetryAfter in the last answer about that token, from List or Get,
    /// that reached a client. Judged by what the client could know: if the request has finished in the meantime,
    /// unseen, the look was early all the same.
    pub early_looks: u64,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Answered,
    Refused,
    Throttled,
    Faulted,
}

impl Calls {
    /// Of one operation; all zero if it was never called.
    pub fn of(&self, operation: &str) -> OperationCalls {
        self.operations.get(operation).copied().unwrap_or_default()
    }

    /// GetResourceRequestStatus answered before RetryAfter. See [`OperationCalls::early_looks`].
    pub fn early_looks(&self) -> u64 {
        self.operations.values().map(|calls| calls.early_looks).sum()
    }

    /// Counts what `others` counted too.
    pub fn add(&mut self, others: &Self) {
        self.lateness.add(&others.lateness);
        for (operation, other) in &others.operations {
            let calls = self.operations.entry(operation).or_default();
            calls.received += other.received;
            calls.answered += other.answered;
            calls.refused += other.refused;
            calls.throttled += other.throttled;
            calls.faulted += other.faulted;
            calls.early_looks += other.early_looks;
        }
    }

    pub(super) fn count(&mut self, operation: &'static str, ending: Ending) {
        let calls = self.operations.entry(operation).or_default();
        calls.received += 1;
        match ending {
            Ending::Answered => calls.answered += 1,
            Ending::Refused => calls.refused += 1,
            Ending::Throttled => calls.throttled += 1,
            Ending::Faulted => calls.faulted += 1,
        }
    }

    pub(super) fn count_early_look(&mut self, operation: &'static str) {
        self.operations.entry(operation).or_default().early_looks += 1;
    }
}
