//! `ccwatch history check`

use std::io::Write;

use anyhow::anyhow;
use serde::Serialize;

use super::progress;
use crate::cli::Failure;
use crate::cli::history_file::HistoryFile;
use crate::cli::output::{self, Column, DocumentFormat, Table, cell};
use crate::history::Finding;
use crate::model::printable;

/// Check that the file is sound, and that what it says keeps the laws of a history.
///
/// It reads all of it, and changes nothing; ccwatch may run meanwhile. Exits with 1 if something is not well.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch history check
  ccwatch history check --quick --format json
  ccwatch history check --history /backup/ccwatch.db")]
pub(super) struct Arguments {
    /// Leave out the comparison of indexes with their tables, which takes most of the time.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    history: HistoryFile,
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    format: DocumentFormat,
}

/// What `--format json` gives.
#[derive(Debug, Serialize)]
struct Document<'a> {
    is_well: bool,
    findings: &'a [Finding],
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let reader = arguments.history.open()?;
    let bar = progress::spinner("checking");
    let findings = reader.check(arguments.quick, |law| bar.set_message(law));
    bar.finish_and_clear();
    let broken = findings.iter().filter(|finding| !finding.is_well()).count();
    let document = Document {
        is_well: broken == 0,
        findings: &findings,
    };
    output::show_document(&document, arguments.format, |out| tell(out, &findings))?;
    if broken > 0 {
        let path = arguments.history.path()?;
        return Err(Failure::Work(anyhow!(
            "the history {} is not well: stop ccwatch, then restore a backup with `ccwatch history restore`, which keeps it",
            printable(&path.to_string_lossy())
        )));
    }
    Ok(())
}

fn tell(out: &mut impl Write, findings: &[Finding]) -> Result<(), Failure> {
    let mut table = Table::new([
        Column::whole("LAW"),
        Column::whole("BROKEN"),
        Column::text("MEANING").yields(1),
    ]);
    for finding in findings {
        let broken = match &finding.error {
            Some(_) => "?".to_owned(),
            None => finding.broken.to_string(),
        };
        table.row([
            cell(Some(finding.law)),
            cell(Some(&broken)),
            cell(Some(finding.meaning)),
        ]);
    }
    table.write(out)?;
    for finding in findings.iter().filter(|finding| !finding.is_well()) {
        writeln!(out, "\n{}:", finding.law)?;
        for example in &finding.examples {
            writeln!(out, "  {}", printable(example))?;
        }
        if finding.broken > finding.examples.len() {
            writeln!(out, "  and {} more", finding.broken - finding.examples.len())?;
        }
        if let Some(error) = &finding.error {
            writeln!(out, "  it can't be checked: {}", printable(error))?;
        }
    }
    Ok(writeln!(out, "\n{}", verdict(findings))?)
}

fn verdict(findings: &[Finding]) -> String {
    let all = findings.len();
    let unchecked = findings.iter().filter(|finding| finding.error.is_some()).count();
    let broken = findings.iter().filter(|finding| !finding.is_well()).count() - unchecked;
    match (broken, unchecked) {
        (0, 0) => format!("All {all} laws hold."),
        (_, 0) => format!("Broken: {broken} of {all} laws."),
        (0, _) => format!("Not to be checked: {unchecked} of {all} laws."),
        _ => format!("Broken: {broken}, not to be checked: {unchecked}, of {all} laws."),
    }
}
