//! News in words: what people read of it, the same in every tool.
//!
//! A receiver lays the words out and escapes them for its tool; it makes up none. Nothing here does I/O, and `config`
//! may ask this room whether a template is sound.
//!
//! - **Everything is printable**: the service's own text is hostile until it has passed
//!   [`printable`](crate::model::printable()).
//! - **No message is empty**, whatever the service left out, and whatever a template makes of it.
//! - **A template is checked when it is read**, with every kind of news, and its steps are counted: see `template`.

mod console;
mod context;
mod digest;
mod filters;
mod fit;
pub mod letter;
mod message;
mod notice;
mod present;
mod remedies;
mod renderer;
mod report;
pub mod samples;
mod template;
pub mod text;
mod verdict;
mod words;

pub use fit::fit;
pub use message::{Fact, Link, Message, Tone, Words};
pub use renderer::{Rendered, Renderer, Templates};
pub use report::{Report, ReportError, page};
pub use template::{Part, Template, TemplateError};
