//! The field's words, as types: what Cloud Control says, what ccwatch remembers of it, and what it tells.
//!
//! Nothing here does I/O, reads a clock or knows SQL, HTTP or the SDK (`tests/house.rs` holds it to that), so every
//! other room may depend on it and it depends on none.
//!
//! The words, in the order in which data flows through them:
//!
//! 1. a [`Target`] is looked at, and each look yields a [`Sighting`] of a request: a [`ProgressEvent`], with its
//!    [`HookProgressEvent`]s where the look was a Get;
//! 2. `decide::diff` compares it with the [`RequestState`] that is remembered, and yields [`Change`]s;
//! 3. each change becomes a [`Delivery`] for every receiver that a route chose, and is handed to it as [`News`]: an
//!    [`Announcement`] for a change, a [`Digest`] for many.

mod announcement;
mod change;
mod counted;
mod delivery;
mod incident;
mod nearest;
mod news;
mod printable;
mod progress_event;
mod resource_model;
pub mod rows;
mod sighting;
mod state;
mod target;
mod timestamp;
mod word;

pub use announcement::{Announcement, EventId};
pub use change::{Change, ChangeKind};
pub use counted::counted;
pub use delivery::{Delivery, DeliveryId, DeliveryState};
pub use incident::{Incident, IncidentState};
pub use nearest::nearest;
pub use news::{Digest, DigestCount, News, ReceiverNotice};
pub use printable::{is_printable, printable};
pub use progress_event::{
    ErrorCode, FailureMode, HookProgressEvent, HookStatus, Operation, ProgressEvent, RequestStatus,
};
pub use resource_model::mask_resource_model;
pub use sighting::{Seen, Sighting, Source};
pub use state::{HookKey, HookState, Phase, RequestState, Standing};
pub use target::{AccountId, Region, RequestKey, RequestToken, Target, TargetId, TargetName};
pub use timestamp::Timestamp;
