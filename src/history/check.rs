//! Whether a history is well: the file as SQLite sees it, and the laws as ccwatch sees them.
//!
//! - **Nothing is changed**, and a daemon may write meanwhile: each question sees one state of the file. While one is
//!   asked, the WAL is not folded past that state.
//! - **Damage is an answer**, not a failure: a question that a damaged file can't answer is one that is broken.
//! - **No false alarms**: what the laws ask holds after every crash, under any clock, half-way through forgetting and after
//!   an import. *(`check_tests`, `laws_tests`, `tests/end_to_end`)*

mod laws;

use rusqlite::Connection;
use serde::Serialize;

use super::{Failure, Reader};
use laws::{LAWS, Law};

/// How many examples are shown of what breaks a law.
const SHOWN: usize = 5;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A short name that stays.
    pub law: &'static str,
    /// What holds in a history that is well.
    pub meaning: &'static str,
    /// How many break it. Of what SQLite itself finds, a hundred at the most.
    pub broken: usize,
    /// Up to five of them: requests by target and token, or what else there is to know them by. Text from the wire.
    pub examples: Vec<String>,
    /// Why it could not be asked.
    pub error: Option<String>,
}

impl Finding {
    pub fn is_well(&self) -> bool {
        self.broken == 0 && self.error.is_none()
    }
}

const INTEGRITY: Law = Law {
    name: "integrity",
    meaning: "the file is as SQLite wrote it, indexes and constraints included",
    broken: "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
};

const QUICK: Law = Law {
    name: "integrity",
    meaning: "the file is as SQLite wrote it, as far as can be seen without its indexes",
    broken: "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'",
};

const REFERENCES: Law = Law {
    name: "references",
    meaning: "nothing refers to a row that is not there",
    broken: "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' refers to ' || parent FROM pragma_foreign_key_check",
};

impl Reader {
    /// Asks everything, one question after another; `next` is told of each before it is asked. With `quick`, indexes are not
    /// compared with their tables, which takes most of the time.
    pub fn check(&self, quick: bool, mut next: impl FnMut(&'static str)) -> Vec<Finding> {
        let file = if quick { QUICK } else { INTEGRITY };
        [file, REFERENCES]
            .iter()
            .chain(&LAWS)
            .map(|law| {
                next(law.name);
                self.ask(law)
            })
            .collect()
    }

    fn ask(&self, law: &Law) -> Finding {
        let mut finding = Finding {
            law: law.name,
            meaning: law.meaning,
            broken: 0,
            examples: Vec::new(),
            error: None,
        };
        let asked = self.read(|connection| broken_by(connection, law, &mut finding));
        finding.error = asked.err().map(|error| error.failure.to_string());
        finding
    }
}

fn broken_by(connection: &Connection, law: &Law, finding: &mut Finding) -> Result<(), Failure> {
    let mut statement = connection.prepare(law.broken)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        finding.broken += 1;
        if finding.examples.len() < SHOWN {
            // What a damaged file holds need not be text.
            let example = row.get_ref(0)?.as_bytes_or_null().ok().flatten().unwrap_or_default();
            finding.examples.push(String::from_utf8_lossy(example).into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
