//! The terminal: taken, drawn on, listened to, lent to the shell, and given back.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{DefaultTerminal, Frame, Terminal};
use rustix::fs::OFlags;
use rustix::process::{Signal, kill_current_process_group};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

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

    /// Gives the terminal back and has the shell's job stopped, all of it: a script that called us would wait for us otherwise.
    /// Takes the terminal again when the job goes on.
    pub(super) async fn suspend(&mut self, continued: &mut unix::Signal) -> io::Result<()> {
        /// Two: time passes for who is stopped too, so that the first of them is over when the signal comes.
        const WAITS: usize = 2;
        const WAIT: Duration = Duration::from_millis(250);
        restore();
        kill_current_process_group(Signal::TSTP)?;
        // What no shell could have go on, a terminal's first program say, is not stopped.
        for _ in 0..WAITS {
            if timeout(WAIT, continued.recv()).await.is_ok() {
                break;
            }
        }
        self.take_again()
    }

    /// Takes a terminal with which others have done as they like. All of it is drawn anew.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        // Crossterm does nothing where it believes to have raw mode still.
        disable_raw_mode()?;
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(())
    }
}

/// The signals by which a shell has a stopped job go on. Caught from the moment that this is made.
pub(super) fn continuations() -> io::Result<unix::Signal> {
    signal(SignalKind::from_raw(Signal::CONT.as_raw()))
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

/// As [`restore`], of a terminal that may take no more characters, and waits for nothing: standard output is locked by
/// whoever is in the midst of writing to it. The terminal's settings are given back in any case, the screen if there is room.
pub(super) fn abandon() {
    let _ = disable_raw_mode();
    // Opened anew, so that not to wait is a matter of this descriptor alone.
    let terminal = OpenOptions::new()
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open("/dev/tty");
    if let Ok(mut terminal) = terminal {
        let _ = execute!(terminal, LeaveAlternateScreen, Show);
    }
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
