//! What clients may ask of requests: to look at one, to list them, to cancel one.

use std::sync::Arc;

use super::event::{HookProgressEvent, ProgressEvent};
use super::faults::happens;
use super::listing::{Filter, Position};
use super::refusal::Refusal;
use super::token::Token;
use super::world::World;
use crate::model::{RequestStatus, Timestamp};

/// One page of a listing is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// 1 to 100.
    pub max_results: usize,
    /// The entry after which the page begins.
    pub after: Option<Position>,
    pub filter: Filter,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub entries: Vec<ProgressEvent>,
    /// Where the next page goes on; `None` at the end.
    pub next: Option<Position>,
}

/// How many entries a shifting page begins early or late.
const SHIFT: usize = 3;

impl World {
    /// Cancels a request that is PENDING or IN_PROGRESS. Once more changes nothing; one that finished can't be.
    pub fn cancel(&mut self, token: &str) -> Result<ProgressEvent, Refusal> {
        let sequence = self.find(token)?;
        let request = self
            .request(sequence)
            .ok_or_else(|| Refusal::request_token_not_found(token))?;
        match &request.view.status {
            RequestStatus::Pending | RequestStatus::InProgress | RequestStatus::Other(_) => {
                self.begin_cancelling(sequence);
            }
            RequestStatus::CancelInProgress | RequestStatus::CancelComplete => {}
            finished @ (RequestStatus::Success | RequestStatus::Failed) => {
                return Err(Refusal::already_finished(request.token, finished));
            }
        }
        self.answer_without_retry_after(sequence)
    }

    /// GetResourceRequestStatus: the request as it is, with its hooks. Counted as an early look if it is one.
    pub fn look(&mut self, token: &str) -> Result<(ProgressEvent, Vec<HookProgressEvent>), Refusal> {
        let sequence = self.find(token)?;
        let server_now = self.server_now();
        let not_found = || Refusal::request_token_not_found(token);
        let request = self.request(sequence).ok_or_else(not_found)?;
        let early = request.advertised.is_some_and(|retry_after| server_now < retry_after);
        let view = Arc::clone(&request.view);
        let mut hooks = request.hook_events(&self.place);
        let retry_after = self.draw_retry_after(&view.status);
        let request = self.request(sequence).ok_or_else(not_found)?;
        let mut event = request.event(sequence, &view, retry_after);
        if early {
            self.calls.count_early_look("GetResourceRequestStatus");
        }
        event.mar(&mut self.answers, &self.faults);
        for hook in &mut hooks {
            hook.mar(&mut self.answers, &self.faults);
        }
        Ok((event, hooks))
    }

    /// One page of ListResourceRequests.
    pub fn page(&mut self, query: &ListQuery) -> Page {
        let (after, skipped) = self.shift(query);
        let mut found: Vec<(Position, u64)> = self
            .listing
            .after(after, &query.filter)
            .skip(skipped)
            .take(query.max_results + 1)
            .collect();
        let next = self.cut_page(&mut found, query.max_results, query.after);
        let entries = found
            .into_iter()
            .filter_map(|(_, sequence)| self.entry(sequence))
            .collect();
        Page { entries, next }
    }

    /// Cuts what was found, with one more if there is more, to a page, and says where the next one goes on.
    pub(super) fn cut_page<T>(
        &mut self,
        found: &mut Vec<(Position, T)>,
        max_results: usize,
        after: Option<Position>,
    ) -> Option<Position> {
        let more = found.len() > max_results;
        found.truncate(max_results);
        let next = found.last().filter(|_| more).map(|(position, _)| *position)?;
        let repeats = after.is_some() && happens(&mut self.answers, self.faults.repeated_next_tokens);
        if repeats { after } else { Some(next) }
    }

    fn entry(&mut self, sequence: u64) -> Option<ProgressEvent> {
        let view = Arc::clone(self.request(sequence)?.listed.as_ref()?);
        let retry_after = self.draw_retry_after(&view.status);
        let mut event = self.request(sequence)?.event(sequence, &view, retry_after);
        event.mar(&mut self.answers, &self.faults);
        Some(event)
    }

    /// Takes note of what List and Get told a client, once the answer is sure to reach it.
    pub(super) fn told<'a>(&mut self, events: impl IntoIterator<Item = &'a ProgressEvent>) {
        let server_now = self.server_now();
        for event in events {
            let Some(request) = self.request_mut(event.sequence) else {
                continue;
            };
            let before = std::mem::replace(&mut request.advertised, event.retry_after);
            if let Some(retry_after) = before.filter(|retry_after| *retry_after <= server_now) {
                self.calls.lateness.record(server_now.since(retry_after));
            }
        }
    }

    /// Where a page begins, and how many entries it passes over, if pages shift.
    fn shift(&mut self, query: &ListQuery) -> (Option<Position>, usize) {
        let Some(after) = query.after else { return (None, 0) };
        if !happens(&mut self.answers, self.faults.shifting_pages) {
            return (Some(after), 0);
        }
        if self.answers.bool() {
            (Some(after), SHIFT)
        } else {
            (self.listing.before(after, SHIFT, &query.filter), 0)
        }
    }

    fn find(&self, token: &str) -> Result<u64, Refusal> {
        Token::parse(token)
            .and_then(|token| self.sequence_of(token))
            .ok_or_else(|| Refusal::request_token_not_found(token))
    }

    fn draw_retry_after(&mut self, status: &RequestStatus) -> Option<Timestamp> {
        if status.is_final() {
            return None;
        }
        let policy = &self.scenario.retry_after;
        let kind = self.answers.f64();
        let server_now = self.server_now();
        if kind < policy.absent {
            None
        } else if kind < policy.absent + policy.past {
            Some(server_now.minus(policy.after.draw(&mut self.answers)))
        } else if kind < policy.absent + policy.past + policy.far {
            Some(server_now.plus(policy.far_after))
        } else {
            Some(server_now.plus(policy.after.draw(&mut self.answers)))
        }
    }

    /// The answers of Create, Update, Delete and Cancel.
    pub(super) fn answer_without_retry_after(&mut self, sequence: u64) -> Result<ProgressEvent, Refusal> {
        // What was found or begun a moment ago is there: without it, the service has lost its mind.
        let request = self.request(sequence).ok_or_else(Refusal::internal_failure)?;
        let mut event = request.event(sequence, &request.view, None);
        event.mar(&mut self.answers, &self.faults);
        Ok(event)
    }
}
