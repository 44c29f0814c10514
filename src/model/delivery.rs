//! One change on its way to one receiver.

use super::{Announcement, Timestamp};

/// The history's number for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

/// A delivery that is due, and that no earlier one of the same request to the same receiver stands in the way of.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub id: DeliveryId,
    /// The receiver's name.
    pub receiver: String,
    /// Attempts made so far.
    pub attempts: u32,
    /// When it was put into the outbox.
    pub since: Timestamp,
    pub announcement: Announcement,
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
