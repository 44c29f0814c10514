use super::super::Editor;
use super::super::fixtures::{RECEIVER, Scene, at, attempted, event, hook};
use super::*;
use crate::decide::retry::Verdict;
use crate::decide::route::Subject;
use crate::decide::silence::parse_matchers;
use crate::model::HookStatus;
use crate::model::RequestStatus::{Failed, InProgress, Pending};

fn numbers(told: &[Told]) -> Vec<i64> {
    told.iter().map(|told| told.delivery.id).collect()
}

#[test]
fn changes_are_read_a_page_at_a_time_in_the_order_of_time() {
    let scene = Scene::new();
    // Two targets may be written in another order than they were seen.
    scene.record(&[scene.seen(5, event("late", Pending))]);
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(1, event("b", Pending))]);
    scene.record(&[scene.seen(9, event("a", Failed))]);
    let reader = Reader::open(&scene.path()).unwrap();

    let read = |time: Range<Timestamp>| {
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let page = reader.announcements(&time, after, 1).unwrap();
            let Some((id, last)) = page.last() else { return all };
            after = Some((last.at, *id));
            all.extend(page.iter().map(|(id, _)| *id));
        }
    };
    assert_eq!(read(at(0)..at(100)), [2, 3, 1, 4]);
    assert_eq!(read(at(1)..at(9)), [2, 3, 1]);
    assert_eq!(read(at(2)..at(9)), [1]);
    assert_eq!(reader.announcements(&(at(0)..at(100)), None, 10).unwrap().len(), 4);

    let (id, failed) = reader.announcements(&(at(9)..at(10)), None, 10).unwrap().remove(0);
    assert_eq!(reader.announcement(id).unwrap(), Some(failed));
    assert_eq!(reader.announcement(99).unwrap(), None);
}

#[test]
fn a_stored_change_says_to_routes_what_it_said_when_it_was_seen() {
    let scene = Scene::new();
    scene.record(&[scene.got(
        1,
        event("a", InProgress),
        vec![hook("Acme::Guard::X", HookStatus::CompleteFailed)],
    )]);
    let reader = Reader::open(&scene.path()).unwrap();
    let all = reader.announcements(&(at(0)..at(9)), None, 9).unwrap();
    let (_, about_hook) = all.iter().find(|(_, one)| one.hook.is_some()).unwrap();
    let subject = Subject::from(about_hook);
    assert_eq!(
        (subject.kind, subject.status, subject.from),
        ("hook.status", Some("HOOK_COMPLETE_FAILED"), None)
    );
    assert_eq!(
        (subject.type_name, subject.target, subject.account_id, subject.region),
        (
            Some("AWS::Logs::LogGroup"),
            "prod/eu-west-1",
            Some("111122223333"),
            "eu-west-1"
        )
    );
    assert_eq!(subject.hook_type_name, Some("Acme::Guard::X"));
}

#[test]
fn deliveries_are_found_by_receiver_state_and_time_with_what_they_tell() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending))]);
    scene.record(&[scene.seen(5, event("b", Failed))]);
    let dead = Verdict::Dead {
        error: "410 Gone".into(),
    };
    let attempts = [attempted(DeliveryId(1), dead)];
    scene.history.write(|tx| tx.record_attempts(&attempts, at(6))).unwrap();
    let reader = Reader::open(&scene.path()).unwrap();
    let find = |filter: DeliveryFilter| reader.told(&filter).unwrap();

    let all = find(DeliveryFilter::default());
    assert_eq!(numbers(&all), [2, 1]);
    assert_eq!(all[0].change.as_ref().unwrap().request_token, "b");
    assert_eq!(all[1].delivery.last_error.as_deref(), Some("410 Gone"));
    for (filter, expected) in [
        (
            DeliveryFilter {
                state: Some(DeliveryState::Dead),
                ..DeliveryFilter::default()
            },
            &[1][..],
        ),
        (
            DeliveryFilter {
                state: Some(DeliveryState::Pending),
                receiver: Some(RECEIVER.into()),
                ..DeliveryFilter::default()
            },
            &[2],
        ),
        (
            DeliveryFilter {
                receiver: Some("nobody".into()),
                ..DeliveryFilter::default()
            },
            &[],
        ),
        (
            DeliveryFilter {
                since: Some(at(5)),
                ..DeliveryFilter::default()
            },
            &[2],
        ),
        (
            DeliveryFilter {
                limit: Some(1),
                ..DeliveryFilter::default()
            },
            &[2],
        ),
    ] {
        assert_eq!(numbers(&find(filter.clone())), expected, "{filter:?}");
    }

    let attempts = reader.attempts(DeliveryId(1)).unwrap().unwrap();
    assert_eq!((attempts.len(), attempts[0].outcome.as_str()), (1, "dead"));
    assert_eq!(reader.attempts(DeliveryId(2)).unwrap().unwrap(), []);
    assert_eq!(reader.attempts(DeliveryId(9)).unwrap(), None);
}

#[test]
fn a_notice_is_told_with_its_delivery() {
    let scene = Scene::new();
    scene.execute(
        "INSERT INTO notices (at, receiver, since, failing, waiting) VALUES (1, 'chat', 0, 1, 3);
         INSERT INTO deliveries (notice_id, receiver, group_key, state, attempts, since, not_before, resolves, replayed)
         VALUES (1, 'team', '', 'pending', 0, 1, 1, 0, 0);",
    );
    let told = Reader::open(&scene.path())
        .unwrap()
        .told(&DeliveryFilter::default())
        .unwrap();
    assert_eq!(told[0].notice.as_ref().unwrap().receiver, "chat");
    assert_eq!(told[0].change, None);
}

#[test]
fn a_silence_is_listed_until_it_ends_and_among_all_for_ever() {
    let scene = Scene::new();
    let matchers = parse_matchers(&["status=FAILED"]).unwrap();
    let mut editor = Editor::open(&scene.path()).unwrap();
    let mut add = |from, to| {
        let times = (at(from), at(to));
        editor.add_silence(&matchers, times, ("ada", "deploy"), at(0)).unwrap()
    };
    let (long, short) = (add(0, 100), add(0, 10));
    let reader = Reader::open(&scene.path()).unwrap();
    let ids = |rows: Vec<SilenceRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(reader.silences(at(1)).unwrap()), [short, long]);
    assert_eq!(ids(reader.silences(at(10)).unwrap()), [long]);
    assert_eq!(ids(reader.all_silences().unwrap()), [short, long]);
}
