use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::receiver::Report;
use crate::deliver::samples::{self, failed_hook, failed_request, hostile, hostile_text, send, send_in_thread};
use crate::model::{Announcement, News};
use crate::render::Link;
use crate::render::samples::every_kind;

/// What Discord documents that it refuses, and what it would show as more than text.
fn refusal(message: &Value) -> Option<String> {
    let mut total = 0;
    let mut check = |text: &Value, longest: usize, is_markdown: bool| {
        let text = text.as_str().unwrap_or_default();
        total += length(text);
        let mut bare = String::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => drop(characters.next()),
                c => bare.push(c),
            }
        }
        let problem = if text.trim().is_empty() || length(text) > longest {
            "BASE_TYPE_REQUIRED or BASE_TYPE_MAX_LENGTH"
        } else if is_markdown && bare.contains(['*', '_', '~', '`', '|', '<', '>', '[', ']', '(', ')', '#', '@', ':']) {
            "not escaped"
        } else {
            return None;
        };
        Some(format!("{problem}: {text}"))
    };
    if message["allowed_mentions"] != json!({"parse": []}) {
        return Some("it may ping".into());
    }
    let [embed] = message["embeds"].as_array()?.as_slice() else {
        return Some("embeds".into());
    };
    let none = Vec::new();
    let fields = embed["fields"].as_array().unwrap_or(&none);
    let problem = check(&embed["title"], 256, true)
        .or_else(|| check(embed.get("description")?, 4096, true))
        .or_else(|| check(&embed.get("footer")?["text"], 2048, false))
        .or_else(|| fields.iter().find_map(|field| check(&field["name"], 256, true)))
        .or_else(|| fields.iter().find_map(|field| check(&field["value"], 1024, true)));
    let is_colour = embed["color"].as_u64().is_some_and(|colour| colour <= 0xFF_FFFF);
    problem
        .or_else(|| (fields.len() > 25 || !is_colour).then(|| "fields or colour".into()))
        .or_else(|| (total > 6000).then(|| format!("MAX_EMBED_SIZE_EXCEEDED: {total}")))
}

/// A channel, or a forum, with one webhook.
#[derive(Default)]
struct Channel {
    is_forum: bool,
    posted: usize,
    /// Those that are there: message, thread, and the title that is shown.
    messages: Vec<(String, Option<String>, String)>,
}

impl Channel {
    fn answer(&mut self, (path, _, body): &Received) -> (u16, Value) {
        let error = |status, code| (status, json!({"code": code, "message": "…"}));
        let url = url::Url::parse(&format!("http://discord.example{path}")).unwrap();
        let query = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let thread = query("thread_id");
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return error(400, 50109);
        };
        if refusal(&body).is_some() {
            return error(400, 50035);
        }
        let title = body["embeds"][0]["title"].as_str().unwrap().to_owned();
        if let Some((_, id)) = url.path().split_once("/messages/") {
            let message = self
                .messages
                .iter_mut()
                .find(|(known, place, _)| known == id && *place == thread);
            let Some(message) = message else {
                return error(404, 10008);
            };
            message.2 = title;
            return (200, json!({"id": id}));
        }
        if query("wait").as_deref() != Some("true") {
            return (204, Value::Null);
        }
        self.posted += 1;
        let id = format!("11{}", self.posted);
        let opens = body["thread_name"].as_str();
        let thread = match (self.is_forum, thread, opens) {
            (false, None, None) => None,
            (true, None, Some(name)) if (1..=100).contains(&length(name)) => Some(id.clone()),
            (true, Some(thread), None) => {
                if !self
                    .messages
                    .iter()
                    .any(|(_, place, _)| place.as_ref() == Some(&thread))
                {
                    return error(404, 10003);
                }
                Some(thread)
            }
            (true, None, None) => return error(400, 220_001),
            (false, _, Some(_)) => return error(400, 220_003),
            _ => return error(400, 50035),
        };
        self.messages.push((id.clone(), thread.clone(), title));
        (
            200,
            json!({"id": id, "channel_id": thread.unwrap_or_else(|| "42".into())}),
        )
    }
}

struct Stage {
    channel: Arc<Mutex<Channel>>,
    double: Double,
}

impl Stage {
    async fn new(is_forum: bool) -> Self {
        let channel = Arc::new(Mutex::new(Channel {
            is_forum,
            ..Channel::default()
        }));
        let api = channel.clone();
        let double = Double::start(move |received| {
            let (status, body) = api.lock().unwrap().answer(received);
            answer(status, &[], body.to_string())
        });
        Self {
            channel,
            double: double.await,
        }
    }

