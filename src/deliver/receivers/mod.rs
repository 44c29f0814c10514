//! The receivers, a file each.

pub mod alertmanager;
mod colour;
mod detail;
pub mod discord;
pub mod email;
#[cfg(feature = "aws-receivers")]
pub mod eventbridge;
pub mod exec;
pub mod file;
pub mod google_chat;
mod living;
pub mod log;
pub mod matrix;
pub mod mattermost;
pub mod ntfy;
pub mod opsgenie;
pub mod pagerduty;
pub mod slack;
#[cfg(feature = "aws-receivers")]
pub mod sns;
#[cfg(feature = "aws-receivers")]
pub mod sqs;
pub mod teams;
pub mod telegram;
mod unlinked;
pub mod webhook;
