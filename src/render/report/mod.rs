//! The report: one page of HTML that stands by itself.
//!
//! - **Nothing from outside**: no script, font, image or link. A Content-Security-Policy in the page holds a browser to that:
//!   it allows the one style sheet, by its hash, and nothing else.
//! - **Nothing from the wire but text**: names and messages are made printable and escaped, in the template by minijinja's
//!   own escaping, in pictures by [`svg`]. The page is well-formed XML too, so a test can have a strict parser say so.
//! - **For everyone**: light or dark as the reader has it, good on paper; pictures have titles and descriptions, and beside
//!   them are tables with the same numbers.
//! - **It says what it can't know**: when ccwatch did not look is marked under each plot over time.
//!
//! HTML and not PDF or PNG: it is read everywhere, can be searched, and its numbers can be copied.

mod bars;
mod ranges;
mod rows_plot;
mod scale;
mod sections;
mod share;
mod stacked;
mod strips;
mod svg;
mod table;
mod time_plot;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, escape_formatter};
use sha2::{Digest as _, Sha256};

use crate::model::Timestamp;
use crate::model::rows::{GapRow, RequestRow};
use crate::statistics::{Scorecard, Survey};

const STYLE: &str = include_str!("page.css");
const PAGE: &str = include_str!("page.html");

/// What a report tells.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    pub from: Timestamp,
    pub to: Timestamp,
    pub made_at: Timestamp,
    /// What else was asked for, in words, where it is not all.
    pub only: &'a [String],
    /// The requests that began in that time.
    pub survey: &'a Survey,
    /// The invocations of hooks in that time.
    pub scorecard: &'a Scorecard,
    /// When targets were not looked at in that time.
    pub gaps: &'a [GapRow],
    /// Since when all of the targets are known; `None` if there are none.
    pub targets_since: Option<Timestamp>,
    /// The last look, if no ccwatch looks now.
    pub unwatched_since: Option<Timestamp>,
    /// The requests that have been open for longest, whenever they began.
    pub open: &'a [RequestRow],
}

/// The page could not be made. Only a slip in the template that comes along can be why: tests try it with all that a report
/// can be of.
#[derive(Debug, thiserror::Error)]
#[error("the report's page can't be made: {0}")]
pub struct ReportError(#[from] minijinja::Error);

/// Makes the page.
pub fn page(report: &Report<'_>) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // Before it is escaped, text is made printable: a name must not turn the reading direction of a page around.
    environment.set_formatter(|output, state, value| match value.as_str() {
        _ if value.is_none() => Ok(()),
        Some(text) if !value.is_safe() => escape_formatter(output, state, &Value::from_safe_string(svg::escaped(text))),
        _ => escape_formatter(output, state, value),
    });
    environment.add_template("page.html", PAGE)?;
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let page = environment.get_template("page.html")?.render(context! {
        policy => format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
        ),
        style => Value::from_safe_string(STYLE.to_owned()),
        version => env!("CARGO_PKG_VERSION"),
        from => minute(report.from),
        to => minute(report.to),
        made_at => minute(report.made_at),
        only => report.only.join("; "),
        tiles => Value::from(Serde(sections::tiles(report))),
        sections => Value::from(Serde(sections::sections(report))),
    })?;
    Ok(page)
}

/// `2026-11-22 06:28`
fn minute(time: Timestamp) -> String {
    time.to_utc().strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
