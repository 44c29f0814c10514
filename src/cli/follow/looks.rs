//! Who looks at the requests that are followed: a daemon, or this process.
//!
//! **Never both** (law 5): what one of them learns by a look, that the next is not to come before RetryAfter, say, the other
//! would not know. Where a daemon attends a target, or is about to, it alone looks, also at what was begun from here: its
//! poller takes in what others have begun, within two seconds. Else it is looked at from here, until a daemon comes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::Failure;
use crate::cli::access::{Access, Way};
use crate::cloud;
use crate::daemon::{self, EditorMemory, FollowError};
use crate::history::{Attendance, HistoryError, Reader};
use crate::model::{RequestToken, TargetId, Timestamp};

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
    /// All of them by the one that they were begun by.
    Known(&'a Way),
    /// As it was said, if it was; found out when it is needed.
    Of(&'a Access),
}

/// Who looks at what.
pub(super) struct Looks<'a> {
    ways: Ways<'a>,
    /// From here.
    own: BTreeMap<TargetId, Look>,
    tasks: JoinSet<(TargetId, Result<(), FollowError<HistoryError>>)>,
    asked_at: Option<Instant>,
    /// Since when a daemon is known to hold the history.
    held_since: Option<Instant>,
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
    pub(super) fn new(ways: Ways<'a>) -> Self {
        Self {
            ways,
            own: BTreeMap::new(),
            tasks: JoinSet::new(),
            asked_at: None,
            held_since: None,
        }
    }

    /// What keeps a target from being looked at from here just now.
    pub(super) fn trouble(&self, target: TargetId) -> Option<cloud::Failure> {
        self.own.get(&target)?.trouble.borrow().clone()
    }

    /// Sees to it that someone looks at these targets: begins to where no daemon does, and stops where one has begun. Returns
    /// those at which no one can look.
    pub(super) async fn see_to(
        &mut self,
        reader: &Reader,
        open: &BTreeMap<TargetId, Vec<RequestToken>>,
        now: Timestamp,
    ) -> Result<Vec<(TargetId, Failure)>, Failure> {
        let mut unseen = Vec::new();
        if self.asked_at.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(unseen);
        }
        self.asked_at = Some(Instant::now());
        self.held_since = reader.is_held().then(|| self.held_since.unwrap_or_else(Instant::now));
        let held_for = self.held_since.map(|since| since.elapsed());
        for (target, tokens) in open {
            let Some(attendance) = reader.attendance(*target)? else {
                continue;
            };
            if is_attended(&attendance, held_for, now) {
                self.own.remove(target);
            } else if !self.own.contains_key(target) {
                match self.begin(reader, &attendance, tokens).await {
                    Ok(true) => {}
                    Ok(false) if may_come(&attendance, held_for) => {}
                    Ok(false) => unseen.push((*target, unattended(&attendance, held_for.is_some()))),
                    Err(failure) => unseen.push((*target, failure)),
                }
            }
        }
        Ok(unseen)
    }

    /// Begins to look from here. Returns whether it can.
    async fn begin(
        &mut self,
        reader: &Reader,
        attendance: &Attendance,
        tokens: &[RequestToken],
    ) -> Result<bool, Failure> {
        let target = &attendance.target;
        let way = match self.ways {
            Ways::Known(way) => way.clone(),
            Ways::Of(access) => match access.way_to(target).await? {
                Some(way) => way,
                None => return Ok(false),
            },
        };
        let editor = reader.editor()?;
        way.may_record(&editor)?;
        let history = EditorMemory::new(editor, way.routing());
        let (trouble, troubles) = watch::channel(None);
        let stop = CancellationToken::new();
        let id = target.id;
        let tokens = tokens.iter().cloned().collect();
        let follow = daemon::follow(id, tokens, way.client, history, way.pace, trouble, stop.clone());
        self.tasks.spawn(async move { (id, follow.await) });
        let look = Look {
            stop,
            trouble: troubles,
        };
        self.own.insert(id, look);
        Ok(true)
    }

    /// Waits for a look to end that can't go on. Those that have nothing left to look at are no matter.
    pub(super) async fn failed(&mut self) -> Result<(TargetId, Failure), Failure> {
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((target, Err(FollowError::History(error)))) => return Ok((target, error.into())),
                Ok((target, Err(FollowError::Denied(failure)))) => {
                    let remedy = failure.cause.remedy();
                    let told = anyhow!("the request can't be looked at, and goes on: {failure}\n{remedy}");
                    return Ok((target, Failure::Work(told)));
                }
                Err(error) => return Err(Failure::Work(error.into())),
            }
        }
        std::future::pending().await
    }
}

/// Whether the daemon that holds the history, for so long as is known, looks at this target or is about to: one that has just
/// begun begins with what it watched before.
fn is_attended(attendance: &Attendance, held_for: Option<Duration>, now: Timestamp) -> bool {
    let was_lately = |at| now.since(at) < LOOKED_WITHIN;
    let is_looked_at = held_for.is_some() && attendance.last_looked_at.is_some_and(was_lately);
    attendance.gap.is_none() && (is_looked_at || attendance.is_watched && may_come(attendance, held_for))
}

/// Whether a daemon that does not look may yet come to.
fn may_come(attendance: &Attendance, held_for: Option<Duration>) -> bool {
    attendance.gap.is_none() && held_for.is_some_and(|held_for| held_for < PATIENCE)
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
    use crate::model::{Region, Target, TargetName};

    fn attendance(ago: Option<Duration>, is_watched: bool, gap: Option<&str>) -> Attendance {
        Attendance {
            target: Target {
                id: TargetId(1),
                name: TargetName::from_stored("prod/eu-west-1"),
                account_id: None,
                region: Region("eu-west-1".into()),
            },
            last_looked_at: ago.map(|ago| now().minus(ago)),
            is_watched,
            gap: gap.map(str::to_owned),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    #[test]
    fn where_a_daemon_looks_or_is_about_to_no_one_else_does() {
        let lately = Some(Duration::from_secs(20));
        let (just, long) = (Some(Duration::ZERO), Some(PATIENCE));
        let attended = |attendance, held_for| is_attended(&attendance, held_for, now());
        assert!(attended(attendance(lately, true, None), long));
        assert!(!attended(attendance(lately, true, None), None), "it is gone");
        assert!(!attended(attendance(lately, true, Some("no route")), just), "it can't");
        assert!(
            attended(attendance(Some(LOOKED_WITHIN), true, None), just),
            "it has just begun"
        );
        assert!(!attended(attendance(Some(LOOKED_WITHIN), true, None), long));
        assert!(!attended(attendance(None, false, None), just), "it never did");
        assert!(may_come(&attendance(None, false, None), just), "but may");
    }

    #[test]
    fn why_no_one_looks_is_said() {
        let told = |gap, held| unattended(&attendance(None, true, gap), held).to_string();
        assert!(told(None, false).contains("no ccwatch runs"));
        assert!(told(Some("ExpiredToken\u{1b}"), true).contains("can't look at it: ExpiredToken\u{fffd}"));
        assert!(told(None, true).contains("does not look at it"));
    }
}
