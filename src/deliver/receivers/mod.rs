//! The receivers, a file each.

pub mod exec;
mod living;
pub mod log;
mod sign;
pub mod slack;
pub mod webhook;
