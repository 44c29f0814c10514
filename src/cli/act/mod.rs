//! `ccwatch create`, `update`, `delete`, `cancel`: to ask something of Cloud Control, and to follow what comes of it.
//!
//! - **What can't be remembered is not begun**: the history is opened, or made, before the call.
//! - **It is in the history at once**: the answer is recorded as the daemon would record it, by the configuration's routes,
//!   beside a daemon that runs too. Whichever of the two sees it first tells it; the other finds nothing new.
//! - **Nothing is begun twice**: a call is made again only with the client token that it was first made with, which is told
//!   before the first.
//! - The daemon never acts. These commands do, with the permissions of whoever runs them.

mod begin;
mod cancel;
mod create;
mod delete;
mod document;
mod update;

pub(super) use cancel::{Cancel, cancel};
pub(super) use create::{Create, create};
pub(super) use delete::{Delete, delete};
pub(super) use update::{Update, update};
