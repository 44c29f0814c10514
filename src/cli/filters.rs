//! Filters that mean the same wherever they are given.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

use super::Failure;
use super::when::{self, Moment};
use crate::decide::route::{Field, Patterns};
use crate::history::Filter;
use crate::model::{Timestamp, nearest};

/// Of which targets, and when.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct PlaceAndTime {
    /// Only of targets that match, by the entry's name or as `entry/region`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    target: Vec<String>,
    /// Only of Regions that match, such as `eu-*`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    region: Vec<String>,
    /// Only from then on: how long ago, such as 2d or 1h 30m, or a time, such as 2026-11-22T06:28:00Z or
    /// 2026-11-22; without a zone, local time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = when::moment)]
    since: Option<Moment>,
    /// Only before then, given as for --since.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = when::moment)]
    until: Option<Moment>,
}

/// Which requests, hooks or changes.
///
/// Where a pattern is expected, `*` stands for any characters, `!` in front excludes, and several may be given with commas
/// between, or by giving the option again.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Filters {
    #[command(flatten)]
    place_and_time: PlaceAndTime,
    /// Only with a status that matches, such as CANCEL_COMPLETE or HOOK_COMPLETE_FAILED.
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        value_parser = Pattern(Field::Status),
        hide_possible_values = true
    )]
    status: Vec<String>,
    /// Only of resource types that match, such as 'AWS::RDS::*'.
    #[arg(long = "type", value_name = "PATTERN", value_delimiter = ',')]
    type_name: Vec<String>,
    /// Only of requests to CREATE, UPDATE or DELETE.
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        value_parser = Pattern(Field::Operation),
        hide_possible_values = true
    )]
    operation: Vec<String>,
    /// Only of requests that ended with an error code that matches, such as Throttling.
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        value_parser = Pattern(Field::ErrorCode),
        hide_possible_values = true
    )]
    error: Vec<String>,
    /// Only of hooks that match, such as 'Acme::Guard::*'; requests that such a hook guarded.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    hook: Vec<String>,
    /// Only of requests on resources that match. Commas are part of the identifier.
    #[arg(long, value_name = "PATTERN")]
    identifier: Vec<String>,
    /// Only of requests that have not ended.
    #[arg(long)]
    open: bool,
    /// Only failures: FAILED, HOOK_COMPLETE_FAILED, HOOK_FAILED.
    #[arg(long)]
    failed: bool,
}

/// Takes any pattern, and tells a shell the words that it may be.
#[derive(Debug, Clone)]
struct Pattern(Field);

impl TypedValueParser for Pattern {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.words().into_iter().map(PossibleValue::new)))
    }
}

/// How many.
#[derive(Debug, clap::Args)]
pub(super) struct Limit {
    /// At most so many, the newest; 0 for all.
    #[arg(long = "limit", value_name = "COUNT", default_value_t = 50, allow_negative_numbers = true, value_parser = count)]
    count: usize,
}

/// Reads how many, for clap.
pub(super) fn count(text: &str) -> Result<usize, String> {
    let expected = "expected how many at most, such as 50, or 0 for all";
    text.parse().map_err(|_| expected.to_owned())
}

impl Limit {
    pub(super) fn rows(&self) -> Option<usize> {
        (self.count > 0).then_some(self.count)
    }
}

impl PlaceAndTime {
    pub(super) fn filter(&self, now: Timestamp) -> Result<Filter, Failure> {
        let since = self.since.map(|since| since.from(now));
        let until = self.until.map(|until| until.from(now));
        if let (Some(since), Some(until)) = (since, until) {
            when::span(since, until)?;
        }
        Ok(Filter {
            target: patterns("--target", Field::Target, &self.target)?,
            region: patterns("--region", Field::Region, &self.region)?,
            since,
            until,
            ..Filter::default()
        })
    }
}

impl Filters {
    pub(super) fn filter(&self, now: Timestamp) -> Result<Filter, Failure> {
        Ok(Filter {
            status: patterns("--status", Field::Status, &self.status)?,
            type_name: patterns("--type", Field::TypeName, &self.type_name)?,
            operation: patterns("--operation", Field::Operation, &self.operation)?,
            error_code: patterns("--error", Field::ErrorCode, &self.error)?,
            hook_type_name: patterns("--hook", Field::HookTypeName, &self.hook)?,
            identifier: patterns("--identifier", Field::Identifier, &self.identifier)?,
            open: self.open,
            failed: self.failed,
            ..self.place_and_time.filter(now)?
        })
    }

