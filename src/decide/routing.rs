//! All routes, and what must be known of the receivers that they name.

use std::collections::BTreeSet;

use super::route::{Audience, Route};

/// Who is told of what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routing {
    pub routes: Vec<Route>,
    /// The receivers that keep incidents: they are told of what opens or resolves one, and of nothing else.
    pub incident_receivers: BTreeSet<String>,
}

impl Routing {
    /// `receivers`: every receiver's name, and who is at its other end.
    pub fn new<'r>(routes: Vec<Route>, receivers: impl IntoIterator<Item = (&'r str, Audience)>) -> Self {
        let keeps_incidents = |(name, audience): (&str, _)| (audience == Audience::Incidents).then(|| name.to_owned());
        Self {
            routes,
            incident_receivers: receivers.into_iter().filter_map(keeps_incidents).collect(),
        }
    }
}

/// Without receivers of incidents.
impl From<Vec<Route>> for Routing {
    fn from(routes: Vec<Route>) -> Self {
        Self::new(routes, [])
    }
}
