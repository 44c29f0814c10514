#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say why they had nothing to ask"
)]
//! Receivers before the real tools that they are made for, as those are installed from packages. Where a tool is not
//! there, its test says so and passes: `.ci/run` installs them all.

mod alertmanager;
#[cfg(feature = "aws-receivers")]
mod aws;
mod email;
mod matrix;
mod stage;
