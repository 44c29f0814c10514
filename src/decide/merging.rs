//! What becomes of another history's request when it is brought into this one.
//!
//! **What ended on both sides is united; what goes on is left alone.** A daemon tells what differs from what its history
//! knows. Were the end of a request brought in that it still watches, it would find nothing new when it sees that end, and
//! miss telling it; were a request brought in that goes on, it would be told as lost eight days later, though the other daemon
//! told its end. So whatever this daemon can still see is left to it, and comes with a later import; nothing that comes
//! is ever told here. When neither can see a request any more, eight days after the last look, what the other knows of
//! its end is the best that there is.

use std::collections::HashMap;
use std::hash::Hash;

use super::retention::SHORTEST;
use crate::model::{Phase, Timestamp};

/// A request, as one of the histories knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub phase: Phase,
    pub status: Option<String>,
    pub last_seen_at: Timestamp,
    pub final_looks_left: u32,
}

impl Known {
    /// Whether its daemon may still see it, and has reason to look.
    fn goes_on(&self, now: Timestamp) -> bool {
        (self.phase == Phase::Open || self.final_looks_left > 0) && may_be_seen(self.last_seen_at, now)
    }
}

/// Whether the service may still list a request that was last seen then.
fn may_be_seen(last_seen_at: Timestamp, now: Timestamp) -> bool {
    last_seen_at >= now.minus(SHORTEST)
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merging {
    /// It is not known here: it comes with all that hangs on it.
    Whole,
    /// It is known here: what only the other has of its story comes.
    Unite,
    /// The same, and its end with it, which is not known here and will not be seen.
    Settle,
    /// It stays out.
    Leave(Left),
}

/// Why a request stays out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Left {
    /// The other daemon may still see how it goes on.
    GoesOnThere,
    /// This daemon may still see how it goes on, and tells it.
    GoesOnHere,
    /// It is not known here, but its target is watched and the service may still list it: this daemon finds it by itself.
    MayBeSeenHere,
    /// It ended here as it did not end there.
    Contradicts,
}

/// What becomes of a request that is known `there`, and perhaps `here`; `is_watched`: whether a daemon of this history looks
/// at its target.
pub fn merging(here: Option<&Known>, there: &Known, is_watched: bool, now: Timestamp) -> Merging {
    if there.phase == Phase::Open && may_be_seen(there.last_seen_at, now) {
        return Merging::Leave(Left::GoesOnThere);
    }
    let Some(here) = here else {
        return if is_watched && may_be_seen(there.last_seen_at, now) {
            Merging::Leave(Left::MayBeSeenHere)
        } else {
            Merging::Whole
        };
    };
    if here.goes_on(now) {
        return Merging::Leave(Left::GoesOnHere);
    }
    match (here.phase, there.phase) {
        (Phase::Finished, Phase::Finished) if here.status != there.status => Merging::Leave(Left::Contradicts),
        (Phase::Open | Phase::Lost, Phase::Finished) => Merging::Settle,
        _ => Merging::Unite,
    }
}

/// Pairs what both have. For each of `there`, the place in `here` of the one that says the same, if there is one.
///
/// One thing may be said several times: the first there is paired with the first here, and so on, so that what is united
/// has each as often as the one that has it more often. To unite once more then adds nothing, and the order of two
/// does not matter.
pub fn paired<K: Eq + Hash>(here: &[K], there: &[K]) -> Vec<Option<usize>> {
    let mut places: HashMap<&K, std::collections::VecDeque<usize>> = HashMap::new();
    for (place, key) in here.iter().enumerate() {
        places.entry(key).or_default().push_back(place);
    }
    let mut next = |key| places.get_mut(key).and_then(std::collections::VecDeque::pop_front);
    there.iter().map(&mut next).collect()
}

/// What is left of the time from `from` to `to` when the times in `taken`, in order of their begin, are taken out. A
/// time without an end goes on for ever. A time that is empty is left unless it lies in another one.
pub fn without(
    (from, to): (Timestamp, Timestamp),
    taken: &[(Timestamp, Option<Timestamp>)],
) -> Vec<(Timestamp, Timestamp)> {
    let mut left = Vec::new();
    let mut begin = from;
    for (taken_from, taken_to) in taken {
        if *taken_from > to {
            break;
        }
        if *taken_from > begin {
            left.push((begin, *taken_from));
        }
        match taken_to {
            Some(end) if *end < begin => {}
            Some(end) if *end < to => begin = *end,
            _ => return left,
        }
    }
    left.push((begin, to));
    left
}

#[cfg(test)]
#[path = "merging_tests.rs"]
mod tests;
