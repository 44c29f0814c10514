use proptest::prelude::*;

use super::*;
use crate::model::{ErrorCode, FailureMode, HookStatus, Operation, RequestKey, RequestToken, TargetId};

/// Completed so long ago that all is news.
const COMPLETE: Baseline = Baseline::Complete(Timestamp::from_millis(i64::MIN));

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + second * 1000)
}

fn event(status: &str) -> ProgressEvent {
    let mut event = ProgressEvent::of(RequestToken::new("token"));
    event.type_name = Some("AWS::S3::Bucket".into());
    event.operation = Some(Operation::Create);
    event.status = Some(status.into());
    event
}

fn guarded(status: &str) -> ProgressEvent {
    ProgressEvent {
        hooks_request_token: Some("hooks".into()),
        ..event(status)
    }
}

fn hook(status: &str) -> HookProgressEvent {
    HookProgressEvent {
        hook_type_name: Some("Acme::Guard::Encryption".into()),
        invocation_point: Some("PRE_PROVISION".into()),
        failure_mode: Some(FailureMode::Warn),
        status: Some(status.into()),
        ..HookProgressEvent::default()
    }
}

fn sighting(second: i64, source: Source, seen: Seen) -> Sighting {
    let key = RequestKey {
        target: TargetId(1),
        token: RequestToken::new("token"),
    };
    Sighting {
        key,
        seen_at: at(second),
        source,
        seen,
    }
}

fn listed(second: i64, event: ProgressEvent) -> Sighting {
    sighting(second, Source::List, Seen::Event(Box::new(event), None))
}

fn got(second: i64, event: ProgressEvent, hooks: Vec<HookProgressEvent>) -> Sighting {
    sighting(second, Source::Get, Seen::Event(Box::new(event), Some(hooks)))
}

fn gone(second: i64) -> Sighting {
    sighting(second, Source::Get, Seen::Gone)
}

/// Applies sightings one after another; returns the state and everything that was news.
fn play(sightings: &[Sighting], baseline: Baseline) -> (Option<RequestState>, Vec<Change>) {
    let mut state = None;
    let mut changes = Vec::new();
    for sighting in sightings {
        if let Some(difference) = diff(state.as_ref(), sighting, baseline) {
            changes.extend(difference.changes);
            state = Some(difference.state);
        }
    }
    (state, changes)
}

fn news(sightings: &[Sighting]) -> Vec<String> {
    let (_, changes) = play(sightings, COMPLETE);
    changes
        .iter()
        .map(|c| {
            format!(
                "{} {}→{}",
                c.kind,
                c.from.as_deref().unwrap_or("-"),
                c.to.as_deref().unwrap_or("-")
            )
        })
        .collect()
}

#[test]
fn a_life_is_told_step_by_step() {
    let told = news(&[
        listed(0, event("PENDING")),
        listed(1, event("IN_PROGRESS")),
        got(
            2,
            ProgressEvent {
                status_message: Some("half way".into()),
                ..event("IN_PROGRESS")
            },
            vec![],
        ),
        listed(3, event("SUCCESS")),
    ]);
    assert_eq!(
        told,
        [
            "request.status -→PENDING",
            "request.status PENDING→IN_PROGRESS",
            "request.detail IN_PROGRESS→IN_PROGRESS",
            "request.status IN_PROGRESS→SUCCESS",
        ]
    );
}

#[test]
fn an_open_request_is_seen_again_without_news() {
    let first = listed(0, event("IN_PROGRESS"));
    let (state, _) = play(&[first], COMPLETE);
    let again = diff(state.as_ref(), &listed(5, event("IN_PROGRESS")), COMPLETE).unwrap();
    assert_eq!((again.is_progress, again.changes.len()), (false, 0));
    assert_eq!(again.state.last_seen_at, at(5));
}

#[test]
fn a_finished_request_seen_again_within_the_hour_writes_nothing() {
    let (state, _) = play(&[listed(0, event("FAILED"))], COMPLETE);
    assert_eq!(diff(state.as_ref(), &listed(300, event("FAILED")), COMPLETE), None);
    assert!(diff(state.as_ref(), &listed(3601, event("FAILED")), COMPLETE).is_some());
}

