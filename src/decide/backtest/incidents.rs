//! The incidents that are open at receivers, as the history would keep them.

use std::collections::HashMap;

use crate::decide::incident::{Ending, OpenIncident};
use crate::model::Announcement;

#[derive(Debug, Default)]
pub(super) struct Incidents {
    open: HashMap<Owner, Vec<Open>>,
}

/// What an incident belongs to.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Owner {
    Resource {
        target: String,
        type_name: String,
        identifier: String,
    },
    /// One whose resource is not known.
    Request { target: String, token: String },
}

#[derive(Debug)]
struct Open {
    receiver: String,
    /// The line of the request that opened it first, in which all of it is told.
    line: String,
    /// The request that opened it last.
    request: String,
    by_hook: bool,
}

impl Owner {
    fn of(announcement: &Announcement) -> Self {
        let (target, request) = (announcement.target.clone(), &announcement.request);
        match (&request.type_name, &request.identifier) {
            (Some(type_name), Some(identifier)) => Self::Resource {
                target,
                type_name: type_name.clone(),
                identifier: identifier.clone(),
            },
            _ => Self::Request {
                target,
                token: request.request_token.clone(),
            },
        }
    }
}

impl Incidents {
    /// Returns the line in which it is told: that of `line`, unless the incident is open already.
    pub(super) fn open(&mut self, announcement: &Announcement, line: &str, receiver: &str, by_hook: bool) -> String {
        let open = self.open.entry(Owner::of(announcement)).or_default();
        let request = announcement.request.request_token.clone();
        if let Some(open) = open.iter_mut().find(|open| open.receiver == receiver) {
            (open.request, open.by_hook) = (request, by_hook);
            return open.line.clone();
        }
        open.push(Open {
            receiver: receiver.to_owned(),
            line: line.to_owned(),
            request,
            by_hook,
        });
        line.to_owned()
    }

    /// Resolves what the end of a request resolves. Returns the receivers that are told so, each with its line.
    pub(super) fn resolve(&mut self, announcement: &Announcement, ending: Ending) -> Vec<(String, String)> {
        let owner = Owner::of(announcement);
        let Some(open) = self.open.get_mut(&owner) else {
            return Vec::new();
        };
        let resolved = open.extract_if(.., |open| {
            ending.resolves(&OpenIncident {
                opened_by_request: open.request == announcement.request.request_token,
                by_hook: open.by_hook,
            })
        });
        let told = resolved.map(|open| (open.receiver, open.line)).collect();
        if open.is_empty() {
            self.open.remove(&owner);
        }
        told
    }
}
