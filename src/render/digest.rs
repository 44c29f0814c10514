//! Many changes in one message: how many of what, where, in which time, and the worst of them by name.

use super::message::{Fact, Tone, Words};
use super::words::{self, known};
use crate::model::{Digest, DigestCount, counted};

/// So many of each list are named; the others are counted.
const NAMED: usize = 5;
/// So many changes are told one by one.
const ITEMS: usize = 10;

pub(super) fn words(digest: &Digest) -> Words {
    let worst: Vec<Words> = digest.worst.iter().map(words::words).collect();
    let about = format!(
        "{} of {}",
        counted(digest.changes as usize, "change"),
        counted(digest.requests as usize, "request")
    );
    let counts = named(digest.counts.iter().map(sort));
    let place = |name: Option<&str>, unknown: &str, count| {
        format!("{} ({count})", known(name).unwrap_or_else(|| unknown.to_owned()))
    };
    let targets = digest
        .targets
        .iter()
        .map(|(name, count)| place(Some(name), "unnamed", count));
    let types = digest
        .types
        .iter()
        .map(|(name, count)| place(name.as_deref(), "of unknown type", count));
    let span = words::duration(digest.to.since(digest.from).as_secs_f64()).unwrap_or_default();
    let facts = [
        ("Changes", counts.clone()),
        ("Targets", named(targets)),
        ("Types", named(types)),
        ("Seen", Some(format!("{} to {} ({span})", digest.from, digest.to))),
    ];
    Words {
        tone: worst.iter().map(|words| words.tone).max().unwrap_or(Tone::Neutral),
        title: match digest.replayed {
            0 => about.clone(),
            all if all == digest.changes => format!("Replayed: {about}"),
            some => format!("{about}, {some} of them replayed"),
        },
        hook: None,
        status: counts.unwrap_or_else(|| about.clone()),
        about,
        body: None,
        reason: None,
        meaning: Some("Too many to tell one by one: the history has them all.".to_owned()),
        facts: facts
            .into_iter()
            .filter_map(|(label, value)| Some(Fact { label, value: value? }))
            .collect(),
        items: worst
            .iter()
            .take(ITEMS)
            .map(|words| format!("{}: {}", words.title, words.reason.as_deref().unwrap_or(&words.status)))
            .collect(),
        link: None,
    }
}

/// `2 FAILED`, `1 HOOK_COMPLETE_FAILED (WARN)`.
fn sort(count: &DigestCount) -> String {
    let what = known(count.status.as_deref()).or_else(|| known(Some(&count.kind)));
    let mut what = what.unwrap_or_else(|| "unknown".to_owned());
    if count.kind.ends_with(".detail") {
        what.push_str(" with more known");
    }
    match known(count.failure_mode.as_deref()) {
        Some(mode) => format!("{} {what} ({mode})", count.count),
        None => format!("{} {what}", count.count),
    }
}

/// The first few, and how many there are beyond. `None` if there are none.
fn named(mut all: impl Iterator<Item = String>) -> Option<String> {
    let mut list: Vec<String> = all.by_ref().take(NAMED).collect();
    let left = all.count();
    if left > 0 {
        list.push(format!("{left} more"));
    }
    (!list.is_empty()).then(|| list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn fact<'w>(words: &'w Words, label: &str) -> Option<&'w str> {
        let fact = words.facts.iter().find(|fact| fact.label == label)?;
        Some(&fact.value)
    }

    #[test]
    fn what_was_told_before_is_said_to_be() {
        let title = |replayed| {
            words(&Digest {
                replayed,
                ..samples::digest()
            })
            .title
        };
        assert_eq!(title(47), "Replayed: 47 changes of 12 requests");
        assert_eq!(title(40), "47 changes of 12 requests, 40 of them replayed");
    }

    #[test]
    fn it_counts_what_happened_where_and_names_the_worst() {
        let words = words(&samples::digest());
        assert_eq!(words.tone, Tone::Bad);
        assert_eq!(words.title, "47 changes of 12 requests");
        assert_eq!(words.status, "2 FAILED, 1 HOOK_COMPLETE_FAILED (WARN), 44 SUCCESS");
        assert_eq!(fact(&words, "Changes"), Some(words.status.as_str()));
        assert_eq!(fact(&words, "Targets"), Some("prod/eu-west-1 (40), dev/eu-west-1 (7)"));
        assert_eq!(fact(&words, "Types"), Some("AWS::S3::Bucket (45), of unknown type (2)"));
        assert_eq!(
            fact(&words, "Seen"),
            Some("2025-11-22T06:28:00.123Z to 2025-11-22T06:28:40.123Z (40s)")
        );
        assert_eq!(
            words.items,
            [
                "CREATE AWS::S3::Bucket failed: AlreadyExists: my-bucket already exists",
                "Hook Acme::S3::Guard found fault on CREATE AWS::S3::Bucket: bucket is not encrypted"
            ]
        );
    }

    #[test]
    fn long_lists_are_cut_and_what_is_left_out_is_counted() {
        let mut digest = samples::digest();
        digest.targets = (0..8).map(|number| (format!("t{number}"), 1)).collect();
        digest.worst = vec![samples::failed_request(); 30];
        let words = words(&digest);
        assert_eq!(
            fact(&words, "Targets"),
            Some("t0 (1), t1 (1), t2 (1), t3 (1), t4 (1), 3 more")
        );
        assert_eq!(words.items.len(), ITEMS);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let mut digest = samples::digest();
        (digest.changes, digest.requests) = (1, 1);
        digest.counts.clear();
        digest.targets.clear();
        digest.types.clear();
        digest.worst.clear();
        let words = words(&digest);
        assert_eq!(
            (words.title.as_str(), words.status.as_str()),
            ("1 change of 1 request", "1 change of 1 request")
        );
        assert_eq!(words.facts.len(), 1);
        assert_eq!(words.tone, Tone::Neutral);
    }
}
