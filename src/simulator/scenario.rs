//! What a world is like: plain data, and the file that holds it (`scenario/reader.rs`).
//!
//! The data is read by one reader alone, in words that are the fields' own, so that who knows one knows the other.

mod faults;
mod hooks;
mod reader;
mod types;
mod values;

use std::sync::Arc;
use std::time::Duration;

use super::faults::Faults;
use super::spread::Spread;
use crate::model::{ErrorCode, FailureMode, Operation};

/// What a world is like. Names and messages that each request has are shared with them all. Shares are probabilities from 0 to 1; weights count against the sum of their list.
///
/// The default is a plain world in which nothing happens by itself, everything asked for takes five seconds and
/// succeeds, and no hook runs. See [`Scenario::names`] for those that come with the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Twelve digits; appears in ARNs.
    pub account_id: String,
    pub region: String,
    /// The types that other clients ask for, and how a request for each lives.
    pub types: Vec<TypeScenario>,
    /// How a request for a type lives that is not among `types`, whatever its `type_name` says; `None` answers
    /// TypeNotFoundException.
    pub other_types: Option<TypeScenario>,
    /// What other clients ask for, by weight.
    pub operations: Vec<(f64, Operation)>,
    /// How many requests other clients start each second, on average (a Poisson process).
    pub arrivals_per_second: f64,
    /// How long a request is PENDING before its hooks run.
    pub pending: Spread,
    /// How long CANCEL_IN_PROGRESS lasts.
    pub cancelling: Spread,
    /// Share of the requests that fail in the end.
    pub fail: f64,
    /// Share of the requests that stay PENDING until they are forgotten (trap 12).
    pub never_start: f64,
    /// How requests fail whose type does not say.
    pub failures: Vec<Failure>,
    /// Share of the FAILED requests whose events lack Operation, so that a filter by operation drops them (trap 6).
    pub failed_without_operation: f64,
    /// Shared with the requests that they guard.
    pub hooks: Vec<Arc<HookScenario>>,
    pub retry_after: RetryAfterPolicy,
    pub list_order: ListOrder,
    /// How far the list is behind GetResourceRequestStatus (trap 16).
    pub list_lag: Duration,
    /// How long after its start a request is forgotten. Seven days at AWS: "a request is listed for 7 days".
    pub retention: Duration,
    /// What goes wrong from the beginning. Can be changed later.
    pub faults: Faults,
    /// How many transitions the truth holds before it forgets the oldest, so that a simulator that runs for weeks
    /// does not grow for weeks.
    pub truth_limit: usize,
}

/// A type of resource, and how a request for one lives once its hooks have let it through.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeScenario {
    pub type_name: Arc<str>,
    /// How often other clients ask for it.
    pub weight: f64,
    /// The property of the desired state that holds the primary identifier, where the client may choose it.
    pub identifier_property: Option<String>,
    /// What an identifier begins with that the service chooses.
    pub identifier_prefix: String,
    /// How long it is IN_PROGRESS.
    pub duration: Spread,
    /// What StatusMessage says on the way, one after the other.
    pub messages: Vec<String>,
    /// What it has no handler for, which is answered with UnsupportedActionException.
    pub unsupported: Vec<Action>,
    /// How it fails; the scenario's `failures` if there is none.
    pub failures: Vec<Failure>,
}

/// What a type may have a handler for.
/// <https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
    List,
}

/// One way to fail.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub weight: f64,
    pub error_code: ErrorCode,
    /// `{identifier}` and `{type}` stand for the request's own.
    pub message: String,
}

