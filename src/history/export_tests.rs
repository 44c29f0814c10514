use std::collections::BTreeSet;

use rusqlite::OptionalExtension;

use super::super::fixtures::{Scene, at, event, guarded, hook, rows as rows_of};
use super::*;
use crate::decide::route::Patterns;
use crate::model::{HookStatus, RequestStatus};

fn all(reader: &Reader, view: View, filter: &Filter, limit: usize) -> Vec<Vec<Cell>> {
    let (mut after, mut all) = (0, Vec::new());
    while let Some(portion) = reader.portion(view, filter, after, limit).unwrap() {
        assert!(portion.last > after && portion.rows.len() <= limit);
        after = portion.last;
        all.extend(portion.rows);
    }
    assert_eq!(after, reader.last_id(view).unwrap());
    all
}

/// A row as the view would show it.
fn shown(row: &[Cell]) -> serde_json::Value {
    let cells = row.iter().map(|cell| match cell {
        Cell::Absent => serde_json::Value::Null,
        Cell::Text(text) => text.as_str().into(),
        Cell::Integer(number) => (*number).into(),
        Cell::Real(number) => (*number).into(),
        Cell::Bool(yes) => i64::from(*yes).into(),
        Cell::Time(time) => time.to_string().into(),
    });
    cells.collect()
}

#[test]
fn every_view_is_there_with_its_columns_and_its_rows_whatever_the_size_of_a_portion() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    super::super::schema_tests::sample(&path, super::super::open::known_version());
    let reader = Reader::open(&path).unwrap();
    let connection = super::super::open::outside_reader(&path).unwrap().connection;
    let views: BTreeSet<String> = View::ALL.iter().map(|view| format!("v_{}", view.name())).collect();
    let promised = rows_of(&connection, "SELECT name FROM sqlite_schema WHERE type = 'view'");
    let promised: BTreeSet<String> = promised
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[0].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(views, promised);
    for view in View::ALL {
        let name = view.name();
        let columns = rows_of(&connection, &format!("SELECT name FROM pragma_table_info('v_{name}')"));
        let named: serde_json::Value = view
            .columns()
            .iter()
            .map(|column| serde_json::json!([column.name]))
            .collect::<Vec<_>>()
            .into();
        assert_eq!(columns, named, "{name}");
        let source = view.source();
        let ids = format!("SELECT {} FROM {}", source.plain_id, source.table);
        assert!(
            connection.query_row(&ids, [], |_| Ok(())).optional().unwrap().is_some(),
            "no {name}"
        );
        let mut of_the_view = rows_of(&connection, &format!("SELECT * FROM v_{name}"))
            .as_array()
            .unwrap()
            .clone();
        of_the_view.sort_by_key(ToString::to_string);
        for limit in [1, 2, 1000] {
            let mut exported: Vec<_> = all(&reader, view, &Filter::default(), limit)
                .iter()
                .map(|row| shown(row))
                .collect();
            exported.sort_by_key(ToString::to_string);
            assert_eq!(exported, of_the_view, "{name}");
        }
        for row in all(&reader, view, &Filter::default(), 1000) {
            for (cell, column) in row.iter().zip(view.columns()) {
                assert!(*cell != Cell::Absent || column.is_optional, "{name}.{}", column.name);
            }
        }
    }
}

#[test]
fn what_may_be_absent_is_what_the_tables_allow_to_be() {
    let scene = Scene::new();
    for view in View::ALL {
        for column in view.columns().iter().filter(|column| !column.is_optional) {
            // What is computed is looked at in the rows; what is a column by itself must be NOT NULL there.
            let source = view.source();
            let nullable = scene.count(&format!(
                "SELECT count(*) FROM pragma_table_info('{}') WHERE name = '{}' AND \"notnull\" = 0 AND pk = 0",
                source.table, column.name
            ));
            assert_eq!(nullable, 0, "{}.{}", view.name(), column.name);
        }
    }
}

#[test]
fn a_filter_cuts_by_time_and_by_target() {
    let scene = Scene::new();
    for second in 0..10 {
        let event = crate::model::ProgressEvent {
            event_time: Some(at(second)),
            ..guarded(&format!("t{second}"), RequestStatus::Pending)
        };
        scene.record(&[scene.got(second, event, vec![hook("A::B::C", HookStatus::Pending)])]);
    }
    scene.record(&[scene.seen(0, event("t0", RequestStatus::Success))]);
    let reader = scene.reader();
    let some = Filter {
        since: Some(at(3)),
        until: Some(at(7)),
        target: Some(Patterns::new(["pr*"])),
        ..Filter::default()
    };
    for view in [View::Requests, View::ProgressEvents, View::Hooks, View::HookEvents] {
        assert_eq!(all(&reader, view, &some, 3).len(), 4, "{}", view.name());
    }
    assert_eq!(
        all(&reader, View::Deliveries, &some, 3).len(),
        8,
        "a change of a request and one of a hook each"
    );
    let others = Filter {
        target: Some(Patterns::new(["staging"])),
        ..Filter::default()
    };
    for view in View::ALL.into_iter().filter(|view| view.has_target()) {
        assert!(all(&reader, view, &others, 3).is_empty(), "{}", view.name());
    }
}

#[test]
fn a_gap_that_reaches_into_the_time_is_in_it_as_where_gaps_are_listed() {
    let scene = Scene::new();
    for (from, to) in [(10, Some(20)), (30, Some(40)), (50, None)] {
        let gap = scene.history.write(|tx| {
            tx.open_gap(scene.target, at(from), "asleep")?;
            to.map_or(Ok(()), |to| tx.close_gap(scene.target, at(to)))
        });
        gap.unwrap();
    }
    let reader = scene.reader();
    for (since, until, expected) in [
        (Some(35), None, 2),
        (Some(60), None, 1),
        (Some(20), Some(30), 1),
        (None, Some(31), 2),
        (Some(41), Some(50), 0),
    ] {
        let time = Filter {
            since: since.map(at),
            until: until.map(at),
            ..Filter::default()
        };
        assert_eq!(all(&reader, View::Gaps, &time, 2).len(), expected, "{time:?}");
        assert_eq!(reader.gaps(&time).unwrap().len(), expected, "{time:?}");
    }
}

#[test]
fn no_portion_walks_a_table() {
    let scene = Scene::new();
    for view in View::ALL {
        let filter = Filter {
            target: Some(Patterns::new(["prod"])),
            since: Some(at(0)),
            until: Some(at(9)),
            ..Filter::default()
        };
        let statements = scene.reader().read(|connection| {
            let all = between(view, &Narrowed::new(connection, &Filter::default())?, (0, 9)).0;
            let some = between(view, &Narrowed::new(connection, &filter)?, (0, 9)).0;
            Ok([last_of(&view.source()), all, some])
        });
        for sql in statements.unwrap() {
            let plan = scene.rows(&format!("EXPLAIN QUERY PLAN {sql}"));
            for step in plan.as_array().unwrap() {
                let step = step[3].as_str().unwrap();
                assert!(
                    !step.starts_with("SCAN") || step.starts_with("SCAN (subquery"),
                    "{step}\n{sql}"
                );
                assert!(!step.contains("TEMP B-TREE"), "{step}\n{sql}");
            }
        }
    }
}
