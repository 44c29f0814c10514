use proptest::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::*;
use crate::config::EmailLogin;
use crate::deliver::samples::{self, NOW, failed_hook, failed_request, hostile};
use crate::model::{Announcement, News};
use crate::render::samples::{digest, every_kind};

const PASSWORD: &str = "T0SECRETmarker";

/// A mail server, as RFC 5321 has it, that lets programs log in, and refuses one command if it is told to.
struct MailServer {
    port: u16,
    task: AbortHandle,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MailServer {
    /// `refusal` is a command and the answer to it.
    async fn start(refusal: Option<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Its client may hang up at any time.
                let _hung_up = converse(stream, refusal).await;
            }
        };
        let task = tokio::spawn(serve).abort_handle();
        Self { port, task }
    }

    fn receiver(&self) -> Email {
        Email::new(&settings(self.port)).unwrap()
    }
}

async fn converse(mut stream: TcpStream, refusal: Option<(&str, &str)>) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let answer_to = |command: &str, usual: &str| {
        let answer = refusal.filter(|(refused, _)| *refused == command);
        let echoed = answer.map_or(usual, |(_, answer)| answer);
        format!("{echoed}\r\n")
    };
    write
        .write_all(answer_to("greeting", "220 mail.example.com").as_bytes())
        .await?;
    while let Some(line) = lines.next_line().await? {
        let command = line.get(..4).unwrap_or_default().to_uppercase();
        let usual = match command.as_str() {
            "EHLO" => "250-mail.example.com\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => "235 2.7.0 welcome",
            "MAIL" | "RCPT" => "250 2.1.0 fine",
            "DATA" => "354 go on",
            "QUIT" => "221 2.0.0 bye",
            _ => "502 5.5.1 unknown",
        };
        // What a careless server says.
        let answer = answer_to(&command, usual).replace("{line}", &line);
        write.write_all(answer.as_bytes()).await?;
        if command == "DATA" && answer.starts_with("354") {
            while lines.next_line().await?.is_some_and(|line| line != ".") {}
            write
                .write_all(answer_to("end", "250 2.0.0 queued as 77").as_bytes())
                .await?;
        }
    }
    Ok(())
}

fn settings(port: u16) -> EmailSettings {
    EmailSettings {
        host: "127.0.0.1".into(),
        port,
        tls: EmailTls::None,
        login: Some(EmailLogin {
            user: "ccwatch".into(),
            password: PASSWORD.into(),
        }),
        from: "ccwatch <ccwatch@example.com>".into(),
        to: vec!["ops@example.com".into(), "dev@example.com".into()],
    }
}

/// One that calls no one.
fn receiver() -> Email {
    Email::new(&settings(25)).unwrap()
}

fn letter(email: &Email, announcement: &Announcement, key: &str) -> String {
    let news = News::Change(Box::new(announcement.clone()));
    let letter = email.letter(&Message::new(&news), email.id(key, ""), NOW).unwrap();
    String::from_utf8(letter.formatted()).unwrap()
}

/// A header's value, unfolded.
fn header<'l>(letter: &'l str, name: &str) -> Option<&'l str> {
    let (headers, _) = letter.split_once("\r\n\r\n").unwrap();
    let mut lines = headers.split("\r\n");
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn a_mail_server_takes_every_kind_of_news() {
    let server = MailServer::start(None).await;
    let mut news = every_kind();
    news.push(News::Change(Box::new(hostile(&"€\"<".repeat(9_000)))));
    for news in &news {
        let message = Message::new(news);
        let report = server.receiver().send(samples::attempt(&message, None)).await;
        assert_eq!(report.outcome, Outcome::Accepted, "{}", news.kind());
        let answer = report.answer.unwrap();
        assert_eq!((answer.status, answer.said.as_str()), (Some(250), "2.0.0 queued as 77"));
    }
}