/// Trap 16, law 2.
#[test]
fn a_final_status_is_never_left_and_an_open_one_never_goes_back() {
    let told = news(&[
        listed(0, event("IN_PROGRESS")),
        listed(1, event("PENDING")),
        got(2, event("SUCCESS"), vec![]),
        listed(3, event("IN_PROGRESS")),
        listed(4, event("FAILED")),
        listed(5, event("CANCEL_COMPLETE")),
    ]);
    assert_eq!(
        told,
        ["request.status -→IN_PROGRESS", "request.status IN_PROGRESS→SUCCESS"]
    );
}

/// Trap 12.
#[test]
fn cancel_in_progress_is_open_and_cancel_complete_is_final() {
    let (state, _) = play(&[listed(0, event("CANCEL_IN_PROGRESS"))], COMPLETE);
    assert_eq!(state.unwrap().phase, Phase::Open);
    let (state, _) = play(&[listed(0, event("CANCEL_COMPLETE"))], COMPLETE);
    assert_eq!(state.unwrap().phase, Phase::Finished);
}

/// Trap 13.
#[test]
fn an_unknown_status_is_news_kept_as_it_came_and_open() {
    let sightings = [
        listed(0, event("IN_PROGRESS")),
        listed(1, event("HIBERNATING")),
        listed(2, event("SUCCESS")),
    ];
    assert_eq!(news(&sightings).len(), 3);
    let (state, _) = play(&sightings[..2], COMPLETE);
    let state = state.unwrap();
    assert_eq!(
        (state.status.unwrap().as_str(), state.phase),
        ("HIBERNATING", Phase::Open)
    );
}

#[test]
fn what_is_absent_erases_nothing() {
    let full = ProgressEvent {
        identifier: Some("bucket".into()),
        error_code: Some(ErrorCode::NotStabilized),
        status_message: Some("why".into()),
        ..event("FAILED")
    };
    let mut bare = event("FAILED");
    bare.operation = None;
    bare.type_name = None;
    let (state, changes) = play(&[got(0, full, vec![]), listed(1, bare)], COMPLETE);
    let state = state.unwrap();
    assert_eq!(state.identifier.as_deref(), Some("bucket"));
    assert_eq!(state.error_code, Some(ErrorCode::NotStabilized));
    assert_eq!(changes.len(), 1);
}

#[test]
fn a_new_status_does_not_inherit_the_message_of_the_one_before() {
    let progress = ProgressEvent {
        status_message: Some("creating".into()),
        ..event("IN_PROGRESS")
    };
    let (state, _) = play(&[listed(0, progress), listed(1, event("SUCCESS"))], COMPLETE);
    assert_eq!(state.unwrap().status_message, None);
}

#[test]
fn the_earliest_event_time_is_the_start_and_the_last_one_the_end() {
    let moment = |status: &str, second| ProgressEvent {
        event_time: Some(at(second)),
        ..event(status)
    };
    let (state, _) = play(
        &[listed(12, moment("IN_PROGRESS", 10)), listed(30, moment("SUCCESS", 25))],
        COMPLETE,
    );
    let state = state.unwrap();
    assert_eq!((state.started_at, state.finished_at), (Some(at(10)), Some(at(25))));
    // As documented, EventTime may stand still: then the end is when it was seen.
    let (state, _) = play(
        &[listed(12, moment("IN_PROGRESS", 10)), listed(30, moment("SUCCESS", 10))],
        COMPLETE,
    );
    assert_eq!(state.unwrap().finished_at, Some(at(30)));
}

