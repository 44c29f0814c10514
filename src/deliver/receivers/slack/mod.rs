//! Slack: an incoming webhook, or a bot, which can do more. Both send the same [`blocks`].

mod blocks;
pub mod bot;
#[cfg(test)]
mod double;
pub mod webhook;
