use super::super::double::refusal;
use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{self, failed_hook, failed_request, hostile};
use crate::model::News;
use crate::render::samples::every_kind;

/// A server's webhooks.
fn mattermost((_, _, body): &Received) -> axum::response::Response {
    let error = |id: &str| {
        answer(
            400,
            &[],
            json!({"id": id, "message": "…", "status_code": 400}).to_string(),
        )
    };
    match serde_json::from_slice::<Value>(body) {
        Ok(message) if refusal(&message["text"], &message["attachments"]).is_none() => answer(200, &[], "ok"),
        Ok(_) => error("web.incoming_webhook.text.app_error"),
        Err(_) => error("web.incoming_webhook.parse.app_error"),
    }
}

async fn answered(status: u16, headers: &'static [(&str, &str)], body: String) -> Outcome {
    let double = Double::start(move |_| answer(status, headers, body.clone())).await;
    samples::send(&Mattermost::new(double.endpoint()), &failed_request())
        .await
        .outcome
}

#[tokio::test]
async fn mattermost_takes_every_kind_of_news_and_any_text() {
    let double = Double::start(mattermost).await;
    let mattermost = Mattermost::new(double.endpoint());
    for news in every_kind() {
        let message = Message::new(&news);
        let report = mattermost.send(samples::attempt(&message, None)).await;
        assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
    }
    for announcement in [failed_hook("WARN"), hostile("@all <!channel>"), hostile("")] {
        let report = samples::send(&mattermost, &announcement).await;
        assert_eq!(report.outcome, Outcome::Accepted);
    }
}

#[tokio::test]
async fn a_removed_webhook_and_a_malformed_message_are_permanent_and_all_else_passes() {
    let error = |status: u16, id: &str| answered(status, &[], json!({"id": id, "message": "…"}).to_string());
    for (id, says) in [
        ("web.incoming_webhook.invalid.app_error", "set `url`"),
        ("web.incoming_webhook.text.app_error", "bug"),
        ("web.incoming_webhook.parse.app_error", "bug"),
    ] {
        let outcome = error(400, id).await;
        assert!(
            matches!(&outcome, Outcome::Rejected { error } if error.contains(says)),
            "{outcome:?}"
        );
    }
    for (status, id, says) in [
        (501, "web.incoming_webhook.disabled.app_error", "administrator"),
        (404, "web.incoming_webhook.channel.app_error", "channel"),
        (403, "web.incoming_webhook.permissions.app_error", "may not post"),
        (400, "some.new.app_error", "tried again"),
    ] {
        let outcome = error(status, id).await;
        assert!(
            matches!(&outcome, Outcome::Failed { error, .. } if error.contains(says)),
            "{outcome:?}"
        );
    }
    for (status, body) in [
        (200, "<html>Sign in"),
        (200, ""),
        (400, "<html>Bad request"),
        (410, "Gone"),
        (503, ""),
    ] {
        let outcome = answered(status, &[], body.into()).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_heard() {
    let outcome = answered(429, &[("x-ratelimit-reset", "7")], "limit exceeded".into()).await;
    let wish = Some(Duration::from_secs(7));
    assert!(matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == wish));
}

#[tokio::test]
async fn the_webhooks_address_shows_nowhere() {
    for status in [200, 404, 500] {
        let double = Double::start(move |(path, ..)| answer(status, &[], format!("no {path}"))).await;
        let mattermost = Mattermost::new(double.endpoint());
        let news = News::Change(Box::new(failed_request()));
        let preview = mattermost.preview(&Message::new(&news));
        let report = samples::send(&mattermost, &failed_request()).await;
        let shown = format!("{mattermost:?} {report:?} {preview:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}
