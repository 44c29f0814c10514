//! What ties a later success to an earlier failure.

use serde::Serialize;

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    Open,
    Resolved,
}

/// Something that went wrong with a resource and needs someone, until a later success of the same resource says that it is
/// mended. Known to receivers of incidents alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// The same from its first message to its last, and never used for another.
    pub key: String,
    pub state: IncidentState,
}
