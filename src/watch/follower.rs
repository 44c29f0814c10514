//! Looks at a few requests of one target, by Gets alone, where no daemon looks.
//!
//! The decisions are the poller's: when a request is worth its next look (`decide::cadence` by way of the agenda), what time
//! the server certainly has (`decide::server_clock`), how many calls it may be asked, and how long a failure is left alone.
//! What is missing is all that concerns the target as a whole: it discovers nothing, sweeps nothing, begins no baseline and
//! knows of no gap.
//!
//! - **No Get before RetryAfter** (law 5): the server's time is asked for first, by a short list, which RetryAfter does not
//!   speak of. Only the `Date` of its answer is used. It is asked for whether a RetryAfter is known or not: once one is, what
//!   was planned by a clock of ours that is fast would stay put off.
//! - **The first look is at once**, if RetryAfter allows: a request that was begun an hour ago may have ended an hour ago.
//! - **What only a person can mend ends it**: someone is there to read it.
//! - **What is seen is remembered before it counts**, as with the poller. A history that can't be written for now is waited
//!   for.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::agenda::{Agenda, Need, Now};
use super::memory::Recording;
use crate::clock::Clock;
use crate::cloud::{Answer, Cause, Client, Failure, Looked};
use crate::decide::back_off;
use crate::decide::budget::Budget;
use crate::decide::cadence::Pace;
use crate::decide::server_clock::ServerClock;
use crate::model::{RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, Standing, TargetId, Timestamp};

/// Why following ended before the requests did.
#[derive(Debug, thiserror::Error)]
pub enum FollowError<E> {
    #[error(transparent)]
    History(E),
    /// It can't look, and waiting will not mend it.
    #[error("{0}")]
    Denied(Failure),
}

/// Looks at some requests of one target until they have ended and their hooks are known, or it is told to stop.
#[derive(Debug)]
pub struct Follower<M> {
    target: TargetId,
    client: Client,
    memory: M,
    pace: Pace,
    clock: Clock,
    random: fastrand::Rng,
    agenda: Agenda,
    budget: Budget,
    server_clock: ServerClock,
    /// Calls in a row that failed.
    failures: u32,
    /// Uptime.
    quiet_until: Duration,
    trouble: watch::Sender<Option<Failure>>,
}

impl<M: Recording> Follower<M> {
    /// What keeps it from looking just now is shown by `trouble`. `seed` makes its chances repeatable.
    pub fn new(
        target: TargetId,
        client: Client,
        memory: M,
        pace: Pace,
        clock: Clock,
        seed: u64,
        trouble: watch::Sender<Option<Failure>>,
    ) -> Self {
        Self {
            target,
            client,
            memory,
            budget: Budget::new(pace.max_calls_per_second, clock.uptime()),
            pace,
            clock,
            random: fastrand::Rng::with_seed(seed),
            agenda: Agenda::default(),
            server_clock: ServerClock::default(),
            failures: 0,
            quiet_until: Duration::ZERO,
            trouble,
        }
    }

    /// Looks at these requests, which the history knows.
    pub async fn run(
        mut self,
        tokens: BTreeSet<RequestToken>,
        stop: CancellationToken,
    ) -> Result<(), FollowError<M::Error>> {
        tokio::select! {
            // A call that is under way is dropped. A transaction is not undone by that, and nothing follows from it.
            () = stop.cancelled() => Ok(()),
            ended = self.follow(&tokens) => ended,
        }
    }

    async fn follow(&mut self, tokens: &BTreeSet<RequestToken>) -> Result<(), FollowError<M::Error>> {
        let target = self.target;
        let mut standings = self
            .insist(|memory| async move { memory.standings(target).await })
            .await?;
        standings.retain(|standing| tokens.contains(&standing.key.token));
        if standings.is_empty() {
            return Ok(());
        }
        self.learn_time().await?;
        let tokens: Vec<RequestToken> = standings.iter().map(|standing| standing.key.token.clone()).collect();
        self.take_in(standings, None);
        let now = self.now();
        for token in tokens {
            self.agenda.hasten(&token, &self.pace, now);
        }
        while let Some(wait) = self.wait() {
            if wait.is_zero() {
                self.look().await?;
            } else {
                tokio::time::sleep(wait).await;
            }
        }
        Ok(())
    }

    /// How long until the next look; `None`: none is left.
    fn wait(&self) -> Option<Duration> {
        let at = NEEDS.iter().filter_map(|need| self.agenda.first(*need)).min()?;
        let quiet = self.quiet_until.saturating_sub(self.clock.uptime());
        Some(at.since(self.server_time()).max(quiet))
    }

