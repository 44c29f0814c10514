//! One target's loop: decide, ask, remember, act on it.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::agenda::{Agenda, Need, Now};
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
use crate::model::{
    Phase, ProgressEvent, RequestKey, RequestToken, Seen, Sighting, Source, Standing, Target, Timestamp,
};

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
    /// So do the short listings and the sweep: a page that can't be read may be in one of them only.
    lists: Outage<Cause>,
    sweeps: Outage<Cause>,
    gets: Outage<Cause>,
    /// Gets in a row that failed, of whichever requests.
    failed_gets: u32,
    /// What the history knew at start, until the server's clock is known by which it is to be looked at.
    known_at_start: Vec<Standing>,
    gap: Gap,
    told_without_token: bool,
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
            sweeps: Outage::new(now),
            failed_gets: 0,
            known_at_start: Vec::new(),
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
            told_without_token: false,
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
        let target = self.watched.target.id;
        self.note_absence(&stop).await?;
        self.known_at_start = self
            .insist(&stop, move |memory| async move { memory.standings(target).await })
            .await?;
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
    async fn note_absence(&mut self, stop: &CancellationToken) -> Result<(), M::Error> {
        let Some(last) = self.watched.last_looked_at else {
            return Ok(());
        };
        if self.clock.now().since(last) < self.pace.idle_every {
            return Ok(());
        }
        self.write_gap(last, "ccwatch was not running", stop).await
    }

    /// A time that the server's clock has reached. A server that sends no Date is taken to have our time.
    fn server_time(&self) -> Timestamp {
        self.server_clock
            .at(self.clock.uptime())
            .unwrap_or_else(|| self.clock.now())
    }

    fn now(&self) -> Now {
        Now {
            server: self.server_time(),
            ours: self.clock.now(),
        }
    }

    fn next_step(&self) -> Step {
        /// The longest wait: whatever is missed, the loop comes round.
        const LONGEST_WAIT: Duration = Duration::from_mins(1);
        let uptime = self.clock.uptime();
        let server_time = self.server_time();
        let may_list = self.lists.pause(uptime).is_none();
        let may_sweep = self.has_answered && self.sweeps.pause(uptime).is_none();
        let may_get = self.has_answered && self.gets.pause(uptime).is_none();
        let due = |need| if may_get { self.agenda.due(need, server_time) } else { 0 };
        let overdue = |at: Duration| uptime.checked_sub(at);
        let claims = Claims {
            may_list,
            due_gets: due(Need::Get),
            gets_overdue: self.agenda.overdue(Need::Get, server_time).filter(|_| may_get),
            due_looks: due(Need::Look),
            open: self.agenda.open(),
            discovery_overdue: overdue(self.discovery_at),
            news_due: overdue(self.list_news_at).is_some(),
            sweep_overdue: overdue(self.sweep_at).filter(|_| may_sweep),
            back_fill: due(Need::BackFill),
            listing: self.listing.as_ref().map(|progress| progress.listing),
            sweeping: may_sweep && self.sweep.is_some(),
        };
        if let Some(call) = plan::next_call(&claims, self.pace.discover_every, self.pace.sweep_every) {
            return Step::Call(call);
        }
        let next_look = if may_get {
            self.agenda.next().map(|at| at.since(server_time))
        } else {
            self.gets.pause(uptime)
        };
        let or_pause = |at: Duration, pause: Option<Duration>| at.saturating_sub(uptime).max(pause.unwrap_or_default());
        let wait = [
            Some(or_pause(self.discovery_at, self.lists.pause(uptime))),
            Some(or_pause(
                self.sweep_at,
                self.lists.pause(uptime).max(self.sweeps.pause(uptime)),
            )),
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
                } else {
                    self.begin_anew_later(listing);
                }
                return self.list_failed(listing, &failure, stop).await;
            }
        };
        if !page.is_list && (self.agenda.open() > 0 || progress.next().is_some()) {
            let failure = Failure::new(
                Cause::Malformed,
                "an answer without a list, though there are open requests",
            );
            self.begin_anew_later(listing);
            return self.list_failed(listing, &failure, stop).await;
        }
        if self.watched.baseline.is_none() {
            let target = self.watched.target.id;
            self.insist(stop, move |memory| async move {
                memory.begin_baseline(target, server_time).await
            })
            .await?;
            self.watched.baseline = Some(Baseline::Since(server_time));
        }
        if page.without_token > 0 && !std::mem::replace(&mut self.told_without_token, true) {
            warn!(target_name = %self.watched.target.name, entries = page.without_token,
                "a list held entries without a RequestToken, which are about nothing: left out");
        }
        let seen_at = self.clock.now();
        let shown: Vec<RequestToken> = page.events.iter().map(|event| event.request_token.clone()).collect();
        self.remember_list(page.events, seen_at, stop).await?;
        match progress.page(shown.iter(), page.next) {
            Page::More => {
                self.keep(progress);
                Ok(())
            }
            Page::Last(missing) => self.listed(listing, &missing, progress.pages, seen_at, stop).await,
            Page::Astray => {
                let failure = Failure::new(
                    Cause::Malformed,
                    "the list of requests leads in a circle (a repeated NextToken)",
                );
                self.begin_anew_later(listing);
                self.list_failed(listing, &failure, stop).await
            }
        }
    }

    /// A listing was given up: it has its turn again after its interval, and the others have theirs meanwhile.
    fn begin_anew_later(&mut self, listing: Listing) {
        let uptime = self.clock.uptime();
        if listing == Listing::Sweep {
            self.sweep_at = uptime + self.pace.sweep_every;
        } else {
            self.discovery_at = uptime + self.pace.discover_every;
        }
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
            // Its next page begins to wait now.
            self.sweep_at = self.clock.uptime();
            self.sweep = Some(progress);
        } else {
            self.listing = Some(progress);
        }
    }

    /// A listing is complete.
    async fn listed(
        &mut self,
        listing: Listing,
        missing: &[RequestToken],
        pages: usize,
        seen_at: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
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
                self.complete_baseline(stop).await?;
            }
        }
        self.list_succeeded(listing, seen_at, stop).await
    }

    async fn complete_baseline(&mut self, stop: &CancellationToken) -> Result<(), M::Error> {
        let Some(Baseline::Since(began)) = self.watched.baseline else {
            return Ok(());
        };
        let (target, now) = (self.watched.target.id, self.clock.now());
        self.insist(stop, move |memory| async move {
            memory.complete_baseline(target, now).await
        })
        .await?;
        self.watched.baseline = Some(Baseline::Complete(began));
        info!(target_name = %self.watched.target.name, "the first sweep is complete: what is new from here on is news");
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
                return self.open_gap(stop).await;
            }
        };
        let sighting = self.sighting(token, seen_at, Source::Get, seen);
        self.remember(vec![sighting], Source::Get, stop).await?;
        if self.gets.succeeded(seen_at) {
            info!(target_name = %self.watched.target.name, "GetResourceRequestStatus works again");
        }
        self.failed_gets = 0;
        self.close_gap(seen_at, stop).await
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
        if (answer.date.is_some() || answer.result.is_ok()) && !self.has_answered {
            self.has_answered = true;
            let (now, pace) = (self.now(), self.pace.clone());
            for standing in std::mem::take(&mut self.known_at_start) {
                self.agenda.update(standing, None, &pace, now, self.random.f64());
            }
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
        let Remembered { standings, changes } = self
            .insist(stop, |memory| {
                let sightings = sightings.clone();
                async move { memory.record(sightings).await }
            })
            .await?;
        let (uptime, now, pace) = (self.clock.uptime(), self.now(), self.pace.clone());
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

    /// Has the history do something. One that can't for now (a full disk) is waited for, with an answer in hand: to go
    /// on would be to forget it.
    async fn insist<T, F: Future<Output = Result<T, M::Error>>>(
        &mut self,
        stop: &CancellationToken,
        work: impl Fn(M) -> F,
    ) -> Result<T, M::Error> {
        let mut failures = 0;
        loop {
            match work(self.memory.clone()).await {
                Ok(value) => {
                    if failures > 0 {
                        info!(target_name = %self.watched.target.name, "the history can be written again");
                    }
                    return Ok(value);
                }
                Err(error) if M::may_pass(&error) && !stop.is_cancelled() => {
                    failures += 1;
                    if failures == 1 {
                        warn!(target_name = %self.watched.target.name, %error,
                            "the history can't be written; nothing is looked at until it can");
                    }
                    self.pulse.beat();
                    let pause = back_off::pause(failures, self.random.f64());
                    let _ = unless_stopped(tokio::time::sleep(pause), stop).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn list_succeeded(
        &mut self,
        listing: Listing,
        at: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let outage = if listing == Listing::Sweep {
            &mut self.sweeps
        } else {
            &mut self.lists
        };
        let last = outage.last_success();
        if outage.succeeded(at) {
            info!(target_name = %self.watched.target.name, "the target can be looked at again");
        }
        if listing == Listing::Sweep {
            return Ok(());
        }
        self.memory.looked(self.watched.target.id, at);
        if self.agenda.needs_no_get() {
            // Nothing is left that could show that Gets work again.
            self.gets.succeeded(at);
        }
        // Law 7: no call failed, and yet nothing was looked at.
        if at.since(last) > 3 * self.pace.idle_every && self.gap != Gap::Open {
            let reason =
                "nothing was looked at: the machine or ccwatch stood still, or the history could not be written";
            self.write_gap(last, reason, stop).await?;
            self.gap = Gap::Open;
        }
        self.close_gap(at, stop).await
    }

    async fn list_failed(
        &mut self,
        listing: Listing,
        failure: &Failure,
        stop: &CancellationToken,
    ) -> Result<(), M::Error> {
        let what = (failure.cause, failure.cause.needs_a_person(), failure.to_string());
        let (now, uptime, chance) = (self.clock.now(), self.clock.uptime(), self.random.f64());
        let outage = if listing == Listing::Sweep {
            &mut self.sweeps
        } else {
            &mut self.lists
        };
        let is_news = outage.failed(what, now, uptime, self.pace.idle_every, chance);
        self.tell("ListResourceRequests", failure, is_news);
        self.open_gap(stop).await
    }

    /// One request that can't be looked at is left alone for a while; several Gets in a row that fail, or one that only a
    /// person or patience can mend, are the target's trouble.
    fn get_failed(&mut self, token: &RequestToken, failure: &Failure) {
        /// So many failures in a row are no longer one request's.
        const A_ROW: u32 = 3;
        let now = self.server_time();
        self.agenda.postpone(token, &self.pace, now);
        self.failed_gets = self.failed_gets.saturating_add(1);
        if failure.cause.needs_a_person() || failure.cause == Cause::Throttled || self.failed_gets >= A_ROW {
            let what = (failure.cause, failure.cause.needs_a_person(), failure.to_string());
            let (now, uptime, chance) = (self.clock.now(), self.clock.uptime(), self.random.f64());
            let is_news = self.gets.failed(what, now, uptime, self.pace.idle_every, chance);
            self.tell("GetResourceRequestStatus", failure, is_news);
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
    async fn open_gap(&mut self, stop: &CancellationToken) -> Result<(), M::Error> {
        if self.gap == Gap::Open {
            return Ok(());
        }
        let outages = [&self.lists, &self.sweeps, &self.gets];
        let Some((from, reason)) = outages.into_iter().find_map(Outage::gap) else {
            return Ok(());
        };
        let reason = reason.to_owned();
        self.write_gap(from, &reason, stop).await?;
        self.gap = Gap::Open;
        Ok(())
    }

    async fn write_gap(&mut self, from: Timestamp, reason: &str, stop: &CancellationToken) -> Result<(), M::Error> {
        let target = self.watched.target.id;
        self.insist(stop, |memory| {
            let reason = reason.to_owned();
            async move { memory.open_gap(target, from, reason).await }
        })
        .await
    }

    /// Closes it after a call that succeeded, unless another kind of call is still out.
    async fn close_gap(&mut self, at: Timestamp, stop: &CancellationToken) -> Result<(), M::Error> {
        let outages = [&self.lists, &self.sweeps, &self.gets];
        if self.gap == Gap::Closed || outages.into_iter().any(|outage| outage.gap().is_some()) {
            return Ok(());
        }
        let target = self.watched.target.id;
        self.insist(stop, move |memory| async move { memory.close_gap(target, at).await })
            .await?;
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
