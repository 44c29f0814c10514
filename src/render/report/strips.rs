//! When which target was not looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use super::rows_plot::RowsPlot;
use super::scale::Mark;
use crate::model::Timestamp;
use crate::model::rows::GapRow;
use crate::statistics::{Buckets, rough};

/// Targets at the most: those that were not looked at for longest.
const TARGETS: usize = 20;

/// `None` if there is nothing to show.
pub(super) fn plot(gaps: &[GapRow], from: Timestamp, until: Timestamp) -> Option<String> {
    let mut targets: BTreeMap<&str, Vec<&GapRow>> = BTreeMap::new();
    for gap in gaps {
        targets.entry(&gap.target).or_default().push(gap);
    }
    let unseen = |gaps: &[&GapRow]| gaps.iter().map(|gap| within(gap, from, until)).sum::<Duration>();
    let mut targets: Vec<_> = targets
        .into_iter()
        .map(|(target, gaps)| (target, unseen(&gaps), gaps))
        .collect();
    targets.sort_by_key(|(_, unseen, _)| std::cmp::Reverse(*unseen));
    let known = targets.len();
    targets.truncate(TARGETS);
    let (first, longest, _) = targets.first()?;
    let description = format!(
        "A strip for each of {} of {known} targets, marked where it was not looked at. {first} for longest: {} in all.",
        targets.len(),
        rough(*longest)
    );
    let mut plot = RowsPlot::new("gaps", "When targets were not looked at", &description, targets.len());
    plot.grid(&marks(from, until));
    for (row, (target, unseen, gaps)) in targets.iter().enumerate() {
        plot.name(row, Some(target));
        let y = RowsPlot::y(row);
        plot.svg.line("range", (RowsPlot::x(0.0), y), (RowsPlot::x(1.0), y));
        for gap in gaps {
            let begin = RowsPlot::x(place(gap.from_at, from, until));
            let end = RowsPlot::x(place(gap.to_at.unwrap_or(until), from, until));
            let title = format!(
                "{} from {}: {}",
                rough(within(gap, from, until)),
                gap.from_at,
                gap.reason
            );
            let size = ((end - begin).max(1.5), 12.0);
            plot.svg.rectangle("gap", (begin, y - 6.0), size, &title);
        }
        let label = (RowsPlot::x(1.0) + 8.0, y + 4.0);
        plot.svg.text("label", "start", label, &rough(*unseen));
    }
    Some(plot.svg.finish())
}

/// How much of the time between `from` and `until` a gap takes.
pub(super) fn within(gap: &GapRow, from: Timestamp, until: Timestamp) -> Duration {
    gap.to_at.unwrap_or(until).min(until).since(gap.from_at.max(from))
}

#[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
fn place(at: Timestamp, from: Timestamp, until: Timestamp) -> f64 {
    at.since(from).as_millis() as f64 / (until.since(from).as_millis().max(1)) as f64
}

/// At most five, where days or hours begin.
fn marks(from: Timestamp, until: Timestamp) -> Vec<Mark> {
    let buckets = Buckets::over(from, until, 60);
    let every = buckets.count().div_ceil(5);
    (0..buckets.count())
        .step_by(every)
        .filter(|index| buckets.begin(*index) >= from)
        .map(|index| Mark {
            at: place(buckets.begin(index), from, until),
            label: super::time_plot::label(buckets, index),
        })
        .collect()
}
