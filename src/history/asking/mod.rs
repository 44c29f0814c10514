//! What the command line asks, found through indexes, newest first.
//!
//! A filter's patterns are first turned into values: what a column holds is a short list (types, operations, error codes,
//! targets, hooks, the statuses of changes), read from its index value by value, and the patterns choose among them. So
//! `'AWS::RDS::*'` costs as much as the types that it matches, and patterns that leave nothing of what the history has are
//! answered at once.
//!
//! Then one index leads. With values to look for, it is read once for each, newest first, no further than the limit; with
//! none, it is the one by time. Of several filters the one that leaves the fewest rows leads, as far as they are counted; the
//! others are held against what it finds. Each statement names the index that it needs, so that no statistics, and no
//! filter beside it, can make SQLite walk a table instead. *(`asking_index_tests`)*
//!
//! What has no short list, an identifier, leads where few match; else requests are looked at newest first until enough are
//! found. Hooks and changes are found from the newest on or by their requests, whichever takes less.

mod choice;
mod filter;
mod leads;
mod listings;
mod of_requests;
mod unknown;

pub use filter::Filter;
pub(super) use filter::{Narrowed, START};
pub use listings::Following;
pub use unknown::Unknown;

#[cfg(test)]
#[path = "../asking_index_tests.rs"]
mod index_tests;
#[cfg(test)]
#[path = "../asking_tests.rs"]
mod tests;

/// How much is looked at before another way is tried.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Rows that are found one by one and sorted, rather than met on a walk through time.
    few: i64,
    /// Rows that are looked at in less time than anyone notices; beyond this, it does not matter how many more.
    many: i64,
}

const BOUNDS: Bounds = Bounds {
    few: 1000,
    many: 20_000,
};
