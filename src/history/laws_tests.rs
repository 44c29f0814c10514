//! Laws 1 to 4 and 6 as properties, held on a real file.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::fixtures::{RECEIVER, Scene, all_to, at, attempted, guarded, hook, known};
use crate::decide::diff::{self, Baseline};
use crate::decide::retry::Verdict;
use crate::model::{
    FailureMode, HookProgressEvent, HookStatus, ProgressEvent, RequestState, RequestStatus, Seen, Sighting, Source,
    Timestamp,
};

/// How a request really went: what the service would have shown at each step.
#[derive(Debug, Clone)]
struct Life {
    steps: Vec<(ProgressEvent, Vec<HookProgressEvent>)>,
}

/// One look at a life: at which step, by which call.
#[derive(Debug, Clone)]
struct Look {
    step: Index,
    source: Source,
}

fn life() -> impl Strategy<Value = Life> {
    use RequestStatus::{CancelComplete, CancelInProgress, Failed, InProgress, Pending, Success};
    let way = select(vec![
        vec![Pending, InProgress, Success],
        vec![InProgress, Failed],
        vec![Pending, CancelInProgress, CancelComplete],
        vec![Pending, InProgress, CancelInProgress, Failed],
        vec![Success],
    ]);
    let hooks = prop::collection::vec(
        (
            select(vec!["A::Encrypt::Check", "A::Owner::Check"]),
            select(vec![
                HookStatus::CompleteSucceeded,
                HookStatus::CompleteFailed,
                HookStatus::Failed,
            ]),
            any::<Index>(),
        ),
        0..4,
    );
    (way, hooks, any::<bool>()).prop_map(|(way, hooks, time_moves)| {
        let steps = way.iter().enumerate().map(|(step, status)| {
            let event = ProgressEvent {
                event_time: Some(at(if time_moves { i64::try_from(step).unwrap() } else { 0 })),
                status_message: (step > 0).then(|| format!("step {step}")),
                identifier: (step > 0).then(|| "the-bucket".into()),
                error_code: (*status == Failed).then(|| "NotStabilized".into()),
                ..guarded("", status.clone())
            };
            let hooks = hooks.iter().map(|(type_name, end, ends_in)| HookProgressEvent {
                failure_mode: Some(FailureMode::Fail),
                ..hook(
                    type_name,
                    match step.cmp(&ends_in.index(way.len())) {
                        Ordering::Less if step == 0 => HookStatus::Pending,
                        Ordering::Less => HookStatus::InProgress,
                        Ordering::Equal | Ordering::Greater => end.clone(),
                    },
                )
            });
            (event, hooks.collect())
        });
        Life { steps: steps.collect() }
    })
}

fn looks() -> impl Strategy<Value = Vec<Look>> {
    let look = (any::<Index>(), select(vec![Source::List, Source::Get, Source::Call]));
    prop::collection::vec(look.prop_map(|(step, source)| Look { step, source }), 1..12)
}

fn sighting(scene: &Scene, token: &str, life: &Life, step: usize, source: Source, second: i64) -> Sighting {
    let (mut event, hooks) = life.steps[step].clone();
    event.request_token = crate::model::RequestToken::new(token);
    event.hooks_request_token = Some("hooks".into());
    match source {
        Source::List => scene.seen(second, event),
        Source::Call => Sighting {
            source,
            ..scene.seen(second, event)
        },
        Source::Get => scene.got(second, event, hooks),
    }
}

/// The looks, all at one time, as pages of one answer would be, and last of all the end.
fn sightings(scene: &Scene, token: &str, life: &Life, looks: &[Look]) -> Vec<Sighting> {
    let end = life.steps.len() - 1;
    let looks = looks
        .iter()
        .map(|look| (look.step.index(life.steps.len()), look.source));
    looks
        .chain([(end, Source::Get)])
        .map(|(step, source)| sighting(scene, token, life, step, source, 100))
        .collect()
}

