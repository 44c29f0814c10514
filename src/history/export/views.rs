//! The public views, column by column, with the kind of what each holds: what a file format that has types needs to know.
//! A test compares them with the views themselves.

use super::super::rows::Stored;
use crate::model::rows::{
    AttemptRow, ChangeRow, DeliveryRow, GapRow, HookEventRow, HookRow, IncidentRow, NoticeRow, ProgressEventRow,
    RequestRow, ResourceModelRow, SilenceRow,
};

/// A column of a public view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether it may be absent.
    pub is_optional: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Real,
    Bool,
    Time,
}

/// A public view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Requests,
    ProgressEvents,
    Hooks,
    HookEvents,
    Changes,
    Deliveries,
    Attempts,
    Incidents,
    Notices,
    Silences,
    Gaps,
    ResourceModels,
}

/// How the rows of a view are found.
pub(super) struct Source {
    /// From SELECT to the last JOIN. The columns are the view's, in its order.
    pub(super) select: &'static str,
    pub(super) table: &'static str,
    /// The table's number for a row, by which portions are cut.
    pub(super) id: &'static str,
    /// The same, in the table by itself.
    pub(super) plain_id: &'static str,
    /// The time of a row, which `since` and `until` are compared with.
    pub(super) time: &'static str,
    /// The number of a row's target, if it has one.
    pub(super) target: Option<&'static str>,
}

const fn text(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Text,
        is_optional: false,
    }
}

const fn integer(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Integer,
        is_optional: false,
    }
}

const fn flag(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Bool,
        is_optional: false,
    }
}

const fn time(name: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Time,
        is_optional: false,
    }
}

const fn maybe(column: Column) -> Column {
    Column {
        is_optional: true,
        ..column
    }
}

const REQUESTS: &[Column] = &[
    text("target"),
    maybe(text("account_id")),
    text("region"),
    text("request_token"),
    maybe(text("hooks_request_token")),
    maybe(text("type_name")),
    maybe(text("identifier")),
    maybe(text("operation")),
    maybe(text("status")),
    maybe(text("error_code")),
    maybe(text("status_message")),
    maybe(time("started_at")),
    time("first_seen_at"),
    time("last_seen_at"),
    maybe(time("finished_at")),
    Column {
        name: "duration_s",
        kind: Kind::Real,
        is_optional: true,
    },
    flag("open"),
    integer("hooks_total"),
    integer("hooks_failed"),
];

const PROGRESS_EVENTS: &[Column] = &[
    integer("id"),
    text("target"),
    text("request_token"),
    time("observed_at"),
    maybe(time("event_time")),
    maybe(text("status")),
    maybe(text("error_code")),
    maybe(text("status_message")),
    maybe(text("identifier")),
    maybe(time("retry_after")),
    text("source"),
];

const HOOKS: &[Column] = &[
    text("target"),
    text("request_token"),
    maybe(text("hook_type_name")),
    maybe(text("hook_type_version_id")),
    maybe(text("hook_type_arn")),
    maybe(text("invocation_point")),
    maybe(text("failure_mode")),
    maybe(text("status")),
    maybe(text("status_message")),
    maybe(time("event_time")),
    time("first_seen_at"),
    maybe(time("finished_at")),
];

const HOOK_EVENTS: &[Column] = &[
    integer("id"),
    text("target"),
    text("request_token"),
    maybe(text("hook_type_name")),
    maybe(text("hook_type_arn")),
    maybe(text("invocation_point")),
    time("observed_at"),
    maybe(time("event_time")),
    maybe(text("status")),
    maybe(text("status_message")),
    maybe(text("failure_mode")),
];

const CHANGES: &[Column] = &[
    integer("id"),
    time("at"),
    text("kind"),
    text("target"),
    text("request_token"),
    maybe(text("type_name")),
    maybe(text("identifier")),
    maybe(text("operation")),
    maybe(text("hook_type_name")),
    maybe(text("from_status")),
    maybe(text("to_status")),
    maybe(text("error_code")),
    maybe(text("message")),
    flag("observed_late"),
];

const DELIVERIES: &[Column] = &[
    integer("id"),
    maybe(integer("change_id")),
    text("receiver"),
    text("state"),
    integer("attempts"),
    maybe(time("next_attempt_at")),
    maybe(time("sent_at")),
    maybe(text("last_error")),
    maybe(integer("notice_id")),
    maybe(integer("incident_id")),
    flag("replayed"),
];

const ATTEMPTS: &[Column] = &[
    integer("id"),
    integer("delivery_id"),
    text("receiver"),
    integer("number"),
    time("at"),
    integer("took_ms"),
    text("outcome"),
    maybe(integer("answer_status")),
    maybe(text("answer")),
    maybe(text("error")),
    integer("told_with"),
];

