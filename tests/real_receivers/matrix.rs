//! A room on Synapse: the root shows the present state, changes are in its thread, and nothing is there twice.
//! <https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html>

use std::path::Path;
use std::process::{Command, Stdio};

use ccwatch::decide::retry::Outcome;
use ccwatch::deliver::{Destination, Report};
use ccwatch::model::{Announcement, News};
use ccwatch::render::samples::{failed_hook, failed_request};
use serde_json::{Value, json};

use crate::stage::{Tool, free_port, python, receiver, send};

/// A homeserver with one account, which is in one room.
struct Synapse {
    _server: Tool,
    _folder: tempfile::TempDir,
    port: u16,
    token: String,
    room: String,
}

impl Synapse {
    /// `None` where there is no Python that has it. `limits` is what its configuration says of messages a second.
    async fn start(limits: &str) -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let configuration = configuration(folder.path(), port, limits);
        let path = folder.path().join("homeserver.yaml");
        std::fs::write(&path, configuration).unwrap();
        let mut command = Command::new(python);
        command.args(["-m", "synapse.app.homeserver", "-c"]).arg(path);
        command
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Tool::start(&mut command, port).await;
        let mut synapse = Self {
            _server: server,
            _folder: folder,
            port,
            token: String::new(),
            room: String::new(),
        };
        let auth = json!({"username": "ccwatch", "password": "hunter2", "auth": {"type": "m.login.dummy"}});
        synapse.token = text(&synapse.ask("POST", "register", &auth), "access_token");
        synapse.room = text(&synapse.ask("POST", "createRoom", &json!({})), "room_id");
        Some(synapse)
    }

    /// What a client asks, by curl.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--request", method, "--data"]);
        command.arg(if method == "GET" {
            String::new()
        } else {
            body.to_string()
        });
        if method == "GET" {
            command.arg("--get");
        }
        if !self.token.is_empty() {
            command.args(["--header", &format!("Authorization: Bearer {}", self.token)]);
        }
        command.arg(format!("http://127.0.0.1:{}/_matrix/client/v3/{path}", self.port));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn receiver(&self) -> Destination {
        let Self { port, token, room, .. } = self;
        receiver(&format!(
            "type = \"matrix\"\nurl = \"http://127.0.0.1:{port}\"\ntoken = \"{token}\"\nroom = \"{room}\""
        ))
    }

    /// The room's messages with their content, the oldest first.
    fn messages(&self) -> Vec<Value> {
        let path = format!("rooms/{}/messages?dir=f&limit=100", self.room);
        let chunk = self.ask("GET", &path, &Value::Null)["chunk"].clone();
        let events = chunk.as_array().unwrap().iter();
        events
            .filter(|event| event["type"] == "m.room.message")
            .cloned()
            .collect()
    }
}

fn configuration(folder: &Path, port: u16, limits: &str) -> String {
    let folder = folder.display();
    format!(
        "server_name: localhost
listeners: [{{port: {port}, tls: false, type: http, bind_addresses: ['127.0.0.1'], resources: [{{names: [client]}}]}}]
database: {{name: sqlite3, args: {{database: '{folder}/homeserver.db'}}}}
media_store_path: '{folder}/media'
signing_key: ed25519 a_test MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE
macaroon_secret_key: macaroon
report_stats: false
trusted_key_servers: []
enable_registration: true
enable_registration_without_verification: true
rc_message: {limits}
"
    )
}

