//! The two calls that look (`acting` has those that act), and nothing of the SDK in their results.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudcontrol::operation::get_resource_request_status::GetResourceRequestStatusError;
use aws_sdk_cloudcontrol::types::{OperationStatus, ResourceRequestStatusFilter};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::answer::{self, Inspector};
use super::failure::{Cause, Failure};
use crate::config::ResourceModelPolicy;
use crate::model::{HookProgressEvent, ProgressEvent, RequestStatus, RequestToken, Timestamp};

/// A client for one target.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) sdk: aws_sdk_cloudcontrol::Client,
    /// Lets so many calls to the endpoint go at once.
    gate: Arc<Semaphore>,
    pub(super) resource_model: ResourceModelPolicy,
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

/// How long a call waits for its turn. Where an endpoint does not answer, a thousand targets that queue for it must not
/// look stuck to the watchdog, which waits for longer than this and a call together.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

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
    pub(super) fn new(result: Result<T, Failure>, date: Option<Timestamp>) -> Self {
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

    /// Waits until so few calls to the endpoint are under way that one more may be.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        match tokio::time::timeout(LONGEST_WAIT, self.gate.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            // The gate is never closed.
            Ok(Err(_)) | Err(_) => Err(Failure::new(
                Cause::Unreachable,
                "no turn in time: the calls before it to the same endpoint do not end",
            )),
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
        let _turn = match self.turn().await {
            Ok(turn) => turn,
            Err(failure) => return Answer::new(Err(failure), None),
        };
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
        let _turn = match self.turn().await {
            Ok(turn) => turn,
            Err(failure) => return Answer::new(Err(failure), None),
        };
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

#[cfg(test)]
mod tests {
    use aws_sdk_cloudcontrol::config::{BehaviorVersion, Config};

    use super::*;

    /// An endpoint whose calls do not end holds up the others for a while, not for ever.
    #[tokio::test(start_paused = true)]
    async fn a_turn_that_does_not_come_is_a_failure() {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .build();
        let sdk = aws_sdk_cloudcontrol::Client::from_conf(config);
        let client = Client::new(sdk, Arc::new(Semaphore::new(0)), ResourceModelPolicy::Drop);
        let began = tokio::time::Instant::now();
        let listed = client.list(&[], None).await.result.unwrap_err();
        let got = client.get(&RequestToken::new("a")).await.result.unwrap_err();
        assert_eq!((listed.cause, got.cause), (Cause::Unreachable, Cause::Unreachable));
        assert_eq!(began.elapsed(), 2 * LONGEST_WAIT);
    }
}
