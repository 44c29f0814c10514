//! Which history a command reads.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Failure;
use crate::config::{Environment, HistorySettings, default_history_path};
use crate::history::{HistoryError, OpenError, Reader};

#[derive(Debug, clap::Args)]
pub(super) struct HistoryFile {
    /// The history file, in place of the configuration's. If neither is given: `$STATE_DIRECTORY/history.db`, the XDG state folder's
    /// `ccwatch/history.db`, or `/var/lib/ccwatch/history.db`, the first that is there.
    #[arg(long, value_name = "FILE", env = "CCWATCH_HISTORY", value_hint = clap::ValueHint::FilePath)]
    history: Option<PathBuf>,
    /// A configuration file, for the path of its history.
    #[arg(long, short, value_name = "FILE", env = "CCWATCH_CONFIG", value_hint = clap::ValueHint::FilePath)]
    config: Option<PathBuf>,
}

/// For commands that need a configuration, and the history that it names or another one.
#[derive(Debug, clap::Args)]
pub(super) struct Configured {
    #[command(flatten)]
    pub(super) config: ConfigFile,
    /// The history file, in place of the configuration's.
    #[arg(long, value_name = "FILE", env = "CCWATCH_HISTORY", value_hint = clap::ValueHint::FilePath)]
    history: Option<PathBuf>,
}

impl Configured {
    pub(super) fn history(&self) -> Result<PathBuf, Failure> {
        match &self.history {
            Some(history) => Ok(history.clone()),
            None => configured(&self.config.config, &Environment::of_process()),
        }
    }
}

/// Where a service looks for its configuration unless told otherwise.
pub(super) const DEFAULT_CONFIG: &str = "/etc/ccwatch/ccwatch.toml";

/// For commands that need a configuration alone.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigFile {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "CCWATCH_CONFIG", default_value = DEFAULT_CONFIG, value_hint = clap::ValueHint::FilePath)]
    pub(super) config: PathBuf,
}

/// Where the shipped unit's history lies.
const SERVICE_HISTORY: &str = "/var/lib/ccwatch/history.db";

impl HistoryFile {
    pub(super) fn open(&self) -> Result<Reader, Failure> {
        Ok(Reader::open(&self.path()?)?)
    }

    /// What the configuration says of its history; `None` if none was named, or another history.
    pub(super) fn settings(&self) -> Result<Option<HistorySettings>, Failure> {
        let load = |config: &PathBuf| HistorySettings::load(config, &Environment::of_process());
        let config = self.config.as_ref().filter(|_| self.history.is_none());
        Ok(config.map(load).transpose()?)
    }

    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        path(self.history.as_deref(), self.config.as_deref())
    }
}

/// The history that is named, or that a configuration names, or the first that is there where one may be.
pub(super) fn path(history: Option<&Path>, config: Option<&Path>) -> Result<PathBuf, Failure> {
    let environment = Environment::of_process();
    if let Some(history) = history {
        return Ok(history.to_owned());
    }
    if let Some(config) = config {
        return configured(config, &environment);
    }
    let candidates = candidates(&environment);
    let found = candidates.iter().find(|path| may_be_there(path)).cloned();
    found.ok_or_else(|| {
        let tried: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        Failure::Arguments(format!(
            "no history found (looked for {}); name one with --history FILE",
            tried.join(" and ")
        ))
    })
}

/// As [`path`], but where no history is there, or none that was named is this user's to write, the place where one would be
/// made: whoever acts with credentials of their own need not be the one as whom a service on this machine runs.
pub(super) fn path_or_new(history: Option<&Path>, config: Option<&Path>) -> Result<PathBuf, Failure> {
    let found = path(history, config);
    let is_named = history.is_some() || config.is_some();
    let own = || default_history_path(&Environment::of_process());
    match found {
        Ok(found) if is_named || may_write(&found) => Ok(found),
        Ok(found) => Ok(own().unwrap_or(found)),
        Err(Failure::Arguments(error)) => own().ok_or(Failure::Arguments(error)),
        Err(failure) => Err(failure),
    }
}

fn may_write(path: &Path) -> bool {
    access(path, Access::READ_OK | Access::WRITE_OK).is_ok()
}

/// Where a history lies of which nothing was said.
fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let default = default_history_path(environment);
    default.into_iter().chain([PathBuf::from(SERVICE_HISTORY)]).collect()
}

/// The history of a configuration. The rest of the file is not checked: its secrets are often not for those who only read.
fn configured(config: &Path, environment: &Environment) -> Result<PathBuf, Failure> {
    let configured = HistorySettings::load(config, environment)?.path;
    let service = of_the_service(&configured, environment).filter(|_| !may_be_there(&configured));
    Ok(service.unwrap_or(configured))
}

/// Where the service keeps the history of a configuration that leads to `configured` here, if that is elsewhere and one may be
/// there: where nothing is configured, the unit says where, which this shell's environment does not.
pub(super) fn of_the_service(configured: &Path, environment: &Environment) -> Option<PathBuf> {
    elsewhere(Path::new(SERVICE_HISTORY), configured, environment)
}

fn elsewhere(service: &Path, configured: &Path, environment: &Environment) -> Option<PathBuf> {
    let is_default = default_history_path(environment).as_deref() == Some(configured);
    (is_default && configured != service && may_be_there(service)).then(|| service.to_owned())
}

/// Whether two paths lead to one file, be it by links.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|about| (about.dev(), about.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

/// Also where this user may not look: to open it then says so, and what to do.
fn may_be_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Missing { .. } | OpenError::NotAFile { .. } => Self::Arguments(error.to_string()),
            error => Self::Work(error.into()),
        }
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        Self::Work(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_history_is_another_only_where_nothing_is_configured_and_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let service = folder.path().join("history.db");
        let root = Environment::from_iter([("HOME", "/root")]);
        let in_the_unit =
            Environment::from_iter([("HOME", "/root"), ("STATE_DIRECTORY", folder.path().to_str().unwrap())]);
        let default = Path::new("/root/.local/state/ccwatch/history.db");
        assert_eq!(elsewhere(&service, default, &root), None, "it is not there");
        std::fs::write(&service, "").unwrap();
        assert_eq!(elsewhere(&service, default, &root).as_deref(), Some(service.as_path()));
        assert_eq!(elsewhere(&service, Path::new("/srv/history.db"), &root), None);
        assert_eq!(elsewhere(&service, &service, &in_the_unit), None);
    }
}
