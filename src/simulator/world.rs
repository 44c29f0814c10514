//! The world: requests that go their way as time passes.
//!
//! A pure state machine: time is an argument, chance comes from a seed, nothing here does I/O. Guarantees, each with a
//! test:
//!
//! - **The same seed, calls and times give the same world**, byte for byte.
//! - **Looking changes nothing**: neither looks, nor faults, nor how finely time is advanced change what happens to any
//!   request. Each request's course is drawn once, from a generator of its own; answers draw from another.
//! - Transitions happen in the order of their time, each at its own time, however far `advance` goes at once.
//! - **A final status is never left**, and nothing happens to a request after its expiry.
//!
//! What is due next is found among four queues, each ordered: the agenda of the requests' next steps (a heap, with one
//! entry a request), the list's arrears, the expiries (requests expire in the order in which they began, so the deque
//! that holds them is that queue), and the next arrival. So an advance costs what happens in it, not what exists.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use super::calls::Calls;
use super::client_token::ClientTokens;
use super::course::Step;
use super::faults::{Bucket, Faults};
use super::listing::{Listing, Position};
use super::place::Place;
use super::request::{Request, View};
use super::resources::{Effect, Resources};
use super::scenario::{ListOrder, Scenario};
use super::spread::until_next;
use super::token::Token;
use super::truth::{Transition, Truth, What};
use crate::model::{ErrorCode, FailureMode, HookStatus, RequestStatus, Timestamp};

/// One account in one Region, and all the requests in it.
#[derive(Debug)]
pub struct World {
    pub(super) scenario: Arc<Scenario>,
    pub(super) place: Place,
    pub(super) faults: Faults,
    pub(super) now: Timestamp,
    /// Draws what other clients do.
    pub(super) others: Rng,
    /// Draws the courses of what clients of the simulator ask for.
    pub(super) clients: Rng,
    /// Draws what answers say and what goes wrong with them.
    pub(super) answers: Rng,
    began_at: Timestamp,
    /// When the next of the others' requests arrives, from `began_at`: finer than a [`Timestamp`], or many in a
    /// millisecond would never get past it.
    pub(super) next_arrival: Option<Duration>,
    /// In the order in which they began; the sequence number of the first is `first`.
    pub(super) requests: VecDeque<Request>,
    pub(super) first: u64,
    pub(super) by_token: HashMap<Token, u64>,
    /// When each open request takes its next step: its sequence number, and the course that the entry belongs to.
    agenda: BinaryHeap<Reverse<(Timestamp, u64, u32)>>,
    /// What the list is still to show, by time.
    arrears: VecDeque<(Timestamp, u64, Arc<View>)>,
    pub(super) listing: Listing,
    pub(super) client_tokens: ClientTokens,
    pub(super) resources: Resources,
    pub(super) bucket: Bucket,
    pub(super) truth: Truth,
    pub(super) calls: Calls,
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Step,
    Arrears,
    Expiry,
    Arrival,
}

impl World {
    /// The world of the account and the Region that the scenario names.
    pub fn new(scenario: Scenario, seed: u64, now: Timestamp) -> Self {
        let place = Place::new(&scenario.account_id, &scenario.region);
        Self::in_place(Arc::new(scenario), place, seed, now)
    }

    pub(super) fn in_place(scenario: Arc<Scenario>, place: Place, seed: u64, now: Timestamp) -> Self {
        let mut root = Rng::with_seed(seed);
        let mut others = root.fork();
        let next_arrival = until_next(&mut others, scenario.arrivals_per_second);
        let faults = scenario.faults.clone();
        Self {
            now,
            began_at: now,
            others,
            clients: root.fork(),
            answers: root.fork(),
            next_arrival,
            requests: VecDeque::new(),
            first: 0,
            by_token: HashMap::new(),
            agenda: BinaryHeap::new(),
            arrears: VecDeque::new(),
            listing: Listing::default(),
            client_tokens: ClientTokens::default(),
            resources: Resources::default(),
            bucket: Bucket::full(faults.throttle, now),
            truth: Truth::default(),
            calls: Calls::default(),
            faults,
            scenario,
            place,
        }
    }

