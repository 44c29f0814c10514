//! Following requests until they have ended: what `wait` and the commands that act share.
//!
//! - **The history is what is shown**, whoever writes it. Each round reads how the requests stand, what changed since the
//!   last, and how their hooks are.
//! - **Where a daemon looks, no one else does.** Where none does, the requests are looked at from here (`looks`), as far as
//!   someone said how; where neither is so, it is said, and following ends for that target: to wait for ever would be worse.
//! - **A request is told when its hooks are** ([`outcome::is_told`]); if that last look does not come, its end is told
//!   without it.
//! - **Nothing is undone by stopping**: Ctrl-C and --timeout end the following, never a request.

mod deadline;
mod looks;
mod outcome;
mod result;
mod view;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use serde::Serialize;
use tokio::time::Instant;

use super::Failure;
use super::access::Access;
use super::interruption::Interruption;
use super::output::DocumentFormat;
use super::when;
use crate::clock::Clock;
use crate::cloud::{self, Cause};
use crate::decide::stuck::Usual;
use crate::history::Reader;
use crate::model::rows::{HookRow, RequestRow};
use crate::model::{Phase, RequestToken, TargetId, TargetName};

use looks::Looks;
pub(super) use looks::Ways;
use view::{Line, Said, View};

pub(super) use deadline::Deadline;
pub(super) use outcome::{EXIT_CODES, EXIT_CODES_OF_CANCEL, Outcome};
pub(super) use result::{conclude, conclude_cancel, tell, write};

/// Between two rounds. Another process may write, so there is no bell to wait for.
const EVERY: Duration = Duration::from_millis(300);

/// How long the hooks of a request that has ended are waited for.
const FOR_ITS_HOOKS: Duration = Duration::from_secs(30);

/// A request that is followed.
struct Followed {
    target: TargetId,
    /// What the target was last called: its daemon may come to call it otherwise.
    name: TargetName,
    token: RequestToken,
    /// The last change that was shown.
    shown: i64,
    said: Said,
    line: Line,
    usual: Option<Usual>,
    /// Since when it is known to have ended.
    ended_since: Option<Instant>,
    end: Option<End>,
}

/// How a request came out, as `--format json` gives it.
#[derive(Debug, Serialize)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) request: RequestRow,
    hooks: Vec<HookRow>,
}

/// How long, and how the result is written.
#[derive(Debug, clap::Args)]
pub(super) struct Terms {
    /// Take no longer than this, such as `90s` or `1h`; then exit with 124. The requests go on.
    #[arg(long, value_name = "DURATION", value_parser = when::duration)]
    timeout: Option<Duration>,
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub(super) format: DocumentFormat,
}

impl Terms {
    /// Of a command that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }
}

/// Follows requests that the history at `path` knows until all have ended, and returns how each came out, in their order:
/// the last known state of those that had not ended when the time was up. Following that is interrupted is a failure, and
/// so it is if of none it could be learnt how it stands. `access` is what was said, to follow again by.
pub(super) async fn follow(
    path: &Path,
    ways: Ways<'_>,
    access: &Access,
    requests: Vec<(TargetName, RequestToken)>,
    deadline: Deadline,
    interruption: &Interruption,
) -> Result<Vec<End>, Failure> {
    let mut following = Following::begin(path, ways, requests)?;
    let interrupted = tokio::select! {
        biased;
        ended = following.until_all_ended() => { ended?; false }
        () = interruption.stop().cancelled() => true,
        () = deadline.passed() => false,
    };
    following.view.clear();
    let open: Vec<&Followed> = following.open().collect();
    if let [first, more @ ..] = open.as_slice() {
        let they_go_on = if more.is_empty() {
            "the request goes on"
        } else {
            "the requests go on"
        };
        let tokens: Vec<&str> = open.iter().map(|followed| followed.token.as_str()).collect();
        let why = if interrupted { "" } else { "the time is up; " };
        let again = if more.len() < 3 {
            tokens.join(" ")
        } else {
            format!("{} …", first.token)
        };
        following.view.say(&format!(
            "{why}{they_go_on}: `ccwatch wait {again}{}` follows again",
            access.said()
        ));
    }
    if interrupted {
        return Err(interruption.failure());
    }
    if let Some(failure) = following.unseen.take() {
        return Err(failure);
    }
    following.ends()
}

