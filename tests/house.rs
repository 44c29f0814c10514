#![allow(
    clippy::unwrap_used,
    reason = "a test that can't read the sources should fail loudly"
)]
//! Holds the rooms to the arrows of `src/lib.rs`: who may name whom, and that `model`, `decide`, `statistics` and `render` stay pure.

use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may name besides itself. `clock` is for all that does I/O.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("decide", &["model"]),
    ("statistics", &["model"]),
    ("clock", &["model"]),
    ("journal", &[]),
    ("render", &["model", "statistics"]),
    ("config", &["model", "decide", "render"]),
    ("cloud", &["model", "config", "decide"]),
    ("watch", &["model", "decide", "config", "cloud", "clock"]),
    ("history", &["model", "decide", "config", "statistics", "clock"]),
    ("deliver", &["model", "decide", "config", "render", "clock", "journal"]),
    ("simulator", &["model", "config", "clock"]),
    (
        "daemon",
        &[
            "model", "decide", "config", "cloud", "watch", "history", "deliver", "render", "clock",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "decide",
            "config",
            "cloud",
            "history",
            "deliver",
            "render",
            "statistics",
            "daemon",
            "simulator",
            "clock",
            "journal",
        ],
    ),
];

/// What would make a decision or a word impure.
const IMPURE: &[&str] = &[
    "tokio",
    "rusqlite",
    "aws_",
    "reqwest",
    "axum",
    "std::fs",
    "std::net",
    "std::env",
    "SystemTime",
    "Instant",
    "::now()",
    "tracing",
    "fastrand",
];

/// Crates that one room alone may name.
const OWNED: &[(&str, &[&str])] = &[
    ("rusqlite", &["history"]),
    ("refinery", &["history"]),
    ("aws_sdk_cloudcontrol", &["cloud", "simulator"]),
    // The receivers in AWS find their credentials by themselves: what they may do is another identity's business than
    // what `cloud` may look at, and neither room may name the other.
    ("aws_config", &["cloud", "deliver"]),
    ("reqwest", &["deliver"]),
    ("lettre", &["deliver"]),
    ("aws_sdk_sns", &["deliver"]),
    ("aws_sdk_sqs", &["deliver"]),
    ("aws_sdk_eventbridge", &["deliver"]),
    ("minijinja", &["render"]),
    ("axum", &["simulator"]),
    ("hyper", &["simulator"]),
    // To tell a connection that was never made from one that broke, which the SDK's errors don't.
    ("hyper_util", &["simulator", "cloud"]),
    ("toml_span", &["config"]),
    ("parquet", &["cli"]),
];

fn sources() -> Vec<(String, PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    files
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&src).unwrap();
            let room = inside
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_str()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned();
            (room, path.clone(), code(&path))
        })
        .collect()
}

/// The file without its comments, documentation and tests: those may speak of anything.
fn code(path: &Path) -> String {
    if is_for_tests(path) {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether the file is a module that its parent declares for tests alone.
fn is_for_tests(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let folder = path.parent().unwrap();
    let parents = [folder.join("mod.rs"), folder.with_extension("rs")];
    name.ends_with("_tests")
        || parents
            .iter()
            .filter_map(|parent| fs::read_to_string(parent).ok())
            .any(|parent| {
                parent.split("#[cfg(test)]\n").skip(1).any(|after| {
                    let declaration = after.lines().find(|line| !line.starts_with("#["));
                    declaration.is_some_and(|line| line.ends_with(&format!("mod {name};")))
                })
            })
}

#[test]
fn every_room_is_known_and_names_only_those_below_it() {
    let mut wrong = Vec::new();
    for (room, path, code) in sources() {
        if room == "lib" || room == "main" {
            continue;
        }
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{}: a room that this test does not know", path.display()));
            continue;
        };
        for (other, _) in MAY_NAME {
            let named = code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};"));
            if named && *other != room && !allowed.contains(other) {
                wrong.push(format!("{}: {room} may not name {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_and_decisions_are_pure() {
    let mut wrong = Vec::new();
    for (room, path, code) in sources()
        .iter()
        .filter(|(room, ..)| ["model", "decide", "statistics", "render"].contains(&room.as_str()))
    {
        for word in IMPURE.iter().filter(|word| code.contains(**word)) {
            wrong.push(format!("{}: {room} may not touch {word}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_outside_part_has_one_door() {
    let mut wrong = Vec::new();
    for (room, path, code) in sources() {
        for (part, owners) in OWNED {
            if code.contains(&format!("{part}::")) && !owners.contains(&room.as_str()) {
                wrong.push(format!("{}: {room} may not name {part}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `\\` at a line's end was meant to be `\`, which joins the text to the next line: it shows as a backslash, a line break and
/// blanks in the middle of a sentence.
#[test]
fn no_error_has_a_backslash_where_its_lines_should_be_joined() {
    let mut wrong = Vec::new();
    for (_, path, code) in sources() {
        for error in code.split("#[error(").skip(1) {
            let text = error.split(")]").next().unwrap_or_default();
            let lines = text.lines().filter(|line| line.ends_with(r"\\"));
            wrong.extend(lines.map(|line| format!("{}: {}", path.display(), line.trim())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
