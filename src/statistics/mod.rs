//! Numbers from rows: how many, how they ended, how long they took, and when.
//!
//! Pure: rows come in one at a time, borrowed, from whoever reads them, and nothing is kept of them but what the numbers
//! need. What it promises, and tests with arbitrary values:
//!
//! - **Percentiles are exact** and of nearest rank: always a duration that was really seen ([`Durations`]). Sketches
//!   (HDR histograms, t-digest) are rejected: a million durations are 8 MB, and an approximate p99 of few values is an
//!   invented one.
//! - **Sums agree**: a total is what its groups add up to, and the counts of a trend what their group has ([`Tally`]).
//! - **Order does not matter**: rows in any order, and parts merged in any order, give the same numbers.
//! - **No number breaks it**: times before 1970, in the year 9999, or in the wrong order.
//!
//! A request is of the moment at which it started, or was first seen where the service gave no time; a hook's
//! invocation of the moment at which it was first seen.

mod buckets;
mod durations;
mod facts;
mod groups;
mod outcome;
mod scorecard;
mod size;
mod sparkline;
mod survey;
mod tally;
mod writing;

pub use buckets::Buckets;
pub use durations::{Durations, Percentiles};
pub use facts::{HookFacts, RequestFacts};
pub use groups::Groups;
pub use outcome::{HookOutcome, Outcome, Outcomes};
pub use scorecard::{HookVersion, Score, Scorecard};
pub use size::{Growth, Size};
pub use sparkline::sparkline;
pub use survey::{OVERALL_BUCKETS, Survey};
pub use tally::Tally;
pub use writing::{bytes, percent, rough, rounded, thousands};

#[cfg(test)]
mod promise_tests;