    /// Lets everything happen that is due until `now`, in order. A time before the last one changes nothing.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= now) {
            self.now = self.now.max(at);
            match due {
                Due::Step => self.take_step(),
                Due::Arrears => self.catch_up_list(),
                Due::Expiry => self.expire_first(),
                Due::Arrival => self.arrive(),
            }
        }
        self.now = self.now.max(now);
    }

    /// The time up to which the world has been advanced.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What the service's clock shows now.
    pub fn server_now(&self) -> Timestamp {
        self.faults.clock_skew.shown(self.now)
    }

    /// How many requests are remembered, finished ones included.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// What goes wrong from now on, on a world that has been advanced to now: what was due earlier and did not happen
    /// yet takes its times from the new clock skew.
    pub fn set_faults(&mut self, faults: Faults) {
        self.bucket = Bucket::full(faults.throttle, self.now);
        self.faults = faults;
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What really happened up to the time to which the world has been advanced.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// What clients asked for.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    fn next_due(&self) -> Option<(Timestamp, Due)> {
        // Of what falls on the same millisecond, the first of these goes first.
        [
            (
                self.requests
                    .front()
                    .map(|request| request.began_at.plus(self.scenario.retention)),
                Due::Expiry,
            ),
            (self.agenda.peek().map(|Reverse((at, ..))| *at), Due::Step),
            (self.arrears.front().map(|(at, ..)| *at), Due::Arrears),
            (self.next_arrival.map(|offset| self.began_at.plus(offset)), Due::Arrival),
        ]
        .into_iter()
        .filter_map(|(at, due)| Some((at?, due)))
        .min_by_key(|(at, _)| *at)
    }

    pub(super) fn sequence_of(&self, token: Token) -> Option<u64> {
        self.by_token.get(&token).copied()
    }

    pub(super) fn request(&self, sequence: u64) -> Option<&Request> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.requests.get(index)
    }

    pub(super) fn request_mut(&mut self, sequence: u64) -> Option<&mut Request> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.requests.get_mut(index)
    }

    /// Stops what was to come and cancels the request. What its hooks still do goes on: they know nothing of it.
    pub(super) fn begin_cancelling(&mut self, sequence: u64) {
        let takes = self.scenario.cancelling.draw(&mut self.clients);
        let done_at = self.now.plus(takes);
        self.replan(
            sequence,
            Some((
                done_at,
                Step::Status {
                    status: RequestStatus::CancelComplete,
                    error_code: None,
                    message: None,
                },
            )),
        );
        self.set_status(sequence, RequestStatus::CancelInProgress, None, None);
    }

    /// Drops what was to come of a request but its hooks' steps, and lets it end with `end` instead.
    fn replan(&mut self, sequence: u64, end: Option<(Timestamp, Step)>) {
        if let Some(request) = self.request_mut(sequence) {
            request.steps.retain(|(_, step)| matches!(step, Step::Hook { .. }));
            if let Some((end_at, end)) = end {
                let behind = request.steps.partition_point(|(at, _)| *at <= end_at);
                request.steps.insert(behind, (end_at, end));
            }
            request.course += 1;
        }
        self.schedule(sequence);
    }

    /// Puts a request's next step on the agenda: once for each step and each course, or steps would be taken early.
    pub(super) fn schedule(&mut self, sequence: u64) {
        if let Some(request) = self.request(sequence)
            && let Some((at, _)) = request.steps.front()
        {
            self.agenda.push(Reverse((*at, sequence, request.course)));
        }
    }

    fn take_step(&mut self) {
        let Some(Reverse((_, sequence, course))) = self.agenda.pop() else {
            return;
        };
        let Some(request) = self.request_mut(sequence).filter(|request| request.course == course) else {
            return;
        };
        let Some((_, step)) = request.steps.pop_front() else {
            return;
        };
        self.schedule(sequence);
        match step {
            Step::Status {
                status,
                error_code,
                message,
            } => self.reach(sequence, status, error_code, message),
            Step::Message(message) => {
                self.change(sequence, |view| view.message = Some(Arc::clone(&message)));
                self.record_of(sequence, |_| What::Message { message });
            }
            Step::Identified => {
                self.change(sequence, |view| view.identified = true);
                self.record_of(sequence, |request| What::Identified {
                    identifier: Arc::clone(&request.identifier),
                });
            }
            Step::Hook { index, status, message } => self.move_hook(sequence, index, status, message),
        }
    }

    /// Lets a request reach the status that its course holds, unless what it asks for turns out to be impossible.
    fn reach(
        &mut self,
        sequence: u64,
        status: RequestStatus,
        error_code: Option<ErrorCode>,
        message: Option<Arc<str>>,
    ) {
        let index = usize::try_from(sequence - self.first).unwrap_or(usize::MAX);
        if status == RequestStatus::Success
            && let Some(request) = self.requests.get(index)
            && let Err(failure) = self.resources.settle(&Effect {
                operation: &request.operation,
                type_name: &request.type_name,
                identifier: &request.identifier,
                model: request.resource_model.as_ref(),
                by_client: request.by_client,
            })
        {
            let message = Some(failure.message.into());
            self.set_status(sequence, RequestStatus::Failed, Some(failure.error_code), message);
        } else {
            self.set_status(sequence, status, error_code, message);
        }
    }

    fn set_status(
        &mut self,
        sequence: u64,
        status: RequestStatus,
        error_code: Option<ErrorCode>,
        message: Option<Arc<str>>,
    ) {
        if status.is_final() {
            self.end_work(sequence);
        }
        self.change(sequence, |view| {
            view.status = status.clone();
            view.error_code = error_code.clone();
            view.message = message.clone();
        });
        self.record_of(sequence, |_| What::Status {
            status,
            error_code,
            message,
        });
    }

    /// Lets other requests work on the resource of this one.
    fn end_work(&mut self, sequence: u64) {
        let request = request_at(&mut self.requests, self.first, sequence);
        if let Some(request) = request.filter(|request| request.by_client) {
            self.resources
                .end_work(&request.type_name, &request.identifier, sequence);
        }
    }

    fn move_hook(&mut self, sequence: u64, index: usize, status: HookStatus, message: Option<Arc<str>>) {
        let server_now = self.server_now();
        let Some(request) = self.request_mut(sequence) else {
            return;
        };
        let open = !request.view.status.is_final() && request.view.status != RequestStatus::CancelInProgress;
        let Some(invocation) = request.hooks.get_mut(index) else {
            return;
        };
        invocation.status = Some(status.clone());
        invocation.event_time = invocation.has_event_time.then_some(server_now);
        invocation.message = message.clone();
        let hook = &invocation.hook;
        let name = Arc::clone(&hook.hook_type_name);
        let failure_mode = hook.failure_mode.clone();
        let stops = open && failure_mode == FailureMode::Fail && status.is_failure();
        self.record_of(sequence, |_| What::Hook {
            index,
            hook_type_name: Arc::clone(&name),
            failure_mode,
            status,
            message,
        });
        if stops {
            self.replan(sequence, None);
            let message = format!("The following hook(s) failed: [{name}]");
            let code = ErrorCode::GeneralServiceException;
            self.set_status(sequence, RequestStatus::Failed, Some(code), Some(message.into()));
        }
    }

    /// Changes what is shown of a request, at once to who asks for it and, when its time has come, to who lists.
    fn change(&mut self, sequence: u64, change: impl FnOnce(&mut View)) {
        let server_now = self.server_now();
        let Some(request) = self.request_mut(sequence) else {
            return;
        };
        let mut view = View::clone(&request.view);
        change(&mut view);
        view.event_time = server_now;
        request.view = Arc::new(view);
        let view = Arc::clone(&request.view);
        self.show_in_list(sequence, view);
    }

    pub(super) fn show_in_list(&mut self, sequence: u64, view: Arc<View>) {
        if self.scenario.list_lag.is_zero() {
            self.list(sequence, view);
        } else {
            self.arrears
                .push_back((self.now.plus(self.scenario.list_lag), sequence, view));
        }
    }

    fn catch_up_list(&mut self) {
        if let Some((_, sequence, view)) = self.arrears.pop_front() {
            self.list(sequence, view);
        }
    }

    /// Lists a request with this view from now on.
    fn list(&mut self, sequence: u64, view: Arc<View>) {
        let Some(request) = request_at(&mut self.requests, self.first, sequence) else {
            return;
        };
        let position = position(self.scenario.list_order, request, sequence);
        if let Some(earlier) = request.listed.take() {
            self.listing
                .remove(request.operation_shown(&earlier), &earlier.status, position);
        }
        self.listing
            .insert(request.operation_shown(&view), &view.status, position, sequence);
        request.listed = Some(view);
    }

    fn expire_first(&mut self) {
        self.end_work(self.first);
        let Some(request) = self.requests.pop_front() else {
            return;
        };
        let position = position(self.scenario.list_order, &request, self.first);
        self.first += 1;
        self.by_token.remove(&request.token);
        if let Some(listed) = &request.listed {
            self.listing
                .remove(request.operation_shown(listed), &listed.status, position);
        }
        self.record(request.token, What::Expired);
    }

    fn record_of(&mut self, sequence: u64, what: impl FnOnce(&Request) -> What) {
        if let Some(request) = self.request(sequence) {
            let token = request.token;
            let what = what(request);
            self.record(token, what);
        }
    }

    pub(super) fn record(&mut self, request_token: Token, what: What) {
        let transition = Transition {
            at: self.now,
            server_at: self.server_now(),
            request_token,
            what,
        };
        self.truth.push(transition, self.scenario.truth_limit);
    }
}

fn request_at(requests: &mut VecDeque<Request>, first: u64, sequence: u64) -> Option<&mut Request> {
    let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
    requests.get_mut(index)
}

fn position(order: ListOrder, request: &Request, sequence: u64) -> Position {
    match order {
        ListOrder::Unordered => request.token.as_u128(),
        ListOrder::NewestFirst => Position::from(u64::MAX - sequence),
        ListOrder::OldestFirst => Position::from(sequence),
    }
}

#[cfg(test)]
#[path = "world_law_tests.rs"]
mod law_tests;
#[cfg(test)]
#[path = "world_list_tests.rs"]
mod list_tests;
#[cfg(test)]
#[path = "world_tests.rs"]
pub(super) mod tests;
