//! What a history needs from time to time: requests that nothing can show any more are given up for lost, and what is
//! older than the retention is removed. A little at a time, so that no look and no verdict waits long for it.
//!
//! How little follows from how long the last step took to write, from its call to its commit: the wait for other writers is
//! part of that, since it is part of what a look would wait for. To find what is to go is not, nor is what the disk needs: no
//! one waits for these.
//!
//! Each thousand pages or so, removing waits for the next commit of a look, which begins the write-ahead log anew in its stead
//! (see `history::write_ahead_log`). While no target can be looked at, nothing may be written for long, and then nothing is
//! removed either; what is lost is given up all the same.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::joints::HistoryMemory;
use crate::clock::Clock;
use crate::decide::retention::{self, Stride};
use crate::history::{History, HistoryError, Round};
use crate::model::{Seen, Sighting, Source};
use crate::watch::Recording;

const EVERY: Duration = Duration::from_hours(1);
/// Before the first time: a machine that starts with a clock that is days wrong has it set within minutes, and to act on
/// such a time would be to forget what the service still lists.
const AT_FIRST: Duration = Duration::from_mins(10);
/// Requests given up for lost, or groups forgotten, in one transaction.
const STEP: usize = 50;
/// Between two transactions.
const PAUSE: Duration = Duration::from_millis(100);

/// Keeps house until `stop`.
pub(super) async fn keep(
    history: History,
    memory: HistoryMemory,
    clock: Clock,
    retention: Option<Duration>,
    stop: CancellationToken,
) -> Result<(), HistoryError> {
    if waited(AT_FIRST, &stop).await.is_err() {
        return Ok(());
    }
    let mut stride = Stride::default();
    loop {
        let mut tidied = Tidied::default();
        let mut round = retention.map(|retention| Round::new(clock.now(), retention));
        loop {
            let step = match tidy(&history, &memory, &clock, &mut round, &mut stride).await {
                Err(error) if error.may_pass() => {
                    warn!(%error, "old requests can't be dealt with for now");
                    Tidied::default()
                }
                step => step?,
            };
            tidied.lost += step.lost;
            tidied.removed += step.removed;
            let pause = match step.then {
                Then::Rest => break,
                Then::GoOn => waited(PAUSE, &stop).await,
                Then::GoOnOnceWritten => {
                    // It may take long.
                    tell_lost(std::mem::take(&mut tidied.lost));
                    written(&history, &stop).await
                }
            };
            if pause.is_err() {
                return Ok(());
            }
        }
        tell_lost(tidied.lost);
        if tidied.removed > 0 {
            info!(
                requests = tidied.removed,
                "requests older than the retention were removed from the history"
            );
        }
        if waited(EVERY, &stop).await.is_err() {
            return Ok(());
        }
    }
}

#[derive(Debug, Default)]
struct Tidied {
    lost: usize,
    removed: usize,
    then: Then,
}

#[derive(Debug, Default)]
enum Then {
    /// There is no more to do.
    #[default]
    Rest,
    GoOn,
    /// A commit that is no step of removing is to come first.
    GoOnOnceWritten,
}

async fn tidy(
    history: &History,
    memory: &HistoryMemory,
    clock: &Clock,
    round: &mut Option<Round>,
    stride: &mut Stride,
) -> Result<Tidied, HistoryError> {
    let now = clock.now();
    // A target that is no longer configured has no poller that would find its open requests gone; nor has one whose
    // credentials fail for days. No look is needed: the service has forgotten them.
    let unseen = history.open_but_unseen(now.minus(retention::SHORTEST), STEP).await?;
    let presumed_gone = unseen.into_iter().map(|key| Sighting {
        key,
        seen_at: now,
        source: Source::Get,
        seen: Seen::Gone,
    });
    let lost = memory.record(presumed_gone.collect()).await?.changes;
    // Whoever groups by identifier makes a group for each.
    let groups = history.forget_groups(now, STEP).await?;
    let mut tidied = Tidied {
        lost,
        removed: 0,
        then: if lost == STEP || groups == STEP {
            Then::GoOn
        } else {
            Then::Rest
        },
    };
    if let Some(some) = round.take() {
        let some = history.find_what_is_old(some).await?;
        let begun = clock.uptime();
        let (rest, pruned) = history.forget_what_is_old(some, stride.rows(), clock.clone()).await?;
        let Some(pruned) = pruned else {
            *round = Some(rest);
            tidied.then = Then::GoOnOnceWritten;
            return Ok(tidied);
        };
        *stride = stride.after(pruned.rows, clock.uptime().saturating_sub(begun));
        history.fold_in_no_ones_way().await?;
        tidied.removed = pruned.requests;
        if !pruned.is_done {
            *round = Some(rest);
            tidied.then = Then::GoOn;
        }
    }
    Ok(tidied)
}

fn tell_lost(requests: usize) {
    if requests > 0 {
        info!(
            requests,
            "requests that were not seen for longer than Cloud Control remembers any are given up for lost"
        );
    }
}

