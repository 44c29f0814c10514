//! ccwatch watches AWS Cloud Control requests and the CloudFormation Hooks that guard them.

pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod daemon;
pub mod decide;
pub mod deliver;
pub mod history;
pub mod model;
pub mod simulator;
pub mod watch;
