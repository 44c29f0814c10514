//! Files that are no TOML.

use crate::assert_problems;

/// A syntax error is the only problem told, and where it is.
#[test]
fn syntax_errors() {
    assert_problems(
        "[poll]
discover_every = 10s
",
        r#"2:18: not TOML: not a number; durations, account ids and dates need quotes: key = "10s""#,
    );
    assert_problems(
        "x = yes
",
        r#"1:5: not TOML: a text, path or date needs quotes: key = "value""#,
    );
    assert_problems(
        "x = 2024-01-01
",
        r#"1:5: not TOML: not a number; durations, account ids and dates need quotes: key = "10s""#,
    );
    assert_problems(
        "= 3
",
        "1:1: not TOML: expected a key, found =",
    );
    assert_problems(
        "x 3
",
        "1:3: not TOML: expected =, found a word",
    );
    assert_problems(
        "x = 1 y
",
        "1:7: not TOML: expected the end of the line, found a word",
    );
    assert_problems(
        "[poll
",
        "1:6: not TOML: expected ], found the end of the line",
    );
    assert_problems(
        "x = 
",
        "1:5: not TOML: expected a value, found the end of the line",
    );
    assert_problems(
        r#"x = "ab
"#,
        "1:8: not TOML: the line ends before the text's closing quote",
    );
    assert_problems(
        r#"x = """ab
"#,
        "1:5: not TOML: the text that begins here has no closing quote",
    );
    assert_problems(
        r#"x = "C:\config"
"#,
        r"1:9: not TOML: \c is no escape sequence; write \\ for a backslash, or use single quotes",
    );
    assert_problems(
        "x = [1,
=",
        "2:1: not TOML: expected a value, found =",
    );
    assert_problems(
        "x = 1

  x = 2
",
        r#"3:3: not TOML: the key "x" was already given at line 1"#,
    );
    assert_problems(
        "[history]
[history]
",
        r#"2:1: not TOML: the table "history" already began at line 1"#,
    );
    assert_problems(
        r#"[targets]
name = "a"
[targets]
"#,
        r#"3:1: not TOML: the table "targets" already began at line 1; each entry begins with two brackets: [[targets]]"#,
    );
    assert_problems(
        "x = 1
x.y = 2
",
        "2:1: not TOML: the key at line 1 holds a value that is no table",
    );
    assert_problems(
        "[poll]
[[poll]]
",
        r#"2:1: not TOML: the table "poll" already began at line 1"#,
    );
    assert_problems(
        "é = 1
",
        "1:1: not TOML: unexpected character found: `é`",
    );
    assert_problems(
        r#""é" = 1
"ü" = ?
"#,
        "2:7: not TOML: unexpected character found: `?`",
    );
}
