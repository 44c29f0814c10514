//! `[history]`

use std::path::PathBuf;
use std::time::Duration;

use super::document::{Item, Section};
use super::values::{duration, one_of};
use super::wording::quoted;
use super::{Environment, HistorySettings, ResourceModelPolicy, Surroundings};
use crate::decide::diff::RETENTION;

pub(super) const KEYS: [&str; 3] = ["path", "retention", "resource_model"];

const POLICIES: [(&str, ResourceModelPolicy); 3] = [
    ("drop", ResourceModelPolicy::Drop),
    ("redact", ResourceModelPolicy::Redact),
    ("keep", ResourceModelPolicy::Keep),
];

/// The word for a retention without end.
const FOR_EVER: &str = "forever";
/// A hundred of humantime's years, of 365.25 days.
const LONGEST_RETENTION: Duration = Duration::from_hours(100 * 8766);

pub(super) fn read(root: &Section<'_>, surroundings: &Surroundings<'_>) -> HistorySettings {
    let section = root.get("history").and_then(|item| item.section("a table, [history]"));
    if let Some(section) = &section {
        section.refuse_unknown(&KEYS, " of [history]");
    }
    let get = |key| section.as_ref().and_then(|section| section.get(key));
    let path = match get("path") {
        Some(item) => path(&item, surroundings),
        None => default_history_path(surroundings.environment).or_else(|| {
            root.error(
                "history.path",
                "missing, and none of $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME names a folder to keep it in",
            );
            None
        }),
    };
    HistorySettings {
        path: path.unwrap_or_default(),
        retention: get("retention").and_then(|item| retention(&item)),
        resource_model: get("resource_model")
            .and_then(|item| one_of(&item, &POLICIES))
            .unwrap_or_default(),
    }
}

/// Where the history is kept if nothing else is said: `$STATE_DIRECTORY/history.db`, which systemd sets for a service,
/// else `ccwatch/history.db` under `$XDG_STATE_HOME` or `~/.local/state`. `None` if the environment names no folder.
///
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
pub fn default_history_path(environment: &Environment) -> Option<PathBuf> {
    // systemd lists several folders if the unit does, with colons between.
    let of_the_service = environment.folder("STATE_DIRECTORY").and_then(|list| {
        let first = list.to_str()?.split(':').next()?;
        Some(PathBuf::from(first))
    });
    let of_the_user = || {
        environment
            .folder("XDG_STATE_HOME")
            .or_else(|| Some(environment.folder("HOME")?.join(".local/state")))
            .map(|state| state.join("ccwatch"))
    };
    Some(of_the_service.or_else(of_the_user)?.join("history.db"))
}

fn path(item: &Item<'_>, surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let expected = "the path of a file";
    let text = item.string(expected)?;
    if text.is_empty() || text.contains('\0') || text.ends_with('/') {
        item.error(format!("expected {expected}, found {}", quoted(text)));
        return None;
    }
    if text.starts_with('~') {
        item.error(format!(
            "{} begins with ~, which only a shell knows: write the path out",
            quoted(text)
        ));
        return None;
    }
    Some(surroundings.folder.join(text))
}

/// At least as long as AWS lists a request: what was forgotten earlier would be seen again, and be news again.
fn retention(item: &Item<'_>) -> Option<Duration> {
    if item.inner().as_str() == Some(FOR_EVER) {
        return None;
    }
    duration(item, &(RETENTION..=LONGEST_RETENTION), " or \"forever\"")
}
