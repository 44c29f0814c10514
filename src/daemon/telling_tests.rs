//! History, bell and couriers together, in simulated time on a real file: outages, wishes to be left alone, and bursts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::joints::HistoryMemory;
use crate::clock::Clock;
use crate::decide::retry::Outcome;
use crate::decide::route::Route;
use crate::deliver::{Attempt, Courier, Destination, Pace, Preview, Receiver, Report, Sending};
use crate::history::History;
use crate::model::{
    DeliveryId, News, ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, TargetId,
    TargetName, Timestamp,
};
use crate::render::{Message, Renderer};
use crate::watch::{Memory, Recording};

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const GRACE: Duration = Duration::from_secs(10);

/// What a receiver says at a time.
type Mood = fn(Timestamp) -> Outcome;

/// A receiver that is in a mood, and remembers.
#[derive(Debug, Clone)]
struct Tool {
    pace: Pace,
    mood: Mood,
    clock: Clock,
    /// When each attempt began.
    attempts: Arc<Mutex<Vec<Timestamp>>>,
    accepted: Arc<Mutex<Vec<Accepted>>>,
}

/// A message that was accepted.
#[derive(Debug, Clone)]
struct Accepted {
    at: Timestamp,
    /// The request and its new status; of a digest none.
    told: Option<(String, String)>,
    /// How many changes it told.
    changes: u32,
}

impl Receiver for Tool {
    fn pace(&self) -> Pace {
        self.pace
    }

    fn preview(&self, _: &Message<'_>) -> Preview {
        unreachable!("a courier does not preview")
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(async move {
            let now = self.clock.now();
            self.attempts.lock().unwrap().push(now);
            sleep(Duration::from_millis(30)).await;
            let outcome = (self.mood)(now);
            if outcome == Outcome::Accepted {
                let (told, changes) = match attempt.message.news {
                    News::Change(change) => {
                        let status = change.to.clone().unwrap_or_default();
                        (Some((change.request.request_token.clone(), status)), 1)
                    }
                    News::Digest(digest) => (None, digest.changes),
                    News::Receiver(_) => (None, 0),
                };
                let accepted = Accepted {
                    at: self.clock.now(),
                    told,
                    changes,
                };
                self.accepted.lock().unwrap().push(accepted);
            }
            Report::from(outcome)
        })
    }
}

impl Tool {
    fn accepted(&self) -> Vec<Accepted> {
        self.accepted.lock().unwrap().clone()
    }

    fn attempts(&self) -> Vec<Timestamp> {
        self.attempts.lock().unwrap().clone()
    }
}

fn accepts(_: Timestamp) -> Outcome {
    Outcome::Accepted
}

/// Down from the tenth minute to the seventieth.
fn down_for_an_hour(now: Timestamp) -> Outcome {
    let minutes = now.since(START).as_secs() / 60;
    if (10..70).contains(&minutes) {
        return Outcome::Failed {
            error: "503".into(),
            retry_after: None,
        };
    }
    Outcome::Accepted
}

/// Asks, in the second minute, to be left alone for twenty.
fn called_too_often(now: Timestamp) -> Outcome {
    if now.since(START).as_secs() / 60 == 1 {
        return Outcome::Failed {
            error: "429".into(),
            retry_after: Some(QUIET),
        };
    }
    Outcome::Accepted
}

const QUIET: Duration = Duration::from_mins(20);

struct Stage {
    history: History,
    memory: HistoryMemory,
    bell: tokio::sync::watch::Sender<()>,
    clock: Clock,
    target: TargetId,
    _folder: TempDir,
}

