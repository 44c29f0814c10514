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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_chance_shortens_them() {
        let seconds: Vec<_> = (1..=9).map(|failures| pause(failures, 0.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause(u32::MAX, 1.0), Duration::from_secs(30));
    }
}
