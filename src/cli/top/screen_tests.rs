use std::time::Duration;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::super::keys::Wish;
use super::super::state::{Detail, Sort};
use super::*;
use crate::decide::stuck::Usual;
use crate::history::{OpenRequest, ReceiverHealth, TargetHealth};
use crate::model::rows::{HookRow, InvocationRow, RequestRow};
use crate::model::{RequestToken, TargetName};

const NOW: Timestamp = Timestamp::from_millis(1_795_328_880_000);
const PLAIN: Palette = Palette { is_coloured: false };
const COLOURED: Palette = Palette { is_coloured: true };

fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

fn open(token: &str, type_name: &str, age: u64, p99: Option<u64>) -> OpenRequest {
    OpenRequest {
        target: TargetName::from_stored("prod/eu-west-1"),
        token: RequestToken::new(token),
        type_name: Some(type_name.into()),
        identifier: None,
        operation: Some("CREATE".into()),
        status: Some("IN_PROGRESS".into()),
        started_at: ago(age),
        stuck_told_at: None,
        usual: p99.map(|p99| Usual {
            p50: Duration::from_secs(p99 / 2),
            p99: Duration::from_secs(p99),
            samples: 143,
        }),
    }
}

fn hook(name: &str, mode: &str, status: &str, age: u64) -> HookRow {
    HookRow {
        target: "prod/eu-west-1".into(),
        request_token: "73553e7d-aaaa".into(),
        hook_type_name: Some(name.into()),
        hook_type_version_id: None,
        hook_type_arn: None,
        invocation_point: Some("PRE_PROVISION".into()),
        failure_mode: Some(mode.into()),
        status: Some(status.into()),
        status_message: None,
        event_time: None,
        first_seen_at: ago(age),
        finished_at: None,
        invocation: 1,
    }
}

fn failure(message: &str) -> RequestRow {
    RequestRow {
        target: "prod/eu-west-1".into(),
        account_id: Some("111122223333".into()),
        region: "eu-west-1".into(),
        request_token: "9b1c2d3e".into(),
        hooks_request_token: None,
        type_name: Some("AWS::RDS::DBInstance".into()),
        identifier: None,
        operation: Some("CREATE".into()),
        status: Some("FAILED".into()),
        error_code: Some("NotStabilized".into()),
        status_message: Some(message.into()),
        started_at: Some(ago(800)),
        first_seen_at: ago(800),
        last_seen_at: ago(80),
        finished_at: Some(ago(80)),
        duration_s: Some(720.0),
        open: false,
        hooks_total: 1,
        hooks_failed: 0,
    }
}

fn target(name: &str, gap: Option<&str>) -> TargetHealth {
    TargetHealth {
        name: TargetName::from_stored(name),
        account_id: None,
        region: "eu-west-1".into(),
        last_looked_at: Some(ago(4)),
        gap: gap.map(|reason| (ago(720), reason.to_owned())),
        open: 2,
    }
}

/// What a bad day looks like.
fn board() -> Board {
    let stuck = OpenRequest {
        stuck_told_at: Some(ago(60)),
        ..open("73553e7d-aaaa", "AWS::RDS::DBInstance", 7380, Some(720))
    };
    let mut warned = hook("Acme::Tagging::CostCenter", "WARN", "HOOK_COMPLETE_FAILED", 300);
    warned.status_message = Some("Tag CostCenter is missing".into());
    let wide = OpenRequest {
        identifier: Some("測試的日誌群組名稱非常非常長-東京".into()),
        ..open("44444444", "AWS::Logs::LogGroup", 3, Some(20))
    };
    let failing = ReceiverHealth {
        name: "pager".into(),
        waiting: Board::WAITING_LIMIT,
        dead: 3,
        failing_since: Some(ago(4000)),
        last_error: Some("HTTP 500 Internal Server Error".into()),
    };
    Board {
        open: vec![
            stuck,
            open("11111111", "AWS::EC2::VPC", 95, Some(100)),
            open("22222222", "AWS::S3::Bucket", 31, Some(30)),
            open("33333333", "AWS::New::Thing", 12, None),
            wide,
        ],
        open_total: 5,
        hooks_running: vec![InvocationRow {
            hook: hook("Acme::Guard::Encryption", "FAIL", "HOOK_IN_PROGRESS", 9),
            type_name: Some("AWS::RDS::DBInstance".into()),
            ..InvocationRow::default()
        }],
        hooks_pending: 1,
        warnings: vec![InvocationRow {
            hook: warned,
            type_name: Some("AWS::S3::Bucket".into()),
            identifier: Some("acme-assets-773119a8addedec8e".into()),
            operation: Some("UPDATE".into()),
        }],
        failures: vec![failure("The database did not stabilize"), failure("quota")],
        targets: vec![
            target("dev/eu-west-1", None),
            target("prod/eu-west-1", Some("AccessDenied")),
        ],
        receivers: vec![
            ReceiverHealth {
                name: "ops-chat".into(),
                waiting: 2,
                ..ReceiverHealth::default()
            },
            failing,
        ],
    }
}

