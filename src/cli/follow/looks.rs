//! Who looks at the requests that are followed: a daemon, or this process.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::Failure;
use crate::cli::access::{Access, Way};
use crate::cloud;
use crate::daemon::{self, Beside, FollowError};
use crate::history::{Attendance, Editor, HistoryError, Reader};
use crate::model::{RequestToken, TargetName, Timestamp};

/// A daemon lists a target with open requests every few seconds, and writes every ten that it did. One that did not for so
/// long does not look, or can't.
const LOOKED_WITHIN: Duration = Duration::from_mins(5);

/// How long a daemon that holds the history may take to look at a target before it is taken not to: it may have just begun.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two times of asking who looks.
const EVERY: Duration = Duration::from_secs(2);

/// How requests can be looked at from here.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum Ways<'a> {
    /// All of them by the one that they were begun by. A daemon comes to know of what was begun here by its next discovery,
    /// which may be a minute off in a target where nothing is going on; so these are looked at from here beside it too.
    Known(&'a Way),
    /// As it was said, if it was; found out when it is needed.
    Of(&'a Access),
}

/// Who looks at what.
pub(super) struct Looks<'a> {
    path: &'a Path,
    ways: Ways<'a>,
    /// From here.
    own: BTreeMap<TargetName, Look>,
    tasks: JoinSet<Result<(), FollowError<HistoryError>>>,
    asked_at: Option<Instant>,
    began_at: Instant,
}

/// A target that is looked at from here. Stopped when it is dropped.
struct Look {
    stop: CancellationToken,
    trouble: watch::Receiver<Option<cloud::Failure>>,
}

impl Drop for Look {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl<'a> Looks<'a> {
    pub(super) fn new(path: &'a Path, ways: Ways<'a>) -> Self {
        Self {
            path,
            ways,
            own: BTreeMap::new(),
            tasks: JoinSet::new(),
            asked_at: None,
            began_at: Instant::now(),
        }
    }

    /// What keeps a target from being looked at from here just now.
    pub(super) fn trouble(&self, target: &TargetName) -> Option<String> {
        let look = self.own.get(target)?;
        look.trouble.borrow().as_ref().map(ToString::to_string)
    }

    /// Sees to it that someone looks at these targets: begins to where no daemon does, and stops where one has begun.
    pub(super) async fn see_to(
        &mut self,
        reader: &Reader,
        open: &BTreeMap<TargetName, Vec<RequestToken>>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if self.asked_at.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(());
        }
        self.asked_at = Some(Instant::now());
        let is_held = reader.is_held();
        for (target, tokens) in open {
            let Some(attendance) = reader.attendance(target)? else {
                continue;
            };
            let is_own = matches!(self.ways, Ways::Known(_));
            if !is_own && is_held && is_looked_at(&attendance, now) {
                self.own.remove(target);
            } else if !self.own.contains_key(target) && !self.begin(&attendance, tokens).await? {
                let may_come = is_held && attendance.gap.is_none() && self.began_at.elapsed() < PATIENCE;
                if !may_come {
                    return Err(unattended(&attendance, is_held));
                }
            }
        }
        Ok(())
    }

    /// Begins to look from here. Returns whether it can.
    async fn begin(&mut self, attendance: &Attendance, tokens: &[RequestToken]) -> Result<bool, Failure> {
        let target = &attendance.target;
        let way = match self.ways {
            Ways::Known(way) => way.clone(),
            Ways::Of(access) => match access.way_to(target).await? {
                Some(way) => way,
                None => return Ok(false),
            },
        };
        let mut editor = Editor::open(self.path)?;
        way.may_record(&mut editor)?;
        let history = Beside::new(editor, way.routing());
        let (trouble, troubles) = watch::channel(None);
        let stop = CancellationToken::new();
        self.tasks.spawn(daemon::follow(
            target.id,
            tokens.iter().cloned().collect(),
            way.client,
            history,
            way.pace,
            trouble,
            stop.clone(),
        ));
        let look = Look {
            stop,
            trouble: troubles,
        };
        self.own.insert(target.name.clone(), look);
        Ok(true)
    }

    /// Waits for a look to end that can't go on. Those that have nothing left to look at are no matter.
    pub(super) async fn ended(&mut self) -> Result<(), Failure> {
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(FollowError::History(error))) => return Err(error.into()),
                Ok(Err(FollowError::Denied(failure))) => {
                    return Err(Failure::Work(anyhow!(
                        "the request can't be looked at, and goes on: {failure}\n{}",
                        failure.cause.remedy()
                    )));
                }
                Err(error) => return Err(Failure::Work(error.into())),
            }
        }
        std::future::pending().await
    }
}

/// Whether the daemon that holds the history looks at this target.
fn is_looked_at(attendance: &Attendance, now: Timestamp) -> bool {
    let looked = attendance.last_looked_at;
    attendance.gap.is_none() && looked.is_some_and(|at| now.since(at) < LOOKED_WITHIN)
}

fn unattended(attendance: &Attendance, is_held: bool) -> Failure {
    let name = &attendance.target.name;
    let why = match (&attendance.gap, is_held) {
        (Some(gap), true) => format!(
            "the ccwatch that runs can't look at it: {}",
            crate::model::printable(gap)
        ),
        (None, true) => "the ccwatch that runs does not look at it".to_owned(),
        (_, false) => "no ccwatch runs on this history".to_owned(),
    };
    Failure::Work(anyhow!(
        "no one looks at {name}, so how its requests end would never be learnt: {why}. Start `ccwatch run`, or say how to look \
         from here: --config FILE of a configuration with this target, or --region, with --profile or --endpoint-url"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Region, Target, TargetId};

    #[test]
    fn a_target_is_looked_at_if_it_was_lately_and_can_be() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let attendance = |ago: Option<Duration>, gap: Option<&str>| Attendance {
            target: Target {
                id: TargetId(1),
                name: TargetName::from_stored("prod/eu-west-1"),
                account_id: None,
                region: Region("eu-west-1".into()),
            },
            last_looked_at: ago.map(|ago| now.minus(ago)),
            is_watched: true,
            gap: gap.map(str::to_owned),
        };
        assert!(is_looked_at(&attendance(Some(Duration::from_secs(20)), None), now));
        assert!(!is_looked_at(&attendance(None, None), now));
        assert!(!is_looked_at(&attendance(Some(LOOKED_WITHIN), None), now));
        assert!(!is_looked_at(&attendance(Some(Duration::ZERO), Some("no route")), now));

        let told = |gap, held| unattended(&attendance(None, gap), held).to_string();
        assert!(told(None, false).contains("no ccwatch runs"));
        assert!(told(Some("ExpiredToken\u{1b}"), true).contains("can't look at it: ExpiredToken\u{fffd}"));
        assert!(told(None, true).contains("does not look at it"));
    }
}