/// Waits for a commit that is no step of removing, and no longer than until there may be more that is lost. `Err` if told to
/// stop meanwhile.
async fn written(history: &History, stop: &CancellationToken) -> Result<(), ()> {
    tokio::select! {
        () = history.next_write() => Ok(()),
        paused = waited(EVERY, stop) => paused,
    }
}

/// `Err` if told to stop meanwhile.
async fn waited(pause: Duration, stop: &CancellationToken) -> Result<(), ()> {
    tokio::select! {
        () = tokio::time::sleep(pause) => Ok(()),
        () = stop.cancelled() => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decide::route::Route;
    use crate::history::Reader;
    use crate::model::{
        Phase, ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, TargetId, TargetName, Timestamp,
    };
    use crate::watch::Memory;

    const DAY: Duration = Duration::from_hours(24);

    fn open(target: TargetId, token: &str, at: Timestamp) -> Sighting {
        seen(target, token, RequestStatus::InProgress, at)
    }

    fn seen(target: TargetId, token: &str, status: RequestStatus, at: Timestamp) -> Sighting {
        Sighting {
            key: RequestKey {
                target,
                token: RequestToken::new(token),
            },
            seen_at: at,
            source: Source::List,
            seen: Seen::Event(
                Box::new(ProgressEvent {
                    status: Some(status),
                    ..ProgressEvent::of(RequestToken::new(token))
                }),
                None,
            ),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_nothing_can_show_any_more_is_given_up_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let clock = Clock::simulated(Timestamp::from_millis(1_800_000_000_000));
        let (bell, mut rings) = tokio::sync::watch::channel(());
        let everything = Route {
            name: "everything".to_owned(),
            to: vec!["team".to_owned()],
            ..Route::default()
        };
        let memory = HistoryMemory::new(history.clone(), Arc::new(vec![everything].into()), bell);
        let region = Region("eu-west-1".to_owned());
        let name = TargetName::new("no longer configured", &region);
        let registered = memory.register(&name, None, &region, clock.now()).await.unwrap();
        let target = registered.target.id;
        memory.begin_baseline(target, clock.now()).await.unwrap();
        let old = (0..=2 * STEP).map(|number| open(target, &format!("old{number}"), clock.now()));
        memory.record(old.collect()).await.unwrap();
        tokio::time::sleep(2 * DAY).await;
        memory.record(vec![open(target, "new", clock.now())]).await.unwrap();
        let still_open = async || {
            let standings = history.standings(target).await.unwrap();
            standings
                .iter()
                .filter(|standing| standing.phase == Phase::Open)
                .count()
        };

        let stop = CancellationToken::new();
        let keeping = tokio::spawn(keep(history.clone(), memory.clone(), clock.clone(), None, stop.clone()));
        tokio::time::sleep(5 * DAY).await;
        assert_eq!(still_open().await, 2 * STEP + 2, "the service may still know them");
        rings.mark_unchanged();
        tokio::time::sleep(DAY + 2 * EVERY).await;
        assert_eq!(still_open().await, 1);
        assert!(rings.has_changed().unwrap(), "what is given up is news");
        stop.cancel();
        keeping.await.unwrap().unwrap();
    }

    /// To begin the write-ahead log is left to a commit that waits for the disk anyway.
    #[tokio::test(start_paused = true)]
    async fn what_is_old_is_removed_once_something_else_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let history = History::open(&path).unwrap();
        let clock = Clock::simulated(Timestamp::from_millis(1_800_000_000_000));
        let (bell, _) = tokio::sync::watch::channel(());
        let memory = HistoryMemory::new(history.clone(), Arc::default(), bell);
        let region = Region("eu-west-1".to_owned());
        let name = TargetName::new("its credentials fail", &region);
        let registered = memory.register(&name, None, &region, clock.now()).await.unwrap();
        let target = registered.target.id;
        memory.begin_baseline(target, clock.now()).await.unwrap();
        let ended = seen(target, "ended", RequestStatus::Success, clock.now());
        memory.record(vec![ended]).await.unwrap();
        tokio::time::sleep(DAY).await;
        memory.record(vec![open(target, "open", clock.now())]).await.unwrap();
        assert!(history.checkpoint().await.unwrap());
        let kept = || {
            let summary = Reader::open(&path).unwrap().summary().unwrap();
            summary.requests.into_iter().map(|(_, count)| count).sum::<u32>()
        };

        let stop = CancellationToken::new();
        let retention = Some(retention::SHORTEST);
        let keeping = tokio::spawn(keep(history.clone(), memory, clock, retention, stop.clone()));
        tokio::time::sleep(7 * DAY + 2 * EVERY).await;
        assert_eq!(kept(), 2, "nothing was written");
        // The open one is given up for lost, which is written; and then it is as old.
        tokio::time::sleep(DAY).await;
        assert_eq!(kept(), 0);
        stop.cancel();
        keeping.await.unwrap().unwrap();
    }
}
