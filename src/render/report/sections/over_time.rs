//! What happened, over time.

use super::{Key, Section, failed_share, picture};
use crate::render::report::table::{Table, number, text};
use crate::render::report::{Report, share, stacked, time_plot};
use crate::statistics::{Outcome, Tally, thousands};

pub(super) fn requests(report: &Report<'_>, total: &Tally) -> Section {
    let key = |outcome: Outcome| Key {
        class: outcome.as_str(),
        text: outcome.as_str(),
    };
    let buckets = total.buckets();
    let mut keys: Vec<Key> = Outcome::ALL
        .into_iter()
        .filter(|outcome| total.outcomes().of(*outcome) > 0)
        .map(key)
        .collect();
    keys.extend(gap_key(report));
    let heads = [
        "count",
        "succeeded",
        "failed",
        "cancelled",
        "lost",
        "open",
        "failed share",
    ];
    let mut table = Table::new(
        format!("Requests by the {}, in UTC", buckets.unit()),
        [text("begin")].into_iter().chain(heads.map(number)),
    );
    for (index, outcomes) in total.timeline().iter().enumerate() {
        let counts = [
            outcomes.count(),
            outcomes.succeeded,
            outcomes.failed,
            outcomes.cancelled,
            outcomes.lost,
            outcomes.open,
        ];
        let cells = counts.map(|count| number(thousands(count)));
        let share = number(failed_share(outcomes));
        table.row(
            Some(&time_plot::label(buckets, index)),
            cells.into_iter().chain([share]),
        );
    }
    Section {
        title: format!("Requests by the {}", buckets.unit()),
        key: keys,
        plot: Some(picture(stacked::plot(total, report.gaps, report.to))),
        table: Some(table),
        folded: true,
        ..Section::default()
    }
}

pub(super) fn failures(report: &Report<'_>, total: &Tally) -> Section {
    Section {
        title: "Share that failed".into(),
        key: gap_key(report).into_iter().collect(),
        plot: Some(picture(share::plot(total, report.gaps, report.to))),
        ..Section::default()
    }
}

fn gap_key(report: &Report<'_>) -> Option<Key> {
    (!report.gaps.is_empty()).then_some(Key {
        class: "gap",
        text: "a target was not looked at",
    })
}
