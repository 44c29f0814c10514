use super::*;
use crate::model::{RequestKey, TargetId};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn open(token: &str) -> Standing {
    Standing {
        key: RequestKey {
            target: TargetId(1),
            token: RequestToken::new(token),
        },
        phase: Phase::Open,
        final_looks_left: 0,
        gone_looks: 0,
        is_unlisted: false,
        hooks_pending: false,
        announced: true,
        retry_after: None,
        first_seen_at: NOW,
    }
}

fn update(agenda: &mut Agenda, standing: &Standing, source: Source, now: Timestamp) {
    let now = Now { server: now, ours: now };
    agenda.update(standing.clone(), Some(source), &Pace::default(), now, 0.0);
}

fn next(agenda: &Agenda) -> Option<Timestamp> {
    let kinds = [Need::Look, Need::Get, Need::BackFill];
    kinds.into_iter().filter_map(|need| agenda.first(need)).min()
}

#[test]
fn each_request_is_queued_by_the_look_it_needs() {
    let mut agenda = Agenda::default();
    update(&mut agenda, &open("plain"), Source::List, NOW);
    update(
        &mut agenda,
        &Standing {
            hooks_pending: true,
            ..open("guarded")
        },
        Source::List,
        NOW,
    );
    let finished = Standing {
        phase: Phase::Finished,
        final_looks_left: 5,
        ..open("finished")
    };
    update(&mut agenda, &finished, Source::List, NOW);
    update(
        &mut agenda,
        &Standing {
            announced: false,
            key: open("old").key,
            ..finished
        },
        Source::List,
        NOW,
    );
    assert_eq!(next(&agenda), Some(NOW));
    let due = |need| agenda.due(need, later(1), 10);
    assert_eq!((due(Need::Look), due(Need::Get), due(Need::BackFill)), (1, 2, 1));
    assert_eq!(agenda.first_due(Need::Get, NOW).unwrap().as_str(), "finished");
    assert_eq!(agenda.open(), 2);
}

#[test]
fn what_has_ended_leaves_nothing_behind() {
    let mut agenda = Agenda::default();
    update(&mut agenda, &open("a"), Source::List, NOW);
    update(
        &mut agenda,
        &Standing {
            phase: Phase::Finished,
            ..open("a")
        },
        Source::List,
        later(1),
    );
    assert_eq!(
        (agenda.open(), next(&agenda), agenda.open_tokens().count()),
        (0, None, 0)
    );
}

#[test]
fn a_list_does_not_put_off_the_get_that_is_wanted() {
    let mut agenda = Agenda::default();
    let aged = Standing {
        hooks_pending: true,
        first_seen_at: NOW.minus(Duration::from_mins(5)),
        ..open("a")
    };
    update(&mut agenda, &aged, Source::Get, NOW);
    assert_eq!(next(&agenda), Some(later(30)));
    update(&mut agenda, &aged, Source::List, later(10));
    assert_eq!(next(&agenda), Some(later(30)));
    // Unless the service itself does.
    update(
        &mut agenda,
        &Standing {
            retry_after: Some(later(50)),
            ..aged
        },
        Source::List,
        later(20),
    );
    assert_eq!(next(&agenda), Some(later(50)));
}

#[test]
fn what_left_the_list_is_asked_for_but_not_before_retry_after() {
    let mut agenda = Agenda::default();
    update(
        &mut agenda,
        &Standing {
            retry_after: Some(later(5)),
            ..open("a")
        },
        Source::List,
        NOW,
    );
    update(&mut agenda, &open("b"), Source::List, NOW);
    for token in ["a", "b", "unknown"] {
        agenda.left_list(&RequestToken::new(token), later(2));
    }
    assert_eq!(agenda.due(Need::Get, later(2), 10), 1);
    assert_eq!(agenda.due(Need::Get, later(5), 10), 2);
}

#[test]
fn a_look_that_fails_is_put_off_for_longer_each_time_and_not_for_ever() {
    let mut agenda = Agenda::default();
    update(
        &mut agenda,
        &Standing {
            hooks_pending: true,
            ..open("a")
        },
        Source::List,
        NOW,
    );
    let token = RequestToken::new("a");
    let mut waits = Vec::new();
    for _ in 0..10 {
        agenda.postpone(&token, &Pace::default(), NOW);
        waits.push(next(&agenda).unwrap().since(NOW).as_secs());
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
}

#[test]
fn a_list_neither_hastens_a_get_that_failed_nor_one_of_an_unknown_token() {
    let mut agenda = Agenda::default();
    let finished = Standing {
        phase: Phase::Finished,
        final_looks_left: 5,
        ..open("a")
    };
    update(&mut agenda, &finished, Source::List, NOW);
    for _ in 0..5 {
        agenda.postpone(&finished.key.token, &Pace::default(), NOW);
    }
    update(&mut agenda, &finished, Source::List, later(10));
    assert_eq!(next(&agenda), Some(later(16)));

    let gone = Standing {
        gone_looks: 1,
        ..open("b")
    };
    update(&mut agenda, &gone, Source::Get, NOW);
    agenda.left_list(&gone.key.token, later(10));
    assert_eq!(agenda.due(Need::Get, later(59), 10), 1);
    assert_eq!(agenda.due(Need::Get, later(60), 10), 2);
}

/// Trap 13: no list with a filter shows it, so that its absence says nothing.
#[test]
fn an_unknown_status_is_looked_at_slowly() {
    let mut agenda = Agenda::default();
    let unknown = Standing {
        is_unlisted: true,
        ..open("a")
    };
    update(&mut agenda, &unknown, Source::Get, NOW);
    agenda.left_list(&unknown.key.token, later(10));
    assert_eq!(next(&agenda), Some(later(300)));
}

/// Our clock was stepped a week and more: that makes no request old, and no look early.
#[test]
fn a_step_of_our_clock_undercuts_no_retry_after() {
    let mut agenda = Agenda::default();
    let hinted = Standing {
        retry_after: Some(later(3_600)),
        ..open("a")
    };
    let stepped = Now {
        server: NOW,
        ours: NOW.plus(Duration::from_hours(24 * 8)),
    };
    agenda.update(hinted, Some(Source::Get), &Pace::default(), stepped, 0.0);
    assert_eq!(next(&agenda), Some(later(3_600)));
}

#[test]
fn what_someone_waits_for_is_due_as_soon_as_it_may_be() {
    let at_start = |standing: Standing, after: Duration| {
        let mut agenda = Agenda::default();
        let at = NOW.plus(after);
        let now = Now { server: at, ours: at };
        agenda.update(standing.clone(), None, &Pace::default(), now, 0.0);
        agenda.hasten(&standing.key.token, &Pace::default(), now);
        next(&agenda).unwrap().since(at)
    };
    let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
    assert_eq!(at_start(open("old"), hour), Duration::ZERO);
    assert_eq!(at_start(open("new"), Duration::ZERO), second);
    let hinted = Standing {
        retry_after: Some(NOW.plus(2 * hour)),
        ..open("hinted")
    };
    assert_eq!(at_start(hinted, hour), hour);
    let unlisted = Standing {
        is_unlisted: true,
        ..open("unlisted")
    };
    assert_eq!(at_start(unlisted, hour), Duration::ZERO);
    let unknown = Standing {
        gone_looks: 1,
        ..open("unknown")
    };
    assert_eq!(at_start(unknown, hour), Duration::from_mins(1));
}
