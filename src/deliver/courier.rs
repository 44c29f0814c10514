//! Carries deliveries from the outbox to one receiver, one task for each receiver.
//!
//! The courier takes no input: it looks at the outbox, the stored truth, and three things make it look again: the bell
//! (something was put there), the time of the next attempt, and every 30 seconds the clock (another process may have put
//! something there, and cannot ring). All run the same code, so a lost ring costs time, never a delivery.
//!
//! What is on the way is known by id: `held` holds every delivery that is taken from the outbox and whose verdict is
//! not yet committed. The outbox still shows these as pending, and `due` may return them; they are passed over.
//!
//! - A verdict is recorded as soon as no other commit is under way; those that come meanwhile go together in the next.
//!   A commit is never raced or dropped half-way: it happens even where its future is dropped.
//! - While the outbox fails with what may pass (a full disk, say), nothing new is sent, since what cannot be recorded
//!   would be sent again; what was accepted is held, and its recording retried without limit. To give up after a while
//!   would end the process, and each new one would send the same messages again. What will not pass is returned at once.
//!   While stopping, the grace period is the limit.
//! - Before the first send the outbox is written to once, for the same reason: a start on a full disk sends nothing.
//! - After an answer with Retry-After nothing is sent to this receiver before its time: whoever says 429 speaks for the
//!   whole address, not for one message.
//!
//! Rejected: a channel from the history to here. It must be bounded, then it blocks the writer or drops; and after a
//! restart the outbox has to be read anyhow.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::health::Health;
use super::{Destination, Outbox, Pace, Report};
use crate::clock::Clock;
use crate::decide::back_off;
use crate::decide::retry::{Attempted, Outcome, verdict};
use crate::model::{Delivery, DeliveryId, Timestamp};

/// How often the outbox is looked at without any reason, for what another process has put there.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The least time between two looks that nothing but the time of a next attempt asks for: an attempt that is under way
/// is shown as overdue, and must not make this a hot loop.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// Deliveries fetched beyond those that can start at once, for a receiver without spacing. Few: a fetched delivery
/// shows its request as it stood when it was fetched.
const LOOK_AHEAD: usize = 16;
/// Nothing more is fetched while this many are taken and not yet recorded: what a crash could repeat is bounded. (A digest
/// alone may carry more.)
const MOST_HELD: usize = 64;

/// The outbox failed with what will not pass, or until the end of the grace period when ccwatch was stopping.
#[derive(Debug, thiserror::Error)]
#[error(
    "deliveries to receiver `{receiver}` stopped: the history failed {failures} times in a row \
     ({unrecorded} finished sends could not be recorded and will be sent again)"
)]
pub struct CourierError<E: std::error::Error + 'static> {
    receiver: String,
    failures: u32,
    unrecorded: usize,
    source: E,
}

/// Carries deliveries to one receiver.
pub struct Courier<O: Outbox> {
    destination: Destination,
    pace: Pace,
    outbox: O,
    /// Rung by the history's writer after each commit that put something into the outbox.
    bell: watch::Receiver<()>,
    bell_is_gone: bool,
    clock: Clock,
    chance: fastrand::Rng,
    health: Health,

    held: HashSet<DeliveryId>,
    /// Fetched, not yet started.
    ready: VecDeque<Delivery>,
    sends: JoinSet<Report>,
    sending: HashMap<Id, Underway>,
    unrecorded: Vec<Attempted>,
    recording: Option<Recording<O>>,
    /// Whether the outbox has been written to since the start.
    is_proven: bool,
    /// No send starts before: the receiver's spacing, or its Retry-After.
    not_before: Instant,
    /// When all sends so far are paid for by their spacing.
    paid_until: Instant,
    outbox_trouble: Option<OutboxTrouble>,
}

/// A send that was started.
struct Underway {
    ids: Vec<DeliveryId>,
    number: u32,
    /// When the delivery was put into the outbox.
    since: Timestamp,
    began_at: Timestamp,
}

/// A commit under way, as a task of its own: it goes on while the courier awaits something else, so that an outbox whose
/// reads wait for its writes cannot lock up. It gives the attempts back, since they are needed again if it failed.
type Recording<O> = JoinHandle<(Vec<Attempted>, Result<(), <O as Outbox>::Error>)>;

/// The outbox fails.
struct OutboxTrouble {
    failures: u32,
    /// Left alone until then.
    until: Instant,
}

