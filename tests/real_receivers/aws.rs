//! moto's SNS, SQS and EventBridge (PyPI `moto`): what is sent is there, filtered, in its group, and once.

use std::process::{Command, Stdio};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use ccwatch::decide::retry::Outcome;
use ccwatch::deliver::Report;
use ccwatch::model::{Announcement, EventId, News};
use ccwatch::render::samples::failed_request;
use serde_json::{Value, json};

use crate::stage::{Tool, free_port, python, receiver, send};

const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "123456789012";

/// Credentials come from the environment, which a process can't change for itself: so the test runs itself in another one.
#[tokio::test]
async fn what_is_sent_to_aws_is_there() {
    let Some(python) = python() else { return };
    let port = free_port();
    let mut moto = Command::new(&python);
    moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _moto = Tool::start(&mut moto, port).await;
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["aws::in_a_process_with_credentials", "--exact", "--ignored"])
        .env("MOTO", format!("http://127.0.0.1:{port}"))
        .env("AWS_ACCESS_KEY_ID", "AKIAT0SECRETmarker00")
        .env("AWS_SECRET_ACCESS_KEY", "T0SECRETmarker")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "the other test starts what it needs"]
async fn in_a_process_with_credentials() {
    let Ok(moto) = std::env::var("MOTO") else { return };
    let aws = Aws::at(moto).await;
    a_queue_has_the_event_and_what_to_filter_by(&aws).await;
    a_fifo_queue_has_once_what_was_sent_twice(&aws).await;
    a_subscription_gets_what_its_filter_lets_pass(&aws).await;
    a_fifo_topic_passes_on_once(&aws).await;
    a_rule_matches_what_the_event_holds(&aws).await;
    what_is_not_there_can_be_made(&aws).await;
}

async fn a_queue_has_the_event_and_what_to_filter_by(aws: &Aws) {
    let queue = aws.queue("direct").await;
    let ours = aws.receiver("sqs", &format!("queue_url = \"{queue}\"\nregion = \"{REGION}\""));
    assert_accepted(&send(&ours, 1, change("a", "FAILED"), None).await);
    let messages = aws.messages(&queue).await;
    let [message] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    let event: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    assert_eq!(
        (&event["type"], &event["id"]),
        (&json!("ccwatch.request.status"), &json!("a"))
    );
    let attributes = message.message_attributes().unwrap();
    assert_eq!(attributes["status"].string_value(), Some("FAILED"));
    assert_eq!(attributes["type_name"].string_value(), Some("AWS::S3::Bucket"));
}

async fn a_fifo_queue_has_once_what_was_sent_twice(aws: &Aws) {
    let queue = aws.queue("changes.fifo").await;
    let ours = aws.receiver("sqs", &format!("queue_url = \"{queue}\"\nregion = \"{REGION}\""));
    // The second is a retry, the third a replay, the last another change.
    for (number, id) in [(1, "a"), (1, "a"), (2, "a"), (3, "b")] {
        assert_accepted(&send(&ours, number, change(id, "FAILED"), None).await);
    }
    let messages = aws.messages(&queue).await;
    assert_eq!(messages.iter().map(event_id).collect::<Vec<_>>(), ["a", "a", "b"]);
    for message in &messages {
        let group = &message.attributes().unwrap()[&MessageSystemAttributeName::MessageGroupId];
        assert_eq!(group, "prod/eu-west-1/73553e7d-token");
    }
}

async fn a_subscription_gets_what_its_filter_lets_pass(aws: &Aws) {
    let queue = aws.queue("failures").await;
    let topic = aws.topic("changes").await;
    aws.subscribe(&topic, "failures", &json!({"status": ["FAILED"]})).await;
    let ours = aws.receiver("sns", &format!("topic_arn = \"{topic}\""));
    for (number, id, status) in [(1, "a", "SUCCESS"), (2, "b", "FAILED")] {
        assert_accepted(&send(&ours, number, change(id, status), None).await);
    }
    let messages = aws.messages(&queue).await;
    let [message] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    let envelope: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    assert_eq!(envelope["Subject"], "CREATE AWS::S3::Bucket failed");
    let event: Value = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
    assert_eq!((&event["id"], &event["data"]["to"]), (&json!("b"), &json!("FAILED")));
}

async fn a_fifo_topic_passes_on_once(aws: &Aws) {
    let queue = aws.queue("passed-on.fifo").await;
    let topic = aws.topic("changes.fifo").await;
    aws.subscribe(&topic, "passed-on.fifo", &json!({})).await;
    let ours = aws.receiver("sns", &format!("topic_arn = \"{topic}\""));
    for (number, id) in [(1, "a"), (1, "a"), (2, "b")] {
        assert_accepted(&send(&ours, number, change(id, "FAILED"), None).await);
    }
    assert_eq!(aws.messages(&queue).await.len(), 2);
}

