//! What hooks did.

use super::{Section, percentiles};
use crate::render::report::table::{Table, number, text};
use crate::render::report::{Report, minute};
use crate::statistics::thousands;

pub(super) fn hooks(report: &Report<'_>) -> Option<Section> {
    let heads = [
        "invocations",
        "passed",
        "blocked",
        "warned",
        "failed",
        "broken",
        "running",
        "p50",
        "p90",
        "p99",
    ];
    let seen = ["first seen", "last seen"].map(text);
    let mut table = Table::new(
        "By hook and version",
        [text("hook"), text("version")]
            .into_iter()
            .chain(heads.map(number))
            .chain(seen),
    );
    for (version, score) in report.scorecard.rows() {
        let counts = [
            score.invocations(),
            score.passed,
            score.blocked,
            score.warned,
            score.failed_in_unknown_mode,
            score.broken,
            score.running,
        ];
        let cells = [text(version.hook_type_version_id.as_deref().unwrap_or("–"))]
            .into_iter()
            .chain(counts.map(|count| number(thousands(count))))
            .chain(percentiles(score.latencies.percentiles()))
            .chain([score.first_seen_at, score.last_seen_at].map(|time| text(minute(time))));
        table.row(version.hook_type_name.as_deref(), cells);
    }
    Some(Section {
        title: "Hooks".into(),
        notes: vec![
            "Blocked: failed in FAIL mode. Warned: failed in WARN mode, and would have blocked in FAIL mode. Failed: in a \
             mode that the service did not say. Broken: those of the three in which the hook itself broke. Running: no end \
             was seen. p50, p90, p99: from the first look at it to the look that saw its end; what had ended by the first \
             look is left out."
                .into(),
        ],
        table: Some(table.unless_empty()?),
        ..Section::default()
    })
}
