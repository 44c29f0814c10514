use proptest::prelude::*;

use super::super::fixtures::{RECEIVER, Scene, all_to, at, attempted, event, guarded, hook};
use super::super::{attention, outbox};
use super::*;
use crate::decide::grouping::Grouping;
use crate::decide::retry::{Attempted, Verdict};
use crate::decide::route::{Field, Route};
use crate::model::HookStatus::CompleteFailed;
use crate::model::RequestStatus::{self, Failed, InProgress, Pending, Success};

fn due(scene: &Scene, second: i64, over: u32) -> Vec<Delivery> {
    let due = |connection: &Connection| outbox::due_deliveries(connection, RECEIVER, at(second), 1, Some(over));
    scene.history.read(due).unwrap()
}

fn digest_of(delivery: &Delivery) -> &Digest {
    match &delivery.news {
        News::Digest(digest) => digest,
        other => panic!("{other:?}"),
    }
}

fn settle(scene: &Scene, delivery: &Delivery, verdict: Verdict, thread: Option<&str>) {
    let attempt = Attempted {
        ids: delivery.ids.clone(),
        thread: thread.map(str::to_owned),
        ..attempted(delivery.ids[0], verdict)
    };
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempt], at(100)))
        .unwrap();
}

/// Six changes of three requests.
fn busy() -> Scene {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(1, event("a", Pending)),
        scene.seen(2, event("b", Pending)),
        scene.seen(3, event("a", InProgress)),
        scene.seen(4, event("a", Failed)),
        scene.got(5, guarded("c", InProgress), vec![hook("A::B::C", CompleteFailed)]),
    ]);
    scene
}

#[test]
fn more_than_people_would_read_is_told_at_once_the_worst_first() {
    let scene = busy();
    assert_eq!(due(&scene, 10, 6)[0].ids.len(), 1, "six are not more than six");
    let due = due(&scene, 10, 5);
    let [delivery] = due.as_slice() else { panic!("{due:?}") };
    assert_eq!((delivery.ids.len(), delivery.attempts, delivery.since), (6, 0, at(5)));
    let digest = digest_of(delivery);
    assert_eq!(
        (digest.changes, digest.requests, digest.from, digest.to),
        (6, 3, at(1), at(5))
    );
    let counts: Vec<_> = digest
        .counts
        .iter()
        .map(|sort| (sort.status.as_deref().unwrap(), sort.count))
        .collect();
    assert_eq!(
        counts,
        [
            ("FAILED", 1),
            ("HOOK_COMPLETE_FAILED", 1),
            ("IN_PROGRESS", 2),
            ("PENDING", 2)
        ]
    );
    assert_eq!(digest.targets, [("prod/eu-west-1".to_owned(), 6)]);
    assert_eq!(digest.types, [(Some("AWS::Logs::LogGroup".to_owned()), 6)]);
    assert_eq!(digest.worst[0].to.as_deref(), Some("FAILED"));
    assert_eq!(digest.worst.len(), 6);
    let id = || digest_of(&self::due(&scene, 10, 5)[0]).id.clone();
    assert_eq!(id(), digest.id);
    scene.record(&[scene.seen(6, event("d", Pending))]);
    assert_ne!(id(), digest.id, "it tells more");
}

#[test]
fn one_verdict_is_that_of_all() {
    let scene = busy();
    let retry = Verdict::RetryAt {
        at: at(200),
        error: "503".into(),
    };
    settle(&scene, &due(&scene, 10, 5)[0], retry, None);
    assert_eq!(due(&scene, 199, 5), []);
    let again = due(&scene, 200, 5);
    assert_eq!((again[0].ids.len(), again[0].attempts), (6, 1));
    settle(&scene, &again[0], Verdict::Sent, None);
    assert_eq!(due(&scene, 999, 5), []);
    assert_eq!(
        scene.count("SELECT count(*) FROM deliveries WHERE state = 'sent' AND attempts = 2"),
        6
    );
    assert_eq!(scene.count("SELECT count(*) FROM attempts"), 12);
    assert_eq!(scene.count("SELECT count(*) FROM attempts WHERE error IS NOT NULL"), 1);
    // What comes later is told for itself again.
    scene.record(&[scene.seen(300, event("b", Success))]);
    assert_eq!(due(&scene, 300, 5)[0].ids.len(), 1);
}

