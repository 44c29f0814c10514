//! How long what has ended is remembered.

use std::time::Duration;

use super::diff;

/// The shortest time for which a history may keep what has ended: a day more than the service lists it. What is listed
/// but forgotten would be taken for new, and told again. The day is for a `last_seen_at` that lags by up to two hours,
/// and for clocks that differ.
pub const SHORTEST: Duration = Duration::from_secs(diff::RETENTION.as_secs() + 24 * 3600);
