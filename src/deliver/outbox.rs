//! Where deliveries wait.

use std::future::Future;

use crate::decide::retry::Attempted;
use crate::model::{Delivery, Timestamp};

/// Where deliveries wait until they are sent or given up. Implemented over the history by `daemon`.
///
/// A *head of line* is a pending delivery with no earlier pending one of the same request for the same receiver. Only
/// heads of line count for both reads: this is what keeps the changes of a request in order, and never two of them on
/// the way at once.
pub trait Outbox: Clone + Send + Sync + 'static {
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether the same call may succeed later, a full disk with room again, say.
    fn may_pass(error: &Self::Error) -> bool;

    /// Up to `limit` heads of line for `receiver` whose next attempt is due at `now`, those that wait longest first.
    /// One that is being sent is still pending, so it may be among them: the caller knows which those are.
    ///
    /// With `digest_over`, where more changes than that are due together, a single digest that carries them, and, so that
    /// lines keep their order, what stands behind them in their lines. Nothing while the receiver asked to be left alone.
    fn due(
        &self,
        receiver: &str,
        now: Timestamp,
        limit: usize,
        digest_over: Option<u32>,
    ) -> impl Future<Output = Result<Vec<Delivery>, Self::Error>> + Send;

    /// When the next attempt of a head of line for `receiver` is due, not before it wants to hear again, or `None` where nothing waits.
    fn next_attempt_at(&self, receiver: &str) -> impl Future<Output = Result<Option<Timestamp>, Self::Error>> + Send;

    /// Fails where `record` could: to be tried before the first send, which could else be made anew at each start of a
    /// ccwatch that can't write down that it was made.
    fn prove_writable(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Keeps how these attempts went and what becomes of their deliveries, all or none. `at` is when.
    fn record(&self, attempts: Vec<Attempted>, at: Timestamp) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
