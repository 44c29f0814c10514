//! Why nothing was found, as far as a filter's names tell: what they name is not in this history.

use super::Failure;
use crate::decide::route::Field;
use crate::history::{Filter, Reader, Unknown};
use crate::model::{nearest, printable};

/// Names that are listed at the most.
const LISTED: usize = 5;

/// To go after "no requests match in FILE": nothing, or what in `filter` names nothing, and what was probably meant.
pub(super) fn in_words(reader: &Reader, filter: &Filter) -> Result<String, Failure> {
    let unknown = reader.unknown(filter)?;
    let said: Vec<String> = unknown.iter().map(of_one).collect();
    if said.is_empty() {
        return Ok(String::new());
    }
    Ok(format!(": {}", said.join("; ")))
}

fn of_one(unknown: &Unknown) -> String {
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
}
