//! Known state + sighting → what to remember and what is news.
//!
//! Guarantees, which the properties below hold, and `history`'s over a real file:
//!
//! - The same sighting again is no difference (law 1): nothing is written, nothing is told.
//! - A status never goes back. A final one is never left (law 2), and among the open ones PENDING → IN_PROGRESS →
//!   CANCEL_IN_PROGRESS is one-way: List and Get may disagree for a moment (trap 16), and a page that was overtaken must
//!   not look like news. A sighting that goes back is an *echo*: it may fill in what is still unknown, no more.
//! - What is absent erases nothing: every member of an answer is optional, and List and Get leave out different ones.
//! - EventTime orders nothing. The earliest seen is kept as the start, and a new one alone is progress but no news.
//! - What was already finished when a target's baseline began is remembered with its hooks and never told (law 6).
//!
//! RetryAfter by itself moves with every look and is schedule, not progress: it is kept with the request, and makes
//! neither an event nor a change.

use std::time::Duration;

use crate::model::{
    Change, ChangeKind, HookKey, HookProgressEvent, HookState, HookStatus, Phase, ProgressEvent, RequestState,
    RequestStatus, Seen, Sighting, Source, Timestamp,
};

/// How long the service remembers a request.
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-manage-requests.html>
pub const RETENTION: Duration = Duration::from_hours(168);

/// A token that is unknown before its retention is over may be a service that has not caught up with itself, or
/// credentials for the wrong account. It is believed after this many looks in a row.
const GONE_LOOKS_TO_BELIEVE: u32 = 3;

/// Gets that a finished request's hooks are worth at the most; `cadence` spreads them over a quarter of an hour.
pub const FINAL_LOOKS: u32 = 5;

/// How far a target's first sweep is, and when it began on the server's clock: what tells old news from new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Still going on. What first shows itself finished, with an earlier event time or none, was finished before anyone
    /// asked.
    Since(Timestamp),
    /// Done. Pages shift (trap 10), so it may have missed something: what first shows itself finished with an earlier event
    /// time is old news even now.
    Complete(Timestamp),
}

/// What a sighting differs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is to be remembered from now on.
    pub state: RequestState,
    /// Whether the sighting's event belongs into the history of progress events.
    pub is_progress: bool,
    /// The hooks whose state differs, as they are now: each one an event for the history of hooks.
    pub hooks: Vec<HookState>,
    /// What is news, in the order in which it is told: hooks run before the provisioning that they guard
    /// (PRE_PROVISION), so a hook's change comes before that of its request where one look shows both.
    pub changes: Vec<Change>,
}

/// Compares a sighting with what is known. `None` means: nothing to write and nothing to tell.
pub fn diff(known: Option<&RequestState>, sighting: &Sighting, baseline: Baseline) -> Option<Difference> {
    match &sighting.seen {
        Seen::Gone => known.and_then(|known| gone(known, sighting.seen_at)),
        Seen::Event(event, hooks) => seen(known, sighting, event, hooks.as_deref(), baseline),
    }
}

fn gone(known: &RequestState, at: Timestamp) -> Option<Difference> {
    let mut state = known.clone();
    let mut changes = Vec::new();
    match known.phase {
        Phase::Lost => return None,
        Phase::Finished if known.final_looks_left == 0 => return None,
        // Its hooks can no longer be read; what is known of them stays.
        Phase::Finished => state.final_looks_left = 0,
        // A sighting that was counted already, or one that it overtook: no further look (law 1).
        Phase::Open if known.gone_at.is_some_and(|gone_at| at <= gone_at) => return None,
        Phase::Open => {
            state.gone_looks += 1;
            state.gone_at = Some(at);
            let expired = at.since(known.first_seen_at) >= RETENTION
                || known.started_at.is_some_and(|started| at.since(started) >= RETENTION);
            if expired || state.gone_looks >= GONE_LOOKS_TO_BELIEVE {
                state.phase = Phase::Lost;
                changes.push(Change {
                    kind: ChangeKind::RequestLost,
                    at,
                    event_time: None,
                    from: known.status.as_ref().map(ToString::to_string),
                    to: None,
                    error_code: None,
                    message: Some(lost_message(known, expired)),
                    hook: None,
                });
            }
        }
    }
    Some(Difference {
        state,
        is_progress: false,
        hooks: Vec::new(),
        changes,
    })
}

fn lost_message(known: &RequestState, expired: bool) -> String {
    let why = if expired {
        "Cloud Control no longer knows the request: seven days have passed"
    } else {
        "Cloud Control does not know the request (RequestTokenNotFound), though it is younger than seven days"
    };
    let status = known.status.as_ref().map_or("none", RequestStatus::as_str);
    format!("{why}. Its last known status was {status}; how it ended is not known.")
}

