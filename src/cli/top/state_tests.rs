use super::*;
use crate::decide::stuck::Usual;

const NOW: Timestamp = Timestamp::from_millis(1_795_328_880_000);

fn open(token: &str, age: u64, p99: Option<u64>) -> OpenRequest {
    OpenRequest {
        target: TargetName::from_stored("prod/eu-west-1"),
        token: RequestToken::new(token),
        type_name: None,
        identifier: None,
        operation: None,
        status: None,
        started_at: NOW.minus(Duration::from_secs(age)),
        stuck_told_at: None,
        usual: p99.map(|p99| Usual {
            p50: Duration::from_secs(p99 / 2),
            p99: Duration::from_secs(p99),
            samples: 100,
        }),
    }
}

/// As the history gives it: the oldest first.
fn board(open: Vec<OpenRequest>) -> Board {
    Board {
        open_total: open.len(),
        open,
        ..Board::default()
    }
}

fn top() -> Top {
    let stuck = OpenRequest {
        stuck_told_at: Some(NOW),
        ..open("stuck", 50, Some(100))
    };
    let requests = vec![
        open("unknown-old", 900, None),
        open("slow", 100, Some(1000)),
        open("late", 90, Some(30)),
        stuck,
        open("unknown-young", 5, None),
    ];
    Top::new("history.db".into(), board(requests), NOW)
}

fn shown(top: &Top) -> Vec<&str> {
    top.order
        .iter()
        .map(|place| top.board.open[*place].token.as_str())
        .collect()
}

fn selected(top: &Top) -> &str {
    top.selected().unwrap().token.as_str()
}

#[test]
fn what_is_furthest_beyond_the_usual_comes_first_and_what_has_no_usual_last() {
    let mut top = top();
    assert_eq!(shown(&top), ["stuck", "late", "slow", "unknown-old", "unknown-young"]);
    top.apply(Wish::Sort, NOW);
    assert_eq!(shown(&top), ["unknown-old", "slow", "late", "stuck", "unknown-young"]);
    top.apply(Wish::Sort, NOW);
    assert_eq!(shown(&top), ["unknown-young", "stuck", "late", "slow", "unknown-old"]);
    top.apply(Wish::Sort, NOW);
    assert_eq!(shown(&top)[0], "stuck");
}

#[test]
fn the_order_changes_as_time_passes() {
    let quick = open("quick", 1, Some(2));
    let mut top = Top::new(String::new(), board(vec![open("slow", 80, Some(100)), quick]), NOW);
    assert_eq!(shown(&top), ["slow", "quick"]);
    assert_eq!(selected(&top), "slow");
    top.grow_older(NOW.plus(Duration::from_secs(5)));
    assert_eq!(shown(&top), ["quick", "slow"]);
    assert_eq!(selected(&top), "slow", "the selection stays with its request");
}

#[test]
fn the_selection_follows_its_request_and_stays_in_place_when_that_ends() {
    let mut top = top();
    top.apply(Wish::Move(2), NOW);
    assert_eq!(selected(&top), "slow");
    top.apply(Wish::Sort, NOW);
    assert_eq!((selected(&top), top.selected), ("slow", 1));
    let without = |gone: &str, top: &Top| {
        let mut left = top.board.open.clone();
        left.retain(|request| request.token.as_str() != gone);
        board(left)
    };
    top.renew(without("unknown-old", &top), NOW);
    assert_eq!((selected(&top), top.selected), ("slow", 0));
    top.renew(without("slow", &top), NOW);
    assert_eq!((selected(&top), top.selected), ("late", 0));
    top.apply(Wish::Last, NOW);
    top.renew(board(vec![open("only", 1, None)]), NOW);
    assert_eq!(selected(&top), "only");
    top.renew(Board::default(), NOW);
    assert_eq!(top.selected(), None);
}

#[test]
fn the_same_token_in_another_target_is_another_request() {
    let here = open("a", 10, None);
    let there = OpenRequest {
        target: TargetName::from_stored("play/eu-west-1"),
        ..open("a", 5, None)
    };
    let mut top = Top::new(String::new(), board(vec![here.clone(), there.clone()]), NOW);
    top.apply(Wish::Last, NOW);
    top.renew(board(vec![here, there]), NOW);
    assert_eq!(top.selected, 1);
}

#[test]
fn keys_move_the_selection_within_what_there_is() {
    let mut top = top();
    for (wish, line) in [
        (Wish::Move(-1), 0),
        (Wish::Move(1), 1),
        (Wish::Move(10), 4),
        (Wish::Move(1), 4),
        (Wish::Move(-2), 2),
        (Wish::First, 0),
        (Wish::Last, 4),
    ] {
        assert_eq!(top.apply(wish, NOW), Next::GoOn);
        assert_eq!(top.selected, line, "{wish:?}");
    }
}

#[test]
fn in_another_panel_they_move_what_it_shows() {
    let mut top = top();
    top.board.targets = ["a/x", "b/x", "c/x"]
        .map(|name| crate::history::TargetHealth {
            name: TargetName::from_stored(name),
            account_id: None,
            region: "x".into(),
            last_looked_at: None,
            gap: None,
            open: 0,
        })
        .to_vec();
    top.apply(Wish::PreviousPanel, NOW);
    top.apply(Wish::PreviousPanel, NOW);
    assert_eq!(top.panel, Panel::Targets);
    top.apply(Wish::Last, NOW);
    assert_eq!((top.scrolled, top.selected), (2, 0));
    top.apply(Wish::NextPanel, NOW);
    assert_eq!((top.panel, top.scrolled), (Panel::Receivers, 0));
    top.apply(Wish::Move(1), NOW);
    assert_eq!(top.scrolled, 0);
    top.apply(Wish::NextPanel, NOW);
    assert_eq!(top.panel, Panel::Open);
}

#[test]
fn escape_closes_what_is_open_before_it_ends() {
    let mut top = top();
    top.apply(Wish::Detail, NOW);
    top.apply(Wish::Help, NOW);
    assert!(top.help && top.is_detailed);
    assert_eq!(top.apply(Wish::Back, NOW), Next::GoOn);
    assert!(!top.help && top.is_detailed);
    assert_eq!(top.apply(Wish::Back, NOW), Next::GoOn);
    assert!(!top.is_detailed);
    assert_eq!(top.apply(Wish::Back, NOW), Next::End);
    assert_eq!(top.apply(Wish::End, NOW), Next::End);
}

#[test]
fn to_be_suspended_changes_nothing_that_is_shown() {
    let mut top = top();
    top.apply(Wish::Detail, NOW);
    assert_eq!(top.apply(Wish::Suspend, NOW), Next::Suspend);
    assert!(top.is_detailed);
}

#[test]
fn where_nothing_is_open_there_is_nothing_to_show_in_full() {
    let mut top = Top::new(String::new(), Board::default(), NOW);
    top.apply(Wish::Detail, NOW);
    assert!(!top.is_detailed);
    top.apply(Wish::Last, NOW);
    assert_eq!(top.selected, 0);
}

#[test]
fn a_usual_of_no_time_at_all_makes_no_share_of_infinity() {
    let request = open("a", 5, Some(0));
    assert_eq!(share(&request, NOW), Some(5000.0));
    assert_eq!(share(&open("b", 5, None), NOW), None);
}
