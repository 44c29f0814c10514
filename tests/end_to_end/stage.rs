//! A daemon in simulated time: the real SDK over a simulator in memory, a real file, and a receiver that remembers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_cloudcontrol::config::SharedHttpClient;
use ccwatch::clock::Clock;
use ccwatch::cloud::Connection;
use ccwatch::config::{AttentionSettings, ResourceModelPolicy, TargetSettings};
use ccwatch::daemon::{Daemon, DaemonError, ServiceManager};
use ccwatch::decide::cadence::Pace;
use ccwatch::decide::retry::Outcome;
use ccwatch::decide::route::Route;
use ccwatch::deliver::{Attempt, Destination, Pace as SendPace, Preview, Receiver, Report, Sending};
use ccwatch::history::{History, Reader};
use ccwatch::model::{AccountId, Announcement, Region, Timestamp};
use ccwatch::render::{Message, Renderer};
use ccwatch::simulator::{InMemory, Scenario, Simulator};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

pub(crate) const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A simulator, a history and a receiver, whose daemon can be started and stopped.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Clock,
    pub(crate) received: Received,
    folder: TempDir,
    seed: u64,
}

/// What the receiver was handed, in order, and how it fares.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) accepted: Arc<Mutex<Vec<Announcement>>>,
    /// One attempt in so many fails; 0 for none.
    pub(crate) fails_each: Arc<Mutex<usize>>,
    attempts: Arc<Mutex<usize>>,
}

impl Received {
    pub(crate) fn all(&self) -> Vec<Announcement> {
        self.accepted.lock().unwrap().clone()
    }

    /// By request, in the order of arrival.
    pub(crate) fn by_request(&self) -> BTreeMap<String, Vec<Announcement>> {
        let mut requests: BTreeMap<String, Vec<Announcement>> = BTreeMap::new();
        for announcement in self.all() {
            requests
                .entry(announcement.request.request_token.clone())
                .or_default()
                .push(announcement);
        }
        requests
    }
}

impl Receiver for Received {
    fn pace(&self) -> SendPace {
        SendPace::at_once(4)
    }

    fn preview(&self, _: &Message<'_>) -> Preview {
        unreachable!("a courier does not preview")
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        let (number, each) = {
            let mut attempts = self.attempts.lock().unwrap();
            *attempts += 1;
            (*attempts, *self.fails_each.lock().unwrap())
        };
        Box::pin(async move {
            if each > 0 && number % each == 0 {
                return Report::from(Outcome::Failed {
                    error: "503".into(),
                    retry_after: None,
                });
            }
            let change = attempt.message.news.change().unwrap();
            self.accepted.lock().unwrap().push(change.clone());
            Report::from(Outcome::Accepted)
        })
    }
}

/// A daemon that runs.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<(), DaemonError>>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

impl Stage {
    pub(crate) fn new(scenario: Scenario, seed: u64) -> Self {
        let clock = Clock::simulated(START);
        Self {
            simulator: Simulator::new(
                Scenario {
                    region: "eu-west-1".into(),
                    ..scenario
                },
                seed,
                clock.now(),
            ),
            clock,
            received: Received::default(),
            folder: tempfile::tempdir().unwrap(),
            seed,
        }
    }

    pub(crate) fn history_path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.history_path()).unwrap()
    }

    /// The file is sound, and what it says keeps the laws, whatever has happened.
    pub(crate) fn assert_well(&self) {
        let mut findings = self.reader().check(false, |_| ());
        findings.retain(|finding| !finding.is_well());
        assert_eq!(findings, []);
    }

    pub(crate) fn start(&self, pace: Pace) -> Running {
        self.start_with(vec![Self::target("prod", pace)])
    }

    pub(crate) fn target(entry: &str, pace: Pace) -> TargetSettings {
        TargetSettings {
            entry: entry.into(),
            region: Region("eu-west-1".into()),
            account_id: Some(AccountId("123456789012".into())),
            profile: None,
            role: None,
            endpoint_url: Some(Url::parse("http://simulator.invalid").unwrap()),
            pace,
        }
    }

    pub(crate) fn start_with(&self, targets: Vec<TargetSettings>) -> Running {
        let destination = Destination {
            name: "remembers".into(),
            give_up_after: Duration::from_hours(24),
            time_out: Duration::from_secs(15),
            digest_over: None,
            spacing: None,
            renderer: Renderer::default(),
            receiver: Arc::new(self.received.clone()),
        };
        let route = Route {
            name: "everything".into(),
            to: vec!["remembers".into()],
            ..Route::default()
        };
        let in_memory = InMemory::new(self.simulator.clone(), self.clock.clone());
        let daemon = Daemon {
            history: History::open(&self.history_path()).unwrap(),
            targets,
            destinations: vec![destination],
            routing: Arc::new(vec![route].into()),
            attention: AttentionSettings::default(),
            escalations: Vec::new(),
            resource_model: ResourceModelPolicy::Drop,
            retention: None,
            connection: Connection::in_memory(SharedHttpClient::new(in_memory)),
            clock: self.clock.clone(),
            service_manager: ServiceManager::none(),
            seed: self.seed,
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(daemon.run(stop.clone(), CancellationToken::new()));
        Running { stop, task }
    }
}
