//! How many of each, as bars.

use super::rows_plot::RowsPlot;
use super::scale::Counts;
use crate::statistics::thousands;

/// `None` if there is nothing to show.
pub(super) fn plot(id: &'static str, title: &str, counts: &[(Option<&str>, u64)]) -> Option<String> {
    let highest = counts.iter().map(|(_, count)| *count).max()?;
    let scale = Counts::to(highest, 6);
    let description = format!(
        "A bar for each of {}; the longest is {}.",
        counts.len(),
        thousands(highest)
    );
    let mut plot = RowsPlot::new(id, title, &description, counts.len());
    plot.grid(&scale.marks());
    for (row, (name, count)) in counts.iter().enumerate() {
        plot.name(row, *name);
        let (y, begin, end) = (RowsPlot::y(row), RowsPlot::x(0.0), RowsPlot::x(scale.place(*count)));
        plot.svg.rectangle("failed", (begin, y - 7.0), (end - begin, 14.0), "");
        plot.svg
            .text("label", "start", (end + 6.0, y + 4.0), &thousands(*count));
    }
    Some(plot.svg.finish())
}
