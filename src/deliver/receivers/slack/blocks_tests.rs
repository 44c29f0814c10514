use proptest::prelude::*;

use super::super::double::refusal;
use super::*;
use crate::deliver::samples::{failed_hook, failed_request, hostile, hostile_text};
use crate::model::{Announcement, News};
use crate::render::Message;
use crate::render::samples::every_kind;

fn about(announcement: &Announcement) -> Value {
    Value::Object(content(
        &Message::new(&News::Change(Box::new(announcement.clone()))).words,
    ))
}

#[test]
fn it_says_who_what_where_how_long_and_why() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&about(&failed_hook("WARN"))).unwrap());
}

#[test]
fn every_kind_of_news_is_taken_with_its_link() {
    for news in every_kind() {
        let mut message = Message::new(&news);
        for words in [Some(&mut message.words), message.present.as_mut()]
            .into_iter()
            .flatten()
        {
            words.link = Some(Link {
                label: "AWS console",
                url: "https://console.example/?a=1&b=2#x".into(),
            });
            let content = Value::Object(content(words));
            assert_eq!(refusal(&content), None);
            assert!(
                content
                    .to_string()
                    .contains("<https://console.example/?a=1&amp;b=2#x|AWS console>")
            );
        }
    }
}

#[test]
fn a_measure_says_what_is_cut() {
    let mut announcement = failed_request();
    announcement.message = Some("<".repeat(1000));
    let message = News::Change(Box::new(announcement));
    let measures = measures(&Message::new(&message).words);
    let reason = measures.iter().find(|measure| measure.part == "reason").unwrap();
    assert_eq!((reason.size, reason.limit), ("AlreadyExists: ".len() + 4 * 1000, 3000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_whatever_makes_slack_refuse_or_ping(text in hostile_text()) {
        prop_assert_eq!(refusal(&about(&hostile(&text))), None);
    }
}