fn seen(
    known: Option<&RequestState>,
    sighting: &Sighting,
    event: &ProgressEvent,
    hook_events: Option<&[HookProgressEvent]>,
    baseline: Baseline,
) -> Option<Difference> {
    let at = sighting.seen_at;
    let is_new = known.is_none();
    let mut state = known.cloned().unwrap_or_else(|| first_sight(event, at, baseline));
    let echo = goes_back(&state, event.status.as_ref());

    fill_in(&mut state, event, sighting.source);
    let status_before = state.status.clone();
    let is_progress = if echo {
        false
    } else {
        advance(&mut state, event, at, is_new)
    };

    let seen_hooks = hook_events.map_or_else(Vec::new, |events| merge_hooks(&mut state.hooks, events, at));
    owe_final_looks(&mut state, known);
    let counted = sighting.source == Source::Get && count_final_look(&mut state, known, at);

    let mut changes = Vec::new();
    if state.announced {
        changes.extend(seen_hooks.iter().filter_map(|hook| hook_change(hook, at)));
        changes.extend(request_change(
            status_before.as_ref(),
            &state,
            event,
            known,
            is_progress,
            at,
        ));
    }
    // A finished request that a sweep shows again unchanged is not written again for the sake of `last_seen_at` alone
    // (once an hour is enough); an open one is.
    let refreshes = match state.phase {
        Phase::Open => at > state.last_seen_at,
        Phase::Finished | Phase::Lost => at.since(state.last_seen_at) >= Duration::from_hours(1),
    };
    if refreshes || is_progress || counted {
        state.last_seen_at = at.max(state.last_seen_at);
    }
    if known == Some(&state) {
        return None;
    }
    Some(Difference {
        state,
        is_progress,
        hooks: seen_hooks.into_iter().map(|seen| seen.now).collect(),
        changes,
    })
}

fn first_sight(event: &ProgressEvent, at: Timestamp, baseline: Baseline) -> RequestState {
    let finished = event.status.as_ref().is_some_and(RequestStatus::is_final);
    let old_news = finished
        && match baseline {
            Baseline::Since(start) => event.event_time.is_none_or(|time| time < start),
            Baseline::Complete(start) => event.event_time.is_some_and(|time| time < start),
        };
    RequestState {
        hooks_request_token: None,
        type_name: None,
        identifier: None,
        operation: None,
        status: None,
        error_code: None,
        status_message: None,
        event_time: None,
        started_at: None,
        retry_after: None,
        phase: Phase::Open,
        first_seen_at: at,
        last_seen_at: at,
        finished_at: None,
        final_looks_left: 0,
        gone_looks: 0,
        gone_at: None,
        announced: !old_news,
        resource_model: None,
        hooks: Vec::new(),
    }
}

/// Whether this status lies behind the one that is known. Unknown words have no place in the order: they are taken as
/// they come, but leave a final status no more than any other.
fn goes_back(state: &RequestState, status: Option<&RequestStatus>) -> bool {
    let rank = |status: &RequestStatus| match status {
        RequestStatus::Pending => Some(0),
        RequestStatus::InProgress => Some(1),
        RequestStatus::CancelInProgress => Some(2),
        RequestStatus::Success | RequestStatus::Failed | RequestStatus::CancelComplete => Some(3),
        RequestStatus::Other(_) => None,
    };
    let Some(known) = &state.status else { return false };
    let Some(status) = status else { return known.is_final() };
    if known.is_final() {
        return status != known;
    }
    matches!((rank(status), rank(known)), (Some(new), Some(old)) if new < old)
}

/// What any sighting may contribute, an echo too: the members that a request has once and for all, and its start.
fn fill_in(state: &mut RequestState, event: &ProgressEvent, source: Source) {
    fn set_once<T: Clone>(known: &mut Option<T>, new: Option<&T>) {
        if known.is_none() {
            *known = new.cloned();
        }
    }
    set_once(&mut state.hooks_request_token, event.hooks_request_token.as_ref());
    set_once(&mut state.type_name, event.type_name.as_ref());
    set_once(&mut state.operation, event.operation.as_ref());
    set_once(&mut state.identifier, event.identifier.as_ref());
    set_once(&mut state.resource_model, event.resource_model.as_ref());
    state.started_at = match (state.started_at, event.event_time) {
        (Some(known), Some(new)) => Some(known.min(new)),
        (known, new) => known.or(new),
    };
    if state.phase != Phase::Finished {
        // A Get says how it is. A list may be behind, and a call that acts answers with none, at most: obeying an older
        // RetryAfter, or forgetting it, would be a look too early, so these can only put the next Get off.
        state.retry_after = match source {
            Source::Get => event.retry_after,
            Source::List | Source::Call => state.retry_after.max(event.retry_after),
        };
    }
    state.gone_looks = 0;
    state.gone_at = None;
}

