//! The courier under paused time, against an outbox in memory that keeps the history's promises and a receiver that is
//! told how to answer.

mod order_and_retries;
mod outbox_trouble;
mod pace;
mod stopping;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::decide::retry::Verdict;
use crate::deliver::samples::{NOW, delivery};
use crate::deliver::{Attempt, Preview, Receiver, Sending};
use crate::render::{Message, Renderer};

#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
enum Failing {
    #[error("disk full")]
    Full,
    #[error("damaged")]
    Damaged,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Pending,
    Sent,
    Dead(String),
}

#[derive(Debug)]
struct Row {
    delivery: Delivery,
    state: State,
    next_attempt_at: Timestamp,
}

#[derive(Default, Debug)]
struct Table {
    rows: Vec<Row>,
    /// Calls of `due` and `next_attempt_at`.
    reads: usize,
    /// How many verdicts each successful `record` kept.
    records: Vec<usize>,
    failed_records: usize,
    fails: Option<Failing>,
    /// How the first write fails, before there is anything to record.
    unwritable: Option<Failing>,
    /// Whether it fails for reads too.
    reads_fail: bool,
    read_takes: Duration,
    record_takes: Duration,
    /// What the receiver accepted so far, so that no one is marked sent before.
    accepted: BTreeSet<String>,
}

impl Table {
    fn heads(&self) -> impl Iterator<Item = &Row> {
        let mut lines = BTreeSet::new();
        let pending = self.rows.iter().filter(|row| row.state == State::Pending);
        pending.filter(move |row| lines.insert(request_of(&row.delivery)))
    }
}

/// Keeps its rows in the order in which they were put.
#[derive(Clone, Default, Debug)]
struct Model(Arc<Mutex<Table>>);

impl Model {
    fn with<T>(&self, f: impl FnOnce(&mut Table) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, request: &str, step: usize, now: Timestamp) {
        self.with(|model| {
            let id = i64::try_from(model.rows.len()).unwrap();
            let mut delivery = delivery(id, request, step);
            delivery.since = now;
            model.rows.push(Row {
                delivery,
                state: State::Pending,
                next_attempt_at: now,
            });
        });
    }

    fn read<T>(&self, seen: T) -> Result<T, Failing> {
        match self.with(|model| model.fails.filter(|_| model.reads_fail)) {
            Some(failing) => Err(failing),
            None => Ok(seen),
        }
    }

    fn pending(&self) -> usize {
        self.with(|model| model.rows.iter().filter(|row| row.state == State::Pending).count())
    }
}

fn request_of(delivery: &Delivery) -> String {
    delivery.news.change().unwrap().request.request_token.clone()
}

impl Outbox for Model {
    type Error = Failing;

    fn may_pass(error: &Failing) -> bool {
        *error == Failing::Full
    }

    async fn due(
        &self,
        receiver: &str,
        now: Timestamp,
        limit: usize,
        _: Option<u32>,
    ) -> Result<Vec<Delivery>, Failing> {
        let (due, takes) = self.with(|model| {
            model.reads += 1;
            let due = model.heads().filter(|row| row.next_attempt_at <= now);
            let due: Vec<Delivery> = due.take(limit).map(|row| row.delivery.clone()).collect();
            (due, model.read_takes)
        });
        assert!(receiver == "r" && limit > 0);
        sleep(takes).await;
        self.read(due)
    }

    async fn next_attempt_at(&self, _: &str) -> Result<Option<Timestamp>, Failing> {
        let (next, takes) = self.with(|model| {
            model.reads += 1;
            (model.heads().map(|row| row.next_attempt_at).min(), model.read_takes)
        });
        sleep(takes).await;
        self.read(next)
    }

    async fn prove_writable(&self) -> Result<(), Failing> {
        self.with(|model| model.unwritable.map_or(Ok(()), Err))
    }

    async fn record(&self, attempts: Vec<Attempted>, _: Timestamp) -> Result<(), Failing> {
        sleep(self.with(|model| model.record_takes)).await;
        self.with(|model| {
            if let Some(failing) = model.fails {
                model.failed_records += 1;
                return Err(failing);
            }
            model.records.push(attempts.len());
            for Attempted { ids, verdict, .. } in attempts {
                let id = ids[0];
                let row = model.rows.iter_mut().find(|row| row.delivery.ids[0] == id).unwrap();
                assert_eq!(row.state, State::Pending, "{id:?} is recorded twice");
                row.delivery.attempts += 1;
                match verdict {
                    Verdict::Sent => {
                        assert!(model.accepted.contains(&row.delivery.news.id().0), "law 4");
                        row.state = State::Sent;
                    }
                    Verdict::RetryAt { at, .. } => row.next_attempt_at = at,
                    Verdict::Dead { error } => row.state = State::Dead(error),
                }
            }
            Ok(())
        })
    }
}

