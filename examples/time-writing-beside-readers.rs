#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should fail loudly, and prints"
)]
//! How fast sightings are recorded while others read, against how fast they are without: `cargo build --release && cargo run --release
//! --example time-writing-beside-readers -- --history FILE`.
//!
//! Two readers, each a process of its own for each question, ask ten times a second, in turns: the newest requests, what failed, the
//! newest changes, and one request's story. The two take turns of `--turn`, so that what else the machine does meets both. FILE is written
//! to: it is best a copy of what the example `fill-history` made.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ccwatch::clock::Clock;
use ccwatch::decide::route::Route;
use ccwatch::decide::routing::Routing;
use ccwatch::history::History;
use ccwatch::model::{
    ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, TargetId, TargetName,
};
use clap::Parser;

/// As many as a list shows.
const BATCH: u32 = 100;
const ASK_EVERY: Duration = Duration::from_millis(100);
const READERS: usize = 2;

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    #[arg(long, default_value_t = 8)]
    turns: u32,
    #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = humantime::parse_duration)]
    turn: Duration,
}

fn main() {
    let arguments = Arguments::parse();
    let history = History::open(&arguments.history).unwrap();
    let clock = Clock::system();
    let region = Region("eu-west-1".into());
    let name = TargetName::new("measured", &region);
    let target = history
        .write(|tx| {
            let target = tx.register_target(&name, None, &region, clock.now())?.target.id;
            tx.begin_baseline(target, clock.now())?;
            tx.complete_baseline(target, clock.now())?;
            Ok(target)
        })
        .unwrap();
    let everything = Route {
        name: "all".into(),
        to: vec!["team".into()],
        ..Route::default()
    };
    let routing = Routing::from(vec![everything]);

    let asks = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicU32::new(0));
    for reader in 0..READERS {
        let (asks, asked, path) = (asks.clone(), asked.clone(), arguments.history.clone());
        thread::spawn(move || ask(&path, reader, &asks, &asked));
    }
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let mut number = 0;
    for turn in 0..2 * arguments.turns {
        let is_beside = turn % 2 == 1;
        asks.store(is_beside, Ordering::Relaxed);
        let speed = write(&history, &routing, target, &clock, arguments.turn, &mut number);
        if is_beside {
            beside.push(speed);
        } else {
            alone.push(speed);
        }
    }
    asks.store(false, Ordering::Relaxed);
    let (alone, beside) = (median(&mut alone), median(&mut beside));
    let seconds = arguments.turn.as_secs_f64() * f64::from(arguments.turns);
    println!("alone:          {alone:.0} sightings a second");
    println!(
        "beside readers: {beside:.0} sightings a second, with {:.1} answers a second",
        f64::from(asked.load(Ordering::Relaxed)) / seconds
    );
    println!("ratio:          {:.2}", beside / alone);
}

/// Records batches of new requests, which then end, for a while. Returns how many sightings a second.
fn write(
    history: &History,
    routing: &Routing,
    target: TargetId,
    clock: &Clock,
    turn: Duration,
    number: &mut u32,
) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "time itself is what is measured")]
    let begun = Instant::now();
    let mut sightings = 0_u32;
    while begun.elapsed() < turn {
        *number += 1;
        for status in [RequestStatus::InProgress, RequestStatus::Success] {
            let batch: Vec<Sighting> = (0..BATCH)
                .map(|request| {
                    let token = RequestToken::new(format!("measured-{}-{number}-{request}", std::process::id()));
                    let event = ProgressEvent {
                        status: Some(status.clone()),
                        event_time: Some(clock.now()),
                        type_name: Some("AWS::S3::Bucket".into()),
                        ..ProgressEvent::of(token.clone())
                    };
                    Sighting {
                        key: RequestKey { target, token },
                        seen_at: clock.now(),
                        source: Source::List,
                        seen: Seen::Event(Box::new(event), None),
                    }
                })
                .collect();
            history.write(|tx| tx.record(&batch, routing)).unwrap();
            sightings += BATCH;
        }
    }
    f64::from(sightings) / begun.elapsed().as_secs_f64()
}

fn ask(history: &Path, reader: usize, asks: &AtomicBool, asked: &AtomicU32) {
    let questions: [&[&str]; 4] = [
        &["requests"],
        &["requests", "--failed"],
        &["events"],
        &["hooks", "--failed"],
    ];
    for question in questions.iter().cycle().skip(reader) {
        #[expect(clippy::disallowed_methods, reason = "time itself is what is measured")]
        let begun = Instant::now();
        if asks.load(Ordering::Relaxed) {
            let status = Command::new(program())
                .args(*question)
                .arg("--history")
                .arg(history)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert!(status.success(), "{question:?}");
            asked.fetch_add(1, Ordering::Relaxed);
        }
        thread::park_timeout(ASK_EVERY.saturating_sub(begun.elapsed()));
    }
}

fn median(speeds: &mut [f64]) -> f64 {
    speeds.sort_unstable_by(f64::total_cmp);
    speeds[speeds.len() / 2]
}

/// The program that was built beside this example.
fn program() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    example.parent().unwrap().parent().unwrap().join("ccwatch")
}
