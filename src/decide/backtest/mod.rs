//! What a configuration would have told: changes that happened × routes × receivers → messages.
//!
//! The same decisions as in earnest (`route`, `grouping`, `mute`, `incident`), put together without a history and without a
//! clock: time is that of the changes. The outbox and the courier of each receiver are played by a `mailbox`.
//!
//! What is not as it would have been:
//!
//! - Every message is accepted at once. Nothing is retried, and no receiver asks to be left alone.
//! - No silence is considered: those that were added were meant for what was told then.
//! - A request and its hooks are as they are now: an identifier that became known with a later change is known to all of
//!   its changes.
//! - A request's living message is brought up to date with its last change, which a digest in earnest leaves to be told alone.
//!   Here a digest takes it.
//!
//! What is kept in memory is what waits: the changes that a mute window, a group or a slow pace holds, a few words each, and
//! the incidents that are open.

mod incidents;
mod mailbox;

use super::incident::{self, Bearing};
use super::route::{self, Subject};
use super::routing::Routing;
use crate::model::{Announcement, Change, IncidentState, Timestamp};
use incidents::Incidents;
use mailbox::Mailbox;

pub use mailbox::{Manner, Tally};

/// Changes on their way through a configuration.
#[derive(Debug)]
pub struct Backtest<'r> {
    routing: &'r Routing,
    mailboxes: Vec<Mailbox>,
    incidents: Incidents,
    /// How many changes each route matched.
    matched: Vec<u64>,
}

/// Someone who would have been told of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The receiver's name.
    pub receiver: String,
    /// What the change is to the incident that the receiver keeps, if it keeps any.
    pub incident: Option<IncidentState>,
}

/// A message that would have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    pub receiver: &'a str,
    pub at: Timestamp,
    /// The numbers of the changes that it tells; more than one in a digest.
    pub changes: &'a [i64],
}

/// What became of all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Each receiver's, in the order in which they were given.
    pub receivers: Vec<(Manner, Tally)>,
    /// How many changes each route matched, in their order.
    pub matched: Vec<u64>,
}

impl<'r> Backtest<'r> {
    /// `receivers`: all that the routes name.
    pub fn new(routing: &'r Routing, receivers: impl IntoIterator<Item = Manner>) -> Self {
        Self {
            routing,
            mailboxes: receivers.into_iter().map(Mailbox::new).collect(),
            incidents: Incidents::default(),
            matched: vec![0; routing.routes.len()],
        }
    }

    /// Has the next change happen; they are given in the order of time. Returns who would be told of it, and hands over
    /// what was sent before it.
    pub fn change(
        &mut self,
        number: i64,
        announcement: &Announcement,
        sent: &mut impl FnMut(Sent<'_>),
    ) -> Vec<Addressed> {
        for mailbox in &mut self.mailboxes {
            mailbox.send_until(Some(announcement.at), sent);
        }
        let subject = Subject::from(announcement);
        for (route, matched) in self.routing.routes.iter().zip(&mut self.matched) {
            *matched += u64::from(route.matches(&subject));
        }
        let bearing = bearing(announcement);
        let line = format!("{}/{}", announcement.target, announcement.request.request_token);
        let mut addressed = Vec::new();
        if let Some(Bearing::Resolves(ending)) = bearing {
            for (receiver, line) in self.incidents.resolve(announcement, ending) {
                if let Some(mailbox) = self.mailboxes.iter_mut().find(|mailbox| mailbox.is_of(&receiver)) {
                    mailbox.put(&line, number, announcement.at);
                }
                addressed.push(Addressed {
                    receiver,
                    incident: Some(IncidentState::Resolved),
                });
            }
        }
        for chosen in route::receivers(&self.routing.routes, &subject) {
            let keeps_incidents = self.routing.incident_receivers.contains(chosen.receiver);
            let (incident, line) = match bearing {
                _ if !keeps_incidents => (None, line.clone()),
                Some(Bearing::Opens { by_hook }) => {
                    let its_line = self.incidents.open(announcement, &line, chosen.receiver, by_hook);
                    (Some(IncidentState::Open), its_line)
                }
                _ => continue,
            };
            let Some(mailbox) = self.mailboxes.iter_mut().find(|mailbox| mailbox.is_of(chosen.receiver)) else {
                continue;
            };
            mailbox.put_by_route(&line, number, announcement.at, chosen.route, &subject);
            addressed.push(Addressed {
                receiver: chosen.receiver.to_owned(),
                incident,
            });
        }
        addressed
    }

    /// Lets all that waits be sent, however late.
    pub fn finish(mut self, sent: &mut impl FnMut(Sent<'_>)) -> Outcome {
        for mailbox in &mut self.mailboxes {
            mailbox.send_until(None, sent);
        }
        Outcome {
            receivers: self.mailboxes.into_iter().map(Mailbox::close).collect(),
            matched: self.matched,
        }
    }
}

fn bearing(announcement: &Announcement) -> Option<Bearing> {
    incident::bearing(&Change {
        kind: announcement.kind.clone(),
        at: announcement.at,
        event_time: None,
        from: None,
        to: announcement.to.clone(),
        error_code: None,
        message: None,
        hook: None,
    })
}

#[cfg(test)]
#[path = "backtest_tests.rs"]
mod tests;
