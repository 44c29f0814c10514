//! What the command line asks, found through indexes, newest first.
//!
//! A filter's patterns are first turned into values: what a column holds is a short list (types, operations, error codes,
//! targets, hooks), read from its index value by value, and the patterns choose among them. So `'AWS::RDS::*'` costs as much as the types
//! that it matches, and patterns that leave nothing of what the history has are answered at once.
//!
//! Then one index leads. With values to look for, it is read once for each, newest first, no further than the limit; with
//! none, it is the one by time. Of several filters the one that leaves the fewest rows leads, counted up to [`FEW`]; the
//! others are held against what it finds. Each statement names the index that it needs, so that no statistics, and no
//! filter beside it, can make SQLite walk a table instead. *(`asking_index_tests`)*
//!
//! What has no short list, an identifier, leads where its pattern begins with something and few match; else requests are
//! looked at newest first until enough are found.

mod choice;
mod filter;
mod leads;
mod listings;

pub use filter::Filter;
pub(super) use filter::{Narrowed, START};
pub use listings::Following;

#[cfg(test)]
#[path = "../asking_index_tests.rs"]
mod index_tests;
#[cfg(test)]
#[path = "../asking_tests.rs"]
mod tests;

/// Rows that are found one by one and sorted, rather than met on a walk through time.
const FEW: i64 = 1000;
