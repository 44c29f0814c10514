//! What a history needs from time to time: requests that nothing can show any more are given up for lost, and what is
//! older than the retention is removed. A little at a time, so that no look and no verdict waits long for it.
//!
//! How little follows from how long the last step took to write, from its call to its commit: the wait for other writers is
//! part of that, since it is part of what a look would wait for. To find what is to go is not, nor is what the disk needs: no
//! one waits for these. When follows from the disk, which is tried before each step: while another program keeps it busy,
//! removing waits, since it is in no hurry (see `decide::retention`).
//!
//! Each thousand pages or so, removing waits for the next commit of a look, which begins the write-ahead log anew in its stead
//! (see `history::write_ahead_log`). While no target can be looked at, nothing may be written for long, and then nothing is
//! removed either; what is lost is given up all the same.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::joints::HistoryMemory;
use crate::clock::Clock;
use crate::decide::retention::{self, Calm, Disk, Stride};
use crate::history::{History, HistoryError, Round};
use crate::model::{Seen, Sighting, Source, Timestamp};
use crate::watch::Recording;

const EVERY: Duration = Duration::from_hours(1);
/// Before the first time: a machine that starts with a clock that is days wrong has it set within minutes, and to act on
/// such a time would be to forget what the service still lists.
const AT_FIRST: Duration = Duration::from_mins(10);
/// Requests given up for lost, or groups forgotten, in one transaction.
const STEP: usize = 50;
/// Between two transactions, or two times that the disk is tried. A hundred times what a step takes: of the moments at which another
/// program begins to keep the disk busy, few are in a step.
const PAUSE: Duration = Duration::from_secs(1);

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
    loop {
        let mut tidied = Tidied::default();
        let mut removing = retention.map(|retention| Removing::new(clock.now(), retention));
        loop {
            let step = match tidy(&history, &memory, &clock, &mut removing).await {
                Err(error) if error.may_pass() => {
                    warn!(%error, "old requests can't be dealt with for now");
                    Tidied::default()
                }
                step => step?,
            };
            tidied.lost += step.lost;
            if step.lost < STEP {
                tell_lost(std::mem::take(&mut tidied.lost));
            }
            tidied.removed += step.removed;
            let pause = match step.then {
                Then::Rest => break,
                Then::GoOn => waited(PAUSE, &stop).await,
                Then::GoOnOnceWritten => written(&history, &stop).await,
            };
            if pause.is_err() {
                return Ok(());
            }
        }
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
    removing: &mut Option<Removing>,
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
    if let Some(some) = removing.take() {
        let (rest, removed, then) = some.step(history, clock).await?;
        tidied.removed = removed;
        if rest.is_some() {
            tidied.then = then;
        }
        *removing = rest;
    }
    Ok(tidied)
}

/// A round of removing what is older than the retention.
#[derive(Debug)]
struct Removing {
    round: Round,
    stride: Stride,
    calm: Calm,
    /// What was told of the disk: once in a round, however often that turns.
    told: Option<Disk>,
}

impl Removing {
    fn new(now: Timestamp, retention: Duration) -> Self {
        Self {
            round: Round::new(now, retention),
            stride: Stride::default(),
            calm: Calm::default(),
            told: None,
        }
    }

    /// Takes a step, where the disk lets it. Returns what is left to do and when, and how many requests are gone.
    async fn step(mut self, history: &History, clock: &Clock) -> Result<(Option<Self>, usize, Then), HistoryError> {
        self.round = history.find_what_is_old(self.round).await?;
        if self.round.is_done() {
            return Ok((None, 0, Then::Rest));
        }
        // One that can't be asked is taken for quick.
        let synced_in = history.synced_in(clock.clone()).await?.unwrap_or_default();
        self.step_on(synced_in, history, clock).await
    }

