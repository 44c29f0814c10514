//! One watcher after the other meets the same world; the figures are printed side by side.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use ccwatch::clock::Clock;
use ccwatch::model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use crate::truth::{Delays, Ended, Known};
use crate::waiters::{self, Again};
use crate::{Plan, Watcher, account, daemon};

/// What ends so shortly before the measurement does may still be told after it.
const TO_BE_TOLD: Duration = Duration::from_secs(10);

/// The figures of one watcher.
#[derive(Debug, Default, Serialize)]
struct Figures {
    watcher: String,
    /// Requests that ended while it was measured, and of which it knew how.
    ends: usize,
    missed: usize,
    list_calls: u64,
    get_calls: u64,
    calls_per_second: f64,
    calls_per_end: Option<f64>,
    early_looks: u64,
    /// In seconds: of the looks while it was measured.
    lateness_p50: f64,
    lateness_p99: f64,
    lateness_max: f64,
    /// From the truth to the watcher, in seconds.
    delay_p50: Option<f64>,
    delay_p99: Option<f64>,
    /// Of everything that was told, steps on the way and hooks included.
    changes_per_second: Option<f64>,
    /// Of the daemon: while it was measured, in percent of one core, and in all.
    cpu_percent: Option<f64>,
    cpu_seconds: Option<f64>,
    peak_memory_mb: Option<f64>,
}

pub(crate) async fn run(plan: &Plan) -> Result<()> {
    let mut all = Vec::new();
    for watcher in &plan.watchers {
        eprintln!(
            "{watcher:?}: settling for {:?}, then measured for {:?}",
            plan.settle, plan.measured
        );
        let figures = measure(plan, *watcher).await?;
        if plan.json {
            println!("{}", serde_json::to_string(&figures)?);
        }
        all.push(figures);
    }
    if !plan.json {
        print(plan, &all);
    }
    Ok(())
}

/// The simulator in a process of its own.
struct World {
    _process: Child,
    simulator: String,
    side: String,
    http: reqwest::Client,
}

