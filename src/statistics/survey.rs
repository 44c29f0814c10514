//! All that a report says of requests, from one walk over them.

use super::{Buckets, Groups, RequestFacts};

/// How many parts the time of a whole survey is cut into at the most: a quarter of a year by days.
pub const OVERALL_BUCKETS: usize = 92;

/// Requests from several sides at once. The same requests are in each of the four, so their totals agree.
#[derive(Debug, Clone)]
pub struct Survey {
    pub by_type: Groups,
    pub by_operation: Groups,
    pub by_target: Groups,
    /// Of the failed ones alone: what did not fail has no code.
    pub by_error: Groups,
}

impl Survey {
    pub fn new(buckets: Buckets) -> Self {
        Self {
            by_type: Groups::new(buckets),
            by_operation: Groups::new(buckets),
            by_target: Groups::new(buckets),
            by_error: Groups::new(buckets),
        }
    }

    pub fn add(&mut self, request: &RequestFacts<'_>) {
        let RequestFacts { at, outcome, took, .. } = *request;
        self.by_type.add(request.type_name, at, outcome, took);
        self.by_operation.add(request.operation, at, outcome, took);
        self.by_target.add(Some(request.target), at, outcome, took);
        if outcome == super::Outcome::Failed {
            self.by_error.add(request.error_code, at, outcome, took);
        }
    }
}