    /// Of what is found, on a disk that took so long.
    async fn step_on(
        mut self,
        synced_in: Duration,
        history: &History,
        clock: &Clock,
    ) -> Result<(Option<Self>, usize, Then), HistoryError> {
        let disk = self.calm.after(synced_in, clock.uptime());
        self.tell(disk, synced_in);
        if disk == Disk::NotYet {
            return Ok((Some(self), 0, Then::GoOn));
        }
        let begun = clock.uptime();
        let rows = self.stride.rows();
        let (round, pruned) = history.forget_what_is_old(self.round, rows, clock.clone()).await?;
        self.round = round;
        let Some(pruned) = pruned else {
            return Ok((Some(self), 0, Then::GoOnOnceWritten));
        };
        self.stride = self.stride.after(pruned.rows, clock.uptime().saturating_sub(begun));
        history.fold_in_no_ones_way().await?;
        let rest = (!pruned.is_done).then_some(self);
        Ok((rest, pruned.requests, Then::GoOn))
    }

    fn tell(&mut self, disk: Disk, synced_in: Duration) {
        match disk {
            Disk::NotYet if synced_in > Calm::QUICK && self.told.is_none() => info!(
                ?synced_in,
                "the disk is busy: what is older than the retention is removed when it is not, or in six hours"
            ),
            Disk::Busy if self.told != Some(Disk::Busy) => warn!(
                ?synced_in,
                "the disk was busy for six hours: what is older than the retention is removed all the same, and other writes \
                 may wait for that"
            ),
            Disk::Calm | Disk::NotYet | Disk::Busy => return,
        }
        self.told = Some(disk);
    }
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
    use crate::model::{Phase, ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, TargetId, TargetName};
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

    /// Of one request that has ended, seen on `clock`. Returns the folder and what else keeps it.
    async fn with_one_that_ended(clock: &Clock) -> (tempfile::TempDir, History, HistoryMemory, TargetId) {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let (bell, _) = tokio::sync::watch::channel(());
        let memory = HistoryMemory::new(history.clone(), Arc::default(), bell);
        let region = Region("eu-west-1".to_owned());
        let name = TargetName::new("its credentials fail", &region);
        let registered = memory.register(&name, None, &region, clock.now()).await.unwrap();
        let target = registered.target.id;
        memory.begin_baseline(target, clock.now()).await.unwrap();
        let ended = seen(target, "ended", RequestStatus::Success, clock.now());
        memory.record(vec![ended]).await.unwrap();
        (folder, history, memory, target)
    }

    /// To begin the write-ahead log is left to a commit that waits for the disk anyway.
    #[tokio::test(start_paused = true)]
    async fn what_is_old_is_removed_once_something_else_is_written() {
        let clock = Clock::simulated(Timestamp::from_millis(1_800_000_000_000));
        let (_folder, history, memory, target) = with_one_that_ended(&clock).await;
        tokio::time::sleep(DAY).await;
        memory.record(vec![open(target, "open", clock.now())]).await.unwrap();
        assert!(history.checkpoint().await.unwrap());
        let kept = || {
            let summary = Reader::open(history.path()).unwrap().summary().unwrap();
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

    #[tokio::test(start_paused = true)]
    async fn nothing_is_removed_while_the_disk_is_busy() {
        let clock = Clock::simulated(Timestamp::from_millis(1_800_000_000_000));
        let (_folder, history, _memory, _) = with_one_that_ended(&clock).await;
        tokio::time::sleep(retention::SHORTEST + DAY).await;
        let mut removing = Removing::new(clock.now(), retention::SHORTEST);
        removing.round = history.find_what_is_old(removing.round).await.unwrap();
        let busy = Calm::QUICK + Duration::from_millis(1);
        for synced_in in [busy, Calm::QUICK, busy]
            .into_iter()
            .chain(std::iter::repeat_n(Calm::QUICK, Calm::IN_A_ROW as usize - 1))
        {
            let (rest, removed, then) = removing.step_on(synced_in, &history, &clock).await.unwrap();
            assert!(matches!(then, Then::GoOn), "{then:?}");
            assert_eq!(removed, 0);
            removing = rest.unwrap();
        }
        let (rest, removed, _) = removing.step_on(Calm::QUICK, &history, &clock).await.unwrap();
        assert_eq!((rest.is_none(), removed), (true, 1));
    }
}
