//! Looking: one [`Poller`] a target, which decides by `decide` what to ask next, asks it, has the answer remembered,
//! and only then acts on it. Where no daemon looks, a [`Follower`] looks at the few requests that someone waits for.
//!
//! - **Nothing here moves ahead of the history.** An answer becomes part of the agenda after it is committed; the
//!   agenda is an index over what the history holds, rebuilt from it at start and repaired by each sweep.
//! - **No Get before RetryAfter** (law 5), on a clock that the server's has certainly reached
//!   (`decide::server_clock`); before the first answer told what that is, there is no Get at all.
//! - **One call at a time in a target**, so that answers are recorded in the order in which they were asked for, and the
//!   budget bounds what is in flight. Targets are independent: one that fails holds up none of the others.
//! - **A failure is left alone for longer each time**, told once, and becomes a gap if it lasts (`decide::outage`).
//!
//! Rejected: a task or a timer for each request. A thousand timers answer one question, what is due now, worse than one
//! ordered set, which also shows what falls due together and could share a list.

mod agenda;
mod follower;
mod listing;
mod memory;
mod poller;
mod pulse;
mod settled;

pub use follower::{FollowError, Follower};
pub use memory::{Memory, Recording, Remembered};
pub use poller::{Poller, Watched};
pub use pulse::Pulse;
