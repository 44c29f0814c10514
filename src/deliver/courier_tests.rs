//! The courier under paused time, against an outbox in memory that keeps the history's promises and a receiver that is
//! told how to answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::deliver::samples::{NOW, delivery};
use crate::deliver::{Attempt, Receiver, Sending};

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
        pending.filter(move |row| lines.insert(row.delivery.announcement.request.request_token.clone()))
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

impl Outbox for Model {
    type Error = Failing;

    fn may_pass(error: &Failing) -> bool {
        *error == Failing::Full
    }

    async fn due(&self, receiver: &str, now: Timestamp, limit: usize) -> Result<Vec<Delivery>, Failing> {
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

    async fn record(&self, verdicts: Verdicts, _: Timestamp) -> Result<(), Failing> {
        sleep(self.with(|model| model.record_takes)).await;
        self.with(|model| {
            if let Some(failing) = model.fails {
                model.failed_records += 1;
                return Err(failing);
            }
            model.records.push(verdicts.len());
            for (id, verdict) in verdicts {
                let row = model.rows.iter_mut().find(|row| row.delivery.id == id).unwrap();
                assert_eq!(row.state, State::Pending, "{id:?} is recorded twice");
                row.delivery.attempts += 1;
                match verdict {
                    Verdict::Sent => {
                        assert!(model.accepted.contains(&row.delivery.announcement.id.0), "law 4");
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
            let id = attempt.announcement.id.0.clone();
            let request = attempt.announcement.request.request_token.clone();
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
            outcome
        })
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
const WIDE: Pace = Pace {
    concurrency: 4,
    spacing: Duration::ZERO,
};

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

#[tokio::test(start_paused = true)]
async fn whatever_fails_each_change_arrives_once_and_in_order() {
    for seed in 0..20 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let model = Model::default();
        model.with(|model| model.record_takes = Duration::from_millis(5));
        let world = World::new(WIDE, model, move |_, _, _| {
            let takes = Duration::from_millis(chance.u64(0..3_000));
            match chance.u32(0..10) {
                0 | 1 => (takes, failure(None)),
                2 => (takes, failure(Some(Duration::from_secs(chance.u64(0..100))))),
                3 if takes.subsec_millis() < 200 => (TIME_OUT * 2, Outcome::Accepted),
                _ => (takes, Outcome::Accepted),
            }
        });
        let requests: Vec<String> = (0..12).map(|n| format!("request{n}")).collect();
        let mut chance = fastrand::Rng::with_seed(seed + 1000);
        for step in 0..6 {
            for request in &requests {
                world.put(request, step);
                sleep(Duration::from_millis(chance.u64(0..500))).await;
            }
            world
                .model
                .with(|model| model.fails = chance.bool().then_some(Failing::Full));
            sleep(Duration::from_secs(20)).await;
            world.model.with(|model| model.fails = None);
        }
        sleep(Duration::from_hours(23)).await;
        world.assert_all_told(6, &requests);
        assert!(world.log().most_underway <= WIDE.concurrency);
        world.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_was_down_for_an_hour_gets_everything_once_and_in_order() {
    let up_again = NOW.plus(Duration::from_hours(1));
    let world = World::new(WIDE, Model::default(), move |_, _, now| {
        let outcome = if now < up_again {
            failure(None)
        } else {
            Outcome::Accepted
        };
        (Duration::from_millis(100), outcome)
    });
    let requests: Vec<String> = (0..20).map(|n| format!("request{n}")).collect();
    for step in 0..5 {
        for request in &requests {
            world.put(request, step);
        }
        sleep(Duration::from_mins(5)).await;
    }
    sleep(Duration::from_hours(3)).await;
    world.assert_all_told(5, &requests);
    let attempts_while_down = world.log().started.iter().filter(|(at, _)| *at < up_again).count();
    assert!(
        attempts_while_down <= 20 * 7,
        "{attempts_while_down}: one line knocks for a request"
    );
}

#[tokio::test(start_paused = true)]
async fn other_requests_pass_by_one_that_fails() {
    let world = World::new(WIDE, Model::default(), |id, _, _| {
        let outcome = if id.starts_with("sick") {
            failure(None)
        } else {
            Outcome::Accepted
        };
        (Duration::ZERO, outcome)
    });
    for step in 0..3 {
        world.put("sick", step);
        world.put("fine", step);
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.accepted(), ["fine/0", "fine/1", "fine/2"]);
    assert!(world.log().started.iter().all(|(_, id)| id != "sick/1"));
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_lets_the_next_of_its_request_go() {
    let world = World::new(WIDE, Model::default(), |id, _, _| match id {
        "a/0" => (
            Duration::ZERO,
            Outcome::Rejected {
                error: "malformed".into(),
            },
        ),
        _ => (Duration::ZERO, Outcome::Accepted),
    });
    world.put("a", 0);
    world.put("a", 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.accepted(), ["a/1"]);
    let state = world.model.with(|model| model.rows[0].state.clone());
    assert_eq!(state, State::Dead("receiver `r`: malformed".into()));
}

#[tokio::test(start_paused = true)]
async fn nothing_at_all_is_sent_before_a_retry_after_has_passed() {
    let pause = Duration::from_mins(7);
    let mut asked = false;
    let world = World::new(WIDE, Model::default(), move |_, _, _| {
        let first = !std::mem::replace(&mut asked, true);
        let outcome = if first { failure(Some(pause)) } else { Outcome::Accepted };
        (Duration::from_millis(10), outcome)
    });
    world.put("a", 0);
    sleep(Duration::from_secs(1)).await;
    let reads = world.model.with(|model| model.reads);
    for step in 0..30 {
        world.put("b", step);
        sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(world.log().started.len(), 1);
    let reads = world.model.with(|model| model.reads) - reads;
    assert!(reads <= 2, "{reads}: the outbox is not asked for what may not be sent");
    sleep(Duration::from_mins(5)).await;
    let told = world.log();
    assert_eq!(told.accepted.len(), 31);
    assert!(told.started[1].0.since(told.started[0].0) >= pause);
}

#[tokio::test(start_paused = true)]
async fn what_was_fetched_before_a_long_wait_is_fetched_anew_after_it() {
    let one = Pace { concurrency: 1, ..WIDE };
    let mut asked = false;
    let world = World::new(one, Model::default(), move |_, _, _| {
        let first = !std::mem::replace(&mut asked, true);
        let wait = Some(Duration::from_hours(1)).filter(|_| first);
        (Duration::ZERO, if first { failure(wait) } else { Outcome::Accepted })
    });
    world.put("a", 0);
    world.put("b", 0);
    sleep(Duration::from_mins(1)).await;
    // Someone else gives it up meanwhile.
    world
        .model
        .with(|model| model.rows[1].state = State::Dead("by hand".into()));
    sleep(Duration::from_hours(2)).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn sends_are_spaced_as_the_receiver_wishes() {
    let spacing = Duration::from_secs(1);
    let pace = Pace {
        concurrency: 1,
        spacing,
    };
    let world = World::new(pace, Model::default(), accept);
    for n in 0..10 {
        world.put(&format!("request{n}"), 0);
    }
    sleep(Duration::from_secs(20)).await;
    let started = world.log().started;
    assert_eq!(started.len(), 10);
    for pair in started.windows(2) {
        let gap = pair[1].0.since(pair[0].0);
        assert!(gap >= spacing && gap < spacing + Duration::from_millis(100), "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ring_while_the_outbox_is_read_is_not_lost() {
    let model = Model::default();
    model.with(|model| model.read_takes = Duration::from_secs(1));
    let world = World::new(WIDE, model, accept);
    // Both reads have already seen that nothing is there; the second one is not yet back.
    sleep(Duration::from_millis(1_500)).await;
    world.put("a", 0);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn what_another_process_put_there_is_found_without_a_ring() {
    let world = World::new(WIDE, Model::default(), accept);
    sleep(Duration::from_secs(1)).await;
    world.model.put("a", 0, NOW);
    sleep(LOOK_EVERY).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_costs_few_looks_even_when_nobody_can_ring_any_more() {
    let World {
        model, bell, courier, ..
    } = World::new(WIDE, Model::default(), accept);
    sleep(Duration::from_hours(1)).await;
    let idle = model.with(|model| model.reads);
    assert!(idle <= 2 * 121, "{idle}");
    drop(bell);
    sleep(Duration::from_hours(1)).await;
    let deaf = model.with(|model| model.reads) - idle;
    assert!(deaf <= 2 * 122, "{deaf}");
    assert!(!courier.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_slow_send_does_not_make_a_hot_loop() {
    let world = World::new(WIDE, Model::default(), |_, _, _| {
        (Duration::from_secs(50), Outcome::Accepted)
    });
    world.put("a", 0);
    world.put("a", 1);
    sleep(Duration::from_secs(49)).await;
    let reads = world.model.with(|model| model.reads);
    assert!(reads <= 2 * 52, "{reads}");
    // Nor does it keep what comes meanwhile.
    world.put("b", 0);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.log().started.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_ends_during_a_commit_goes_together_into_the_next() {
    let model = Model::default();
    model.with(|model| model.record_takes = Duration::from_secs(1));
    let pace = Pace {
        concurrency: 1,
        spacing: Duration::ZERO,
    };
    let world = World::new(pace, model, |_, _, _| (Duration::from_millis(100), Outcome::Accepted));
    for n in 0..10 {
        world.model.put(&format!("request{n}"), 0, NOW);
    }
    world.bell.send_replace(());
    sleep(Duration::from_secs(10)).await;
    let records = world.model.with(|model| model.records.clone());
    assert_eq!(records.iter().sum::<usize>(), 10);
    assert!(records.len() <= 3, "{records:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_could_repeat_is_bounded() {
    let model = Model::default();
    model.with(|model| model.record_takes = Duration::from_hours(1));
    let world = World::new(WIDE, model, accept);
    for n in 0..1_000 {
        world.model.put(&format!("request{n}"), 0, NOW);
    }
    world.bell.send_replace(());
    sleep(Duration::from_mins(30)).await;
    let started = world.log().started.len();
    assert!((MOST_HELD / 2..=MOST_HELD + LOOK_AHEAD).contains(&started), "{started}");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_waited_for_and_nothing_new_is_sent_and_nothing_is_sent_again() {
    let model = Model::default();
    model.with(|model| model.fails = Some(Failing::Full));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    sleep(Duration::from_secs(1)).await;
    world.put("b", 0);
    sleep(Duration::from_hours(24)).await;
    assert_eq!(world.log().started.len(), 1);
    let tried = world.model.with(|model| model.failed_records);
    assert!((24 * 60..=24 * 120 + 20).contains(&tried), "{tried}");
    world.model.with(|model| model.fails = None);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(world.accepted(), ["a/0", "b/0"]);
    assert_eq!(world.log().started.len(), 2);
    assert_eq!(world.model.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_cannot_be_read_for_now_is_waited_for() {
    let model = Model::default();
    model.with(|model| (model.fails, model.reads_fail) = (Some(Failing::Full), true));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    sleep(Duration::from_hours(1)).await;
    let reads = world.model.with(|model| model.reads);
    assert!((60..=140).contains(&reads), "{reads}");
    world.model.with(|model| model.fails = None);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_ends_the_courier_at_once_with_an_error_that_says_what_is_at_stake() {
    let model = Model::default();
    model.with(|model| model.fails = Some(Failing::Damaged));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    let World {
        bell: _bell,
        courier,
        model,
        ..
    } = world;
    let started = Instant::now();
    let error = courier.await.unwrap().unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1));
    let text = error.to_string();
    assert!(
        text.contains("receiver `r`") && text.contains("1 finished sends"),
        "{text}"
    );
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "damaged");
    assert_eq!(model.pending(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_falls_due_while_the_courier_takes_its_turn_is_not_left_without_a_wake() {
    let model = Model::default();
    let World { receiver, clock, .. } = World::new(WIDE, model.clone(), accept);
    let destination = Destination {
        name: "r".into(),
        give_up_after: Duration::from_hours(24),
        time_out: TIME_OUT,
        receiver,
    };
    let (_bell, ring) = watch::channel(());
    let mut courier = Courier::new(destination, model, ring, clock, fastrand::Rng::with_seed(7));
    // As it stands where the time came just after `start_recording` had found it too early.
    let due = Instant::now();
    courier.unrecorded = vec![(DeliveryId(0), Verdict::Sent)];
    courier.outbox_trouble = Some(OutboxTrouble {
        failures: 1,
        until: due,
    });
    assert_eq!(courier.start_sends().await.unwrap(), Some(due));
}

#[tokio::test(start_paused = true)]
async fn stopping_lets_sends_finish_and_keeps_their_verdicts() {
    let world = World::new(WIDE, Model::default(), |_, _, _| {
        (Duration::from_secs(3), Outcome::Accepted)
    });
    for n in 0..6 {
        world.put(&format!("request{n}"), 0);
    }
    sleep(Duration::from_secs(1)).await;
    let (model, receiver) = (world.model.clone(), world.receiver.clone());
    let stopping = Instant::now();
    world.stop().await.unwrap();
    assert_eq!(stopping.elapsed(), Duration::from_secs(2));
    assert_eq!(receiver.log.lock().unwrap().started.len(), 4, "nothing new is started");
    assert_eq!(model.pending(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_stopping_cuts_off_stays_pending_and_costs_no_attempt() {
    let world = World::new(WIDE, Model::default(), |id, _, _| {
        let takes = if id == "slow/0" { 50 } else { 2 };
        (Duration::from_secs(takes), Outcome::Accepted)
    });
    world.put("slow", 0);
    world.put("quick", 0);
    sleep(Duration::from_secs(1)).await;
    let (model, stopping) = (world.model.clone(), Instant::now());
    world.stop().await.unwrap();
    assert_eq!(stopping.elapsed(), GRACE);
    model.with(|model| {
        assert_eq!(
            (&model.rows[0].state, model.rows[0].delivery.attempts),
            (&State::Pending, 0)
        );
        assert_eq!(model.rows[1].state, State::Sent);
    });
}

#[tokio::test(start_paused = true)]
async fn stopping_with_a_history_that_fails_ends_with_the_grace_period() {
    let model = Model::default();
    model.with(|model| {
        model.fails = Some(Failing::Full);
        // A wait for this must be a wait, not a hot loop, which would keep paused time from passing.
        model.record_takes = Duration::from_millis(100);
    });
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    // By now it is tried once a minute at most.
    sleep(Duration::from_hours(1)).await;
    let stopping = Instant::now();
    world.stop().await.unwrap_err();
    let took = stopping.elapsed();
    assert!(took >= GRACE && took <= GRACE + Duration::from_millis(200), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn stopping_records_at_once_what_can_be_recorded_again() {
    let model = Model::default();
    model.with(|model| model.fails = Some(Failing::Full));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    sleep(Duration::from_hours(1)).await;
    let model = world.model.clone();
    model.with(|model| model.fails = None);
    let stopping = Instant::now();
    world.stop().await.unwrap();
    assert_eq!(stopping.elapsed(), Duration::ZERO);
    assert_eq!(model.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_takes_too_long_or_panics_is_a_failure_and_no_more() {
    let world = World::new(WIDE, Model::default(), |id, attempt, _| match (id, attempt) {
        ("slow/0", 1) => (TIME_OUT * 2, Outcome::Accepted),
        ("bug/0", 1) => panic!("a bug, on purpose"),
        _ => (Duration::ZERO, Outcome::Accepted),
    });
    for request in ["bug", "fine"] {
        world.put(request, 0);
    }
    // The script's lock is poisoned by the panic.
    sleep(Duration::from_millis(10)).await;
    world.receiver.script.clear_poison();
    sleep(Duration::from_secs(10)).await;
    let told: BTreeSet<String> = world.accepted().into_iter().collect();
    assert_eq!(told, ["bug/0".to_owned(), "fine/0".to_owned()].into());
}
