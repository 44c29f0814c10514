//! What a history needs from time to time: requests that nothing can show any more are given up for lost, and what is
//! older than the retention is removed. A little at a time, so that no look and no verdict waits long for it.
//!
//! How little follows from how long the last step took to write, from its call to its commit: the wait for other writers is
//! part of that, since it is part of what a look would wait for. To find and read what is to go is not, nor is to fold the
//! write-ahead log: no one waits for these. When a step is taken depends on the disk, which is tried before each: while another
//! program keeps it busy, removing waits, since it is in no hurry (see `decide::retention`).
//!
//! Each thousand pages or so, removing waits for the next commit of a look, which begins the write-ahead log anew in its stead
//! (see `history::write_ahead_log`). While no target can be looked at, nothing may be written for long, and then nothing is
//! removed either; what is lost is given up all the same.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::joints::HistoryMemory;
use crate::clock::Clock;
use crate::decide::retention::{self, Calm, Stride, Turn};
use crate::history::{History, HistoryError, Round};
use crate::model::{Seen, Sighting, Source};
use crate::watch::Recording;

const EVERY: Duration = Duration::from_hours(1);
/// Before the first time: a machine that starts with a clock that is days wrong has it set within minutes, and to act on
/// such a time would be to forget what the service still lists.
const AT_FIRST: Duration = Duration::from_mins(10);
/// Requests given up for lost, or groups forgotten, in one transaction.
const STEP: usize = 50;
/// Between two of these.
const PAUSE: Duration = Duration::from_millis(100);
/// Removing that waited for so long is told of, and again each day.
const WORTH_TELLING: Duration = Duration::from_mins(10);
const DAY: Duration = Duration::from_hours(24);

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
    let mut removing = Removing::default();
    loop {
        let mut round = retention.map(|retention| Round::new(clock.now(), retention));
        let mut done = Done::default();
        let is_over = loop {
            let next = match tidy(&history, &memory, &clock, &mut round, &mut removing, &mut done).await {
                Err(error) if error.may_pass() => {
                    warn!(%error, "old requests can't be dealt with for now");
                    Then::Rest
                }
                next => next?,
            };
            let pause = match next {
                Then::Rest => break false,
                Then::GoOnAfter(pause) => waited(pause, &stop).await,
                Then::GoOnOnceWritten => written(&history, &stop).await,
            };
            if pause.is_err() {
                break true;
            }
        };
        done.tell_lost();
        if done.removed > 0 {
            info!(
                requests = done.removed,
                "requests older than the retention were removed from the history"
            );
        }
        if is_over || waited(EVERY, &stop).await.is_err() {
            return Ok(());
        }
    }
}

/// What was done in a round, and not told yet.
#[derive(Debug, Default)]
struct Done {
    lost: usize,
    removed: usize,
}

impl Done {
    fn tell_lost(&mut self) {
        let requests = std::mem::take(&mut self.lost);
        if requests > 0 {
            info!(
                requests,
                "requests that were not seen for longer than Cloud Control remembers any are given up for lost"
            );
        }
    }
}

#[derive(Debug)]
enum Then {
    /// There is no more to do.
    Rest,
    GoOnAfter(Duration),
    /// A commit that is no step of removing is to come first.
    GoOnOnceWritten,
}

async fn tidy(
    history: &History,
    memory: &HistoryMemory,
    clock: &Clock,
    round: &mut Option<Round>,
    removing: &mut Removing,
    done: &mut Done,
) -> Result<Then, HistoryError> {
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
    done.lost += lost;
    if lost < STEP {
        // What is removed may take hours.
        done.tell_lost();
    }
    // Whoever groups by identifier makes a group for each.
    let groups = history.forget_groups(now, STEP).await?;
    if let Some(some) = round.take() {
        let next = removing.step(some, history, clock).await?;
        done.removed += next.removed;
        *round = next.round;
        if round.is_some() {
            return Ok(next.then);
        }
    }
    let is_done = lost < STEP && groups < STEP;
    Ok(if is_done { Then::Rest } else { Then::GoOnAfter(PAUSE) })
}

/// How removing goes, from one step to the next.
#[derive(Debug, Default)]
struct Removing {
    stride: Stride,
    calm: Calm,
    /// How often the wait for the disk was told of, since something was left to remove.
    told: u32,
}

/// What is left after a step.
#[derive(Debug)]
struct Next {
    /// `None` where nothing is.
    round: Option<Round>,
    then: Then,
    /// Requests that are gone.
    removed: usize,
}

impl Removing {
    /// Takes a step, where the disk lets it.
    async fn step(&mut self, round: Round, history: &History, clock: &Clock) -> Result<Next, HistoryError> {
        let round = history.find_what_is_old(round).await?;
        if round.is_done() {
            self.rest();
            return Ok(Next {
                round: None,
                then: Then::Rest,
                removed: 0,
            });
        }
        // A disk that can't be tried is taken for quick.
        let took = history.synced_in(clock.clone()).await?.unwrap_or_default();
        self.step_on(took, round, history, clock).await
    }

