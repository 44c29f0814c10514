//! When the courier sends, and how seldom it looks when nothing is to do.

use super::*;

#[tokio::test(start_paused = true)]
async fn sends_are_spaced_as_the_receiver_wishes() {
    let spacing = Duration::from_secs(1);
    let world = World::new(Pace::one_by_one(spacing), Model::default(), accept);
    for n in 0..10 {
        world.put(&format!("request{n}"), 0);
    }
    sleep(Duration::from_secs(20)).await;
    let started = world.log().started;
    assert_eq!(started.len(), 10);
    for pair in started.windows(2) {
        let gap = pair[1].0.since(pair[0].0);
        assert!(gap >= spacing && gap < spacing + Duration::from_millis(100), "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_a_quiet_time_may_come_at_once_and_is_paid_for_later() {
    let spacing = Duration::from_secs(10);
    let pace = Pace {
        burst: 3,
        ..Pace::one_by_one(spacing)
    };
    let world = World::new(pace, Model::default(), accept);
    for n in 0..6 {
        world.put(&format!("request{n}"), 0);
    }
    sleep(Duration::from_mins(2)).await;
    world.put("late", 0);
    world.put("later", 0);
    sleep(Duration::from_secs(1)).await;
    let started = world.log().started;
    let seconds: Vec<u64> = started.iter().map(|(at, _)| at.since(NOW).as_secs()).collect();
    assert_eq!(seconds, [0, 0, 0, 10, 20, 30, 120, 120]);
}

#[tokio::test(start_paused = true)]
async fn a_ring_while_the_outbox_is_read_is_not_lost() {
    let model = Model::default();
    model.with(|model| model.read_takes = Duration::from_secs(1));
    let world = World::new(WIDE, model, accept);
    // Both reads have already seen that nothing is there; the second one is not yet back.
    sleep(Duration::from_millis(1_500)).await;
    world.put("a", 0);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn what_another_process_put_there_is_found_without_a_ring() {
    let world = World::new(WIDE, Model::default(), accept);
    sleep(Duration::from_secs(1)).await;
    world.model.put("a", 0, NOW);
    sleep(LOOK_EVERY).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_costs_few_looks_even_when_nobody_can_ring_any_more() {
    let World {
        model, bell, courier, ..
    } = World::new(WIDE, Model::default(), accept);
    sleep(Duration::from_hours(1)).await;
    let idle = model.with(|model| model.reads);
    assert!(idle <= 2 * 121, "{idle}");
    drop(bell);
    sleep(Duration::from_hours(1)).await;
    let deaf = model.with(|model| model.reads) - idle;
    assert!(deaf <= 2 * 122, "{deaf}");
    assert!(!courier.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_slow_send_does_not_make_a_hot_loop() {
    let world = World::new(WIDE, Model::default(), |_, _, _| {
        (Duration::from_secs(50), Outcome::Accepted)
    });
    world.put("a", 0);
    world.put("a", 1);
    sleep(Duration::from_secs(49)).await;
    let reads = world.model.with(|model| model.reads);
    assert!(reads <= 2 * 52, "{reads}");
    // Nor does it keep what comes meanwhile.
    world.put("b", 0);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.log().started.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_ends_during_a_commit_goes_together_into_the_next() {
    let model = Model::default();
    model.with(|model| model.record_takes = Duration::from_secs(1));
    let pace = Pace::one_by_one(Duration::ZERO);
    let world = World::new(pace, model, |_, _, _| (Duration::from_millis(100), Outcome::Accepted));
    for n in 0..10 {
        world.model.put(&format!("request{n}"), 0, NOW);
    }
    world.bell.send_replace(());
    sleep(Duration::from_secs(10)).await;
    let records = world.model.with(|model| model.records.clone());
    assert_eq!(records.iter().sum::<usize>(), 10);
    assert!(records.len() <= 3, "{records:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_could_repeat_is_bounded() {
    let model = Model::default();
    model.with(|model| model.record_takes = Duration::from_hours(1));
    let world = World::new(WIDE, model, accept);
    for n in 0..1_000 {
        world.model.put(&format!("request{n}"), 0, NOW);
    }
    world.bell.send_replace(());
    sleep(Duration::from_mins(30)).await;
    let started = world.log().started.len();
    assert!((MOST_HELD / 2..=MOST_HELD + LOOK_AHEAD).contains(&started), "{started}");
}
