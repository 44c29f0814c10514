//! All the worlds of a simulator: one for each account and Region, made when it is first called.
//!
//! Guarantees, each with a test: the same seed gives the same worlds, in whatever order they are first called, for a
//! world's seed comes from the simulator's and its place, and each begins when the simulator did. A world holds up no
//! other: each has a lock of its own, and the lock of their table is held for a look into it. There is a limit to their
//! number, as places come from the wire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::place::Place;
use super::refusal::Refusal;
use super::scenario::Scenario;
use super::world::World;
use crate::model::Timestamp;

/// How many worlds there may be. An empty one takes a kilobyte.
const LIMIT: usize = 50_000;

/// A world that several calls share.
pub(super) type SharedWorld = Arc<Mutex<World>>;

#[derive(Debug)]
pub(super) struct Worlds {
    scenario: Arc<Scenario>,
    seed: u64,
    began_at: Timestamp,
    limit: usize,
    home: Place,
    home_world: SharedWorld,
    /// `home` among them.
    by_place: RwLock<BTreeMap<Place, SharedWorld>>,
}

impl Worlds {
    /// The scenario's own world, home, has the seed as it is.
    pub(super) fn new(scenario: Scenario, seed: u64, now: Timestamp) -> Self {
        let scenario = Arc::new(scenario);
        let home = Place::new(&scenario.account_id, &scenario.region);
        let world = World::in_place(Arc::clone(&scenario), home.clone(), seed, now);
        let home_world = Arc::new(Mutex::new(world));
        Self {
            scenario,
            seed,
            began_at: now,
            limit: LIMIT,
            by_place: RwLock::new(BTreeMap::from([(home.clone(), Arc::clone(&home_world))])),
            home,
            home_world,
        }
    }

    pub(super) fn home(&self) -> &Place {
        &self.home
    }

    pub(super) fn home_world(&self) -> &SharedWorld {
        &self.home_world
    }

    /// The world of this place, which is made if there is none yet.
    pub(super) fn at(&self, place: &Place) -> Result<SharedWorld, Refusal> {
        let known = self.by_place.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(world) = known.get(place) {
            return Ok(Arc::clone(world));
        }
        drop(known);
        let mut known = self.by_place.write().unwrap_or_else(PoisonError::into_inner);
        // Another call may have made it in the meantime.
        if let Some(world) = known.get(place) {
            return Ok(Arc::clone(world));
        }
        if known.len() >= self.limit {
            return Err(Refusal::too_many_worlds(self.limit));
        }
        let seed = place.seed(self.seed);
        let world = World::in_place(Arc::clone(&self.scenario), place.clone(), seed, self.began_at);
        let world = Arc::new(Mutex::new(world));
        known.insert(place.clone(), Arc::clone(&world));
        Ok(world)
    }

    /// Every world that there is by now.
    pub(super) fn all(&self) -> Vec<(Place, SharedWorld)> {
        let known = self.by_place.read().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .map(|(place, world)| (place.clone(), Arc::clone(world)))
            .collect()
    }
}

/// A world whose holder panicked is as good as its last transition: tests still want to read its truth.
pub(super) fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);

    fn place(account: u32) -> Place {
        Place::new(&format!("{account:012}"), "eu-west-1")
    }

    #[test]
    fn the_order_in_which_worlds_are_first_called_changes_none_of_them() {
        let run = |order: &[u32], pause: Duration| {
            let worlds = Worlds::new(Scenario::lively(), 7, START);
            let mut now = START;
            for account in order {
                now = now.plus(pause);
                lock(&worlds.at(&place(*account)).unwrap()).advance(now);
            }
            let end = START.plus(Duration::from_mins(2));
            let told = worlds.all().into_iter().map(|(place, world)| {
                let mut world = lock(&world);
                world.advance(end);
                (place, world.truth().clone())
            });
            told.collect::<BTreeMap<_, _>>()
        };
        let told = run(&[1, 2, 3], Duration::from_secs(1));
        assert!(told.values().all(|truth| truth.transitions.len() > 100));
        assert_ne!(told[&place(1)], told[&place(2)]);
        let home = &told[&Place::new("123456789012", "us-east-1")];
        let mut alone = World::new(Scenario::lively(), 7, START);
        alone.advance(START.plus(Duration::from_mins(2)));
        assert_eq!(home, alone.truth(), "the scenario's own world has the seed itself");
        assert_eq!(told, run(&[3, 1, 2], Duration::from_secs(20)));
    }

    #[test]
    fn an_empty_world_is_small() {
        assert!(size_of::<World>() < 1_500, "{}", size_of::<World>());
    }

    #[test]
    fn their_number_is_limited_and_those_that_are_there_go_on() {
        let worlds = Worlds {
            limit: 3,
            ..Worlds::new(Scenario::friendly(), 7, START)
        };
        worlds.at(&place(1)).unwrap();
        worlds.at(&place(2)).unwrap();
        let refusal = worlds.at(&place(3)).unwrap_err();
        assert!(refusal.message.contains("3 worlds"), "{}", refusal.message);
        worlds.at(&place(1)).unwrap();
        worlds.at(worlds.home()).unwrap();
        assert_eq!(worlds.all().len(), 3);
    }
}
