//! What really happened, whatever was answered: what tests check a history against.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use super::token::Token;
use crate::model::{ErrorCode, FailureMode, HookStatus, Operation, RequestStatus, Timestamp};

/// Every transition of the world, oldest first, as far back as the scenario's `truth_limit` goes.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Truth {
    pub transitions: VecDeque<Transition>,
    /// How many of the oldest are no longer among them.
    pub forgotten: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transition {
    /// On the clock that the world was advanced by.
    pub at: Timestamp,
    /// On the service's clock, which may be ahead or behind: the EventTime of what changed.
    pub server_at: Timestamp,
    pub request_token: Token,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A request began; its status follows.
    Began {
        type_name: Arc<str>,
        operation: Operation,
        hooks_request_token: Option<Token>,
        /// Through the API, rather than by the world's own other clients.
        by_client: bool,
    },
    Status {
        status: RequestStatus,
        error_code: Option<ErrorCode>,
        message: Option<Arc<str>>,
    },
    Message {
        message: Arc<str>,
    },
    Identified {
        identifier: Arc<str>,
    },
    Hook {
        /// Which of the request's invocations, in the order in which GetResourceRequestStatus shows them.
        index: usize,
        hook_type_name: Arc<str>,
        failure_mode: FailureMode,
        status: HookStatus,
        message: Option<Arc<str>>,
    },
    /// Its token is unknown from now on.
    Expired,
}

/// How a request stands after all its transitions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestTruth {
    pub type_name: Arc<str>,
    pub operation: Operation,
    pub hooks_request_token: Option<Token>,
    pub by_client: bool,
    pub began_at: Timestamp,
    pub status: RequestStatus,
    pub error_code: Option<ErrorCode>,
    pub message: Option<Arc<str>>,
    pub identifier: Option<Arc<str>>,
    /// By index of the invocation.
    pub hooks: BTreeMap<usize, HookTruth>,
    pub finished_at: Option<Timestamp>,
    pub expired_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HookTruth {
    pub hook_type_name: Arc<str>,
    pub failure_mode: FailureMode,
    pub status: HookStatus,
    pub message: Option<Arc<str>>,
    /// Every status that it had, in order.
    pub statuses: Vec<HookStatus>,
}

impl Truth {
    pub(super) fn push(&mut self, transition: Transition, limit: usize) {
        self.transitions.push_back(transition);
        while self.transitions.len() > limit {
            self.transitions.pop_front();
            self.forgotten += 1;
        }
    }

    /// How many transitions there have been, the forgotten ones included.
    pub fn count(&self) -> u64 {
        self.forgotten + self.transitions.len() as u64
    }

    /// How each request stands whose beginning is remembered, expired ones included.
    pub fn requests(&self) -> BTreeMap<Token, RequestTruth> {
        let mut requests = BTreeMap::new();
        for transition in &self.transitions {
            if let What::Began {
                type_name,
                operation,
                hooks_request_token,
                by_client,
            } = &transition.what
            {
                let request = RequestTruth {
                    type_name: Arc::clone(type_name),
                    operation: operation.clone(),
                    hooks_request_token: *hooks_request_token,
                    by_client: *by_client,
                    began_at: transition.at,
                    status: RequestStatus::Pending,
                    error_code: None,
                    message: None,
                    identifier: None,
                    hooks: BTreeMap::new(),
                    finished_at: None,
                    expired_at: None,
                };
                requests.insert(transition.request_token, request);
            } else if let Some(request) = requests.get_mut(&transition.request_token) {
                request.take(transition);
            }
        }
        requests
    }

    /// Every status that this request had, in order, with the time it came.
    pub fn statuses(&self, token: Token) -> Vec<(Timestamp, RequestStatus)> {
        self.transitions
            .iter()
            .filter(|transition| transition.request_token == token)
            .filter_map(|transition| match &transition.what {
                What::Status { status, .. } => Some((transition.at, status.clone())),
                _ => None,
            })
            .collect()
    }
}

impl RequestTruth {
    fn take(&mut self, transition: &Transition) {
        match &transition.what {
            What::Began { .. } => {}
            What::Status {
                status,
                error_code,
                message,
            } => {
                self.status = status.clone();
                self.error_code = error_code.clone();
                self.message = message.clone();
                if status.is_final() {
                    self.finished_at = Some(transition.at);
                }
            }
            What::Message { message } => self.message = Some(Arc::clone(message)),
            What::Identified { identifier } => self.identifier = Some(Arc::clone(identifier)),
            What::Hook {
                index,
                hook_type_name,
                failure_mode,
                status,
                message,
            } => {
                let hook = self.hooks.entry(*index).or_insert_with(|| HookTruth {
                    hook_type_name: Arc::clone(hook_type_name),
                    failure_mode: failure_mode.clone(),
                    status: status.clone(),
                    message: None,
                    statuses: Vec::new(),
                });
                hook.status = status.clone();
                hook.message = message.clone();
                hook.statuses.push(status.clone());
            }
            What::Expired => self.expired_at = Some(transition.at),
        }
    }
}
