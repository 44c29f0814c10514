//! The receivers, a file each.

mod detail;
pub mod discord;
pub mod exec;
mod living;
pub mod log;
pub mod mattermost;
mod sign;
pub mod slack;
mod unlinked;
pub mod webhook;
