//! How far something is, on a terminal on which lines move. Elsewhere nothing is shown.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output;

const EVERY: Duration = Duration::from_millis(120);

/// A bar over the bytes of a copy, and what is to be told how many are written and how many there will be.
pub(super) fn copy(what: &'static str) -> (ProgressBar, impl FnMut(u64, u64) + Send + 'static) {
    let bar = shown(ProgressBar::new(0), what, "{msg} {wide_bar} {bytes}/{total_bytes}");
    let told = bar.clone();
    (bar, move |so_far, expected| {
        told.set_length(expected);
        told.set_position(so_far.min(expected));
    })
}

/// A bar over so many rows.
pub(super) fn rows(what: &'static str, expected: u64) -> ProgressBar {
    shown(
        ProgressBar::new(expected),
        what,
        "{msg} {wide_bar} {human_pos}/{human_len}",
    )
}

/// A sign of life where no one knows how long it takes.
pub(in crate::cli) fn spinner(what: &'static str) -> ProgressBar {
    shown(ProgressBar::new_spinner(), what, "{spinner} {msg} {elapsed}")
}

fn shown(bar: ProgressBar, what: &'static str, template: &str) -> ProgressBar {
    if !output::lines_move() {
        return ProgressBar::hidden();
    }
    // A template that can't be read leaves indicatif's own.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(EVERY);
    bar
}
