//! What to look at, and when: an index over the open requests of one target.
//!
//! Three ordered sets of (server time, token), by the kind of look that a request needs. What is due is the front of
//! each, what comes next is the first beyond; nothing has to be polled or woken. (A DelayQueue does the same with a
//! timer wheel, but can't say how many are due, nor be tested without a runtime.)

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::decide::cadence::{self, Pace, Why};
use crate::model::{Phase, RequestToken, Source, Standing, Timestamp};

/// Which kind of look a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Need {
    /// A list will do.
    Look,
    /// Only a Get will: its hooks are wanted, or a list no longer shows it.
    Get,
    /// A Get for the history alone.
    BackFill,
}

/// One moment on two clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) server: Timestamp,
    pub(super) ours: Timestamp,
}

#[derive(Debug)]
struct Entry {
    standing: Standing,
    at: Timestamp,
    need: Need,
    /// A complete list of what is open did not hold it.
    left_list: bool,
    /// Looks at it in a row that failed for reasons of its own.
    failures: u32,
}

type Queue = BTreeSet<(Timestamp, RequestToken)>;

#[derive(Debug, Default)]
pub(super) struct Agenda {
    entries: BTreeMap<RequestToken, Entry>,
    looks: Queue,
    gets: Queue,
    back_fill: Queue,
    open: usize,
}

impl Agenda {
    /// Takes in how a request stands after a look (or, with no source, as the history had it at start), `now` being the
    /// server's time.
    pub(super) fn update(&mut self, standing: Standing, source: Option<Source>, pace: &Pace, now: Now, chance: f64) {
        let token = standing.key.token.clone();
        let before = self.remove(&token);
        let Some(next) = cadence::next_look(&standing, pace, now.server, age(&standing, now), chance) else {
            return;
        };
        let need = match standing.phase {
            _ if next.why == Why::BackFill => Need::BackFill,
            Phase::Open if !standing.hooks_pending && !standing.is_unlisted && standing.gone_looks == 0 => Need::Look,
            _ => Need::Get,
        };
        let mut at = next.at;
        if let Some(before) = before
            .as_ref()
            .filter(|_| source == Some(Source::List) && need != Need::Look)
        {
            // A list is no Get: it must not put off the one that is wanted, unless the service says so.
            // Nor must it hasten one that is put off because it failed.
            at = if before.failures > 0 {
                before.at
            } else {
                at.min(before.at)
            };
            at = at.max(standing.retry_after.unwrap_or_default());
        }
        let failures = if source == Some(Source::Get) {
            0
        } else {
            before.map_or(0, |entry| entry.failures)
        };
        self.insert(Entry {
            standing,
            at,
            need,
            left_list: false,
            failures,
        });
    }

    /// A complete list of what is open did not hold this request: it has most likely ended, and only a Get tells how.
    /// Not before RetryAfter even so. It says nothing of a request that no list holds, or whose token was unknown.
    pub(super) fn left_list(&mut self, token: &RequestToken, now: Timestamp) {
        let Some(mut entry) = self.remove(token) else { return };
        let Standing {
            phase,
            is_unlisted,
            gone_looks,
            ..
        } = entry.standing;
        if phase == Phase::Open && !is_unlisted && gone_looks == 0 && !entry.left_list {
            entry.left_list = true;
            entry.need = Need::Get;
            entry.at = now.max(entry.standing.retry_after.unwrap_or_default());
        }
        self.insert(entry);
    }

    /// A look at this request alone failed: leave it for a while, longer each time.
    pub(super) fn postpone(&mut self, token: &RequestToken, pace: &Pace, now: Timestamp) {
        let Some(mut entry) = self.remove(token) else { return };
        entry.failures = entry.failures.saturating_add(1);
        let doublings = entry.failures.saturating_sub(1).min(16);
        let wait = (pace.min_look_every * 2_u32.pow(doublings))
            .min(pace.max_look_every)
            .max(pace.min_look_every);
        entry.at = now.plus(wait).max(entry.standing.retry_after.unwrap_or_default());
        self.insert(entry);
    }

    /// Someone waits for this request, of which it is not known when it was last looked at: it is due as soon as RetryAfter allows,
    /// if it is not quite new. One whose token was unknown has its time to come back.
    pub(super) fn hasten(&mut self, token: &RequestToken, pace: &Pace, now: Now) {
        let Some(mut entry) = self.remove(token) else { return };
        if entry.standing.phase == Phase::Open && entry.standing.gone_looks == 0 {
            let soonest = now
                .server
                .plus(pace.min_look_every.saturating_sub(age(&entry.standing, now)));
            let allowed = soonest.max(entry.standing.retry_after.unwrap_or_default());
            entry.at = entry.at.min(allowed);
        }
        self.insert(entry);
    }

    /// How many looks of a kind fall due until then; no more than `at_most` are counted.
    pub(super) fn due(&self, need: Need, until: Timestamp, at_most: usize) -> usize {
        let queue = self.queue(need).iter();
        queue.take(at_most).take_while(|(at, _)| *at <= until).count()
    }

    /// The request of a kind that has been due for longest.
    pub(super) fn first_due(&self, need: Need, now: Timestamp) -> Option<RequestToken> {
        self.queue(need)
            .first()
            .filter(|(at, _)| *at <= now)
            .map(|(_, token)| token.clone())
    }

    /// When the first look of a kind falls due.
    pub(super) fn first(&self, need: Need) -> Option<Timestamp> {
        self.queue(need).first().map(|(at, _)| *at)
    }

    /// Whether nothing is left that only a Get can tell.
    pub(super) fn needs_no_get(&self) -> bool {
        self.gets.is_empty() && self.back_fill.is_empty()
    }

    pub(super) fn holds(&self, token: &RequestToken) -> bool {
        self.entries.contains_key(token)
    }

    /// How many requests are open.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn open_tokens(&self) -> impl Iterator<Item = &RequestToken> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.standing.phase == Phase::Open)
            .map(|(token, _)| token)
    }

    fn queue(&self, need: Need) -> &Queue {
        match need {
            Need::Look => &self.looks,
            Need::Get => &self.gets,
            Need::BackFill => &self.back_fill,
        }
    }

    fn queue_mut(&mut self, need: Need) -> &mut Queue {
        match need {
            Need::Look => &mut self.looks,
            Need::Get => &mut self.gets,
            Need::BackFill => &mut self.back_fill,
        }
    }

    fn insert(&mut self, entry: Entry) {
        let token = entry.standing.key.token.clone();
        self.open += usize::from(entry.standing.phase == Phase::Open);
        self.queue_mut(entry.need).insert((entry.at, token.clone()));
        self.entries.insert(token, entry);
    }

    fn remove(&mut self, token: &RequestToken) -> Option<Entry> {
        let entry = self.entries.remove(token)?;
        self.open -= usize::from(entry.standing.phase == Phase::Open);
        self.queue_mut(entry.need).remove(&(entry.at, token.clone()));
        Some(entry)
    }
}

/// Since a request was first seen, which was written by our clock. Should that have been stepped, by days even, the server's
/// clock bounds it: no request is taken for expired that is not.
fn age(standing: &Standing, now: Now) -> Duration {
    now.ours
        .since(standing.first_seen_at)
        .min(now.server.since(standing.first_seen_at))
}

#[cfg(test)]
#[path = "agenda_tests.rs"]
mod tests;
