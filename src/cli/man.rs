//! `ccwatch man`

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::{CommandFactory, ValueHint};
use clap_mangen::Man;

use super::Failure;

/// Print the manual page, or write those of every command into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch man | man -l -
  ccwatch man --output /usr/local/share/man/man1")]
pub(super) struct Arguments {
    /// Where to write `ccwatch.1`, `ccwatch-requests.1` and the others. Made if it is not there.
    #[arg(long, short, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let command = super::Arguments::command();
    if let Some(folder) = &arguments.output {
        let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
        let failed = |error| Failure::of_named(&format!("can't write manual pages into {}", folder.display()), &error);
        return written.map_err(failed);
    }
    let mut page = Vec::new();
    Man::new(command.disable_help_subcommand(true)).render(&mut page)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&page)?;
    Ok(out.flush()?)
}
