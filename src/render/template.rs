//! A template, checked.
//!
//! - **What can fail fails when the configuration is read**: a [`Template`] has been tried with every kind of news that it can
//!   get, also such of which next to nothing is known. A name that does not exist is an error, never an empty text.
//! - **Slips end.** Fuel counts its instructions and the text that it makes on the way, so that a loop in a loop ends, and what
//!   it makes is at most 256 KiB. Lists that grow by themselves, and their comparison and printing, are not counted by
//!   minijinja: who writes templates may as well write the `command` of an `exec`.
//! - **It reads nothing but its news**: no file, no variable of the environment, no clock, no other template.
//! - **Errors name its line**, and hold nothing of what the template says but names.
//!
//! minijinja is Jinja2 as far as people know it, from Ansible and Argo say. Rejected: Go's templates (no crate that is
//! kept well), Handlebars (what one needs of it one has to write first), format strings (no `if`).

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

use super::message::Message;
use super::text::cut;
use super::{context, filters, samples};
use crate::model::{News, printable};

/// Bytes of a template. What is longer is another file.
const LONGEST_SOURCE: usize = 64 * 1024;
/// Bytes of what it makes: all that the largest receiver takes.
const LONGEST_OUTPUT: usize = 256 * 1024;
/// About as many instructions, or 64 times as many bytes of data. A payload with all that there is takes a few thousand.
const FUEL: u64 = 100_000;
/// UTF-16 units of an error, which may quote what it found.
const LONGEST_PROBLEM: usize = 400;

/// What of a message a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// [`Words::title`](super::Words::title), of changes.
    Title,
    /// [`Words::body`](super::Words::body), of changes.
    Body,
    /// [`Message::payload`], of changes and of news about receivers.
    Payload,
}

impl Part {
    /// The key in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
            Self::Payload => "payload",
        }
    }

    fn error(self, problem: String) -> TemplateError {
        TemplateError {
            part: self,
            line: None,
            problem,
            tried_with: None,
        }
    }

    fn failure(self, error: &Error) -> TemplateError {
        let problem = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => "it computes too much, or never ends".to_owned(),
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        TemplateError {
            line: error.line(),
            ..self.error(cut(&printable(&problem), LONGEST_PROBLEM).into_owned())
        }
    }
}

/// Why a template is not sound, or made nothing of its news.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError {
    pub part: Part,
    /// The template's own line, from 1.
    pub line: Option<usize>,
    /// Printable, on one line.
    pub problem: String,
    /// What news it was tried with.
    pub tried_with: Option<String>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line} of the template: ")?;
        }
        f.write_str(&self.problem)?;
        if let Some(news) = &self.tried_with {
            write!(f, " (tried with {news})")?;
        }
        Ok(())
    }
}

/// A sound template. Clones share it.
#[derive(Clone)]
pub struct Template {
    part: Part,
    environment: Arc<Environment<'static>>,
}

impl fmt::Debug for Template {
    /// Not what it says: someone may have put a token into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

impl Template {
    /// Reads a template, and tries it with every kind of news that it can get.
    ///
    /// # Errors
    ///
    /// With the first thing that is wrong with it.
    pub fn new(part: Part, source: &str) -> Result<Self, TemplateError> {
        if source.len() > LONGEST_SOURCE {
            let problem = format!("a template is at most {} KiB long", LONGEST_SOURCE / 1024);
            return Err(part.error(problem));
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        // For the names in errors, which are made seldom.
        environment.set_debug(true);
        // What is not known is written as nothing: a person has no use for the word `none`.
        environment.set_formatter(|output, state, value| {
            if value.is_none() {
                return Ok(());
            }
            escape_formatter(output, state, value)
        });
        filters::add_to(&mut environment);
        environment
            .add_template_owned(part.as_str(), source.to_owned())
            .map_err(|error| part.failure(&error))?;
        let template = Self {
            part,
            environment: Arc::new(environment),
        };
        template.check()?;
        Ok(template)
    }

    fn check(&self) -> Result<(), TemplateError> {
        let tries: Vec<(String, Value)> = samples::for_templates()
            .into_iter()
            .filter_map(|(name, news)| Some((name, self.context(&news)?)))
            .collect();
        // First by reading it, so that a slip in a branch that no sample takes is found too.
        for (_, context) in &tries {
            self.check_names(context)?;
        }
        for (name, context) in tries {
            self.render(context).map_err(|error| TemplateError {
                tried_with: Some(name),
                ..error
            })?;
        }
        Ok(())
    }

    /// What it is given, of news that it is for.
    fn context(&self, news: &News) -> Option<Value> {
        let is_for_it = self.part == Part::Payload || news.change().is_some();
        is_for_it
            .then(|| context::of(news, &Message::new(news).words))
            .flatten()
    }

    /// That what it names is there, as far as this context shows.
    fn check_names(&self, context: &Value) -> Result<(), TemplateError> {
        let Ok(template) = self.environment.get_template(self.part.as_str()) else {
            return Ok(());
        };
        let mut paths: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        paths.sort_unstable();
        for path in paths {
            let is_global = |(name, _): (&str, Value)| path == name;
            if self.environment.globals().any(is_global) {
                continue;
            }
            let mut whole = context.clone();
            let mut of = String::new();
            for name in path.split('.') {
                if whole.kind() != ValueKind::Map {
                    break;
                }
                let part = whole.get_attr(name).unwrap_or_default();
                if part.is_undefined() {
                    let names: Vec<String> = whole
                        .try_iter()
                        .into_iter()
                        .flatten()
                        .map(|key| key.to_string())
                        .collect();
                    let problem = format!("there is no `{of}{name}`; there are {}", names.join(", "));
                    let line = template.source().lines().position(|line| line.contains(&path));
                    return Err(TemplateError {
                        line: line.map(|index| index + 1),
                        ..self.part.error(problem)
                    });
                }
                whole = part;
                of = format!("{of}{name}.");
            }
        }
        Ok(())
    }

    /// What it makes in this context, a payload never empty.
    pub(super) fn render(&self, context: Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template(self.part.as_str());
        let made = template
            .and_then(|template| template.render(context))
            .map_err(|error| self.part.failure(&error))?;
        if made.len() > LONGEST_OUTPUT {
            return Err(self
                .part
                .error(format!("it makes more than {} KiB", LONGEST_OUTPUT / 1024)));
        }
        if self.part == Part::Payload && made.trim().is_empty() {
            return Err(self.part.error("it makes an empty payload".to_owned()));
        }
        Ok(made)
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