/// What the courier waited for.
enum Event<E> {
    Finished(Id, Report),
    Recorded(Vec<Attempted>, Result<(), E>),
    /// Look again.
    Woken,
    /// ccwatch stops.
    Stop,
    /// What is still being sent is cut off.
    GraceOver,
}

impl<O: Outbox> fmt::Debug for Courier<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier")
            .field("destination", &self.destination)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

impl<O: Outbox> Courier<O> {
    /// `chance` spreads retries. The `bell` is to be rung after each commit that may have put something into the
    /// outbox.
    pub fn new(
        destination: Destination,
        outbox: O,
        bell: watch::Receiver<()>,
        clock: Clock,
        chance: fastrand::Rng,
    ) -> Self {
        Self {
            pace: destination.pace(),
            destination,
            outbox,
            bell,
            bell_is_gone: false,
            clock,
            chance,
            health: Health::default(),
            held: HashSet::new(),
            ready: VecDeque::new(),
            sends: JoinSet::new(),
            sending: HashMap::new(),
            unrecorded: Vec::new(),
            recording: None,
            is_proven: false,
            not_before: Instant::now(),
            paid_until: Instant::now(),
            outbox_trouble: None,
        }
    }

    /// Delivers until `shutdown`. Then starts nothing new, lets what is being sent finish within `grace`, records its
    /// verdicts and returns; what is cut off stays pending, and its attempt is not counted.
    ///
    /// # Errors
    /// Where the outbox fails with what will not pass, or until `grace` is over: see [`CourierError`].
    pub async fn run(mut self, shutdown: CancellationToken, grace: Duration) -> Result<(), CourierError<O::Error>> {
        let mut stop_at = None;
        loop {
            // Seen before looking, not after: a ring that comes while the outbox is being read then still counts as
            // unseen, and wakes the wait below. The other way round, what was put there between the read and the
            // subscription would lie until the clock comes by.
            self.bell.borrow_and_update();
            self.start_recording();
            let look_at = match stop_at {
                None => self.start_sends().await?,
                Some(_) if self.is_idle() => return Ok(()),
                Some(_) => self.record_again_at(),
            };
            match self.wait(look_at, &shutdown, stop_at).await {
                Event::Finished(task, report) => self.finished(task, report),
                Event::Recorded(attempts, result) => self.recorded(attempts, result, stop_at)?,
                Event::Woken => {}
                Event::Stop => {
                    stop_at = Some(after(grace));
                    // No time for long pauses any more.
                    if let Some(trouble) = &mut self.outbox_trouble {
                        trouble.until = Instant::now();
                    }
                }
                Event::GraceOver => self.cut_off().await,
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.sends.is_empty() && self.unrecorded.is_empty() && self.recording.is_none()
    }

    /// When a recording that failed is tried again.
    fn record_again_at(&self) -> Option<Instant> {
        let waits = self.recording.is_none() && !self.unrecorded.is_empty();
        self.outbox_trouble
            .as_ref()
            .filter(|_| waits)
            .map(|trouble| trouble.until)
    }

    async fn wait(
        &mut self,
        look_at: Option<Instant>,
        shutdown: &CancellationToken,
        stop_at: Option<Instant>,
    ) -> Event<O::Error> {
        let recording = async {
            let Some(recording) = &mut self.recording else {
                return std::future::pending().await;
            };
            match recording.await.map_err(tokio::task::JoinError::try_into_panic) {
                Ok(recorded) => recorded,
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                // Cancelled: the runtime shuts down, and this task with it.
                Err(Err(_)) => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(done) = self.sends.join_next_with_id() => match done {
                Ok((task, report)) => Event::Finished(task, report),
                Err(error) => Event::Finished(error.id(), Report::from(Outcome::Failed {
                    error: format!("a bug in ccwatch: the send ended with {error}; please report it"),
                    retry_after: None,
                })),
            },
            (attempts, result) = recording => Event::Recorded(attempts, result),
            rung = self.bell.changed(), if stop_at.is_none() && !self.bell_is_gone => {
                // Nobody will ring any more: without this, the next wait would return at once, for ever.
                self.bell_is_gone = rung.is_err();
                Event::Woken
            }
            () = shutdown.cancelled(), if stop_at.is_none() => Event::Stop,
            () = until(stop_at), if !self.sends.is_empty() => Event::GraceOver,
            () = until(look_at) => Event::Woken,
        }
    }

    /// Starts what is due, as far as the receiver's pace allows. Answers when to look again without being woken.
    async fn start_sends(&mut self) -> Result<Option<Instant>, CourierError<O::Error>> {
        loop {
            if let Some(trouble) = self.outbox_trouble.as_ref().filter(|t| Instant::now() < t.until) {
                return Ok(Some(trouble.until));
            }
            let is_to_be_recorded = self.recording.is_some() || !self.unrecorded.is_empty();
            if self.outbox_trouble.is_some() && is_to_be_recorded
                || self.sending.len() >= self.concurrency()
                || self.ready.is_empty() && self.held.len() >= MOST_HELD
            {
                // The end of a send or of a commit wakes; where neither is under way, a recording has fallen due since
                // this turn began.
                return Ok(self.record_again_at());
            }
            if Instant::now() < self.not_before {
                return Ok(Some(self.not_before));
            }
            if !self.ready.is_empty() && !self.is_proven {
                match self.outbox.prove_writable().await {
                    Ok(()) => {
                        self.is_proven = true;
                        self.outbox_is_well();
                    }
                    Err(error) => {
                        // What was fetched may be out of date by then.
                        self.put_back_ready();
                        self.outbox_failed(error, None)?;
                    }
                }
                continue;
            }
            if let Some(delivery) = self.ready.pop_front() {
                self.start(delivery);
                continue;
            }
            let looked = match self.fetch().await {
                Ok(true) => {
                    if self.is_proven {
                        self.outbox_is_well();
                    }
                    continue;
                }
                Ok(false) => self.next_look().await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(at) => {
                    self.outbox_is_well();
                    return Ok(Some(at));
                }
                Err(error) => self.outbox_failed(error, None)?,
            }
        }
    }

    fn concurrency(&self) -> usize {
        self.pace.concurrency.max(1)
    }

    /// Fetches what is due and not already held. Answers whether there was any.
    async fn fetch(&mut self) -> Result<bool, O::Error> {
        let digest_over = self.destination.digest_over;
        let limit = if digest_over.is_some() {
            // The outbox still counts what is held, and would put it into a digest: one thing at a time.
            if !self.held.is_empty() {
                return Ok(false);
            }
            1
        } else {
            let free = self.concurrency().saturating_sub(self.sending.len());
            let ahead = if self.pace.spacing.is_zero() { LOOK_AHEAD } else { 0 };
            self.held.len() + free + ahead
        };
        let (name, now) = (&self.destination.name, self.clock.now());
        let due = self.outbox.due(name, now, limit, digest_over).await?;
        // Verdicts are only taken off `held` by this same task, so none that the read above still saw as pending can
        // have left it meanwhile.
        for delivery in due {
            if delivery.ids.iter().all(|id| !self.held.contains(id)) {
                self.held.extend(&delivery.ids);
                self.ready.push_back(delivery);
            }
        }
        Ok(!self.ready.is_empty())
    }

    /// When to look again if nothing else happens.
    async fn next_look(&mut self) -> Result<Instant, O::Error> {
        let next = self.outbox.next_attempt_at(&self.destination.name).await?;
        let now = self.clock.now();
        let pause = match next {
            Some(at) if at > now => at.since(now).min(LOOK_EVERY),
            Some(_) => LOOK_AT_MOST_EVERY,
            None => LOOK_EVERY,
        };
        Ok(after(pause))
    }

    fn start(&mut self, delivery: Delivery) {
        self.pay_for_a_send();
        let now = self.clock.now();
        let underway = Underway {
            ids: delivery.ids.clone(),
            number: delivery.attempts.saturating_add(1),
            since: delivery.since,
            began_at: now,
        };
        let destination = self.destination.clone();
        let task = self.sends.spawn(async move { destination.send(&delivery, now).await });
        self.sending.insert(task.id(), underway);
    }

    /// Each send costs its spacing, and `burst` of them are on credit: a leaky bucket, kept as the time when it is empty.
    fn pay_for_a_send(&mut self) {
        let (now, Pace { spacing, burst, .. }) = (Instant::now(), self.pace);
        self.paid_until = after(self.paid_until.saturating_duration_since(now).saturating_add(spacing));
        let on_credit = spacing.saturating_mul(burst.saturating_sub(1));
        self.not_before = self.paid_until.checked_sub(on_credit).map_or(now, |at| at.max(now));
    }

    fn finished(&mut self, task: Id, report: Report) {
        let Some(underway) = self.sending.remove(&task) else {
            return;
        };
        let Report {
            outcome,
            thread,
            answer,
        } = report;
        if let Outcome::Failed {
            retry_after: Some(pause),
            ..
        } = outcome
        {
            self.not_before = self.not_before.max(after(pause));
            self.put_back_ready();
        }
        let now = self.clock.now();
        let quiet_until = match outcome {
            Outcome::Failed { retry_after, .. } => retry_after.map(|pause| now.plus(pause)),
            Outcome::Accepted | Outcome::Rejected { .. } => None,
        };
        let Underway {
            ids,
            number,
            since,
            began_at,
        } = underway;
        let chance = self.chance.f64();
        let verdict = verdict(outcome, number, since, now, self.destination.give_up_after, chance);
        if let Some(news) = self.health.note(&verdict, self.clock.uptime()) {
            news.log(&self.destination.name);
        }
        let (answer_status, answer) = match answer {
            Some(answer) => (answer.status, Some(answer.said)),
            None => (None, None),
        };
        self.unrecorded.push(Attempted {
            ids,
            number,
            began_at,
            took: now.since(began_at),
            verdict,
            answer_status,
            answer,
            quiet_until,
            thread,
        });
    }

    /// Forgets what was fetched and not started: it is pending in the outbox.
    fn put_back_ready(&mut self) {
        for id in self.ready.drain(..).flat_map(|delivery| delivery.ids) {
            self.held.remove(&id);
        }
    }

    async fn cut_off(&mut self) {
        self.sends.abort_all();
        while let Some(done) = self.sends.join_next_with_id().await {
            // One that was accepted in the last moment is not forgotten.
            if let Ok((task, report)) = done {
                self.finished(task, report);
            }
        }
        if !self.sending.is_empty() {
            tracing::warn!(
                receiver = self.destination.name,
                sends = self.sending.len(),
                "stopping: sends are cut off, and will be made again after the next start"
            );
        }
        self.sending.clear();
    }

    fn start_recording(&mut self) {
        let is_left_alone = self.outbox_trouble.as_ref().is_some_and(|t| Instant::now() < t.until);
        if self.recording.is_some() || self.unrecorded.is_empty() || is_left_alone {
            return;
        }
        let (outbox, at) = (self.outbox.clone(), self.clock.now());
        let attempts = std::mem::take(&mut self.unrecorded);
        self.recording = Some(tokio::spawn(async move {
            let result = outbox.record(attempts.clone(), at).await;
            (attempts, result)
        }));
    }

    fn recorded(
        &mut self,
        attempts: Vec<Attempted>,
        result: Result<(), O::Error>,
        stop_at: Option<Instant>,
    ) -> Result<(), CourierError<O::Error>> {
        self.recording = None;
        match result {
            Ok(()) => {
                for id in attempts.iter().flat_map(|attempt| &attempt.ids) {
                    self.held.remove(id);
                }
                self.outbox_is_well();
                Ok(())
            }
            Err(error) => {
                self.unrecorded.splice(0..0, attempts);
                self.outbox_failed(error, stop_at)
            }
        }
    }

    fn outbox_is_well(&mut self) {
        if let Some(trouble) = self.outbox_trouble.take() {
            tracing::info!(
                receiver = self.destination.name,
                failures = trouble.failures,
                "the history works again; deliveries go on"
            );
        }
    }

    fn outbox_failed(&mut self, error: O::Error, stop_at: Option<Instant>) -> Result<(), CourierError<O::Error>> {
        let now = Instant::now();
        let trouble = self.outbox_trouble.get_or_insert(OutboxTrouble {
            failures: 0,
            until: now,
        });
        trouble.failures += 1;
        let again = now + back_off::pause(trouble.failures, self.chance.f64());
        trouble.until = stop_at.map_or(again, |stop_at| again.min(stop_at));
        if !O::may_pass(&error) || stop_at.is_some_and(|stop_at| now >= stop_at) {
            return Err(CourierError {
                receiver: self.destination.name.clone(),
                failures: trouble.failures,
                unrecorded: self.unrecorded.len(),
                source: error,
            });
        }
        if trouble.failures == 1 {
            tracing::error!(
                receiver = self.destination.name,
                error = &error as &dyn std::error::Error,
                unrecorded = self.unrecorded.len(),
                "the history fails; nothing is sent until it works again"
            );
        }
        Ok(())
    }
}

/// The time after `pause`, held to a year: an instant beyond what the machine can count would panic.
fn after(pause: Duration) -> Instant {
    Instant::now() + pause.min(Duration::from_hours(24 * 365))
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "courier_tests/mod.rs"]
mod tests;
