//! One receiver's outbox and courier, played: what waits, when it is due, what is told together, and how fast.
//!
//! As in the history, the changes of a request form a line of which the head alone is due, and what is put at its end and
//! must not wait takes along what is held before it. As a courier does, it sends what waits longest, in one digest with the
//! rest of its group if that is more than people would read one by one, and then pauses as the receiver asks.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use super::Sent;
use crate::decide::route::{Route, Subject};
use crate::decide::{grouping, mute};
use crate::model::Timestamp;

/// The most changes in one digest, as in the outbox.
const MOST: usize = 1000;
/// Groups that are remembered before those are looked for that can be forgotten.
const FEW_GROUPS: usize = 1024;
const HOUR: i64 = 3_600_000;

/// How a receiver is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// Its name.
    pub receiver: String,
    /// More changes than that, due together, are one digest; `None`: each is told for itself.
    pub digest_over: Option<u32>,
    /// The least time between two messages, once `burst` of them were sent.
    pub spacing: Duration,
    /// Messages that may be sent without a pause after a quiet time, at least 1.
    pub burst: u32,
}

/// What a receiver would have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub changes: u64,
    /// Digests among them.
    pub messages: u64,
    pub digests: u64,
    /// The hour of the clock, in UTC, with the most messages: when it began, and how many there were.
    pub busiest: Option<(Timestamp, u64)>,
    /// The longest that a change waited, for its group, its mute window or the receiver's pace.
    pub longest_wait: Duration,
}

#[derive(Debug)]
pub(super) struct Mailbox {
    manner: Manner,
    /// What waits, by request. None of them is empty.
    lines: HashMap<Rc<str>, Line>,
    heads: BTreeSet<Head>,
    /// By their keys; the empty one is that of what no route groups.
    groups: HashMap<Rc<str>, Group>,
    sweep_at: usize,
    /// The number of the next change that is put here.
    next: u64,
    /// No message is sent before.
    free_at: Option<Timestamp>,
    /// When all messages so far are paid for by their spacing.
    paid_until: Option<Timestamp>,
    tally: Tally,
    /// The hour of the last message, and how many there were in it.
    hour: Option<(i64, u64)>,
}

#[derive(Debug)]
struct Line {
    /// When its head is due.
    due: Timestamp,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    place: u64,
    change: i64,
    group: Rc<str>,
    since: Timestamp,
    not_before: Timestamp,
}

/// The first of a line, in the order in which they are sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    at: Timestamp,
    place: u64,
    line: Rc<str>,
}

#[derive(Debug, Default)]
struct Group {
    interval: Duration,
    told_at: Option<Timestamp>,
    heads: BTreeSet<Head>,
}

impl Group {
    /// The flush that is waited for: when the first of its heads is due that is not due yet.
    fn pending_flush(&self, now: Timestamp) -> Option<Timestamp> {
        let later = Head {
            at: now.plus(Duration::from_millis(1)),
            place: 0,
            line: Rc::default(),
        };
        self.heads.range(later..).next().map(|head| head.at)
    }

    /// Whether it matters still when it was told.
    fn rests(&self, now: Timestamp) -> bool {
        self.told_at.is_some_and(|told| told.plus(self.interval) > now)
    }
}

impl Mailbox {
    pub(super) fn new(manner: Manner) -> Self {
        Self {
            manner,
            lines: HashMap::new(),
            heads: BTreeSet::new(),
            groups: HashMap::new(),
            sweep_at: FEW_GROUPS,
            next: 0,
            free_at: None,
            paid_until: None,
            tally: Tally::default(),
            hour: None,
        }
    }

    pub(super) fn is_of(&self, receiver: &str) -> bool {
        self.manner.receiver == receiver
    }

    pub(super) fn close(self) -> (Manner, Tally) {
        (self.manner, self.tally)
    }

    /// Puts a change at the end of its line, to be told at once.
    pub(super) fn put(&mut self, line: &str, change: i64, at: Timestamp) {
        self.enqueue(line, change, at, "", at);
    }

    /// Puts a change at the end of its line, to be told when the route says.
    pub(super) fn put_by_route(
        &mut self,
        line: &str,
        change: i64,
        at: Timestamp,
        route: &Route,
        subject: &Subject<'_>,
    ) {
        let (mut key, mut not_before) = (String::new(), at);
        if let Some(grouping) = &route.group {
            key = grouping::key(&route.name, grouping, subject);
            let group = self.groups.get(key.as_str());
            let pending = group.and_then(|group| group.pending_flush(at));
            let told = group.and_then(|group| group.told_at);
            not_before = grouping::due_at(at, grouping, pending, told);
        }
        if let Some(end) = mute::held_until(not_before, &route.mute) {
            not_before = end;
        }
        self.enqueue(line, change, at, &key, not_before);
        if let (Some(grouping), Some(group)) = (&route.group, self.groups.get_mut(key.as_str())) {
            group.interval = grouping.interval;
        }
    }

    fn enqueue(&mut self, line: &str, change: i64, at: Timestamp, group: &str, not_before: Timestamp) {
        self.forget_groups(at);
        self.hurry(line, not_before);
        let group = match self.groups.get_key_value(group) {
            Some((key, _)) => Rc::clone(key),
            None => Rc::from(group),
        };
        self.groups.entry(Rc::clone(&group)).or_default();
        let line = match self.lines.get_key_value(line) {
            Some((line, _)) => Rc::clone(line),
            None => Rc::from(line),
        };
        let waiting = Waiting {
            place: self.next,
            change,
            group,
            since: at,
            not_before,
        };
        self.next += 1;
        if let Some(queue) = self.lines.get_mut(&line) {
            queue.waiting.push_back(waiting);
            return;
        }
        let queue = Line {
            due: not_before,
            waiting: VecDeque::from([waiting]),
        };
        self.lines.insert(Rc::clone(&line), queue);
        self.show(&line);
    }