/// What is to be the same whatever the order in which it was seen. `finished_at` is not: where EventTime stands still,
/// it is when ccwatch first saw the end, and which look that was is a matter of order.
fn final_state(scene: &Scene, token: &str) -> serde_json::Value {
    let request = scene.rows(&format!(
        "SELECT hooks_request_token, type_name, identifier, operation, status, error_code, status_message, started_at,
             open, hooks_total, hooks_failed
         FROM v_requests WHERE request_token = '{token}'"
    ));
    let hooks = scene.rows(&format!(
        "SELECT hook_type_name, invocation_point, failure_mode, status, status_message FROM v_hooks
         WHERE request_token = '{token}' ORDER BY 1, 4"
    ));
    serde_json::json!([request, hooks])
}

/// A new token for each case, so that all cases share one file.
fn tokens() -> impl Fn() -> String {
    let number = Cell::new(0);
    move || {
        number.set(number.get() + 1);
        format!("token-{}", number.get())
    }
}

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig {
        cases: number,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Law 1: duplicates change nothing, and neither does the order of pages or the mixture of lists and Gets.
#[test]
fn the_same_again_changes_nothing_and_order_does_not_matter() {
    let scene = Scene::new();
    let token = tokens();
    let case = (life(), looks()).prop_flat_map(|(life, looks)| {
        let shuffled = Just(looks.clone()).prop_shuffle();
        (Just(life), Just(looks), shuffled, 1..5usize, any::<Index>())
    });
    proptest!(cases(96), |((life, looks, shuffled, chunk, end) in case)| {
        let (one, two) = (token(), token());
        let batch = sightings(&scene, &one, &life, &looks);
        scene.record(&batch);

        let changes = scene.total_changes();
        let again = scene.record(&batch);
        scene.record(&batch.iter().rev().cloned().collect::<Vec<_>>());
        prop_assert_eq!(scene.total_changes(), changes);
        prop_assert_eq!((again.changes, again.deliveries), (0, 0));

        let mut other = sightings(&scene, &two, &life, &shuffled);
        let last = other.pop().unwrap();
        other.insert(end.index(other.len() + 1), last);
        for part in other.chunks(chunk) {
            scene.record(part);
        }
        prop_assert_eq!(final_state(&scene, &one), final_state(&scene, &two));
        let (truth, hooks) = life.steps.last().unwrap();
        let state = known(&scene, &batch[0].key).unwrap();
        prop_assert_eq!(state.status, truth.status.clone());
        prop_assert_eq!(state.hooks.len(), hooks.len());
    });
}

/// Law 2: a final status is never left, whatever comes: other words, no words, other final words, a token that is gone.
#[test]
fn a_final_status_is_never_left() {
    let scene = Scene::new();
    let token = tokens();
    let status = prop::option::of(select(vec![
        RequestStatus::Pending,
        RequestStatus::InProgress,
        RequestStatus::CancelInProgress,
        RequestStatus::Success,
        RequestStatus::Failed,
        RequestStatus::CancelComplete,
        RequestStatus::from("WORD_OF_TOMORROW"),
    ]));
    let seen = prop_oneof![4 => status.prop_map(Some), 1 => Just(None)];
    proptest!(cases(96), |(all in prop::collection::vec((seen, 0..1000i64), 1..15))| {
        let token = token();
        let key = scene.key(&token);
        let mut ended: Option<RequestStatus> = None;
        for (seen, second) in all {
            let sighting = match seen {
                Some(status) => scene.seen(second, ProgressEvent {
                    event_time: Some(at(second % 7)),
                    ..ProgressEvent { status, ..guarded(&token, RequestStatus::Pending) }
                }),
                None => scene.gone(second, &token),
            };
            scene.record(&[sighting]);
            let now = known(&scene, &key).and_then(|state| state.status);
            if ended.is_some() {
                prop_assert_eq!(&now, &ended);
            } else if now.as_ref().is_some_and(RequestStatus::is_final) {
                ended = now;
            }
        }
        // And it was told once.
        let told = scene.count(&format!(
            "SELECT count(*) FROM v_changes WHERE request_token = '{token}' AND kind = 'request.status'
             AND to_status IN ('SUCCESS', 'FAILED', 'CANCEL_COMPLETE')"
        ));
        prop_assert_eq!(told, i64::from(ended.is_some()));
    });
}

/// Laws 3 and 4: every change has its delivery, and over batches, retries and refusals each line is told in order, each
/// delivery once.
#[test]
fn what_is_remembered_is_told_in_order_each_once() {
    #[derive(Debug, Clone)]
    enum Step {
        Record(usize, Vec<Look>),
        /// Attempt what is due: a digit for each, which stands for its verdict.
        Attempt(Vec<u8>),
    }
    let step = prop_oneof![
        (0..3usize, looks()).prop_map(|(request, looks)| Step::Record(request, looks)),
        prop::collection::vec(0..4u8, 1..6).prop_map(Step::Attempt),
    ];
    let case = (prop::collection::vec(life(), 3), prop::collection::vec(step, 1..12));
    proptest!(cases(32), |((lives, steps) in case)| {
        let scene = Scene::new();
        let mut now = 100;
        let mut done: Vec<(String, i64)> = Vec::new();
        let mut attempts: BTreeMap<i64, u32> = BTreeMap::new();
        let attempt = |verdicts: &[u8], now: i64, done: &mut Vec<(String, i64)>, attempts: &mut BTreeMap<i64, u32>| {
            for (delivery, digit) in scene.due(now).into_iter().zip(verdicts.iter().cycle()) {
                assert_eq!(delivery.attempts, attempts.get(&delivery.ids[0].0).copied().unwrap_or(0));
                *attempts.entry(delivery.ids[0].0).or_default() += 1;
                let error = "no".to_owned();
                let verdict = match digit {
                    0 => Verdict::RetryAt { at: at(now + 5), error },
                    1 => Verdict::Dead { error },
                    _ => Verdict::Sent,
                };
                if !matches!(verdict, Verdict::RetryAt { .. }) {
                    done.push((delivery.news.change().unwrap().request.request_token.clone(), delivery.ids[0].0));
                }
                scene.history.write(|tx| tx.record_attempts(&[attempted(delivery.ids[0], verdict)], at(now))).unwrap();
            }
        };
        for step in &steps {
            now += 1;
            match step {
                Step::Record(request, looks) => {
                    let (life, token) = (&lives[*request], format!("token-{request}"));
                    let batch = looks.iter().map(|look| {
                        let step = look.step.index(life.steps.len());
                        sighting(&scene, &token, life, step, look.source, now)
                    });
                    scene.record(&batch.collect::<Vec<_>>());
                }
                Step::Attempt(verdicts) => attempt(verdicts, now, &mut done, &mut attempts),
            }
            // The head of each line, and nothing else, has a time.
            let heads = "SELECT min(id) FROM deliveries WHERE state = 'pending' GROUP BY receiver, request_id ORDER BY 1";
            let timed = "SELECT id FROM deliveries WHERE next_attempt_at IS NOT NULL ORDER BY 1";
            prop_assert_eq!(scene.rows(heads), scene.rows(timed));
            prop_assert_eq!(
                scene.rows("SELECT id FROM changes ORDER BY 1"),
                scene.rows("SELECT change_id FROM deliveries ORDER BY 1")
            );
        }
        while !scene.due(now + 100).is_empty() {
            now += 100;
            attempt(&[2], now, &mut done, &mut attempts);
        }
        prop_assert_eq!(scene.count("SELECT count(*) FROM deliveries WHERE state = 'pending'"), 0);
        prop_assert_eq!(done.len(), usize::try_from(scene.count("SELECT count(*) FROM deliveries")).unwrap());
        let mut last: BTreeMap<String, i64> = BTreeMap::new();
        for (token, id) in done {
            prop_assert!(last.insert(token, id).is_none_or(|before| before < id));
        }
    });
}

/// The file holds what `decide::diff` says, in every field, at every step.
#[test]
fn what_is_remembered_is_what_was_decided() {
    let scene = Scene::new();
    let token = tokens();
    let look = (
        any::<Index>(),
        select(vec![Some(Source::List), Some(Source::Get), None]),
        0..9000i64,
    );
    let case = (life(), prop::collection::vec(look, 1..12));
    proptest!(cases(48), |((life, looks) in case)| {
        let token = token();
        let key = scene.key(&token);
        let mut state: Option<RequestState> = None;
        for (step, source, second) in looks {
            let mut sighting = match source {
                Some(source) => sighting(&scene, &token, &life, step.index(life.steps.len()), source, second),
                None => scene.gone(second, &token),
            };
            if let Seen::Event(event, _) = &mut sighting.seen {
                event.retry_after = (second % 2 == 0).then(|| at(second + 5));
                event.resource_model = (second % 3 == 0).then(|| format!("{{\"step\":{second}}}"));
            }
            if let Some(difference) = diff::diff(state.as_ref(), &sighting, Baseline::Complete(Timestamp::from_millis(i64::MIN))) {
                state = Some(difference.state);
            }
            let recorded = scene.record(&[sighting]);
            prop_assert_eq!(&known(&scene, &key), &state);
            let standing = state.as_ref().map(|state| state.standing(key.clone()));
            prop_assert_eq!(recorded.standings, standing.into_iter().collect::<Vec<_>>());
        }
    });
}

/// Law 6: of what was finished when the baseline began, everything is remembered and nothing told, hooks that are read
/// later included. All else is told.
#[test]
fn a_baseline_is_remembered_and_not_told() {
    let case = prop::collection::vec((life(), looks(), -50..50i64), 1..6);
    proptest!(cases(24), |(requests in case)| {
        let scene = Scene::before_baseline();
        let began = scene.history.write(|tx| tx.begin_baseline(scene.target, at(0))).unwrap();
        prop_assert_eq!(began, Baseline::Since(at(0)));
        for (number, (life, looks, ended)) in requests.iter().enumerate() {
            let token = format!("token-{number}");
            let end = life.steps.len() - 1;
            // The sweep shows the end alone; hooks are read, and the end is seen again, when it is over.
            let mut sweep = sighting(&scene, &token, life, end, Source::List, 60);
            if let Seen::Event(event, _) = &mut sweep.seen {
                event.event_time = Some(at(*ended));
            }
            scene.record(&[sweep]);
            scene.history.write(|tx| tx.complete_baseline(scene.target, at(61))).unwrap();
            scene.record(&sightings(&scene, &token, life, looks));
            scene.execute("UPDATE targets SET baseline_completed_at = NULL");

            let told = scene.count(&format!("SELECT count(*) FROM v_changes WHERE request_token = '{token}'"));
            prop_assert_eq!(told == 0, *ended < 0, "{} changes", told);
            let state = known(&scene, &scene.key(&token)).unwrap();
            prop_assert_eq!(state.hooks.len(), life.steps[end].1.len());
        }
    });
}

/// Law 1, for what a retry of the caller would do: a batch whose commit was not heard of is recorded again.
#[test]
fn a_batch_that_is_recorded_twice_is_told_once() {
    let scene = Scene::new();
    let batch = [
        scene.seen(1, guarded("a", RequestStatus::Pending)),
        scene.seen(2, guarded("a", RequestStatus::Failed)),
    ];
    for expected in [2, 0] {
        let recorded = scene.history.write(|tx| tx.record(&batch, &all_to(RECEIVER))).unwrap();
        assert_eq!((recorded.changes, recorded.deliveries), (expected, expected));
    }
}
