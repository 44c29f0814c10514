#![allow(clippy::print_stdout, reason = "a measurement prints")]
//! How long the steps take in which old requests are forgotten, on a given history: `cargo run --release --example
//! time-pruning -- --history FILE`. It removes what is older than `--retention-days`, in up to `--steps` steps, each of as
//! many rows as the daemon would take after the one before, and when the daemon would: once the disk is calm. With
//! `--whatever-the-disk` each is taken at once.
//!
//! In turns with them a single row is written to an SQLite file of its own beside it, and synced as each look's commit is: for
//! so long does whatever else writes hold the lock on that disk. Where forgetting waits for a commit of a look, one that says
//! nothing new is made in its stead, and timed as well.
//!
//! A step that has to share the processors with other programs takes longer, for which it can do nothing: what Linux tells of
//! that wait (`/proc/thread-self/schedstat`, its second number) is told apart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::decide::retention::{AIM, Calm, Stride, Turn};
use ccwatch::history::{History, Round};
use clap::Parser;
use rusqlite::Connection;

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    #[arg(long, default_value_t = 365)]
    retention_days: u64,
    #[arg(long, default_value_t = 500)]
    steps: usize,
    /// Ends after so long, however few steps the disk allowed.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = humantime::parse_duration)]
    longest: Duration,
    /// Takes each step however busy the disk is.
    #[arg(long)]
    whatever_the_disk: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let history = History::open(&arguments.history)?;
    let clock = Clock::system();
    let retention = Duration::from_hours(24 * arguments.retention_days);
    let mut stride = Stride::default();
    let mut round = Round::new(clock.now(), retention);
    let folder = arguments.history.parent().unwrap_or(Path::new("."));
    let row = Row::beside(folder)?;
    let look = Look::at(&arguments.history)?;
    let (mut held, mut one_row, mut folding, mut strides) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut beginning, mut page, mut reading, mut working) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut requests, mut rows) = (0, 0);
    let mut calm = Calm::default();
    while held.len() < arguments.steps && clock.uptime() < arguments.longest {
        history.find_old(&mut round)?;
        let synced_in = history.synced_in(clock.clone()).await?.unwrap_or_default();
        page.push(synced_in);
        if !arguments.whatever_the_disk
            && let Turn::Wait(pause) = calm.turn(synced_in, clock.uptime())
        {
            tokio::time::sleep(pause).await;
            continue;
        }
        let begun = clock.uptime();
        history.read_old(&round, stride.rows())?;
        reading.push(clock.uptime().saturating_sub(begun));
        let waited = waited_for_a_processor();
        let begun = clock.uptime();
        let pruned = history.forget_old(&mut round, stride.rows(), &clock)?;
        let took = clock.uptime().saturating_sub(begun);
        let waited = waited_for_a_processor().saturating_sub(waited);
        let Some(pruned) = pruned else {
            let begun = clock.uptime();
            look.write()?;
            beginning.push(clock.uptime().saturating_sub(begun));
            continue;
        };
        held.push(took);
        working.push(took.saturating_sub(waited));
        strides.push(stride.rows());
        stride = stride.after(pruned.rows, took, AIM);
        calm.stepped(took);
        let begun = clock.uptime();
        history.fold_beside()?;
        folding.push(clock.uptime().saturating_sub(begun));
        let begun = clock.uptime();
        row.write()?;
        one_row.push(clock.uptime().saturating_sub(begun));
        requests += pruned.requests;
        rows += pruned.rows;
        if pruned.is_done {
            break;
        }
        if !arguments.whatever_the_disk {
            tokio::time::sleep(Calm::PAUSE).await;
        }
    }
    let busy = page.iter().filter(|synced_in| **synced_in > Calm::QUICK).count();
    println!(
        "{requests} requests, {rows} rows removed in {} steps after {:.0?}",
        held.len(),
        clock.uptime()
    );
    println!("the disk was tried {} times, and busy {busy} times", page.len());
    println!("                   least, median, 99th, most");
    print("the lock was held", &mut held);
    print("without waiting  ", &mut working);
    print("a row that lasts ", &mut one_row);
    print("a page, to try it", &mut page);
    print("reading before it", &mut reading);
    print("a look's commit  ", &mut beginning);
    print("folding beside it", &mut folding);
    print("rows in a step   ", &mut strides);
    Ok(())
}

/// For how long this thread was to run, and other ones did. Nothing where that is not told.
fn waited_for_a_processor() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split_whitespace().nth(1).and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// A table of one row, in a file that is gone when this is.
struct Row {
    connection: Connection,
    _folder: tempfile::TempDir,
}

impl Row {
    fn beside(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir_in(folder)?;
        let connection = Connection::open(folder.path().join("row.db"))?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.execute_batch("CREATE TABLE counts (count INTEGER); INSERT INTO counts VALUES (0)")?;
        Ok(Self {
            connection,
            _folder: folder,
        })
    }

    fn write(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("UPDATE counts SET count = count + 1")
    }
}

/// Writes a page of the history, from outside.
struct Look(Connection);

impl Look {
    fn at(history: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(history)?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(Self(connection))
    }

    fn write(&self) -> rusqlite::Result<()> {
        let id: i32 = self.0.pragma_query_value(None, "application_id", |row| row.get(0))?;
        self.0.pragma_update(None, "application_id", id)
    }
}

fn print<T: Ord + std::fmt::Debug>(what: &str, all: &mut [T]) {
    all.sort_unstable();
    let at = |share: usize| all.get((all.len() * share / 100).min(all.len().saturating_sub(1)));
    if let (Some(least), Some(median), Some(high), Some(most)) = (at(0), at(50), at(99), at(100)) {
        println!("{what}: {least:.1?}, {median:.1?}, {high:.1?}, {most:.1?}");
    }
}