/// How to answer a send: after which time, and what.
type Script = Box<dyn FnMut(&str, u32, Timestamp) -> (Duration, Outcome) + Send>;

struct Scripted {
    pace: Pace,
    script: Mutex<Script>,
    model: Model,
    log: Mutex<Sent>,
    clock: Clock,
}

#[derive(Default, Debug, Clone)]
struct Sent {
    /// (when, event id) of each start.
    started: Vec<(Timestamp, String)>,
    accepted: Vec<(Timestamp, String)>,
    underway: BTreeSet<String>,
    most_underway: usize,
    /// Promises found broken. Not asserted on the spot: a panic in a send is judged a failed attempt.
    broken: Vec<String>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl Receiver for Scripted {
    fn pace(&self) -> Pace {
        self.pace
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(async move {
            let id = attempt.message.id().0.clone();
            let request = attempt.message.news.change().unwrap().request.request_token.clone();
            let (takes, outcome) = (self.script.lock().unwrap())(&id, attempt.number, self.clock.now());
            {
                let mut log = self.log.lock().unwrap();
                log.started.push((self.clock.now(), id.clone()));
                assert!(
                    log.underway.insert(request.clone()),
                    "two of {request} on the way at once"
                );
                log.most_underway = log.most_underway.max(log.underway.len());
            }
            let _on_the_way = OnTheWay(self, request);
            sleep(takes).await;
            let mut log = self.log.lock().unwrap();
            if outcome == Outcome::Accepted {
                log.accepted.push((self.clock.now(), id.clone()));
                self.model.with(|model| model.accepted.insert(id));
            }
            Report::from(outcome)
        })
    }

    fn preview(&self, _: &Message<'_>) -> Preview {
        unreachable!("a courier does not preview")
    }
}

/// A send that is under way until this is dropped, be it because the time is up.
struct OnTheWay<'a>(&'a Scripted, String);

impl Drop for OnTheWay<'_> {
    fn drop(&mut self) {
        let mut log = self.0.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.underway.remove(&self.1);
    }
}

struct World {
    model: Model,
    receiver: Arc<Scripted>,
    clock: Clock,
    bell: watch::Sender<()>,
    shutdown: CancellationToken,
    courier: JoinHandle<Result<(), CourierError<Failing>>>,
}

const GRACE: Duration = Duration::from_secs(5);
const TIME_OUT: Duration = Duration::from_mins(1);
const WIDE: Pace = Pace::at_once(4);

impl World {
    fn new(
        pace: Pace,
        model: Model,
        script: impl FnMut(&str, u32, Timestamp) -> (Duration, Outcome) + Send + 'static,
    ) -> Self {
        let clock = Clock::simulated(NOW);
        let receiver = Arc::new(Scripted {
            pace,
            script: Mutex::new(Box::new(script)),
            model: model.clone(),
            log: Mutex::default(),
            clock: clock.clone(),
        });
        let destination = Destination {
            name: "r".into(),
            give_up_after: Duration::from_hours(24),
            time_out: TIME_OUT,
            digest_over: None,
            spacing: None,
            renderer: Renderer::default(),
            receiver: receiver.clone(),
        };
        let (bell, ring) = watch::channel(());
        let shutdown = CancellationToken::new();
        let chance = fastrand::Rng::with_seed(7);
        let courier = Courier::new(destination, model.clone(), ring, clock.clone(), chance);
        let courier = tokio::spawn(courier.run(shutdown.clone(), GRACE));
        Self {
            model,
            receiver,
            clock,
            bell,
            shutdown,
            courier,
        }
    }

    fn put(&self, request: &str, step: usize) {
        self.model.put(request, step, self.clock.now());
        self.bell.send_replace(());
    }

    fn log(&self) -> Sent {
        let log = self.receiver.log.lock().unwrap().clone();
        assert_eq!(log.broken, [""; 0]);
        log
    }

    fn accepted(&self) -> Vec<String> {
        self.log().accepted.into_iter().map(|(_, id)| id).collect()
    }

    async fn stop(self) -> Result<(), CourierError<Failing>> {
        self.shutdown.cancel();
        self.courier.await.unwrap()
    }

    /// Everything put for these requests was accepted, once, and in order.
    fn assert_all_told(&self, steps: usize, requests: &[String]) {
        let mut told: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for id in self.accepted() {
            let (request, step) = id.split_once('/').unwrap();
            told.entry(request.into()).or_default().push(step.parse().unwrap());
        }
        let wanted: Vec<usize> = (0..steps).collect();
        for request in requests {
            assert_eq!(told.get(request), Some(&wanted), "request {request}");
        }
        assert_eq!(self.model.pending(), 0);
    }
}

fn accept(_: &str, _: u32, _: Timestamp) -> (Duration, Outcome) {
    (Duration::from_millis(20), Outcome::Accepted)
}

fn failure(retry_after: Option<Duration>) -> Outcome {
    Outcome::Failed {
        error: "down".into(),
        retry_after,
    }
}