/// News that goes on coming while a receiver is down draws along nothing of what waits longer.
#[test]
fn what_has_failed_often_keeps_its_pauses_in_a_digest_with_what_is_new() {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(1, event("old", Failed)),
        scene.seen(1, event("older", Failed)),
    ]);
    scene.execute("UPDATE deliveries SET attempts = 4, next_attempt_at = 100000");
    scene.record(&[scene.seen(50, event("new", Failed))]);
    let retry = |second| Verdict::RetryAt {
        at: at(second),
        error: "503".into(),
    };
    let together = &due(&scene, 100, 1)[0];
    assert_eq!((together.ids.len(), together.attempts), (3, 0));
    settle(&scene, together, retry(101), None);
    let new = &due(&scene, 101, 1)[0];
    assert_eq!((new.ids.len(), new.attempts), (1, 1));
    settle(&scene, new, retry(106), None);
    // A minute of news, each a second after the one before.
    let mut sends = 0;
    for second in 101..160 {
        scene.record(&[scene.seen(second, event(&format!("t{second}"), Failed))]);
        for delivery in due(&scene, second, 1) {
            sends += 1;
            let attempt = Attempted {
                ids: delivery.ids.clone(),
                ..attempted(delivery.ids[0], retry(second + 1))
            };
            scene
                .history
                .write(|tx| tx.record_attempts(&[attempt], at(second)))
                .unwrap();
        }
    }
    let most = scene.count("SELECT max(attempts) FROM deliveries WHERE id > 3");
    assert!(sends >= 59 && most <= 6, "{sends} {most}");
    assert_eq!(
        scene.count("SELECT max(attempts) FROM deliveries WHERE id <= 2"),
        5,
        "their next pause is of ten minutes"
    );
}

#[test]
fn the_last_change_of_a_request_with_a_living_message_goes_into_its_thread() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending))]);
    settle(&scene, &due(&scene, 1, 2)[0], Verdict::Sent, Some("root"));
    scene.record(&[
        scene.seen(2, event("a", InProgress)),
        scene.seen(2, event("a", Success)),
        scene.seen(3, event("b", Failed)),
        scene.seen(4, event("c", Failed)),
    ]);
    let first = due(&scene, 10, 2);
    assert_eq!(first[0].ids.len(), 3);
    assert_eq!(digest_of(&first[0]).requests, 3);
    settle(&scene, &first[0], Verdict::Sent, None);
    let second = due(&scene, 100, 2);
    assert_eq!(second[0].thread.as_deref(), Some("root"));
    assert_eq!(second[0].news.change().unwrap().to.as_deref(), Some("SUCCESS"));
}

#[test]
fn a_digest_stops_in_a_line_where_another_group_begins() {
    let scene = Scene::new();
    let grouped = Route {
        name: "failures".into(),
        matchers: vec![(Field::Status, crate::decide::route::Patterns::new(["FAILED"]))],
        to: vec![RECEIVER.into()],
        group: Some(Grouping {
            by: vec![Field::TypeName],
            wait: std::time::Duration::from_secs(10),
            interval: std::time::Duration::from_mins(1),
        }),
        ..Route::default()
    };
    let mut routes = vec![grouped.clone()];
    routes.extend(all_to(RECEIVER).routes.clone());
    let sightings: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .flat_map(|token| [Pending, Failed].map(|status| scene.seen(1, event(token, status))))
        .collect();
    scene.history.write(|tx| tx.record(&sightings, &routes.into())).unwrap();
    let first = due(&scene, 1, 2);
    assert_eq!(first[0].ids.len(), 3, "those that are not grouped");
    assert_eq!(digest_of(&first[0]).counts.len(), 1);
    settle(&scene, &first[0], Verdict::Sent, None);
    // record_attempts was at 100, and their group had waited long enough by then.
    let second = due(&scene, 100, 2);
    assert_eq!(digest_of(&second[0]).counts[0].status.as_deref(), Some("FAILED"));
    settle(&scene, &second[0], Verdict::Sent, None);
    // The group was told at 100: the next one waits until 160.
    let late = [scene.seen(110, event("d", Failed))];
    scene
        .history
        .write(|tx| tx.record(&late, &vec![grouped].into()))
        .unwrap();
    assert_eq!(due(&scene, 159, 2), []);
    assert_eq!(due(&scene, 160, 2).len(), 1);
}

