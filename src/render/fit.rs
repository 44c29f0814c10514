//! Words that are too long for a tool, made to fit as a whole.
//!
//! Nothing is cut unless all texts together are too long; then the longest are cut first, to one length, so that a
//! status message of many pages costs no fact. Rejected: a limit for each part, which cuts where there was room, or adds
//! up to more than a tool takes.

use super::message::Words;
use super::text::cut_by;

/// The words that are shown, with texts of `longest` at the most in all. `cost` is what a character takes of it.
///
/// Labels and the link are not counted: leave room for them. What a template's `body` stands in place of is left out.
pub fn fit(words: &Words, longest: usize, cost: impl Fn(char) -> usize) -> Words {
    let mut words = words.clone();
    if words.body.is_some() {
        words.reason = None;
        words.meaning = None;
        words.facts.clear();
        words.items.clear();
    }
    let mut costs: Vec<usize> = texts(&mut words).map(|text| text.chars().map(&cost).sum()).collect();
    let level = level(&mut costs, longest);
    for text in texts(&mut words) {
        let cut = cut_by(text, level, &cost);
        if cut.len() != text.len() {
            *text = cut.into_owned();
        }
    }
    words
}

fn texts(words: &mut Words) -> impl Iterator<Item = &mut String> {
    let one = [&mut words.title].into_iter();
    let perhaps = [&mut words.body, &mut words.reason, &mut words.meaning]
        .into_iter()
        .flatten();
    let facts = words.facts.iter_mut().map(|fact| &mut fact.value);
    one.chain(perhaps).chain(facts).chain(&mut words.items)
}

/// The most that each may have so that all fit.
fn level(costs: &mut [usize], longest: usize) -> usize {
    costs.sort_unstable();
    let mut left = longest;
    for (at, cost) in costs.iter().enumerate() {
        let share = left / (costs.len() - at);
        if *cost > share {
            return share;
        }
        left -= cost;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::News;
    use crate::render::Message;
    use crate::render::samples::{failed_request, hostile};

    fn words(announcement: crate::model::Announcement) -> Words {
        Message::new(&News::Change(Box::new(announcement))).words
    }

    #[test]
    fn the_longest_alone_is_cut_and_only_if_it_must_be() {
        let mut long = failed_request();
        long.message = Some("x".repeat(5_000));
        let long = words(long);
        assert_eq!(fit(&long, 10_000, char::len_utf8), long);
        let mut cut = fit(&long, 1_000, char::len_utf8);
        assert!(cut.reason.as_ref().unwrap().ends_with('…'));
        cut.reason.clone_from(&long.reason);
        assert_eq!(cut, long);
    }

    #[test]
    fn a_templates_body_stands_alone() {
        let mut words = words(failed_request());
        words.body = Some("so it is".into());
        let fit = fit(&words, 1_000, char::len_utf8);
        assert_eq!((fit.title, fit.body), (words.title, words.body));
        assert!(fit.reason.is_none() && fit.meaning.is_none() && fit.facts.is_empty() && fit.items.is_empty());
    }

    proptest! {
        #[test]
        fn all_together_fit(text in "[a€\"<😀]{0,300}", times in 1_usize..20, longest in 0_usize..4_000) {
            let mut words = fit(&words(hostile(&text.repeat(times))), longest, char::len_utf8);
            prop_assert!(texts(&mut words).map(|text| text.len()).sum::<usize>() <= longest);
        }
    }
}
