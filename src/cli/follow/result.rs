//! What is written of how requests came out, and what exit code it ends with.

use std::io::{BufWriter, Write};

use anyhow::anyhow;

use super::{End, Outcome};
use crate::cli::output::{self, Column, DocumentFormat, Table, cell, status_cell};
use crate::cli::{Failure, when};
use crate::model::printable;

/// The exit code that the ends have, as a result. What came of writing them is of less matter: whoever closed standard output
/// still asks by the exit code how it ended.
pub(in crate::cli) fn conclude(written: Result<(), Failure>, ends: &[End]) -> Result<(), Failure> {
    match Outcome::of_all(ends.iter().map(|end| end.outcome)) {
        Outcome::Success => written,
        outcome => {
            mention(written);
            Err(Failure::Outcome(outcome))
        }
    }
}

/// The same of a request that was to be cancelled: that it was is success, and that it ended by itself is none.
pub(in crate::cli) fn conclude_cancel(written: Result<(), Failure>, end: &End) -> Result<(), Failure> {
    match end.outcome {
        Outcome::Cancelled => written,
        Outcome::Success | Outcome::Failed => {
            mention(written);
            Err(Failure::Work(anyhow!(
                "the request {} ended as {} before it could be cancelled",
                printable(&end.request.request_token),
                printable(end.request.status.as_deref().unwrap_or("unknown")),
            )))
        }
        _ => conclude(written, std::slice::from_ref(end)),
    }
}

/// Says what came of writing where another failure is to be told by the exit code.
fn mention(written: Result<(), Failure>) {
    if let Err(failure) = written
        && !matches!(failure, Failure::ClosedPipe)
    {
        output::complain(&failure);
    }
}

/// Writes how requests came out, for people: a table of them, and one of their hooks.
pub(in crate::cli) fn tell(out: &mut impl Write, ends: &[End]) -> Result<(), Failure> {
    let mut requests = Table::new([
        Column::token("REQUEST"),
        Column::whole("STATUS"),
        Column::whole("OP").yields_late(5),
        Column::name("TYPE"),
        Column::name("IDENTIFIER").yields(4),
        Column::whole("TOOK").yields(2),
        Column::text("DETAIL").yields(1),
    ]);
    for End { outcome, request, .. } in ends {
        let detail = [request.error_code.as_deref(), request.status_message.as_deref()];
        let detail: Vec<&str> = detail.into_iter().flatten().collect();
        let detail = match outcome {
            Outcome::Lost => "lost: Cloud Control forgot it before it was seen to end".to_owned(),
            Outcome::Unseen => "it can't be looked at, and goes on".to_owned(),
            _ => detail.join(": "),
        };
        requests.row([
            cell(Some(&request.request_token)),
            status_cell(request.status.as_deref()),
            cell(request.operation.as_deref()),
            cell(request.type_name.as_deref()),
            cell(request.identifier.as_deref()),
            cell(Some(&when::seconds(request.duration_s))),
            cell(Some(&detail)),
        ]);
    }
    requests.write(out)?;
    if ends.iter().all(|end| end.hooks.is_empty()) {
        return Ok(());
    }
    writeln!(out)?;
    let mut hooks = Table::new([
        Column::name("HOOK"),
        Column::token("OF"),
        Column::whole("MODE").yields(2),
        Column::whole("STATUS"),
        Column::text("DETAIL").yields(1),
    ]);
    for hook in ends.iter().flat_map(|end| &end.hooks) {
        hooks.row([
            cell(Some(&hook.name())),
            cell(Some(output::short_token(&hook.request_token))),
            cell(hook.failure_mode.as_deref()),
            status_cell(hook.status.as_deref()),
            cell(hook.status_message.as_deref()),
        ]);
    }
    Ok(hooks.write(out)?)
}

/// Writes how several requests came out: as JSON, one array.
pub(in crate::cli) fn write(ends: &[End], format: DocumentFormat) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match format {
        DocumentFormat::Table => tell(&mut out, ends)?,
        DocumentFormat::Json => output::write_json(&mut out, &ends)?,
        DocumentFormat::Jsonl => {
            for end in ends {
                output::write_json_line(&mut out, end)?;
            }
        }
    }
    Ok(out.flush()?)
}
