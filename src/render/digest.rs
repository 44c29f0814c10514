//! Many changes in one message.

use super::message::{Fact, Tone, Words};
use super::words::{self, clean};
use crate::model::Digest;

/// So many of each list are named.
const NAMED: usize = 5;

pub(super) fn words(digest: &Digest) -> Words {
    let worst: Vec<Words> = digest.worst.iter().map(words::words).collect();
    let counts: Vec<String> = digest
        .counts
        .iter()
        .map(|sort| {
            let mode = sort
                .failure_mode
                .as_ref()
                .map(|mode| format!(" ({})", clean(mode)))
                .unwrap_or_default();
            format!(
                "{} {}{mode}",
                sort.count,
                clean(sort.status.as_deref().unwrap_or(&sort.kind))
            )
        })
        .collect();
    let most = |counts: &mut dyn Iterator<Item = (String, u32)>| {
        let named: Vec<String> = counts
            .take(NAMED)
            .map(|(name, count)| format!("{} ({count})", clean(&name)))
            .collect();
        named.join(", ")
    };
    let about = format!("{} changes of {} requests", digest.changes, digest.requests);
    Words {
        tone: worst.iter().map(|words| words.tone).max().unwrap_or(Tone::Neutral),
        title: about.clone(),
        about,
        hook: None,
        status: counts.join(", "),
        body: None,
        reason: None,
        meaning: Some("Too many to tell one by one: the history has them all.".to_owned()),
        facts: vec![
            Fact {
                label: "Changes",
                value: counts.join(", "),
            },
            Fact {
                label: "Targets",
                value: most(&mut digest.targets.iter().cloned()),
            },
            Fact {
                label: "Types",
                value: most(
                    &mut digest
                        .types
                        .iter()
                        .map(|(name, count)| (name.clone().unwrap_or_else(|| "of unknown type".to_owned()), *count)),
                ),
            },
            Fact {
                label: "Seen",
                value: format!("{} to {}", digest.from, digest.to),
            },
        ],
        items: worst
            .iter()
            .map(|words| format!("{}: {}", words.title, words.reason.as_deref().unwrap_or(&words.status)))
            .collect(),
        link: None,
    }
}
