//! What the program says of itself, on standard error.
//!
//! **What was sent and received is in no log** (law 8), whatever filter someone asks for: the libraries that carry requests
//! print them whole, with the documents and the credentials that they hold.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::output;
use crate::journal;

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
    // Both are asked: neither lets through what the other holds back.
    let discreet = filter_fn(|metadata| is_discreet(metadata.target(), *metadata.level()));
    let registry = tracing_subscriber::registry().with(filter).with(discreet);
    // Standard error that is closed must not end the program, and what can't be written there can't be said there either.
    let layer = tracing_subscriber::fmt::layer()
        .with_target(false)
        .log_internal_errors(false);
    match arguments.log_format {
        Format::Json => registry.with(layer.with_writer(std::io::stderr).json()).init(),
        Format::Text if journal::reads(&io::stderr()) => {
            let layer = layer
                .with_writer(Journal)
                .with_ansi(false)
                .without_time()
                .with_level(false);
            registry.with(layer).init();
        }
        Format::Text => {
            let colour = std::io::stderr().is_terminal() && output::allows_colour();
            registry
                .with(layer.with_writer(std::io::stderr).with_ansi(colour))
                .init();
        }
    }
    if let Some(error) = bad {
        tracing::warn!(%error, "the log filter can't be read and is not used");
    }
}

/// Those that see a request or an answer whole, by the beginnings of their names, and print it below INFO.
const CARRIERS: [&str; 6] = ["aws_", "h2", "hyper", "lettre", "reqwest", "rustls"];

/// Whether what a module says at a level can't hold what was sent or received.
fn is_discreet(module: &str, level: Level) -> bool {
    // Which credentials are taken from where is worth knowing, and told without them at DEBUG.
    let at_most = if module.starts_with("aws_config") {
        Level::DEBUG
    } else {
        Level::INFO
    };
    level <= at_most || !CARRIERS.iter().any(|carrier| module.starts_with(carrier))
}

/// What is to stand in front of a line on standard error: where journald reads it, the line's priority (sd-daemon(3)).
pub(super) fn journal_priority(level: Level) -> &'static str {
    if journal::reads(&io::stderr()) {
        priority(level)
    } else {
        ""
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_requests_does_not_print_them() {
        for module in [
            "aws_smithy_runtime::client::orchestrator",
            "aws_smithy_http_client::client",
            "aws_sdk_cloudcontrol::operation",
            "aws_config::default_provider",
            "hyper_util::client::legacy",
            "h2::codec",
            "reqwest::connect",
            "rustls::client",
        ] {
            assert!(!is_discreet(module, Level::TRACE), "{module}");
            assert!(is_discreet(module, Level::INFO), "{module}");
        }
        assert!(!is_discreet("aws_smithy_runtime", Level::DEBUG));
        assert!(is_discreet("aws_config", Level::DEBUG));
        assert!(is_discreet("ccwatch::watch", Level::TRACE));
    }
}