/// Law 5 begins here: an overtaken page must not bring an earlier RetryAfter back.
#[test]
fn the_later_retry_after_stands_until_the_end() {
    let hinted = |status: &str, second| ProgressEvent {
        retry_after: Some(at(second)),
        ..event(status)
    };
    let sightings = [
        got(0, hinted("IN_PROGRESS", 20), vec![]),
        listed(1, hinted("IN_PROGRESS", 10)),
        listed(2, event("IN_PROGRESS")),
    ];
    let (state, _) = play(&sightings, COMPLETE);
    assert_eq!(state.unwrap().retry_after, Some(at(20)));
    let (state, _) = play(&[sightings[0].clone(), listed(3, hinted("SUCCESS", 40))], COMPLETE);
    assert_eq!(state.unwrap().retry_after, None);
}

/// Trap 4.
#[test]
fn a_guarded_request_is_owed_a_get_after_its_final_status() {
    let (state, _) = play(&[listed(0, guarded("SUCCESS"))], COMPLETE);
    assert_eq!(state.as_ref().unwrap().final_looks_left, FINAL_LOOKS);
    // A list does not pay for it.
    let (state, _) = play(
        &[listed(0, guarded("SUCCESS")), listed(4000, guarded("SUCCESS"))],
        COMPLETE,
    );
    assert_eq!(state.as_ref().unwrap().final_looks_left, FINAL_LOOKS);
    // A Get does, and brings the hook that no one saw run.
    let sightings = [
        listed(0, guarded("SUCCESS")),
        got(1, guarded("SUCCESS"), vec![hook("HOOK_COMPLETE_FAILED")]),
    ];
    let (state, changes) = play(&sightings, COMPLETE);
    assert_eq!(state.unwrap().final_looks_left, 0);
    assert_eq!(changes.last().unwrap().kind, ChangeKind::HookStatus);
}

#[test]
fn a_get_that_shows_no_hooks_is_followed_by_one_more() {
    let bare = |second| got(second, guarded("SUCCESS"), vec![]);
    let left = |sightings: &[Sighting]| play(sightings, COMPLETE).0.unwrap().final_looks_left;
    assert_eq!(left(&[bare(0)]), 1);
    assert_eq!(left(&[bare(0), bare(1)]), 0);
}

/// A Get is how it is: a RetryAfter that was a mistake is taken back by it.
#[test]
fn a_get_replaces_retry_after_and_a_list_only_raises_it() {
    let hinted = |second| ProgressEvent {
        retry_after: Some(at(second)),
        ..event("IN_PROGRESS")
    };
    let far = got(0, hinted(1_000_000), vec![]);
    let (state, _) = play(&[far.clone(), listed(1, hinted(20))], COMPLETE);
    assert_eq!(state.unwrap().retry_after, Some(at(1_000_000)));
    let (state, _) = play(&[far, got(1, hinted(20), vec![])], COMPLETE);
    assert_eq!(state.unwrap().retry_after, Some(at(20)));
    // One that was given up for lost and shows itself again brings its own.
    let back = [
        listed(0, event("IN_PROGRESS")),
        gone(1),
        gone(2),
        gone(3),
        listed(4, hinted(60)),
    ];
    assert_eq!(play(&back, COMPLETE).0.unwrap().retry_after, Some(at(60)));
}

#[test]
fn hooks_that_never_end_are_followed_for_a_few_looks_only() {
    let mut sightings = vec![listed(0, guarded("FAILED"))];
    for second in 1..=i64::from(FINAL_LOOKS) {
        sightings.push(got(second, guarded("FAILED"), vec![hook("HOOK_IN_PROGRESS")]));
    }
    let (state, _) = play(&sightings, COMPLETE);
    assert_eq!(state.unwrap().final_looks_left, 0);
}

