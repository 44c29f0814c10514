use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{self, failed_hook, failed_request, hostile};
use crate::model::{Announcement, News};

/// What Slack documents that it refuses, and what would ping people.
fn refusal(message: &Value) -> Option<String> {
    let mut total = 0;
    let mut check = |text: &Value, longest: usize| {
        let text = text.as_str().unwrap_or_default();
        total += length(text);
        // The one link: ccwatch's own, to the AWS console.
        let link = text
            .strip_prefix("<https://console.")
            .and_then(|rest| rest.strip_suffix('>'));
        let text = link.unwrap_or(text);
        let entities = ["&amp;", "&lt;", "&gt;"]
            .map(|entity| text.matches(entity).count())
            .iter()
            .sum::<usize>();
        let problem = match text {
            "" => "empty",
            _ if length(text) > longest => "too long",
            _ if text.contains(['<', '>']) || text.matches('&').count() != entities => "not escaped",
            _ => return None,
        };
        Some(format!("{problem}: {text}"))
    };
    let text_object = |text: &Value| match text["type"].as_str() {
        Some("plain_text") => text.get("verbatim").is_none(),
        Some("mrkdwn") => text["verbatim"] == true && text.get("emoji").is_none(),
        _ => false,
    };
    if let Some(problem) = check(&message["text"], 40_000) {
        return Some(problem);
    }
    let blocks = message["blocks"].as_array()?;
    if blocks.is_empty() || blocks.len() > 50 {
        return Some("number of blocks".into());
    }
    for block in blocks {
        let (texts, longest, most): (Vec<&Value>, _, _) = match block["type"].as_str() {
            Some("header") if block["text"]["type"] == "plain_text" => (vec![&block["text"]], 150, 1),
            Some("section") if block.get("text").is_some() => (vec![&block["text"]], 3000, 1),
            Some("section") => (block["fields"].as_array()?.iter().collect(), 2000, 10),
            Some("context") => (block["elements"].as_array()?.iter().collect(), 3000, 10),
            _ => return Some(format!("block {block}")),
        };
        if texts.is_empty() || texts.len() > most {
            return Some(format!("number of texts in {block}"));
        }
        for text in texts {
            if !text_object(text) {
                return Some(format!("text {text}"));
            }
            if let Some(problem) = check(&text["text"], longest) {
                return Some(problem);
            }
        }
    }
    (total > 13_200).then(|| format!("msg_blocks_too_long: {total}"))
}

/// Slack's webhooks, as documented.
fn slack((_, headers, body): &Received) -> axum::response::Response {
    let is_json = headers[CONTENT_TYPE].to_str().unwrap().starts_with("application/json");
    match serde_json::from_slice(body).map(|message| refusal(&message)) {
        Ok(None) if is_json => answer(200, &[], "ok"),
        Ok(Some(_)) => answer(400, &[], "invalid_blocks"),
        _ => answer(400, &[], "invalid_payload"),
    }
}

async fn send(double: &Double, announcement: &Announcement) -> Outcome {
    samples::send(&Slack::new(double.endpoint()), announcement)
        .await
        .outcome
}

fn message_about(announcement: &Announcement) -> Value {
    message(&Message::new(&News::Change(Box::new(announcement.clone()))).words)
}

#[tokio::test]
async fn slack_takes_it() {
    let double = Double::start(slack).await;
    for announcement in [
        failed_request(),
        failed_hook("WARN"),
        hostile("<!channel> & <@U1>"),
        hostile(&"<&>".repeat(5_000)),
        hostile(""),
    ] {
        assert_eq!(send(&double, &announcement).await, Outcome::Accepted);
    }
}

#[test]
fn it_ends_with_the_link_and_has_none_where_there_is_none() {
    let last = |message: &Value| message["blocks"].as_array().unwrap().last().unwrap().to_string();
    let mut announcement = failed_request();
    assert!(last(&message_about(&announcement)).contains("<https://console.aws.amazon.com/cloudtrail/"));
    announcement.region.0 = "<https://example.com|x>".into();
    assert!(!message_about(&announcement).to_string().contains("<http"));
}

#[test]
fn it_says_who_what_where_how_long_and_why() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&message_about(&failed_hook("WARN"))).unwrap());
}

#[tokio::test]
async fn slacks_own_words_are_permanent_and_have_a_remedy() {
    for (status, word, says) in [
        (400, "invalid_payload", "bug of ccwatch"),
        (403, "invalid_token", "make a new one"),
        (403, "action_prohibited", "administrator"),
        (404, "no_service", "make a new one"),
        (404, "channel_not_found", "deleted"),
        (410, "channel_is_archived", "unarchive"),
        (400, "some_new_error", "Slack's page"),
    ] {
        let double = Double::start(move |_| answer(status, &[], word)).await;
        let outcome = send(&double, &failed_request()).await;
        let Outcome::Rejected { error } = outcome else {
            panic!("{word}: {outcome:?}");
        };
        assert!(error.contains(word) && error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn what_someone_between_says_and_what_passes_is_tried_again() {
    for (status, body) in [
        (200, "<html>Sign in to Wi-Fi</html>"),
        (200, ""),
        (403, "<html>Blocked by proxy</html>"),
        (400, "<html>Bad request</html>"),
        (404, ""),
        (405, "<html>Not allowed</html>"),
        (410, "Gone"),
        (413, "<html>Too large</html>"),
        (451, "<html>Blocked by law</html>"),
        (500, "rollup_error"),
        (503, ""),
    ] {
        let double = Double::start(move |_| answer(status, &[], body)).await;
        let outcome = send(&double, &failed_request()).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
    let double = Double::start(|_| answer(429, &[("retry-after", "30")], "rate_limited")).await;
    let outcome = send(&double, &failed_request()).await;
    let wish = Some(Duration::from_secs(30));
    assert!(
        matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == wish),
        "{outcome:?}"
    );
}

#[test]
fn a_200_whose_body_did_not_come_in_time_is_taken_as_ok_unless_its_beginning_denies_it() {
    let outcome = |body: &str, is_whole| {
        outcome(&Answer {
            host: "hooks.slack.com".into(),
            status: http::StatusCode::OK,
            retry_after: None,
            body: body.into(),
            is_whole,
            raw: body.into(),
        })
    };
    assert_eq!(outcome("", false), Outcome::Accepted);
    assert_eq!(outcome("o", false), Outcome::Accepted);
    assert_eq!(outcome("ok", true), Outcome::Accepted);
    assert!(matches!(outcome("", true), Outcome::Failed { .. }));
    assert!(matches!(outcome("<html>", false), Outcome::Failed { .. }));
}

#[tokio::test]
async fn the_webhooks_address_shows_nowhere() {
    for status in [200, 404, 500] {
        let double = Double::start(move |(path, ..)| answer(status, &[], format!("no {path}"))).await;
        let slack = Slack::new(double.endpoint());
        let shown = format!("{slack:?} {:?}", send(&double, &failed_request()).await);
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let unit = prop_oneof![
        any::<String>(),
        Just("<!channel>".to_owned()),
        Just("&<>".to_owned()),
        Just("&lt;!here&gt;".to_owned()),
        Just("😀".to_owned()),
        Just("*`_~|\n".to_owned()),
    ];
    (unit, 0_usize..4_000)
        .prop_map(|(unit, times)| unit.chars().cycle().take(unit.len() * times).take(20_000).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_whatever_makes_slack_refuse_or_ping(text in hostile_text()) {
        prop_assert_eq!(refusal(&message_about(&hostile(&text))), None);
    }
}