    /// Lets what stands in a line go no later than `not_before`.
    fn hurry(&mut self, line: &str, not_before: Timestamp) {
        let Some((name, _)) = self.lines.get_key_value(line) else {
            return;
        };
        let name = Rc::clone(name);
        self.hide(&name);
        if let Some(queue) = self.lines.get_mut(&name) {
            queue.due = queue.due.min(not_before);
            for waiting in &mut queue.waiting {
                waiting.not_before = waiting.not_before.min(not_before);
            }
        }
        self.show(&name);
    }

    /// The head of a line, and its group.
    fn head(&self, line: &Rc<str>) -> Option<(Head, Rc<str>)> {
        let queue = self.lines.get(line)?;
        let first = queue.waiting.front()?;
        let head = Head {
            at: queue.due,
            place: first.place,
            line: Rc::clone(line),
        };
        Some((head, Rc::clone(&first.group)))
    }

    /// Puts the head of a line among those that will be due.
    fn show(&mut self, line: &Rc<str>) {
        let Some((head, group)) = self.head(line) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&group) {
            group.heads.insert(head.clone());
        }
        self.heads.insert(head);
    }

    fn hide(&mut self, line: &Rc<str>) {
        let Some((head, group)) = self.head(line) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&group) {
            group.heads.remove(&head);
        }
        self.heads.remove(&head);
    }

    /// Sends what would be sent before `now`, or all of it.
    pub(super) fn send_until(&mut self, now: Option<Timestamp>, sent: &mut impl FnMut(Sent<'_>)) {
        while let Some(first) = self.heads.first() {
            let at = self.free_at.map_or(first.at, |free| free.max(first.at));
            if now.is_some_and(|now| at >= now) {
                return;
            }
            let line = Rc::clone(&first.line);
            self.send(&line, at, sent);
        }
    }

    /// Sends the first of a line, with what is told together with it.
    fn send(&mut self, first: &Rc<str>, at: Timestamp, sent: &mut impl FnMut(Sent<'_>)) {
        let Some((_, group)) = self.head(first) else {
            return;
        };
        let lines = self.digest(&group, at).unwrap_or_else(|| vec![(Rc::clone(first), 1)]);
        let mut changes = Vec::new();
        for (line, count) in &lines {
            self.hide(line);
            let Some(queue) = self.lines.get_mut(line) else {
                continue;
            };
            for waiting in queue.waiting.drain(..*count) {
                self.tally.longest_wait = self.tally.longest_wait.max(at.since(waiting.since));
                changes.push(waiting.change);
            }
            match queue.waiting.front() {
                Some(next) => {
                    queue.due = next.not_before.max(at);
                    self.show(line);
                }
                None => drop(self.lines.remove(line)),
            }
        }
        self.count(at, changes.len());
        self.pay_for_a_message(at);
        if let Some(group) = self.groups.get_mut(&group) {
            group.told_at = Some(at);
        }
        sent(Sent {
            receiver: &self.manner.receiver,
            at,
            changes: &changes,
        });
    }

    fn pay_for_a_message(&mut self, now: Timestamp) {
        let Manner { spacing, burst, .. } = self.manner;
        let paid_until = self.paid_until.map_or(now, |until| until.max(now)).plus(spacing);
        let on_credit = spacing.saturating_mul(burst.saturating_sub(1));
        self.free_at = Some(paid_until.minus(on_credit).max(now));
        self.paid_until = Some(paid_until);
    }

    /// The lines that make a digest of the group, with how many changes of each, if they are enough.
    fn digest(&self, group: &Rc<str>, at: Timestamp) -> Option<Vec<(Rc<str>, usize)>> {
        let over = self.manner.digest_over? as usize;
        let mut left = MOST;
        let mut lines = Vec::new();
        for head in self.groups.get(group)?.heads.iter().take_while(|head| head.at <= at) {
            let waiting = self.lines.get(&head.line).into_iter().flat_map(|line| &line.waiting);
            let joining = waiting.take_while(|waiting| waiting.group == *group && waiting.not_before <= at);
            let count = joining.take(left).count();
            if count == 0 {
                break;
            }
            left -= count;
            lines.push((Rc::clone(&head.line), count));
        }
        (MOST - left > over).then_some(lines)
    }

    fn count(&mut self, at: Timestamp, changes: usize) {
        self.tally.changes += changes as u64;
        self.tally.messages += 1;
        self.tally.digests += u64::from(changes > 1);
        let hour = at.as_millis().div_euclid(HOUR);
        let so_far = match self.hour {
            Some((last, count)) if last == hour => count,
            _ => 0,
        };
        self.hour = Some((hour, so_far + 1));
        if self.tally.busiest.is_none_or(|(_, most)| so_far + 1 > most) {
            self.tally.busiest = Some((Timestamp::from_millis(hour * HOUR), so_far + 1));
        }
    }

    /// Forgets groups in which nothing waits and that have rested, so that what is kept does not grow with what has been.
    fn forget_groups(&mut self, now: Timestamp) {
        if self.groups.len() < self.sweep_at {
            return;
        }
        // Whatever waits in a group shares its key.
        self.groups
            .retain(|key, group| Rc::strong_count(key) > 1 || group.rests(now));
        self.sweep_at = FEW_GROUPS.max(self.groups.len() * 2);
    }
}

#[cfg(test)]
#[path = "mailbox_tests.rs"]
mod tests;
