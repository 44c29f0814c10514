//! News in words, by a receiver's templates.
//!
//! `title` and `body` are for changes: a digest and the news of a receiver keep ccwatch's own words, for which few would
//! write a template, and nobody one that is right. They make the words of the change and, in the same way, those of the
//! request's present state, for which the change is one that leads there from nowhere. A `payload` is made of whatever the
//! receiver can get; digests are for people, who get no payloads.
//!
//! A title or a body that fails after all (it was tried when it was read), or comes out empty, leaves ccwatch's own words in
//! its place: better news in other words than none. A payload has no such thing to fall back on: whoever reads it
//! expects its form.

use super::message::{Message, Words};
use super::template::{Template, TemplateError};
use super::words::known;
use super::{context, present};
use crate::model::{Announcement, News, printable};

/// A receiver's templates, as its configuration has them.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    pub title: Option<Template>,
    pub body: Option<Template>,
    pub payload: Option<Template>,
}

/// Puts news into words for one receiver. The default: with ccwatch's own.
#[derive(Debug, Clone, Default)]
pub struct Renderer {
    templates: Templates,
}

/// A message, and what of it is not as the templates would have it.
#[derive(Debug)]
pub struct Rendered<'n> {
    pub message: Message<'n>,
    /// Why ccwatch's own words stand in place of a title's or a body's. To be logged.
    pub failures: Vec<TemplateError>,
}

impl Renderer {
    pub fn new(templates: Templates) -> Self {
        Self { templates }
    }

    /// The message to hand to the receiver.
    ///
    /// # Errors
    ///
    /// If the payload can't be made.
    pub fn message<'n>(&self, news: &'n News) -> Result<Rendered<'n>, TemplateError> {
        let mut message = Message::new(news);
        if let Some(template) = &self.templates.payload
            && let Some(context) = context::of(news, &message.words)
        {
            message.payload = Some(template.render(context)?);
        }
        let mut failures = Vec::new();
        if let News::Change(change) = news {
            self.reword(&mut message.words, change, &mut failures);
            if let Some(words) = &mut message.present {
                self.reword(words, &present::announcement(change), &mut failures);
            }
        }
        Ok(Rendered { message, failures })
    }

    fn reword(&self, words: &mut Words, change: &Announcement, failures: &mut Vec<TemplateError>) {
        let Templates { title, body, .. } = &self.templates;
        if title.is_none() && body.is_none() {
            return;
        }
        let context = context::of_change(change, words);
        let mut make = |template: &Option<Template>| match template.as_ref()?.render(context.clone()) {
            Ok(made) => Some(made),
            Err(error) => {
                failures.push(error);
                None
            }
        };
        if let Some(title) = make(title).and_then(|made| one_line(&made)) {
            words.title = title;
        }
        words.body = make(body).and_then(|made| lines(&made));
    }
}

/// All of it on one printable line, if anything is left of it then.
fn one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    known(Some(&words.join(" ")))
}

/// Its lines, printable, without blank ones at the ends, if anything is left of it then.
fn lines(text: &str) -> Option<String> {
    let lines: Vec<String> = text.lines().map(|line| printable(line).trim_end().to_owned()).collect();
    let joined = lines.join("\n");
    let trimmed = joined.trim_matches('\n');
    (!trimmed.trim().is_empty()).then(|| trimmed.to_owned())
}

#[cfg(test)]
#[path = "renderer_tests.rs"]
mod tests;
