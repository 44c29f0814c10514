//! The receivers, a file each.

pub mod alertmanager;
#[cfg(feature = "aws-receivers")]
pub mod eventbridge;
pub mod exec;
pub mod file;
pub mod log;
pub mod opsgenie;
pub mod pagerduty;
pub mod slack;
#[cfg(feature = "aws-receivers")]
pub mod sns;
#[cfg(feature = "aws-receivers")]
pub mod sqs;
pub mod webhook;
