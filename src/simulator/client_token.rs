//! Idempotency: the same ClientToken twice starts one request.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::model::Timestamp;

/// "A client token is valid for 36 hours once used."
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html>
const HOLDS_FOR: Duration = Duration::from_hours(36);

/// What a call asks for but its ClientToken, as a number: all that is needed to tell whether two ask for the same, and
/// a fraction of the quarter of a megabyte that a desired state may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) fn of(call: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        call.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The request that a ClientToken started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) fingerprint: Fingerprint,
    pub(super) sequence: u64,
}

#[derive(Debug, Default)]
pub(super) struct ClientTokens {
    uses: HashMap<String, Use>,
    /// Oldest first.
    used_at: VecDeque<(Timestamp, String)>,
}

impl ClientTokens {
    pub(super) fn get(&mut self, client_token: &str, now: Timestamp) -> Option<Use> {
        while let Some((_, old)) = self.used_at.pop_front_if(|(at, _)| at.plus(HOLDS_FOR) <= now) {
            self.uses.remove(&old);
        }
        self.uses.get(client_token).copied()
    }

    pub(super) fn insert(&mut self, client_token: String, used: Use, now: Timestamp) {
        self.used_at.push_back((now, client_token.clone()));
        self.uses.insert(client_token, used);
    }
}
