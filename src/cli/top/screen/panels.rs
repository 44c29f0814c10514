//! Hooks, failures, targets and receivers: a line for each.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{DIM, Palette, framed, text};
use crate::cli::output::shortened;
use crate::cli::top::state::{Panel, Top};
use crate::cli::when::rough;
use crate::history::{Board, ReceiverHealth, TargetHealth};
use crate::model::Timestamp;
use crate::model::rows::{InvocationRow, RequestRow};

/// The most columns for the identifier of what a hook judged: there is to be room for its message.
const IDENTIFIER: usize = 10;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, which: Panel, top: &Top, now: Timestamp, palette: Palette) {
    let board = &top.board;
    let is_chosen = top.panel == which;
    let height = usize::from(area.height.saturating_sub(1));
    let first = if is_chosen { top.scrolled } else { 0 };
    let shown = |lines: &mut dyn Iterator<Item = Line<'static>>| lines.skip(first).take(height).collect::<Vec<_>>();
    let (title, lines, nothing) = match which {
        Panel::Open => return,
        Panel::Hooks => {
            let running = board.hooks_running.iter().map(|hook| running(hook, now));
            let warnings = board.warnings.iter().map(|hook| warning(hook, now, palette));
            (
                hooks_title(board),
                shown(&mut running.chain(warnings)),
                "no hook runs, and none warned",
            )
        }
        Panel::Failures => (
            "Last failures".to_owned(),
            shown(&mut board.failures.iter().map(|request| failure(request, now, palette))),
            "nothing failed",
        ),
        Panel::Targets => {
            // Those that can't be looked at first: they are why someone looks here.
            let (unseen, seen): (Vec<_>, Vec<_>) = board.targets.iter().partition(|target| target.gap.is_some());
            let targets = unseen.into_iter().chain(seen);
            (
                format!("Targets: {}", board.targets.len()),
                shown(&mut targets.map(|health| target(health, now, palette))),
                "no target was ever watched",
            )
        }
        Panel::Receivers => (
            "Receivers: what waits, what was given up".to_owned(),
            shown(&mut board.receivers.iter().map(|health| receiver(health, now, palette))),
            "nothing waits, nothing was given up",
        ),
    };
    let block = framed(&title, is_chosen, palette);
    let lines = if lines.is_empty() && first == 0 {
        vec![Line::styled(nothing, DIM)]
    } else {
        lines
    };
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn hooks_title(board: &Board) -> String {
    match board.hooks_running.len() {
        Board::HOOKS_LIMIT => format!("Hooks: {} requests have some pending", board.hooks_pending),
        running => format!("Hooks: {running} running"),
    }
}

/// Words with a blank between them, those that there are.
fn words<'a>(words: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let words = words.into_iter().flatten().filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(text).collect();
    words.join(" ")
}

fn ago(time: Timestamp, now: Timestamp) -> String {
    rough(now.since(time))
}

/// What a hook judged, in short: `Bucket ac…edec8e`.
fn judged(invocation: &InvocationRow) -> String {
    let kind = invocation.type_name.as_deref();
    let kind = kind.map(|name| name.rsplit("::").next().unwrap_or(name));
    let identifier = invocation.identifier.as_deref();
    let identifier = identifier.map(|identifier| shortened(identifier, IDENTIFIER));
    words([kind, identifier.as_deref()])
}

fn running(invocation: &InvocationRow, now: Timestamp) -> Line<'static> {
    let hook = &invocation.hook;
    Line::from(vec![
        Span::raw(format!("{:>7} ", ago(hook.first_seen_at, now))),
        Span::raw(words([
            Some(hook.name().as_str()),
            hook.failure_mode.as_deref(),
            Some(&judged(invocation)),
            hook.status.as_deref(),
        ])),
    ])
}

fn warning(invocation: &InvocationRow, now: Timestamp, palette: Palette) -> Line<'static> {
    let hook = &invocation.hook;
    Line::from(vec![
        Span::styled(format!("{:>7} ", ago(hook.first_seen_at, now)), DIM),
        Span::styled("warned ", palette.warning()),
        Span::raw(words([
            Some(hook.name().as_str()),
            Some(&judged(invocation)),
            hook.status_message.as_deref(),
        ])),
    ])
}

fn failure(request: &RequestRow, now: Timestamp, palette: Palette) -> Line<'static> {
    let at = request.finished_at.unwrap_or(request.last_seen_at);
    Line::from(vec![
        Span::styled(format!("{:>7} ", ago(at, now)), DIM),
        Span::raw(words([request.operation.as_deref(), request.type_name.as_deref()])),
        Span::styled(
            format!(" {}", text(request.error_code.as_deref().unwrap_or("failed"))),
            palette.bad(),
        ),
        Span::raw(format!(
            " {}",
            text(request.status_message.as_deref().unwrap_or_default())
        )),
    ])
}

fn target(health: &TargetHealth, now: Timestamp, palette: Palette) -> Line<'static> {
    let mut spans = vec![
        Span::raw(text(health.name.as_str()).into_owned()),
        Span::raw(format!("  {} open", health.open)),
    ];
    match (&health.gap, health.last_looked_at) {
        (Some((since, reason)), _) => spans.push(Span::styled(
            format!("  unseen for {}: {}", ago(*since, now), text(reason)),
            palette.bad(),
        )),
        (None, Some(looked)) => spans.push(Span::styled(format!("  looked at {} ago", ago(looked, now)), DIM)),
        (None, None) => spans.push(Span::styled("  never looked at yet", palette.warning())),
    }
    Line::from(spans)
}

fn receiver(health: &ReceiverHealth, now: Timestamp, palette: Palette) -> Line<'static> {
    let more = if health.waiting == Board::WAITING_LIMIT {
        "+"
    } else {
        ""
    };
    let dead = if health.dead > 0 { palette.bad() } else { Style::new() };
    let mut spans = vec![
        Span::raw(text(&health.name).into_owned()),
        Span::raw(format!("  {}{more} waiting", health.waiting)),
        Span::styled(format!("  {} dead", health.dead), dead),
    ];
    if let Some(since) = health.failing_since {
        let error = health.last_error.as_deref().unwrap_or_default();
        spans.push(Span::styled(
            format!("  fails for {}: {}", ago(since, now), text(error)),
            palette.bad(),
        ));
    }
    Line::from(spans)
}