/// Takes over what a sighting that is no echo says. Returns whether it is progress.
fn advance(state: &mut RequestState, event: &ProgressEvent, at: Timestamp, is_new: bool) -> bool {
    fn replace<T: Clone + PartialEq>(known: &mut Option<T>, new: Option<&T>) -> bool {
        match new {
            Some(new) if known.as_ref() != Some(new) => {
                *known = Some(new.clone());
                true
            }
            _ => false,
        }
    }
    let status = replace(&mut state.status, event.status.as_ref());
    // A new status brings its own message and error code, or none: those of the status before do not stay with it.
    if status {
        state.error_code = None;
        state.status_message = None;
    }
    let error_code = replace(&mut state.error_code, event.error_code.as_ref());
    let message = replace(&mut state.status_message, event.status_message.as_ref());
    let identifier = replace(&mut state.identifier, event.identifier.as_ref());
    replace(&mut state.resource_model, event.resource_model.as_ref());

    let was_finished = state.phase == Phase::Finished;
    let time = event.event_time > state.event_time;
    if time {
        state.event_time = event.event_time;
    }
    if state.status.as_ref().is_some_and(RequestStatus::is_final) {
        state.phase = Phase::Finished;
        state.retry_after = None;
        if !was_finished {
            state.finished_at = Some(finished_at(state, event, at, is_new));
        }
    } else {
        // It may have been given up for lost.
        state.phase = Phase::Open;
    }
    is_new || status || error_code || message || identifier || (time && !was_finished)
}

/// When it ended. EventTime is documented as the time of initiation but seen to move, so it is taken for the end only
/// where it lies after the start; a request that was first seen finished leaves nothing better to go by.
fn finished_at(state: &RequestState, event: &ProgressEvent, at: Timestamp, is_new: bool) -> Timestamp {
    match event.event_time {
        Some(time) if is_new || Some(time) > state.started_at => time,
        _ => at,
    }
}

fn request_change(
    before: Option<&RequestStatus>,
    state: &RequestState,
    event: &ProgressEvent,
    known: Option<&RequestState>,
    is_progress: bool,
    at: Timestamp,
) -> Option<Change> {
    if !is_progress {
        return None;
    }
    let kind = if before == state.status.as_ref() {
        let known = known?;
        let detail = |state: &RequestState| {
            (
                state.error_code.clone(),
                state.status_message.clone(),
                state.identifier.clone(),
            )
        };
        if detail(known) == detail(state) {
            return None;
        }
        ChangeKind::RequestDetail
    } else {
        ChangeKind::RequestStatus
    };
    Some(Change {
        kind,
        at,
        event_time: event.event_time,
        from: before.map(ToString::to_string),
        to: state.status.as_ref().map(ToString::to_string),
        error_code: state.error_code.clone(),
        message: state.status_message.clone(),
        hook: None,
    })
}

/// Fills `final_looks_left` when a guarded request is first known to have ended.
fn owe_final_looks(state: &mut RequestState, known: Option<&RequestState>) {
    let was_owed = known.is_some_and(|known| known.phase == Phase::Finished && known.hooks_request_token.is_some());
    if state.phase == Phase::Finished && state.hooks_request_token.is_some() && !was_owed {
        state.final_looks_left = FINAL_LOOKS;
    }
}

/// Counts a Get of a request that has ended: one less, and none once all its hooks are final. Where it shows no hooks,
/// there are none or they were left out: one more, the last and latest, tells. The same Get counts once (law 1).
fn count_final_look(state: &mut RequestState, known: Option<&RequestState>, at: Timestamp) -> bool {
    let is_first = state.final_looks_left == FINAL_LOOKS;
    if state.final_looks_left == 0 || !(is_first || known.is_none_or(|known| at > known.last_seen_at)) {
        return false;
    }
    let left = state.final_looks_left - 1;
    state.final_looks_left = match state.hooks.as_slice() {
        [] => left.min(1),
        hooks if hooks.iter().all(HookState::is_final) => 0,
        _ => left,
    };
    true
}

/// A hook whose state differs, with the status that was known before.
struct SeenHook {
    before: Option<HookState>,
    now: HookState,
}