struct Following<'a> {
    reader: Reader,
    requests: Vec<Followed>,
    looks: Looks<'a>,
    clock: Clock,
    view: View,
    /// What keeps targets from being looked at, as it was last said.
    troubles: BTreeMap<TargetId, Cause>,
    /// Why of none it could be learnt how it stands.
    unseen: Option<Failure>,
}

impl<'a> Following<'a> {
    fn begin(path: &Path, ways: Ways<'a>, requests: Vec<(TargetName, RequestToken)>) -> Result<Self, Failure> {
        let reader = Reader::open(path)?;
        let view = View::new();
        let mut followed = Vec::new();
        for (name, token) in requests {
            let target = reader.target(&name)?.ok_or_else(removed)?.id;
            let (mut shown, mut said) = (0, Said::default());
            for change in reader.changes(&name, &token)? {
                shown = change.id;
                said.anew(&change);
            }
            let request = row(&reader, &name, &token)?;
            let usual = match (&request.type_name, &request.operation) {
                (Some(type_name), Some(operation)) => reader.usual(type_name, operation)?,
                _ => None,
            };
            followed.push(Followed {
                target,
                name,
                token,
                shown,
                said,
                line: view.line(),
                usual,
                ended_since: None,
                end: None,
            });
        }
        Ok(Self {
            looks: Looks::new(ways),
            reader,
            requests: followed,
            clock: Clock::system(),
            view,
            troubles: BTreeMap::new(),
            unseen: None,
        })
    }

    fn open(&self) -> impl Iterator<Item = &Followed> {
        self.requests.iter().filter(|followed| followed.end.is_none())
    }

