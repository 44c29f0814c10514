//! What each key does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Close what is open over the screen, or end if nothing is.
    Back,
    End,
    /// Leave the terminal to the shell, until it has us go on.
    Suspend,
    /// Move so many lines down; up if it is negative.
    Move(isize),
    First,
    Last,
    NextPanel,
    PreviousPanel,
    Detail,
    Sort,
    Help,
}

/// Lines of a page, whatever the height of the screen.
const PAGE: isize = 10;

/// What the help says: the keys, and what they do.
pub(super) const HELP: [(&str, &str); 8] = [
    ("↑ ↓  k j", "select a request, or move through the panel that Tab chose"),
    ("PgUp PgDn Home End", "the same, further"),
    ("Tab  Shift-Tab", "the next panel, the one before"),
    ("Enter", "the selected request: its reason and its hooks"),
    ("s", "sort by age against the usual, by age, by start"),
    ("?", "this help"),
    ("Ctrl-Z", "back to the shell, until `fg`"),
    ("q  Esc  Ctrl-C", "end"),
];

/// What is wished for by a key; `None` for one that means nothing here, or that was let go.
pub(super) fn wish(key: KeyEvent) -> Option<Wish> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Wish::End),
            KeyCode::Char('z') => Some(Wish::Suspend),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Char('q') => Wish::End,
        KeyCode::Esc => Wish::Back,
        KeyCode::Down | KeyCode::Char('j') => Wish::Move(1),
        KeyCode::Up | KeyCode::Char('k') => Wish::Move(-1),
        KeyCode::PageDown => Wish::Move(PAGE),
        KeyCode::PageUp => Wish::Move(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => Wish::First,
        KeyCode::End | KeyCode::Char('G') => Wish::Last,
        KeyCode::Tab => Wish::NextPanel,
        KeyCode::BackTab => Wish::PreviousPanel,
        KeyCode::Enter => Wish::Detail,
        KeyCode::Char('s') => Wish::Sort,
        KeyCode::Char('?' | 'h') => Wish::Help,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_heard_when_it_is_pressed_and_not_when_it_is_let_go() {
        let mut key = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(wish(key), Some(Wish::End));
        key.kind = KeyEventKind::Repeat;
        assert_eq!(wish(key), Some(Wish::End));
        key.kind = KeyEventKind::Release;
        assert_eq!(wish(key), None);
    }

    #[test]
    fn control_changes_what_a_key_means() {
        let with_control = |c| wish(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
        assert_eq!(with_control('c'), Some(Wish::End));
        assert_eq!(with_control('z'), Some(Wish::Suspend));
        assert_eq!(with_control('q'), None);
        assert_eq!(wish(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::NONE)), None);
    }
}
