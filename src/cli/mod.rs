//! The command line: a file a subcommand.
//!
//! Results go to standard output, talk to standard error. Exit codes: 0 done, 1 failed at work (no permission, a full disk, a
//! damaged file), 2 wrong arguments (also: a file to read is not there, one to make is), 78 (EX_CONFIG) configuration,
//! 130 Ctrl-C, 143 SIGTERM, but not of those that go on until then (`run`, `demo`, `simulate`, `top`); `wait` and the commands
//! that act have more, for how a request ended.
//! What came from the wire is made printable before it reaches a terminal. A closed pipe (`| head`) ends a command quietly.

mod access;
mod act;
mod backtest;
mod check;
mod completions;
mod demo;
mod events;
mod filters;
mod find;
mod follow;
mod gaps;
mod history;
mod history_file;
mod hooks;
mod interruption;
mod listing;
mod logging;
mod man;
mod new_file;
mod notify;
mod output;
mod period;
mod report;
mod requests;
mod run;
mod scorecard;
mod show;
mod silence;
mod simulate;
mod spinner;
mod sql;
mod stats;
mod top;
mod unknown;
mod wait;
mod when;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::signal::unix::SignalKind;

use crate::config::{ConfigErrors, ReceiverError, UnknownReceiver};
use crate::daemon::DaemonError;
use crate::deliver::BuildError;
use crate::model::{is_printable, printable};

/// Watches AWS Cloud Control requests and their CloudFormation Hooks, keeps their history, and tells people.
#[derive(Debug, Parser)]
#[command(name = "ccwatch", version, about, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Examples:
  ccwatch demo                                    see it work, without an AWS account
  ccwatch run --config /etc/ccwatch/ccwatch.toml  watch
  ccwatch requests --failed                       what failed lately
  ccwatch show 73553e7d                           one request's story, by the start of its token
  ccwatch events --follow                         news as it happens
  ccwatch top                                     what is open, live
  ccwatch stats --by type                         how many, how many failed, how long they took
  ccwatch report -o report.html                   the same as a page with plots
  ccwatch sql 'SELECT * FROM v_hooks LIMIT 10'    anything else that the history knows
  ccwatch history backup /backup/ccwatch.db       a copy, while ccwatch runs
  ccwatch wait 73553e7d                           until a request has ended
  ccwatch notify test ops-chat                    whether a receiver can be reached
  ccwatch silence add target=dev --for 2h --reason 'load test'
  ccwatch backtest --config new.toml              who would have been told what

Exit codes:
  0    done
  1    failed at work: no permission, a full disk, a damaged file
  2    wrong arguments; or a file to read is not there, or one to make is
  78   the configuration is wrong, or not there; of run, the history that it names can't be used
  130  ended by Ctrl-C, before the work was done; run, demo, simulate and top end well by it: 0
  143  the same by SIGTERM

Files:
  /etc/ccwatch/ccwatch.toml          the configuration
  ~/.local/state/ccwatch/history.db  your history, if $XDG_STATE_HOME names no other folder
  /var/lib/ccwatch/history.db        the service's

Environment:
  NO_COLOR  nothing is coloured where this is set to anything
  TERM      nor where this is dumb; there, and where it is not set, no line moves, and where it is dumb top draws nothing")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    logging: logging::Logging,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Check(check::Arguments),
    Demo(demo::Arguments),
    Simulate(simulate::Arguments),
    Requests(requests::Arguments),
    Show(show::Arguments),
    Hooks(hooks::Arguments),
    Events(events::Arguments),
    Gaps(gaps::Arguments),
    Top(top::Arguments),
    Stats(stats::Arguments),
    Report(report::Arguments),
    Sql(sql::Arguments),
    History(history::Arguments),
    Wait(wait::Arguments),
    Create(act::Create),
    Update(act::Update),
    Delete(act::Delete),
    Cancel(act::Cancel),
    Notify(notify::Arguments),
    Silence(silence::Arguments),
    Backtest(backtest::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Why a command failed. Decides the exit code.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Exit code 78.
    #[error(transparent)]
    Configuration(anyhow::Error),
    /// Exit code 2.
    #[error("{0}")]
    Arguments(String),
    /// Exit code 1.
    #[error(transparent)]
    Work(#[from] anyhow::Error),
    /// The command did its work, and what it found is told by its exit code.
    #[error("{0:?}")]
    Outcome(follow::Outcome),
    /// By a signal, after which everything is in order. The exit code is the shell's for it: 130 for Ctrl-C, 143 for SIGTERM.
    #[error("interrupted")]
    Interrupted(SignalKind),
    /// The reader of our output went away, and has all that it wanted.
    #[error("standard output was closed")]
    ClosedPipe,
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Configuration(errors.into())
    }
}

impl From<UnknownReceiver> for Failure {
    fn from(error: UnknownReceiver) -> Self {
        Self::Arguments(error.to_string())
    }
}

impl From<ReceiverError> for Failure {
    fn from(error: ReceiverError) -> Self {
        match error {
            ReceiverError::Config(errors) => errors.into(),
            ReceiverError::Unknown(error) => error.into(),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::Configuration(error.into())
    }
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        if error.is_configuration() {
            Self::Configuration(error.into())
        } else {
            Self::Work(error.into())
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            // Whoever writes a file says which.
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Work(anyhow::anyhow!("can't write to standard output: {error}"))
            }
            _ => Self::Work(error.into()),
        }
    }
}

