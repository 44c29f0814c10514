//! Messages that break a limit of their receiver.
//!
//! A change is measured when it is put into the outbox, where it is at hand, and counted when it is sent by itself: what goes
//! into a digest has other words. So what is kept is of those that wait and are too long, and few examples.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::decide::backtest::Sent;
use crate::deliver::Destination;
use crate::model::{Announcement, Incident, IncidentState, News};

/// So many of each receiver's are shown.
const EXAMPLES: usize = 3;

/// A part of a message that would have been cut.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cut {
    pub(super) receiver: String,
    /// The change's id in `v_changes`.
    pub(super) change: i64,
    pub(super) part: &'static str,
    pub(super) size: usize,
    pub(super) limit: usize,
    pub(super) unit: &'static str,
}

/// A message that no template can make.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Unmade {
    pub(super) receiver: String,
    pub(super) change: i64,
    pub(super) error: String,
}

#[derive(Debug, Default)]
pub(super) struct Excesses {
    /// By change and receiver: what waits and is too long.
    waiting: HashMap<i64, Vec<(String, Vec<Cut>)>>,
    /// By receiver: how many messages were, and some of them.
    sent: BTreeMap<String, (u64, Vec<Cut>)>,
    /// Some of them.
    unmade: Vec<Unmade>,
}

impl Excesses {
    /// Holds the message that tells `receiver` of a change against its limits.
    pub(super) fn measure(
        &mut self,
        destination: &Destination,
        change: i64,
        announcement: &Announcement,
        incident: Option<IncidentState>,
    ) {
        let mut announcement = announcement.clone();
        announcement.incident = incident.map(|state| Incident {
            key: format!("{}-i", announcement.id),
            state,
        });
        let preview = match destination.preview(&News::Change(Box::new(announcement))) {
            Ok(preview) => preview,
            Err(error) => {
                if self.unmade.len() < EXAMPLES {
                    self.unmade.push(Unmade {
                        receiver: destination.name.clone(),
                        change,
                        error: error.to_string(),
                    });
                }
                return;
            }
        };
        let excesses = preview.measures.iter().filter(|measure| measure.size > measure.limit);
        let cuts: Vec<Cut> = excesses
            .map(|measure| Cut {
                receiver: destination.name.clone(),
                change,
                part: measure.part,
                size: measure.size,
                limit: measure.limit,
                unit: measure.unit,
            })
            .collect();
        if !cuts.is_empty() {
            let waiting = self.waiting.entry(change).or_default();
            waiting.push((destination.name.clone(), cuts));
        }
    }

    pub(super) fn sent(&mut self, sent: Sent<'_>) {
        for change in sent.changes {
            let Some(waiting) = self.waiting.get_mut(change) else {
                continue;
            };
            let found: Vec<_> = waiting
                .extract_if(.., |(receiver, _)| receiver == sent.receiver)
                .collect();
            if waiting.is_empty() {
                self.waiting.remove(change);
            }
            if sent.changes.len() > 1 {
                continue;
            }
            for (receiver, cuts) in found {
                let (count, examples) = self.sent.entry(receiver).or_default();
                *count += 1;
                if *count <= EXAMPLES as u64 {
                    examples.extend(cuts);
                }
            }
        }
    }

    /// How many messages to a receiver would have been cut.
    pub(super) fn of(&self, receiver: &str) -> u64 {
        self.sent.get(receiver).map_or(0, |(count, _)| *count)
    }

    /// Some of those that a receiver's templates can't make.
    pub(super) fn unmade(&self) -> Vec<Unmade> {
        self.unmade.clone()
    }

    /// Some of each receiver's, those of a receiver together.
    pub(super) fn examples(&self) -> Vec<Cut> {
        self.sent.values().flat_map(|(_, examples)| examples).cloned().collect()
    }
}
