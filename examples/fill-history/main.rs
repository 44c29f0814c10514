#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a tool for measurements: what fails should fail loudly"
)]
//! Fills a history with requests as two years of watching would have left them: `cargo run --release --example
//! fill-history -- --requests 1000000 --history FILE`.
//!
//! About ten events a request, hooks for every other one, in eight targets; what ended was told. The youngest requests are
//! still open. The same arguments make the same rows; without `--until` the two years end now, so that the open requests
//! are ones that the service would still know.
//!
//! The schema is the library's own, and so is what each row says: sightings go through [`diff`], as in a real day. Only
//! the writing is not: one transaction without a journal, which a crash would leave as a broken file.

mod course;
mod rows;

use std::path::PathBuf;
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::decide::diff::{Baseline, diff};
use ccwatch::history::History;
use ccwatch::model::{AccountId, Region, TargetId, TargetName, Timestamp};
use clap::Parser;
use course::Course;
use rows::Rows;

/// Over which the requests are spread.
const SPAN: Duration = Duration::from_hours(2 * 365 * 24);

#[derive(Parser)]
struct Arguments {
    /// The file to make. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    #[arg(long, default_value_t = 1_000_000)]
    requests: u32,
    /// How many of them are still open.
    #[arg(long, default_value_t = 3000)]
    open: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the two years end, in milliseconds since 1970. Now, if not given.
    #[arg(long, value_name = "MILLISECONDS")]
    until: Option<i64>,
}

fn main() {
    let arguments = Arguments::parse();
    assert!(
        !arguments.history.exists(),
        "{} is there already",
        arguments.history.display()
    );
    let until = arguments
        .until
        .map_or_else(|| Clock::system().now(), Timestamp::from_millis);
    let began = until.minus(SPAN);
    let targets = register(&arguments.history, began, until);

    let clock = Clock::system();
    let mut random = fastrand::Rng::with_seed(arguments.seed);
    let mut rows = Rows::new(&arguments.history);
    for number in 0..arguments.requests {
        let is_open = number + arguments.open >= arguments.requests;
        let share = f64::from(number) / f64::from(arguments.requests);
        let start = if is_open {
            until.minus(Duration::from_secs(random.u64(60..1800)))
        } else {
            began.plus(SPAN.mul_f64(share))
        };
        let target = targets[random.usize(..targets.len())];
        let course = Course::new(target, start, is_open, &mut random);
        let mut request = rows.request();
        let mut state = None;
        for sighting in course.sightings() {
            if let Some(difference) = diff(state.as_ref(), &sighting, Baseline::Complete(began)) {
                request.differed(&sighting, &difference);
                state = Some(difference.state);
            }
        }
        request.ended(&course.key, &state.unwrap());
        if (number + 1).is_multiple_of(100_000) {
            eprintln!("{} requests after {:.0?}", number + 1, clock.uptime());
        }
    }
    rows.finish();
    eprintln!("done after {:.0?}", clock.uptime());
}

/// Two accounts in four Regions.
fn register(path: &std::path::Path, began: Timestamp, until: Timestamp) -> Vec<TargetId> {
    let history = History::open(path).unwrap();
    let mut targets = Vec::new();
    for (entry, account) in [("prod", "111122223333"), ("play", "444455556666")] {
        for region in ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"] {
            let (account, region) = (AccountId(account.into()), Region(region.into()));
            let registered = history.write(|tx| {
                let name = TargetName::new(entry, &region);
                let id = tx.register_target(&name, Some(&account), &region, began)?.target.id;
                tx.begin_baseline(id, began)?;
                tx.complete_baseline(id, began)?;
                tx.looked(&[(id, until)])?;
                Ok(id)
            });
            targets.push(registered.unwrap());
        }
    }
    targets
}
