//! From what there is to show to the characters of a screen. Pure: no I/O, and the time is an argument.
//!
//! A screen of any size shows something and panics at none, 0x0 included. A large one shows every panel; a smaller one the
//! open requests and the panel that Tab chose; a small one that panel alone. Text from the wire goes through [`text`], which
//! makes it printable; ratatui measures it in columns, so that wide characters do not shift what is beside them.

mod detail;
mod open;
mod panels;

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::keys::HELP;
use super::state::{Panel, Top};
use crate::cli::when::rough;
use crate::history::Board;
use crate::model::{Timestamp, printable};

/// In which every panel has room, in columns and lines.
const ALL_PANELS: (u16, u16) = (90, 24);
/// In which two panels have room, in lines.
const TWO_PANELS: u16 = 12;

/// What means what. Without colour, words and signs alone say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) is_coloured: bool,
}

impl Palette {
    fn colour(self, colour: Color) -> Style {
        if self.is_coloured {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }

    fn good(self) -> Style {
        self.colour(Color::Green)
    }

    fn warning(self) -> Style {
        self.colour(Color::Yellow)
    }

    fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn title(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }
}

/// What is less important than the rest.
const DIM: Style = Style::new().add_modifier(Modifier::DIM);

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, top: &Top, now: Timestamp, palette: Palette) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(Paragraph::new(headline(top, now, palette)), head);
    frame.render_widget(Paragraph::new(footline(top, palette)), foot);
    if top.help {
        help(frame, body, palette);
        return;
    }
    let (width, height) = (body.width, frame.area().height);
    if height < TWO_PANELS {
        if top.is_detailed {
            detail::draw(frame, body, top, now, palette);
        } else {
            panel(frame, body, top.panel, top, now, palette);
        }
        return;
    }
    let lower = if top.is_detailed { 12 } else { 10 };
    let [upper, lower] = Layout::vertical([
        Constraint::Min(4),
        Constraint::Length((body.height / 2).min(lower + body.height / 6)),
    ])
    .areas(body);
    panel(frame, upper, Panel::Open, top, now, palette);
    if top.is_detailed {
        detail::draw(frame, lower, top, now, palette);
    } else if width >= ALL_PANELS.0 && height >= ALL_PANELS.1 {
        let rows = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).split(lower);
        let panels = [[Panel::Hooks, Panel::Failures], [Panel::Targets, Panel::Receivers]];
        for (row, panels) in rows.iter().zip(panels) {
            let columns = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)])
                .spacing(1)
                .split(*row);
            for (area, which) in columns.iter().zip(panels) {
                panel(frame, *area, which, top, now, palette);
            }
        }
    } else {
        let which = if top.panel == Panel::Open {
            Panel::Hooks
        } else {
            top.panel
        };
        panel(frame, lower, which, top, now, palette);
    }
}

fn panel(frame: &mut Frame<'_>, area: Rect, which: Panel, top: &Top, now: Timestamp, palette: Palette) {
    if which == Panel::Open {
        open::draw(frame, area, top, now, palette);
    } else {
        panels::draw(frame, area, which, top, now, palette);
    }
}

/// A line with a title above what is inside; the title of the chosen panel stands out.
fn framed(title: &str, is_chosen: bool, palette: Palette) -> Block<'static> {
    let style = if is_chosen {
        palette.title().add_modifier(Modifier::REVERSED)
    } else {
        palette.title()
    };
    Block::new()
        .borders(Borders::TOP)
        .border_style(DIM)
        .title(Span::styled(format!(" {title} "), style))
}

/// Text from anywhere, as a terminal may have it.
fn text(text: &str) -> Cow<'_, str> {
    printable(text)
}

fn headline(top: &Top, now: Timestamp, palette: Palette) -> Line<'_> {
    let board = &top.board;
    let stuck = board
        .open
        .iter()
        .filter(|request| request.stuck_told_at.is_some())
        .count();
    let gaps = board.targets.iter().filter(|target| target.gap.is_some()).count();
    let unwatched = top.unwatched_since.map(|last| rough(now.since(last)));
    let failing = board
        .receivers
        .iter()
        .filter(|receiver| receiver.failing_since.is_some())
        .count();
    let mut spans = vec![
        Span::styled(now.to_utc().strftime("%H:%M:%SZ").to_string(), DIM),
        Span::raw(format!("  {} open", board.open_total)),
    ];
    let mut add = |count: usize, words: &str, style: Style| {
        if count > 0 {
            spans.push(Span::styled(format!(", {count} {words}"), style));
        }
    };
    add(stuck, "stuck", palette.bad());
    add(board.hooks_pending, "with hooks pending", Style::new());
    add(
        gaps,
        if gaps == 1 { "target unseen" } else { "targets unseen" },
        palette.bad(),
    );
    add(
        failing,
        if failing == 1 {
            "receiver fails"
        } else {
            "receivers fail"
        },
        palette.bad(),
    );
    if let Some(ago) = unwatched {
        spans.push(Span::styled(format!(", no look for {ago}"), palette.bad()));
    }
    spans.push(Span::styled(format!("  {}", text(&top.path)), DIM));
    Line::from(spans)
}

fn footline(top: &Top, palette: Palette) -> Line<'_> {
    match &top.trouble {
        Some(trouble) => Line::styled(text(trouble), palette.bad()),
        None if top.help || top.is_detailed => Line::styled("Esc back  ↑↓ select another  q end", DIM),
        None => Line::styled("q end  ? help  ↑↓ select  Enter detail  Tab panel  s sort", DIM),
    }
}

fn help(frame: &mut Frame<'_>, area: Rect, palette: Palette) {
    let keys = HELP.iter().map(|(keys, what)| {
        Line::from(vec![
            Span::styled(format!("{keys:<20}"), Style::new().add_modifier(Modifier::BOLD)),
            Span::raw(*what),
        ])
    });
    let numbers = [
        String::new(),
        "AGE/P99 compares a request's age with what 99 % of its type and operation took".to_owned(),
        "at most; beyond it the bar is full. \"stuck\" is what was told to be.".to_owned(),
        format!(
            "The oldest {} open requests are listed. Waiting is counted up to {};",
            Board::OPEN_LIMIT,
            Board::WAITING_LIMIT
        ),
        format!(
            "dead among the last {} deliveries that were given up.",
            Board::DEAD_LIMIT
        ),
    ];
    let lines: Vec<Line<'_>> = keys.chain(numbers.map(|line| Line::styled(line, DIM))).collect();
    frame.render_widget(Paragraph::new(lines).block(framed("Keys", true, palette)), area);
}

#[cfg(test)]
#[path = "../screen_tests.rs"]
mod tests;
