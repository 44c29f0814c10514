//! `config/scenarios/annotated.toml`, and the JSON of the faults, against the keys that the readers know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::reader::RETRY_AFTER_KEYS;
use super::{Scenario, faults, hooks, reader, types};
use crate::simulator::Faults;

const ANNOTATED: &str = include_str!("../../../config/scenarios/annotated.toml");

/// The keys that the file gives, by the table that they stand in.
fn shown() -> BTreeMap<String, BTreeSet<String>> {
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in ANNOTATED.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ") {
            shown.entry(table.clone()).or_default().insert(key.to_owned());
        }
    }
    shown
}

fn set<'a>(keys: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    keys.into_iter().map(str::to_owned).collect()
}

#[test]
fn it_shows_every_key_and_no_other() {
    let shown = shown();
    // What is a table of its own there.
    let tables = ["retry_after", "hooks", "types", "other_types", "failures", "faults"];
    let but = |keys: &[&'static str], tables: &[&str]| set(keys.iter().copied().filter(|key| !tables.contains(key)));
    let expected = BTreeMap::from([
        (String::new(), but(&reader::KEYS, &tables)),
        ("retry_after".to_owned(), set(RETRY_AFTER_KEYS)),
        ("types".to_owned(), but(&types::KEYS, &["failures"])),
        ("types.failures".to_owned(), set(types::FAILURE_KEYS)),
        // Its keys are those of a type.
        ("other_types".to_owned(), set(["type_name", "duration"])),
        ("failures".to_owned(), set(types::FAILURE_KEYS)),
        ("hooks".to_owned(), but(&hooks::KEYS, &["messages"])),
        ("hooks.messages".to_owned(), set(hooks::MESSAGE_KEYS)),
        ("faults".to_owned(), set(faults::KEYS)),
    ]);
    assert_eq!(shown, expected);
}

#[test]
fn it_is_a_scenario_and_what_is_said_to_be_the_default_is() {
    let annotated = Scenario::parse(ANNOTATED, Path::new("annotated.toml")).unwrap_or_else(|errors| panic!("{errors}"));
    let plain = Scenario::parse("", Path::new("empty.toml")).unwrap();
    assert_eq!(plain, Scenario::default());
    assert_eq!(
        (annotated.account_id, annotated.region),
        (plain.account_id, plain.region)
    );
    assert_eq!(
        (
            annotated.list_order,
            annotated.list_lag,
            annotated.retention,
            annotated.truth_limit
        ),
        (plain.list_order, plain.list_lag, plain.retention, plain.truth_limit)
    );
    assert_eq!(annotated.retry_after.far_after, plain.retry_after.far_after);
}

#[test]
fn faults_have_the_same_words_and_values_in_toml_and_in_json() {
    let faults = Scenario::parse(ANNOTATED, Path::new("annotated.toml")).unwrap().faults;
    let json = serde_json::to_value(&faults).unwrap();
    let keys = |value: &serde_json::Value| set(value.as_object().unwrap().keys().map(String::as_str));
    assert_eq!(keys(&json), set(faults::KEYS));
    assert_eq!(keys(&json["throttle"]), set(faults::THROTTLE_KEYS));
    assert_eq!(serde_json::from_value::<Faults>(json).unwrap(), faults);
    assert_eq!(faults.check(), Ok(()), "what one reader takes, the other does");
}
