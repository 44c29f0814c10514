//! What the program says of itself, on standard error.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Debug, clap::Args)]
pub(super) struct Logging {
    /// How the log on standard error is written.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, env = "CCWATCH_LOG_FORMAT")]
    log_format: Format,
    /// What is logged: error, warn, info, debug, trace, or directives such as `ccwatch::watch=debug`.
    #[arg(long, global = true, value_name = "FILTER", env = "CCWATCH_LOG")]
    log: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Sets the log up, once. `quiet` says less by default, for a command whose output is the point.
pub(super) fn set_up(arguments: &Logging, quiet: bool) {
    let default = if quiet { "warn" } else { "info" };
    // The SDK tells at info and warn what the poller tells better, and at each poll.
    let fallback = format!(
        "{default},refinery_core=warn,aws_smithy_http_client=error,aws_config=error,aws_smithy_runtime=error,aws_smithy_runtime_api=error,hyper=error"
    );
    let filter = match &arguments.log {
        Some(directives) => EnvFilter::try_new(directives),
        None => EnvFilter::try_new(&fallback),
    };
    let (filter, bad) = match filter {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(&fallback), Some(error)),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_target(false);
    match arguments.log_format {
        Format::Json => registry.with(layer.with_writer(std::io::stderr).json()).init(),
        Format::Text if is_read_by_journald() => {
            let layer = layer
                .with_writer(Journal)
                .with_ansi(false)
                .without_time()
                .with_level(false);
            registry.with(layer).init();
        }
        Format::Text => {
            let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let colour = std::io::stderr().is_terminal() && !no_colour;
            registry
                .with(layer.with_writer(std::io::stderr).with_ansi(colour))
                .init();
        }
    }
    if let Some(error) = bad {
        tracing::warn!(%error, "the log filter can't be read and is not used");
    }
}

fn is_read_by_journald() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some()
}

/// What is to stand in front of a line on standard error: where journald reads it, the line's priority (sd-daemon(3)).
pub(super) fn journal_priority(level: Level) -> &'static str {
    if is_read_by_journald() { priority(level) } else { "" }
}

fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        Level::DEBUG | Level::TRACE => "<7>",
    }
}

/// Standard error that journald reads: it puts a time to each line itself, and takes the priority from the number in
/// front.
struct Journal;

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Prioritized;

    fn make_writer(&'a self) -> Prioritized {
        Prioritized {
            prefix: priority(Level::INFO),
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Prioritized {
        Prioritized {
            prefix: priority(*metadata.level()),
        }
    }
}

/// Writes an event, which comes as one buffer, behind its priority.
struct Prioritized {
    prefix: &'static str,
}

impl Write for Prioritized {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut error = io::stderr().lock();
        error.write_all(self.prefix.as_bytes())?;
        error.write_all(event)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
