use super::*;

fn shown(width: Option<u16>) -> String {
    let mut table = Table::new([Column::whole("STATUS"), Column::text("MESSAGE").yields(1)]);
    table.row([status_cell(Some("FAILED")), cell(Some(&"a-long-name ".repeat(10)))]);
    table.row([status_cell(None), cell(Some("\u{1b}[2J測試"))]);
    let mut out = Vec::new();
    table.write_within(&mut out, width).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_failure_is_shown_with_its_reason_in_columns_and_in_blocks() {
    let shown = |width| {
        let mut table = Table::new([Column::words("STATUS"), Column::name("IDENTIFIER")]);
        table.row([
            noted_status_cell(Some("FAILED"), Some("Throttling")),
            cell(Some("orders")),
        ]);
        table.row([noted_status_cell(Some("SUCCESS"), None), cell(Some("logs"))]);
        table.row([noted_status_cell(None, None), cell(None)]);
        let mut out = Vec::new();
        table.write_within(&mut out, width).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        shown(None),
        "STATUS               IDENTIFIER\nFAILED (Throttling)  orders\nSUCCESS              logs\n-                    -\n"
    );
    let blocks = shown(Some(30));
    assert!(
        blocks.starts_with("STATUS      FAILED\n            (Throttling)\nIDENTIFIER  orders\n\nSTATUS      SUCCESS\n"),
        "{blocks}"
    );
}

#[test]
fn a_note_on_a_status_is_on_one_line() {
    let mut table = Table::new([Column::words("STATUS"), Column::whole("TOKEN")]);
    table.row([
        noted_status_cell(Some("IN_PROGRESS"), Some("seen 15m ago")),
        cell(Some(&"t".repeat(36))),
    ]);
    let shown = |width| {
        let mut out = Vec::new();
        table.write_within(&mut out, width).unwrap();
        String::from_utf8(out).unwrap()
    };
    let token = "t".repeat(36);
    assert!(
        shown(None).ends_with(&format!("\nIN_PROGRESS (seen 15m ago)  {token}\n")),
        "{}",
        shown(None)
    );
    let folded = shown(Some(60));
    assert!(
        folded.ends_with(&format!("\nIN_PROGRESS             {token}\n(seen 15m ago)\n")),
        "{folded}"
    );
}

#[test]
fn a_pipe_and_a_wide_terminal_show_whole_lines() {
    for width in [None, Some(u16::MAX)] {
        let shown = shown(width);
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(shown.lines().all(|line| line == line.trim_end()), "{shown}");
    }
}

#[test]
fn a_terminal_of_fifty_columns_folds_and_one_of_twenty_shows_blocks() {
    let folded = shown(Some(50));
    assert!(folded.starts_with("STATUS  MESSAGE\nFAILED  a-long"), "{folded}");
    assert_eq!(folded.lines().count(), 6, "{folded}");
    for width in [20, 49] {
        let blocks = shown(Some(width));
        assert!(blocks.starts_with("STATUS   FAILED\nMESSAGE  a-"), "{blocks}");
        assert!(blocks.contains("\n\nSTATUS   -\n"), "{blocks}");
    }
    for width in [20, 49, 50, 99, 100] {
        let shown = shown(Some(width));
        let fits = |line: &str| line.chars().count() <= usize::from(width);
        assert!(shown.lines().all(fits), "{shown}");
    }
}

#[test]
fn what_yields_is_below_its_row_or_left_out_and_what_is_cut_says_so() {
    let mut table = Table::new([
        Column::whole("SEEN"),
        Column::name("TARGET").yields(2),
        Column::name("NAME"),
        Column::whole("STATUS"),
        Column::text("MESSAGE").yields(1),
        Column::token("TOKEN"),
    ]);
    for (name, message) in [
        ("Acme::Guard::Encryption::AtRest", "not encrypted, and it should"),
        ("Short", "-"),
    ] {
        table.row([
            cell(Some("23h 59m ago")),
            cell(Some("production/eu-west-1")),
            cell(Some(name)),
            status_cell(Some("HOOK_COMPLETE_FAILED")),
            cell(Some(message)),
            cell(Some("73553e7d-6c1b-4f9e-9c55-0d2f6f7f4f0e")),
        ]);
    }
    let shown = |width| {
        let mut out = Vec::new();
        table.write_within(&mut out, Some(width)).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        shown(60),
        "SEEN         NAME             STATUS                TOKEN\n  \
           MESSAGE\n\
         23h 59m ago  Acme…on::AtRest  HOOK_COMPLETE_FAILED  73553e7d\n  \
           not encrypted, and it should\n\
         23h 59m ago  Short            HOOK_COMPLETE_FAILED  73553e7d\n"
    );
    assert!(shown(100).starts_with("SEEN         TARGET"), "{}", shown(100));
    assert_eq!(shown(200).lines().count(), 3);
    assert!(shown(200).contains("73553e7d-6c1b-4f9e-9c55-0d2f6f7f4f0e"));
}

fn streamed(width: Option<u16>) -> String {
    let columns = [
        Column::whole("SEEN"),
        Column::whole("STATUS"),
        Column::text("WHAT").yields(1),
    ];
    let mut stream = Stream::new(&columns, &[11, 23]);
    let mut out = Vec::new();
    for (status, what) in [
        ("FAILED", "a-long-name ".repeat(12)),
        ("HOOK_COMPLETE_SUCCEEDED", "short".to_owned()),
    ] {
        let cells = vec![cell(Some("1m ago")), status_cell(Some(status)), cell(Some(&what))];
        stream.row_within(&mut out, cells, width).unwrap();
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn rows_that_come_one_by_one_stand_in_the_same_columns() {
    for width in [None, Some(u16::MAX), Some(100)] {
        let shown = streamed(width);
        let starts = |what: &str| shown.lines().find_map(|line| line.find(what));
        assert_eq!(starts("FAILED"), Some(13), "{shown}");
        assert_eq!(starts("HOOK_"), Some(13), "{shown}");
        assert_eq!((starts("a-long"), starts("short")), (Some(38), Some(38)), "{shown}");
        assert_eq!(shown.lines().count(), if width == Some(100) { 4 } else { 2 }, "{shown}");
    }
}

#[test]
fn rows_that_come_one_by_one_go_on_below_where_it_is_narrow() {
    let shown = streamed(Some(60));
    assert!(shown.starts_with("1m ago       FAILED\n  a-long-name"), "{shown}");
    assert!(
        shown.ends_with("\n1m ago       HOOK_COMPLETE_SUCCEEDED\n  short\n"),
        "{shown}"
    );
    for width in 50..120 {
        let shown = streamed(Some(width));
        let fits = |line: &str| line.chars().count() <= usize::from(width);
        assert!(shown.lines().all(fits), "{shown}");
    }
}

#[test]
fn rows_that_come_one_by_one_are_blocks_where_it_is_narrower() {
    for width in [20, 49] {
        let shown = streamed(Some(width));
        assert!(
            shown.starts_with("SEEN    1m ago\nSTATUS  FAILED\nWHAT    a-long"),
            "{shown}"
        );
        assert!(shown.contains("\n\nSEEN    1m ago\nSTATUS  HOOK_"), "{shown}");
        let fits = |line: &str| line.chars().count() <= usize::from(width);
        assert!(shown.lines().all(fits), "{shown}");
    }
}

#[test]
fn facts_are_lines_at_any_width() {
    let facts = |width| {
        let mut out = Vec::new();
        let long = "a-long-name ".repeat(4);
        let facts = [("REQUEST", cell(Some("aaaa1111"))), ("message", cell(Some(&long)))];
        write_block(&mut out, facts, width).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(facts(None).lines().count(), 2);
    for width in [20, 60] {
        let shown = facts(Some(width));
        assert!(shown.starts_with("REQUEST  aaaa1111\nmessage  a-long"), "{shown}");
        let fits = |line: &str| line.chars().count() <= usize::from(width);
        assert!(shown.lines().all(fits), "{shown}");
    }
}

#[test]
fn sentences_keep_their_lines_where_those_fit() {
    let text = "COUNT: how many there were.\nFAILED: how many of them failed.";
    let written = |width| {
        let mut out = Vec::new();
        write_text_within(&mut out, text, width).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(None), format!("{text}\n"));
    assert_eq!(written(Some(32)), format!("{text}\n"));
    assert_eq!(
        written(Some(30)),
        "COUNT: how many there were.\nFAILED: how many of them\nfailed.\n"
    );
}

#[test]
fn no_width_is_too_narrow_to_be_shown() {
    for width in 1..20 {
        assert!(shown(Some(width)).contains('F'), "{width}");
    }
}
