//! An outbox that fails: what may pass is waited for, what will not ends the courier.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_waited_for_and_nothing_new_is_sent_and_nothing_is_sent_again() {
    let model = Model::default();
    model.with(|model| model.fails = Some(Failing::Full));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    sleep(Duration::from_secs(1)).await;
    world.put("b", 0);
    sleep(Duration::from_hours(24)).await;
    assert_eq!(world.log().started.len(), 1);
    let tried = world.model.with(|model| model.failed_records);
    assert!((24 * 60..=24 * 120 + 20).contains(&tried), "{tried}");
    world.model.with(|model| model.fails = None);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(world.accepted(), ["a/0", "b/0"]);
    assert_eq!(world.log().started.len(), 2);
    assert_eq!(world.model.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_cannot_be_read_for_now_is_waited_for() {
    let model = Model::default();
    model.with(|model| (model.fails, model.reads_fail) = (Some(Failing::Full), true));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    sleep(Duration::from_hours(1)).await;
    let reads = world.model.with(|model| model.reads);
    assert!((60..=140).contains(&reads), "{reads}");
    world.model.with(|model| model.fails = None);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_ends_the_courier_at_once_with_an_error_that_says_what_is_at_stake() {
    let model = Model::default();
    model.with(|model| model.fails = Some(Failing::Damaged));
    let world = World::new(WIDE, model, accept);
    world.put("a", 0);
    let World {
        bell: _bell,
        courier,
        model,
        ..
    } = world;
    let started = Instant::now();
    let error = courier.await.unwrap().unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1));
    let text = error.to_string();
    assert!(
        text.contains("receiver `r`") && text.contains("1 finished sends"),
        "{text}"
    );
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "damaged");
    assert_eq!(model.pending(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_falls_due_while_the_courier_takes_its_turn_is_not_left_without_a_wake() {
    let model = Model::default();
    let World { receiver, clock, .. } = World::new(WIDE, model.clone(), accept);
    let destination = Destination {
        name: "r".into(),
        give_up_after: Duration::from_hours(24),
        time_out: TIME_OUT,
        digest_over: None,
        spacing: None,
        renderer: Renderer::default(),
        receiver,
    };
    let (_bell, ring) = watch::channel(());
    let mut courier = Courier::new(destination, model, ring, clock, fastrand::Rng::with_seed(7));
    // As it stands where the time came just after `start_recording` had found it too early.
    let due = Instant::now();
    courier.unrecorded = vec![Attempted {
        ids: vec![DeliveryId(0)],
        number: 1,
        began_at: NOW,
        took: Duration::ZERO,
        verdict: Verdict::Sent,
        answer_status: None,
        answer: None,
        quiet_until: None,
        thread: None,
    }];
    courier.outbox_trouble = Some(OutboxTrouble {
        failures: 1,
        until: due,
    });
    assert_eq!(courier.start_sends().await.unwrap(), Some(due));
}

#[tokio::test(start_paused = true)]
async fn a_start_on_a_full_disk_sends_nothing_until_there_is_room() {
    let model = Model::default();
    model.with(|model| model.unwritable = Some(Failing::Full));
    let world = World::new(WIDE, model, accept);
    for n in 0..10 {
        world.put(&format!("request{n}"), 0);
    }
    sleep(Duration::from_hours(1)).await;
    assert_eq!(world.log().started.len(), 0);
    let reads = world.model.with(|model| model.reads);
    assert!(reads < 1_000, "not in a hurry: {reads}");
    world.model.with(|model| model.unwritable = None);
    sleep(Duration::from_hours(1)).await;
    assert_eq!(world.accepted().len(), 10);
    assert_eq!(world.model.pending(), 0);
}