    fn discord(&self, is_forum: bool) -> Discord {
        Discord::new(self.double.endpoint(), is_forum)
    }

    fn shown(&self) -> Vec<String> {
        let channel = self.channel.lock().unwrap();
        channel.messages.iter().map(|(_, _, title)| title.clone()).collect()
    }
}

fn about(announcement: &Announcement) -> Value {
    content(&Message::new(&News::Change(Box::new(announcement.clone()))).words)
}

fn in_progress() -> Announcement {
    let mut announcement = failed_request();
    announcement.to = Some("IN_PROGRESS".into());
    announcement.request.status = Some("IN_PROGRESS".into());
    announcement
}

#[test]
fn it_says_who_what_where_how_long_and_why() {
    insta::assert_snapshot!(format!("{:#}", about(&failed_hook("WARN"))));
}

#[tokio::test]
async fn in_a_channel_the_root_is_edited_and_trouble_is_a_message_too() {
    let stage = Stage::new(false).await;
    let discord = stage.discord(false);
    let first = send(&discord, &in_progress()).await;
    assert_eq!(first.outcome, Outcome::Accepted);
    let thread = first.thread.unwrap();
    let again = send_in_thread(&discord, &in_progress(), Some(&thread)).await;
    assert_eq!((again.outcome, again.thread), (Outcome::Accepted, None));
    assert_eq!(
        stage.shown(),
        [r"🔹 CREATE AWS\:\:S3\:\:Bucket my\-bucket is in progress"]
    );
    let failed = send_in_thread(&discord, &failed_request(), Some(&thread)).await;
    assert_eq!(failed.outcome, Outcome::Accepted);
    assert_eq!(
        stage.shown(),
        [
            r"❌ CREATE AWS\:\:S3\:\:Bucket my\-bucket failed",
            r"❌ CREATE AWS\:\:S3\:\:Bucket failed"
        ]
    );
}

#[tokio::test]
async fn in_a_forum_each_request_has_a_thread_with_its_changes() {
    let stage = Stage::new(true).await;
    let discord = stage.discord(true);
    let first = send(&discord, &in_progress()).await;
    let thread = first.thread.unwrap();
    let second = send_in_thread(&discord, &in_progress(), Some(&thread)).await;
    assert_eq!((second.outcome, second.thread), (Outcome::Accepted, None));
    let places: Vec<_> = stage
        .channel
        .lock()
        .unwrap()
        .messages
        .iter()
        .map(|(_, place, _)| place.clone())
        .collect();
    assert_eq!(places, [Some("111".to_owned()), Some("111".to_owned())]);
}

#[tokio::test]
async fn a_root_that_was_deleted_or_is_of_another_sort_is_posted_anew() {
    for is_forum in [false, true] {
        let stage = Stage::new(is_forum).await;
        let discord = stage.discord(is_forum);
        let first = send(&discord, &failed_request()).await;
        stage.channel.lock().unwrap().messages.clear();
        let again = send_in_thread(&discord, &failed_request(), first.thread.as_deref()).await;
        assert_eq!(again.outcome, Outcome::Accepted);
        assert!(again.thread.is_some() && again.thread != first.thread);
        let other = if is_forum {
            r#"{"message":"112","thread":null}"#
        } else {
            r#"{"message":"112","thread":"111"}"#
        };
        let anew = send_in_thread(&discord, &failed_request(), Some(other)).await;
        assert_eq!(anew.outcome, Outcome::Accepted);
        assert!(anew.thread.unwrap().contains("113"));
    }
}

#[tokio::test]
async fn every_kind_of_news_is_taken() {
    for is_forum in [false, true] {
        let stage = Stage::new(is_forum).await;
        for news in every_kind() {
            let message = Message::new(&news);
            let report = stage.discord(is_forum).send(samples::attempt(&message, None)).await;
            assert_eq!(report.outcome, Outcome::Accepted);
            assert_eq!(report.thread.is_some(), news.change().is_some());
        }
    }
}

#[tokio::test]
async fn a_channel_that_is_not_what_the_configuration_says_is_named() {
    for (is_forum, says) in [(true, "set `forum = true`"), (false, "remove `forum = true`")] {
        let stage = Stage::new(is_forum).await;
        let report = send(&stage.discord(!is_forum), &failed_request()).await;
        assert!(
            matches!(&report.outcome, Outcome::Failed { error, .. } if error.contains(says)),
            "{report:?}"
        );
    }
}

