//! How long after RetryAfter a client looked.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// For each RetryAfter that was over when its request was next shown to a client, by List or Get: how long it had been.
/// An answer before its time says nothing of this: a list may come early, and a Get that does is counted elsewhere.
///
/// Within a hundredth, and takes no memory before the first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lateness {
    milliseconds: Option<Box<Histogram<u64>>>,
}

impl Lateness {
    pub(super) fn record(&mut self, late: Duration) {
        let milliseconds = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
        if self.milliseconds.is_none() {
            // It has two significant digits, which is never refused, and grows as it must.
            self.milliseconds = Histogram::new(2).ok().map(Box::new);
        }
        if let Some(histogram) = &mut self.milliseconds {
            // It grows with what it is given (`saturating_record` would not let it), so nothing is out of range.
            histogram.record(milliseconds).unwrap_or_default();
        }
    }

    /// Takes in what `other` counted too.
    pub fn add(&mut self, other: &Self) {
        match (&mut self.milliseconds, &other.milliseconds) {
            // Both grow, so nothing is out of range.
            (Some(histogram), Some(other)) => histogram.add(&**other).unwrap_or_default(),
            (None, other) => self.milliseconds.clone_from(other),
            (Some(_), None) => {}
        }
    }

    /// What was counted after `earlier` was.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut later = self.clone();
        if let (Some(histogram), Some(earlier)) = (&mut later.milliseconds, &earlier.milliseconds) {
            // Nothing is ever taken off a count, so what was counted earlier is among it.
            histogram.subtract(&**earlier).unwrap_or_default();
        }
        later
    }

    /// How many looks were counted.
    pub fn count(&self) -> u64 {
        self.milliseconds.as_ref().map_or(0, |histogram| histogram.len())
    }

    /// What a share of them, from 0 to 1, did not exceed; zero if none was counted.
    pub fn quantile(&self, share: f64) -> Duration {
        let milliseconds = self.milliseconds.as_ref();
        Duration::from_millis(milliseconds.map_or(0, |histogram| histogram.value_at_quantile(share)))
    }
}

impl Serialize for Lateness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Lateness", 4)?;
        fields.serialize_field("count", &self.count())?;
        for (name, share) in [("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0)] {
            fields.serialize_field(
                name,
                &u64::try_from(self.quantile(share).as_millis()).unwrap_or(u64::MAX),
            )?;
        }
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_counts_what_it_was_told_within_a_hundredth() {
        let mut lateness = Lateness::default();
        assert_eq!((lateness.count(), lateness.quantile(0.5)), (0, Duration::ZERO));
        for milliseconds in 1..=100 {
            lateness.record(Duration::from_millis(milliseconds));
        }
        let mut other = Lateness::default();
        other.add(&lateness);
        other.record(Duration::from_hours(24 * 365));
        lateness.add(&other);
        assert_eq!(lateness.count(), 201);
        assert_eq!(lateness.since(&other).count(), 100);
        let median = lateness.quantile(0.5).as_millis();
        assert!((50..=51).contains(&median), "{median}");
        assert!(lateness.quantile(1.0) >= Duration::from_hours(24 * 360));
        let json = serde_json::to_value(&lateness).unwrap();
        assert_eq!(
            (&json["count"], &json["p50_ms"]),
            (&json!(201), &json!(u64::try_from(median).unwrap()))
        );
    }
}
