//! How a receiver is doing, in words.

use super::message::{Fact, Tone, Words};
use super::words::{duration, known};
use crate::model::ReceiverNotice;

pub(super) fn words(notice: &ReceiverNotice) -> Words {
    let receiver = known(Some(&notice.receiver)).unwrap_or_else(|| "without a name".to_owned());
    let lasted = duration(notice.at.since(notice.since).as_secs_f64()).unwrap_or_default();
    let (tone, does, status, since) = if notice.is_failing {
        (
            Tone::Bad,
            format!("has failed for {lasted}"),
            "failing",
            "Failing since",
        )
    } else {
        (
            Tone::Good,
            format!("is well again after {lasted}"),
            "recovered",
            "Failed since",
        )
    };
    let fact = |label, value| Fact { label, value };
    let mut facts = vec![
        fact("Waiting", notice.waiting.to_string()),
        fact(since, notice.since.to_string()),
    ];
    let error = known(notice.error.as_deref());
    // What is over is no reason to worry, but may be worth knowing.
    if !notice.is_failing {
        facts.extend(error.clone().map(|error| fact("Last error", error)));
    }
    Words {
        tone,
        title: format!("Receiver {receiver} {does}"),
        about: format!("receiver {receiver}"),
        hook: None,
        status: status.to_owned(),
        body: None,
        reason: error.filter(|_| notice.is_failing),
        meaning: notice
            .is_failing
            .then(|| "What it should have been told waits, and is tried again until its `give_up_after`.".to_owned()),
        facts,
        items: Vec::new(),
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_receiver_that_fails_is_told_with_why_and_how_much_waits() {
        let words = words(&samples::notice(true));
        assert_eq!(
            (words.tone, words.title.as_str()),
            (Tone::Bad, "Receiver chat has failed for 20m")
        );
        assert!(words.reason.unwrap().contains("503 Service Unavailable"));
        assert!(words.meaning.unwrap().contains("give_up_after"));
        assert_eq!(words.facts[0].value, "14");
        assert_eq!(words.facts[1].label, "Failing since");
    }

    #[test]
    fn one_that_is_well_again_shows_its_error_as_past() {
        let words = words(&samples::notice(false));
        assert_eq!(
            (words.tone, words.title.as_str()),
            (Tone::Good, "Receiver chat is well again after 20m")
        );
        assert_eq!((words.reason, words.meaning), (None, None));
        assert_eq!(words.facts[2].label, "Last error");
    }
}