#[test]
fn a_letters_headers() {
    let email = receiver();
    let letter = letter(&email, &failed_hook("WARN"), "01JD8Z-7-1");
    let root = "<prod=2Feu-west-1=2F73553e7d-token.request@example.com>";
    for (name, value) in [
        ("From", "ccwatch <ccwatch@example.com>"),
        ("To", "ops@example.com, dev@example.com"),
        ("Message-ID", "<01JD8Z-7-1@example.com>"),
        ("In-Reply-To", root),
        ("References", root),
        ("Auto-Submitted", "auto-generated"),
        ("Date", "Sat, 22 Nov 2025 06:28:00 +0000"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&letter, name), Some(value), "{letter}");
    }
    let (_, content_type) = letter.split_once("Content-Type: ").unwrap();
    assert!(content_type.starts_with("multipart/alternative;"));
}

#[test]
fn a_thread_is_one_requests_and_an_id_one_deliverys() {
    let email = receiver();
    let mut another = failed_request();
    another.request.request_token = "73553e7d.token".into();
    let of = |announcement: &Announcement, key: &str, name: &str| {
        header(&letter(&email, announcement, key), name).unwrap().to_owned()
    };
    let root = of(&failed_request(), "a", "References");
    assert_eq!(of(&failed_hook("FAIL"), "b", "References"), root);
    assert_ne!(of(&another, "c", "References"), root);
    assert_eq!(
        of(&another, "a", "Message-ID"),
        of(&failed_request(), "a", "Message-ID")
    );
    assert_ne!(of(&another, "b", "Message-ID"), of(&another, "a", "Message-ID"));
    let digest = News::Digest(Box::new(digest()));
    let digest = email.letter(&Message::new(&digest), email.id("d", ""), NOW).unwrap();
    let digest = String::from_utf8(digest.formatted()).unwrap();
    assert_eq!(
        (header(&digest, "References"), header(&digest, "In-Reply-To")),
        (None, None)
    );
}

