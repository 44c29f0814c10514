use std::sync::LazyLock;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::deliver::double::{Double, SECRET, answer};
use crate::deliver::samples::{NOW, failed_request, in_a_minute};
use crate::model::News;
use crate::render::Message;

/// HTTP looks at the times of an attempt alone.
fn some_attempt(deadline: Instant) -> Attempt<'static> {
    static MESSAGE: LazyLock<Message<'static>> = LazyLock::new(|| {
        let news = Box::leak(Box::new(News::Change(Box::new(failed_request()))));
        Message::new(news)
    });
    Attempt {
        message: &MESSAGE,
        idempotency_key: "k",
        thread: None,
        number: 1,
        now: NOW,
        deadline,
    }
}

async fn outcome(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> Outcome {
    let double = Double::start(move |_| answer(status, headers, body)).await;
    match double
        .endpoint()
        .post(HeaderMap::new(), b"{}".to_vec(), some_attempt(in_a_minute()))
        .await
    {
        Ok(answer) => answer.outcome(),
        Err(report) => report.outcome,
    }
}

fn error(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Accepted => panic!("accepted"),
        Outcome::Failed { error, .. } | Outcome::Rejected { error } => error,
    }
}

#[tokio::test]
async fn a_status_is_permanent_only_if_it_speaks_of_the_message_or_the_address() {
    for status in [200, 201, 202, 204] {
        assert_eq!(outcome(status, &[], "").await, Outcome::Accepted, "{status}");
    }
    for status in [
        302, 303, 307, 401, 403, 404, 405, 407, 408, 425, 429, 500, 502, 503, 504,
    ] {
        let outcome = outcome(status, &[], "").await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
    for status in [301, 308, 400, 410, 413, 415, 422] {
        let outcome = outcome(status, &[], "").await;
        assert!(matches!(outcome, Outcome::Rejected { .. }), "{status}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_heard_in_both_forms() {
    let wish = |outcome: &Outcome| match outcome {
        Outcome::Failed { retry_after, .. } => *retry_after,
        other => panic!("{other:?}"),
    };
    let seconds = outcome(429, &[("retry-after", "30")], "").await;
    assert_eq!(wish(&seconds), Some(Duration::from_secs(30)));
    assert!(
        error(&seconds).contains("429 Too Many Requests and asks to wait 30s; "),
        "{seconds:?}"
    );
    let date = outcome(
        503,
        &[
            ("retry-after", "Sat, 22 Nov 2025 06:30:00 GMT"),
            ("date", "Sat, 22 Nov 2025 06:29:15 GMT"),
        ],
        "",
    );
    assert_eq!(wish(&date.await), Some(Duration::from_secs(45)));
}

#[tokio::test]
async fn an_error_says_who_what_and_what_to_do() {
    let outcome = outcome(404, &[], "no\nsuch \u{1b}[31mpage").await;
    let error = error(&outcome);
    assert!(error.starts_with("127.0.0.1:"), "{error}");
    let says = " answered 404 Not Found (\"no such \u{fffd}[31mpage\"); \
                there is no such address: check `url`; it will be tried again";
    assert!(error.ends_with(says), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Double::start(|_| answer(200, &[], "ok")).await;
    let location = elsewhere.url.clone();
    let double = Double::start(move |_| answer(307, &[("location", &location)], "")).await;
    let answer = double
        .endpoint()
        .post(HeaderMap::new(), b"{}".to_vec(), some_attempt(in_a_minute()))
        .await
        .unwrap();
    assert_eq!(answer.status, 307);
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn what_an_answer_echoes_of_the_address_is_masked_and_debug_hides_it() {
    let double = Double::start(|(path, headers, _)| {
        // Long enough that the limit on what is read cuts a secret in two.
        let echo = format!("Cannot POST {path} {headers:?} ").repeat(20);
        answer(404, &[], echo)
    })
    .await;
    let endpoint = double.endpoint();
    let answer = endpoint
        .post(HeaderMap::new(), b"{}".to_vec(), some_attempt(in_a_minute()))
        .await
        .unwrap();
    let shown = format!("{:?} {endpoint:?} {:?}", answer.outcome(), Http::new());
    assert!(shown.contains("Cannot POST"), "{shown}");
    // Not even the beginning of it.
    assert!(!shown.contains(&SECRET[..6]), "{shown}");
}

#[tokio::test]
async fn an_enormous_answer_is_not_read() {
    let double = Double::start(|_| answer(500, &[], vec![b'x'; 64 << 20])).await;
    let answer = double
        .endpoint()
        .post(HeaderMap::new(), b"{}".to_vec(), some_attempt(in_a_minute()))
        .await
        .unwrap();
    assert_eq!((answer.body.len(), answer.raw.len()), (KEPT, BODY_LIMIT));
    assert!(error(&answer.outcome()).len() < 500);
}

/// Speaks just enough HTTP to misbehave.
async fn rude(says: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).await;
        let _ = socket.write_all(says.as_bytes()).await;
        if says.contains("keep-alive") {
            std::future::pending::<()>().await;
        }
    });
    format!("http://{address}/services/{SECRET}")
}

#[tokio::test]
async fn a_status_counts_though_its_body_never_comes() {
    let url = rude("HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 10\r\n\r\nab").await;
    let endpoint = Http::new().unwrap().endpoint(&url, &[]).unwrap();
    let answer = endpoint
        .post(HeaderMap::new(), b"{}".to_vec(), some_attempt(in_a_minute()))
        .await
        .unwrap();
    assert_eq!(answer.outcome(), Outcome::Accepted);
    assert_eq!(answer.body, "ab");
}

#[tokio::test]
async fn a_status_counts_in_the_last_moment_too() {
    let url = rude("HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 10\r\n\r\n").await;
    let endpoint = Http::new().unwrap().endpoint(&url, &[]).unwrap();
    let past = Instant::now();
    let answer = endpoint
        .post(HeaderMap::new(), b"{}".to_vec(), some_attempt(past))
        .await
        .unwrap();
    assert_eq!(answer.outcome(), Outcome::Accepted);
    assert!(!answer.is_whole);
}

#[test]
fn a_body_is_never_read_into_the_deadline() {
    let now = Instant::now();
    for left in [0, 1, 100, 1_999, 2_000, 2_001].map(Duration::from_millis) {
        assert!(read_until(now, now + left) < now + left.max(HEADROOM), "{left:?}");
    }
    assert_eq!(read_until(now, now + Duration::from_mins(1)), now + BODY_TIME);
}

#[tokio::test]
async fn whoever_cannot_be_reached_or_does_not_answer_is_tried_again() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/services/{SECRET}", listener.local_addr().unwrap())
    };
    let cases = [
        (closed, "cannot connect to 127.0.0.1:"),
        (rude("").await, "no answer from 127.0.0.1:"),
        (rude("SSH-2.0-OpenSSH\r\n").await, "no answer from 127.0.0.1:"),
        // A name that never resolves: RFC 6761.
        (
            format!("https://nobody.invalid/{SECRET}"),
            "cannot connect to nobody.invalid: ",
        ),
    ];
    for (url, says) in cases {
        let endpoint = Http::new().unwrap().endpoint(&url, &[]).unwrap();
        let outcome = endpoint
            .post(HeaderMap::new(), b"{}".to_vec(), some_attempt(in_a_minute()))
            .await
            .unwrap_err();
        let outcome = outcome.outcome;
        assert!(matches!(outcome, Outcome::Failed { retry_after: None, .. }));
        let error = error(&outcome);
        assert!(error.starts_with(says), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn only_http_addresses_are_taken_and_errors_do_not_repeat_them() {
    let http = Http::new().unwrap();
    for url in [
        "",
        "T0SECRETmarker",
        "ftp://example.com/T0SECRETmarker",
        "mailto:T0SECRETmarker@x",
        "http://",
    ] {
        let error = http.endpoint(url, &[]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    }
}
