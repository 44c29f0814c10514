//! The simulator under the clients that people use: boto3 and the AWS CLI, by `tests/clients/drive.py`.
//!
//! `CCWATCH_PYTHON` names a Python that has both (`pip install boto3 awscli`). Without it there is nothing to try, and
//! the test says so.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::process::Stdio;
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::simulator::{Scenario, Simulator, http};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_and_the_aws_cli_drive_it_to_success_failure_and_cancel() {
    let Some(python) = std::env::var_os("CCWATCH_PYTHON") else {
        eprintln!("skipped: CCWATCH_PYTHON names no Python with boto3 and awscli");
        return;
    };
    let shutdown = CancellationToken::new();
    let serving = TaskTracker::new();
    let serve = async |scenario, seed, age| {
        let clock = Clock::system();
        let simulator = Simulator::new(scenario, seed, clock.now().minus(age));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        serving.spawn(http::serve(listener, simulator.clone(), clock, shutdown.clone()));
        (simulator, endpoint)
    };
    let (simulator, friendly) = serve(Scenario::friendly(), 1, Duration::ZERO).await;
    // With a past, so that there is much to look at from the beginning.
    let (_, lively) = serve(Scenario::lively(), Scenario::LIVELY_SEED, Duration::from_mins(5)).await;

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/drive.py");
    let driven = Command::new(python)
        .args(["-B", script, &friendly, &lively])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&driven.stdout),
        String::from_utf8_lossy(&driven.stderr)
    );
    assert!(driven.status.success(), "{told}");
    eprint!("{told}");

    shutdown.cancel();
    serving.close();
    serving.wait().await;
    let calls = simulator.calls();
    for operation in [
        "CreateResource",
        "UpdateResource",
        "DeleteResource",
        "GetResource",
        "ListResources",
        "GetResourceRequestStatus",
        "ListResourceRequests",
        "CancelResourceRequest",
    ] {
        assert!(
            calls.of(operation).answered > 1,
            "{operation}: {:?}",
            calls.of(operation)
        );
    }
}