struct Couriers {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Couriers {
    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

impl Stage {
    async fn new(receivers: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let clock = Clock::simulated(START);
        let (bell, _) = tokio::sync::watch::channel(());
        let everything = Route {
            name: "everything".into(),
            to: receivers.iter().map(ToString::to_string).collect(),
            ..Route::default()
        };
        let memory = HistoryMemory::new(history.clone(), Arc::new(vec![everything].into()), bell.clone());
        let region = Region("eu-west-1".into());
        let name = TargetName::new("prod", &region);
        let target = memory
            .register(&name, None, &region, clock.now())
            .await
            .unwrap()
            .target
            .id;
        memory.begin_baseline(target, clock.now()).await.unwrap();
        memory.complete_baseline(target, clock.now()).await.unwrap();
        Self {
            history,
            memory,
            bell,
            clock,
            target,
            _folder: folder,
        }
    }

    fn tool(&self, pace: Pace, mood: Mood) -> Tool {
        Tool {
            pace,
            mood,
            clock: self.clock.clone(),
            attempts: Arc::default(),
            accepted: Arc::default(),
        }
    }

    fn start(&self, tools: &[(&str, &Tool, Option<u32>)]) -> Couriers {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for (seed, (name, tool, digest_over)) in (1..).zip(tools) {
            let destination = Destination {
                name: (*name).to_owned(),
                give_up_after: Duration::from_hours(24),
                time_out: Duration::from_secs(15),
                digest_over: *digest_over,
                spacing: None,
                renderer: Renderer::default(),
                receiver: Arc::new((*tool).clone()),
            };
            let courier = Courier::new(
                destination,
                self.memory.outbox(),
                self.bell.subscribe(),
                self.clock.clone(),
                fastrand::Rng::with_seed(seed),
            );
            let stop = stop.clone();
            tasks.spawn(async move { courier.run(stop, GRACE).await.unwrap() });
        }
        Couriers { stop, tasks }
    }

