//! `ccwatch sql`

mod schema;
mod time_out;

use std::io::{self, BufWriter, Read, Write};
use std::time::Duration;

use anyhow::anyhow;

use super::output::{Answers, Format, Room};
use super::{Failure, filters, history_file};
use crate::history::{LONGEST_STATEMENT, SqlError, SqlReader, Wanted};
use time_out::TimeOut;

/// Ask the history in SQL; nothing is changed.
///
/// One statement that only reads, of the public views (`--schema` lists them) or of anything else in the file.
/// docs/history.md explains the views and answers twenty questions.
///
/// It can't write, attach another file, load an extension, or use more memory than --memory. It is stopped after
/// --timeout because the service can't tidy up its write-ahead log while someone reads one state of the history: the log
/// grows until the reader is done. A table is read to its end before it is shown, so to page through one holds up nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch sql --schema
  ccwatch sql 'SELECT status, count(*) FROM v_requests GROUP BY status'
  ccwatch sql --param id=my-bucket 'SELECT * FROM v_requests WHERE identifier = :id'
  ccwatch sql - --format jsonl < question.sql")]
pub(super) struct Arguments {
    /// The statement; `-` reads it from standard input.
    #[arg(value_name = "STATEMENT", required_unless_present = "schema")]
    statement: Option<String>,
    /// List the public views with their columns, and what they mean.
    #[arg(long, conflicts_with_all = ["statement", "parameters", "limit"])]
    schema: bool,
    #[command(flatten)]
    history: history_file::HistoryFile,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Give up after this time, such as 30s or 5m; 0 for never. It counts until the last row is read, so for formats other
    /// than a table also while someone is slow to take them.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = time_out::duration)]
    timeout: Duration,
    /// At most so many rows; 0 for all. A table has at most 10,000, and shows the first 4 KiB of a value.
    #[arg(long, value_name = "COUNT", default_value_t = 0, allow_negative_numbers = true, value_parser = filters::count)]
    limit: usize,
    /// A value for a parameter of the statement, as in `WHERE type_name = :type`. May be given several times.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// The most memory that the statement may use, in MiB. Nothing goes to temporary files: a sort must fit in here.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = mebibytes)]
    memory: u64,
}

fn mebibytes(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number| (16..=65_536).contains(number))
        .ok_or_else(|| "expected a number of MiB from 16 to 65536".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.schema {
        return schema::print(arguments.format);
    }
    let statement = match arguments.statement.as_deref() {
        Some("-") => from_stdin()?,
        statement => statement.unwrap_or_default().to_owned(),
    };
    let reader = SqlReader::open(&arguments.history.path()?, arguments.memory * 1024 * 1024)?;
    let time_out = TimeOut::after(arguments.timeout, reader.stopper());
    answer(arguments, &reader, &statement, time_out)
}

fn answer(arguments: &Arguments, reader: &SqlReader, statement: &str, time_out: TimeOut) -> Result<(), Failure> {
    let told = |error| told(error, arguments);
    let mut answer = reader.ask(statement, &arguments.parameters).map_err(told)?;
    let out = BufWriter::new(io::stdout().lock());
    let mut answers = Answers::begin(out, answer.columns(), arguments.format)?;
    let (mut taken, mut is_cut) = (0, false);
    let outcome = answer.each_row(|values| {
        if answers.row(values)? == Room::Full {
            is_cut = true;
            return Ok(Wanted::NoMore);
        }
        taken += 1;
        let enough = taken == arguments.limit;
        Ok::<_, Failure>(if enough { Wanted::NoMore } else { Wanted::More })
    });
    outcome.map_err(told)??;
    // The statement is over, and with it what it held up.
    drop(answer);
    let ending = answers.end()?;
    // The work is, too: whoever reads the rest may take their time.
    time_out.over();
    ending.write()?;
    if is_cut {
        writeln!(
            io::stderr(),
            "there are more rows than a table takes: ask for fewer, or use --format jsonl or csv"
        )?;
    }
    Ok(())
}

fn told(error: SqlError, arguments: &Arguments) -> Failure {
    match error {
        SqlError::Statement { .. } => Failure::Arguments(error.to_string()),
        SqlError::Stopped => time_out::failure(arguments.timeout),
        SqlError::Memory { .. } => Failure::Work(anyhow!("{error} by --memory (in MiB)")),
        SqlError::Running(_) | SqlError::LongValue => Failure::Work(error.into()),
        SqlError::History(error) => error.into(),
    }
}

fn from_stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    // One more than is taken, so that a statement that is too long is refused and not cut.
    let most = LONGEST_STATEMENT as u64 + 1;
    io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| Failure::Arguments("the statement on standard input is not UTF-8".to_owned()))
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let name = name.trim_start_matches([':', '@', '$']);
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("expected a name and a value, such as type=AWS::S3::Bucket".to_owned()),
    }
}
