use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::model::Timestamp;
use crate::simulator::World;

const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);

#[test]
fn every_scenario_that_comes_with_the_program_can_be_lived_in() {
    for name in Scenario::names() {
        let scenario = Scenario::preset(name).unwrap();
        let others = scenario.arrivals_per_second > 0.0;
        let mut world = World::new(scenario, 1, START);
        world.advance(START.plus(Duration::from_mins(1)));
        assert_eq!(!world.is_empty(), others, "{name}");
    }
    assert_eq!(Scenario::preset("Friendly"), None);
    assert_eq!(Scenario::friendly(), Scenario::preset("friendly").unwrap());
    assert_eq!(Scenario::lively(), Scenario::preset("lively").unwrap());
}

#[test]
fn every_file_beside_them_is_embedded_or_annotates() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/scenarios");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let names = Scenario::names().chain(["annotated"]);
    assert_eq!(files, names.map(|name| format!("{name}.toml")).collect());
}

#[test]
fn the_scenario_of_hooks_has_each_end_in_both_modes() {
    let mut world = World::new(Scenario::preset("hooks").unwrap(), 1, START);
    world.advance(START.plus(Duration::from_mins(10)));
    let requests = world.truth().requests();
    let hooks = requests.values().flat_map(|request| request.hooks.values());
    let ends: BTreeSet<_> = hooks
        .filter(|hook| hook.status.is_final())
        .map(|hook| (hook.failure_mode.to_string(), hook.status.to_string()))
        .collect();
    assert_eq!(ends.len(), 6, "{ends:?}");
}

#[test]
fn the_busy_scenario_has_thousands_of_open_requests() {
    let mut world = World::new(Scenario::preset("busy").unwrap(), 1, START);
    world.advance(START.plus(Duration::from_mins(10)));
    let requests = world.truth().requests();
    let open = requests
        .values()
        .filter(|request| request.finished_at.is_none())
        .count();
    assert!((3_000..10_000).contains(&open), "{open}");
}
