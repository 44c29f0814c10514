//! `ccwatch completions`

use std::io::Write;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::Shell;

use super::Failure;

/// Print what makes a shell complete ccwatch's commands, options and their values.
#[derive(Debug, clap::Args)]
#[command(after_help = "Where each shell looks for it:
  bash        mkdir -p ~/.local/share/bash-completion/completions
              ccwatch completions bash > ~/.local/share/bash-completion/completions/ccwatch
  zsh         mkdir -p ~/.zfunc
              ccwatch completions zsh > ~/.zfunc/_ccwatch
              with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  fish        mkdir -p ~/.config/fish/completions
              ccwatch completions fish > ~/.config/fish/completions/ccwatch.fish
  elvish      mkdir -p ~/.config/elvish/lib
              ccwatch completions elvish > ~/.config/elvish/lib/ccwatch.elv
              with `use ccwatch` in ~/.config/elvish/rc.elv
  powershell  ccwatch completions powershell >> $PROFILE
For everyone: bash in /usr/share/bash-completion/completions/, zsh in /usr/share/zsh/site-functions/,
fish in /usr/share/fish/vendor_completions.d/.")]
pub(super) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut command = without_files(super::Arguments::command());
    // Into memory first: clap_complete panics where it can't write, at a closed pipe too.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "ccwatch", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    Ok(out.flush()?)
}

/// Where a shell knows nothing of a value, it offers the names of files. Only a path is one, and says so by its type.
fn without_files(command: Command) -> Command {
    let says_nothing = |argument: &Arg| {
        argument.get_action().takes_values()
            && argument.get_value_hint() == ValueHint::Unknown
            && argument.get_value_parser().possible_values().is_none()
    };
    command
        .mut_args(|argument| {
            if says_nothing(&argument) {
                argument.value_hint(ValueHint::Other)
            } else {
                argument
            }
        })
        .mut_subcommands(without_files)
}
