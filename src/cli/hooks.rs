//! `ccwatch hooks`

use comfy_table::Cell;

use super::Failure;
use super::filters::Filters;
use super::history::progress;
use super::listing::{self, Listing};
use super::output::{self, Column, cell, status_cell};
use super::scorecard;
use super::when::{Times, rough};
use crate::history::View;
use crate::model::rows::InvocationRow;
use crate::statistics::Scorecard;

/// List invocations of hooks, newest first, with what they judged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch hooks --failed --since 7d
  ccwatch hooks --hook 'Acme::Guard::*' --type 'AWS::S3::*'
  ccwatch hooks --scorecard --since 30d

In a pattern, `*` stands for any characters and `!` in front excludes; several may be given with commas between.")]
pub(super) struct Arguments {
    /// Show how each version of each hook did instead: passed, blocked, warned, how long it took, first and last seen.
    /// --limit does not matter then.
    #[arg(long)]
    scorecard: bool,
    #[command(flatten)]
    common: listing::Common,
    #[command(flatten)]
    filters: Filters,
}

const COLUMNS: [Column<'static>; 11] = [
    Column::whole("SEEN").yields_late(7),
    Column::whole("TARGET").yields(3),
    Column::name("HOOK"),
    Column::whole("MODE").yields_late(5),
    Column::whole("OP").yields(4),
    Column::name("TYPE").yields(8),
    Column::name("IDENTIFIER").yields(6),
    Column::whole("STATUS"),
    Column::whole("TOOK").yields(2),
    Column::text("MESSAGE").yields(1),
    Column::token("TOKEN"),
];

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (reader, filter, times) = arguments.common.begin(|now| arguments.filters.filter(now))?;
    if arguments.scorecard {
        let mut scorecard = Scorecard::default();
        let bar = progress::spinner("reading the history");
        let read = reader.hook_facts(&filter, |hook| scorecard.add(hook));
        bar.finish_and_clear();
        read?;
        return scorecard::show(&scorecard, arguments.common.format, times, (&reader, &filter));
    }
    listing::show(
        arguments.common.format,
        Listing {
            columns: &COLUMNS,
            none: "no hooks match",
            history: &reader,
            filter: Some((View::Hooks, &filter)),
            most: arguments.common.limits().0,
        },
        |each| Ok(reader.each_hook(&filter, each)?),
        |invocation: &InvocationRow| cells(invocation, times),
    )
}

fn cells(invocation: &InvocationRow, times: Times) -> Vec<Cell> {
    let hook = &invocation.hook;
    // One that was over when it was first seen took a time that no one knows.
    let finished = hook.finished_at.filter(|finished| *finished > hook.first_seen_at);
    let took = finished.map(|finished| rough(finished.since(hook.first_seen_at)));
    vec![
        cell(Some(&times.show(Some(hook.first_seen_at)))),
        cell(Some(&hook.target)),
        cell(Some(&hook.name())),
        cell(hook.failure_mode.as_deref()),
        cell(invocation.operation.as_deref()),
        cell(invocation.type_name.as_deref()),
        cell(invocation.identifier.as_deref()),
        status_cell(hook.status.as_deref()),
        cell(took.as_deref()),
        cell(hook.status_message.as_deref()),
        cell(Some(output::short_token(&hook.request_token))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Table;
    use crate::model::Timestamp;
    use crate::model::rows::HookRow;

    fn shown(status: &str, width: Option<u16>) -> String {
        let now = Timestamp::from_millis(1_795_328_880_000);
        let invocation = InvocationRow {
            hook: HookRow {
                target: "production/eu-west-1".to_owned(),
                request_token: "73553e7d-6c1b-4f9e-9c55-0d2f6f7f4f0e".to_owned(),
                hook_type_name: Some("Acme::Guard::EncryptionAtRest".to_owned()),
                failure_mode: Some("WARN".to_owned()),
                status: Some(status.to_owned()),
                status_message: Some("All data stores are to be encrypted at rest.".to_owned()),
                first_seen_at: now.minus(std::time::Duration::from_secs(770)),
                ..HookRow::default()
            },
            type_name: Some("AWS::S3::Bucket".to_owned()),
            identifier: Some("acme-assets-773119a8addedec8e".to_owned()),
            operation: Some("UPDATE".to_owned()),
        };
        let mut table = Table::new(COLUMNS);
        table.row(cells(&invocation, Times { utc: false, now }));
        let mut out = Vec::new();
        table.write_within(&mut out, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_hook_says_what_it_judged() {
        let headings = |status, width| {
            let shown = shown(status, width);
            let headings: Vec<String> = shown
                .lines()
                .next()
                .unwrap()
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            headings
        };
        let all = "SEEN TARGET HOOK MODE OP TYPE IDENTIFIER STATUS TOOK MESSAGE TOKEN";
        assert_eq!(headings("HOOK_FAILED", None).join(" "), all);
        assert_eq!(headings("HOOK_FAILED", Some(300)).join(" "), all);
        assert_eq!(
            headings("HOOK_COMPLETE_FAILED", Some(80)).join(" "),
            "SEEN HOOK MODE TYPE IDENTIFIER STATUS TOKEN"
        );
        assert_eq!(
            headings("HOOK_COMPLETE_SUCCEEDED", Some(80)).join(" "),
            "SEEN HOOK TYPE IDENTIFIER STATUS TOKEN"
        );
        for width in 60..300 {
            let shown = shown("HOOK_COMPLETE_SUCCEEDED", Some(width));
            assert!(shown.contains("TYPE") && shown.contains("73553e7d"), "{shown}");
        }
    }
}
