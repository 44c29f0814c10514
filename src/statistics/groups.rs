//! Tallies by a name.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Buckets, Outcome, Tally};
use crate::model::Timestamp;

/// A tally for each name; `None` for those that have none.
#[derive(Debug, Clone)]
pub struct Groups {
    buckets: Buckets,
    tallies: BTreeMap<Option<String>, Tally>,
}

impl Groups {
    pub fn new(buckets: Buckets) -> Self {
        Self {
            buckets,
            tallies: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, name: Option<&str>, at: Timestamp, outcome: Outcome, took: Option<Duration>) {
        self.tallies
            .entry(name.map(str::to_owned))
            .or_insert_with(|| Tally::new(self.buckets))
            .add(at, outcome, took);
    }

    /// The largest first; those of one size by name.
    pub fn by_count(&self) -> Vec<(Option<&str>, &Tally)> {
        let mut groups: Vec<_> = self
            .tallies
            .iter()
            .map(|(name, tally)| (name.as_deref(), tally))
            .collect();
        groups.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.outcomes().count()));
        groups
    }

    /// All of them together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::new(self.buckets);
        self.tallies.values().for_each(|tally| total.merge(tally));
        total
    }
}
