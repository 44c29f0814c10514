//! What plots over time have in common: the frame, the time below, and the marks of when ccwatch did not look.

use super::scale::Mark;
use super::svg::Svg;
use crate::model::Timestamp;
use crate::model::rows::GapRow;
use crate::statistics::Buckets;

pub(super) const WIDTH: f64 = 960.0;
pub(super) const HEIGHT: f64 = 250.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;
/// Of the strip below the plot that marks gaps.
const STRIP: f64 = 5.0;
/// Labels of the time axis at the most.
const LABELS: usize = 9;

/// A plot over time. Places are from 0 to 1, from the bottom left on.
pub(super) struct TimePlot {
    pub(super) svg: Svg,
    buckets: Buckets,
}

impl TimePlot {
    pub(super) fn new(id: &'static str, title: &str, description: &str, buckets: Buckets) -> Self {
        Self {
            svg: Svg::new(id, WIDTH, HEIGHT, title, description),
            buckets,
        }
    }

    pub(super) fn y(place: f64) -> f64 {
        HEIGHT - BOTTOM - place.clamp(0.0, 1.0) * (HEIGHT - BOTTOM - TOP)
    }

    /// Where a part of the time begins.
    pub(super) fn x(&self, index: usize) -> f64 {
        self.at(self.buckets.begin(index))
    }

    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    fn at(&self, moment: Timestamp) -> f64 {
        let (begin, end) = (self.buckets.begin(0), self.buckets.end());
        let since = |time: Timestamp| (time.as_millis() - begin.as_millis()) as f64;
        LEFT + (since(moment) / since(end).max(1.0)).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// The lines behind the plot, with what they stand for.
    pub(super) fn grid(&mut self, marks: &[Mark]) {
        for mark in marks {
            let y = Self::y(mark.at);
            self.svg.line("grid", (LEFT, y), (WIDTH - RIGHT, y));
            self.svg.text("label", "end", (LEFT - 6.0, y + 4.0), &mark.label);
        }
    }

    /// Marks when a target was not looked at, below the plot.
    pub(super) fn gaps(&mut self, gaps: &[GapRow], until: Timestamp) {
        for gap in gaps {
            let (begin, end) = (self.at(gap.from_at), self.at(gap.to_at.unwrap_or(until)));
            let title = format!("{} was not looked at from {}", gap.target, gap.from_at);
            let place = (begin, HEIGHT - BOTTOM + 2.0);
            self.svg
                .rectangle("gap", place, ((end - begin).max(1.0), STRIP), &title);
        }
    }

    pub(super) fn finish(mut self) -> String {
        let every = self.buckets.count().div_ceil(LABELS);
        for index in (0..self.buckets.count()).step_by(every) {
            let x = self.x(index);
            self.svg.line("tick", (x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 10.0));
            self.svg
                .text("label", "start", (x + 3.0, HEIGHT - 12.0), &label(self.buckets, index));
        }
        self.svg
            .line("axis", (LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM));
        self.svg.finish()
    }
}

/// When a part of the time begins, as short as its length allows.
pub(super) fn label(buckets: Buckets, index: usize) -> String {
    let format = match () {
        () if buckets.are_days() => "%Y-%m-%d",
        () if buckets.are_seconds() => "%H:%M:%S",
        () => "%m-%d %H:%M",
    };
    buckets.begin(index).to_utc().strftime(format).to_string()
}
