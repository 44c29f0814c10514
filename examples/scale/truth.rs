//! What the world says of itself at its side entrance, and when a watcher knew it.

use std::collections::HashMap;

use ccwatch::model::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Begun {
    pub(crate) tokens: Vec<String>,
    /// How many transitions there have been.
    pub(crate) count: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) token: String,
    pub(crate) status: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

/// When a watcher knew, or told, that requests had ended, and how.
#[derive(Debug, Default)]
pub(crate) struct Known(pub(crate) HashMap<String, (String, Timestamp)>);

/// Delays from the truth to the watcher.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    milliseconds: Vec<u64>,
    /// Ends that the watcher did not know of, or knew wrong.
    pub(crate) missed: usize,
}

impl Delays {
    /// Of what ended in this span of time.
    pub(crate) fn new(ended: &[Ended], known: &Known, from: Timestamp, to: Timestamp) -> Self {
        let mut delays = Self::default();
        for end in ended {
            let at = Timestamp::from_millis(end.at);
            if at < from || at >= to {
                continue;
            }
            match known.0.get(&end.token) {
                Some((status, told_at)) if *status == end.status => {
                    let delay = told_at.since(at).as_millis();
                    delays.milliseconds.push(u64::try_from(delay).unwrap_or(u64::MAX));
                }
                _ => delays.missed += 1,
            }
        }
        delays.milliseconds.sort_unstable();
        delays
    }

    pub(crate) fn count(&self) -> usize {
        self.milliseconds.len()
    }

    /// What this many in a thousand did not exceed, in seconds.
    pub(crate) fn quantile(&self, in_a_thousand: usize) -> Option<f64> {
        let last = self.milliseconds.len().checked_sub(1)?;
        let milliseconds = self.milliseconds.get(last * in_a_thousand / 1000)?;
        Some(std::time::Duration::from_millis(*milliseconds).as_secs_f64())
    }
}
