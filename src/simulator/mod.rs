//! A Cloud Control endpoint with a life cycle, for tests, for the demonstration, and for anyone who writes a client.
//!
//! ```text
//!   http  ─┐                                     ┌─ truth   what really happened
//!          ├─▶ Simulator ─▶ wire ─▶ World ───────┤
//! in_memory┘   (a lock)     (bytes)  (no I/O)    └─ calls   what was asked for, early looks counted
//! ```
//!
//! [`World`] is a state machine with its clock as an argument; [`wire`] translates awsJson1_0 and puts the [`Faults`]
//! in; two thin transports carry the bytes: [`http`] on a socket, [`in_memory`] straight under the SDK, where a day
//! passes in seconds under tokio's paused time. What a world is like is a [`Scenario`]. The same scenario, seed, calls
//! and times give the same world and the same answers.
//!
//! Served now: all eight operations of the API. The six on requests: ListResourceRequests, GetResourceRequestStatus,
//! CancelResourceRequest, CreateResource, UpdateResource, DeleteResource; and the two reads, GetResource and
//! ListResources, for resources really exist: what was created can be read, patched, listed and deleted.
//!
//! Rejected: canned answers (they know no life cycle, and test what their author thought of), and a world that runs in
//! tasks of its own with timers (it can't be made to repeat itself, and a test can't wait for it without sleeping).

mod beginning;
mod calls;
mod client_token;
mod course;
mod cut_off;
mod desired_state;
mod event;
pub mod faults;
pub mod http;
pub mod in_memory;
mod listing;
mod operations;
mod patch;
mod presets;
mod provisioning;
mod reads;
mod refusal;
mod request;
mod resources;
pub mod scenario;
mod spread;
mod token;
mod truth;
pub mod wire;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::Request;
use bytes::Bytes;

pub use self::calls::{Calls, OperationCalls};
pub use self::event::{HookProgressEvent, ProgressEvent};
pub use self::faults::Faults;
pub use self::in_memory::InMemory;
pub use self::listing::Filter;
pub use self::operations::{ListQuery, Page};
pub use self::provisioning::{Create, Delete, Update};
pub use self::reads::{ResourceDescription, ResourcePage, ResourceQuery};
pub use self::refusal::Refusal;
pub use self::scenario::Scenario;
pub use self::spread::Spread;
pub use self::token::Token;
pub use self::truth::{HookTruth, RequestTruth, Transition, Truth, What};
use self::wire::Answer;
pub use self::world::World;
use crate::clock::Clock;
use crate::model::Timestamp;

/// A world that several clients share. Cheap to clone; clones are the same world.
#[derive(Debug, Clone)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
}

impl Simulator {
    pub fn new(scenario: Scenario, seed: u64, now: Timestamp) -> Self {
        Self {
            world: Arc::new(Mutex::new(World::new(scenario, seed, now))),
        }
    }

    /// Does something with the world while no call does.
    pub fn with<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        act(&mut self.world())
    }

    /// Lets everything happen that is due until `now`.
    pub fn advance(&self, now: Timestamp) {
        self.world().advance(now);
    }

    /// What really happened, up to the last call or `advance`.
    pub fn truth(&self) -> Truth {
        self.world().truth().clone()
    }

    /// What clients asked for so far.
    pub fn calls(&self) -> Calls {
        self.world().calls().clone()
    }

    /// What goes wrong from now on, on a world that has been advanced to now: what was due earlier and did not happen
    /// yet takes its times from the new clock skew.
    pub fn set_faults(&self, faults: Faults) {
        self.world().set_faults(faults);
    }

    /// Answers a call. One that is slow on purpose waits first and is carried out then: a client that has given up in
    /// the meantime has not called.
    pub(crate) async fn answer(&self, request: &Request<Bytes>, clock: &Clock) -> Answer {
        let delay = wire::delay(&mut self.world());
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        wire::answer(&mut self.world(), request, clock.now())
    }

    pub(crate) fn refuse(&self, refusal: &Refusal, clock: &Clock) -> Answer {
        wire::refuse(&mut self.world(), refusal, clock.now())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A world whose holder panicked is as good as its last transition: tests still want to read its truth.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
