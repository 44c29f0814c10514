//! How many requests began when, stacked by how they ended.

use super::scale::Counts;
use super::time_plot::{self, TimePlot};
use crate::model::Timestamp;
use crate::model::rows::GapRow;
use crate::statistics::{Outcome, Outcomes, Tally, thousands};

/// From the bottom on: what is to be compared over time stands on the axis.
const ORDER: [Outcome; 5] = [
    Outcome::Failed,
    Outcome::Succeeded,
    Outcome::Cancelled,
    Outcome::Lost,
    Outcome::Open,
];

pub(super) fn plot(total: &Tally, gaps: &[GapRow], until: Timestamp) -> String {
    let buckets = total.buckets();
    let highest = total.trend().into_iter().max().unwrap_or(0);
    let scale = Counts::to(highest, 5);
    let title = format!("Requests by the {}, by how they ended", buckets.unit());
    let description = format!(
        "Stacked bars, one for each {}. {} requests in all, at the most {} in one bar. The table below has the numbers.",
        buckets.unit(),
        thousands(total.outcomes().count()),
        thousands(highest)
    );
    let mut plot = TimePlot::new("requests", &title, &description, buckets);
    plot.grid(&scale.marks());
    for (index, outcomes) in total.timeline().iter().enumerate() {
        let (left, right) = (plot.x(index), plot.x(index + 1));
        let gap = ((right - left) * 0.15).min(2.0);
        let mut below = 0;
        for outcome in ORDER {
            let count = outcomes.of(outcome);
            if count == 0 {
                continue;
            }
            let (bottom, top) = (TimePlot::y(scale.place(below)), TimePlot::y(scale.place(below + count)));
            let title = words(&time_plot::label(buckets, index), outcomes);
            let size = (right - left - gap, bottom - top);
            plot.svg.rectangle(outcome.as_str(), (left, top), size, &title);
            below += count;
        }
    }
    plot.gaps(gaps, until);
    plot.finish()
}

fn words(when: &str, outcomes: &Outcomes) -> String {
    let counts = ORDER.iter().filter(|outcome| outcomes.of(**outcome) > 0);
    let counts: Vec<String> = counts
        .map(|outcome| format!("{} {}", thousands(outcomes.of(*outcome)), outcome.as_str()))
        .collect();
    format!("{when}: {}", counts.join(", "))
}
