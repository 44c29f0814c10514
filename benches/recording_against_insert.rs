#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should fail loudly, and prints"
)]
//! How fast recording is, against bare statements that leave the same rows.
//!
//! Two histories lie side by side on one disk. One records batches of a hundred sightings, which reads what is known of
//! each request, compares, routes, and writes. Into the other, over a connection that is set up as the history's own,
//! prepared statements write the rows that the first one came to, in as many transactions, without asking anything: an
//! INSERT for each new row, an UPDATE by its id for each request that was known. What is needed to know those rows is not
//! on its clock. The two take turns, so that a busy disk or machine slows both; in the end their rows are compared.
//!
//! The sync to the disk is most of the time of both, and the slower the disk the nearer to 1 is their ratio. So it is
//! given for the tenth quickest batches as well, where the disk hid least.
//!
//! The batch that fills the WAL pays for its checkpoint, and whose that is may stay the same for a whole run: it can slow
//! one line and not the other. The last line has them all.
//!
//! Not by divan, which measures one thing after the other.

#[path = "batches/mod.rs"]
mod batches;

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use batches::{BATCH, Scene, Stage};
use ccwatch::history::History;
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};

const ROUNDS: usize = 300;
/// Not counted: the first batches grow the files.
const WARM_UP: usize = 20;

/// The tables that the batches write to. Each begins with an id that only grows.
const TABLES: [&str; 4] = ["requests", "progress_events", "changes", "deliveries"];

fn main() {
    let scene = Scene::new();
    let path = scene.history.path().with_file_name("bare.db");
    drop(History::open(&path).unwrap());
    let mut bare = Bare::new(&path, &scene);
    let [mut new, mut ended, mut again] = [const { Figures::of(BATCH) }; 3];
    let mut all = Figures::of(3 * BATCH);
    for round in 0..ROUNDS {
        let second = i64::try_from(round).unwrap() * 100;
        let steps = [
            (&mut new, second, Stage::Running),
            (&mut again, second + 10, Stage::Running),
            (&mut ended, second + 20, Stage::Ended),
        ];
        let mut total = (Duration::ZERO, Duration::ZERO);
        for (figures, second, stage) in steps {
            let batch = scene.batch(round, second, stage);
            let recorded = timed(|| scene.record(&batch));
            let bare = bare.follow();
            total = (total.0 + recorded, total.1 + bare);
            if round >= WARM_UP {
                figures.push(recorded, bare);
            }
        }
        if round >= WARM_UP {
            all.push(total.0, total.1);
        }
    }
    bare.compare();
    println!(
        "Sightings a second in batches of {BATCH}: median of {} batches (the tenth slowest … the tenth quickest)\n",
        ROUNDS - WARM_UP
    );
    println!(
        "{:<36}{:>26}{:>26}{:>8}{:>10}",
        "", "recorded", "bare statements", "ratio", "quickest"
    );
    println!("{}", new.line("new requests"));
    println!("{}", ended.line("known requests that ended"));
    println!("{}", again.line("open requests seen again unchanged"));
    println!("{}", all.line("all three in a row"));
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "time itself is what is measured")]
    let begun = Instant::now();
    std::hint::black_box(work());
    begun.elapsed()
}

/// The history that is written without asking.
struct Bare {
    connection: Connection,
    /// Reads what the other history came to.
    recorded: Connection,
    /// The highest id of each table so far.
    highest: [i64; TABLES.len()],
}