    /// Of what is found, on a disk that took so long to sync a page.
    async fn step_on(
        &mut self,
        took: Duration,
        round: Round,
        history: &History,
        clock: &Clock,
    ) -> Result<Next, HistoryError> {
        let turn = self.calm.turn(took, clock.uptime());
        self.tell();
        let later = |round, then| {
            Ok(Next {
                round: Some(round),
                then,
                removed: 0,
            })
        };
        if let Turn::Wait(pause) = turn {
            return later(round, Then::GoOnAfter(pause));
        }
        let rows = self.stride.rows();
        let round = history.read_what_is_old(round, rows).await?;
        let begun = clock.uptime();
        let (round, pruned) = history.forget_what_is_old(round, rows, clock.clone()).await?;
        let Some(pruned) = pruned else {
            return later(round, Then::GoOnOnceWritten);
        };
        let took = clock.uptime().saturating_sub(begun);
        self.stride = self.stride.after(pruned.rows, took, retention::AIM);
        self.calm.stepped(took);
        history.fold_in_no_ones_way().await?;
        if pruned.is_done {
            self.rest();
        }
        Ok(Next {
            round: (!pruned.is_done).then_some(round),
            then: Then::GoOnAfter(Calm::PAUSE),
            removed: pruned.requests,
        })
    }

    /// Nothing is left to remove: what was waited for is over.
    fn rest(&mut self) {
        self.calm = Calm::default();
        self.told = 0;
    }

    fn tell(&mut self) {
        let waited = self.calm.waited();
        if waited < WORTH_TELLING.max(DAY * self.told) {
            return;
        }
        if self.told == 0 {
            info!("the disk is slow or busy: what is older than the retention is removed while it is not");
        } else {
            let waited = humantime::format_duration(DAY * self.told);
            warn!(
                "what is older than the retention waited for a calm disk for {waited} in all, and may become more: \
                 `ccwatch history prune`, while ccwatch does not run, removes it whatever the disk"
            );
        }
        self.told += 1;
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

    /// Of one request that is older than the shortest retention, with the round that will find it.
    async fn with_one_that_may_go() -> (tempfile::TempDir, History, Clock, Round) {
        let clock = Clock::simulated(Timestamp::from_millis(1_800_000_000_000));
        let (folder, history, _memory, _) = with_one_that_ended(&clock).await;
        tokio::time::sleep(retention::SHORTEST + DAY).await;
        let round = Round::new(clock.now(), retention::SHORTEST);
        (folder, history, clock, round)
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
        let (_folder, history, clock, round) = with_one_that_may_go().await;
        let (mut removing, mut round) = (Removing::default(), round);
        let busy = Calm::QUICK + Duration::from_millis(1);
        let nearly = std::iter::repeat_n(Calm::QUICK, Calm::IN_A_ROW as usize - 1);
        for took in nearly.clone().chain([busy]).chain(nearly) {
            round = history.find_what_is_old(round).await.unwrap();
            let next = removing.step_on(took, round, &history, &clock).await.unwrap();
            assert_eq!(next.removed, 0);
            round = next.round.unwrap();
        }
        round = history.find_what_is_old(round).await.unwrap();
        let next = removing.step_on(Calm::QUICK, round, &history, &clock).await.unwrap();
        assert!(next.removed == 1 && next.round.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_step_waits_for_as_many_tries_as_make_a_disk_calm() {
        let (_folder, history, clock, round) = with_one_that_may_go().await;
        let mut removing = Removing::default();
        let mut round = Some(round);
        let mut calls = 0;
        while let Some(some) = round.take() {
            calls += 1;
            let next = removing.step(some, &history, &clock).await.unwrap();
            assert_eq!(next.removed, usize::from(next.round.is_none()));
            round = next.round;
        }
        assert_eq!(calls, Calm::IN_A_ROW);
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_disk_that_stays_busy_nothing_is_removed_and_that_is_told_each_day() {
        let (_folder, history, clock, round) = with_one_that_may_go().await;
        let mut removing = Removing::default();
        let mut round = round;
        let mut told = Vec::new();
        let began = clock.uptime();
        while clock.uptime() < began + DAY * 2 + Duration::from_mins(1) {
            round = history.find_what_is_old(round).await.unwrap();
            let busy = Calm::QUICK * 4;
            let before = removing.told;
            let next = removing.step_on(busy, round, &history, &clock).await.unwrap();
            if removing.told != before {
                told.push(clock.uptime().saturating_sub(began));
            }
            assert_eq!(next.removed, 0);
            round = next.round.unwrap();
            let Then::GoOnAfter(pause) = next.then else {
                panic!("{:?}", next.then);
            };
            tokio::time::sleep(pause).await;
        }
        assert_eq!(told, [WORTH_TELLING, DAY, DAY * 2]);
    }

    /// The clock goes on by more than a quick disk takes whenever it is asked, and with it each try.
    #[tokio::test(start_paused = true)]
    async fn each_step_comes_after_a_try_of_the_disk() {
        let (_folder, history, clock, round) = with_one_that_may_go().await;
        let hasty = Clock::hasty(clock.now(), Calm::QUICK + Duration::from_millis(1));
        if history.synced_in(clock).await.unwrap().is_none() {
            // A file system that has no files without a name.
            return;
        }
        let mut removing = Removing::default();
        let mut round = round;
        for _ in 0..2 * Calm::IN_A_ROW {
            let next = removing.step(round, &history, &hasty).await.unwrap();
            assert_eq!(next.removed, 0, "the disk was slow");
            round = next.round.unwrap();
        }
    }
}
