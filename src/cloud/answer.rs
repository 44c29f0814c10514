//! An answer as it arrives: its `Date`, its size, and its members turned into the model's words.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cloudcontrol::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_cloudcontrol::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudcontrol::error::BoxError;
use aws_sdk_cloudcontrol::primitives::DateTime;
use aws_sdk_cloudcontrol::types;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

use super::resource_model;
use crate::config::ResourceModelPolicy;
use crate::model::{HookProgressEvent, ProgressEvent, RequestToken, Timestamp};

/// The most bytes of an answer that are read. A full page is 100 events of at most 256 KiB of ResourceModel each, so
/// no real answer is larger than half of this.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A RequestToken has 128 characters at the most. It identifies, so one that is far longer is not cut but left out.
const LONGEST_REQUEST_TOKEN: usize = 512;

/// Sits in one call: notes the `Date` header of its answer and bounds its body.
#[derive(Debug, Clone, Default)]
pub(super) struct Inspector {
    date: Arc<Mutex<Option<Timestamp>>>,
}

impl Inspector {
    pub(super) fn date(&self) -> Option<Timestamp> {
        *self.date.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Inspector {
    fn name(&self) -> &'static str {
        "ccwatch::Inspector"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let date = response.headers().get("date").and_then(http_date);
        *self.date.lock().unwrap_or_else(PoisonError::into_inner) = date;
        let body = std::mem::replace(response.body_mut(), SdkBody::taken());
        *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, MOST_BYTES));
        Ok(())
    }
}

/// RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that a server may generate.
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp().into())
}

fn timestamp(time: DateTime) -> Timestamp {
    Timestamp::rounded(time.secs(), time.subsec_nanos())
}

/// `asked_for` stands in for a token that the answer leaves out, if it says at least how a request stands. `None`: the event
/// does not say whose it is.
pub(super) fn progress_event(
    event: types::ProgressEvent,
    asked_for: Option<&RequestToken>,
    policy: ResourceModelPolicy,
) -> Option<ProgressEvent> {
    let token = event
        .request_token
        .filter(|token| (1..=LONGEST_REQUEST_TOKEN).contains(&token.len()))
        .map(RequestToken::new);
    let stand_in = asked_for.filter(|_| event.operation_status.is_some());
    let mut new = ProgressEvent::of(token.or_else(|| stand_in.cloned())?);
    new.hooks_request_token = some(event.hooks_request_token);
    new.type_name = some(event.type_name);
    new.identifier = some(event.identifier);
    new.operation = event.operation.map(|operation| word(operation.as_str()).into());
    new.status = event.operation_status.map(|status| word(status.as_str()).into());
    new.error_code = event.error_code.map(|code| word(code.as_str()).into());
    new.status_message = some(event.status_message);
    new.event_time = event.event_time.map(timestamp);
    new.retry_after = event.retry_after.map(timestamp);
    new.resource_model = event
        .resource_model
        .and_then(|model| resource_model::admit(model, policy));
    Some(new)
}

pub(super) fn hook(event: types::HookProgressEvent) -> HookProgressEvent {
    HookProgressEvent {
        hook_type_name: some(event.hook_type_name),
        hook_type_version_id: some(event.hook_type_version_id),
        hook_type_arn: some(event.hook_type_arn),
        invocation_point: some(event.invocation_point),
        status: some(event.hook_status).map(|status| word(&status).into()),
        event_time: event.hook_event_time.map(timestamp),
        status_message: some(event.hook_status_message),
        failure_mode: some(event.failure_mode).map(|mode| word(&mode).into()),
    }
}

/// An empty string says as little as none, and one that is far longer than any that the service model allows (2,048
/// characters for a message or an ARN, less for the rest) is cut: the history and the receivers must not swell with it.
fn some(text: Option<String>) -> Option<String> {
    const LONGEST: usize = 8 * 1024;
    let mut text = text.filter(|text| !text.is_empty())?;
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
    }
    Some(text)
}

/// A word of the service's, of bounded length likewise.
fn word(text: &str) -> &str {
    &text[..text.floor_char_boundary(128)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_rfc_9110_has_them() {
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Timestamp::from_millis(784_111_777_000))
        );
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn the_floats_of_the_wire_compare_equal_to_what_was_sent() {
        let time = DateTime::from_secs_f64(1.767_110_540_245E9);
        assert_eq!(timestamp(time), Timestamp::from_millis(1_767_110_540_245));
    }

    #[test]
    fn an_event_without_a_token_is_about_nothing() {
        let event = types::ProgressEvent::builder().type_name("AWS::S3::Bucket").build();
        assert_eq!(progress_event(event.clone(), None, ResourceModelPolicy::Drop), None);
        let asked_for = RequestToken::new("t");
        let answer = |event| progress_event(event, Some(&asked_for), ResourceModelPolicy::Drop);
        assert_eq!(answer(event), None, "nor how it stands");
        let event = types::ProgressEvent::builder()
            .operation_status("PENDING".into())
            .build();
        let token = answer(event).map(|event| event.request_token);
        assert_eq!(token.as_ref(), Some(&asked_for));
    }

    #[test]
    fn unknown_words_are_kept_as_they_came() {
        let event = types::ProgressEvent::builder()
            .request_token("t")
            .operation("REPLACE".into())
            .operation_status("HIBERNATING".into())
            .error_code("Fatigue".into())
            .build();
        let event = progress_event(event, None, ResourceModelPolicy::Drop).unwrap();
        assert_eq!(event.status.unwrap().as_str(), "HIBERNATING");
        assert_eq!(event.operation.unwrap().as_str(), "REPLACE");
        assert_eq!(event.error_code.unwrap().as_str(), "Fatigue");
    }
}
