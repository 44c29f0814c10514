//! The async methods, under the paused time of simulated days.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::fixtures::{RECEIVER, Scene, all_to, at, attempted, event, name, region};
use super::{Editor, Failure, History, Round};
use crate::clock::Clock;
use crate::decide::diff::Baseline;
use crate::decide::retry::Verdict;
use crate::model::{RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source};

#[tokio::test(start_paused = true)]
async fn a_request_goes_its_way_and_no_time_passes() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(&folder.path().join("history.db")).unwrap();
    let started = Instant::now();

    let registered = history
        .register_target(&name("prod"), None, &region(), at(0))
        .await
        .unwrap();
    let target = registered.target.id;
    history.open_gap(target, at(0), "new").await.unwrap();
    history.close_gap(target, at(1)).await.unwrap();
    assert_eq!(
        history.begin_baseline(target, at(1)).await.unwrap(),
        Baseline::Since(at(1))
    );
    history.complete_baseline(target, at(2)).await.unwrap();
    let sighting = Sighting {
        key: RequestKey {
            target,
            token: RequestToken::new("a"),
        },
        seen_at: at(3),
        source: Source::List,
        seen: Seen::Event(Box::new(event("a", RequestStatus::InProgress)), None),
    };
    let recorded = history
        .record(vec![sighting], Arc::new(all_to(RECEIVER)), Vec::new())
        .await
        .unwrap();
    assert_eq!(history.standings(target).await.unwrap(), recorded.standings);
    history.looked(vec![(target, at(3))]).await.unwrap();

    assert_eq!(history.next_attempt_at(RECEIVER).await.unwrap(), Some(at(3)));
    let due = history.due_deliveries(RECEIVER, at(3), 10, None).await.unwrap();
    assert_eq!(due.len(), 1);
    history
        .record_attempts(vec![attempted(due[0].ids[0], Verdict::Sent)], at(4))
        .await
        .unwrap();
    assert_eq!(history.next_attempt_at(RECEIVER).await.unwrap(), None);
    assert_eq!(history.skip_unknown_receivers(&[], &BTreeSet::new()).await.unwrap(), 0);
    let round = history
        .find_what_is_old(Round::new(at(5), Duration::ZERO))
        .await
        .unwrap();
    let clock = Clock::simulated(at(5));
    let (_, pruned) = history.forget_what_is_old(round, 10, clock).await.unwrap();
    let pruned = pruned.unwrap();
    assert_eq!((pruned.rows, pruned.is_done), (0, true));
    history.fold_in_no_ones_way().await.unwrap();
    assert!(history.checkpoint().await.unwrap());

    assert_eq!(
        started.elapsed(),
        Duration::ZERO,
        "a transaction neither takes nor skips simulated time"
    );
}

#[tokio::test]
async fn a_transaction_whose_future_is_dropped_still_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = History::open(&path).unwrap();
    let (name, region) = (name("prod"), region());
    {
        let mut registering = std::pin::pin!(history.register_target(&name, None, &region, at(0)));
        let waker = std::task::Waker::noop();
        let _ = std::future::Future::poll(registering.as_mut(), &mut std::task::Context::from_waker(waker));
    }
    // The transaction is on its thread, or done, and this one waits for it at the latest at the lock.
    let again = loop {
        let registered = history.read(|connection| {
            let count = connection.query_row("SELECT count(*) FROM targets", [], |row| row.get::<_, i64>(0))?;
            Ok::<_, Failure>(count)
        });
        match registered.unwrap() {
            0 => tokio::task::yield_now().await,
            count => break count,
        }
    };
    assert_eq!(again, 1);
}

#[tokio::test]
async fn what_another_process_commits_is_heard_and_what_this_one_commits_is_not() {
    let scene = Scene::new();
    let before = scene.history.others_version().await.unwrap();
    scene.record(&[scene.seen(1, event("own", RequestStatus::Pending))]);
    assert_eq!(scene.history.others_version().await.unwrap(), before);
    let mut editor = Editor::open(&scene.path()).unwrap();
    editor
        .add_silence(&[], (at(0), at(1)), ("ada", "a test"), at(0))
        .unwrap();
    assert_ne!(scene.history.others_version().await.unwrap(), before);
}

#[tokio::test]
async fn news_brings_the_looks_before_it_into_the_history_and_what_is_no_news_does_not() {
    let scene = Scene::new();
    let looked_at = || scene.rows("SELECT last_looked_at IS NOT NULL FROM targets")[0][0].clone();
    let sightings = || vec![scene.seen(5, event("a", RequestStatus::Pending))];
    let record = async |looked| {
        let recorded = scene.history.record(sightings(), Arc::default(), looked).await;
        recorded.unwrap().changes
    };
    assert_eq!((record(Vec::new()).await, looked_at()), (1, 0.into()));
    assert_eq!((record(vec![(scene.target, at(4))]).await, looked_at()), (0, 0.into()));
    scene.execute("DELETE FROM requests");
    assert_eq!((record(vec![(scene.target, at(4))]).await, looked_at()), (1, 1.into()));
}
