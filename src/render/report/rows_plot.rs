//! What plots with a row for each name have in common: the names to the left, marks above.

use super::scale::Mark;
use super::svg::Svg;
use crate::model::printable;
use crate::render::text::cut;

pub(super) const WIDTH: f64 = 960.0;
const LEFT: f64 = 300.0;
const RIGHT: f64 = 76.0;
const TOP: f64 = 24.0;
const ROW: f64 = 22.0;
/// Of a name, in UTF-16 units: what fits to the left.
const LONGEST_NAME: usize = 42;

/// A plot with rows. Places are from 0 to 1, from the left on.
pub(super) struct RowsPlot {
    pub(super) svg: Svg,
    height: f64,
}

impl RowsPlot {
    pub(super) fn new(id: &'static str, title: &str, description: &str, rows: usize) -> Self {
        let height = TOP + ROW * f64::from(u16::try_from(rows).unwrap_or(u16::MAX)) + 6.0;
        Self {
            svg: Svg::new(id, WIDTH, height, title, description),
            height,
        }
    }

    pub(super) fn x(place: f64) -> f64 {
        LEFT + place.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// The middle of a row.
    pub(super) fn y(row: usize) -> f64 {
        TOP + ROW * (f64::from(u16::try_from(row).unwrap_or(u16::MAX)) + 0.5)
    }

    pub(super) fn grid(&mut self, marks: &[Mark]) {
        for mark in marks {
            let x = Self::x(mark.at);
            self.svg.line("grid", (x, TOP - 4.0), (x, self.height));
            self.svg.text("label", "middle", (x, TOP - 9.0), &mark.label);
        }
    }

    pub(super) fn name(&mut self, row: usize, name: Option<&str>) {
        let name = printable(name.unwrap_or("(none)"));
        let name = cut(&name, LONGEST_NAME);
        self.svg.text("name", "end", (LEFT - 10.0, Self::y(row) + 4.0), &name);
    }
}
