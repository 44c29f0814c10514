//! The terminal: taken, drawn on, listened to, and given back.

use std::io::{self, IsTerminal};

use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::{DefaultTerminal, Frame};
use tokio::sync::mpsc;

/// The terminal while it is ours. Given back when this is dropped, and before the words of a panic.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        // Sets the hook that gives the terminal back before a panic is told.
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(render).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back as it was. One that is gone takes no harm.
pub(super) fn restore() {
    let _ = ratatui::try_restore();
    let _ = execute!(io::stdout(), Show);
}

/// Whether it was not closed.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Keys and changes of size, as they come, for as long as the receiver is kept.
pub(super) fn events() -> io::Result<mpsc::Receiver<io::Result<Event>>> {
    /// More than anyone types between two frames.
    const WAITING: usize = 64;
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
        loop {
            let event = event::read();
            let is_last = event.is_err();
            if sender.blocking_send(event).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(receiver)
}
