//! The index behind ListResourceRequests.
//!
//! One ordered map for each pair of operation and status, by position in the list's order. A page merges the maps that
//! its filter wants from the cursor on, so that it costs what it shows (100 entries) and not what there is (100,000
//! requests), however few of them match. The cursor is a position: it says where to go on without the listing being
//! kept anywhere, and entries that come or go meanwhile neither repeat nor hide others.
//!
//! Rejected: a snapshot for each listing (memory for every client that never comes back for its next page), and one
//! map that is scanned for matches (a filter for what is open would walk through seven days of what is not).

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::model::{Operation, RequestStatus};

/// Which requests a listing wants; an empty list wants all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    pub operations: Vec<Operation>,
    pub statuses: Vec<RequestStatus>,
}

/// Where an entry stands in the order of the list.
pub(super) type Position = u128;

#[derive(Debug, Default)]
pub(super) struct Listing {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    /// `None` for events that lack it: a filter by operation drops them.
    operation: Option<Operation>,
    status: RequestStatus,
    sequences: BTreeMap<Position, u64>,
}

impl Listing {
    pub(super) fn insert(
        &mut self,
        operation: Option<&Operation>,
        status: &RequestStatus,
        position: Position,
        sequence: u64,
    ) {
        self.group(operation, status).insert(position, sequence);
    }

    pub(super) fn remove(&mut self, operation: Option<&Operation>, status: &RequestStatus, position: Position) {
        self.group(operation, status).remove(&position);
    }

    fn group(&mut self, operation: Option<&Operation>, status: &RequestStatus) -> &mut BTreeMap<Position, u64> {
        let is_it = |group: &Group| group.operation.as_ref() == operation && group.status == *status;
        let index = self.groups.iter().position(is_it).unwrap_or_else(|| {
            self.groups.push(Group {
                operation: operation.cloned(),
                status: status.clone(),
                sequences: BTreeMap::new(),
            });
            self.groups.len() - 1
        });
        &mut self.groups[index].sequences
    }

    /// What the filter wants, from behind the cursor on, in order.
    pub(super) fn after(&self, cursor: Option<Position>, filter: &Filter) -> impl Iterator<Item = (Position, u64)> {
        let from = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut sources: Vec<_> = self
            .wanted(filter)
            .map(|group| group.sequences.range((from, Bound::Unbounded)).peekable())
            .collect();
        std::iter::from_fn(move || {
            let (source, _) = sources
                .iter_mut()
                .enumerate()
                .filter_map(|(source, entries)| Some((source, *entries.peek()?.0)))
                .min_by_key(|(_, position)| *position)?;
            sources[source]
                .next()
                .map(|(position, sequence)| (*position, *sequence))
        })
    }

    /// The cursor that lies `entries` before this one: what a page that begins too early starts from.
    pub(super) fn before(&self, cursor: Position, entries: usize, filter: &Filter) -> Option<Position> {
        let mut behind: Vec<Position> = self
            .wanted(filter)
            .flat_map(|group| group.sequences.range(..=cursor).rev().take(entries + 1))
            .map(|(position, _)| *position)
            .collect();
        behind.sort_unstable_by(|a, b| b.cmp(a));
        behind.get(entries).copied()
    }

    fn wanted(&self, filter: &Filter) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| {
            let operation_fits = filter.operations.is_empty()
                || group
                    .operation
                    .as_ref()
                    .is_some_and(|operation| filter.operations.contains(operation));
            operation_fits && (filter.statuses.is_empty() || filter.statuses.contains(&group.status))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATUSES: [RequestStatus; 3] = [RequestStatus::Pending, RequestStatus::Success, RequestStatus::Failed];

    proptest! {
        #[test]
        fn pages_show_each_wanted_entry_once_and_in_order(
            entries in proptest::collection::btree_map(any::<u16>(), (0..3_usize, any::<bool>()), 0..60),
            wanted in 0..4_usize,
            size in 1..20_usize,
        ) {
            let mut listing = Listing::default();
            for (position, (status, told)) in &entries {
                let operation = told.then_some(Operation::Create);
                listing.insert(operation.as_ref(), &STATUSES[*status], (*position).into(), (*position).into());
            }
            let filter = Filter { statuses: STATUSES.get(wanted).cloned().into_iter().collect(), operations: vec![] };
            let mut seen = Vec::new();
            let mut cursor = None;
            loop {
                let page: Vec<_> = listing.after(cursor, &filter).take(size).collect();
                let Some((last, _)) = page.last() else { break };
                cursor = Some(*last);
                seen.extend(page);
            }
            let expected: Vec<_> = entries
                .iter()
                .filter(|(_, (status, _))| wanted == 3 || *status == wanted)
                .map(|(position, _)| (u128::from(*position), u64::from(*position)))
                .collect();
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_filter_by_operation_drops_what_lacks_one() {
        let mut listing = Listing::default();
        listing.insert(None, &RequestStatus::Failed, 1, 1);
        listing.insert(Some(&Operation::Create), &RequestStatus::Failed, 2, 2);
        let filter = Filter {
            operations: vec![Operation::Create],
            statuses: vec![],
        };
        assert_eq!(listing.after(None, &filter).collect::<Vec<_>>(), [(2, 2)]);
        assert_eq!(listing.after(None, &Filter::default()).count(), 2);
    }

    #[test]
    fn an_earlier_cursor_repeats_that_many_entries() {
        let mut listing = Listing::default();
        for position in 0..10 {
            listing.insert(None, &STATUSES[position % 3], position as u128, 0);
        }
        assert_eq!(listing.before(5, 3, &Filter::default()), Some(2));
        assert_eq!(listing.before(1, 3, &Filter::default()), None);
    }
}
