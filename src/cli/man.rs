//! `ccwatch man`

mod page;
mod remarks;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{CommandFactory, ValueHint};

use self::page::Place;
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
    let mut command = super::Arguments::command().disable_help_subcommand(true);
    command.build();
    let root = Place::root(&command);
    if let Some(folder) = &arguments.output {
        let failed = |error| Failure::of_named(&format!("can't write manual pages into {}", folder.display()), &error);
        return write_all(&root, folder).map_err(failed);
    }
    let page = root.page()?;
    let mut out = io::stdout().lock();
    out.write_all(&page.text)?;
    Ok(out.flush()?)
}

fn write_all(root: &Place<'_>, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let pages = root.pages()?;
    pages
        .iter()
        .try_for_each(|page| fs::write(folder.join(&page.file), &page.text))
}
