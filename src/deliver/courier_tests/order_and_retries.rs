//! What arrives, how often, and in which order.

use super::*;

#[tokio::test(start_paused = true)]
async fn whatever_fails_each_change_arrives_once_and_in_order() {
    for seed in 0..20 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let model = Model::default();
        model.with(|model| model.record_takes = Duration::from_millis(5));
        let world = World::new(WIDE, model, move |_, _, _| {
            let takes = Duration::from_millis(chance.u64(0..3_000));
            match chance.u32(0..10) {
                0 | 1 => (takes, failure(None)),
                2 => (takes, failure(Some(Duration::from_secs(chance.u64(0..100))))),
                3 if takes.subsec_millis() < 200 => (TIME_OUT * 2, Outcome::Accepted),
                _ => (takes, Outcome::Accepted),
            }
        });
        let requests: Vec<String> = (0..12).map(|n| format!("request{n}")).collect();
        let mut chance = fastrand::Rng::with_seed(seed + 1000);
        for step in 0..6 {
            for request in &requests {
                world.put(request, step);
                sleep(Duration::from_millis(chance.u64(0..500))).await;
            }
            world
                .model
                .with(|model| model.fails = chance.bool().then_some(Failing::Full));
            sleep(Duration::from_secs(20)).await;
            world.model.with(|model| model.fails = None);
        }
        sleep(Duration::from_hours(23)).await;
        world.assert_all_told(6, &requests);
        assert!(world.log().most_underway <= WIDE.concurrency);
        world.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_was_down_for_an_hour_gets_everything_once_and_in_order() {
    let up_again = NOW.plus(Duration::from_hours(1));
    let world = World::new(WIDE, Model::default(), move |_, _, now| {
        let outcome = if now < up_again {
            failure(None)
        } else {
            Outcome::Accepted
        };
        (Duration::from_millis(100), outcome)
    });
    let requests: Vec<String> = (0..20).map(|n| format!("request{n}")).collect();
    for step in 0..5 {
        for request in &requests {
            world.put(request, step);
        }
        sleep(Duration::from_mins(5)).await;
    }
    sleep(Duration::from_hours(3)).await;
    world.assert_all_told(5, &requests);
    let attempts_while_down = world.log().started.iter().filter(|(at, _)| *at < up_again).count();
    assert!(
        attempts_while_down <= 20 * 7,
        "{attempts_while_down}: one line knocks for a request"
    );
}

#[tokio::test(start_paused = true)]
async fn other_requests_pass_by_one_that_fails() {
    let world = World::new(WIDE, Model::default(), |id, _, _| {
        let outcome = if id.starts_with("sick") {
            failure(None)
        } else {
            Outcome::Accepted
        };
        (Duration::ZERO, outcome)
    });
    for step in 0..3 {
        world.put("sick", step);
        world.put("fine", step);
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.accepted(), ["fine/0", "fine/1", "fine/2"]);
    assert!(world.log().started.iter().all(|(_, id)| id != "sick/1"));
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_lets_the_next_of_its_request_go() {
    let world = World::new(WIDE, Model::default(), |id, _, _| match id {
        "a/0" => (
            Duration::ZERO,
            Outcome::Rejected {
                error: "malformed".into(),
            },
        ),
        _ => (Duration::ZERO, Outcome::Accepted),
    });
    world.put("a", 0);
    world.put("a", 1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.accepted(), ["a/1"]);
    let state = world.model.with(|model| model.rows[0].state.clone());
    assert_eq!(state, State::Dead("receiver `r`: malformed".into()));
}

#[tokio::test(start_paused = true)]
async fn nothing_at_all_is_sent_before_a_retry_after_has_passed() {
    let pause = Duration::from_mins(7);
    let mut asked = false;
    let world = World::new(WIDE, Model::default(), move |_, _, _| {
        let first = !std::mem::replace(&mut asked, true);
        let outcome = if first { failure(Some(pause)) } else { Outcome::Accepted };
        (Duration::from_millis(10), outcome)
    });
    world.put("a", 0);
    sleep(Duration::from_secs(1)).await;
    let reads = world.model.with(|model| model.reads);
    for step in 0..30 {
        world.put("b", step);
        sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(world.log().started.len(), 1);
    let reads = world.model.with(|model| model.reads) - reads;
    assert!(reads <= 2, "{reads}: the outbox is not asked for what may not be sent");
    sleep(Duration::from_mins(5)).await;
    let told = world.log();
    assert_eq!(told.accepted.len(), 31);
    assert!(told.started[1].0.since(told.started[0].0) >= pause);
}

#[tokio::test(start_paused = true)]
async fn what_was_fetched_before_a_long_wait_is_fetched_anew_after_it() {
    let one = Pace { concurrency: 1, ..WIDE };
    let mut asked = false;
    let world = World::new(one, Model::default(), move |_, _, _| {
        let first = !std::mem::replace(&mut asked, true);
        let wait = Some(Duration::from_hours(1)).filter(|_| first);
        (Duration::ZERO, if first { failure(wait) } else { Outcome::Accepted })
    });
    world.put("a", 0);
    world.put("b", 0);
    sleep(Duration::from_mins(1)).await;
    // Someone else gives it up meanwhile.
    world
        .model
        .with(|model| model.rows[1].state = State::Dead("by hand".into()));
    sleep(Duration::from_hours(2)).await;
    assert_eq!(world.accepted(), ["a/0"]);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_takes_too_long_or_panics_is_a_failure_and_no_more() {
    let world = World::new(WIDE, Model::default(), |id, attempt, _| match (id, attempt) {
        ("slow/0", 1) => (TIME_OUT * 2, Outcome::Accepted),
        ("bug/0", 1) => panic!("a bug, on purpose"),
        _ => (Duration::ZERO, Outcome::Accepted),
    });
    for request in ["bug", "fine"] {
        world.put(request, 0);
    }
    // The script's lock is poisoned by the panic.
    sleep(Duration::from_millis(10)).await;
    world.receiver.script.clear_poison();
    sleep(Duration::from_secs(10)).await;
    let told: BTreeSet<String> = world.accepted().into_iter().collect();
    assert_eq!(told, ["bug/0".to_owned(), "fine/0".to_owned()].into());
}
