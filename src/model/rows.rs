//! The public schema's rows, one struct for each view, one field for each column, in the views' order; and a hook's with what
//! it judged.
//!
//! These are what `--format json` prints, what a webhook's `data` carries, and what anyone who queries the file gets:
//! names and columns are only ever added to, and a test in `history` compares them with the views.

use serde::Serialize;

use super::{RequestStatus, Timestamp};

/// A row of `v_requests`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RequestRow {
    pub target: String,
    pub account_id: Option<String>,
    pub region: String,
    pub request_token: String,
    pub hooks_request_token: Option<String>,
    pub type_name: Option<String>,
    pub identifier: Option<String>,
    pub operation: Option<String>,
    pub status: Option<String>,
    pub error_code: Option<String>,
    pub status_message: Option<String>,
    pub started_at: Option<Timestamp>,
    pub first_seen_at: Timestamp,
    /// Exact for an open request. For one that has ended it may lag by up to two hours: a list that shows it again unchanged
    /// is compared with it once an hour, and then written only if what is written is an hour old.
    pub last_seen_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Seconds from `started_at` to `finished_at`; `None` unless both are known and the second is later.
    pub duration_s: Option<f64>,
    pub open: bool,
    pub hooks_total: u32,
    pub hooks_failed: u32,
}

impl RequestRow {
    /// Whether AWS forgot it before it was seen to end. It keeps the status that was seen last.
    pub fn is_lost(&self) -> bool {
        let is_final = |status: &String| RequestStatus::from(status.as_str()).is_final();
        !self.open && !self.status.as_ref().is_some_and(is_final)
    }
}

/// A row of `v_progress_events`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ProgressEventRow {
    pub id: i64,
    pub target: String,
    pub request_token: String,
    pub observed_at: Timestamp,
    pub event_time: Option<Timestamp>,
    pub status: Option<String>,
    pub error_code: Option<String>,
    pub status_message: Option<String>,
    pub identifier: Option<String>,
    pub retry_after: Option<Timestamp>,
    pub source: String,
}

/// A row of `v_hooks`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HookRow {
    pub target: String,
    pub request_token: String,
    pub hook_type_name: Option<String>,
    pub hook_type_version_id: Option<String>,
    pub hook_type_arn: Option<String>,
    pub invocation_point: Option<String>,
    pub failure_mode: Option<String>,
    pub status: Option<String>,
    pub status_message: Option<String>,
    pub event_time: Option<Timestamp>,
    pub first_seen_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Which one of this hook and version at this point on this request, from 1 on.
    pub invocation: i64,
}

impl HookRow {
    pub fn name(&self) -> String {
        hook_name(self.hook_type_name.as_deref(), self.invocation)
    }
}

fn hook_name(hook_type_name: Option<&str>, invocation: i64) -> String {
    numbered(hook_type_name.unwrap_or("unnamed"), invocation)
}

/// What an invocation is called where people read it: by its hook's `name`, and by its number where it is not the first.
pub fn numbered(name: &str, invocation: i64) -> String {
    if invocation > 1 {
        format!("{name} #{invocation}")
    } else {
        name.to_owned()
    }
}

/// A row of `v_hooks`, and by its request what the hook judged. The latter's columns are called as in `v_requests`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InvocationRow {
    #[serde(flatten)]
    pub hook: HookRow,
    pub type_name: Option<String>,
    pub identifier: Option<String>,
    pub operation: Option<String>,
}

/// A row of `v_hook_events`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HookEventRow {
    pub id: i64,
    pub target: String,
    pub request_token: String,
    pub hook_type_name: Option<String>,
    pub hook_type_arn: Option<String>,
    pub invocation_point: Option<String>,
    pub observed_at: Timestamp,
    pub event_time: Option<Timestamp>,
    pub status: Option<String>,
    pub status_message: Option<String>,
    pub failure_mode: Option<String>,
    pub hook_type_version_id: Option<String>,
    /// As in [`HookRow`].
    pub invocation: i64,
}

impl HookEventRow {
    /// As [`HookRow::name`].
    pub fn name(&self) -> String {
        hook_name(self.hook_type_name.as_deref(), self.invocation)
    }
}

/// A row of `v_changes`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChangeRow {
    pub id: i64,
    pub at: Timestamp,
    pub kind: String,
    pub target: String,
    pub request_token: String,
    pub type_name: Option<String>,
    pub identifier: Option<String>,
    pub operation: Option<String>,
    pub hook_type_name: Option<String>,
    pub from_status: Option<String>,
    pub to_status: Option<String>,
    pub error_code: Option<String>,
    pub message: Option<String>,
    /// Whether it happened in a gap: while its target was not looked at.
    pub observed_late: bool,
    /// Which invocation of its hook changed, as in [`HookRow`]; `None` where the request did.
    pub invocation: Option<i64>,
}

impl ChangeRow {
    /// The invocation that changed, as [`HookRow::name`] has it; `None` where the request did.
    pub fn hook(&self) -> Option<String> {
        Some(hook_name(self.hook_type_name.as_deref(), self.invocation?))
    }
}

/// A row of `v_deliveries`. `state` is one of pending, sent, dead, skipped.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DeliveryRow {
    pub id: i64,
    /// The change that it tells; `None` where it tells a notice.
    pub change_id: Option<i64>,
    pub receiver: String,
    pub state: String,
    pub attempts: u32,
    pub next_attempt_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    /// Why the last attempt failed, or why it was skipped.
    pub last_error: Option<String>,
    pub notice_id: Option<i64>,
    pub incident_id: Option<i64>,
    /// Whether it tells again what was told before, because someone asked for that.
    pub replayed: bool,
}

/// A row of `v_attempts`. `outcome` is one of sent, retry, dead.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AttemptRow {
    pub id: i64,
    pub delivery_id: i64,
    pub receiver: String,
    /// 1 for the first.
    pub number: u32,
    pub at: Timestamp,
    pub took_ms: i64,
    pub outcome: String,
    /// HTTP's or SMTP's, or a program's exit code.
    pub answer_status: Option<u16>,
    /// The beginning of the answer.
    pub answer: Option<String>,
    pub error: Option<String>,
    /// The first delivery of the digest that carried it, which has `answer` and `error` for all of them; itself where it was
    /// sent alone.
    pub told_with: i64,
}

/// A row of `v_incidents`: what went wrong, for a receiver that keeps incidents.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct IncidentRow {
    pub id: i64,
    pub receiver: String,
    pub target: String,
    /// The last request that opened it, while it is kept.
    pub request_token: Option<String>,
    pub type_name: Option<String>,
    pub identifier: Option<String>,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
}

/// A row of `v_notices`: what was told of a receiver through another one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NoticeRow {
    pub id: i64,
    pub at: Timestamp,
    pub receiver: String,
    pub since: Timestamp,
    pub failing: bool,
    pub waiting: u32,
    pub error: Option<String>,
}

/// A row of `v_silences`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SilenceRow {
    pub id: i64,
    /// One a line.
    pub matchers: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub created_at: Timestamp,
    pub created_by: String,
    pub reason: String,
}

/// A row of `v_gaps`: a time in which a target was not looked at, and why. `to_at` is absent while it lasts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GapRow {
    pub target: String,
    pub from_at: Timestamp,
    pub to_at: Option<Timestamp>,
    pub reason: String,
}

/// A row of `v_resource_models`: the last ResourceModel of a request, as far as the configuration lets it be kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ResourceModelRow {
    pub target: String,
    pub request_token: String,
    /// JSON.
    pub resource_model: String,
}
