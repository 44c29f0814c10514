//! News on its way to one receiver.

use super::{News, Timestamp};

/// The history's number for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

/// What is due to be sent to a receiver in one go.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The deliveries that it carries: one for a change or a notice, many for a digest. Never empty.
    pub ids: Vec<DeliveryId>,
    /// The receiver's name.
    pub receiver: String,
    /// Attempts made so far; for a digest the fewest that any of its deliveries had.
    pub attempts: u32,
    /// When it was put into the outbox; for a digest the last of its deliveries.
    pub since: Timestamp,
    pub news: News,
    /// What the receiver keeps to find the request's living message again, in its own words.
    pub thread: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// To be attempted, again perhaps.
    Pending,
    /// The receiver accepted it.
    Sent,
    /// Given up.
    Dead,
    /// Its receiver is no longer configured.
    Skipped,
}

impl DeliveryState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Skipped => "skipped",
        }
    }
}