/// Compares the invocations in an answer with the known ones.
///
/// An invocation has no id (trap 14), and the order of the answer is not promised, so within one hook and point they
/// are paired in three steps: first those that say just what is known, then, in order, those that are left with the
/// known ones that have not ended, then with those that have. What remains is a new invocation. There are thus never
/// more of them than one answer held at once, and an answer in another order is no difference.
fn merge_hooks(known: &mut Vec<HookState>, events: &[HookProgressEvent], at: Timestamp) -> Vec<SeenHook> {
    let mut seen = Vec::new();
    let mut paired = vec![false; known.len()];
    let mut left: Vec<&HookProgressEvent> = Vec::new();
    for event in events {
        let same = (0..known.len())
            .find(|&i| !paired[i] && is_same_hook(&known[i].key, event) && says_the_same(&known[i], event));
        match same {
            Some(i) => paired[i] = true,
            None => left.push(event),
        }
    }
    for event in left {
        let mut candidates = (0..paired.len()).filter(|&i| !paired[i] && is_same_hook(&known[i].key, event));
        let first = candidates
            .clone()
            .find(|&i| !known[i].is_final())
            .or_else(|| candidates.next());
        let Some(i) = first else {
            let now = new_invocation(known, event, at);
            known.push(now.clone());
            seen.push(SeenHook { before: None, now });
            continue;
        };
        paired[i] = true;
        let before = known[i].clone();
        if advance_hook(&mut known[i], event, at) {
            seen.push(SeenHook {
                before: Some(before),
                now: known[i].clone(),
            });
        }
    }
    known.sort_by(|a, b| a.key.cmp(&b.key));
    seen
}

fn is_same_hook(key: &HookKey, event: &HookProgressEvent) -> bool {
    key.hook_type_name == event.hook_type_name
        && key.hook_type_arn == event.hook_type_arn
        && key.hook_type_version_id == event.hook_type_version_id
        && key.invocation_point == event.invocation_point
}

fn says_the_same(known: &HookState, event: &HookProgressEvent) -> bool {
    known.status == event.status
        && known.event_time == event.event_time
        && known.status_message == event.status_message
        && known.failure_mode == event.failure_mode
}

fn new_invocation(known: &[HookState], event: &HookProgressEvent, at: Timestamp) -> HookState {
    let ordinal = known.iter().filter(|hook| is_same_hook(&hook.key, event)).count();
    HookState {
        key: HookKey {
            hook_type_name: event.hook_type_name.clone(),
            hook_type_arn: event.hook_type_arn.clone(),
            hook_type_version_id: event.hook_type_version_id.clone(),
            invocation_point: event.invocation_point.clone(),
            ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
        },
        status: event.status.clone(),
        status_message: event.status_message.clone(),
        failure_mode: event.failure_mode.clone(),
        event_time: event.event_time,
        first_seen_at: at,
        finished_at: event
            .status
            .as_ref()
            .is_some_and(HookStatus::is_final)
            .then(|| event.event_time.unwrap_or(at)),
    }
}

/// Takes over what an answer says of a known invocation. Returns whether it differs. A final status is never left, and
/// HOOK_IN_PROGRESS does not go back to HOOK_PENDING.
fn advance_hook(hook: &mut HookState, event: &HookProgressEvent, at: Timestamp) -> bool {
    let goes_back = match (&hook.status, &event.status) {
        (Some(known), Some(new)) if known.is_final() => known != new,
        (Some(HookStatus::InProgress), Some(HookStatus::Pending)) => true,
        (Some(known), None) => known.is_final(),
        _ => false,
    };
    if goes_back {
        return false;
    }
    let before = hook.clone();
    let was_final = hook.is_final();
    if event.status.is_some() && event.status != hook.status {
        hook.status = event.status.clone();
        hook.status_message = None;
    }
    if event.status_message.is_some() {
        hook.status_message = event.status_message.clone();
    }
    if event.failure_mode.is_some() {
        hook.failure_mode = event.failure_mode.clone();
    }
    hook.event_time = hook.event_time.max(event.event_time);
    if hook.is_final() && !was_final {
        hook.finished_at = Some(event.event_time.unwrap_or(at));
    }
    before != *hook
}

fn hook_change(hook: &SeenHook, at: Timestamp) -> Option<Change> {
    let before = hook.before.as_ref();
    let before_status = before.and_then(|before| before.status.as_ref());
    let kind = if before_status == hook.now.status.as_ref() {
        let before = before?;
        if before.status_message == hook.now.status_message && before.failure_mode == hook.now.failure_mode {
            return None;
        }
        ChangeKind::HookDetail
    } else {
        ChangeKind::HookStatus
    };
    Some(Change {
        kind,
        at,
        event_time: hook.now.event_time,
        from: before_status.map(ToString::to_string),
        to: hook.now.status.as_ref().map(ToString::to_string),
        error_code: None,
        message: hook.now.status_message.clone(),
        hook: Some(hook.now.key.clone()),
    })
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
