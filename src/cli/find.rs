//! A request, by the beginning of its token.

use anyhow::anyhow;

use super::Failure;
use crate::history::Reader;
use crate::model::{RequestToken, TargetName, printable};

/// The requests whose token begins so.
pub(super) enum Found {
    None,
    One(TargetName, RequestToken),
    /// Some of them.
    Several(Vec<(TargetName, RequestToken)>),
}

/// Candidates that an ambiguous beginning is answered with.
const SHOWN: usize = 5;

/// Looks for the requests whose token begins with `prefix`, in all targets, or in those of this name or entry.
pub(super) fn requests(reader: &Reader, prefix: &str, target: Option<&str>) -> Result<Found, Failure> {
    if prefix.is_empty() {
        let text = "an empty text is no request's token: give enough of its beginning".to_owned();
        return Err(Failure::Arguments(text));
    }
    let found = reader.find_tokens(prefix, target, SHOWN + 1)?;
    // A whole token may be the beginning of another one.
    let mut exact = found.iter().filter(|(_, token)| token.as_str() == prefix);
    let only = match (exact.next(), exact.next(), found.as_slice()) {
        (Some(only), None, _) | (None, _, [only]) => only.clone(),
        (None, _, []) => return Ok(Found::None),
        _ => return Ok(Found::Several(found)),
    };
    Ok(Found::One(only.0, only.1))
}

/// The one request whose token begins with `prefix`.
pub(super) fn one(reader: &Reader, prefix: &str, target: Option<&str>) -> Result<(TargetName, RequestToken), Failure> {
    match requests(reader, prefix, target)? {
        Found::One(target, token) => Ok((target, token)),
        Found::None => Err(Failure::Work(anyhow!(
            "no request in {} has a token that begins with `{}`",
            reader.path().display(),
            printable(prefix)
        ))),
        Found::Several(several) => Err(ambiguous(prefix, &several)),
    }
}

/// What is to be said of a beginning that several tokens share.
pub(super) fn ambiguous(prefix: &str, several: &[(TargetName, RequestToken)]) -> Failure {
    let listed: Vec<String> = several
        .iter()
        .take(SHOWN)
        .map(|(target, token)| format!("  {}  ({})", printable(token.as_str()), printable(target.as_str())))
        .collect();
    let more = if several.len() > SHOWN { "\n  …" } else { "" };
    Failure::Work(anyhow!(
        "`{}` begins several tokens; give more of it, or --target:\n{}{more}",
        printable(prefix),
        listed.join("\n")
    ))
}
