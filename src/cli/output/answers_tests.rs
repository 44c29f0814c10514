use super::*;

fn written(format: Format, columns: &[&str], rows: &[Vec<SqlValue<'_>>]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let mut out = Vec::new();
    let mut answers = Answers::begin(&mut out, &columns, format).unwrap();
    for row in rows {
        assert_eq!(answers.row(row).unwrap(), Room::Left);
    }
    answers.end().unwrap().write().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn each_kind_of_value_keeps_what_it_is() {
    let columns = ["n", "i", "r", "big", "t", "b"];
    let row = vec![
        SqlValue::Null,
        SqlValue::Integer(i64::MAX),
        SqlValue::Real(2.0),
        SqlValue::Real(f64::NEG_INFINITY),
        SqlValue::Text("a,\"b\" \u{1b}[31m".as_bytes()),
        SqlValue::Blob(&[0, 255, 16]),
    ];
    let rows = [row];
    let line = "{\"n\":null,\"i\":9223372036854775807,\"r\":2.0,\"big\":\"-Infinity\",\"t\":\"a,\\\"b\\\" \\u001b[31m\",\"b\":\"00ff10\"}\n";
    assert_eq!(written(Format::Jsonl, &columns, &rows), line);
    assert_eq!(written(Format::Json, &columns, &rows), format!("[\n{line}]\n"));
    assert_eq!(
        written(Format::Csv, &columns, &rows),
        "n,i,r,big,t,b\n,9223372036854775807,2.0,-inf,\"a,\"\"b\"\" \u{1b}[31m\",00ff10\n"
    );
    assert_eq!(
        written(Format::Table, &columns, &rows),
        "n  i                    r    big   t            b\n\
         -  9223372036854775807  2.0  -inf  a,\"b\" \u{fffd}[31m  00ff10\n"
    );
}

#[test]
fn no_rows_are_an_empty_array_no_line_and_names_alone() {
    assert_eq!(written(Format::Json, &["a"], &[]), "[]\n");
    assert_eq!(written(Format::Jsonl, &["a"], &[]), "");
    assert_eq!(written(Format::Csv, &["a", "b"], &[]), "a,b\n");
    assert_eq!(written(Format::Table, &["a", "b"], &[]), "a  b\n");
}

#[test]
fn two_columns_of_one_name_lose_nothing() {
    let names = |columns: &[&str]| told_apart(&columns.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    assert_eq!(names(&["x", "y", "x", "x"]), ["x", "y", "x:2", "x:3"]);
    assert_eq!(names(&["x", "x", "x:2"]), ["x", "x:3", "x:2"]);
    assert_eq!(names(&["x:2", "x", "x", "x:2"]), ["x:2", "x", "x:3", "x:2:2"]);
    let row = vec![SqlValue::Integer(1), SqlValue::Integer(2)];
    assert_eq!(written(Format::Jsonl, &["x", "x"], &[row]), "{\"x\":1,\"x:2\":2}\n");
}

#[test]
fn text_that_is_no_utf8_is_shown_as_far_as_it_is() {
    let row = vec![SqlValue::Text(b"a\xffb")];
    assert_eq!(written(Format::Jsonl, &["x"], &[row]), "{\"x\":\"a\u{fffd}b\"}\n");
}

#[test]
fn a_table_takes_so_many_rows_and_no_more() {
    let mut out = Vec::new();
    let mut answers = Answers::begin(&mut out, &["n".to_owned()], Format::Table).unwrap();
    for _ in 0..TABLE_ROWS {
        assert_eq!(answers.row(&[SqlValue::Integer(1)]).unwrap(), Room::Left);
    }
    assert_eq!(answers.row(&[SqlValue::Integer(2)]).unwrap(), Room::Full);
    answers.end().unwrap().write().unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), TABLE_ROWS + 1);
    assert!(!text.contains('2'));
}

#[test]
fn a_table_shows_the_beginning_of_a_long_value_and_how_long_it_is() {
    let long = "ü".repeat(TABLE_CELL);
    let blob = vec![7; TABLE_CELL];
    let values = vec![SqlValue::Text(long.as_bytes()), SqlValue::Blob(&blob)];
    let shown = written(Format::Table, &["t", "b"], std::slice::from_ref(&values));
    let row = shown.lines().nth(1).unwrap();
    assert!(row.starts_with(&format!("{}… (8192 bytes)  07", "ü".repeat(TABLE_CELL / 2))));
    assert!(row.ends_with("07… (4096 bytes)"));
    // A character of two bytes that begins with the last byte is left out.
    let odd = format!("a{long}");
    let odd = cut_text(SqlValue::Text(odd.as_bytes())).unwrap();
    assert!(odd.ends_with("ü… (8193 bytes)"), "{}", &odd[odd.len() - 30..]);
    // What is no text at all is bounded, too.
    assert!(cut_text(SqlValue::Text(&[255; 2 * TABLE_CELL])).unwrap().len() < 4 * TABLE_CELL);
    assert!(written(Format::Csv, &["t", "b"], &[values]).len() > 4 * TABLE_CELL);
}

#[test]
fn a_table_takes_so_much_text_with_the_blanks_beside_it() {
    let long = "x".repeat(TABLE_CELL);
    let columns: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    let mut answers = Answers::begin(Vec::new(), &columns, Format::Table).unwrap();
    assert_eq!(answers.row(&[SqlValue::Text(long.as_bytes()); 30]).unwrap(), Room::Left);
    let mut rows = 1;
    // Each is short, but as wide as the first.
    while answers.row(&[SqlValue::Integer(1); 30]).unwrap() == Room::Left {
        rows += 1;
    }
    assert!(
        rows * 30 * TABLE_CELL <= TABLE_BYTES && (rows + 1) * 30 * TABLE_CELL > TABLE_BYTES,
        "{rows}"
    );
}
