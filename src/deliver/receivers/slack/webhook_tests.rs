use http::header::CONTENT_TYPE;

use super::super::double::refusal;
use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{self, failed_hook, failed_request, hostile};
use crate::model::Announcement;

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