async fn answered(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> Report {
    let double = Double::start(move |_| answer(status, headers, body)).await;
    send(&Discord::new(double.endpoint(), false), &failed_request()).await
}

#[tokio::test]
async fn a_removed_webhook_and_a_malformed_message_are_permanent_and_all_else_passes() {
    for (status, body, says) in [
        (404, r#"{"message": "Unknown Webhook", "code": 10015}"#, "set `url`"),
        (
            401,
            r#"{"message": "Invalid Webhook Token", "code": 50027}"#,
            "set `url`",
        ),
        (400, r#"{"message": "Invalid Form Body", "code": 50035}"#, "bug"),
    ] {
        let report = answered(status, &[], body).await;
        assert!(
            matches!(&report.outcome, Outcome::Rejected { error } if error.contains(says)),
            "{report:?}"
        );
    }
    for (status, body) in [
        (400, r#"{"message": "Tag required", "code": 40067}"#),
        (400, r#"{"message": "new", "code": 99999}"#),
        (400, "<html>Blocked by proxy</html>"),
        (403, r#"{"message": "Missing Access", "code": 50001}"#),
        (404, "<html>Not found</html>"),
        (410, "Gone"),
        (500, r#"{"message": "500: Internal Server Error", "code": 0}"#),
        (502, ""),
    ] {
        let report = answered(status, &[], body).await;
        assert!(matches!(report.outcome, Outcome::Failed { .. }), "{status}: {report:?}");
    }
}

#[tokio::test]
async fn a_message_that_may_not_be_edited_any_more_stays_and_the_change_is_posted() {
    for code in [30046, 50083] {
        let double = Double::start(move |(path, ..): &Received| {
            if path.contains("/messages/") {
                answer(400, &[], json!({"code": code, "message": "…"}).to_string())
            } else {
                answer(200, &[], r#"{"id": "5", "channel_id": "4"}"#)
            }
        });
        let double = double.await;
        let discord = Discord::new(double.endpoint(), false);
        let report = send_in_thread(&discord, &in_progress(), Some(r#"{"message":"3","thread":null}"#)).await;
        assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
        assert_eq!(double.received().len(), 2);
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_heard_to_the_fraction_of_a_second() {
    let wish = async |headers: &'static [(&str, &str)], body| match answered(429, headers, body).await.outcome {
        Outcome::Failed { retry_after, .. } => retry_after,
        other => panic!("{other:?}"),
    };
    let body = r#"{"message": "You are being rate limited.", "retry_after": 0.65, "global": false}"#;
    assert_eq!(
        wish(&[("retry-after", "1")], body).await,
        Some(Duration::from_millis(650))
    );
    assert_eq!(
        wish(&[("x-ratelimit-reset-after", "1.5")], "{}").await,
        Some(Duration::from_millis(1500))
    );
    assert_eq!(
        wish(&[("retry-after", "65")], "<html>Cloudflare").await,
        Some(Duration::from_secs(65))
    );
}

#[tokio::test]
async fn the_webhooks_address_shows_nowhere() {
    for status in [200, 404, 500] {
        let double = Double::start(move |(path, ..)| answer(status, &[], format!("no {path}"))).await;
        let discord = Discord::new(double.endpoint(), false);
        let news = News::Change(Box::new(failed_request()));
        let preview = discord.preview(&Message::new(&news));
        let shown = format!("{discord:?} {:?} {preview:?}", send(&discord, &failed_request()).await);
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_link_is_the_titles_and_a_template_takes_the_place_of_the_rest() {
    let news = News::Change(Box::new(failed_request()));
    let mut words = Message::new(&news).words;
    words.link = Some(Link {
        label: "AWS console",
        url: "https://console.example/".into(),
    });
    words.body = Some("# one\n*two*".into());
    let embed = &content(&words)["embeds"][0];
    assert_eq!(embed["url"], "https://console.example/");
    assert_eq!(embed["description"], "\\# one\n\\*two\\*");
    assert_eq!(embed.get("fields"), None);
}

#[test]
fn a_measure_says_what_is_cut() {
    let mut announcement = failed_request();
    announcement.message = Some("*".repeat(3000));
    let news = News::Change(Box::new(announcement));
    let measures = measures(&Message::new(&news).words);
    assert_eq!(measures[1].part, "description");
    assert_eq!(
        (measures[1].size, measures[1].limit),
        ("AlreadyExists\\: ".len() + 6000, 2048)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_whatever_makes_discord_refuse_ping_or_link(text in hostile_text()) {
        let news = News::Change(Box::new(hostile(&text)));
        let mut message = Message::new(&news);
        prop_assert_eq!(refusal(&content(&message.words)), None);
        prop_assert_eq!(refusal(&content(message.present.as_ref().unwrap())), None);
        message.words.body = Some(text);
        prop_assert_eq!(refusal(&content(&message.words)), None);
    }
}
