//! Clients that are slow, rude, or no clients at all: each gets the right error, and no other waits for it.
//!
//! No test here waits for a time-out: the time leaps over it, once an event has shown that the server waits.

use std::io;
use std::time::Duration;

use ccwatch::simulator::Scenario;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::on_a_socket::OnASocket;

const LIST: &str = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-amz-json-1.0\r\n\
    x-amz-target: CloudApiService.ListResourceRequests\r\ncontent-length: 2\r\n\r\n{}";

/// Lets tokio's timers run off by this much. The sockets and the operating system's clock know nothing of it.
async fn leap(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

impl OnASocket {
    /// A connection on which this was sent.
    async fn opened(&self, start: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(start.as_ref()).await.unwrap();
        stream
    }

    /// Another client is served. Connections are accepted in order, so that those opened before are waited for now.
    async fn serves_another(&self) {
        let (status, calls) = self.ask("GET", "/_simulator/calls", "").await;
        assert_eq!((status, &calls["early_looks"]), (200, &0.into()));
    }
}

/// What is left to read until the connection ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await;
    String::from_utf8(bytes).unwrap()
}

/// The beginning of the next answer.
async fn status(stream: &mut TcpStream) -> String {
    let mut line = [0; 12];
    soon(stream.read_exact(&mut line)).await;
    String::from_utf8_lossy(&line).into_owned()
}

