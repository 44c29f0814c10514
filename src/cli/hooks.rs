//! `ccwatch hooks`

use super::Failure;
use super::filters::Filters;
use super::listing::{self, Listing};
use super::output::{self, Column, cell, status_cell};
use super::scorecard;
use super::when::rough;
use crate::model::rows::HookRow;
use crate::statistics::Scorecard;

/// List invocations of hooks, newest first.
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

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (reader, filter, times) = arguments.common.begin(|now| arguments.filters.filter(now))?;
    if arguments.scorecard {
        let mut scorecard = Scorecard::default();
        reader.hook_facts(&filter, |hook| scorecard.add(hook))?;
        return scorecard::show(&scorecard, arguments.common.format, times, (&reader, &filter));
    }
    listing::show(
        arguments.common.format,
        Listing {
            columns: &[
                Column::whole("SEEN"),
                Column::whole("TARGET").yields(3),
                Column::name("HOOK"),
                Column::whole("MODE").yields(4),
                Column::whole("STATUS"),
                Column::whole("TOOK").yields(2),
                Column::text("MESSAGE").yields(1),
                Column::token("TOKEN"),
            ],
            none: "no hooks match",
            history: &reader,
            filter: Some(&filter),
            most: arguments.common.limits().0,
        },
        |each| Ok(reader.each_hook(&filter, each)?),
        |hook: &HookRow| {
            // One that was over when it was first seen took a time that no one knows.
            let finished = hook.finished_at.filter(|finished| *finished > hook.first_seen_at);
            let took = finished.map(|finished| rough(finished.since(hook.first_seen_at)));
            vec![
                cell(Some(&times.show(Some(hook.first_seen_at)))),
                cell(Some(&hook.target)),
                cell(hook.hook_type_name.as_deref()),
                cell(hook.failure_mode.as_deref()),
                status_cell(hook.status.as_deref()),
                cell(took.as_deref()),
                cell(hook.status_message.as_deref()),
                cell(Some(output::short_token(&hook.request_token))),
            ]
        },
    )
}
