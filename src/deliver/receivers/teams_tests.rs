use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{self, failed_hook, failed_request, hostile, hostile_text, send};
use crate::model::News;
use crate::render::Link;
use crate::render::samples::every_kind;

/// What Teams refuses or does not show, and what it would read as markdown.
fn refusal(message: &Value) -> Option<String> {
    if size(message) > 28_672 {
        return Some(format!("RequestEntityTooLarge: {}", size(message)));
    }
    let attachment = &message["attachments"][0];
    let card = &attachment["content"];
    let is_card = message["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard"
        && card["version"] == "1.4"
        && card["fallbackText"].as_str().is_some_and(|text| !text.is_empty())
        && card["msteams"].get("entities").is_none();
    let is_text = |run: &Value| run["type"] == "TextRun" && run["text"].as_str().is_some_and(|text| !text.is_empty());
    let is_plain = |element: &Value| {
        let inlines = element["inlines"].as_array();
        element["type"] == "RichTextBlock" && inlines.is_some_and(|runs| !runs.is_empty() && runs.iter().all(is_text))
    };
    let body = card["body"].as_array()?;
    (!is_card || body.is_empty() || !body.iter().all(is_plain)).then(|| format!("{message:#}"))
}

/// A workflow's trigger.
fn workflow((_, _, body): &Received) -> axum::response::Response {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    match refusal(&message) {
        None => answer(202, &[], ""),
        Some(problem) if problem.starts_with("RequestEntityTooLarge") => answer(413, &[], problem),
        Some(_) => answer(
            400,
            &[],
            r#"{"error": {"code": "TriggerInputSchemaMismatch", "message": "…"}}"#,
        ),
    }
}

async fn answered(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> Outcome {
    let double = Double::start(move |_| answer(status, headers, body)).await;
    send(&Teams::new(double.endpoint()), &failed_request()).await.outcome
}

#[test]
fn it_says_who_what_where_how_long_and_why() {
    let news = News::Change(Box::new(failed_hook("WARN")));
    let mut words = Message::new(&news).words;
    words.link = Some(Link {
        label: "AWS console",
        url: "https://console.example/".into(),
    });
    insta::assert_snapshot!(format!("{:#}", fitting(&words)));
}

#[tokio::test]
async fn teams_takes_every_kind_of_news_and_any_text() {
    let double = Double::start(workflow).await;
    let teams = Teams::new(double.endpoint());
    for news in every_kind() {
        let message = Message::new(&news);
        let report = teams.send(samples::attempt(&message, None)).await;
        assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
    }
    for text in [
        "[x](https://evil.example) **x** <at>y</at>",
        &"\"".repeat(5_000),
        &"測😀".repeat(5_000),
        "",
    ] {
        let report = send(&teams, &hostile(text)).await;
        assert_eq!(report.outcome, Outcome::Accepted);
    }
}

#[tokio::test]
async fn what_the_workflow_refuses_is_permanent_and_what_someone_may_mend_is_not() {
    for (status, body) in [
        (
            400,
            r#"{"error": {"code": "TriggerInputSchemaMismatch", "message": "…"}}"#,
        ),
        (413, r#"{"error": {"code": "RequestEntityTooLarge", "message": "…"}}"#),
    ] {
        let outcome = answered(status, &[], body).await;
        assert!(matches!(outcome, Outcome::Rejected { .. }), "{status}: {outcome:?}");
    }
    for (status, body, says) in [
        (
            400,
            r#"{"error": {"code": "WorkflowTriggerIsNotEnabled"}}"#,
            "turn it on",
        ),
        (
            401,
            r#"{"error": {"code": "DirectApiAuthorizationRequired"}}"#,
            "copy its URL",
        ),
        (404, r#"{"error": {"code": "WorkflowNotFound"}}"#, "make a new one"),
        (400, "<html>Bad request", "proxy"),
        (410, "Gone", "proxy"),
        (502, "", "tried again"),
    ] {
        let outcome = answered(status, &[], body).await;
        assert!(
            matches!(&outcome, Outcome::Failed { error, .. } if error.contains(says)),
            "{outcome:?}"
        );
    }
    let outcome = answered(
        429,
        &[("retry-after", "30")],
        r#"{"error": {"code": "TooManyRequests"}}"#,
    )
    .await;
    let wish = Some(Duration::from_secs(30));
    assert!(matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == wish));
}

#[tokio::test]
async fn the_workflows_address_shows_nowhere() {
    for status in [200, 404, 500] {
        let double = Double::start(move |(path, ..)| answer(status, &[], format!("no {path}"))).await;
        let teams = Teams::new(double.endpoint());
        let news = News::Change(Box::new(failed_request()));
        let preview = teams.preview(&Message::new(&news));
        let shown = format!("{teams:?} {:?} {preview:?}", send(&teams, &failed_request()).await);
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_templates_lines_are_lines_and_the_measure_is_of_all_of_it() {
    let news = News::Change(Box::new(failed_request()));
    let mut message = Message::new(&news);
    message.words.body = Some("one\n\ntwo".into());
    let body = &fitting(&message.words)["attachments"][0]["content"]["body"];
    assert_eq!(body.as_array().unwrap().len(), 3);
    message.words.body = Some("x".repeat(50_000));
    let double = crate::deliver::http::Http::new()
        .unwrap()
        .endpoint("https://example.com", &[]);
    let preview = Teams::new(double.unwrap()).preview(&message);
    assert!(preview.measures[0].size > 100_000 && preview.measures[0].limit == LARGEST);
    assert!(preview.content.len() < 30_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_whatever_makes_teams_refuse_format_or_link(text in hostile_text()) {
        let news = News::Change(Box::new(hostile(&text)));
        let mut message = Message::new(&news);
        prop_assert_eq!(refusal(&fitting(&message.words)), None);
        message.words.body = Some(text);
        prop_assert_eq!(refusal(&fitting(&message.words)), None);
    }
}