impl World {
    async fn start() -> Result<Self> {
        // With the arguments of this process: the same plan.
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .arg("world")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = lines(&mut process)?;
        let mut url = async || lines.next_line().await?.context("the simulator ended");
        Ok(Self {
            simulator: url().await?,
            side: url().await?,
            _process: process,
            http: reqwest::Client::new(),
        })
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T> {
        let answer = self.http.get(url).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// How late looks were since this was last asked.
    async fn lateness(&self) -> Result<Value> {
        self.ask(&format!("{}/lateness", self.side)).await
    }

    /// Counted over all targets.
    async fn calls(&self) -> Result<Value> {
        self.ask(&format!("{}/_simulator/calls", self.simulator)).await
    }

    async fn ended(&self, plan: &Plan) -> Result<Vec<Ended>> {
        let mut all = Vec::new();
        // What never has a request never has an end.
        for number in (0..plan.targets).filter(|_| plan.open > 0) {
            let url = format!("{}/ended?account={}", self.side, account(number));
            all.extend(self.ask::<Vec<Ended>>(&url).await?);
        }
        Ok(all)
    }
}

async fn measure(plan: &Plan, watcher: Watcher) -> Result<Figures> {
    let world = World::start().await?;
    let known = Arc::new(Mutex::new(Known::default()));
    let stop = CancellationToken::new();
    let folder = tempfile::tempdir()?;
    let endpoints = (world.simulator.as_str(), world.side.as_str());
    let mut ccwatch = None;
    let waiting = async {
        match watcher {
            Watcher::Ccwatch => std::future::pending().await,
            Watcher::RetryAfter => {
                waiters::run(plan, Again::AtRetryAfter, endpoints, known.clone(), stop.clone()).await
            }
            Watcher::Every5s => waiters::run(plan, Again::Every5s, endpoints, known.clone(), stop.clone()).await,
        }
    };
    let told = Arc::new(Mutex::new(0_u64));
    if watcher == Watcher::Ccwatch {
        let mut process = start_ccwatch(&world, folder.path())?;
        let lines = lines(&mut process)?;
        tokio::spawn(read_changes(lines, Arc::clone(&known), Arc::clone(&told)));
        ccwatch = Some(process);
    }
    let pid = ccwatch.as_ref().and_then(Child::id);
    let count_told = || *told.lock().unwrap_or_else(PoisonError::into_inner);
    let measuring = async {
        let clock = Clock::system();
        tokio::time::sleep(plan.settle).await;
        let (calls_before, told_before, cpu_before) = (world.calls().await?, count_told(), cpu(pid));
        world.lateness().await?;
        let from = clock.now();
        tokio::time::sleep(plan.measured).await;
        let lateness = world.lateness().await?;
        let (calls, told, cpu_seconds, peak) = (world.calls().await?, count_told(), cpu(pid), peak_memory(pid));
        let to = clock.now();
        tokio::time::sleep(TO_BE_TOLD).await;
        let ended = world.ended(plan).await?;
        let delays = {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            Delays::new(&ended, &known, from, to)
        };
        let seconds = to.since(from).as_secs_f64();
        Ok::<_, anyhow::Error>(Figures {
            cpu_percent: cpu_seconds
                .zip(cpu_before)
                .map(|(after, before)| (after - before) / seconds * 100.0),
            cpu_seconds,
            peak_memory_mb: peak,
            changes_per_second: pid.map(|_| number(told - told_before) / seconds),
            ..figures(&calls_before, &calls, &lateness, &delays, seconds)
        })
    };
    let mut figures = tokio::select! {
        figures = measuring => figures?,
        ended = waiting => return Err(ended.err().unwrap_or_else(|| anyhow!("the waiters ended"))),
    };
    stop.cancel();
    figures.watcher = format!("{watcher:?}");
    if let Some(mut process) = ccwatch {
        if let Some(status) = process.try_wait()? {
            return Err(anyhow!("ccwatch ended: {status}"));
        }
        process.kill().await?;
    }
    Ok(figures)
}

fn figures(before: &Value, after: &Value, lateness: &Value, delays: &Delays, seconds: f64) -> Figures {
    let calls = |operation: &str| {
        let received = |calls: &Value| calls["operations"][operation]["received"].as_u64().unwrap_or_default();
        received(after) - received(before)
    };
    let late = |share: &str| lateness[share].as_f64().unwrap_or_default() / 1000.0;
    let (list_calls, get_calls) = (calls("ListResourceRequests"), calls("GetResourceRequestStatus"));
    let calls = number(list_calls + get_calls);
    let ends = delays.count();
    Figures {
        ends,
        missed: delays.missed,
        list_calls,
        get_calls,
        calls_per_second: calls / seconds,
        calls_per_end: (ends > 0).then(|| calls / number(ends as u64)),
        early_looks: after["early_looks"].as_u64().unwrap_or_default(),
        lateness_p50: late("p50_ms"),
        lateness_p99: late("p99_ms"),
        lateness_max: late("max_ms"),
        delay_p50: delays.quantile(500),
        delay_p99: delays.quantile(990),
        ..Figures::default()
    }
}

fn start_ccwatch(world: &World, folder: &Path) -> Result<Child> {
    let config = folder.join("ccwatch.toml");
    std::fs::write(&config, daemon::config(&world.simulator))?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let process = Command::new(std::env::current_exe()?)
        .args(arguments)
        .arg("daemon")
        .arg(config)
        .env("AWS_ACCESS_KEY_ID", "simulated")
        .env("AWS_SECRET_ACCESS_KEY", "simulated")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL_STS", &world.side)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    Ok(process)
}

fn lines(process: &mut Child) -> Result<Lines<BufReader<ChildStdout>>> {
    let out = process.stdout.take().context("a process without standard output")?;
    Ok(BufReader::new(out).lines())
}

/// Reads what ccwatch tells, as a person would: when the line is there.
async fn read_changes(mut lines: Lines<BufReader<ChildStdout>>, known: Arc<Mutex<Known>>, told: Arc<Mutex<u64>>) {
    let clock = Clock::system();
    while let Ok(Some(line)) = lines.next_line().await {
        let now: Timestamp = clock.now();
        let change: Value = serde_json::from_str(&line).unwrap_or_default();
        *told.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let (token, to) = (&change["request"]["request_token"], &change["to"]);
        if change["kind"] == "request.status"
            && let (Some(token), Some(status)) = (token.as_str(), to.as_str())
        {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.0.insert(token.to_owned(), (status.to_owned(), now));
        }
    }
}

/// Processor time that a process has used, in seconds. <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn cpu(pid: Option<u32>) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid?)).ok()?;
    // The second field may hold blanks; the third is the first after its bracket. A tick is a hundredth of a second.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// The most memory that a process has had resident, in millions of bytes.
fn peak_memory(pid: Option<u32>) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid?)).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "counts of minutes")]
fn number(count: u64) -> f64 {
    count as f64
}

fn print(plan: &Plan, all: &[Figures]) {
    println!(
        "{} targets x {} open requests, life {:?}, RetryAfter {:?}, hooks {}, seed {}",
        plan.targets, plan.open, plan.life, plan.retry_after, plan.hooks, plan.seed
    );
    let row = |name: &str, value: &dyn Fn(&Figures) -> String| {
        print!("{name:32}");
        for figures in all {
            print!("{:>14}", value(figures));
        }
        println!();
    };
    let seconds = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2} s"));
    let plain = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    row("", &|f| f.watcher.clone());
    row("requests ended, and known", &|f| f.ends.to_string());
    row("  missed", &|f| f.missed.to_string());
    row("calls: ListResourceRequests", &|f| f.list_calls.to_string());
    row("calls: GetResourceRequestStatus", &|f| f.get_calls.to_string());
    row("calls a second", &|f| plain(Some(f.calls_per_second)));
    row("calls a request that ended", &|f| plain(f.calls_per_end));
    row("early looks", &|f| f.early_looks.to_string());
    row("late after RetryAfter, p50", &|f| seconds(Some(f.lateness_p50)));
    row("  p99", &|f| seconds(Some(f.lateness_p99)));
    row("  max", &|f| seconds(Some(f.lateness_max)));
    row("from the end to its news, p50", &|f| seconds(f.delay_p50));
    row("  p99", &|f| seconds(f.delay_p99));
    row("changes told a second", &|f| plain(f.changes_per_second));
    row("processor, % of one core", &|f| plain(f.cpu_percent));
    row("  in all", &|f| seconds(f.cpu_seconds));
    row("peak memory, MB", &|f| plain(f.peak_memory_mb));
}