    /// What was asked for but for the time, as it was given.
    pub(super) fn in_words(&self) -> Vec<String> {
        let given = [
            ("target", &self.place_and_time.target),
            ("region", &self.place_and_time.region),
            ("status", &self.status),
            ("type", &self.type_name),
            ("operation", &self.operation),
            ("error", &self.error),
            ("hook", &self.hook),
            ("identifier", &self.identifier),
        ];
        let patterns = given.into_iter().filter(|(_, patterns)| !patterns.is_empty());
        let patterns = patterns.map(|(option, patterns)| format!("{option} {}", patterns.join(", ")));
        let open = self.open.then(|| "open".to_owned());
        let failed = self.failed.then(|| "failed".to_owned());
        patterns.chain(open).chain(failed).collect()
    }
}

/// The patterns of an option, unless one of them can match nothing that there will ever be: silence would look like an answer.
fn patterns(option: &str, field: Field, given: &[String]) -> Result<Option<Patterns>, Failure> {
    if given.is_empty() {
        return Ok(None);
    }
    let words = field.words();
    let mut read = Vec::with_capacity(given.len());
    for pattern in given {
        let (sign, name) = pattern
            .strip_prefix('!')
            .map_or(("", pattern.as_str()), |name| ("!", name));
        if name.is_empty() {
            return Err(Failure::Arguments(format!(
                "{option}: an empty pattern matches nothing"
            )));
        }
        let word = words.iter().find(|word| word.eq_ignore_ascii_case(name));
        let name = word.copied().unwrap_or(name);
        if !field.can_match(name) {
            return Err(Failure::Arguments(format!(
                "{option}: {}",
                refusal(field, name, &words)
            )));
        }
        read.push(format!("{sign}{name}"));
    }
    Ok(Some(Patterns::new(read.iter().map(String::as_str))))
}

fn refusal(field: Field, name: &str, words: &[&str]) -> String {
    let name = crate::model::printable(name);
    if words.is_empty() {
        let (what, whole, pattern) = match field {
            Field::HookTypeName => ("hook", "Acme::Guard::Encryption", "Acme::Guard::*"),
            _ => ("type", "AWS::S3::Bucket", "AWS::S3::*"),
        };
        return format!(
            "no {what} is named `{name}`: expected a whole name, such as {whole}, or a pattern, such as '{pattern}'"
        );
    }
    let meant = nearest(&name, words.iter().copied());
    let meant = meant.map_or_else(
        || format!("expected one of {}, or a pattern", words.join(", ")),
        |word| format!("did you mean {word}?"),
    );
    format!("nothing has the {} `{name}`; {meant}", field.key().replace('_', " "))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        filters: Filters,
        #[command(flatten)]
        limit: Limit,
    }

    fn read(arguments: &[&str]) -> Result<Filter, String> {
        let line = Line::try_parse_from([&["x"], arguments].concat()).map_err(|error| error.to_string())?;
        let filter = line.filters.filter(Timestamp::from_millis(1_795_328_880_000));
        filter.map_err(|failure| failure.to_string())
    }

    #[test]
    fn patterns_come_with_commas_or_one_by_one_and_words_in_any_case() {
        let filter = read(&[
            "--status",
            "failed,!Cancel_Complete",
            "--type",
            "AWS::S3::*",
            "--type",
            "!AWS::S3::Bucket",
        ]);
        let filter = filter.unwrap();
        assert_eq!(filter.status, Some(Patterns::new(["FAILED", "!CANCEL_COMPLETE"])));
        assert_eq!(
            filter.type_name,
            Some(Patterns::new(["AWS::S3::*", "!AWS::S3::Bucket"]))
        );
        let filter = read(&["--identifier", "a,b|c", "--error", "throttling", "--since", "2d"]).unwrap();
        assert_eq!(filter.identifier, Some(Patterns::new(["a,b|c"])));
        assert_eq!(filter.error_code, Some(Patterns::new(["Throttling"])));
        assert_eq!(filter.since.unwrap().to_string(), "2026-11-20T06:28:00.000Z");
        assert!(read(&[]).unwrap().status.is_none());
    }

    #[test]
    fn what_can_match_nothing_is_refused_with_what_was_meant() {
        for (arguments, said) in [
            (
                ["--status", "FAILD"],
                "--status: nothing has the status `FAILD`; did you mean FAILED?",
            ),
            (
                ["--operation", "x"],
                "--operation: nothing has the operation `x`; expected one of CREATE",
            ),
            (["--error", "Throtling"], "did you mean Throttling?"),
            (["--type", "S3"], "--type: no type is named `S3`: expected a whole name"),
            (
                ["--hook", "Acme"],
                "--hook: no hook is named `Acme`: expected a whole name, such as Acme::",
            ),
            (["--status", "\u{1b}[2J"], "`\u{fffd}[2J`"),
            (["--target", ""], "--target: an empty pattern"),
            (["--since", "yesterday"], "expected how long ago"),
        ] {
            let refused = read(&arguments).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        assert!(
            read(&["--since", "1d", "--until", "2d"])
                .unwrap_err()
                .contains("is not before")
        );
        assert!(read(&["--status", "WORD_OF_*"]).is_ok(), "AWS may have new words");
    }
}
