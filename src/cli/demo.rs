//! `ccwatch demo`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Failure;
use super::when::{self, rough};
use crate::clock::Clock;
use crate::cloud::Connection;
use crate::config::{Config, Environment};
use crate::daemon::{Daemon, DaemonError, ServiceManager, Signals};
use crate::deliver::Output;
use crate::history::{Filter, Reader};
use crate::simulator::{Scenario, Simulator, http};

/// See it work, without an AWS account.
///
/// A simulated Cloud Control endpoint comes to life on this machine, with requests and hooks that pass, warn and fail;
/// ccwatch watches it as it would watch AWS, prints what changes, and keeps the history in a file to explore afterwards.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch demo
  ccwatch demo --for 30s --history /tmp/demo.db")]
pub(super) struct Arguments {
    /// End after this time, such as `30s` or `5m`; otherwise Ctrl-C does.
    #[arg(long = "for", value_name = "DURATION", value_parser = when::duration)]
    duration: Option<Duration>,
    /// Where to keep the history: a file that is not there yet. By default one in the system's temporary folder.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    history: Option<PathBuf>,
    /// The same seed gives the same world.
    #[arg(long, default_value_t = Scenario::LIVELY_SEED)]
    seed: u64,
}

/// Standard output for as long as someone reads it. A service tries again to say what could not be said; a demo has no one
/// left to show anything to (`| head`), and ends.
struct WhileRead {
    stop: CancellationToken,
}

impl WhileRead {
    /// What no one reads counts as written, so that nothing complains of it.
    fn or_end<T>(&self, written: io::Result<T>, all: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.stop.cancel();
                Ok(all)
            }
            written => written,
        }
    }
}

impl Write for WhileRead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.or_end(io::stdout().write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.or_end(io::stdout().flush(), ())
    }
}

/// What the demo is configured as: the file that is shipped as an example.
const CONFIG: &str = include_str!("../../config/demo.toml");

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    Signals::catch()?.forward(stop.clone(), cut.clone());
    let clock = Clock::system();
    let path = arguments.history.unwrap_or_else(|| {
        std::env::temp_dir().join(format!(
            "ccwatch-demo-{}-{}.db",
            clock.now().to_utc().strftime("%Y%m%d-%H%M%S"),
            std::process::id()
        ))
    });
    if path.exists() {
        return Err(Failure::Arguments(format!(
            "{} is there already; the demo begins a history of its own: name a file that is not there",
            path.display()
        )));
    }
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("can't listen on 127.0.0.1")?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let mut config = Config::parse(CONFIG, Path::new("demo.toml"), &Environment::of_process())?;
    config.history.path.clone_from(&path);
    for target in &mut config.targets {
        target.endpoint_url = Some(Url::parse(&endpoint).context("the simulator's address")?);
    }
    let output = Output::stdout().through(WhileRead { stop: stop.clone() });
    let daemon = Daemon::new(config, Connection::to_simulator(), clock.clone(), &output);
    // The history was named on the command line, and not in a configuration.
    let mut daemon = daemon.map_err(|error| match error {
        DaemonError::Open(error) => error.into(),
        error => Failure::from(error),
    })?;
    daemon.service_manager = ServiceManager::none();

    let mut talk = std::io::stderr();
    writeln!(
        talk,
        "A simulated Cloud Control endpoint lives at {endpoint}; ccwatch watches it."
    )?;
    writeln!(talk, "The history is kept in {}", path.display())?;
    match arguments.duration {
        Some(duration) => writeln!(talk, "It ends by itself after {}, or with Ctrl-C.\n", rough(duration))?,
        None => writeln!(talk, "Ctrl-C ends it.\n")?,
    }
    // Where the configuration's target is: each place has a world of its own, and the seed is made for this one.
    let scenario = Scenario {
        region: "eu-west-1".to_owned(),
        ..Scenario::lively()
    };
    let simulator = Simulator::new(scenario, arguments.seed, clock.now());
    let serving = CancellationToken::new();
    let server = tokio::spawn(http::serve(listener, simulator, clock, serving.clone()));
    if let Some(duration) = arguments.duration {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            stop.cancel();
        });
    }
    daemon.run(stop, cut).await?;
    serving.cancel();
    server.await.context("the simulator")??;
    sum_up(&path)
}

/// What there is now, and what can be done with it.
fn sum_up(path: &Path) -> Result<(), Failure> {
    let reader = Reader::open(path)?;
    let summary = reader.summary()?;
    let mut out = std::io::stdout().lock();
    let counts = |counts: &[(Option<String>, u32)]| {
        let words = counts
            .iter()
            .map(|(word, count)| format!("{count} {}", word.as_deref().unwrap_or("unknown")));
        words.collect::<Vec<_>>().join(", ")
    };
    let deliveries: Vec<_> = summary
        .deliveries
        .iter()
        .map(|(state, count)| (Some(state.clone()), *count))
        .collect();
    writeln!(out, "\nRequests:   {}", counts(&summary.requests))?;
    writeln!(out, "Hooks:      {}", counts(&summary.hooks))?;
    writeln!(out, "Changes:    {}", summary.changes)?;
    writeln!(out, "Deliveries: {}", counts(&deliveries))?;

    let program = std::env::args().next().unwrap_or_else(|| "ccwatch".to_owned());
    let failed = Filter {
        failed: true,
        limit: Some(1),
        ..Filter::default()
    };
    let any = Filter {
        limit: Some(1),
        ..Filter::default()
    };
    let mut shown = reader.requests(&failed)?;
    if shown.is_empty() {
        shown = reader.requests(&any)?;
    }
    let path = path.display();
    writeln!(out, "\nThree things to try:")?;
    writeln!(out, "  {program} requests --history {path}")?;
    match shown.first() {
        Some(request) => writeln!(out, "  {program} show {} --history {path}", request.request_token)?,
        None => writeln!(out, "  {program} events --history {path}")?,
    }
    writeln!(
        out,
        "  sqlite3 {path} \"SELECT hook_type_name, status, failure_mode, count(*) FROM v_hooks GROUP BY 1, 2, 3\""
    )?;
    Ok(())
}
