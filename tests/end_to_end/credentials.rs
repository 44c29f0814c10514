//! Where credentials come from, and how often they are asked for.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use ccwatch::clock::Clock;
use ccwatch::simulator::{Scenario, Simulator, http};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// An STS that hands out a role to anyone, and counts how often.
async fn sts() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let assume_role = move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
        <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"#
    };
    let (listener, url) = listen().await;
    let router = Router::new().route("/", post(assume_role));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, asked)
}

/// A profile's `credential_process` runs once for all its Regions, and a role is assumed once for all of its.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_asked_for_once_however_many_regions_use_them() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, endpoint) = listen().await;
    let clock = Clock::system();
    let simulator = Simulator::new(Scenario::default(), 1, clock.now());
    let stop = CancellationToken::new();
    tokio::spawn(http::serve(listener, simulator.clone(), clock, stop.clone()));
    let (sts, roles_assumed) = sts().await;

    let started = folder.path().join("started");
    let program = folder.path().join("credentials.sh");
    let script = format!(
        "#!/bin/sh\necho once >> {}\necho '{{\"Version\": 1, \"AccessKeyId\": \"AKIAPROCESS\", \"SecretAccessKey\": \"s\"}}'\n",
        started.display()
    );
    std::fs::write(&program, script).unwrap();
    let profiles = folder.path().join("profiles");
    let profile = format!("[profile tool]\ncredential_process = sh {}\n", program.display());
    std::fs::write(&profiles, profile).unwrap();
    let config = folder.path().join("ccwatch.toml");
    let targets = format!(
        r#"
        [history]
        path = "history.db"
        [poll]
        idle_every = "1s"
        discover_every = "1s"
        [[targets]]
        name = "by-process"
        profile = "tool"
        account_id = "111111111111"
        regions = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"]
        endpoint_url = "{endpoint}"
        [[targets]]
        name = "by-role"
        role_arn = "arn:aws:iam::222222222222:role/ccwatch"
        regions = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"]
        endpoint_url = "{endpoint}"
        [[receivers]]
        name = "out"
        type = "log"
        [[routes]]
        name = "everything"
        to = "out"
        "#
    );
    std::fs::write(&config, targets).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args(["run", "--config"])
        .arg(&config)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_ACCESS_KEY_ID", "AKIABASE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_CONFIG_FILE", &profiles)
        .env("AWS_ENDPOINT_URL_STS", &sts)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Each of the eight targets lists several times.
    let answered = || {
        let calls = simulator.calls_by_place().into_values();
        calls
            .map(|calls| calls.of("ListResourceRequests").answered)
            .sum::<u64>()
    };
    for _ in 0..600 {
        if answered() >= 8 * 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stop.cancel();
    assert!(answered() >= 8 * 4);
    assert_eq!(std::fs::read_to_string(&started).unwrap().lines().count(), 1);
    assert_eq!(roles_assumed.load(Ordering::SeqCst), 1);
}