fn text(value: &Value, key: &str) -> String {
    let text = value[key].as_str();
    text.unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

fn in_progress() -> Announcement {
    let mut announcement = failed_request();
    announcement.to = Some("IN_PROGRESS".into());
    (announcement.error_code, announcement.message) = (None, None);
    let request = &mut announcement.request;
    request.status = Some("IN_PROGRESS".into());
    request.open = true;
    (request.error_code, request.status_message) = (None, None);
    announcement
}

async fn tell(receiver: &Destination, number: i64, announcement: Announcement, thread: Option<&str>) -> Report {
    send(receiver, number, News::Change(Box::new(announcement)), thread).await
}

#[tokio::test]
async fn a_request_is_one_living_message_with_a_thread() {
    let Some(synapse) = Synapse::start("{per_second: 1000, burst_count: 1000}").await else {
        return;
    };
    let receiver = synapse.receiver();

    // The first news is the root, however often the attempt is made.
    let first = tell(&receiver, 1, in_progress(), None).await;
    assert_eq!(first.outcome, Outcome::Accepted, "{first:?}");
    assert_eq!(tell(&receiver, 1, in_progress(), None).await.thread, first.thread);
    let messages = synapse.messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let root = text(&messages[0], "event_id");
    assert_eq!(first.thread.as_deref(), Some(root.as_str()));
    assert_eq!(messages[0]["content"]["m.mentions"], json!({}));

    // The second edits it and is told in its thread, however often the attempt is made.
    for _ in 0..2 {
        let second = tell(&receiver, 2, failed_hook("WARN"), Some(&root)).await;
        assert_eq!(
            (second.outcome, second.thread.as_deref()),
            (Outcome::Accepted, Some(root.as_str()))
        );
    }
    let relations = |kind: &str| {
        // Relations are of v1 of the API.
        let path = format!("../v1/rooms/{}/relations/{root}/{kind}", synapse.room);
        synapse.ask("GET", &path, &Value::Null)["chunk"]
            .as_array()
            .unwrap()
            .clone()
    };
    let (edits, replies) = (relations("m.replace"), relations("m.thread"));
    assert_eq!((edits.len(), replies.len()), (1, 1), "{edits:?} {replies:?}");
    let shown = text(&edits[0]["content"]["m.new_content"], "body");
    assert!(
        shown.starts_with("❌ CREATE AWS::S3::Bucket my-bucket failed"),
        "{shown}"
    );
    let reply = text(&replies[0]["content"], "formatted_body");
    assert!(reply.contains("Hook Acme::S3::Guard found fault"), "{reply}");

    // A root that was removed is posted anew, and one of another room as well.
    let path = format!("rooms/{}/redact/{root}/1", synapse.room);
    synapse.ask("PUT", &path, &json!({}));
    for (number, thread) in [(3, root.as_str()), (4, "$another")] {
        let report = tell(&receiver, number, failed_request(), Some(thread)).await;
        assert_eq!(report.outcome, Outcome::Accepted, "{report:?}");
        let last = synapse.messages().pop().unwrap();
        assert_eq!(report.thread, Some(text(&last, "event_id")));
        assert_eq!(last["content"].get("m.relates_to"), None);
    }
}

#[tokio::test]
async fn what_synapse_refuses_is_understood() {
    let Some(mut synapse) = Synapse::start("{per_second: 0.01, burst_count: 2}").await else {
        return;
    };
    let receiver = synapse.receiver();
    let mut refused = None;
    for number in 0..5 {
        let report = tell(&receiver, number, failed_request(), None).await;
        if report.outcome != Outcome::Accepted {
            refused = Some(report);
            break;
        }
    }
    let refused = refused.expect("the limit was not reached");
    assert_eq!(refused.answer.unwrap().status, Some(429));
    let Outcome::Failed { retry_after, .. } = refused.outcome else {
        panic!("{:?}", refused.outcome)
    };
    assert!(retry_after.is_some_and(|pause| pause.as_secs() >= 1), "{retry_after:?}");

    let failed = |report: Report, says: &str| {
        let is_said = |error: &str| error.contains(says);
        assert!(
            matches!(&report.outcome, Outcome::Failed { error, .. } if is_said(error)),
            "{report:?}"
        );
    };
    let room = std::mem::replace(&mut synapse.room, "!another:localhost".into());
    failed(
        tell(&synapse.receiver(), 11, failed_request(), None).await,
        "invite the bot",
    );
    synapse.room = room;
    synapse.token = "syt_revoked".into();
    failed(
        tell(&synapse.receiver(), 12, failed_request(), None).await,
        "set `token`",
    );
}
