//! What the screen shows, and how keys change it. No I/O, and the time is an argument.
//!
//! The selection follows its request, not its line: requests come, end and overtake each other while someone reads. If it
//! has ended, the line where it was is selected.

use std::cmp::Reverse;
use std::time::Duration;

use super::keys::Wish;
use crate::history::{Board, OpenRequest};
use crate::model::rows::{HookRow, RequestRow};
use crate::model::{RequestToken, TargetName, Timestamp};

/// What the panels are about, in the order in which Tab goes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Panel {
    Open,
    Hooks,
    Failures,
    Targets,
    Receivers,
}

impl Panel {
    pub(super) const ALL: [Self; 5] = [Self::Open, Self::Hooks, Self::Failures, Self::Targets, Self::Receivers];

    fn moved(self, by: usize) -> Self {
        let place = Self::ALL.iter().position(|panel| *panel == self).unwrap_or_default();
        Self::ALL[(place + by) % Self::ALL.len()]
    }
}

/// Which open requests come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Those that were told to be stuck, then by age as a share of the 99th percentile; what has none comes last.
    AgainstUsual,
    /// The oldest.
    Age,
    /// Those that started last.
    Start,
}

/// One request in full.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Detail {
    pub(super) request: RequestRow,
    pub(super) hooks: Vec<HookRow>,
    /// Why it was told to be stuck.
    pub(super) stuck: Option<String>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Suspend,
    End,
}

/// What the screen shows.
#[derive(Debug, Clone)]
pub(super) struct Top {
    /// The history's path.
    pub(super) path: String,
    pub(super) board: Board,
    pub(super) panel: Panel,
    pub(super) sort: Sort,
    /// The first line shown of the other panels.
    pub(super) scrolled: usize,
    pub(super) help: bool,
    /// Whether the selected request is shown in full; what there is to show is read by others.
    pub(super) is_detailed: bool,
    pub(super) detail: Option<Detail>,
    /// The last look, if no ccwatch looks now.
    pub(super) unwatched_since: Option<Timestamp>,
    /// Why the history can't be read for now.
    pub(super) trouble: Option<String>,
    /// Places in the board's open requests, in the order in which they are shown.
    pub(super) order: Vec<usize>,
    /// The selected line.
    pub(super) selected: usize,
}

impl Top {
    pub(super) fn new(path: String, board: Board, now: Timestamp) -> Self {
        let mut top = Self {
            path,
            board: Board::default(),
            panel: Panel::Open,
            sort: Sort::AgainstUsual,
            scrolled: 0,
            help: false,
            is_detailed: false,
            detail: None,
            unwatched_since: None,
            trouble: None,
            order: Vec::new(),
            selected: 0,
        };
        top.renew(board, now);
        top
    }

    /// Shows how things stand now.
    pub(super) fn renew(&mut self, board: Board, now: Timestamp) {
        let selected = self.selected_key();
        self.board = board;
        self.arrange(selected, now);
    }

    /// Sorts anew: ages grow, and some of them faster than others against what is usual.
    pub(super) fn grow_older(&mut self, now: Timestamp) {
        self.arrange(self.selected_key(), now);
    }

    pub(super) fn selected(&self) -> Option<&OpenRequest> {
        self.board.open.get(*self.order.get(self.selected)?)
    }

    pub(super) fn selected_key(&self) -> Option<(TargetName, RequestToken)> {
        let request = self.selected()?;
        Some((request.target.clone(), request.token.clone()))
    }

    fn arrange(&mut self, selected: Option<(TargetName, RequestToken)>, now: Timestamp) {
        let open = &self.board.open;
        self.order = (0..open.len()).collect();
        // The board's order is the oldest first, and sorting keeps it among equals.
        match self.sort {
            Sort::Age => {}
            Sort::Start => self.order.reverse(),
            Sort::AgainstUsual => {
                let share = |place: &usize| open.get(*place).map(|request| weight(request, now));
                self.order.sort_by_cached_key(|place| Reverse(share(place)));
            }
        }
        let found = selected.and_then(|(target, token)| {
            self.order.iter().position(|place| {
                open.get(*place)
                    .is_some_and(|request| request.token == token && request.target == target)
            })
        });
        let last = self.order.len().saturating_sub(1);
        self.selected = found.unwrap_or(self.selected).min(last);
    }

    /// Does what a key asked for.
    pub(super) fn apply(&mut self, wish: Wish, now: Timestamp) -> Next {
        match wish {
            Wish::Back if self.help => self.help = false,
            Wish::Back if self.is_detailed => self.is_detailed = false,
            Wish::Back | Wish::End => return Next::End,
            Wish::Suspend => return Next::Suspend,
            Wish::Help => self.help = !self.help,
            Wish::Move(by) => self.go(|line| line.saturating_add_signed(by)),
            Wish::First => self.go(|_| 0),
            Wish::Last => self.go(|_| usize::MAX),
            Wish::NextPanel => self.choose(self.panel.moved(1)),
            Wish::PreviousPanel => self.choose(self.panel.moved(Panel::ALL.len() - 1)),
            Wish::Detail => self.is_detailed = !self.is_detailed && self.selected().is_some(),
            Wish::Sort => {
                self.sort = match self.sort {
                    Sort::AgainstUsual => Sort::Age,
                    Sort::Age => Sort::Start,
                    Sort::Start => Sort::AgainstUsual,
                };
                self.arrange(self.selected_key(), now);
            }
        }
        Next::GoOn
    }

    fn choose(&mut self, panel: Panel) {
        self.panel = panel;
        self.scrolled = 0;
    }

    /// Moves the selection, or what the chosen panel shows.
    fn go(&mut self, to: impl Fn(usize) -> usize) {
        let board = &self.board;
        let lines = match self.panel {
            // A request that is shown in full is left for the one above or below it.
            _ if self.is_detailed => self.order.len(),
            Panel::Open => self.order.len(),
            Panel::Hooks => board.hooks_running.len() + board.warnings.len(),
            Panel::Failures => board.failures.len(),
            Panel::Targets => board.targets.len(),
            Panel::Receivers => board.receivers.len(),
        };
        let last = lines.saturating_sub(1);
        if self.panel == Panel::Open || self.is_detailed {
            self.selected = to(self.selected).min(last);
        } else {
            self.scrolled = to(self.scrolled).min(last);
        }
    }
}

/// How much of the time that 99 % of its like take at most a request has taken. 1 is all of it.
pub(super) fn share(request: &OpenRequest, now: Timestamp) -> Option<f64> {
    let usual = request.usual?;
    // A percentile of no time at all would make a share of infinity.
    let p99 = usual.p99.max(Duration::from_millis(1));
    Some(now.since(request.started_at).as_secs_f64() / p99.as_secs_f64())
}

/// What sorts by age against the usual: whether it is stuck, and the share in thousandths.
fn weight(request: &OpenRequest, now: Timestamp) -> (bool, Option<u128>) {
    let age = now.since(request.started_at).as_millis();
    let thousandths = request.usual.map(|usual| age * 1000 / usual.p99.as_millis().max(1));
    (request.stuck_told_at.is_some(), thousandths)
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
