//! The receivers, a file each.

pub mod email;
pub mod exec;
pub mod log;
pub mod matrix;
pub mod ntfy;
pub mod slack;
pub mod telegram;
pub mod webhook;