async fn a_rule_matches_what_the_event_holds(aws: &Aws) {
    let queue = aws.queue("matched").await;
    let events = aws_sdk_eventbridge::Client::new(&aws.config);
    events.create_event_bus().name("ops").send().await.unwrap();
    let pattern = json!({
        "source": ["ccwatch"],
        "detail-type": ["ccwatch.request.status"],
        "detail": {"data": {"to": ["FAILED"]}},
    });
    let rule = events.put_rule().name("failures").event_bus_name("ops");
    rule.event_pattern(pattern.to_string()).send().await.unwrap();
    let target = aws_sdk_eventbridge::types::Target::builder()
        .id("queue")
        .arn(arn("sqs", "matched"));
    let targets = events.put_targets().rule("failures").event_bus_name("ops");
    targets.targets(target.build().unwrap()).send().await.unwrap();
    let ours = aws.receiver("eventbridge", &format!("bus = \"ops\"\nregion = \"{REGION}\""));
    for (number, id, status) in [(1, "a", "SUCCESS"), (2, "b", "FAILED")] {
        assert_accepted(&send(&ours, number, change(id, status), None).await);
    }
    let messages = aws.messages(&queue).await;
    let [message] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    let event: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    assert_eq!(
        (&event["source"], &event["detail"]["id"]),
        (&json!("ccwatch"), &json!("b"))
    );
    assert_eq!(event["time"], "2025-11-22T06:28:00Z");
}

async fn what_is_not_there_can_be_made(aws: &Aws) {
    let queue = format!("queue_url = \"{}/{ACCOUNT}/none\"\nregion = \"{REGION}\"", aws.moto);
    let topic = format!("topic_arn = \"{}\"", arn("sns", "none"));
    for (kind, entry, key) in [("sqs", queue, "check `queue_url`"), ("sns", topic, "check `topic_arn`")] {
        let ours = aws.receiver(kind, &entry);
        let report = send(&ours, 1, change("a", "FAILED"), None).await;
        let Outcome::Failed { error, .. } = &report.outcome else {
            panic!("{report:?}");
        };
        assert!(error.contains(key), "{error}");
        assert!(
            !format!("{report:?} {ours:?}").contains("T0SECRETmarker"),
            "{report:?} {ours:?}"
        );
    }
}

fn assert_accepted(report: &Report) {
    assert_eq!(report.outcome, Outcome::Accepted);
}

fn change(id: &str, status: &str) -> News {
    News::Change(Box::new(Announcement {
        id: EventId(id.into()),
        to: Some(status.into()),
        ..failed_request()
    }))
}

fn event_id(message: &Message) -> String {
    let event: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    event["id"].as_str().unwrap().to_owned()
}

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}")
}

struct Aws {
    moto: String,
    config: SdkConfig,
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
}

impl Aws {
    async fn at(moto: String) -> Self {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .endpoint_url(&moto)
            .load()
            .await;
        Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            config,
            moto,
        }
    }

    fn receiver(&self, kind: &str, entry: &str) -> ccwatch::deliver::Destination {
        receiver(&format!("type = \"{kind}\"\n{entry}\nendpoint_url = \"{}\"", self.moto))
    }

    /// Makes a queue.
    async fn queue(&self, name: &str) -> String {
        let mut call = self.sqs.create_queue().queue_name(name);
        if name.ends_with("fifo") {
            call = call.attributes(QueueAttributeName::FifoQueue, "true");
        }
        call.send().await.unwrap().queue_url.unwrap()
    }

    /// Makes a topic.
    async fn topic(&self, name: &str) -> String {
        let mut call = self.sns.create_topic().name(name);
        if name.ends_with("fifo") {
            call = call.attributes("FifoTopic", "true");
        }
        call.send().await.unwrap().topic_arn.unwrap()
    }

    async fn subscribe(&self, topic: &str, queue: &str, filter: &Value) {
        let call = self.sns.subscribe().topic_arn(topic).protocol("sqs");
        let call = call
            .endpoint(arn("sqs", queue))
            .attributes("FilterPolicy", filter.to_string());
        call.send().await.unwrap();
    }

    /// What a queue has, taken from it.
    async fn messages(&self, queue: &str) -> Vec<Message> {
        let mut taken = Vec::new();
        loop {
            let call = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
            let call = call
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::All);
            let messages = call.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return taken;
            }
            for message in &messages {
                let handle = message.receipt_handle().unwrap();
                self.sqs
                    .delete_message()
                    .queue_url(queue)
                    .receipt_handle(handle)
                    .send()
                    .await
                    .unwrap();
            }
            taken.extend(messages);
        }
    }
}
