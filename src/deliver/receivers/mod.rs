//! The receivers, a file each.

pub mod alertmanager;
pub mod exec;
pub mod file;
pub mod log;
pub mod opsgenie;
pub mod pagerduty;
pub mod slack;
pub mod webhook;