/// What must not be stuck.
async fn soon<T>(reading: impl Future<Output = io::Result<T>>) -> T {
    let stuck = Duration::from_mins(1);
    tokio::time::timeout(stuck, reading).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_is_no_call_gets_the_right_error() {
    let served = OnASocket::start().await;
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(served.ask(method, "/", "").await.0, 404, "{method}");
    }
    assert_eq!(served.ask("POST", "/elsewhere", "{}").await.0, 404);
    let (code, error) = served.ask("POST", "/", "{}").await;
    assert_eq!(code, 400);
    assert_eq!(error["__type"], "com.amazon.coral.service#UnknownOperationException");

    let call_of_type = |content_type: &str, target: &str, body: &[u8]| {
        let head = format!(
            "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
             x-amz-target: {target}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    for (content_type, code) in [
        ("text/plain", 404),
        ("application/x-amz-json-1.1", 404),
        ("application/x-www-form-urlencoded", 404),
        ("", 404),
        ("application/json", 200),
        ("application/x-amz-json-1.0; charset=utf-8", 200),
    ] {
        let request = call_of_type(content_type, "CloudApiService.ListResourceRequests", b"{}");
        let answer = served.exchange(&request).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {code} ")),
            "{content_type}: {answer}"
        );
    }
    let call = |target: &str, body: &[u8]| call_of_type("application/x-amz-json-1.0", target, body);
    for target in [
        "CloudApiService.DescribeResource",
        "CloudApiService.",
        "CloudApiService",
        "DynamoDB_20120810.ListTables",
        "\u{e9}",
    ] {
        let answer = served.exchange(&call(target, b"{}")).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
        assert!(answer.contains("#UnknownOperationException\""), "{target}: {answer}");
    }
    let nested = "[".repeat(100_000);
    for body in [
        b"{".as_slice(),
        b"",
        b"[]",
        b"null",
        b"{\"MaxResults\": \"many\"}",
        b"{\"NextToken\": \"\xff\"}",
        nested.as_bytes(),
    ] {
        let answer = served
            .exchange(&call("CloudApiService.ListResourceRequests", body))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("#SerializationException\""), "{answer}");
    }
    for line in [
        b"BREW coffee\r\n\r\n".as_slice(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let answer = served.exchange(line).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    served.stop().await;
}

#[tokio::test]
async fn ten_megabytes_are_refused_and_the_client_gets_to_read_it() {
    let served = OnASocket::start().await;
    let megabyte = vec![b'x'; 1 << 20];
    // Sends all of it before it reads, as most clients do.
    let mut announced = served
        .opened("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10485760\r\n\r\n")
        .await;
    for _ in 0..10 {
        announced.write_all(&megabyte).await.unwrap();
    }
    assert_eq!(status(&mut announced).await, "HTTP/1.1 413");
    let mut chunked = served
        .opened("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for _ in 0..10 {
        let chunk = [b"100000\r\n".as_slice(), &megabyte, b"\r\n"].concat();
        chunked.write_all(&chunk).await.unwrap();
    }
    chunked.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(status(&mut chunked).await, "HTTP/1.1 413");

    // Whoever asks first, or announces what no one would read, hears it before sending any of it.
    for head in [
        "expect: 100-continue\r\ncontent-length: 10485760",
        "content-length: 1048576000",
    ] {
        let mut refused = served
            .opened(format!("POST / HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n"))
            .await;
        assert_eq!(status(&mut refused).await, "HTTP/1.1 413", "{head}");
    }
    let mut endless = served
        .opened("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    let chunk = [b"100000\r\n".as_slice(), &megabyte, b"\r\n"].concat();
    let mut sent = 0;
    while endless.write_all(&chunk).await.is_ok() {
        sent += 1;
        assert!(sent < 1000, "an endless body is read for ever");
    }
    served.serves_another().await;
    served.stop().await;
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let served = OnASocket::start().await;
    let mut garbled = served
        .opened("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nmany\r\n")
        .await;
    assert_eq!(status(&mut garbled).await, "HTTP/1.1 400");

    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n", "x".repeat(100_000));
    let mut long = served.opened(head).await;
    assert_eq!(status(&mut long).await, "HTTP/1.1 431");
    served.serves_another().await;
    served.stop().await;
}

#[tokio::test]
async fn a_head_that_never_ends_and_a_connection_that_never_speaks_are_closed() {
    let served = OnASocket::start().await;
    let mut dripping = served.opened("POST / HTTP/1.1\r\nhost: x\r\n").await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(served.opened("").await);
    }
    // One that was of use once.
    let mut idle = served.opened(LIST).await;
    assert_eq!(status(&mut idle).await, "HTTP/1.1 200");
    for _ in 0..3 {
        served.serves_another().await;
        leap(Duration::from_secs(24)).await;
        dripping.write_all(b"x-a: b\r\n").await.unwrap();
    }
    served.serves_another().await;
    leap(Duration::from_secs(4)).await;
    assert_eq!(rest(&mut dripping).await, "");
    for stream in &mut silent {
        assert_eq!(rest(stream).await, "");
    }
    assert!(rest(&mut idle).await.ends_with("[]}"));
    served.stop().await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_a_request_timeout() {
    let served = OnASocket::start().await;
    let mut slow = served
        .opened("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\n")
        .await;
    for _ in 0..3 {
        served.serves_another().await;
        slow.write_all(b"{").await.unwrap();
        leap(Duration::from_secs(10)).await;
    }
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("#RequestTimeoutException"), "{answer}");
    served.stop().await;
}

#[tokio::test]
async fn whoever_does_not_read_is_reset() {
    // Answers of megabytes, and a client that takes kilobytes.
    let served = OnASocket::start_with(Scenario::lively(), Duration::from_hours(1)).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = socket.connect(served.address.parse().unwrap()).await.unwrap();
    let truth = "GET /_simulator/truth HTTP/1.1\r\nhost: x\r\n\r\n".repeat(4);
    deaf.write_all(truth.as_bytes()).await.unwrap();
    let mut written = Ok(0);
    for _ in 0..1000 {
        served.serves_another().await;
        leap(Duration::from_secs(31)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        written = deaf.try_write(b"\r\n");
        if written.is_err() {
            break;
        }
    }
    let error = written.unwrap_err().kind();
    let reset = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    assert!(reset.contains(&error), "{error}");
    served.stop().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let served = OnASocket::start().await;
    let requests: Vec<String> = (0..50)
        .map(|number| {
            let body = format!(r#"{{"RequestToken":"number-{number}"}}"#);
            let close = if number == 49 { "connection: close\r\n" } else { "" };
            format!(
                "POST / HTTP/1.1\r\nhost: x\r\n{close}content-type: application/x-amz-json-1.0\r\n\
                 x-amz-target: CloudApiService.GetResourceRequestStatus\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        })
        .collect();
    let answers = served.exchange(requests.concat().as_bytes()).await.unwrap();
    let told: Vec<&str> = answers
        .split("number-")
        .skip(1)
        .map(|answer| answer.split(|next: char| !next.is_ascii_digit()).next().unwrap())
        .collect();
    let asked: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(told, asked);
    served.stop().await;
}

#[tokio::test]
async fn http_1_0_is_spoken_too() {
    let served = OnASocket::start().await;
    let old = LIST.replace("HTTP/1.1\r\nhost: x", "HTTP/1.0");
    let answer = served.exchange(old.as_bytes()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    assert!(!answer.contains("transfer-encoding"), "{answer}");
    assert!(answer.ends_with(r#"{"ResourceRequestStatusSummaries":[]}"#), "{answer}");
    served.stop().await;
}

#[tokio::test]
async fn who_hangs_up_in_the_middle_leaves_nothing_behind() {
    let served = OnASocket::start_with(Scenario::lively(), Duration::from_mins(10)).await;
    for _ in 0..20 {
        let mut answered = served.opened("GET /_simulator/truth HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert_eq!(status(&mut answered).await, "HTTP/1.1 200");
        drop(answered);
        drop(served.opened(&LIST[..LIST.len() - 1]).await);
        drop(served.opened(&LIST[..40]).await);
    }
    served.serves_another().await;
    // The calls that came in half were not carried out.
    assert_eq!(served.simulator.calls().of("ListResourceRequests").answered, 0);
    served.stop().await;
}
