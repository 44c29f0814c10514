//! What every receiver is: something that takes an announcement, and says whether it has it.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::decide::retry::Outcome;
use crate::model::{Announcement, Timestamp};

/// One attempt to deliver.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub announcement: &'a Announcement,
    /// 1 for the first.
    pub number: u32,
    pub now: Timestamp,
    /// When the attempt is cut off.
    pub deadline: Instant,
}

/// A send under way. Boxed, so that receivers of every kind stand in one list.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// How fast a receiver may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Sends under way at once, at least 1.
    pub concurrency: usize,
    /// The least time from the start of one send to the start of the next.
    pub spacing: Duration,
}

/// Sends to one place.
///
/// `send` never panics, and never takes its own time limit: [`Destination`](super::Destination) drops the future when
/// the time is up, or when ccwatch stops, and dropping it must end whatever it had started. Its outcome is
/// [`Rejected`](Outcome::Rejected) only where the receiver itself has judged the message or its address for good;
/// whatever a person may mend within a day (a revoked permission, a program not yet installed, a full disk) is
/// [`Failed`](Outcome::Failed), so that nothing is lost by it. Errors name the remedy, and hold no secret.
///
/// `Debug` must not show secrets either: what is secret lies in a `SecretString`.
pub trait Receiver: Debug + Send + Sync {
    fn pace(&self) -> Pace;

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a>;
}
