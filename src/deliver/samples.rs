//! Deliveries to try things with.

use proptest::prelude::*;

use super::{Attempt, Receiver, Report};
use crate::model::{Announcement, Delivery, DeliveryId, EventId, Incident, IncidentState, News};
use crate::render::Message;
pub(super) use crate::render::samples::{NOW, failed_hook, failed_request, hostile};

/// Sends an announcement as a courier does at first.
pub(super) async fn send(receiver: &dyn Receiver, announcement: &Announcement) -> Report {
    send_in_thread(receiver, announcement, None).await
}

/// Sends any news as a courier does at first.
pub(super) async fn send_news(receiver: &dyn Receiver, news: &News) -> Report {
    receiver.send(attempt(&Message::new(news), None)).await
}

/// Sends an announcement as a courier does where `thread` was reported before.
pub(super) async fn send_in_thread(
    receiver: &dyn Receiver,
    announcement: &Announcement,
    thread: Option<&str>,
) -> Report {
    let news = News::Change(Box::new(announcement.clone()));
    let message = Message::new(&news);
    receiver.send(attempt(&message, thread)).await
}

/// The announcement as receivers of incidents are told it.
pub(super) fn incident(announcement: Announcement, key: &str, state: IncidentState) -> Announcement {
    let key = key.to_owned();
    Announcement {
        incident: Some(Incident { key, state }),
        ..announcement
    }
}

/// A first attempt.
pub(super) fn attempt<'a>(message: &'a Message<'a>, thread: Option<&'a str>) -> Attempt<'a> {
    Attempt {
        message,
        idempotency_key: "01JD8Z-7-1",
        thread,
        number: 1,
        now: NOW,
        deadline: in_a_minute(),
    }
}

/// Change number `step` of request `request`, for a receiver `r`. Its event id is `<request>/<step>`.
pub(super) fn delivery(id: i64, request: &str, step: usize) -> Delivery {
    let mut announcement = failed_request();
    announcement.id = EventId(format!("{request}/{step}"));
    announcement.request.request_token = request.into();
    Delivery {
        ids: vec![DeliveryId(id)],
        receiver: "r".into(),
        attempts: 0,
        since: NOW,
        news: News::Change(Box::new(announcement)),
        thread: None,
    }
}

/// Text that would break a layout, ping, link, or not fit.
pub(super) fn hostile_text() -> impl Strategy<Value = String> {
    let units = vec![
        "<!channel>",
        "&<>",
        "&lt;!here&gt;",
        "<users/all> <b>x</b>",
        "<@1> <@&2> @everyone",
        "@all ",
        "[x](https://evil.example) ",
        "https://evil.example/x?y=z ",
        "www.evil.example ",
        "\\",
        "```\n",
        "# ",
        "😀",
        "*`_~|\n",
        "\u{200b}",
        "\u{1}",
    ];
    let unit = prop_oneof![any::<String>(), proptest::sample::select(units).prop_map(str::to_owned)];
    (unit, 0_usize..4_000)
        .prop_map(|(unit, times)| unit.chars().cycle().take(unit.len() * times).take(20_000).collect())
}

/// A deadline that no test comes near.
pub(super) fn in_a_minute() -> tokio::time::Instant {
    tokio::time::Instant::now() + std::time::Duration::from_mins(1)
}

/// A double that stands in for AWS, as clients are made for it.
#[cfg(feature = "aws-receivers")]
pub(super) fn aws_at(double: &super::double::Double) -> aws_config::SdkConfig {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use super::double::SECRET;

    let url = url::Url::parse(&double.url).unwrap();
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, Some(SECRET.into()), None, "test");
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .endpoint_url(url.origin().ascii_serialization())
        .build()
}

/// Where that is said to be.
#[cfg(feature = "aws-receivers")]
pub(super) fn aws_access() -> crate::config::AwsAccess {
    crate::config::AwsAccess {
        region: crate::model::Region("eu-west-1".into()),
        profile: None,
        endpoint_url: None,
    }
}
