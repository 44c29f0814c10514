//! A simulator on a socket of its own, and ways to talk to it.

use std::io;
use std::time::Duration;

use aws_sdk_cloudcontrol::Client;
use aws_sdk_cloudcontrol::config::retry::RetryConfig;
use aws_sdk_cloudcontrol::config::{BehaviorVersion, Config, Credentials, Region};
use ccwatch::clock::Clock;
use ccwatch::simulator::{Scenario, Simulator, http};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A friendly world on a port of its own.
pub(crate) struct OnASocket {
    pub(crate) simulator: Simulator,
    pub(crate) address: String,
    shutdown: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
}

impl OnASocket {
    pub(crate) async fn start() -> Self {
        Self::start_with(Scenario::friendly(), Duration::ZERO).await
    }

    /// This world, some time after its beginning.
    pub(crate) async fn start_with(scenario: Scenario, age: Duration) -> Self {
        let clock = Clock::system();
        let simulator = Simulator::new(scenario, 1, clock.now().minus(age));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(http::serve(listener, simulator.clone(), clock, shutdown.clone()));
        Self {
            simulator,
            address,
            shutdown,
            serving,
        }
    }

    pub(crate) fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://{}", self.address));
        Client::from_conf(config.build())
    }

    /// Sends these bytes, and reads until the connection ends.
    pub(crate) async fn exchange(&self, request: &[u8]) -> io::Result<String> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let answer = self.exchange(request.as_bytes()).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }
}
