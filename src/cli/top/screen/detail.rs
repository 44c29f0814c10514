//! The selected request in full.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::{DIM, Palette, framed, text};
use crate::cli::top::state::{Detail, Top};
use crate::cli::when::rough;
use crate::decide::stuck::Usual;
use crate::history::OpenRequest;
use crate::model::rows::HookRow;
use crate::model::{HookStatus, Timestamp};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, top: &Top, now: Timestamp, palette: Palette) {
    let (title, lines) = match &top.detail {
        Some(detail) => {
            let token = &detail.request.request_token;
            let open = top.selected().filter(|request| request.token.as_str() == token);
            (text(token).into_owned(), lines(detail, open, now, palette))
        }
        None => ("Request".to_owned(), vec![Line::styled("it is gone", DIM)]),
    };
    let block = framed(&title, true, palette);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), area);
}

fn lines(detail: &Detail, open: Option<&OpenRequest>, now: Timestamp, palette: Palette) -> Vec<Line<'static>> {
    let request = &detail.request;
    let mut lines = Vec::new();
    let mut say = |name: &str, value: Option<&str>, style: Style| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(Line::from(vec![
                Span::styled(format!("{name:<11}"), DIM),
                Span::styled(text(value).into_owned(), style),
            ]));
        }
    };
    let what = [
        request.operation.as_deref(),
        request.type_name.as_deref(),
        request.identifier.as_deref(),
    ];
    let what: Vec<&str> = what.into_iter().flatten().collect();
    let account = request.account_id.as_deref().unwrap_or("unknown account");
    let place = format!("{} ({account}, {})", request.target, request.region);
    let started = request.started_at.unwrap_or(request.first_seen_at);
    say("what", Some(&what.join(" ")), Style::new());
    say("target", Some(&place), Style::new());
    say("status", request.status.as_deref(), Style::new());
    say(
        "started",
        Some(&format!("{} ago, {started}", rough(now.since(started)))),
        Style::new(),
    );
    if request.open {
        let seen = format!("{} ago", rough(now.since(request.last_seen_at)));
        say("last seen", Some(&seen), Style::new());
    }
    if let Some(open) = open {
        let usually = open.usual.map_or_else(
            || "too few like it have succeeded to say".to_owned(),
            |Usual { p50, p99, samples }| {
                let (p50, p99) = (rough(p50), rough(p99));
                format!("of {samples} such requests half took at most {p50}, 99 % at most {p99}")
            },
        );
        say("usually", Some(&usually), Style::new());
    }
    say("stuck", detail.stuck.as_deref(), palette.bad());
    say("error", request.error_code.as_deref(), palette.bad());
    say("message", request.status_message.as_deref(), Style::new());
    for hook in &detail.hooks {
        say("hook", Some(&in_words(hook, now)), hook_style(hook, palette));
    }
    lines
}

fn in_words(hook: &HookRow, now: Timestamp) -> String {
    let mode = hook
        .failure_mode
        .as_deref()
        .map(|mode| format!(" ({mode})"))
        .unwrap_or_default();
    let status = hook.status.as_deref().unwrap_or("unknown");
    let until = hook.finished_at.unwrap_or(now);
    let message = hook
        .status_message
        .as_deref()
        .map(|message| format!(": {message}"))
        .unwrap_or_default();
    format!(
        "{}{mode} {status}, {}{message}",
        hook.name(),
        rough(until.since(hook.first_seen_at))
    )
}

fn hook_style(hook: &HookRow, palette: Palette) -> Style {
    let is_failure = hook
        .status
        .as_deref()
        .is_some_and(|status| HookStatus::from(status).is_failure());
    match hook.failure_mode.as_deref() {
        Some("WARN") if is_failure => palette.warning(),
        _ if is_failure => palette.bad(),
        _ => Style::new(),
    }
}
