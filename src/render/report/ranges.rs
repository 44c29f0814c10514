//! How long what succeeded took, by type: from the median to the 99th percentile, on one axis.

use super::rows_plot::RowsPlot;
use super::scale::Spans;
use crate::statistics::{Percentiles, rough};

/// `None` if there is nothing to show.
pub(super) fn plot(types: &[(Option<&str>, Percentiles)]) -> Option<String> {
    let shortest = types.iter().map(|(_, percentiles)| percentiles.p50).min()?;
    let longest = types.iter().map(|(_, percentiles)| percentiles.p99).max()?;
    let scale = Spans::over(shortest, longest);
    let description = format!(
        "A row for each of {} types: a dot at the median, a ring at the 90th and a bar at the 99th percentile, on a \
         logarithmic axis of time, from {} to {}.",
        types.len(),
        rough(shortest),
        rough(longest)
    );
    let mut plot = RowsPlot::new("durations", "Durations by type", &description, types.len());
    plot.grid(&scale.marks());
    for (row, (name, Percentiles { p50, p90, p99 })) in types.iter().enumerate() {
        plot.name(row, *name);
        let y = RowsPlot::y(row);
        let [at50, at90, at99] = [p50, p90, p99].map(|duration| RowsPlot::x(scale.place(*duration)));
        plot.svg.line("range", (at50, y), (at99, y));
        plot.svg.rectangle(
            "p99",
            (at99 - 1.5, y - 6.0),
            (3.0, 12.0),
            &format!("p99 {}", rough(*p99)),
        );
        plot.svg.dot("p90", (at90, y), 4.5, &format!("p90 {}", rough(*p90)));
        plot.svg.dot("p50", (at50, y), 4.5, &format!("p50 {}", rough(*p50)));
    }
    Some(plot.svg.finish())
}
