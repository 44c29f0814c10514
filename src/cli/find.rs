//! A request, by the beginning of its token.

use anyhow::anyhow;

use super::Failure;
use crate::history::Reader;
use crate::model::{RequestToken, TargetName, printable};

/// The requests whose token begins so.
pub(super) enum Found {
    None,
    /// None in the target that was named; some in others.
    Elsewhere(Vec<(TargetName, RequestToken)>),
    One(TargetName, RequestToken),
    /// Some of them.
    Several(Vec<(TargetName, RequestToken)>),
}

/// As long as a UUID, which AWS's tokens are: what is shorter is the beginning of one, or a slip.
const WHOLE: usize = 36;

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
        (None, _, []) => {
            let elsewhere = match target {
                Some(_) => reader.find_tokens(prefix, None, SHOWN + 1)?,
                None => Vec::new(),
            };
            return Ok(if elsewhere.is_empty() {
                Found::None
            } else {
                Found::Elsewhere(elsewhere)
            });
        }
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
            printable(&reader.path().to_string_lossy()),
            printable(prefix)
        ))),
        Found::Elsewhere(elsewhere) => Err(of_others(&elsewhere, target)),
        Found::Several(several) => Err(ambiguous(prefix, &several)),
    }
}

/// Whether it may be a whole token, by which Cloud Control can be asked for a request that the history does not know.
pub(super) fn is_whole(token: &str) -> bool {
    token.len() >= WHOLE
}

/// What is to be said of a token that no request in the history has.
pub(super) fn unknown(prefix: &str) -> String {
    format!(
        "no request in the history has a token that begins with `{}`",
        printable(prefix)
    )
}

/// The failure where that can't be a whole token.
pub(super) fn not_whole(prefix: &str) -> Failure {
    Failure::Work(anyhow!(
        "{}; Cloud Control could be asked for it by its whole token",
        unknown(prefix)
    ))
}

/// The failure to find a way to Cloud Control, which is asked because the history does not know the request.
pub(super) fn without_a_way(prefix: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Arguments(why) => {
            Failure::Arguments(format!("{}; to ask Cloud Control for it: {why}", unknown(prefix)))
        }
        failure => failure,
    }
}

/// What is to be said of requests that are others' than the target's that was named.
pub(super) fn of_others(found: &[(TargetName, RequestToken)], named: Option<&str>) -> Failure {
    let of = |(target, token): &(TargetName, RequestToken)| {
        format!("{} is of {}", printable(token.as_str()), printable(target.as_str()))
    };
    let listed: Vec<String> = found.iter().take(SHOWN).map(of).collect();
    let more = if found.len() > SHOWN { ", …" } else { "" };
    Failure::Work(anyhow!(
        "the request {}{more}, and not of --target {}",
        listed.join(", "),
        printable(named.unwrap_or_default())
    ))
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
