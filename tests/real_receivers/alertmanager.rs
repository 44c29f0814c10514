//! Debian's Alertmanager: the alert fires, is resolved, and its own receivers are told both.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use ccwatch::decide::retry::Outcome;
use ccwatch::model::{Announcement, Incident, IncidentState, News};
use ccwatch::render::samples::{failed_request, notice};
use serde_json::Value;

use crate::stage::{Tool, free_port, receiver, send};

const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

/// What Alertmanager told its webhook, in order: `firing` or `resolved` with the incident's key.
type Told = Arc<Mutex<Vec<(String, String)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_fires_until_it_is_resolved_and_its_receivers_are_told_both() {
    if !Path::new(PROGRAM).exists() {
        println!("not tried: Debian's prometheus-alertmanager is not installed");
        return;
    }
    let told = Told::default();
    let webhook = webhook(told.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let (_alertmanager, address) = alertmanager(folder.path(), &webhook).await;
    let ours = receiver(&format!("type = \"alertmanager\"\nurl = \"{address}\""));

    let news = |state, at: Announcement| {
        let key = "prod/eu-west-1 AWS::S3::Bucket my-bucket".to_owned();
        News::Change(Box::new(Announcement {
            incident: Some(Incident { key, state }),
            ..at
        }))
    };
    let mut later = failed_request();
    later.request.request_token = "another".into();
    later.to = Some("SUCCESS".into());
    let story = [
        news(IncidentState::Open, failed_request()),
        News::Receiver(Box::new(notice(true))),
        news(IncidentState::Resolved, later),
        News::Receiver(Box::new(notice(false))),
    ];
    let mut shown = Vec::new();
    for (number, news) in (1..).zip(story) {
        let report = send(&ours, number, news, None).await;
        assert_eq!(report.outcome, Outcome::Accepted);
        shown.push(firing(&address).await);
        // Each is told before the next comes, or Alertmanager would have nothing to tell.
        let expected = usize::try_from(number).unwrap();
        for _ in 0..600 {
            if told.lock().unwrap().len() >= expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let (bucket, chat) = (
        "prod/eu-west-1 AWS::S3::Bucket my-bucket",
        "ccwatch-01JD8Z-receiver-chat",
    );
    assert_eq!(shown, [vec![bucket], vec![bucket, chat], vec![chat], vec![]]);
    let told = told.lock().unwrap().clone();
    let told: Vec<_> = told
        .iter()
        .map(|(status, key)| (status.as_str(), key.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("firing", bucket),
            ("firing", chat),
            ("resolved", bucket),
            ("resolved", chat)
        ]
    );
}

/// An Alertmanager that tells `webhook`, with its address.
async fn alertmanager(folder: &Path, webhook: &str) -> (Tool, String) {
    let settings = format!(
        "route: {{receiver: ours, group_by: [incident], group_wait: 0s, group_interval: 1s}}\n\
         receivers: [{{name: ours, webhook_configs: [{{url: '{webhook}'}}]}}]\n"
    );
    let file = folder.join("alertmanager.yml");
    std::fs::write(&file, settings).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(PROGRAM);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", folder.display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=")
        .stderr(Stdio::null());
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    let tool = Tool::start(&mut command, port).await;
    (tool, format!("http://{address}"))
}

/// The keys of the incidents that it shows as firing, the oldest first.
async fn firing(address: &str) -> Vec<String> {
    let shown = reqwest::get(format!("{address}/api/v2/alerts")).await.unwrap();
    let mut alerts: Vec<Value> = serde_json::from_slice(&shown.bytes().await.unwrap()).unwrap();
    alerts.sort_by_key(|alert| alert["startsAt"].as_str().unwrap().to_owned());
    alerts
        .iter()
        .map(|alert| alert["labels"]["incident"].as_str().unwrap().to_owned())
        .collect()
}

/// A webhook for Alertmanager, with its address.
async fn webhook(told: Told) -> String {
    let app = Router::new().fallback(async move |body: axum::body::Bytes| {
        let group: Value = serde_json::from_slice(&body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let alerts = group["alerts"].as_array().unwrap();
        told.lock().unwrap().extend(
            alerts
                .iter()
                .map(|alert| (text(&alert["status"]), text(&alert["labels"]["incident"]))),
        );
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/")
}
