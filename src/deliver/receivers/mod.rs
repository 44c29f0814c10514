//! The receivers, a file each.

mod detail;
pub mod discord;
pub mod exec;
pub mod google_chat;
mod living;
pub mod log;
pub mod mattermost;
mod sign;
pub mod slack;
pub mod teams;
mod unlinked;
pub mod webhook;