impl Failure {
    /// Why a file or a folder can't be used that was named on the command line: it is not there, is there already, or is of
    /// the other kind, which is wrong with the name; or something stands in the way, which is not.
    fn of_named(what: &str, error: &io::Error) -> Self {
        use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory, NotFound};
        match error.kind() {
            NotFound | AlreadyExists | NotADirectory | IsADirectory => Self::Arguments(format!("{what}: {error}")),
            _ => Self::Work(anyhow::anyhow!("{what}: {error}")),
        }
    }

    /// As sysexits.h and clap have them.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 78,
            Self::Arguments(_) => 2,
            Self::Work(_) => 1,
            Self::Outcome(outcome) => outcome.exit_code(),
            Self::Interrupted(signal) => u8::try_from(128 + signal.as_raw_value()).unwrap_or(1),
            Self::ClosedPipe => 0,
        }
    }
}

/// Runs what the process was asked to.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return answered(&answer),
    };
    let quiet = matches!(arguments.command, Command::Demo(_) | Command::Top(_));
    logging::set_up(&arguments.logging, quiet);
    let result = match arguments.command {
        Command::Run(arguments) => block_on(run::run(arguments)),
        Command::Check(arguments) => check::run(&arguments),
        Command::Demo(arguments) => block_on(demo::run(arguments)),
        Command::Simulate(arguments) => block_on(simulate::run(arguments)),
        Command::Requests(arguments) => requests::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Hooks(arguments) => hooks::run(&arguments),
        Command::Events(arguments) => events::run(&arguments),
        Command::Gaps(arguments) => gaps::run(&arguments),
        Command::Top(arguments) => block_on(top::run(arguments)),
        Command::Stats(arguments) => stats::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Sql(arguments) => sql::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Wait(arguments) => block_on(wait::run(arguments)),
        Command::Create(arguments) => block_on(act::create(arguments)),
        Command::Update(arguments) => block_on(act::update(arguments)),
        Command::Delete(arguments) => block_on(act::delete(arguments)),
        Command::Cancel(arguments) => block_on(act::cancel(arguments)),
        Command::Notify(arguments) => notify::run(&arguments),
        Command::Silence(arguments) => silence::run(&arguments),
        Command::Backtest(arguments) => backtest::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    ended(result)
}

/// Says what is wrong with the arguments, or the help that they ask for: help that can't be written is a failure too, which
/// clap's own way out does not tell.
fn answered(answer: &clap::Error) -> ExitCode {
    // What was typed is repeated, among clap's own colours.
    let is_printable = |text: OsString| text.to_string_lossy().chars().all(is_printable);
    let written = if std::env::args_os().all(is_printable) {
        answer.print().and_then(|()| io::stdout().flush())
    } else {
        let text = answer.render().to_string();
        let lines: Vec<_> = text.lines().map(printable).collect();
        writeln!(io::stderr(), "{}", lines.join("\n"))
    };
    match u8::try_from(answer.exit_code()) {
        Ok(0) => ended(written.map_err(Failure::from)),
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(
                failure,
                Failure::ClosedPipe | Failure::Outcome(_) | Failure::Interrupted(_)
            ) {
                output::complain(&failure);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn block_on(future: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    /// More than a transaction takes. What may take longer on a blocking thread, a name look-up say, must not hold up the end.
    const LONGEST_END: Duration = Duration::from_secs(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(future);
    // What still looks is dropped, and closes its history, so that SQLite leaves nothing beside it.
    runtime.shutdown_timeout(LONGEST_END);
    result
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::Arguments;

    /// A command and all that are under it.
    fn with_all_under(command: &Command) -> Vec<&Command> {
        let under = command.get_subcommands().flat_map(with_all_under);
        std::iter::once(command).chain(under).collect()
    }

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn wherever_a_moment_is_taken_a_hyphen_is_and_wherever_a_limit_is_a_negative_one_is_answered() {
        let all = Arguments::command();
        let mut taken = 0;
        for command in with_all_under(&all) {
            for argument in command.get_arguments() {
                // A silence ends at a time, not so long ago.
                let is_moment = match argument.get_long() {
                    Some("since") => true,
                    Some("until") => command.get_arguments().any(|other| other.get_long() == Some("since")),
                    _ => false,
                };
                let is_limit = argument.get_long() == Some("limit");
                taken += usize::from(is_moment || is_limit);
                assert!(
                    !is_moment || argument.is_allow_hyphen_values_set(),
                    "{}",
                    command.get_name()
                );
                assert!(
                    !is_limit || argument.is_allow_negative_numbers_set(),
                    "{}",
                    command.get_name()
                );
            }
        }
        assert!(taken > 10, "{taken}");
    }

    #[test]
    fn under_filters_the_help_lists_nothing_else() {
        const FILTERS: [&str; 12] = [
            "target",
            "region",
            "since",
            "until",
            "status",
            "type_name",
            "operation",
            "error",
            "hook",
            "identifier",
            "open",
            "failed",
        ];
        let all = Arguments::command();
        for command in with_all_under(&all) {
            let listed = command.get_arguments();
            let listed = listed.filter(|argument| argument.get_help_heading() == Some("Filters"));
            for argument in listed {
                let id = argument.get_id().as_str();
                assert!(FILTERS.contains(&id), "{}: {id}", command.get_name());
            }
        }
    }
}
