//! What was heard, handed to the history, and only then acted on.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Gap, Poller, unless_stopped};
use crate::cloud::{Answer, Cause, Failure};
use crate::decide::back_off;
use crate::model::{Phase, RequestKey, RequestToken, Seen, Sighting, Source, Timestamp};
use crate::watch::memory::{Memory, Remembered};

impl<M: Memory> Poller<M> {
    /// Learns the server's time from an answer. Returns it as it certainly was when the call was made.
    pub(super) fn heard<T>(&mut self, answer: Answer<T>, asked: Duration) -> (Timestamp, Result<T, Failure>) {
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
        if answer.result.is_ok() {
            let now = self.clock.now();
            // While calls fail, that is the reason, and the gap that it leaves is written already.
            if now.since(self.heard_at) > 3 * self.pace.idle_every && self.gap != Gap::Open {
                self.silent_since.get_or_insert(self.heard_at);
            }
            self.heard_at = now;
        }
        if matches!(&answer.result, Err(failure) if failure.cause == Cause::Throttled) {
            self.budget.throttled(self.clock.uptime());
        }
        let at_call = self.server_clock.at(asked).unwrap_or_else(|| self.clock.now());
        (at_call, answer.result)
    }

    pub(super) fn sighting(&self, token: RequestToken, seen_at: Timestamp, source: Source, seen: Seen) -> Sighting {
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

    /// Has sightings remembered, and takes over how their requests stand; returns those that have ended.
    pub(super) async fn remember(
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

    /// Puts on the agenda what someone else has added to the history: a person who began a request. One that ended before the
    /// next discovery is in no short listing, so it would not be seen again before a sweep.
    pub(super) async fn take_in_others(&mut self, stop: &CancellationToken) -> Result<(), M::Error> {
        let target = self.watched.target.id;
        let standings = self
            .insist(stop, move |memory| async move { memory.standings(target).await })
            .await?;
        let (now, pace) = (self.now(), self.pace.clone());
        for standing in standings {
            if !self.agenda.holds(&standing.key.token) {
                self.agenda.update(standing, None, &pace, now, self.random.f64());
            }
        }
        Ok(())
    }

    /// Has the history do something. One that can't for now (a full disk) is waited for, with an answer in hand: to go
    /// on would be to forget it.
    pub(super) async fn insist<T, F: Future<Output = Result<T, M::Error>>>(
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
}
