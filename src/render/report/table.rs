//! A table of the page.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Table {
    caption: String,
    heads: Vec<Cell>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    /// What the row is about.
    name: String,
    cells: Vec<Cell>,
}

/// A number stands at the right edge of its column.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    text: String,
    number: bool,
}

impl Table {
    pub(super) fn new(caption: impl Into<String>, heads: impl IntoIterator<Item = Cell>) -> Self {
        Self {
            caption: caption.into(),
            heads: heads.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, name: Option<&str>, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(Row {
            name: name.unwrap_or("(none)").to_owned(),
            cells: cells.into_iter().collect(),
        });
    }

    /// `None` if it has no row.
    pub(super) fn unless_empty(self) -> Option<Self> {
        (!self.rows.is_empty()).then_some(self)
    }
}

pub(super) fn text(text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        number: false,
    }
}

pub(super) fn number(number: impl Into<String>) -> Cell {
    Cell {
        text: number.into(),
        number: true,
    }
}
