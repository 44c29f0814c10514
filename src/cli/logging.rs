//! What the program says of itself, on standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
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
    let fallback =
        format!("{default},aws_config=error,aws_smithy_runtime=error,aws_smithy_runtime_api=error,hyper=error");
    let filter = match &arguments.log {
        Some(directives) => EnvFilter::try_new(directives),
        None => EnvFilter::try_new(&fallback),
    };
    let (filter, bad) = match filter {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(&fallback), Some(error)),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    match arguments.log_format {
        Format::Json => registry.with(layer.json()).init(),
        // journald puts a time to each line itself.
        Format::Text if std::env::var_os("JOURNAL_STREAM").is_some() => {
            registry.with(layer.with_ansi(false).without_time()).init();
        }
        Format::Text => {
            let colour =
                std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            registry.with(layer.with_ansi(colour)).init();
        }
    }
    if let Some(error) = bad {
        tracing::warn!(%error, "the log filter can't be read and is not used");
    }
}
