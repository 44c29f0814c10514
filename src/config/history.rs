//! `[history]`

use std::path::PathBuf;
use std::time::Duration;

use super::document::{Item, Section};
use super::problems::Read;
use super::values::{duration, one_of};
use super::wording::quoted;
use super::{Environment, HistorySettings, ResourceModelPolicy, Surroundings};
use crate::decide::retention;

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

pub(super) fn read(root: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<HistorySettings> {
    let section = root.optional("history", |item| item.section("a table, [history]"))?;
    let section = section.as_ref();
    let unknown = section.map(|section| section.refuse_unknown(&KEYS, " of [history]"));
    let get = |key| section.and_then(|section| section.get(key));
    let path = match get("path") {
        Some(item) => path(&item, surroundings),
        None => default_history_path(surroundings.environment).ok_or_else(|| {
            root.error(
                "history.path",
                "missing, and none of $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME names a folder to keep it in",
            )
        }),
    };
    let retention = get("retention").map_or(Ok(None), |item| retention(&item));
    let resource_model =
        get("resource_model").map_or(Ok(ResourceModelPolicy::default()), |item| one_of(&item, &POLICIES));
    unknown.transpose()?;
    Ok(HistorySettings {
        path: path?,
        retention: retention?,
        resource_model: resource_model?,
    })
}

/// Where the history is kept if nothing else is said: `$STATE_DIRECTORY/history.db`, which systemd sets for a service,
/// else `ccwatch/history.db` under `$XDG_STATE_HOME` or `~/.local/state`. `None` if the environment names no folder.
///
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
pub fn default_history_path(environment: &Environment) -> Option<PathBuf> {
    // systemd lists several folders if the unit does, with colons between.
    let of_the_service = environment.folder("STATE_DIRECTORY").map(|list| {
        let first = list.to_str().and_then(|list| list.split(':').next()).map(PathBuf::from);
        first.unwrap_or(list)
    });
    let of_the_user = || {
        environment
            .folder("XDG_STATE_HOME")
            .or_else(|| Some(environment.folder("HOME")?.join(".local/state")))
            .map(|state| state.join("ccwatch"))
    };
    Some(of_the_service.or_else(of_the_user)?.join("history.db"))
}

fn path(item: &Item<'_>, surroundings: &Surroundings<'_>) -> Read<PathBuf> {
    let expected = "the path of a file";
    let text = item.string(expected)?;
    if text.is_empty() || text.contains('\0') || text.ends_with('/') {
        return Err(item.error(format!("expected {expected}, found {}", quoted(text))));
    }
    if text.starts_with('~') {
        let message = format!(
            "{} begins with ~, which only a shell knows: write the path out",
            quoted(text)
        );
        return Err(item.error(message));
    }
    Ok(surroundings.folder.join(text))
}

/// At least [`retention::SHORTEST`]: what was forgotten earlier would be seen again, and be news again.
fn retention(item: &Item<'_>) -> Read<Option<Duration>> {
    if item.inner().as_str() == Some(FOR_EVER) {
        return Ok(None);
    }
    duration(item, &(retention::SHORTEST..=LONGEST_RETENTION), " or \"forever\"").map(Some)
}