/// A hook that guards requests before they are provisioned.
#[derive(Debug, Clone, PartialEq)]
pub struct HookScenario {
    pub hook_type_name: Arc<str>,
    pub hook_type_version_id: Arc<str>,
    pub failure_mode: FailureMode,
    /// Share of the requests that it guards.
    pub share: f64,
    /// Share of the guarded requests for which it is invoked twice (trap 14).
    pub twice: f64,
    /// How long an invocation is HOOK_PENDING.
    pub pending: Spread,
    /// How long an invocation is HOOK_IN_PROGRESS.
    pub duration: Spread,
    /// Share of the invocations that find fault: HOOK_COMPLETE_FAILED.
    pub find_fault: f64,
    /// Share of the invocations that break: HOOK_FAILED.
    pub break_down: f64,
    /// What it says when it passes, finds fault, breaks.
    pub messages: HookMessages,
    /// Share of the invocations whose events have no HookEventTime.
    pub without_event_time: f64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct HookMessages {
    pub passed: Option<Arc<str>>,
    pub found_fault: Option<Arc<str>>,
    pub broke: Option<Arc<str>>,
}

/// What RetryAfter says in the answers of List and Get while a request is open, drawn anew for each answer. The answers
/// of Create and Cancel, and those about finished requests, have none, as was seen at AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryAfterPolicy {
    /// How far ahead of the service's clock.
    pub after: Spread,
    /// Share of the answers that have none.
    pub absent: f64,
    /// Share of the answers in which it is over already.
    pub past: f64,
    /// Share of the answers in which it is `far_after` ahead.
    pub far: f64,
    pub far_after: Duration,
}

/// In which order ListResourceRequests answers. Each holds across the pages of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListOrder {
    /// None that means anything, as at AWS: the order of the random tokens.
    #[default]
    Unordered,
    NewestFirst,
    OldestFirst,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            types: Vec::new(),
            other_types: Some(TypeScenario::default()),
            operations: vec![(1.0, Operation::Create)],
            arrivals_per_second: 0.0,
            pending: Spread::Fixed(Duration::from_millis(500)),
            cancelling: Spread::Fixed(Duration::from_secs(2)),
            fail: 0.0,
            never_start: 0.0,
            failures: vec![Failure::new(
                1.0,
                ErrorCode::GeneralServiceException,
                "The request for {type} failed.",
            )],
            failed_without_operation: 0.0,
            hooks: Vec::new(),
            retry_after: RetryAfterPolicy::default(),
            list_order: ListOrder::default(),
            list_lag: Duration::ZERO,
            retention: Duration::from_hours(7 * 24),
            faults: Faults::default(),
            truth_limit: 2_000_000,
        }
    }
}

impl Default for TypeScenario {
    fn default() -> Self {
        Self {
            type_name: "AWS::CloudFormation::WaitConditionHandle".into(),
            weight: 1.0,
            identifier_property: None,
            identifier_prefix: "resource-".to_owned(),
            duration: Spread::Fixed(Duration::from_secs(5)),
            messages: Vec::new(),
            unsupported: Vec::new(),
            failures: Vec::new(),
        }
    }
}

impl Action {
    pub(super) const ALL: [Self; 5] = [Self::Create, Self::Read, Self::Update, Self::Delete, Self::List];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Read => "READ",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::List => "LIST",
        }
    }
}

impl Default for HookScenario {
    /// A hook that guards everything, takes two seconds and passes.
    fn default() -> Self {
        Self {
            hook_type_name: "Acme::Guard::Everything".into(),
            hook_type_version_id: "00000001".into(),
            failure_mode: FailureMode::Fail,
            share: 1.0,
            twice: 0.0,
            pending: Spread::Fixed(Duration::from_millis(500)),
            duration: Spread::Fixed(Duration::from_millis(1500)),
            find_fault: 0.0,
            break_down: 0.0,
            messages: HookMessages::default(),
            without_event_time: 0.0,
        }
    }
}

impl Default for RetryAfterPolicy {
    /// Five seconds ahead: the interval of the service model's own waiter.
    fn default() -> Self {
        Self {
            after: Spread::Fixed(Duration::from_secs(5)),
            absent: 0.0,
            past: 0.0,
            far: 0.0,
            far_after: Duration::from_hours(1),
        }
    }
}

impl Failure {
    pub fn new(weight: f64, error_code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            weight,
            error_code,
            message: message.into(),
        }
    }
}

#[cfg(test)]
#[path = "scenario/annotated_tests.rs"]
mod annotated_tests;
