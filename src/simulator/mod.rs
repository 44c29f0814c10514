//! A Cloud Control endpoint with a life cycle, for tests, for the demonstration, and for anyone who writes a client.
//!
//! ```text
//!   http  ─┐                                     ┌─ truth   what really happened
//!          ├─▶ Simulator ─▶ wire ─▶ World ───────┤
//! in_memory┘   (locks)      (bytes)  (no I/O)    └─ calls   what was asked for, early looks counted
//! ```
//!
//! There is a world for each account and Region that is called; the credential scope of a call says which is meant. A
//! [`World`] is a state machine with its clock as an argument; [`wire`] translates awsJson1_0 and puts the [`Faults`]
//! in; two thin transports carry the bytes: [`http`] on a socket, [`in_memory`] straight under the SDK, where a day
//! passes in seconds under tokio's paused time. What a world is like is a [`Scenario`], which a TOML file may hold. The
//! same scenario, seed, calls and times give the same world and the same answers.
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
mod lateness;
mod listing;
mod operations;
mod patch;
mod place;
mod presets;
mod provisioning;
mod reads;
mod refusal;
mod request;
mod resources;
pub mod scenario;
mod signature;
mod spread;
mod token;
mod truth;
pub mod wire;
mod world;
mod worlds;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::Request;
use bytes::Bytes;
use secrecy::SecretString;

pub use self::calls::{Calls, OperationCalls};
pub use self::event::{HookProgressEvent, ProgressEvent};
pub use self::faults::Faults;
pub use self::in_memory::InMemory;
pub use self::lateness::Lateness;
pub use self::listing::Filter;
pub use self::operations::{ListQuery, Page};
pub use self::place::Place;
pub use self::provisioning::{Create, Delete, Update};
pub use self::reads::{ResourceDescription, ResourcePage, ResourceQuery};
pub use self::refusal::Refusal;
pub use self::scenario::Scenario;
pub use self::spread::Spread;
pub use self::token::Token;
pub use self::truth::{HookTruth, RequestTruth, Transition, Truth, What};
use self::wire::{Answer, Caller};
pub use self::world::World;
use self::worlds::{Worlds, lock};
use crate::clock::{Clock, RunsByItself};
use crate::model::Timestamp;

/// The worlds that several clients share. Cheap to clone; clones are the same worlds.
///
/// A call is for the world of its account and Region, as its credential scope names them, and for the scenario's own
/// where it names none. That one is also what `with`, `truth`, `calls` and the like are about; the others are reached
/// by their [`Place`].
#[derive(Debug, Clone)]
pub struct Simulator {
    worlds: Arc<Worlds>,
    secret_access_key: Option<Arc<SecretString>>,
}

impl Simulator {
    pub fn new(scenario: Scenario, seed: u64, now: Timestamp) -> Self {
        Self {
            worlds: Arc::new(Worlds::new(scenario, seed, now)),
            secret_access_key: None,
        }
    }

    /// The same worlds, for calls alone that are signed with this secret access key, whatever their access key id.
    pub fn verifying(self, secret_access_key: SecretString) -> Self {
        Self {
            secret_access_key: Some(Arc::new(secret_access_key)),
            ..self
        }
    }

    /// Does something with the scenario's own world while no call does.
    pub fn with<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        act(&mut lock(self.worlds.home_world()))
    }

    /// Does something with the world of an account in a Region while no call does. It is made if there is none yet,
    /// unless there are too many.
    pub fn with_in<R>(&self, place: &Place, act: impl FnOnce(&mut World) -> R) -> Result<R, Refusal> {
        let world = self.worlds.at(place)?;
        Ok(act(&mut lock(&world)))
    }

    /// Where the scenario's own world is.
    pub fn home(&self) -> &Place {
        self.worlds.home()
    }

    /// Lets everything happen that is due until `now`.
    pub fn advance(&self, now: Timestamp) {
        self.with(|world| world.advance(now));
    }

    /// Lets everything happen that is due until `now` in every world that there is.
    pub(crate) fn advance_all(&self, now: Timestamp) {
        for (_, world) in self.worlds.all() {
            lock(&world).advance(now);
        }
    }

    /// Moves a manual clock forward to `to`, lets everything happen that is due until then in every world, and returns
    /// how many transitions there were meanwhile, those that a call brought about among them.
    pub(crate) fn advance_clock(&self, clock: &Clock, to: Timestamp) -> Result<u64, RunsByItself> {
        let before = self.transitions();
        clock.advance_to(to)?;
        self.advance_all(clock.now());
        Ok(self.transitions().saturating_sub(before))
    }

    /// How many transitions there have been in all worlds.
    fn transitions(&self) -> u64 {
        let worlds = self.worlds.all().into_iter();
        worlds.map(|(_, world)| lock(&world).truth().count()).sum()
    }

    /// What really happened, up to the last call or `advance`.
    pub fn truth(&self) -> Truth {
        self.with(|world| world.truth().clone())
    }

    /// What clients asked for so far.
    pub fn calls(&self) -> Calls {
        self.with(|world| world.calls().clone())
    }

    /// What clients asked of each world so far.
    pub fn calls_by_place(&self) -> BTreeMap<Place, Calls> {
        let worlds = self.worlds.all().into_iter();
        worlds
            .map(|(place, world)| {
                let calls = lock(&world).calls().clone();
                (place, calls)
            })
            .collect()
    }

    /// What goes wrong from now on, on a world that has been advanced to now: what was due earlier and did not happen
    /// yet takes its times from the new clock skew.
    pub fn set_faults(&self, faults: Faults) {
        self.with(|world| world.set_faults(faults));
    }

    /// Answers a call. One that is slow on purpose waits first and is carried out then: a client that has given up in
    /// the meantime has not called.
    pub(crate) async fn answer(&self, request: &Request<Bytes>, clock: &Clock) -> Answer {
        let place = Caller::of(request).place(self.home());
        let world = match self.worlds.at(&place) {
            Ok(world) => world,
            Err(refusal) => return self.refuse(&refusal, clock),
        };
        let delay = wire::delay(&mut lock(&world));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let secret = self.secret_access_key.as_deref();
        wire::answer(&mut lock(&world), request, secret, clock.now())
    }

    /// An answer to what reached no world.
    pub(crate) fn refuse(&self, refusal: &Refusal, clock: &Clock) -> Answer {
        self.with(|world| wire::refuse(world, refusal, clock.now()))
    }
}
