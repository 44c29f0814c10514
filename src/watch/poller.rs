//! One target's loop: decide, ask, remember, act on it.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::agenda::{Agenda, Need};
use super::listing::{self, Page, Progress};
use super::memory::{Memory, Remembered};
use super::pulse::Pulse;
use super::settled::{self, Settled};
use crate::clock::Clock;
use crate::cloud::{Answer, Cause, Client, Failure, Looked};
use crate::decide::Baseline;
use crate::decide::back_off;
use crate::decide::budget::Budget;
use crate::decide::cadence::{self, Pace};
use crate::decide::outage::Outage;
use crate::decide::plan::{self, Call, Claims, Listing};
use crate::decide::server_clock::ServerClock;
use crate::model::{Phase, ProgressEvent, RequestKey, RequestToken, Seen, Sighting, Source, Target, Timestamp};

/// A target as the history knows it when watching begins.
#[derive(Debug, Clone)]
pub struct Watched {
    pub target: Target,
    /// `None` for a target that was never looked at.
    pub baseline: Option<Baseline>,
    /// When it was last known to be looked at.
    pub last_looked_at: Option<Timestamp>,
}

/// Watches one target until it is told to stop.
#[derive(Debug)]
pub struct Poller<M> {
    watched: Watched,
    client: Client,
    memory: M,
    clock: Clock,
    pace: Pace,
    pulse: Pulse,
    random: fastrand::Rng,

    agenda: Agenda,
    budget: Budget,
    server_clock: ServerClock,
    /// Whether the target has answered at all since the start: before that, nothing is known of its clock.
    has_answered: bool,
    /// The short listing and the sweep that are under way.
    listing: Option<Progress>,
    sweep: Option<Progress>,
    settled: Settled,
    discovery_at: Duration,
    sweep_at: Duration,
    /// When discovery lists the news again, and not only what is open.
    list_news_at: Duration,
    /// When something last changed.
    changed_at: Option<Duration>,
    /// Lists and Gets fail apart: an identity may be allowed the one and denied the other.
    lists: Outage<Cause>,
    gets: Outage<Cause>,
    gap: Gap,
}

/// Whether the history has a gap open for this target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// An earlier run may have left one.
    Unknown,
    Open,
    Closed,
}

impl<M: Memory> Poller<M> {
    /// `seed` makes the poller's chances repeatable.
    pub fn new(watched: Watched, client: Client, memory: M, pace: Pace, pulse: Pulse, clock: Clock, seed: u64) -> Self {
        let (now, uptime) = (clock.now(), clock.uptime());
        Self {
            budget: Budget::new(pace.max_calls_per_second, uptime),
            lists: Outage::new(now),
            gets: Outage::new(now),
            random: fastrand::Rng::with_seed(seed),
            agenda: Agenda::default(),
            server_clock: ServerClock::default(),
            has_answered: false,
            listing: None,
            sweep: None,
            settled: Settled::default(),
            discovery_at: uptime,
            sweep_at: uptime,
            list_news_at: uptime,
            changed_at: None,
            gap: Gap::Unknown,
            watched,
            client,
            memory,
            clock,
            pace,
            pulse,
        }
    }

