//! News in words: what people read of it, the same in every tool.
//!
//! A receiver lays the words out and escapes them for its tool; it makes up none. Nothing here does I/O, and `config`
//! may ask this room whether a template is sound.
//!
//! - **Everything is printable**: the service's own text is hostile until it has passed
//!   [`printable`](crate::model::printable()).
//! - **No message is empty**, whatever the service left out.

mod digest;
mod fit;
pub mod letter;
mod message;
mod notice;
mod present;
pub mod samples;
pub mod text;
mod words;

pub use fit::fit;
pub use message::{Fact, Link, Message, Tone, Words};