const INCIDENTS: &[Column] = &[
    integer("id"),
    text("receiver"),
    text("target"),
    maybe(text("request_token")),
    maybe(text("type_name")),
    maybe(text("identifier")),
    time("opened_at"),
    maybe(time("resolved_at")),
];

const NOTICES: &[Column] = &[
    integer("id"),
    time("at"),
    text("receiver"),
    time("since"),
    flag("failing"),
    integer("waiting"),
    maybe(text("error")),
];

const SILENCES: &[Column] = &[
    integer("id"),
    text("matchers"),
    time("starts_at"),
    time("ends_at"),
    time("created_at"),
    text("created_by"),
    text("reason"),
];

const GAPS: &[Column] = &[text("target"), time("from_at"), maybe(time("to_at")), text("reason")];

const RESOURCE_MODELS: &[Column] = &[text("target"), text("request_token"), text("resource_model")];

impl View {
    pub const ALL: [Self; 12] = [
        Self::Requests,
        Self::ProgressEvents,
        Self::Hooks,
        Self::HookEvents,
        Self::Changes,
        Self::Deliveries,
        Self::Attempts,
        Self::Incidents,
        Self::Notices,
        Self::Silences,
        Self::Gaps,
        Self::ResourceModels,
    ];

    /// Without the `v_` that stands before it in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::ProgressEvents => "progress_events",
            Self::Hooks => "hooks",
            Self::HookEvents => "hook_events",
            Self::Changes => "changes",
            Self::Deliveries => "deliveries",
            Self::Attempts => "attempts",
            Self::Incidents => "incidents",
            Self::Notices => "notices",
            Self::Silences => "silences",
            Self::Gaps => "gaps",
            Self::ResourceModels => "resource_models",
        }
    }

    /// In the view's order.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Requests => REQUESTS,
            Self::ProgressEvents => PROGRESS_EVENTS,
            Self::Hooks => HOOKS,
            Self::HookEvents => HOOK_EVENTS,
            Self::Changes => CHANGES,
            Self::Deliveries => DELIVERIES,
            Self::Attempts => ATTEMPTS,
            Self::Incidents => INCIDENTS,
            Self::Notices => NOTICES,
            Self::Silences => SILENCES,
            Self::Gaps => GAPS,
            Self::ResourceModels => RESOURCE_MODELS,
        }
    }

    /// Whether its rows belong to targets.
    pub fn has_target(self) -> bool {
        self.source().target.is_some()
    }

    pub(super) fn source(self) -> Source {
        /// Of what hangs on a delivery: the target of its change, none of a notice.
        const TARGET_OF_DELIVERY: &str = "(SELECT r.target_id FROM changes AS c JOIN requests AS r ON r.id = c.request_id \
                                          WHERE c.id = d.change_id)";
        let (select, table, letter, time, target) = match self {
            Self::Requests => (
                RequestRow::SELECT,
                "requests",
                "r.id",
                "coalesce(r.started_at, r.first_seen_at)",
                Some("r.target_id"),
            ),
            Self::ProgressEvents => (
                ProgressEventRow::SELECT,
                "progress_events",
                "e.id",
                "e.observed_at",
                Some("r.target_id"),
            ),
            Self::Hooks => (HookRow::SELECT, "hooks", "h.id", "h.first_seen_at", Some("r.target_id")),
            Self::HookEvents => (
                HookEventRow::SELECT,
                "hook_events",
                "e.id",
                "e.observed_at",
                Some("r.target_id"),
            ),
            Self::Changes => (ChangeRow::SELECT, "changes", "c.id", "c.at", Some("r.target_id")),
            Self::Deliveries => (
                DeliveryRow::SELECT,
                "deliveries",
                "d.id",
                "d.since",
                Some(TARGET_OF_DELIVERY),
            ),
            Self::Attempts => (AttemptRow::SELECT, "attempts", "a.id", "a.at", Some(TARGET_OF_DELIVERY)),
            Self::Incidents => (
                IncidentRow::SELECT,
                "incidents",
                "i.id",
                "i.opened_at",
                Some("i.target_id"),
            ),
            Self::Notices => (NoticeRow::SELECT, "notices", "n.id", "n.at", None),
            Self::Silences => (SilenceRow::SELECT, "silences", "s.id", "s.created_at", None),
            Self::Gaps => (GapRow::SELECT, "gaps", "g.id", "g.from_at", Some("g.target_id")),
            Self::ResourceModels => (
                ResourceModelRow::SELECT,
                "resource_models",
                "m.request_id",
                "coalesce(r.started_at, r.first_seen_at)",
                Some("r.target_id"),
            ),
        };
        let plain_id = letter.split_once('.').map_or(letter, |(_, name)| name);
        Source {
            select,
            table,
            id: letter,
            plain_id,
            time,
            target,
        }
    }
}
