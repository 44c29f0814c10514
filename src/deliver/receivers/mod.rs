//! The receivers, a file each.

pub mod alertmanager;
pub mod exec;
pub mod log;
pub mod pagerduty;
pub mod slack;
pub mod webhook;