#[tokio::test]
async fn what_a_mail_server_says_is_understood() {
    for (command, answer, says, rejected) in [
        ("greeting", "554 5.3.2 no mail here", "does not take", true),
        ("greeting", "421 4.3.2 shutting down", "tried again", false),
        ("greeting", "521 no mail here", "`host`", false),
        ("AUTH", "535 5.7.8 wrong", "`password`", false),
        ("AUTH", "454 4.7.0 not now", "`password`", false),
        ("MAIL", "530 5.7.0 log in first", "`password`", false),
        ("MAIL", "553 5.1.8 no such sender", "`from`", false),
        ("RCPT", "451 4.7.1 greylisted", "tried again", false),
        ("RCPT", "450 4.2.0 busy", "tried again", false),
        ("RCPT", "550 5.1.1 no such user", "`to`", false),
        ("RCPT", "554 5.7.1 relay access denied", "policy", false),
        ("DATA", "552 5.3.4 too large", "too large", true),
        ("end", "554 5.6.0 spam", "does not take", true),
        ("end", "451 4.3.0 disk full", "tried again", false),
    ] {
        let server = MailServer::start(Some((command, answer))).await;
        let report = samples::send(&server.receiver(), &failed_request()).await;
        let status: u16 = answer[..3].parse().unwrap();
        assert_eq!(
            report.answer.as_ref().and_then(|answer| answer.status),
            Some(status),
            "{answer}"
        );
        assert_eq!(
            matches!(report.outcome, Outcome::Rejected { .. }),
            rejected,
            "{answer}: {report:?}"
        );
        let (Outcome::Rejected { error } | Outcome::Failed { error, .. }) = report.outcome else {
            panic!("{answer} is accepted");
        };
        assert!(error.contains(says) && error.contains(&answer[4..]), "{error}");
        assert!(error.starts_with(&format!("127.0.0.1:{}: ", server.port)), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_speaks_something_else_is_asked_again() {
    let failed = async |email: Email, says: &str| {
        let report = samples::send(&email, &failed_request()).await;
        assert!(
            matches!(&report.outcome, Outcome::Failed { error, .. } if error.contains(says)),
            "{says}: {report:?}"
        );
    };
    failed(Email::new(&settings(1)).unwrap(), "can be reached").await;
    let server = MailServer::start(Some(("greeting", "HTTP/1.1 400 Bad Request"))).await;
    failed(server.receiver(), "speaks SMTP").await;
    // It offers no STARTTLS, and nothing is sent without.
    let server = MailServer::start(None).await;
    let settings = EmailSettings {
        tls: EmailTls::StartTls,
        ..settings(server.port)
    };
    failed(Email::new(&settings).unwrap(), "check `tls`").await;
    // It speaks no TLS at all.
    let settings = EmailSettings {
        tls: EmailTls::Implicit,
        ..settings
    };
    failed(Email::new(&settings).unwrap(), "`tls`").await;
}

#[tokio::test]
async fn an_attempt_that_is_cut_off_hangs_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let email = Email::new(&settings(silent.local_addr().unwrap().port())).unwrap();
    let (announcement, accepted) = (failed_request(), silent.accept());
    let mut connection = tokio::select! {
        report = samples::send(&email, &announcement) => panic!("{report:?}"),
        connection = accepted => connection.unwrap().0,
    };
    // It had nothing to say before the greeting.
    let mut said = Vec::new();
    connection.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"");
}

#[tokio::test]
async fn the_password_shows_nowhere() {
    for answer in [
        "535 5.7.8 wrong: {line}",
        "535 wrong password T0SECRETmarker",
        "235 {line}",
    ] {
        let server = MailServer::start(Some(("AUTH", answer))).await;
        let email = server.receiver();
        let report = samples::send(&email, &failed_request()).await;
        let news = News::Change(Box::new(failed_request()));
        let preview = email.preview(&Message::new(&news));
        let shown = format!("{email:?} {report:?} {preview:?} {:?}", settings(1));
        for secret in [PASSWORD, "VDBTRUNSRVRtYXJrZXI", "AGNjd2F0Y2gAVDBTRUNSRVRtYXJrZXI"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn what_is_no_address_is_told_by_its_key() {
    let mut from = settings(25);
    from.from = "no one".into();
    assert!(
        Email::new(&from)
            .unwrap_err()
            .to_string()
            .starts_with("`from` is no address")
    );
    let mut to = settings(25);
    to.to.push("a@b@c".into());
    assert!(
        Email::new(&to)
            .unwrap_err()
            .to_string()
            .starts_with("`to` is no address")
    );
}

#[test]
fn a_preview_is_readable_and_measures_what_would_be_cut() {
    let mut long = failed_hook("WARN");
    long.message = Some("x".repeat(60_000));
    let news = News::Change(Box::new(long));
    let preview = receiver().preview(&Message::new(&news));
    assert!(preview.content.starts_with(
        "From: ccwatch <ccwatch@example.com>\nTo: ops@example.com, dev@example.com\n\
         Subject: ⚠️ Hook Acme::S3::Guard found fault on CREATE AWS::S3::Bucket\nReferences: <prod"
    ));
    let [subject, letter] = preview.measures.as_slice() else {
        panic!("{preview:?}")
    };
    assert!(subject.size < subject.limit && letter.size > letter.limit);
}

proptest! {
    #[test]
    fn no_text_whatever_adds_a_header_or_breaks_a_line(
        unit in prop_oneof![any::<String>(), "[\r\n: @<>€a.=?]{1,20}", Just("\r\nBcc: all@example.com\r\n\r\n".to_owned())],
        times in 0_usize..100,
    ) {
        let text: String = unit.chars().cycle().take(unit.len().min(30) * times).collect();
        let email = receiver();
        let names = |letter: &str| {
            let (headers, _) = letter.split_once("\r\n\r\n").unwrap();
            let lines = headers.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
            lines.map(|line| line.split_once(':').unwrap().0.to_owned()).collect::<Vec<_>>()
        };
        let usual = names(&letter(&email, &failed_request(), "a"));
        let hostile = letter(&email, &hostile(&text), &text);
        prop_assert_eq!(names(&hostile), usual);
        // RFC 5322, 2.1.1; and no line end but CRLF.
        for line in hostile.split("\r\n") {
            prop_assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{}", line);
        }
        for name in ["Message-ID", "References", "In-Reply-To"] {
            let id = header(&hostile, name).unwrap();
            let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix("@example.com>"));
            prop_assert!(inner.is_some_and(|inner| !inner.contains(['<', '>', '@', ' '])), "{}", id);
        }
    }
}
