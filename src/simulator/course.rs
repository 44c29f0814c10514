//! How a request will go, drawn when it starts.
//!
//! The whole course is drawn at once, from a generator of the request's own, so that neither looks at the world nor
//! the size of the steps in which its clock advances can change what happens in it. Whatever depends on others (is
//! there such a resource already?, was it cancelled?, did a hook stop it?) is decided when a step is taken.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use super::faults::happens;
use super::request::Invocation;
use super::scenario::{Failure, HookScenario, Scenario, TypeScenario};
use crate::model::{ErrorCode, HookStatus, RequestStatus, Timestamp};

/// One change on a request's way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Status {
        status: RequestStatus,
        error_code: Option<ErrorCode>,
        message: Option<Arc<str>>,
    },
    /// A new message.
    Message(Arc<str>),
    /// The identifier, and the model with it, appear.
    Identified,
    /// The hook at this index of the request's invocations moves on.
    Hook {
        index: usize,
        status: HookStatus,
        message: Option<Arc<str>>,
    },
}

/// What a client asked the simulator for by the `_simulator` property of its desired state.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Wish {
    pub(super) fail: Option<ErrorCode>,
    pub(super) message: Option<String>,
    pub(super) takes: Option<Duration>,
}

/// Whom a course is drawn for.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) type_name: &'a str,
    pub(super) identifier: &'a str,
    /// Whether the identifier is known from the start, as for all but CREATE.
    pub(super) identified: bool,
    pub(super) kind: &'a TypeScenario,
    pub(super) wish: &'a Wish,
}

#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) hooks: Vec<Invocation>,
    /// By time.
    pub(super) steps: Vec<(Timestamp, Step)>,
}

impl Course {
    pub(super) fn draw(rng: &mut Rng, scenario: &Scenario, subject: &Subject<'_>, began_at: Timestamp) -> Self {
        let mut course = Self::default();
        if happens(rng, scenario.never_start) {
            return course;
        }
        let hooks_at = began_at.plus(scenario.pending.draw(rng));
        let mut provisioned_at = hooks_at;
        for hook in &scenario.hooks {
            if happens(rng, hook.share) {
                let ended = course.invoke(rng, hook, hooks_at);
                provisioned_at = provisioned_at.max(ended);
            }
        }
        course.provision(rng, scenario, subject, provisioned_at);
        // Stable: of what falls on the same millisecond, hooks come first, then the request in its order.
        course.steps.sort_by_key(|(at, _)| *at);
        // A hundred thousand requests wait at a time: half of what a growing vector holds is air.
        course.steps.shrink_to_fit();
        course.hooks.shrink_to_fit();
        course
    }

    /// Invokes a hook, once or twice in a row, and returns when it is done.
    fn invoke(&mut self, rng: &mut Rng, hook: &Arc<HookScenario>, mut at: Timestamp) -> Timestamp {
        let invocations = if happens(rng, hook.twice) { 2 } else { 1 };
        for _ in 0..invocations {
            let index = self.hooks.len();
            self.hooks.push(Invocation {
                hook: Arc::clone(hook),
                has_event_time: !happens(rng, hook.without_event_time),
                status: None,
                event_time: None,
                message: None,
            });
            let running = at.plus(hook.pending.draw(rng));
            let ended = running.plus(hook.duration.draw(rng));
            let outcome = rng.f64();
            let (status, message) = if outcome < hook.find_fault {
                (HookStatus::CompleteFailed, &hook.messages.found_fault)
            } else if outcome < hook.find_fault + hook.break_down {
                (HookStatus::Failed, &hook.messages.broke)
            } else {
                (HookStatus::CompleteSucceeded, &hook.messages.passed)
            };
            for (at, status, message) in [
                (at, HookStatus::Pending, None),
                (running, HookStatus::InProgress, None),
                (ended, status, message.as_ref().map(Arc::clone)),
            ] {
                self.steps.push((at, Step::Hook { index, status, message }));
            }
            at = ended;
        }
        at
    }

    fn provision(&mut self, rng: &mut Rng, scenario: &Scenario, subject: &Subject<'_>, at: Timestamp) {
        let kind = subject.kind;
        let drawn = kind.duration.draw(rng);
        let takes = subject.wish.takes.unwrap_or(drawn);
        self.steps.push((
            at,
            Step::Status {
                status: RequestStatus::InProgress,
                error_code: None,
                message: None,
            },
        ));
        let identified_at = 0.2 + 0.4 * rng.f64();
        if !subject.identified {
            self.steps.push((at.plus(part(takes, identified_at)), Step::Identified));
        }
        for (nth, message) in (1_u32..).zip(&kind.messages) {
            let share = f64::from(nth) / (f64::from(nth) + 1.0);
            self.steps
                .push((at.plus(part(takes, share)), Step::Message(subject.fill_in(message))));
        }
        let failure = subject.failure(rng, scenario);
        self.steps.push((
            at.plus(takes),
            match failure {
                Some(failure) => Step::Status {
                    status: RequestStatus::Failed,
                    message: Some(subject.fill_in(&failure.message)),
                    error_code: Some(failure.error_code),
                },
                None => Step::Status {
                    status: RequestStatus::Success,
                    message: None,
                    error_code: None,
                },
            },
        ));
    }
}

impl Subject<'_> {
    fn failure(&self, rng: &mut Rng, scenario: &Scenario) -> Option<Failure> {
        let fails = happens(rng, scenario.fail);
        if let Some(error_code) = &self.wish.fail {
            let message = self
                .wish
                .message
                .clone()
                .unwrap_or_else(|| format!("{error_code}, as asked for."));
            return Some(Failure::new(1.0, error_code.clone(), message));
        }
        let ways = if self.kind.failures.is_empty() {
            &scenario.failures
        } else {
            &self.kind.failures
        };
        let way = weighted(rng, ways.iter().map(|failure| failure.weight))?;
        fails.then(|| ways[way].clone())
    }

    fn fill_in(&self, message: &str) -> Arc<str> {
        message
            .replace("{identifier}", self.identifier)
            .replace("{type}", self.type_name)
            .into()
    }
}

fn part(whole: Duration, share: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * share).map_or(whole, |part| part.min(whole))
}

/// Chooses an index by weight; `None` if there is nothing to choose from.
pub(super) fn weighted(rng: &mut Rng, weights: impl Iterator<Item = f64> + Clone) -> Option<usize> {
    let sum: f64 = weights.clone().filter(|weight| *weight > 0.0).sum();
    let mut left = rng.f64() * sum;
    let mut last = None;
    for (index, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0.0) {
        last = Some(index);
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}