/// Trap 14.
#[test]
fn two_invocations_of_one_hook_stay_two_in_any_order() {
    let timed = |status: &str, second| HookProgressEvent {
        event_time: Some(at(second)),
        ..hook(status)
    };
    let (a, b) = (timed("HOOK_COMPLETE_SUCCEEDED", 1), timed("HOOK_IN_PROGRESS", 2));
    let first = got(3, guarded("PENDING"), vec![a.clone(), b.clone()]);
    let (state, _) = play(std::slice::from_ref(&first), COMPLETE);
    assert_eq!(state.as_ref().unwrap().hooks.len(), 2);
    let other_order = got(4, guarded("PENDING"), vec![b, a.clone()]);
    let again = diff(state.as_ref(), &other_order, COMPLETE).unwrap();
    assert_eq!((again.hooks.len(), again.changes.len()), (0, 0));
    // The one that ran is the one that ends.
    let ended = got(5, guarded("IN_PROGRESS"), vec![timed("HOOK_COMPLETE_FAILED", 5), a]);
    let (state, changes) = play(&[first, ended], COMPLETE);
    let words: Vec<_> = state
        .unwrap()
        .hooks
        .iter()
        .map(|hook| hook.status.clone().unwrap())
        .collect();
    assert_eq!(words, [HookStatus::CompleteSucceeded, HookStatus::CompleteFailed]);
    let hook_news: Vec<_> = changes.iter().filter(|change| change.hook.is_some()).collect();
    assert_eq!(hook_news.len(), 3);
    assert_eq!(hook_news[2].from.as_deref(), Some("HOOK_IN_PROGRESS"));
}

#[test]
fn a_hook_is_told_before_the_request_that_it_fails() {
    let told = news(&[got(0, guarded("FAILED"), vec![hook("HOOK_COMPLETE_FAILED")])]);
    assert_eq!(told, ["hook.status -→HOOK_COMPLETE_FAILED", "request.status -→FAILED"]);
}

/// Trap 8.
#[test]
fn an_expired_token_is_lost_not_failed_and_keeps_its_last_state() {
    let week = 7 * 24 * 3600;
    let (state, changes) = play(&[listed(0, event("IN_PROGRESS")), gone(week)], COMPLETE);
    let state = state.unwrap();
    assert_eq!(
        (state.phase, state.status),
        (Phase::Lost, Some(RequestStatus::InProgress))
    );
    let lost = changes.last().unwrap();
    assert_eq!(
        (lost.kind.as_str(), lost.from.as_deref(), lost.to.as_deref()),
        ("request.lost", Some("IN_PROGRESS"), None)
    );
}

#[test]
fn a_young_token_is_believed_to_be_gone_only_after_several_looks() {
    let sightings = [listed(0, event("IN_PROGRESS")), gone(1), gone(2), gone(3)];
    assert_eq!(play(&sightings[..3], COMPLETE).0.unwrap().phase, Phase::Open);
    assert_eq!(play(&sightings, COMPLETE).0.unwrap().phase, Phase::Lost);
    // One that shows itself in between was never gone, and one that was given up may come back.
    let (state, _) = play(
        &[&sightings[..3], &[listed(3, event("IN_PROGRESS")), gone(4)]].concat(),
        COMPLETE,
    );
    assert_eq!(state.unwrap().phase, Phase::Open);
    let (state, changes) = play(&[&sightings[..], &[listed(9, event("SUCCESS"))]].concat(), COMPLETE);
    assert_eq!(state.unwrap().phase, Phase::Finished);
    assert_eq!(changes.last().unwrap().to.as_deref(), Some("SUCCESS"));
}

/// Law 1.
#[test]
fn the_same_look_that_finds_a_token_gone_is_counted_once() {
    let seen = [listed(0, event("IN_PROGRESS")), gone(2)];
    let (state, _) = play(&seen, COMPLETE);
    assert_eq!(diff(state.as_ref(), &gone(2), COMPLETE), None);
    assert_eq!(diff(state.as_ref(), &gone(1), COMPLETE), None);
    assert_eq!(
        play(&[&seen[..], &[gone(2), gone(2), gone(1)]].concat(), COMPLETE),
        play(&seen, COMPLETE)
    );
    // Looks are counted anew once it has shown itself.
    let again = [&seen[..], &[listed(3, event("IN_PROGRESS")), gone(4)]].concat();
    let state = play(&again, COMPLETE).0.unwrap();
    assert_eq!((state.gone_looks, state.gone_at), (1, Some(at(4))));
}