impl Bare {
    fn new(path: &Path, scene: &Scene) -> Self {
        let connection = Connection::open(path).unwrap();
        // As the history sets up its own.
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA foreign_keys = on;
                 PRAGMA secure_delete = on; PRAGMA journal_size_limit = 67108864",
            )
            .unwrap();
        connection.set_prepared_statement_cache_capacity(64);
        let recorded = Connection::open(scene.history.path()).unwrap();
        for row in rows(&recorded, "SELECT * FROM targets") {
            Statement::insert("targets", row).execute(&connection);
        }
        Self {
            connection,
            recorded,
            highest: [0; TABLES.len()],
        }
    }

    /// Writes what the other history wrote last. Returns how long that took, finding it out not counted.
    fn follow(&mut self) -> Duration {
        let newest = format!(
            "SELECT * FROM requests WHERE id <= {} ORDER BY id DESC LIMIT {BATCH}",
            self.highest[0]
        );
        let before = rows(&self.connection, &newest);
        let after = rows(&self.recorded, &newest);
        let mut statements: Vec<_> = before
            .iter()
            .zip(&after)
            .filter_map(|(before, after)| Statement::update(before, after))
            .collect();
        for (table, highest) in TABLES.iter().zip(&mut self.highest) {
            for row in rows(
                &self.recorded,
                &format!("SELECT * FROM {table} WHERE id > {highest} ORDER BY id"),
            ) {
                let Value::Integer(id) = row[0].1 else {
                    unreachable!("an id is a number")
                };
                *highest = id;
                statements.push(Statement::insert(table, row));
            }
        }
        timed(|| {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .unwrap();
            for statement in &statements {
                statement.execute(&transaction);
            }
            transaction.commit().unwrap();
        })
    }

    fn compare(&self) {
        for table in TABLES {
            let all = format!("SELECT * FROM {table} ORDER BY id");
            assert!(
                rows(&self.connection, &all) == rows(&self.recorded, &all),
                "{table} differs"
            );
        }
    }
}

/// Columns with their values.
type Row = Vec<(String, Value)>;

fn rows(connection: &Connection, sql: &str) -> Vec<Row> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = |row: &rusqlite::Row<'_>| {
        columns
            .iter()
            .map(|name| Ok((name.clone(), row.get(name.as_str())?)))
            .collect()
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// A statement that is ready to be executed but for its preparation, which is cached.
struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    fn insert(table: &str, row: Row) -> Self {
        let (columns, values): (Vec<String>, Vec<Value>) = row.into_iter().unzip();
        let places = vec!["?"; values.len()].join(", ");
        Self {
            sql: format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", ")),
            values,
        }
    }

    /// Of the columns that differ, the id excepted, which comes first.
    fn update(before: &Row, after: &Row) -> Option<Self> {
        let differ = before.iter().zip(after).filter(|(before, after)| before != after);
        let (columns, mut values): (Vec<String>, Vec<Value>) = differ
            .map(|(_, (column, value))| (format!("{column} = ?"), value.clone()))
            .unzip();
        values.push(after[0].1.clone());
        (!columns.is_empty()).then(|| Self {
            sql: format!("UPDATE requests SET {} WHERE id = ?", columns.join(", ")),
            values,
        })
    }

    fn execute(&self, connection: &Connection) {
        let mut statement = connection.prepare_cached(&self.sql).unwrap();
        statement.execute(params_from_iter(&self.values)).unwrap();
    }
}

/// The times of the batches of one kind.
struct Figures {
    sightings: usize,
    recorded: Vec<Duration>,
    bare: Vec<Duration>,
}

impl Figures {
    const fn of(sightings: usize) -> Self {
        Self {
            sightings,
            recorded: Vec::new(),
            bare: Vec::new(),
        }
    }

    fn push(&mut self, recorded: Duration, bare: Duration) {
        self.recorded.push(recorded);
        self.bare.push(bare);
    }

    fn line(mut self, name: &str) -> String {
        let (recorded, bare) = (
            Spread::of(&mut self.recorded, self.sightings),
            Spread::of(&mut self.bare, self.sightings),
        );
        let ratio = |of: fn(&Spread) -> Duration| of(&bare).as_secs_f64() / of(&recorded).as_secs_f64();
        let (ratio, quick_ratio) = (ratio(|spread| spread.median), ratio(|spread| spread.quick));
        format!("{name:<36}{recorded:>26}{bare:>26}{ratio:>8.2}{quick_ratio:>10.2}")
    }
}

struct Spread {
    sightings: usize,
    quick: Duration,
    median: Duration,
    slow: Duration,
}

impl Spread {
    fn of(times: &mut [Duration], sightings: usize) -> Self {
        times.sort_unstable();
        let at = |share: usize| times[times.len() * share / 10];
        Self {
            sightings,
            quick: at(1),
            median: at(5),
            slow: at(9),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = |time: Duration| self.sightings as u128 * 1_000_000_000 / time.as_nanos();
        f.pad(&format!(
            "{} ({}…{})",
            second(self.median),
            second(self.slow),
            second(self.quick)
        ))
    }
}
