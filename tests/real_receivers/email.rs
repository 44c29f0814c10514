//! Letters at a mail server, aiosmtpd, as Python's `email` reads them.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use ccwatch::decide::retry::Outcome;
use ccwatch::deliver::{Destination, Report};
use ccwatch::model::{Announcement, News};
use ccwatch::render::samples::{failed_hook, failed_request};
use serde_json::Value;

use crate::stage::{Tool, free_port, python, receiver, send};

/// A mail server that keeps what it is sent.
struct MailSink {
    _server: Tool,
    folder: tempfile::TempDir,
    port: u16,
    python: OsString,
}

impl MailSink {
    /// `None` where there is no Python that has it.
    async fn start() -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = script(&python);
        command.args(["serve", &port.to_string()]).arg(folder.path());
        let server = Tool::start(&mut command, port).await;
        Some(Self {
            _server: server,
            folder,
            port,
            python,
        })
    }

    fn receiver(&self, to: &str, password: &str) -> Destination {
        receiver(&format!(
            "type = \"email\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nuser = \"ccwatch\"\npassword = \"{password}\"
             from = \"ccwatch <ccwatch@example.com>\"\nto = [\"{to}@example.com\"]",
            self.port
        ))
    }

    /// What a mail program sees of each letter, in the order in which they came.
    fn letters(&self) -> Vec<Value> {
        let files = (1..).map(|number| self.folder.path().join(format!("{number}.eml")));
        let read = |path: std::path::PathBuf| {
            let output = script(&self.python).arg("read").arg(path).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        };
        files.take_while(|path| path.exists()).map(read).collect()
    }
}

fn script(python: &OsString) -> Command {
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/mail_sink.py"));
    command
}

async fn tell(receiver: &Destination, number: i64, announcement: Announcement) -> Report {
    send(receiver, number, News::Change(Box::new(announcement)), None).await
}

#[tokio::test]
async fn letters_arrive_whole_and_in_one_thread() {
    let Some(sink) = MailSink::start().await else {
        return;
    };
    let receiver = sink.receiver("ops", "hunter2");
    let mut hostile = failed_hook("WARN");
    hostile.message = Some("größe\r\nBcc: all@example.com\r\n\r\n.\r\n<img src=\"https://example.com/\">".into());
    let mut another = failed_request();
    another.request.request_token = "another".into();
    // A retry of the second is the third.
    for (number, announcement) in [(1, failed_request()), (2, hostile.clone()), (2, hostile), (4, another)] {
        let report = tell(&receiver, number, announcement).await;
        assert_eq!(report.outcome, Outcome::Accepted, "{report:?}");
        assert_eq!(report.answer.unwrap().status, Some(250));
    }

    let letters = sink.letters();
    let header = |index: usize, name: &str| letters[index]["headers"][name].as_str().unwrap().to_owned();
    assert_eq!(letters.len(), 4);
    for letter in &letters {
        assert_eq!(letter["defects"], serde_json::json!([]), "{letter:#}");
        assert_eq!(letter["types"], serde_json::json!(["text/plain", "text/html"]));
        assert_eq!(letter["headers"]["Auto-Submitted"], "auto-generated");
        assert_eq!(letter["headers"]["To"], "ops@example.com");
        assert_eq!(letter["headers"].get("Bcc"), None);
        assert_eq!(letter["headers"]["References"], letter["headers"]["In-Reply-To"]);
    }
    assert_eq!(header(0, "Subject"), "❌ CREATE AWS::S3::Bucket failed");
    assert_eq!(header(0, "References"), header(1, "References"));
    assert_ne!(header(0, "References"), header(3, "References"));
    assert_eq!(header(1, "Message-ID"), header(2, "Message-ID"));
    assert_ne!(header(0, "Message-ID"), header(1, "Message-ID"));

    let (text, html) = (
        letters[1]["text"].as_str().unwrap(),
        letters[1]["html"].as_str().unwrap(),
    );
    assert!(
        text.contains("größe  Bcc: all@example.com    .  <img src=\"https://example.com/\">"),
        "{text}"
    );
    assert!(
        html.contains("&lt;img src=&quot;https://example.com/&quot;&gt;") && !html.contains("<img"),
        "{html}"
    );
}

#[tokio::test]
async fn what_a_mail_server_refuses_is_understood() {
    let Some(sink) = MailSink::start().await else {
        return;
    };
    let nobody = tell(&sink.receiver("nobody", "hunter2"), 1, failed_request()).await;
    assert!(matches!(nobody.outcome, Outcome::Failed { .. }), "{nobody:?}");
    assert_eq!(nobody.answer.unwrap().status, Some(550));
    let full = tell(&sink.receiver("full", "hunter2"), 2, failed_request()).await;
    assert!(matches!(full.outcome, Outcome::Failed { .. }), "{full:?}");

    let wrong = tell(&sink.receiver("ops", "hunter3"), 3, failed_request()).await;
    let is_said = |error: &str| error.contains("check `user`, `password`") && !error.contains("hunter3");
    assert!(
        matches!(&wrong.outcome, Outcome::Failed { error, .. } if is_said(error)),
        "{wrong:?}"
    );
    assert_eq!(wrong.answer.unwrap().status, Some(535));

    let later = sink.receiver("later", "hunter2");
    let greylisted = tell(&later, 4, failed_request()).await;
    assert!(matches!(greylisted.outcome, Outcome::Failed { .. }), "{greylisted:?}");
    assert_eq!(sink.letters().len(), 0);
    assert_eq!(tell(&later, 4, failed_request()).await.outcome, Outcome::Accepted);
    assert_eq!(sink.letters().len(), 1);
}
