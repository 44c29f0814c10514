//! The public views, and how an export finds their rows. Their columns are those of the
//! [public schema](super::super::public_schema).

use super::super::public_schema::{PublicColumn, VIEWS};
use super::super::rows::Stored;
use crate::model::rows::{
    AttemptRow, ChangeRow, DeliveryRow, GapRow, HookEventRow, HookRow, IncidentRow, NoticeRow, ProgressEventRow,
    RequestRow, ResourceModelRow, SilenceRow,
};

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
    /// Until when a row lasts that has more than a moment: of that some has to lie in the time that is asked for.
    pub(super) end: Option<&'static str>,
    /// The number of a row's target, if it has one.
    pub(super) target: Option<&'static str>,
}

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
    pub fn columns(self) -> &'static [PublicColumn] {
        let name = self.name();
        let view = VIEWS.iter().find(|view| view.name.strip_prefix("v_") == Some(name));
        view.map_or(&[], |view| view.columns)
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
            end: (self == Self::Gaps).then_some("g.to_at"),
            target,
        }
    }
}
