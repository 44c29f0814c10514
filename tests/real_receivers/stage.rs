//! What these tests share: a receiver as a configuration makes it, and a tool as a process that ends with its test.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::config::{Config, Environment};
use ccwatch::deliver::{Destination, Output, Report, build};
use ccwatch::model::{Delivery, DeliveryId, News};

/// The receiver that this `[[receivers]]` entry describes. It needs no name.
pub(crate) fn receiver(entry: &str) -> Destination {
    let text = format!("[[targets]]\nname = \"t\"\nregions = [\"eu-west-1\"]\n[[receivers]]\nname = \"tool\"\n{entry}");
    let config = Config::parse(&text, Path::new("/test/ccwatch.toml"), &Environment::of_process())
        .unwrap_or_else(|errors| panic!("{errors}"));
    build(&config.receivers, &Output::new(std::io::sink(), false))
        .unwrap()
        .remove(0)
}

/// Sends news as a courier does where `thread` was reported before. `number` tells the delivery from others.
pub(crate) async fn send(receiver: &Destination, number: i64, news: News, thread: Option<&str>) -> Report {
    let now = Clock::system().now();
    let delivery = Delivery {
        ids: vec![DeliveryId(number)],
        receiver: receiver.name.clone(),
        attempts: 0,
        since: now,
        news,
        thread: thread.map(str::to_owned),
    };
    receiver.send(&delivery, now).await
}

/// The Python that has the tools of PyPI.
pub(crate) fn python() -> Option<OsString> {
    let python = std::env::var_os("CCWATCH_PYTHON");
    if python.is_none() {
        println!("not tried: CCWATCH_PYTHON is not set");
    }
    python
}

/// A tool that runs until this is dropped.
pub(crate) struct Tool(Child);

impl Tool {
    /// Starts it, and waits until it listens on `port` of this machine.
    pub(crate) async fn start(command: &mut Command, port: u16) -> Self {
        let mut tool = Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        for _ in 0..1200 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return tool;
            }
            if let Some(status) = tool.0.try_wait().unwrap() {
                panic!("{command:?} ended: {status}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{command:?} does not listen on {port}");
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _ended_already = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
