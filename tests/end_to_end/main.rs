//! The whole of ccwatch, against the simulator, from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

mod command_line;
mod credentials;
mod day;
mod discovery;
mod killed_while_sending;
mod process;
mod stage;
mod trouble;
