//! Telling people: outbox → render → send → outcome.
//!
//! A [`Courier`] for each receiver takes what is due from the [`Outbox`], lets its [`Destination`] send it, and has
//! the outcome judged by [`crate::decide::retry`] and recorded. What is promised, and where it is held:
//!
//! - **At least once.** A delivery is recorded as sent only after its receiver accepted it (law 4). A crash between the
//!   two sends it again, with the same [`EventId`](crate::model::EventId), by which a receiver can tell.
//! - **In order.** The outbox hands out heads of line only: a change is not due before the earlier changes of its
//!   request were sent or given up. Other requests pass by.
//! - **A receiver's wish is obeyed.** Until a Retry-After has passed, nothing at all is sent to who asked for it, not
//!   after a restart either: the outbox keeps it.
//! - **No flood.** A receiver gets no more than its rate, and people get one digest instead of many messages. A digest is
//!   sent alone and recorded before anything else goes to its receiver, so nothing is told twice.
//! - **No secret leaves** by an error or by `Debug`: addresses are named by their host alone, and what an answer echoes
//!   of one is masked (law 8).
//! - **One living message for a request**, in tools that can edit and answer: `receivers/living.rs` says when to do which.
//! - **No queue in memory.** What waits, waits in the history. Memory holds what is being sent, and a few more.
//!
//! This room knows no SQL and does not import the history: `daemon` implements [`Outbox`] over it. A new receiver is a
//! file in `receivers/` that implements [`Receiver`], and a line in [`build()`]; for what people read it asks
//! [`crate::render`], for HTTP `http`.

#[cfg(feature = "aws-receivers")]
mod aws;
mod build;
mod cloud_event;
pub mod courier;
pub mod destination;
#[cfg(test)]
mod double;
mod health;
pub mod http;
mod identity;
mod incident;
pub mod outbox;
pub mod receiver;
pub mod receivers;
#[cfg(test)]
mod samples;

pub use build::{BuildError, build};
pub use courier::{Courier, CourierError};
pub use destination::Destination;
pub use outbox::Outbox;
pub use receiver::{Answered, Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
pub use receivers::log::Output;

#[cfg(test)]
mod validator_tests;