    /// Watches until `stop`. An answer that is there when it comes is still remembered; a call that is under way is
    /// dropped. The error is one of the history's that will not pass.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), M::Error> {
        self.note_absence().await?;
        let known = self.memory.standings(self.watched.target.id).await?;
        let (now, pace) = (self.server_time(), self.pace.clone());
        for standing in known {
            self.agenda.update(standing, None, &pace, now, self.random.f64());
        }
        while !stop.is_cancelled() {
            self.pulse.beat();
            let wait = match self.next_step() {
                Step::Wait(wait) => wait,
                Step::Call(call) => {
                    if let Err(wait) = self.budget.take(self.clock.uptime()) {
                        wait
                    } else {
                        self.call(call, &stop).await?;
                        continue;
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        Ok(())
    }

    /// Law 7: the time in which ccwatch did not run is a gap.
    async fn note_absence(&mut self) -> Result<(), M::Error> {
        let Some(last) = self.watched.last_looked_at else {
            return Ok(());
        };
        if self.clock.now().since(last) < self.pace.idle_every {
            return Ok(());
        }
        let reason = "ccwatch was not running".to_owned();
        self.memory.open_gap(self.watched.target.id, last, reason).await
    }

    /// A time that the server's clock has reached. A server that sends no Date is taken to have our time.
    fn server_time(&self) -> Timestamp {
        self.server_clock
            .at(self.clock.uptime())
            .unwrap_or_else(|| self.clock.now())
    }

    fn next_step(&self) -> Step {
        /// The longest wait: whatever is missed, the loop comes round.
        const LONGEST_WAIT: Duration = Duration::from_mins(1);
        let uptime = self.clock.uptime();
        let server_time = self.server_time();
        if let Some(pause) = self.lists.pause(uptime) {
            return Step::Wait(pause);
        }
        let may_get = self.has_answered && self.gets.pause(uptime).is_none();
        let due = |need| if may_get { self.agenda.due(need, server_time) } else { 0 };
        let overdue = |at: Duration| uptime.checked_sub(at);
        let claims = Claims {
            due_gets: due(Need::Get),
            due_looks: due(Need::Look),
            open: self.agenda.open(),
            discovery_overdue: overdue(self.discovery_at),
            news_due: overdue(self.list_news_at).is_some(),
            sweep_overdue: overdue(self.sweep_at).filter(|_| self.has_answered),
            back_fill: due(Need::BackFill),
            listing: self.listing.as_ref().map(|progress| progress.listing),
            sweeping: self.sweep.is_some(),
        };
        if let Some(call) = plan::next_call(&claims, self.pace.discover_every, self.pace.sweep_every) {
            return Step::Call(call);
        }
        let next_look = if may_get {
            self.agenda.next().map(|at| at.since(server_time))
        } else {
            self.gets.pause(uptime)
        };
        let wait = [
            Some(self.discovery_at.saturating_sub(uptime)),
            Some(self.sweep_at.saturating_sub(uptime)),
            next_look,
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(LONGEST_WAIT);
        // Never zero: the loop must not spin on a time that is not quite reached.
        Step::Wait(wait.clamp(Duration::from_millis(1), LONGEST_WAIT))
    }

    async fn call(&mut self, call: Call, stop: &CancellationToken) -> Result<(), M::Error> {
        let now = self.server_time();
        match call {
            Call::List(listing) => self.list(listing, stop).await,
            Call::BackFill => match self.agenda.first_due(Need::BackFill, now) {
                Some(token) => self.get(token, stop).await,
                None => Ok(()),
            },
            Call::Get => {
                let token = self
                    .agenda
                    .first_due(Need::Get, now)
                    .or_else(|| self.agenda.first_due(Need::Look, now));
                match token {
                    Some(token) => self.get(token, stop).await,
                    None => Ok(()),
                }
            }
        }
    }

    async fn list(&mut self, listing: Listing, stop: &CancellationToken) -> Result<(), M::Error> {
        let under_way = if listing == Listing::Sweep {
            self.sweep.take()
        } else {
            self.listing.take()
        };
        let mut progress = match under_way {
            Some(progress) if progress.listing == listing => progress,
            _ => Progress::begin(listing, self.agenda.open_tokens()),
        };
        let asked = self.clock.uptime();
        let call = self.client.list(listing::statuses(listing), progress.next());
        let Some(answer) = unless_stopped(call, stop).await else {
            return Ok(());
        };
        let (server_time, result) = self.heard(answer, asked);
        let page = match result {
            Ok(page) => page,
            Err(failure) => {
                if progress.failed() {
                    self.keep(progress);
                }
                return self.list_failed(&failure).await;
            }
        };
        if self.watched.baseline.is_none() {
            self.memory.begin_baseline(self.watched.target.id, server_time).await?;
            self.watched.baseline = Some(Baseline::Since(server_time));
        }
        if page.without_token > 0 {
            warn!(target_name = %self.watched.target.name, entries = page.without_token,
                "a list held entries without a RequestToken, which are about nothing: left out");
        }
        let seen_at = self.clock.now();
        let shown: Vec<RequestToken> = page.events.iter().map(|event| event.request_token.clone()).collect();
        self.remember_list(page.events, seen_at, stop).await?;
        match progress.page(shown.iter(), page.next) {
            Page::More => self.keep(progress),
            Page::Last(missing) => self.listed(listing, &missing, progress.pages).await?,
            Page::Astray => {
                let failure = Failure::new(
                    Cause::Malformed,
                    "the list of requests leads in a circle (a repeated NextToken)",
                );
                return self.list_failed(&failure).await;
            }
        }
        self.list_succeeded(seen_at).await
    }

    /// Has the events of a page remembered, those aside that the history holds already.
    async fn remember_list(
        &mut self,
        events: Vec<ProgressEvent>,
        seen_at: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let uptime = self.clock.uptime();
        let unsettled = events.into_iter().filter(|event| !self.settled.holds(event, uptime));
        let (fingerprints, sightings): (HashMap<_, _>, Vec<_>) = unsettled
            .map(|event| {
                let token = event.request_token.clone();
                let print = (token.clone(), settled::fingerprint(&event));
                (
                    print,
                    self.sighting(token, seen_at, Source::List, Seen::Event(Box::new(event), None)),
                )
            })
            .unzip();
        if sightings.is_empty() {
            return Ok(());
        }
        for token in self.remember(sightings, Source::List, stop).await? {
            if let Some(print) = fingerprints.get(&token) {
                self.settled.recorded(token, *print, uptime);
            }
        }
        Ok(())
    }

    fn keep(&mut self, progress: Progress) {
        if progress.listing == Listing::Sweep {
            self.sweep = Some(progress);
        } else {
            self.listing = Some(progress);
        }
    }

    /// A listing is complete.
    async fn listed(&mut self, listing: Listing, missing: &[RequestToken], pages: usize) -> Result<(), M::Error> {
        let now = self.server_time();
        for token in missing {
            self.agenda.left_list(token, now);
        }
        let uptime = self.clock.uptime();
        match listing {
            // Whoever asked for it, a list of what is open is a discovery; but it must not put one off that is to list
            // the news.
            Listing::Open if self.list_news_at <= uptime => {}
            Listing::Open => self.schedule_discovery(),
            Listing::News => {
                let open_pages = self.agenda.open().div_ceil(plan::PAGE).max(1);
                self.list_news_at = uptime + cadence::next_news(&self.pace, pages, open_pages);
                self.schedule_discovery();
            }
            Listing::Sweep => {
                self.settled.forget_expired(uptime);
                self.sweep_at = uptime + self.pace.sweep_every.mul_f64(0.95 + 0.1 * self.random.f64());
                if self.watched.baseline != Some(Baseline::Complete) {
                    self.memory
                        .complete_baseline(self.watched.target.id, self.clock.now())
                        .await?;
                    self.watched.baseline = Some(Baseline::Complete);
                    info!(target_name = %self.watched.target.name, "the first sweep is complete: what is new from here on is news");
                }
            }
        }
        Ok(())
    }

    fn schedule_discovery(&mut self) {
        let uptime = self.clock.uptime();
        let since_change = self.changed_at.map_or(Duration::MAX, |at| uptime.saturating_sub(at));
        let wait = cadence::next_discovery(&self.pace, self.agenda.open(), since_change);
        self.discovery_at = uptime + wait.mul_f64(0.95 + 0.1 * self.random.f64());
    }

    async fn get(&mut self, token: RequestToken, stop: &CancellationToken) -> Result<(), M::Error> {
        let asked = self.clock.uptime();
        let Some(answer) = unless_stopped(self.client.get(&token), stop).await else {
            return Ok(());
        };
        let (_, result) = self.heard(answer, asked);
        let seen_at = self.clock.now();
        let seen = match result {
            Ok(Looked::Seen(event, hooks)) => Seen::Event(event, Some(hooks)),
            Ok(Looked::Gone) => Seen::Gone,
            Err(failure) => {
                self.get_failed(&token, &failure);
                return self.open_gap().await;
            }
        };
        let sighting = self.sighting(token, seen_at, Source::Get, seen);
        self.remember(vec![sighting], Source::Get, stop).await?;
        if self.gets.succeeded(seen_at) {
            info!(target_name = %self.watched.target.name, "GetResourceRequestStatus works again");
        }
        self.close_gap(seen_at).await
    }

    fn sighting(&self, token: RequestToken, seen_at: Timestamp, source: Source, seen: Seen) -> Sighting {
        Sighting {
            key: RequestKey {
                target: self.watched.target.id,
                token,
            },
            seen_at,
            source,
            seen,
        }
    }

    /// Learns the server's time from an answer. Returns it as it certainly was when the call was made.
    fn heard<T>(&mut self, answer: Answer<T>, asked: Duration) -> (Timestamp, Result<T, Failure>) {
        if let Some(date) = answer.date {
            self.server_clock.learn(date, asked, self.clock.uptime());
        }
        if answer.date.is_some() || answer.result.is_ok() {
            self.has_answered = true;
        }
        if matches!(&answer.result, Err(failure) if failure.cause == Cause::Throttled) {
            self.budget.throttled(self.clock.uptime());
        }
        let at_call = self.server_clock.at(asked).unwrap_or_else(|| self.clock.now());
        (at_call, answer.result)
    }

    /// Has sightings remembered, and takes over how their requests stand; returns those that have ended. A history that can't be written for now (a
    /// full disk) is waited for with the answer in hand: to go on would be to forget it.
    async fn remember(
        &mut self,
        sightings: Vec<Sighting>,
        source: Source,
        stop: &CancellationToken,
    ) -> Result<Vec<RequestToken>, M::Error> {
        let mut failures = 0;
        let Remembered { standings, changes } = loop {
            match self.memory.record(sightings.clone()).await {
                Ok(remembered) => break remembered,
                Err(error) if M::may_pass(&error) && !stop.is_cancelled() => {
                    failures += 1;
                    let pause = back_off::pause(failures, self.random.f64());
                    if failures == 1 {
                        warn!(target_name = %self.watched.target.name, %error,
                            "the history can't be written; nothing is looked at until it can");
                    }
                    self.pulse.beat();
                    let _ = unless_stopped(tokio::time::sleep(pause), stop).await;
                }
                Err(error) => return Err(error),
            }
        };
        if failures > 0 {
            info!(target_name = %self.watched.target.name, "the history can be written again");
        }
        let (uptime, now, pace) = (self.clock.uptime(), self.server_time(), self.pace.clone());
        if changes > 0 {
            self.changed_at = Some(uptime);
        }
        let mut finished = Vec::new();
        for standing in standings {
            if standing.phase == Phase::Finished {
                finished.push(standing.key.token.clone());
            }
            self.agenda
                .update(standing, Some(source), &pace, now, self.random.f64());
        }
        Ok(finished)
    }

    async fn list_succeeded(&mut self, at: Timestamp) -> Result<(), M::Error> {
        self.memory.looked(self.watched.target.id, at);
        if self.lists.succeeded(at) {
            info!(target_name = %self.watched.target.name, "the target can be looked at again");
        }
        self.close_gap(at).await
    }

    async fn list_failed(&mut self, failure: &Failure) -> Result<(), M::Error> {
        let what = (failure.cause, failure.cause.needs_a_person(), failure.to_string());
        let (now, uptime, chance) = (self.clock.now(), self.clock.uptime(), self.random.f64());
        let failed = self.lists.failed(what, now, uptime, self.pace.idle_every, chance);
        self.tell("ListResourceRequests", failure, failed.is_news);
        self.open_gap().await
    }

    fn get_failed(&mut self, token: &RequestToken, failure: &Failure) {
        let now = self.server_time();
        self.agenda.postpone(token, &self.pace, now);
        if failure.cause.concerns_the_target() {
            let what = (failure.cause, failure.cause.needs_a_person(), failure.to_string());
            let (now, uptime, chance) = (self.clock.now(), self.clock.uptime(), self.random.f64());
            let failed = self.gets.failed(what, now, uptime, self.pace.idle_every, chance);
            self.tell("GetResourceRequestStatus", failure, failed.is_news);
        } else {
            debug!(target_name = %self.watched.target.name, %token, error = %failure, "a request could not be looked at");
        }
    }

    fn tell(&self, call: &str, failure: &Failure, is_news: bool) {
        let target_name = &self.watched.target.name;
        if is_news {
            warn!(%target_name, call, error = %failure, remedy = failure.cause.remedy(), "a target can't be looked at");
        } else {
            debug!(%target_name, call, error = %failure, "a target still can't be looked at");
        }
    }

    /// Opens the target's gap once an outage has become one.
    async fn open_gap(&mut self) -> Result<(), M::Error> {
        if self.gap == Gap::Open {
            return Ok(());
        }
        let Some((from, reason)) = self.lists.gap().or_else(|| self.gets.gap()) else {
            return Ok(());
        };
        let reason = reason.to_owned();
        self.memory.open_gap(self.watched.target.id, from, reason).await?;
        self.gap = Gap::Open;
        Ok(())
    }

    /// Closes it after a call that succeeded, unless the other kind of call is still out.
    async fn close_gap(&mut self, at: Timestamp) -> Result<(), M::Error> {
        if self.gap == Gap::Closed || self.lists.gap().is_some() || self.gets.gap().is_some() {
            return Ok(());
        }
        self.memory.close_gap(self.watched.target.id, at).await?;
        self.gap = Gap::Closed;
        Ok(())
    }
}

enum Step {
    Call(Call),
    Wait(Duration),
}

/// The future's value, or `None` if `stop` came first.
async fn unless_stopped<T>(future: impl Future<Output = T>, stop: &CancellationToken) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = stop.cancelled() => None,
    }
}
