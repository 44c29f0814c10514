use proptest::prelude::*;

use super::super::double::refusal;
use super::*;
use crate::deliver::samples::{failed_hook, failed_request, hostile, hostile_text};
use crate::model::News;
use crate::render::samples::every_kind;
use crate::render::{Link, Message};

#[test]
fn it_says_who_what_where_how_long_and_why() {
    let news = News::Change(Box::new(failed_hook("WARN")));
    let words = Message::new(&news).words;
    insta::assert_snapshot!(format!("{}\n{:#}", text(&words), attachments(&words)));
}

#[test]
fn every_kind_of_news_is_taken_with_its_link() {
    for news in every_kind() {
        let mut words = Message::new(&news).words;
        words.link = Some(Link {
            label: "AWS console",
            url: "https://console.example/".into(),
        });
        let attachments = attachments(&words);
        assert_eq!(refusal(&text(&words).into(), &attachments), None);
        assert_eq!(attachments[0]["title_link"], "https://console.example/");
    }
}

#[test]
fn a_mention_stays_text_also_where_slack_would_have_written_it() {
    assert_eq!(
        escape("@all <!channel> & me@b.c", 100),
        "@\u{200b}all &lt;\\!channel\\> &amp; me@\u{200b}b\\.c"
    );
}

#[test]
fn a_measure_says_what_is_cut() {
    let mut announcement = failed_request();
    announcement.message = Some("*".repeat(5000));
    let news = News::Change(Box::new(announcement));
    let measures = measures(&Message::new(&news).words);
    assert_eq!(
        (measures[1].size, measures[1].limit),
        ("AlreadyExists: ".len() + 10_000, 8000)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_whatever_makes_mattermost_refuse_ping_or_link(text_of_it in hostile_text()) {
        let news = News::Change(Box::new(hostile(&text_of_it)));
        let mut message = Message::new(&news);
        prop_assert_eq!(refusal(&text(&message.words).into(), &attachments(&message.words)), None);
        message.words.body = Some(text_of_it);
        prop_assert_eq!(refusal(&text(&message.words).into(), &attachments(&message.words)), None);
    }
}
