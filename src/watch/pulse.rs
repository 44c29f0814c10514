//! A loop's sign of life.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// Beats each time that a poller's loop comes round; whoever holds a clone can feel it. Clones share one pulse.
#[derive(Debug, Clone)]
pub struct Pulse {
    clock: Clock,
    /// Milliseconds of uptime.
    beat_at: Arc<AtomicU64>,
}

impl Pulse {
    /// A pulse that has just beaten.
    pub fn new(clock: Clock) -> Self {
        let pulse = Self {
            clock,
            beat_at: Arc::default(),
        };
        pulse.beat();
        pulse
    }

    pub fn beat(&self) {
        self.beat_at.store(self.uptime(), Ordering::Relaxed);
    }

    /// How long ago it last beat.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.uptime().saturating_sub(self.beat_at.load(Ordering::Relaxed)))
    }

    fn uptime(&self) -> u64 {
        u64::try_from(self.clock.uptime().as_millis()).unwrap_or(u64::MAX)
    }
}
