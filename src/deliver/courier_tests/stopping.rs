//! What is finished, kept and left when the courier is told to stop.

use super::*;

#[tokio::test(start_paused = true)]
async fn stopping_lets_sends_finish_and_keeps_their_verdicts() {
    let world = World::new(WIDE, Model::default(), |_, _, _| {
        (Duration::from_secs(3), Outcome::Accepted)
    });
    for n in 0..6 {
        world.put(&format!("request{n}"), 0);
    }
    sleep(Duration::from_secs(1)).await;
    let (model, receiver) = (world.model.clone(), world.receiver.clone());
    let stopping = Instant::now();
    world.stop().await.unwrap();
    assert_eq!(stopping.elapsed(), Duration::from_secs(2));
    assert_eq!(receiver.log.lock().unwrap().started.len(), 4, "nothing new is started");
    assert_eq!(model.pending(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_stopping_cuts_off_stays_pending_and_costs_no_attempt() {
    let world = World::new(WIDE, Model::default(), |id, _, _| {
        let takes = if id == "slow/0" { 50 } else { 2 };
        (Duration::from_secs(takes), Outcome::Accepted)
    });
    world.put("slow", 0);
    world.put("quick", 0);
    sleep(Duration::from_secs(1)).await;
    let (model, stopping) = (world.model.clone(), Instant::now());
    world.stop().await.unwrap();
    assert_eq!(stopping.elapsed(), GRACE);
    model.with(|model| {
        assert_eq!(
            (&model.rows[0].state, model.rows[0].delivery.attempts),
            (&State::Pending, 0)
        );
        assert_eq!(model.rows[1].state, State::Sent);
    });
}

#[tokio::test(start_paused = true)]
async fn stopping_with_a_history_that_fails_ends_with_the_grace_period() {
    let model = Model::default();
    model.with(|model| {
        model.fails = Some(Failing::Full);
        // A wait for this must be a wait, not a hot loop, which would keep paused time from passing.
        model.record_takes = Duration::from_millis(100);
    });
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    // By now it is tried once a minute at most.
    sleep(Duration::from_hours(1)).await;
    let stopping = Instant::now();
    world.stop().await.unwrap_err();
    let took = stopping.elapsed();
    assert!(took >= GRACE && took <= GRACE + Duration::from_millis(200), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn stopping_records_at_once_what_can_be_recorded_again() {
    let model = Model::default();
    model.with(|model| model.fails = Some(Failing::Full));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    sleep(Duration::from_hours(1)).await;
    let model = world.model.clone();
    model.with(|model| model.fails = None);
    let stopping = Instant::now();
    world.stop().await.unwrap();
    assert_eq!(stopping.elapsed(), Duration::ZERO);
    assert_eq!(model.pending(), 0);
}
