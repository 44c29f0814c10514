//! Whatever a file holds, reading it ends, and ends with an answer that is safe to print.

use std::path::Path;

use ccwatch::config::{Config, Environment};
use proptest::prelude::*;

const ANNOTATED: &str = include_str!("../../config/ccwatch.toml");

/// What a file may be made of so that it gets further than to its first character.
const PIECES: [&str; 40] = [
    "[history]",
    "[poll]",
    "[[targets]]",
    "[[receivers]]",
    "[[routes]]",
    "[targets]",
    "name",
    "regions",
    "type",
    "url",
    "secret",
    "to",
    "kind",
    "status",
    "path",
    "discover_every",
    "account_id",
    "command",
    "=",
    " = ",
    ".",
    ",",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\n",
    "\r\n",
    "#",
    "\"log\"",
    "\"10s\"",
    "\"eu-west-1\"",
    "1",
    "-1e9",
    "\\",
    "é\u{202e}",
];

/// Reads the text, and holds what comes out to what is promised of any.
fn read(text: &str) {
    let environment: Environment = [("HOME", "/home/ada"), ("SECRET", "hunter2")].into_iter().collect();
    match Config::parse(text, Path::new("ccwatch.toml"), &environment) {
        Ok(config) => {
            assert!(!config.targets.is_empty());
            let receivers: Vec<_> = config.receivers.iter().map(|receiver| &receiver.name).collect();
            for route in &config.routes {
                assert!(
                    !route.to.is_empty() && route.to.iter().all(|name| receivers.contains(&name)),
                    "{route:?}"
                );
            }
        }
        Err(errors) => {
            assert!(!errors.problems().is_empty());
            let places = errors.problems().iter().map(|problem| {
                assert!(!problem.contains(char::is_control), "{problem:?}");
                let mut parts = problem.strip_prefix("ccwatch.toml:").unwrap().splitn(3, ':');
                let line: usize = parts.next().unwrap().parse().unwrap();
                let column: usize = parts.next().unwrap().parse().unwrap();
                (line, column)
            });
            let places: Vec<_> = places.collect();
            assert!(places.is_sorted(), "{places:?}");
            let lines = text.split('\n').count();
            assert!(
                places
                    .iter()
                    .all(|(line, column)| (1..=lines).contains(line) && *column >= 1),
                "{places:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn pieces_of_a_configuration(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        read(&pieces.concat());
    }

    #[test]
    fn a_configuration_with_a_part_replaced(
        start in 0..ANNOTATED.len(),
        length in 0..40_usize,
        put in prop_oneof![any::<String>(), prop::sample::select(&PIECES[..]).prop_map(str::to_owned)],
    ) {
        // Also of the settings that are commented out.
        let text = ANNOTATED.replace("\n#[[", "\n[[").replace("\n#to", "\nto").replace("\n#name", "\nname");
        let start = text.floor_char_boundary(start.min(text.len()));
        let end = text.ceil_char_boundary((start + length).min(text.len()));
        read(&[&text[..start], &put, &text[end..]].concat());
    }
}

#[test]
fn depth_and_length_do_no_harm() {
    for text in [
        "[".repeat(100_000),
        "{".repeat(100_000),
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}", "{a = ".repeat(100_000)),
        "a.".repeat(100_000),
        format!("\"{}\" = 1", "k".repeat(500_000)),
        "[[routes]]\n".repeat(50_000),
        "[[targets]]\nname='a'\nregions='eu-west-1'\n".repeat(10_000),
    ] {
        read(&text);
    }
}
