//! The simulator on a socket: with the real SDK, and with whatever else may connect.
#![allow(clippy::unwrap_used)]

use std::io;
use std::time::Duration;

use aws_sdk_cloudcontrol::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudcontrol::types::OperationStatus;
use ccwatch::simulator::Faults;
use ccwatch::simulator::faults::Skew;
use serde_json::{Value, json};

#[path = "simulator_http/hostile.rs"]
mod hostile;
#[path = "simulator_http/on_a_socket.rs"]
mod on_a_socket;

use self::on_a_socket::OnASocket;

#[tokio::test]
async fn the_sdk_drives_it() {
    let served = OnASocket::start().await;
    let client = served.client();
    let call = client.create_resource().type_name("AWS::S3::Bucket");
    let answer = call
        .desired_state(r#"{"_simulator":{"takes":"1h"}}"#)
        .send()
        .await
        .unwrap();
    let token = answer.progress_event.unwrap().request_token.unwrap();
    let listed = client.list_resource_requests().send().await.unwrap();
    let entries = listed.resource_request_status_summaries();
    assert_eq!(entries[0].request_token(), Some(token.as_str()));
    let answer = client
        .cancel_resource_request()
        .request_token(&token)
        .send()
        .await
        .unwrap();
    let status = answer.progress_event.unwrap().operation_status;
    assert_eq!(status, Some(OperationStatus::CancelInProgress));

    served.simulator.set_faults(Faults {
        resets: 1.0,
        ..Faults::default()
    });
    for _ in 0..5 {
        let error = client.list_resource_requests().send().await.unwrap_err();
        assert!(
            matches!(&error, SdkError::DispatchFailure(failure) if failure.is_io()),
            "{error:?}"
        );
    }
    served.simulator.set_faults(Faults {
        cut_off: 1.0,
        ..Faults::default()
    });
    let error = client.list_resource_requests().send().await.unwrap_err();
    assert!(matches!(&error, SdkError::ResponseError(_)), "{error:?}");
    served.stop().await;
}

#[tokio::test]
async fn what_is_slow_on_purpose_is_not_waited_for_at_the_end() {
    let served = OnASocket::start().await;
    served.simulator.set_faults(Faults {
        slow: 1.0,
        slow_by: Duration::from_hours(1),
        ..Faults::default()
    });
    let client = served.client();
    let waiting = tokio::spawn(async move { client.list_resource_requests().send().await });
    tokio::task::yield_now().await;
    served.stop().await;
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn truth_calls_and_faults_are_told() {
    let served = OnASocket::start().await;
    let client = served.client();
    let call = client
        .create_resource()
        .type_name("AWS::S3::Bucket")
        .desired_state("{}");
    let token = call
        .send()
        .await
        .unwrap()
        .progress_event
        .unwrap()
        .request_token
        .unwrap();

    let (status, truth) = served.ask("GET", "/_simulator/truth", "").await;
    assert_eq!(status, 200);
    assert_eq!(truth["transitions"][0]["what"], "began");
    assert_eq!(truth["transitions"][1]["status"], "PENDING");
    assert_eq!(truth["requests"][&token]["type_name"], "AWS::S3::Bucket");
    let (_, calls) = served.ask("GET", "/_simulator/calls", "").await;
    assert_eq!(calls["early_looks"], 0);
    assert_eq!(calls["operations"]["CreateResource"]["answered"], 1);

    let faults = r#"{"clock_skew": "-90s", "throttled": 1}"#;
    let (status, faults) = served.ask("POST", "/_simulator/faults", faults).await;
    assert_eq!((status, &faults["clock_skew"]), (200, &json!("-1m 30s")));
    let skew = served.simulator.with(|world| world.faults().clock_skew);
    assert_eq!(skew, Skew::behind(Duration::from_secs(90)));
    let error = client.list_resource_requests().send().await.unwrap_err();
    assert_eq!(error.code(), Some("ThrottlingException"));
    for (body, says) in [
        ("{", "EOF"),
        (r#"{"throtled": 1}"#, "throtled"),
        (r#"{"resets": 2}"#, "from 0 to 1"),
    ] {
        let (status, error) = served.ask("POST", "/_simulator/faults", body).await;
        assert_eq!(status, 400);
        assert!(error["error"].as_str().unwrap().contains(says), "{error}");
    }
    let (_, faults) = served.ask("GET", "/_simulator/faults", "").await;
    assert_eq!(faults["throttled"], 1.0, "a refused change changes nothing");
    served.stop().await;
}

#[tokio::test]
async fn a_reset_is_a_reset_and_the_date_is_told_once() {
    let served = OnASocket::start().await;
    let request = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\n\
        x-amz-target: CloudApiService.ListResourceRequests\r\ncontent-length: 2\r\n\r\n{}";
    let answer = served.exchange(request).await.unwrap();
    assert_eq!(answer.matches("date: ").count(), 1, "{answer}");
    assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    assert!(answer.ends_with(r#"{"ResourceRequestStatusSummaries":[]}"#), "{answer}");
    served.simulator.set_faults(Faults {
        resets: 1.0,
        ..Faults::default()
    });
    let error = served.exchange(request).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    served.stop().await;
}

#[tokio::test]
async fn truth_calls_and_faults_are_told_of_each_world_by_itself_and_calls_of_all_together() {
    let served = OnASocket::start().await;
    let list = |access_key: &str| {
        format!(
            "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\n\
             x-amz-target: CloudApiService.ListResourceRequests\r\n\
             authorization: AWS4-HMAC-SHA256 Credential={access_key}/20260101/eu-west-1/cloudcontrolapi/aws4_request\r\n\
             content-length: 2\r\n\r\n{{}}"
        )
    };
    for access_key in ["000000000001", "000000000001", "000000000002"] {
        let answer = served.exchange(list(access_key).as_bytes()).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let received = |calls: &Value| calls["operations"]["ListResourceRequests"]["received"].clone();
    let (_, all) = served.ask("GET", "/_simulator/calls", "").await;
    assert_eq!(received(&all), 3);
    assert_eq!(
        all["worlds"].as_array().unwrap().len(),
        3,
        "the scenario's own among them"
    );
    assert_eq!(all["worlds"][0]["account_id"], "000000000001");
    assert_eq!(received(&all["worlds"][0]), 2);
    let first = "?account=000000000001&region=eu-west-1";
    let (_, one) = served.ask("GET", &format!("/_simulator/calls{first}"), "").await;
    assert_eq!((received(&one), one.get("worlds")), (json!(2), None));

    let path = format!("/_simulator/faults{first}");
    served.ask("POST", &path, r#"{"throttled": 1}"#).await;
    assert_eq!(served.ask("GET", &path, "").await.1["throttled"], 1.0);
    assert_eq!(served.ask("GET", "/_simulator/faults", "").await.1["throttled"], 0.0);
    let answer = served.exchange(list("000000000001").as_bytes()).await.unwrap();
    assert!(answer.contains("ThrottlingException"), "{answer}");
    let answer = served.exchange(list("000000000002").as_bytes()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (status, _) = served.ask("GET", &format!("/_simulator/truth{first}"), "").await;
    assert_eq!(status, 200);
    for query in ["?account=1", "?region=EU", "?world=1"] {
        let (status, error) = served.ask("GET", &format!("/_simulator/truth{query}"), "").await;
        assert_eq!(status, 400, "{error}");
        assert!(!error["error"].as_str().unwrap().is_empty());
    }
    served.stop().await;
}
