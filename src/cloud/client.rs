//! The two calls that look, and nothing of the SDK in their results.

use aws_sdk_cloudcontrol::operation::get_resource_request_status::GetResourceRequestStatusError;
use aws_sdk_cloudcontrol::types::{OperationStatus, ResourceRequestStatusFilter};

use super::answer::{self, Inspector};
use super::failure::{Cause, Failure};
use crate::config::ResourceModelPolicy;
use crate::model::{HookProgressEvent, ProgressEvent, RequestStatus, RequestToken, Timestamp};

/// A client for one target.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: aws_sdk_cloudcontrol::Client,
    resource_model: ResourceModelPolicy,
}

/// An answer or a failure, with the `Date` header that came with either: an error tells the server's time as well as a
/// success does.
#[derive(Debug)]
pub struct Answer<T> {
    pub result: Result<T, Failure>,
    pub date: Option<Timestamp>,
}

/// One page of a list.
#[derive(Debug, Default)]
pub struct Page {
    pub events: Vec<ProgressEvent>,
    /// Where the next page begins; `None` on the last. A page may be short, even empty, and not be the last (trap 10).
    pub next: Option<String>,
    /// Entries without a request token, which are about nothing.
    pub without_token: usize,
}

/// What a Get showed.
#[derive(Debug)]
pub enum Looked {
    Seen(Box<ProgressEvent>, Vec<HookProgressEvent>),
    /// RequestTokenNotFoundException.
    Gone,
}

impl Client {
    pub fn new(sdk: aws_sdk_cloudcontrol::Client, resource_model: ResourceModelPolicy) -> Self {
        Self { sdk, resource_model }
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
        let answer = self
            .sdk
            .list_resource_requests()
            .max_results(100)
            .set_next_token(next.map(ToOwned::to_owned))
            .set_resource_request_status_filter(filter)
            .customize()
            .interceptor(inspector.clone())
            .send()
            .await;
        let result = answer.map_err(|error| Failure::of(&error)).map(|output| {
            let mut page = Page {
                next: output.next_token,
                ..Page::default()
            };
            for summary in output.resource_request_status_summaries.unwrap_or_default() {
                match answer::progress_event(summary, None, self.resource_model) {
                    Some(event) => page.events.push(event),
                    None => page.without_token += 1,
                }
            }
            page
        });
        Answer {
            result,
            date: inspector.date(),
        }
    }

    /// GetResourceRequestStatus.
    pub async fn get(&self, token: &RequestToken) -> Answer<Looked> {
        let inspector = Inspector::default();
        let answer = self
            .sdk
            .get_resource_request_status()
            .request_token(token.as_str())
            .customize()
            .interceptor(inspector.clone())
            .send()
            .await;
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
        Answer {
            result,
            date: inspector.date(),
        }
    }
}
