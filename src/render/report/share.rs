//! Which part of the requests failed, over time.

use super::scale::Shares;
use super::time_plot::{self, TimePlot};
use crate::model::Timestamp;
use crate::model::rows::GapRow;
use crate::statistics::{Outcomes, Tally, percent, thousands};

/// A line with a dot for each part of the time; it breaks where nothing ended, which is not the same as no failure.
pub(super) fn plot(total: &Tally, gaps: &[GapRow], until: Timestamp) -> String {
    let buckets = total.buckets();
    let shares: Vec<Option<f64>> = total.timeline().iter().map(Outcomes::failed_share).collect();
    let highest = shares.iter().flatten().copied().fold(0.0, f64::max);
    let scale = Shares::to(highest);
    let description = format!(
        "A line with a dot for each {}. {} of all failed; the highest share of one dot is {}.",
        buckets.unit(),
        total
            .outcomes()
            .failed_share()
            .map_or_else(|| "none".to_owned(), percent),
        percent(highest)
    );
    let mut plot = TimePlot::new("failures", "Share of requests that failed", &description, buckets);
    plot.grid(&scale.marks());
    let middle = |plot: &TimePlot, index| f64::midpoint(plot.x(index), plot.x(index + 1));
    let mut points = Vec::new();
    for (index, share) in shares.iter().chain([&None]).enumerate() {
        if let Some(share) = share {
            points.push((middle(&plot, index), TimePlot::y(scale.place(*share))));
        } else {
            if points.len() > 1 {
                plot.svg.path("failed-line", &points);
            }
            points.clear();
        }
    }
    for (index, (share, part)) in shares.iter().zip(total.timeline()).enumerate() {
        let Some(share) = share else { continue };
        let title = format!(
            "{}: {} of {} that ended",
            time_plot::label(buckets, index),
            percent(*share),
            thousands(part.ended())
        );
        let point = (middle(&plot, index), TimePlot::y(scale.place(*share)));
        plot.svg.dot("failed", point, 3.0, &title);
    }
    plot.gaps(gaps, until);
    plot.finish()
}
