//! The open requests, with their age against the usual.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table};

use super::{DIM, Palette, framed, text};
use crate::cli::top::state::{Panel, Sort, Top, share};
use crate::cli::when::rough;
use crate::history::OpenRequest;
use crate::model::Timestamp;

/// A column, and the width of a screen from which on it is shown.
struct Column {
    heading: &'static str,
    width: Constraint,
    from: u16,
    cell: fn(&OpenRequest, Timestamp, Palette) -> Line<'static>,
}

const BAR: u16 = 8;

const COLUMNS: [Column; 10] = [
    Column {
        heading: "TYPE",
        width: Constraint::Fill(5),
        from: 0,
        cell: |request, _, _| plain(request.type_name.as_deref()),
    },
    Column {
        heading: "OP",
        width: Constraint::Length(6),
        from: 36,
        cell: |request, _, _| plain(request.operation.as_deref()),
    },
    Column {
        heading: "IDENTIFIER",
        width: Constraint::Fill(3),
        from: 75,
        cell: |request, _, _| plain(Some(request.identifier.as_deref().unwrap_or(request.token.as_str()))),
    },
    Column {
        heading: "TARGET",
        width: Constraint::Fill(3),
        from: 90,
        cell: |request, _, _| plain(Some(request.target.as_str())),
    },
    Column {
        heading: "STATUS",
        width: Constraint::Length(11),
        from: 90,
        cell: |request, _, _| plain(request.status.as_deref()),
    },
    Column {
        heading: "AGE",
        width: Constraint::Length(7),
        from: 0,
        cell: |request, now, _| Line::from(rough(now.since(request.started_at))).right_aligned(),
    },
    Column {
        heading: "P50",
        width: Constraint::Length(7),
        from: 110,
        cell: |request, _, _| usual(request.usual.map(|usual| usual.p50)),
    },
    Column {
        heading: "P99",
        width: Constraint::Length(7),
        from: 60,
        cell: |request, _, _| usual(request.usual.map(|usual| usual.p99)),
    },
    Column {
        heading: "AGE/P99",
        width: Constraint::Length(BAR),
        from: 46,
        cell: bar,
    },
    Column {
        heading: "",
        width: Constraint::Length(5),
        from: 0,
        cell: verdict,
    },
];

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, top: &Top, now: Timestamp, palette: Palette) {
    let sorted = match top.sort {
        Sort::AgainstUsual => "by age against the usual",
        Sort::Age => "oldest first",
        Sort::Start => "newest first",
    };
    let total = top.board.open_total;
    let title = match top.order.len() {
        shown if shown < total => format!("Open requests: the oldest {shown} of {total}, {sorted}"),
        _ => format!("Open requests: {total}, {sorted}"),
    };
    let block = framed(&title, top.panel == Panel::Open, palette);
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| area.width >= column.from).collect();
    // The border and the headings take a line each. Only what is seen is made: there may be thousands.
    let height = usize::from(area.height.saturating_sub(2));
    let first = top
        .selected
        .saturating_sub(height / 2)
        .min(top.order.len().saturating_sub(height));
    let lines = top.order.iter().enumerate().skip(first).take(height);
    let rows = lines.filter_map(|(line, place)| {
        let request = top.board.open.get(*place)?;
        let cells = columns
            .iter()
            .map(|column| Cell::new((column.cell)(request, now, palette)));
        let style = if line == top.selected {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new()
        };
        Some(Row::new(cells).style(style))
    });
    let headings = columns.iter().map(|column| {
        let heading = Line::from(column.heading);
        if matches!(column.heading, "AGE" | "P50" | "P99") {
            heading.right_aligned()
        } else {
            heading
        }
    });
    let table = Table::new(rows, columns.iter().map(|column| column.width))
        .header(Row::new(headings).style(DIM))
        .column_spacing(1)
        .block(block);
    frame.render_widget(table, area);
}

fn plain(word: Option<&str>) -> Line<'static> {
    Line::from(text(word.unwrap_or("-")).into_owned())
}

fn usual(duration: Option<std::time::Duration>) -> Line<'static> {
    Line::styled(duration.map_or_else(|| "-".to_owned(), rough), DIM).right_aligned()
}

/// How far it is on the way to what 99 % of its like take at most, in eighths of a column.
fn bar(request: &OpenRequest, now: Timestamp, palette: Palette) -> Line<'static> {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let Some(share) = share(request, now) else {
        return Line::default();
    };
    let style = match share {
        share if share > 1.0 => palette.bad(),
        share if share > 0.75 => palette.warning(),
        _ => palette.good(),
    };
    let width = usize::from(BAR) * 8;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "between nothing and the bar's width"
    )]
    let eighths = (share.clamp(0.0, 1.0) * width as f64) as usize;
    let bar = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    Line::from(Span::styled(bar, style))
}

/// The same in words: a share up to the 99th percentile, a multiple beyond it.
fn verdict(request: &OpenRequest, now: Timestamp, palette: Palette) -> Line<'static> {
    if request.stuck_told_at.is_some() {
        return Line::styled("stuck", palette.bad()).right_aligned();
    }
    let (words, style) = match share(request, now) {
        None => ("-".to_owned(), DIM),
        Some(share) if share <= 1.0 => (format!("{:.0}%", share * 100.0), Style::new()),
        Some(share) if share < 100.0 => (format!("{share:.1}×"), palette.bad()),
        Some(share) if share < 10_000.0 => (format!("{share:.0}×"), palette.bad()),
        Some(_) => (">9999".to_owned(), palette.bad()),
    };
    Line::styled(words, style).right_aligned()
}
