//! Why nothing was found, as far as a filter's names tell: what they name is not in this history, or is the status of
//! something else.

use std::io::{self, Write};

use super::Failure;
use crate::decide::route::Field;
use crate::history::{Filter, Reader, Unknown, View};
use crate::model::{HookStatus, RequestStatus, nearest, printable};

/// Names that are listed at the most.
const LISTED: usize = 5;

/// To go after "no requests match in FILE": nothing, or what in `filter` names nothing, and what was probably meant.
pub(super) fn in_words(reader: &Reader, view: View, filter: &Filter) -> Result<String, Failure> {
    let unknown = reader.unknown(view, filter)?;
    let said: Vec<String> = unknown.iter().map(of_one).collect();
    if said.is_empty() {
        return Ok(String::new());
    }
    Ok(format!(": {}", said.join("; ")))
}

/// Says it where nothing else is said of having found nothing, after `none`, such as "no requests match"; if there is anything
/// to say.
pub(super) fn say(none: &str, reader: &Reader, view: View, filter: &Filter) -> Result<(), Failure> {
    let why = in_words(reader, view, filter)?;
    if why.is_empty() {
        return Ok(());
    }
    Ok(say_none(none, reader, &why)?)
}

/// Says that nothing was found in a history, and why if that is known. A path may hold anything.
pub(super) fn say_none(none: &str, reader: &Reader, why: &str) -> io::Result<()> {
    let path = reader.path().to_string_lossy();
    writeln!(io::stderr(), "{none} in {}{why}", printable(&path))
}

fn of_one(unknown: &Unknown) -> String {
    if unknown.field == Field::Status {
        return of_a_status(unknown);
    }
    let noun = match unknown.field {
        Field::TypeName => "type",
        Field::ErrorCode => "error code",
        Field::HookTypeName => "hook",
        Field::Region => "Region",
        field => field.key(),
    };
    let known = unknown.known.iter().map(String::as_str);
    let (first, left) = (known.clone().take(LISTED), unknown.known.len().saturating_sub(LISTED));
    let listed = first.collect::<Vec<_>>().join(", ");
    let hint = match (nearest(&unknown.name, known), unknown.known.len()) {
        (Some(meant), _) => format!(" (did you mean {meant}?)"),
        (None, 0) => String::new(),
        (None, 1) => format!(" (there is {listed})"),
        (None, _) if left > 0 => format!(" (there are {listed} and {left} more)"),
        (None, _) => format!(" (there are {listed})"),
    };
    let said = format!("no {noun} here is called {}{hint}", unknown.name);
    printable(&said).into_owned()
}

/// Statuses are words of the service's, each of which only a request or only a hook can have.
fn of_a_status(unknown: &Unknown) -> String {
    let name = unknown.name.as_str();
    let (whose, other) = if RequestStatus::KNOWN.contains(&name) {
        ("a request's", "a hook")
    } else {
        ("a hook's", "a request")
    };
    let is_failure =
        |word: &str| RequestStatus::from(word) == RequestStatus::Failed || HookStatus::from(word).is_failure();
    let known = unknown.known.iter().map(String::as_str);
    let meant: Vec<&str> = known.filter(|word| !is_failure(name) || is_failure(word)).collect();
    let listed = match meant.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        only => only.concat(),
    };
    let all = if is_failure(name) {
        " (--failed means them all)"
    } else {
        ""
    };
    format!("{name} is {whose} status; {other} has {listed}{all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_said_or_what_there_is() {
        let said = |field, name: &str, known: &[&str]| {
            of_one(&Unknown {
                field,
                name: name.to_owned(),
                known: known.iter().map(|known| (*known).to_owned()).collect(),
            })
        };
        assert_eq!(
            said(
                Field::TypeName,
                "aws::s3::bucket",
                &["AWS::S3::Bucket", "AWS::SNS::Topic"]
            ),
            "no type here is called aws::s3::bucket (did you mean AWS::S3::Bucket?)"
        );
        assert_eq!(
            said(Field::Target, "prod", &["demo"]),
            "no target here is called prod (there is demo)"
        );
        assert_eq!(said(Field::Region, "x", &[]), "no Region here is called x");
        assert_eq!(
            said(
                Field::HookTypeName,
                "\u{1b}[2J",
                &["one", "two", "three", "four", "five", "six", "seven"]
            ),
            "no hook here is called \u{fffd}[2J (there are one, two, three, four, five and 2 more)"
        );
    }

    #[test]
    fn whose_status_it_is_is_said_and_what_was_probably_meant() {
        let said = |name: &str, known: &[&str]| {
            of_one(&Unknown {
                field: Field::Status,
                name: name.to_owned(),
                known: known.iter().map(|known| (*known).to_owned()).collect(),
            })
        };
        assert_eq!(
            said("FAILED", HookStatus::KNOWN),
            "FAILED is a request's status; a hook has HOOK_COMPLETE_FAILED or HOOK_FAILED (--failed means them all)"
        );
        assert_eq!(
            said("HOOK_FAILED", RequestStatus::KNOWN),
            "HOOK_FAILED is a hook's status; a request has FAILED (--failed means them all)"
        );
        assert_eq!(
            said("SUCCESS", HookStatus::KNOWN),
            "SUCCESS is a request's status; a hook has HOOK_PENDING, HOOK_IN_PROGRESS, HOOK_COMPLETE_SUCCEEDED, \
             HOOK_COMPLETE_FAILED or HOOK_FAILED"
        );
    }
}
