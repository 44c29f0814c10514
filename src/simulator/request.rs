//! A request as the service keeps it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::course::Step;
use super::event::{HookProgressEvent, ProgressEvent};
use super::place::Place;
use super::scenario::HookScenario;
use super::token::Token;
use crate::model::{ErrorCode, HookStatus, Operation, RequestStatus, Timestamp};

/// A request, from its start until it is forgotten.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) token: Token,
    /// Only a request with hooks has one.
    pub(super) hooks_token: Option<Token>,
    pub(super) type_name: Arc<str>,
    pub(super) operation: Operation,
    pub(super) began_at: Timestamp,
    /// What the resource is called, which a request to create it tells only on the way.
    pub(super) identifier: Arc<str>,
    pub(super) resource_model: Option<Arc<str>>,
    /// Whether a client of the simulator started it, so that its resource exists when it succeeded.
    pub(super) by_client: bool,
    pub(super) lacks_operation_when_failed: bool,
    pub(super) view: Arc<View>,
    /// What the list shows, which may be a moment behind; `None` before it was first listed.
    pub(super) listed: Option<Arc<View>>,
    pub(super) hooks: Vec<Invocation>,
    /// What is still to come, by time. Only the next one stands in the world's agenda.
    pub(super) steps: VecDeque<(Timestamp, Step)>,
    /// Raised when `steps` is changed, which makes what stands in the agenda void.
    pub(super) course: u32,
    /// The RetryAfter in the last answer about this request that reached a client.
    pub(super) advertised: Option<Timestamp>,
}

/// What changes as a request goes on. Shared between the present and the list's past.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    pub(super) status: RequestStatus,
    /// On the service's clock.
    pub(super) event_time: Timestamp,
    pub(super) message: Option<Arc<str>>,
    pub(super) error_code: Option<ErrorCode>,
    /// Whether the identifier and the model are told yet.
    pub(super) identified: bool,
}

/// One invocation of a hook.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    pub(super) hook: Arc<HookScenario>,
    pub(super) has_event_time: bool,
    /// `None` until it appears.
    pub(super) status: Option<HookStatus>,
    pub(super) event_time: Option<Timestamp>,
    pub(super) message: Option<Arc<str>>,
}

impl Request {
    /// The operation as far as it is told with this view.
    pub(super) fn operation_shown(&self, view: &View) -> Option<&Operation> {
        let lacking = self.lacks_operation_when_failed && view.status == RequestStatus::Failed;
        (!lacking).then_some(&self.operation)
    }

    /// What an answer says when it shows this view.
    pub(super) fn event(&self, sequence: u64, view: &View, retry_after: Option<Timestamp>) -> ProgressEvent {
        ProgressEvent {
            sequence,
            request_token: self.token,
            hooks_request_token: self.hooks_token,
            type_name: Some(Arc::clone(&self.type_name)),
            identifier: view.identified.then(|| Arc::clone(&self.identifier)),
            operation: self.operation_shown(view).cloned(),
            operation_status: Some(view.status.clone()),
            event_time: Some(view.event_time),
            resource_model: self.resource_model.as_ref().filter(|_| view.identified).map(Arc::clone),
            status_message: view.message.as_ref().map(Arc::clone),
            error_code: view.error_code.clone(),
            retry_after,
        }
    }

    /// What GetResourceRequestStatus says of the hooks that have appeared.
    pub(super) fn hook_events(&self, place: &Place) -> Vec<HookProgressEvent> {
        self.hooks
            .iter()
            .filter(|invocation| invocation.status.is_some())
            .map(|invocation| invocation.event(place))
            .collect()
    }
}

impl Invocation {
    fn event(&self, place: &Place) -> HookProgressEvent {
        let hook = &self.hook;
        let arn = format!(
            "arn:aws:cloudformation:{}:{}:type/hook/{}",
            place.region,
            place.account_id,
            hook.hook_type_name.replace("::", "-")
        );
        HookProgressEvent {
            hook_type_name: Some(Arc::clone(&hook.hook_type_name)),
            hook_type_version_id: Some(Arc::clone(&hook.hook_type_version_id)),
            hook_type_arn: Some(arn.into()),
            invocation_point: Some("PRE_PROVISION"),
            hook_status: self.status.clone(),
            hook_event_time: self.event_time,
            hook_status_message: self.message.as_ref().map(Arc::clone),
            failure_mode: Some(hook.failure_mode.clone()),
        }
    }
}
