//! The receivers, a file each.

mod detail;
pub mod discord;
pub mod exec;
mod living;
pub mod log;
mod sign;
pub mod slack;
pub mod webhook;
