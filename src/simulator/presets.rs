//! The scenarios that come with the program: the files of `config/scenarios/`, embedded and read like any other.

use std::path::Path;

use super::scenario::Scenario;

/// Each by its name.
const PRESETS: [(&str, &str); 7] = [
    ("friendly", include_str!("../../config/scenarios/friendly.toml")),
    ("lively", include_str!("../../config/scenarios/lively.toml")),
    ("hooks", include_str!("../../config/scenarios/hooks.toml")),
    ("throttled", include_str!("../../config/scenarios/throttled.toml")),
    (
        "flaky-network",
        include_str!("../../config/scenarios/flaky-network.toml"),
    ),
    ("traps", include_str!("../../config/scenarios/traps.toml")),
    ("busy", include_str!("../../config/scenarios/busy.toml")),
];

impl Scenario {
    /// A seed of the lively world that has shown everything within twenty seconds: requests in every status that is not
    /// a cancel's, and hooks of both failure modes that pass, find fault and break.
    pub const LIVELY_SEED: u64 = 7;

    /// What [`Scenario::preset`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// The scenario of this name that comes with the program, if there is one.
    pub fn preset(name: &str) -> Option<Self> {
        let (name, text) = PRESETS.iter().find(|(known, _)| *known == name)?;
        Some(embedded(name, text))
    }

    /// The world for writing a client against: nothing happens but what is asked for, and that succeeds within ten
    /// seconds. `config/scenarios/friendly.toml`.
    pub fn friendly() -> Self {
        embedded("friendly", PRESETS[0].1)
    }

    /// The world for showing what there is to watch: about one request a second by others, every kind of end, and hooks
    /// that pass, warn and fail. `config/scenarios/lively.toml`.
    pub fn lively() -> Self {
        embedded("lively", PRESETS[1].1)
    }
}

#[expect(
    clippy::panic,
    reason = "no input can make it: the text is part of the program, and a test reads each"
)]
fn embedded(name: &str, text: &str) -> Scenario {
    Scenario::parse(text, Path::new(name)).unwrap_or_else(|errors| panic!("{errors}"))
}

#[cfg(test)]
#[path = "presets_tests.rs"]
mod tests;