    async fn see(&self, requests: impl Iterator<Item = String>, status: &RequestStatus) {
        let seen = |token: String| Sighting {
            key: RequestKey {
                target: self.target,
                token: RequestToken::new(token.clone()),
            },
            seen_at: self.clock.now(),
            source: Source::List,
            seen: Seen::Event(
                Box::new(ProgressEvent {
                    status: Some(status.clone()),
                    ..ProgressEvent::of(RequestToken::new(token))
                }),
                None,
            ),
        };
        self.memory.record(requests.map(seen).collect()).await.unwrap();
    }
}

const ALL: [RequestStatus; 3] = [
    RequestStatus::Pending,
    RequestStatus::InProgress,
    RequestStatus::Success,
];

fn paced(concurrency: usize, spacing: Duration) -> Pace {
    Pace {
        concurrency,
        spacing,
        burst: 1,
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_was_down_for_an_hour_gets_everything_once_and_in_order() {
    let stage = Stage::new(&["machine"]).await;
    let machine = stage.tool(paced(4, Duration::ZERO), down_for_an_hour);
    let couriers = stage.start(&[("machine", &machine, None)]);
    // A hundred minutes with a request in each, which changes every five minutes.
    for minute in 0..100 {
        for (step, status) in ALL.iter().enumerate() {
            let Some(began) = usize::try_from(minute).unwrap().checked_sub(5 * step) else {
                continue;
            };
            stage.see([format!("r{began}")].into_iter(), status).await;
        }
        sleep(Duration::from_mins(1)).await;
    }
    sleep(Duration::from_hours(2)).await;
    couriers.stop().await;
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (request, status) in machine.accepted().into_iter().filter_map(|accepted| accepted.told) {
        told.entry(request).or_default().push(status);
    }
    assert_eq!(told.len(), 100);
    for (request, statuses) in &told {
        let known = ["PENDING", "IN_PROGRESS", "SUCCESS"];
        let began: usize = request[1..].parse().unwrap();
        let seen = known.len().min((99 - began) / 5 + 1);
        assert_eq!(*statuses, known[..seen], "{request}");
    }
    let attempts = machine.attempts().len();
    assert!(
        attempts < 2_000,
        "{attempts} attempts for {} messages: too many",
        machine.accepted().len()
    );
}

#[tokio::test(start_paused = true)]
async fn not_one_send_before_a_retry_after_has_passed_not_even_after_a_restart() {
    let stage = Stage::new(&["machine", "people"]).await;
    let machine = stage.tool(paced(4, Duration::ZERO), called_too_often);
    let people = stage.tool(paced(1, Duration::from_secs(1)), called_too_often);
    let tools = [("machine", &machine, None), ("people", &people, Some(10))];
    let mut couriers = stage.start(&tools);
    for minute in 0..60 {
        stage
            .see(
                (0..20).map(|number| format!("r{minute}-{number}")),
                &RequestStatus::Pending,
            )
            .await;
        sleep(Duration::from_mins(1)).await;
        if minute == 5 {
            couriers.stop().await;
            couriers = stage.start(&tools);
        }
    }
    couriers.stop().await;
    for tool in [&machine, &people] {
        let attempts = tool.attempts();
        let asked = attempts
            .iter()
            .find(|at| at.since(START) >= Duration::from_mins(1))
            .copied()
            .unwrap();
        let quiet_until = asked.plus(QUIET);
        // Up to four were on the way when it first said so, each within the time that an answer takes.
        let early: Vec<_> = attempts
            .iter()
            .filter(|at| **at > asked.plus(Duration::from_millis(30)) && **at < quiet_until)
            .collect();
        assert_eq!(early, Vec::<&Timestamp>::new(), "asked at {asked}, until {quiet_until}");
        let told: u32 = tool.accepted().iter().map(|accepted| accepted.changes).sum();
        assert_eq!(told, 60 * 20);
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_changes_in_a_minute_reach_people_at_their_rate_and_none_is_left_out() {
    let stage = Stage::new(&["chat", "slow", "machine"]).await;
    let chat = stage.tool(paced(1, Duration::from_secs(1)), accepts);
    let slow = stage.tool(paced(1, Duration::from_secs(5)), accepts);
    let machine = stage.tool(paced(4, Duration::ZERO), accepts);
    let couriers = stage.start(&[
        ("chat", &chat, Some(10)),
        ("slow", &slow, Some(10)),
        ("machine", &machine, None),
    ]);
    let began = stage.clock.now();
    for second in 0..60 {
        // A third of them new, the others further on.
        for (step, status) in ALL.iter().enumerate() {
            let Some(wave) = usize::try_from(second).unwrap().checked_sub(step) else {
                continue;
            };
            stage
                .see((0..56).map(|number| format!("r{wave}-{number}")), status)
                .await;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let put = 56 * (60 + 59 + 58);
    assert!((9_900..10_100).contains(&put));
    sleep(Duration::from_mins(1)).await;
    for (tool, spacing) in [(&chat, 1), (&slow, 5)] {
        let accepted = tool.accepted();
        let told: u32 = accepted.iter().map(|accepted| accepted.changes).sum();
        assert_eq!(told, put);
        let attempts = tool.attempts();
        assert!(
            attempts
                .windows(2)
                .all(|two| two[1].since(two[0]) >= Duration::from_secs(spacing))
        );
        // Not only at its rate, but soon: what waited was told within moments of the last change.
        let last = accepted.last().unwrap().at;
        let late = last.since(began.plus(Duration::from_mins(1)));
        assert!(late <= Duration::from_secs(3 * spacing), "{late:?}");
        assert!(accepted.iter().all(|accepted| accepted.changes <= 1000));
    }
    // A machine gets each change for itself, in order, however long that takes.
    sleep(Duration::from_hours(1)).await;
    couriers.stop().await;
    assert_eq!(machine.accepted().len(), usize::try_from(put).unwrap());
    assert!(machine.accepted().iter().all(|accepted| accepted.changes == 1));
    let pending = stage
        .history
        .due_deliveries("chat", stage.clock.now(), 1, None)
        .await
        .unwrap();
    assert_eq!(
        pending.iter().flat_map(|delivery| &delivery.ids).collect::<Vec<_>>(),
        Vec::<&DeliveryId>::new()
    );
}
