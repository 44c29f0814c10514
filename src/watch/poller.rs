//! One target's loop: decide, ask, remember, act on it.

mod gaps;
mod gets;
mod lists;
mod remembering;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::agenda::{Agenda, Need, Now};
use super::listing::Progress;
use super::memory::Memory;
use super::pulse::Pulse;
use super::settled::Settled;
use crate::clock::Clock;
use crate::cloud::{Cause, Client};
use crate::decide::Baseline;
use crate::decide::budget::Budget;
use crate::decide::cadence::Pace;
use crate::decide::outage::Outage;
use crate::decide::plan::{self, Call, Claims, Looks, Next};
use crate::decide::server_clock::ServerClock;
use crate::decide::timetable::Timetable;
use crate::model::{Standing, Target, Timestamp};

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
    timetable: Timetable,
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
    /// Rings when someone else wrote into the history.
    others: tokio::sync::watch::Receiver<()>,
    gap: Gap,
    /// When a call last succeeded, of whichever kind.
    heard_at: Timestamp,
    /// Since when nothing was heard, though nothing failed: the history does not know of it yet.
    silent_since: Option<Timestamp>,
    /// When a Get was last made.
    got_at: Duration,
    told_behind: bool,
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
            others: memory.others(),
            gets: Outage::new(now),
            random: fastrand::Rng::with_seed(seed),
            agenda: Agenda::default(),
            server_clock: ServerClock::default(),
            has_answered: false,
            listing: None,
            sweep: None,
            settled: Settled::default(),
            timetable: Timetable::new(uptime),
            changed_at: None,
            gap: Gap::Unknown,
            heard_at: now,
            silent_since: None,
            got_at: uptime,
            told_behind: false,
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
            if self.has_answered && self.others.has_changed().unwrap_or(false) {
                self.others.mark_unchanged();
                self.take_in_others(&stop).await?;
            }
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
                // Left for the loop's begin, where what rang during a call is taken in too. Its sender is the memory's, so it
                // does not end before this does.
                _ = self.others.changed(), if self.has_answered => self.others.mark_changed(),
            }
        }
        Ok(())
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
        let overdue = |at: Duration| uptime.checked_sub(at);
        let overdue_look = |need| {
            let at = self.agenda.first(need).filter(|at| may_get && *at <= server_time)?;
            Some(server_time.since(at))
        };
        // Of many that are due, each one that is made lets the others begin to wait anew: or a backlog would count for more
        // and more, and the lists, which answer a hundred times as much, for less and less.
        let since_get = uptime.saturating_sub(self.got_at);
        let claims = Claims {
            may_list,
            get_overdue: overdue_look(Need::Get).map(|overdue| overdue.min(since_get)),
            looks: overdue_look(Need::Look).map(|overdue| self.due_looks(overdue, server_time)),
            open: self.agenda.open(),
            discovery_overdue: overdue(self.timetable.discovery_at()),
            news_due: self.timetable.are_news_due(uptime),
            sweep_overdue: overdue(self.timetable.sweep_at()).filter(|_| may_sweep),
            back_fill: overdue_look(Need::BackFill).is_some(),
            listing: self.listing.as_ref().map(|progress| progress.listing),
        };
        let boarding = match plan::next(&claims, self.pace.discover_every, self.pace.sweep_every) {
            Next::Call(call) => return Step::Call(call),
            Next::Board(wait) => Some(wait),
            Next::Nothing => None,
        };
        let or_pause = |at: Duration, pause: Option<Duration>| at.saturating_sub(uptime).max(pause.unwrap_or_default());
        let next_discovery = or_pause(self.timetable.discovery_at(), self.lists.pause(uptime));
        let sweeps_pause = self.lists.pause(uptime).max(self.sweeps.pause(uptime));
        let next_sweep = or_pause(self.timetable.sweep_at(), sweeps_pause);
        let next_look = if may_get {
            [Need::Get, Need::Look, Need::BackFill]
                .into_iter()
                // What is due and was no call waits for something else.
                .filter_map(|need| self.agenda.first(need).filter(|at| *at > server_time))
                .map(|at| at.since(server_time))
                .min()
        } else {
            self.gets.pause(uptime)
        };
        let wait = [Some(next_discovery), Some(next_sweep), next_look, boarding]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(LONGEST_WAIT);
        // Never zero: the loop must not spin on a time that is not quite reached.
        Step::Wait(wait.clamp(Duration::from_millis(1), LONGEST_WAIT))
    }

    /// The looks that a list could answer, the first of which has been due for so long.
    fn due_looks(&self, overdue: Duration, now: Timestamp) -> Looks {
        // Enough to know that they are more than a list has pages.
        let enough = plan::pages(self.agenda.open()) + 1;
        let due = self.agenda.due(Need::Look, now, enough);
        let last_boarding = now.minus(overdue).plus(plan::BOARDING);
        let together = self.agenda.due(Need::Look, last_boarding.max(now), enough);
        Looks {
            overdue,
            due,
            boarding: together - due,
        }
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