#[test]
fn what_was_never_known_can_not_be_gone() {
    assert_eq!(diff(None, &gone(0), COMPLETE), None);
}

/// Law 6, though a page of the first sweep had shifted and hidden it.
#[test]
fn what_the_baseline_missed_is_old_news_all_the_same() {
    let moment = |second| ProgressEvent {
        event_time: Some(at(second)),
        ..event("FAILED")
    };
    let told = |second| {
        play(&[listed(200, moment(second))], Baseline::Complete(at(100)))
            .1
            .len()
    };
    assert_eq!((told(50), told(150)), (0, 1));
}

/// Law 6.
#[test]
fn what_was_finished_before_the_baseline_is_remembered_and_not_told() {
    let baseline = Baseline::Since(at(100));
    let moment = |status: &str, second| ProgressEvent {
        event_time: Some(at(second)),
        ..guarded(status)
    };
    let (state, changes) = play(
        &[
            listed(101, moment("FAILED", 50)),
            got(102, moment("FAILED", 50), vec![hook("HOOK_COMPLETE_FAILED")]),
        ],
        baseline,
    );
    assert_eq!((changes, state.unwrap().hooks.len()), (vec![], 1));
    assert_eq!(play(&[listed(101, event("SUCCESS"))], baseline).1, []);
    // What is open then, or ends while the baseline is read, is news.
    assert_eq!(play(&[listed(101, moment("IN_PROGRESS", 50))], baseline).1.len(), 1);
    assert_eq!(play(&[listed(109, moment("FAILED", 105))], baseline).1.len(), 1);
    assert_eq!(
        play(
            &[listed(101, moment("PENDING", 50)), listed(102, moment("FAILED", 50))],
            baseline
        )
        .1
        .len(),
        2
    );
}

#[test]
fn retry_after_alone_is_neither_progress_nor_news() {
    let hinted = |second| ProgressEvent {
        retry_after: Some(at(second)),
        ..event("IN_PROGRESS")
    };
    let (state, _) = play(&[listed(0, hinted(5))], COMPLETE);
    let next = diff(state.as_ref(), &listed(5, hinted(10)), COMPLETE).unwrap();
    assert_eq!(
        (next.is_progress, next.changes.len(), next.state.retry_after),
        (false, 0, Some(at(10)))
    );
}

/// A request's true life: what each look at it could have shown, in order, ending with a final status.
fn lives() -> impl Strategy<Value = Vec<(ProgressEvent, Vec<HookProgressEvent>)>> {
    let ends = prop::sample::select(vec!["SUCCESS", "FAILED", "CANCEL_COMPLETE"]);
    let hook_ends = prop::sample::select(vec!["HOOK_COMPLETE_SUCCEEDED", "HOOK_COMPLETE_FAILED", "HOOK_FAILED"]);
    (ends, prop::collection::vec(hook_ends, 0..3), 0..4usize).prop_map(|(end, hook_ends, steps)| {
        let hooks_at = |final_ones: usize| -> Vec<HookProgressEvent> {
            hook_ends
                .iter()
                .enumerate()
                .map(|(i, end)| HookProgressEvent {
                    hook_type_name: Some(format!("Acme::Guard::{}", i / 2)),
                    event_time: Some(at(i64::try_from(i).unwrap())),
                    ..hook(if i < final_ones { end } else { "HOOK_IN_PROGRESS" })
                })
                .collect()
        };
        let timed = |status: &str, second: usize| ProgressEvent {
            event_time: Some(at(i64::try_from(second).unwrap())),
            ..guarded(status)
        };
        let mut life = vec![(timed("PENDING", 0), hooks_at(0)), (timed("PENDING", 1), hooks_at(1))];
        for step in 0..steps {
            let event = ProgressEvent {
                status_message: Some(format!("step {step}")),
                identifier: (step > 0).then(|| "id".into()),
                ..timed("IN_PROGRESS", 2 + step)
            };
            life.push((event, hooks_at(hook_ends.len())));
        }
        let event = ProgressEvent {
            error_code: (end == "FAILED").then_some(ErrorCode::NotStabilized),
            status_message: (end == "FAILED").then(|| "did not stabilize".into()),
            identifier: Some("id".into()),
            ..timed(end, 9)
        };
        life.push((event, hooks_at(hook_ends.len())));
        life
    })
}

