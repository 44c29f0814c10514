//! Mattermost: an incoming webhook, or a bot, which can do more. Both send the same [`post`].

pub mod bot;
mod post;
pub mod webhook;

#[cfg(test)]
mod double;