fn top(board: Board) -> Top {
    Top::new("/var/lib/ccwatch/history.db".into(), board, NOW)
}

fn detailed() -> Top {
    let mut top = top(board());
    top.apply(Wish::Detail, NOW);
    let mut failed = hook("Acme::Tagging::CostCenter", "WARN", "HOOK_COMPLETE_FAILED", 7380);
    failed.finished_at = Some(ago(7370));
    failed.status_message = Some("Tag CostCenter is missing".into());
    top.detail = Some(Detail {
        request: RequestRow {
            request_token: "73553e7d-aaaa".into(),
            status: Some("IN_PROGRESS".into()),
            error_code: None,
            status_message: None,
            identifier: Some("orders".into()),
            open: true,
            ..failure("")
        },
        hooks: vec![failed],
        stuck: Some("open for 2h 3m; of 143 such requests 99 % took at most 12m".into()),
    });
    top
}

fn drawn(top: &Top, width: u16, height: u16, palette: Palette) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, top, NOW, palette)).unwrap();
    terminal.backend().buffer().clone()
}

fn screen(top: &Top, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, top, NOW, PLAIN)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn a_large_screen_shows_everything() {
    insta::assert_snapshot!("100x30", screen(&top(board()), 100, 30));
}

#[test]
fn a_smaller_one_shows_what_is_open_and_a_panel() {
    let mut top = top(board());
    insta::assert_snapshot!("60x15", screen(&top, 60, 15));
    for _ in 0..3 {
        top.apply(Wish::NextPanel, NOW);
    }
    insta::assert_snapshot!("60x15_targets", screen(&top, 60, 15));
}

#[test]
fn what_was_asked_for_is_shown_where_there_is_room_for_its_type() {
    for (width, is_shown) in [(35, false), (36, true), (50, true), (100, true)] {
        let screen = screen(&top(board()), width, 15);
        assert_eq!(screen.contains("CREATE"), is_shown, "{screen}");
    }
    let screen = screen(&top(board()), 50, 15);
    assert!(
        screen.contains("AWS::EC2::VPC") && screen.contains("AGE/P99"),
        "{screen}"
    );
}

#[test]
fn a_tiny_one_shows_one_panel() {
    insta::assert_snapshot!("20x5", screen(&top(board()), 20, 5));
}

#[test]
fn a_request_is_shown_in_full_in_place() {
    insta::assert_snapshot!("detail", screen(&detailed(), 100, 30));
}

#[test]
fn an_empty_history_says_that_there_is_nothing() {
    insta::assert_snapshot!("empty", screen(&top(Board::default()), 100, 30));
}

#[test]
fn that_no_one_looks_is_said_with_the_time_since() {
    let mut top = top(board());
    assert!(!screen(&top, 120, 30).contains("no look"));
    top.unwatched_since = Some(ago(7380));
    assert!(screen(&top, 120, 30).contains("no look for 2h 3m"));
}

#[test]
fn help_names_every_key() {
    let mut top = top(board());
    top.apply(Wish::Help, NOW);
    insta::assert_snapshot!("help", screen(&top, 100, 30));
}

#[test]
fn the_selected_line_is_always_on_the_screen() {
    let requests = (0..500).map(|number| open(&format!("token-{number}"), "AWS::S3::Bucket", 500 - number, None));
    let board = Board {
        open_total: 9000,
        open: requests.collect(),
        ..Board::default()
    };
    let mut top = top(board);
    for wish in [
        Wish::First,
        Wish::Move(7),
        Wish::Move(200),
        Wish::Last,
        Wish::Move(-250),
    ] {
        top.apply(wish, NOW);
        let token = top.selected().unwrap().token.as_str().to_owned();
        let screen = screen(&top, 100, 30);
        let is_shown = screen.lines().any(|line| line.contains(&format!(" {token} ")));
        assert!(is_shown, "{token} is not on\n{screen}");
        assert!(screen.contains("the oldest 500 of 9000"), "{screen}");
    }
}