    async fn look(&mut self) -> Result<(), FollowError<M::Error>> {
        let now = self.server_time();
        let due = NEEDS.iter().find_map(|need| self.agenda.first_due(*need, now));
        let Some(token) = due else { return Ok(()) };
        self.turn().await;
        let asked = self.clock.uptime();
        let answer = self.client.get(&token).await;
        let seen = match self.heard(answer, asked) {
            Ok(Looked::Seen(event, hooks)) => Seen::Event(event, Some(hooks)),
            Ok(Looked::Gone) => Seen::Gone,
            Err(failure) => {
                self.agenda.postpone(&token, &self.pace, now);
                return self.failed(failure);
            }
        };
        let sighting = Sighting {
            key: RequestKey {
                target: self.target,
                token,
            },
            seen_at: self.clock.now(),
            source: Source::Get,
            seen,
        };
        let remembered = self
            .insist(|memory| {
                let sighting = sighting.clone();
                async move { memory.record(vec![sighting]).await }
            })
            .await?;
        self.take_in(remembered.standings, Some(Source::Get));
        Ok(())
    }

    /// Asks what time the server has, by a list, until it says so. It is a list of what was cancelled: a short one, and what has
    /// ended has no RetryAfter, which would be one more to heed.
    async fn learn_time(&mut self) -> Result<(), FollowError<M::Error>> {
        loop {
            self.turn().await;
            let asked = self.clock.uptime();
            let answer = self.client.list(&[RequestStatus::CancelComplete], None).await;
            let dated = answer.date.is_some();
            match self.heard(answer, asked) {
                Ok(_) => return Ok(()),
                // An error of the service's tells its time as well; whoever may not list may still look at one request.
                Err(_) if dated => return Ok(()),
                Err(failure) => self.failed(failure)?,
            }
            tokio::time::sleep(self.quiet_until.saturating_sub(self.clock.uptime())).await;
        }
    }

    /// Waits until the budget allows one more call.
    async fn turn(&mut self) {
        while let Err(wait) = self.budget.take(self.clock.uptime()) {
            tokio::time::sleep(wait).await;
        }
    }

    fn heard<T>(&mut self, answer: Answer<T>, asked: Duration) -> Result<T, Failure> {
        if let Some(date) = answer.date {
            self.server_clock.learn(date, asked, self.clock.uptime());
        }
        if answer.result.is_ok() {
            self.failures = 0;
            self.trouble.send_if_modified(|trouble| trouble.take().is_some());
        }
        answer.result
    }

    fn failed(&mut self, failure: Failure) -> Result<(), FollowError<M::Error>> {
        if failure.cause.needs_a_person() {
            return Err(FollowError::Denied(failure));
        }
        let uptime = self.clock.uptime();
        if failure.cause == Cause::Throttled {
            self.budget.throttled(uptime);
        }
        self.failures = self.failures.saturating_add(1);
        self.quiet_until = uptime + back_off::pause(self.failures, self.random.f64());
        self.trouble.send_replace(Some(failure));
        Ok(())
    }

    fn take_in(&mut self, standings: Vec<Standing>, source: Option<Source>) {
        let now = self.now();
        for standing in standings {
            let chance = self.random.f64();
            self.agenda.update(standing, source, &self.pace, now, chance);
        }
    }

    fn now(&self) -> Now {
        Now {
            server: self.server_time(),
            ours: self.clock.now(),
        }
    }

    /// A time that the server's clock has reached. It is learnt before the first look; a server that sends no Date is taken to
    /// have our time.
    fn server_time(&self) -> Timestamp {
        let learnt = self.server_clock.at(self.clock.uptime());
        learnt.unwrap_or_else(|| self.clock.now())
    }

    async fn insist<T, F: Future<Output = Result<T, M::Error>>>(
        &mut self,
        work: impl Fn(M) -> F,
    ) -> Result<T, FollowError<M::Error>> {
        let mut failures = 0;
        loop {
            match work(self.memory.clone()).await {
                Err(error) if M::may_pass(&error) => {
                    failures += 1;
                    tokio::time::sleep(back_off::pause(failures, self.random.f64())).await;
                }
                outcome => return outcome.map_err(FollowError::History),
            }
        }
    }
}

/// A Get answers all of them.
const NEEDS: [Need; 3] = [Need::Get, Need::Look, Need::BackFill];

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
