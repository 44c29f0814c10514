//! How long to leave a target alone after calls that failed.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// The pause after `failures` failed calls in a row (1 for the first): 1 s, 2 s, 4 s … 60 s, less up to a half by
/// `chance` (0 to 1), so that the targets of an outage do not come back in step.
pub fn pause(failures: u32, chance: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
    full.mul_f64(1.0 - chance / 2.0)
}