fn colours(buffer: &Buffer) -> Vec<Color> {
    let mut colours: Vec<Color> = Vec::new();
    for cell in buffer.content() {
        if !colours.contains(&cell.fg) {
            colours.push(cell.fg);
        }
    }
    colours
}

#[test]
fn without_colour_nothing_is_coloured() {
    for top in [top(board()), detailed()] {
        assert_eq!(colours(&drawn(&top, 100, 30, PLAIN)), [Color::Reset]);
    }
    assert!(colours(&drawn(&top(board()), 100, 30, COLOURED)).contains(&Color::Red));
}

#[test]
fn only_what_is_beyond_the_usual_is_red() {
    let red = |age| {
        let board = Board {
            open: vec![open("a", "AWS::S3::Bucket", age, Some(100))],
            open_total: 1,
            ..Board::default()
        };
        colours(&drawn(&top(board), 100, 30, COLOURED)).contains(&Color::Red)
    };
    assert_eq!([50, 100, 101].map(red), [false, false, true]);
}

#[test]
fn text_from_the_wire_does_nothing_to_the_terminal() {
    let hostile = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r\n\t\u{0}";
    let mut board = board();
    board.open[0].type_name = Some(hostile.into());
    board.open[0].identifier = Some(hostile.into());
    board.failures[0].status_message = Some(hostile.into());
    board.warnings[0].hook.status_message = Some(hostile.into());
    board.warnings[0].identifier = Some(hostile.into());
    board.targets[1].gap = Some((NOW, hostile.into()));
    board.receivers[1].last_error = Some(hostile.into());
    let mut top = top(board);
    top.trouble = Some(hostile.into());
    let detail = detailed().detail.unwrap();
    for is_detailed in [false, true] {
        top.is_detailed = is_detailed;
        top.detail = Some(Detail {
            stuck: Some(hostile.into()),
            ..detail.clone()
        });
        for cell in drawn(&top, 100, 30, COLOURED).content() {
            let symbol = cell.symbol();
            assert_eq!(printable(symbol), symbol);
        }
    }
}

/// Text that is made to break layouts: wide, combining, joined, long, empty, hostile.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        ".{0,20}",
        Just("👩‍👩‍👧‍👦測試é\u{301}\u{301}\u{301}".to_owned()),
        Just(String::new()),
        Just("測".repeat(300)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_size_and_no_text_makes_it_panic(
        (width, height) in (0_u16..140, 0_u16..45),
        words in words(),
        age in any::<u32>(),
        p99 in any::<Option<u32>>(),
        wishes in proptest::collection::vec(0_usize..8, 0..6),
    ) {
        let mut board = board();
        let request = &mut board.open[1];
        request.type_name = Some(words.clone());
        request.identifier = Some(words.clone());
        request.started_at = ago(age.into());
        request.usual = p99.map(|p99| Usual { p50: Duration::ZERO, p99: Duration::from_millis(p99.into()), samples: 20 });
        board.warnings[0].hook.status_message = Some(words.clone());
        board.warnings[0].identifier = Some(words.clone());
        board.receivers[0].name = words.clone();
        board.targets[0].name = TargetName::from_stored(&words);
        board.failures[0].error_code = Some(words.clone());
        let mut top = top(board);
        top.path = words.clone();
        top.detail = detailed().detail;
        for wish in wishes {
            let wish = [
                Wish::Move(3), Wish::Last, Wish::NextPanel, Wish::PreviousPanel, Wish::Detail, Wish::Sort, Wish::Help, Wish::Back,
            ][wish];
            top.apply(wish, NOW);
            drawn(&top, width, height, COLOURED);
        }
        drawn(&top, width, height, PLAIN);
    }
}

#[test]
fn every_size_from_nothing_on_is_drawn() {
    for sort in [Sort::AgainstUsual, Sort::Age, Sort::Start] {
        let mut top = detailed();
        top.sort = sort;
        for width in 0..30 {
            for height in 0..15 {
                drawn(&top, width, height, PLAIN);
            }
        }
    }
}
