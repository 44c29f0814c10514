//! The two calls that look, and nothing of the SDK in their results.

use std::sync::Arc;

use aws_sdk_cloudcontrol::operation::get_resource_request_status::GetResourceRequestStatusError;
use aws_sdk_cloudcontrol::types::{OperationStatus, ResourceRequestStatusFilter};
use tokio::sync::Semaphore;

use super::answer::{self, Inspector};
use super::failure::{Cause, Failure};
use crate::config::ResourceModelPolicy;
use crate::model::{HookProgressEvent, ProgressEvent, RequestStatus, RequestToken, Timestamp};

/// A client for one target.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: aws_sdk_cloudcontrol::Client,
    /// Lets so many calls to the endpoint go at once.
    gate: Arc<Semaphore>,
    resource_model: ResourceModelPolicy,
}

/// An answer or a failure, with the `Date` header that came with either: an error of the service's tells its time as well
/// as a success does. One of something on the way (a proxy) does not.
#[derive(Debug)]
pub struct Answer<T> {
    pub result: Result<T, Failure>,
    pub date: Option<Timestamp>,
}

/// A NextToken has 2,048 characters at the most, a page 100 events; what is beyond a few times that is not Cloud Control.
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResourceRequests.html>
const LONGEST_TOKEN: usize = 8 * 1024;
const MOST_EVENTS: usize = 500;

/// One page of a list.
#[derive(Debug, Default)]
pub struct Page {
    pub events: Vec<ProgressEvent>,
    /// Where the next page begins; `None` on the last. A page may be short, even empty, and not be the last (trap 10).
    pub next: Option<String>,
    /// Entries without a request token, which are about nothing.
    pub without_token: usize,
    /// Whether the answer held a list at all. `{}` parses as an answer, and can be an empty list or something on the way
    /// that answers everything so.
    pub is_list: bool,
}

impl<T> Answer<T> {
    fn new(result: Result<T, Failure>, date: Option<Timestamp>) -> Self {
        let is_of_the_service = result
            .as_ref()
            .map_or_else(|failure| failure.is_of_the_service, |_| true);
        Self {
            result,
            date: date.filter(|_| is_of_the_service),
        }
    }
}

/// What a Get showed.
#[derive(Debug)]
pub enum Looked {
    Seen(Box<ProgressEvent>, Vec<HookProgressEvent>),
    /// RequestTokenNotFoundException.
    Gone,
}

impl Client {
    pub(super) fn new(
        sdk: aws_sdk_cloudcontrol::Client,
        gate: Arc<Semaphore>,
        resource_model: ResourceModelPolicy,
    ) -> Self {
        Self {
            sdk,
            gate,
            resource_model,
        }
    }

    /// ListResourceRequests, 100 at a time. No statuses means all of them, unknown ones too. There is no filter by
    /// operation: some FAILED summaries lack theirs and would be dropped (trap 6).
    pub async fn list(&self, statuses: &[RequestStatus], next: Option<&str>) -> Answer<Page> {
        let filter = (!statuses.is_empty()).then(|| {
            let statuses = statuses
                .iter()
                .map(|status| OperationStatus::from(status.as_str()))
                .collect();
            ResourceRequestStatusFilter::builder()
                .set_operation_statuses(Some(statuses))
                .build()
        });
        let inspector = Inspector::default();
        // Never closed, so this is only ever a wait.
        let _turn = self.gate.acquire().await;
        let call = self
            .sdk
            .list_resource_requests()
            .max_results(100)
            .set_next_token(next.map(ToOwned::to_owned))
            .set_resource_request_status_filter(filter)
            .customize()
            .interceptor(inspector.clone())
            .send();
        // Boxed: thousands of targets that wait for their time need no room for a call that is under way.
        let answer = Box::pin(call).await;
        let result = answer.map_err(|error| Failure::of(&error)).and_then(|output| {
            let mut page = Page {
                next: output.next_token().filter(|token| !token.is_empty()).map(str::to_owned),
                is_list: output.resource_request_status_summaries.is_some(),
                ..Page::default()
            };
            let too_long = page.next.as_ref().is_some_and(|token| token.len() > LONGEST_TOKEN);
            if too_long || output.resource_request_status_summaries().len() > MOST_EVENTS {
                return Err(Failure::new(
                    Cause::Malformed,
                    "a page of a size that Cloud Control never sends",
                ));
            }
            for summary in output.resource_request_status_summaries.unwrap_or_default() {
                match answer::progress_event(summary, None, self.resource_model) {
                    Some(event) => page.events.push(event),
                    None => page.without_token += 1,
                }
            }
            Ok(page)
        });
        Answer::new(result, inspector.date())
    }

    /// GetResourceRequestStatus.
    pub async fn get(&self, token: &RequestToken) -> Answer<Looked> {
        let inspector = Inspector::default();
        // Never closed, so this is only ever a wait.
        let _turn = self.gate.acquire().await;
        let call = self
            .sdk
            .get_resource_request_status()
            .request_token(token.as_str())
            .customize()
            .interceptor(inspector.clone())
            .send();
        let answer = Box::pin(call).await;
        let result = match answer {
            Ok(output) => {
                let hooks = output.hooks_progress_event.unwrap_or_default();
                output
                    .progress_event
                    .and_then(|event| answer::progress_event(event, Some(token), self.resource_model))
                    // What is about another request than the one asked for is no answer.
                    .filter(|event| event.request_token == *token)
                    .map(|event| Looked::Seen(Box::new(event), hooks.into_iter().map(answer::hook).collect()))
                    .ok_or_else(|| Failure::new(Cause::Malformed, "the answer holds no ProgressEvent of this request"))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetResourceRequestStatusError::is_request_token_not_found_exception) =>
            {
                Ok(Looked::Gone)
            }
            Err(error) => Err(Failure::of(&error)),
        };
        Answer::new(result, inspector.date())
    }
}
