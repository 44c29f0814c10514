//! The numbers of one group.

use std::time::Duration;

use super::{Buckets, Durations, Outcome, Outcomes};
use crate::model::Timestamp;

/// How many, how they ended, how long those took that succeeded, and how many there were in each part of time.
///
/// Failures are kept out of the durations: many fail in their first second, and would make a slow type look quick.
#[derive(Debug, Clone)]
pub struct Tally {
    buckets: Buckets,
    outcomes: Outcomes,
    durations: Durations,
    timeline: Vec<Outcomes>,
}

impl Tally {
    pub fn new(buckets: Buckets) -> Self {
        Self {
            buckets,
            outcomes: Outcomes::default(),
            durations: Durations::default(),
            timeline: vec![Outcomes::default(); buckets.count()],
        }
    }

    pub fn add(&mut self, at: Timestamp, outcome: Outcome, took: Option<Duration>) {
        self.outcomes.add(outcome);
        if let Some(part) = self.timeline.get_mut(self.buckets.index(at)) {
            part.add(outcome);
        }
        if outcome == Outcome::Succeeded
            && let Some(took) = took
        {
            self.durations.add(took);
        }
    }

    /// Adds what another tally over the same buckets has.
    pub fn merge(&mut self, other: &Self) {
        self.outcomes.merge(&other.outcomes);
        self.durations.merge(&other.durations);
        for (part, other) in self.timeline.iter_mut().zip(&other.timeline) {
            part.merge(other);
        }
    }

    pub fn buckets(&self) -> Buckets {
        self.buckets
    }

    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Of successes.
    pub fn durations(&self) -> &Durations {
        &self.durations
    }

    /// How they ended that began in each part of time.
    pub fn timeline(&self) -> &[Outcomes] {
        &self.timeline
    }

    /// How many there were in each part of time.
    pub fn trend(&self) -> Vec<u64> {
        self.timeline.iter().map(Outcomes::count).collect()
    }
}
