//! What a burst of changes costs, and what people get of it.
//!
//! ```sh
//! cargo run --release --example burst
//! ```
//!
//! A daemon of its own process watches a simulated account in which about ten thousand changes come in a minute, and tells
//! a chat of them: a webhook of Slack's kind, which takes one message a second. For a minute before and a minute after,
//! little happens. What is printed: changes a minute, messages a minute, how many changes the messages told, and the
//! daemon's memory in each part.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is here to print")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use ccwatch::clock::Clock;
use ccwatch::cloud::Connection;
use ccwatch::config::{Config, Environment};
use ccwatch::daemon::{Daemon, Signals};
use ccwatch::deliver::Output;
use ccwatch::simulator::{Scenario, Simulator, http};
use rusqlite::OpenFlags;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const PART: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::args_os().nth(1) {
        Some(config) => daemon(Path::new(&config)).await,
        None => measure().await,
    }
}

/// `ccwatch run`, with a budget that a configuration would not allow: the burst is to reach the history as it comes.
async fn daemon(config: &Path) -> Result<()> {
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    Signals::catch()?.forward(stop.clone(), cut.clone());
    let mut config = Config::load(config, &Environment::of_process())?;
    for target in &mut config.targets {
        target.pace.max_calls_per_second = 1_000.0;
    }
    let daemon = Daemon::new(config, Connection::to_simulator(), Clock::system(), &Output::stdout())?;
    Ok(daemon.run(stop, cut).await?)
}

async fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let messages: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let received = messages.clone();
    let chat = Router::new().route(
        "/chat",
        post(async move |body: Bytes| {
            if let Ok(mut received) = received.lock() {
                received.push(body);
            }
            "ok"
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let chat_url = format!("http://{}/chat", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, chat).await });

    let clock = Clock::system();
    let calm = scenario(0.5);
    let stop = CancellationToken::new();
    let quiet = serve(calm, clock.clone(), stop.clone()).await?;
    let busy = serve(scenario(50.0), clock, stop.clone()).await?;

    let mut figures = Vec::new();
    for (name, endpoint) in [("before", &quiet), ("burst", &busy), ("after", &quiet)] {
        let part = run(name, endpoint, &chat_url, folder.path(), &messages).await?;
        figures.push(part);
    }
    stop.cancel();
    println!(
        "{:8} {:>10} {:>10} {:>14} {:>12}",
        "", "changes", "messages", "changes told", "most memory"
    );
    for part in &figures {
        println!(
            "{:8} {:>10} {:>10} {:>14} {:>9} MB",
            part.name,
            part.changes,
            part.messages,
            part.told,
            part.memory / 1024
        );
        ensure!(part.told == part.changes, "a change was not told, or told twice");
    }
    Ok(())
}

fn scenario(arrivals_per_second: f64) -> Scenario {
    Scenario {
        arrivals_per_second,
        region: "eu-west-1".to_owned(),
        ..Scenario::lively()
    }
}

async fn serve(scenario: Scenario, clock: Clock, stop: CancellationToken) -> Result<String> {
    let simulator = Simulator::new(scenario, 1, clock.now());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(http::serve(listener, simulator, clock, stop));
    Ok(endpoint)
}

struct Figures {
    name: &'static str,
    changes: u32,
    messages: usize,
    told: u32,
    /// KiB.
    memory: u64,
}

async fn run(
    name: &'static str,
    endpoint: &str,
    chat: &str,
    folder: &Path,
    messages: &Mutex<Vec<Bytes>>,
) -> Result<Figures> {
    let history = folder.join(format!("{name}.db"));
    let config = folder.join(format!("{name}.toml"));
    std::fs::write(&config, configuration(&history, endpoint, chat))?;
    let count = || messages.lock().map_or(0, |messages| messages.len());
    let before = count();
    let mut child = Command::new(std::env::current_exe()?).arg(&config).spawn()?;
    let mut memory = 0;
    for _ in 0..PART.as_secs() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        memory = memory.max(peak(&child)?);
    }
    terminate(&mut child)?;
    let connection = rusqlite::Connection::open_with_flags(&history, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
    // What came in the last second still waits.
    let waiting = one("SELECT count(*) FROM v_deliveries WHERE state = 'pending'")?;
    let changes = one("SELECT count(*) FROM v_deliveries")? - waiting;
    Ok(Figures {
        name,
        changes,
        messages: count() - before,
        told: one("SELECT count(DISTINCT change_id) FROM v_deliveries WHERE state = 'sent'")?,
        memory,
    })
}

fn configuration(history: &Path, endpoint: &str, chat: &str) -> String {
    format!(
        r#"
        [history]
        path = "{}"
        [poll]
        discover_every = "1s"
        [[targets]]
        name = "burst"
        regions = "eu-west-1"
        account_id = "123456789012"
        endpoint_url = "{endpoint}"
        [[receivers]]
        name = "chat"
        type = "slack"
        url = "{chat}"
        [[routes]]
        name = "everything"
        to = "chat"
        "#,
        PathBuf::from(history).display()
    )
}

/// The most memory that a process has had so far, in KiB.
fn peak(child: &Child) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()).context("VmHWM")?;
    Ok(number.parse()?)
}

fn terminate(child: &mut Child) -> Result<()> {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM)?;
    ensure!(child.wait()?.success(), "the daemon failed");
    Ok(())
}