    async fn until_all_ended(&mut self) -> Result<(), Failure> {
        self.introduce()?;
        loop {
            self.read()?;
            let mut open: BTreeMap<TargetId, Vec<RequestToken>> = BTreeMap::new();
            for followed in self.open() {
                open.entry(followed.target).or_default().push(followed.token.clone());
            }
            if open.is_empty() {
                return Ok(());
            }
            for (target, failure) in self.looks.see_to(&self.reader, &open, self.clock.now()).await? {
                self.give_up(target, failure)?;
            }
            self.tell_troubles(open.into_keys());
            tokio::select! {
                failed = self.looks.failed() => {
                    let (target, failure) = failed?;
                    self.give_up(target, failure)?;
                }
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Says how the requests stand where no line on a screen will.
    fn introduce(&self) -> Result<(), Failure> {
        if self.view.moves() {
            return Ok(());
        }
        for followed in &self.requests {
            let request = row(&self.reader, &followed.name, &followed.token)?;
            let hooks = self.reader.hooks(&followed.name, &followed.token)?;
            let now = self.clock.now();
            self.view
                .say(&view::standing(&request, &hooks, followed.usual, None, now));
        }
        Ok(())
    }

    /// One round: what changed, how it stands, whether it has ended.
    fn read(&mut self) -> Result<(), Failure> {
        let Self {
            reader,
            requests,
            looks,
            clock,
            view,
            ..
        } = self;
        let now = clock.now();
        for followed in requests.iter_mut().filter(|followed| followed.end.is_none()) {
            let attendance = reader.attendance(followed.target)?.ok_or_else(removed)?;
            followed.name = attendance.target.name;
            let (target, token) = (&followed.name, &followed.token);
            for change in reader.changes(target, token)? {
                if change.id > followed.shown {
                    followed.shown = change.id;
                    if let Some(line) = followed.said.anew(&change) {
                        view.say(&line);
                    }
                }
            }
            let Some(request) = reader.request(target, token)? else {
                let attendance = reader.attendance(followed.target)?.ok_or_else(removed)?;
                if attendance.target.name == *target {
                    return Err(removed());
                }
                // Renamed since its name was read: the next round reads it by the new one.
                continue;
            };
            let hooks = reader.hooks(target, token)?;
            let standing = reader.standing(followed.target, token)?.ok_or_else(removed)?;
            let trouble = looks.trouble(followed.target).map(|failure| failure.to_string());
            let text = view::standing(&request, &hooks, followed.usual, trouble.as_deref(), now);
            followed.line.show(&text, view::age(&request, now), followed.usual);
            if standing.phase != Phase::Open {
                followed.ended_since.get_or_insert_with(Instant::now);
            }
            let waited = followed
                .ended_since
                .is_some_and(|since| since.elapsed() > FOR_ITS_HOOKS);
            if outcome::is_told(&standing) || waited {
                followed.line.end();
                followed.end = Some(End {
                    outcome: Outcome::of(standing.phase, request.status.as_deref()),
                    request,
                    hooks,
                });
            }
        }
        Ok(())
    }

    /// Says what keeps targets from being looked at, and that it no longer does, where no line on a screen shows it.
    fn tell_troubles(&mut self, targets: impl Iterator<Item = TargetId>) {
        if self.view.moves() {
            return;
        }
        for target in targets {
            let trouble = self.looks.trouble(target);
            let cause = trouble.as_ref().map(|failure| failure.cause);
            if cause == self.troubles.get(&target).copied() {
                continue;
            }
            let name = self.requests.iter().find(|followed| followed.target == target);
            let name = name.map_or("", |followed| followed.name.as_str());
            self.view.say(&in_words(name, trouble.as_ref()));
            match cause {
                Some(cause) => self.troubles.insert(target, cause),
                None => self.troubles.remove(&target),
            };
        }
    }

    /// Follows a target's requests no more. Those that have ended are told without the hooks that were still to be looked at.
    fn give_up(&mut self, target: TargetId, failure: Failure) -> Result<(), Failure> {
        let is_of_it = |followed: &&mut Followed| followed.end.is_none() && followed.target == target;
        let mut is_missed = false;
        for followed in self.requests.iter_mut().filter(is_of_it) {
            followed.line.end();
            let mut end = end(&self.reader, followed)?;
            if followed.ended_since.is_none() {
                end.outcome = Outcome::Unseen;
                is_missed = true;
            }
            followed.end = Some(end);
        }
        let is_unseen = |followed: &Followed| followed.end.as_ref().is_some_and(|end| end.outcome == Outcome::Unseen);
        if self.requests.iter().all(is_unseen) {
            self.unseen = Some(failure);
        } else if is_missed {
            self.view.say(&failure.to_string());
        }
        Ok(())
    }

    fn ends(self) -> Result<Vec<End>, Failure> {
        let mut ends = Vec::new();
        for followed in self.requests {
            ends.push(match followed.end {
                Some(end) => end,
                None => end(&self.reader, &followed)?,
            });
        }
        Ok(ends)
    }
}

/// How a request stands, ended or not.
fn end(reader: &Reader, followed: &Followed) -> Result<End, Failure> {
    let attendance = reader.attendance(followed.target)?.ok_or_else(removed)?;
    state(reader, &attendance.target.name, &followed.token)
}

/// How a request stands, ended or not.
pub(super) fn state(reader: &Reader, target: &TargetName, token: &RequestToken) -> Result<End, Failure> {
    let request = row(reader, target, token)?;
    let hooks = reader.hooks(target, token)?;
    let target = reader.target(target)?.ok_or_else(removed)?;
    let standing = reader.standing(target.id, token)?.ok_or_else(removed)?;
    Ok(End {
        outcome: Outcome::of(standing.phase, request.status.as_deref()),
        request,
        hooks,
    })
}

fn row(reader: &Reader, target: &TargetName, token: &RequestToken) -> Result<RequestRow, Failure> {
    reader.request(target, token)?.ok_or_else(removed)
}

fn removed() -> Failure {
    Failure::Work(anyhow!("the request was removed from the history meanwhile"))
}

fn in_words(target: &str, trouble: Option<&cloud::Failure>) -> String {
    match trouble {
        Some(failure) => format!("{target} can't be looked at just now: {failure}"),
        None => format!("{target} can be looked at again"),
    }
}