/// Looks at a life, as lists and Gets, in any order and as often as you like, that end with a Get of its end.
fn looks() -> impl Strategy<Value = (Vec<Sighting>, (ProgressEvent, Vec<HookProgressEvent>))> {
    lives().prop_flat_map(|life| {
        let end = life.last().cloned().unwrap();
        let count = life.len();
        let picks = prop::collection::vec((0..count, any::<bool>()), 0..16);
        (Just(life), picks, any::<prop::sample::Index>()).prop_map(move |(life, mut picks, place)| {
            // The end is seen at least once, anywhere in the order.
            picks.insert(place.index(picks.len() + 1), (life.len() - 1, true));
            let sightings = picks
                .iter()
                .enumerate()
                .map(|(i, (step, get))| {
                    let (event, hooks) = life[*step].clone();
                    let second = 100 + i64::try_from(i).unwrap();
                    if *get {
                        got(second, event, hooks)
                    } else {
                        listed(second, event)
                    }
                })
                .collect();
            (sightings, end.clone())
        })
    })
}

proptest! {
    /// Laws 1 and 2: whatever the order, the duplicates and the mixture of lists and Gets, the end is the end.
    #[test]
    fn any_order_of_looks_leads_to_the_same_end((sightings, (end, hooks)) in looks()) {
        let (state, changes) = play(&sightings, COMPLETE);
        let state = state.unwrap();
        prop_assert_eq!(&state.status, &end.status);
        prop_assert_eq!(&state.error_code, &end.error_code);
        prop_assert_eq!(&state.status_message, &end.status_message);
        prop_assert_eq!(&state.identifier, &end.identifier);
        prop_assert_eq!(state.phase, Phase::Finished);
        prop_assert_eq!(state.hooks.len(), hooks.len());
        let mut known: Vec<_> = state.hooks.iter().map(|hook| (hook.key.hook_type_name.clone(), hook.status.clone())).collect();
        let mut truth: Vec<_> = hooks.iter().map(|hook| (hook.hook_type_name.clone(), hook.status.clone())).collect();
        known.sort_by_key(|(name, status)| (name.clone(), status.as_ref().map(ToString::to_string)));
        truth.sort_by_key(|(name, status)| (name.clone(), status.as_ref().map(ToString::to_string)));
        prop_assert_eq!(known, truth);
        // The final status is told exactly once, and nothing of the request's status after it.
        let told: Vec<_> = changes.iter().filter(|change| change.kind == ChangeKind::RequestStatus).collect();
        let last = told.last().unwrap();
        prop_assert_eq!(last.to.as_deref(), end.status.as_ref().map(RequestStatus::as_str));
        prop_assert_eq!(told.iter().filter(|change| change.to == last.to).count(), 1);
    }

    /// Law 1: the same sighting twice changes nothing.
    #[test]
    fn the_same_sighting_again_is_no_difference((sightings, _) in looks()) {
        let mut state: Option<RequestState> = None;
        for sighting in &sightings {
            if let Some(difference) = diff(state.as_ref(), sighting, COMPLETE) {
                state = Some(difference.state);
            }
            prop_assert_eq!(diff(state.as_ref(), sighting, COMPLETE), None);
        }
    }

    /// A change says where it came from: the chain of statuses has no holes.
    #[test]
    fn each_status_change_starts_where_the_last_one_ended((sightings, _) in looks()) {
        let (_, changes) = play(&sightings, COMPLETE);
        let mut status: Option<String> = None;
        for change in changes.iter().filter(|change| change.kind == ChangeKind::RequestStatus) {
            prop_assert_eq!(&change.from, &status);
            status = change.to.clone();
        }
    }
}
