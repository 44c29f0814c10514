//! `ccwatch top`
//!
//! The history is asked for its [`Board`](crate::history::Board) when another process has written to it, and at no other
//! time; ages are drawn anew each second. Keys are read on a thread of their own: crossterm reads without end from a terminal
//! that was closed, and must not take the rest along. What the screen shows ([`state`]) and how ([`screen`]) are apart from
//! this and pure.
//!
//! The terminal is given back on every way out: by a key, an error, a panic, SIGTERM, SIGINT, SIGHUP, or because it is gone;
//! and lent to the shell by Ctrl-Z.

mod keys;
mod screen;
mod state;
mod terminal;

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::anyhow;
use ratatui::crossterm::event::Event;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::history_file::HistoryFile;
use super::output;
use crate::clock::Clock;
use crate::daemon::Signals;
use crate::history::{HistoryError, Reader};
use screen::Palette;
use state::{Detail, Next, Top};
use terminal::Screen;

/// Watch what is open, live on a screen: ages against the usual, hooks, failures, targets and receivers.
///
/// It reads the history that a daemon writes, and calls no one. `?` shows the keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch top
  ccwatch top --interval 5s --history /var/lib/ccwatch/history.db")]
pub(super) struct Arguments {
    #[command(flatten)]
    history: HistoryFile,
    /// How often to look whether anything changed, from 100ms to 1h. Ages move each second.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = look_every)]
    interval: Duration,
}

fn look_every(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| (Duration::from_millis(100)..=Duration::from_hours(1)).contains(duration))
        .ok_or_else(|| "expected a duration from 100ms to 1h".to_owned())
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::Work(anyhow!(
            "top draws on a terminal, and standard input or output is none; `ccwatch requests --open` lists what is open"
        )));
    }
    if std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb") {
        return Err(Failure::Work(anyhow!(
            "top needs a terminal that moves its cursor, and TERM says that this one is dumb; \
             `ccwatch requests --open` lists what is open"
        )));
    }
    // Before the terminal is taken, so that what is wrong with the history can be read.
    let reader = arguments.history.open()?;
    let mut live = Live {
        version: reader.version()?,
        top: Top::new(
            arguments.history.path()?.display().to_string(),
            reader.board()?,
            Clock::system().now(),
        ),
        reader,
        clock: Clock::system(),
    };
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    Signals::catch()?.forward(stop.clone(), cut.clone());
    let mut screen = Screen::enter()?;
    // A terminal that takes no more characters holds up whoever writes to it. A second signal ends that too.
    tokio::spawn(async move {
        cut.cancelled().await;
        terminal::abandon();
        std::process::exit(1);
    });
    let outcome = live.run(&mut screen, arguments.interval, &stop).await;
    drop(screen);
    outcome
}

/// What is shown, and where it comes from.
struct Live {
    top: Top,
    reader: Reader,
    /// The reader's, when the board was read.
    version: i64,
    clock: Clock,
}

impl Live {
    async fn run(
        &mut self,
        screen: &mut Screen,
        look_every: Duration,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let palette = Palette {
            is_coloured: output::wants_colour(),
        };
        let mut events = terminal::events()?;
        let mut continuations = terminal::continuations()?;
        let mut looks = interval(look_every);
        let mut seconds = interval(Duration::from_secs(1));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = self.clock.now();
            self.top.grow_older(now);
            let mut taken = screen.draw(|frame| screen::draw(frame, &self.top, now, palette));
            if taken.is_ok() {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    event = events.recv() => match self.hear(event, &mut events)? {
                        Next::GoOn => {}
                        Next::Suspend => taken = screen.suspend(&mut continuations).await,
                        Next::End => return Ok(()),
                    },
                    // Stopped by something else than our key.
                    _ = continuations.recv() => taken = screen.take_again(),
                    _ = looks.tick() => self.look()?,
                    _ = seconds.tick() => {}
                }
            }
            if !terminal::is_there() {
                return Ok(());
            }
            taken?;
        }
    }

    /// Does what keys ask for: this one, and those that came meanwhile. A size that changed only needs drawing.
    fn hear(
        &mut self,
        event: Option<io::Result<Event>>,
        events: &mut mpsc::Receiver<io::Result<Event>>,
    ) -> Result<Next, Failure> {
        let mut event = event.unwrap_or_else(|| Err(io::Error::other("the terminal's keys can't be read any more")));
        let next = loop {
            let wish = match event {
                Ok(Event::Key(key)) => keys::wish(key),
                Ok(_) => None,
                Err(_) if !terminal::is_there() => return Ok(Next::End),
                Err(error) => return Err(error.into()),
            };
            match wish.map(|wish| self.top.apply(wish, self.clock.now())) {
                None | Some(Next::GoOn) => {}
                Some(Next::End) => return Ok(Next::End),
                Some(Next::Suspend) => break Next::Suspend,
            }
            match events.try_recv() {
                Ok(next) => event = next,
                Err(_) => break Next::GoOn,
            }
        };
        let detail = self.detail();
        self.note(detail)?;
        Ok(next)
    }

    /// Reads the board anew if someone wrote.
    fn look(&mut self) -> Result<(), Failure> {
        let read = self.read_if_new();
        self.note(read)
    }

    fn read_if_new(&mut self) -> Result<(), HistoryError> {
        // A ccwatch that ends may write nothing.
        self.top.unwatched_since = self.reader.unwatched_since()?;
        let version = self.reader.version()?;
        if version != self.version || self.top.trouble.is_some() {
            let board = self.reader.board()?;
            self.top.renew(board, self.clock.now());
            // Read before the board: what was written in between is read once more.
            self.version = version;
            self.detail()?;
        }
        Ok(())
    }

    /// Reads the selected request in full, if it is shown so.
    fn detail(&mut self) -> Result<(), HistoryError> {
        self.top.detail = match self.top.selected_key() {
            Some((target, token)) if self.top.is_detailed => match self.reader.request(&target, &token)? {
                None => None,
                Some(request) => {
                    let changes = self.reader.changes(&target, &token)?;
                    let stuck = changes.into_iter().rev().find(|change| change.kind == "request.stuck");
                    Some(Detail {
                        request,
                        hooks: self.reader.hooks(&target, &token)?,
                        stuck: stuck.and_then(|change| change.message),
                    })
                }
            },
            _ => None,
        };
        Ok(())
    }

    /// What may pass is shown, and tried again; the rest is the end.
    fn note(&mut self, outcome: Result<(), HistoryError>) -> Result<(), Failure> {
        self.top.trouble = match outcome {
            Ok(()) => None,
            Err(error) if error.may_pass() => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_neither_a_hot_loop_nor_for_ever() {
        for (text, is_right) in [
            ("100ms", true),
            ("1h", true),
            ("99ms", false),
            ("0s", false),
            ("2h", false),
            ("soon", false),
        ] {
            assert_eq!(look_every(text).is_ok(), is_right, "{text}");
        }
    }
}
