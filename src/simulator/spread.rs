//! How long things take.

use std::time::Duration;

use fastrand::Rng;

/// A distribution of durations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// Always the same.
    Fixed(Duration),
    /// Any between the two, all as likely.
    Uniform { from: Duration, to: Duration },
    /// Half are below the median; `sigma` is the standard deviation of the logarithm: at 1, one in six takes more than
    /// e (2.7) times the median. The shape that measured provisioning times have: a short bulk and a long tail.
    LogNormal { median: Duration, sigma: f64 },
}

impl Spread {
    /// Nothing takes longer than this, so that the long tail of a log-normal stays a time that can be added to another.
    pub const LONGEST: Duration = Duration::from_hours(24 * 30);

    /// The log-normal distribution of which half lies below the median, and 99 of 100 below `p99`: what dashboards show
    /// of measured times. A `p99` below the median counts as it.
    pub fn log_normal(median: Duration, p99: Duration) -> Self {
        /// How many standard deviations the 99th percentile of a normal distribution lies above its mean.
        const Z_99: f64 = 2.326_347_874_040_841;
        let ratio = p99.as_secs_f64() / median.as_secs_f64();
        let sigma = if ratio > 1.0 { ratio.ln() / Z_99 } else { 0.0 };
        Self::LogNormal { median, sigma }
    }

    pub(super) fn draw(self, rng: &mut Rng) -> Duration {
        let seconds = match self {
            Self::Fixed(duration) => return duration.min(Self::LONGEST),
            Self::Uniform { from, to } => from.as_secs_f64() + rng.f64() * (to.as_secs_f64() - from.as_secs_f64()),
            Self::LogNormal { median, sigma } => median.as_secs_f64() * (sigma * standard_normal(rng)).exp(),
        };
        Duration::try_from_secs_f64(seconds)
            .unwrap_or(Self::LONGEST)
            .min(Self::LONGEST)
    }
}

/// By the Box–Muller transform.
fn standard_normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

/// The interval to the next of events that come `per_second` on average, independent of one another (a Poisson
/// process). `None` if they never come. More than a million a second come as a million, so that time always passes.
pub(super) fn until_next(rng: &mut Rng, per_second: f64) -> Option<Duration> {
    if per_second > 0.0 {
        let seconds = -(1.0 - rng.f64()).ln() / per_second.min(1e6);
        Duration::try_from_secs_f64(seconds).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_lie_where_the_distribution_says() {
        let mut rng = Rng::with_seed(7);
        let seconds = Duration::from_secs;
        let (mut sum, mut below_median) = (0.0, 0);
        for _ in 0..10_000 {
            assert_eq!(Spread::Fixed(seconds(3)).draw(&mut rng), seconds(3));
            let uniform = Spread::Uniform {
                from: seconds(2),
                to: seconds(4),
            }
            .draw(&mut rng);
            assert!((seconds(2)..=seconds(4)).contains(&uniform));
            let tailed = Spread::LogNormal {
                median: seconds(10),
                sigma: 1.0,
            }
            .draw(&mut rng);
            below_median += u32::from(tailed < seconds(10));
            sum += until_next(&mut rng, 4.0).unwrap().as_secs_f64();
        }
        assert!((4_800..5_200).contains(&below_median), "{below_median}");
        assert!((2_400.0..2_600.0).contains(&sum), "{sum}");
    }

    #[test]
    fn a_log_normal_is_given_by_what_dashboards_show() {
        let mut rng = Rng::with_seed(7);
        let (median, p99) = (Duration::from_secs(5), Duration::from_mins(1));
        let spread = Spread::log_normal(median, p99);
        let draws: Vec<_> = (0..20_000).map(|_| spread.draw(&mut rng)).collect();
        let above = |limit| draws.iter().filter(|draw| **draw > limit).count();
        assert!((9_700..10_300).contains(&above(median)), "{}", above(median));
        assert!((150..250).contains(&above(p99)), "{}", above(p99));
        for (median, p99) in [(p99, median), (median, median), (Duration::ZERO, Duration::ZERO)] {
            assert_eq!(Spread::log_normal(median, p99).draw(&mut rng), median);
        }
    }

    #[test]
    fn absurd_distributions_stay_within_bounds() {
        let mut rng = Rng::with_seed(7);
        for spread in [
            Spread::Fixed(Duration::MAX),
            Spread::Uniform {
                from: Duration::MAX,
                to: Duration::ZERO,
            },
            Spread::LogNormal {
                median: Duration::MAX,
                sigma: f64::NAN,
            },
            Spread::LogNormal {
                median: Duration::MAX,
                sigma: f64::INFINITY,
            },
        ] {
            assert!(spread.draw(&mut rng) <= Spread::LONGEST);
        }
        assert_eq!(until_next(&mut rng, 0.0), None);
        assert_eq!(until_next(&mut rng, f64::NAN), None);
    }
}