#[test]
fn a_notice_is_never_part_of_a_digest() {
    let scene = busy();
    scene.execute(&format!(
        "INSERT INTO receivers (name, failing_since, last_error) VALUES ('other', {}, '503')",
        at(0).as_millis()
    ));
    let escalation = attention::Escalation {
        receiver: "other".into(),
        to: RECEIVER.into(),
        after: std::time::Duration::from_secs(1),
    };
    scene
        .history
        .write(|tx| tx.escalate(&[escalation], at(0).plus(std::time::Duration::from_secs(1))))
        .unwrap();
    let mut notices = 0;
    for _ in 0..3 {
        let due = due(&scene, 100, 2);
        let Some(delivery) = due.first() else { break };
        notices += usize::from(matches!(delivery.news, News::Receiver(_)));
        settle(&scene, delivery, Verdict::Sent, None);
    }
    assert_eq!(notices, 1);
    assert_eq!(due(&scene, 100, 2), []);
}

#[test]
fn a_thousand_are_told_at_once_at_the_most() {
    let scene = Scene::new();
    let sightings: Vec<_> = (0..1_100)
        .map(|number| scene.seen(1, event(&format!("t{number}"), Failed)))
        .collect();
    scene.record(&sightings);
    let first = due(&scene, 2, 10);
    assert_eq!(first[0].ids.len(), MOST);
    assert_eq!(digest_of(&first[0]).worst.len(), SHOWN);
    settle(&scene, &first[0], Verdict::Sent, None);
    assert_eq!(due(&scene, 100, 10)[0].ids.len(), 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However sends go, each change is told once in the end, and those of a request in order.
    #[test]
    fn every_change_is_told_once_and_in_order(
        steps in prop::collection::vec((0..6_u8, 0..4_usize), 1..40),
        over in 1..6_u32,
        fates in prop::collection::vec((0..3_u8, any::<bool>()), 1..20),
    ) {
        let scene = Scene::new();
        let statuses: [RequestStatus; 4] = [Pending, InProgress, Failed, Success];
        for (second, (request, status)) in (1..).zip(&steps) {
            scene.record(&[scene.seen(second, event(&format!("r{request}"), statuses[*status].clone()))]);
        }
        let mut told: Vec<i64> = Vec::new();
        let mut second = 1_000;
        for (fate, has_thread) in fates.iter().cycle().take(2_000) {
            second += 100;
            let due = due(&scene, second, over);
            let Some(delivery) = due.first() else {
                if scene.count("SELECT count(*) FROM deliveries WHERE state = 'pending'") == 0 {
                    break;
                }
                // What failed often waits for up to an hour.
                second += 3_600;
                continue;
            };
            prop_assert!(delivery.ids.len() == 1 || delivery.ids.len() > over as usize);
            let verdict = match fate {
                0 => Verdict::RetryAt { at: at(second + 50), error: "503".into() },
                _ => Verdict::Sent,
            };
            if verdict == Verdict::Sent {
                told.extend(delivery.ids.iter().map(|id| id.0));
            }
            settle(&scene, delivery, verdict, has_thread.then_some("root"));
            if fates.iter().all(|(fate, _)| *fate == 0) && second > 3_000 {
                return Ok(());
            }
        }
        let changes = usize::try_from(scene.count("SELECT count(*) FROM changes")).unwrap();
        let mut once = told.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!((told.len(), once.len()), (changes, changes));
        let lines = scene.rows("SELECT request_id, group_concat(id) FROM (SELECT * FROM deliveries ORDER BY id) GROUP BY 1");
        for line in lines.as_array().unwrap() {
            let ids: Vec<i64> = line[1].as_str().unwrap().split(',').map(|id| id.parse().unwrap()).collect();
            let places: Vec<_> = ids.iter().map(|id| told.iter().position(|told| told == id)).collect();
            prop_assert!(places.is_sorted(), "{ids:?} in {told:?}");
        }
    }
}
