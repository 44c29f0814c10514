//! Requests that have ended and are known to the history just as a list shows them.
//!
//! A list of news or a sweep shows every request of seven days again and again, nearly all of them ended long ago and
//! unchanged. The same sighting twice is no difference (law 1), so asking the history each time would only cost: a
//! finished request is not handed to it again while it is listed unchanged, but for once an hour, which keeps its
//! `last_seen_at` true. Nothing is decided here: what is forgotten is only compared once more.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::model::{ProgressEvent, RequestToken};

/// How long an unchanged request is not handed to the history.
const REFRESHED_EVERY: Duration = Duration::from_hours(1);

/// Remembers, for each finished request, what was last recorded of it.
#[derive(Debug, Default)]
pub(super) struct Settled {
    requests: HashMap<RequestToken, Recorded>,
}

#[derive(Debug, Clone, Copy)]
struct Recorded {
    event: u64,
    /// Uptime.
    at: Duration,
}

impl Settled {
    /// Whether the history holds this already, recorded within the hour.
    pub(super) fn holds(&self, event: &ProgressEvent, uptime: Duration) -> bool {
        self.requests
            .get(&event.request_token)
            .is_some_and(|known| known.event == fingerprint(event) && uptime < known.at + REFRESHED_EVERY)
    }

    /// This was recorded of a request that has ended.
    pub(super) fn recorded(&mut self, token: RequestToken, event: u64, uptime: Duration) {
        self.requests.insert(token, Recorded { event, at: uptime });
    }

    /// Forgets what is no longer listed: what a list shows is recorded again each hour.
    pub(super) fn forget_expired(&mut self, uptime: Duration) {
        self.requests.retain(|_, known| uptime < known.at + 2 * REFRESHED_EVERY);
    }
}

/// Stands for the event as a whole. Two that differ share one once in 2^64, and then for an hour.
pub(super) fn fingerprint(event: &ProgressEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RequestStatus;

    #[test]
    fn what_differs_or_is_an_hour_old_is_recorded_again() {
        let mut event = ProgressEvent::of(RequestToken::new("a"));
        event.status = Some(RequestStatus::Failed);
        let hour = Duration::from_hours(1);
        let mut settled = Settled::default();
        assert!(!settled.holds(&event, hour));
        settled.recorded(event.request_token.clone(), fingerprint(&event), hour);
        assert!(settled.holds(&event, hour));
        assert!(!settled.holds(&event, 2 * hour));
        let mut other = event.clone();
        other.status_message = Some("why".into());
        assert!(!settled.holds(&other, hour));
        settled.forget_expired(2 * hour);
        assert_eq!(settled.requests.len(), 1);
        settled.forget_expired(3 * hour);
        assert!(settled.requests.is_empty());
    }
}
