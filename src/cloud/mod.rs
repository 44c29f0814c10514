//! The only room that knows the AWS SDK: credentials, calls, and SDK types turned into the model's.
//!
//! - **One call is one call.** The SDK's own retries are off: they would spend a budget that `decide::budget` counts,
//!   in a hurry, just when the service asks for patience. What failed is tried again by the poller, which backs off.
//! - **Nothing acts but who is asked to**: the daemon makes the two calls of `client`, and never one of `acting`.
//! - **Every call ends.** Connect, read and operation time-outs are set (the SDK has none but for connecting), and an
//!   answer larger than any real one is refused while it is read, before it fills the memory.
//! - **Errors are told apart by their code, never by the HTTP status or the text**: the wire's statuses differ from the
//!   modelled ones. Each [`Failure`] carries what a person can do about it.
//! - **Targets share** connections and credentials (`sharing`).
//! - **A ResourceModel gets no further than the configuration lets it** (trap 15): it is dropped or masked here.

mod account;
mod acting;
mod answer;
mod client;
mod connect;
mod failure;
mod redaction;
mod refusal;
mod resource_model;
mod sharing;

pub use acting::{Act, Terms};
pub use client::{Answer, Client, Looked, Page};
pub use connect::connect;
pub use failure::{Cause, Failure};
pub use refusal::Refused;
pub use sharing::Connection;
