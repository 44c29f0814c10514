//! What clients may ask of resources: to create, update or delete one. Each starts a request.
//!
//! What the service finds wrong at once it refuses, and no request begins: input that no type could take, a patch that
//! does not apply, an update of what is not there, a second operation on a resource while one is open. What only a
//! handler can find out fails the request later: the creation of what exists, the deletion of what does not. So it was
//! recorded at AWS (`test_api_exceptions`, `test_create_exceptions` and `test_update` of LocalStack's
//! `tests/aws/services/cloudcontrol`).

use std::hash::Hash;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::beginning::{Beginning, draw_identifier};
use super::client_token::{Fingerprint, Use};
use super::desired_state::{DesiredState, identifier_property, wish_in_identifier};
use super::event::ProgressEvent;
use super::patch;
use super::refusal::Refusal;
use super::resources::not_found_message;
use super::scenario::{Action, Scenario, TypeScenario};
use super::token::Token;
use super::world::World;
use crate::model::Operation;

/// The input of CreateResource, within the service model's limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Create {
    pub type_name: String,
    pub desired_state: String,
    pub type_version_id: Option<String>,
    pub role_arn: Option<String>,
}

/// The input of UpdateResource, within the service model's limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Update {
    pub type_name: String,
    pub identifier: String,
    /// RFC 6902.
    pub patch_document: String,
    pub type_version_id: Option<String>,
    pub role_arn: Option<String>,
}

/// The input of DeleteResource, within the service model's limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delete {
    pub type_name: String,
    pub identifier: String,
    pub type_version_id: Option<String>,
    pub role_arn: Option<String>,
}

impl World {
    /// Starts the creation of a resource.
    pub fn create(&mut self, create: &Create, client_token: Option<&str>) -> Result<ProgressEvent, Refusal> {
        self.start(&("CreateResource", create), client_token, |world, scenario| {
            let kind = kind_of(scenario, &create.type_name, Action::Create)?;
            let mut desired_state = DesiredState::read(&create.desired_state)?;
            let wish = std::mem::take(&mut desired_state.wish);
            let mut rng = world.clients.fork();
            let identifier = desired_state
                .identifier(kind)?
                .unwrap_or_else(|| draw_identifier(&mut rng, kind));
            Ok(Beginning {
                operation: Operation::Create,
                type_name: create.type_name.as_str().into(),
                kind,
                resource_model: Some(desired_state.into_model(kind, &identifier)?),
                identifier,
                wish,
                by_client: true,
                rng,
            })
        })
    }

    /// Starts the update of a resource.
    pub fn update(&mut self, update: &Update, client_token: Option<&str>) -> Result<ProgressEvent, Refusal> {
        self.start(&("UpdateResource", update), client_token, |world, scenario| {
            let patch = patch::read(&update.patch_document)?;
            let kind = kind_of(scenario, &update.type_name, Action::Update)?;
            let identifier = primary_identifier(kind, &update.identifier);
            let resource = world.resources.get(&update.type_name, &identifier).cloned();
            let resource = resource.ok_or_else(|| world.resource_not_found(&update.type_name, &identifier))?;
            let mut desired_state = DesiredState::patched(&resource.model, &patch, kind)?;
            let wish = std::mem::take(&mut desired_state.wish);
            Ok(Beginning {
                operation: Operation::Update,
                type_name: update.type_name.as_str().into(),
                kind,
                resource_model: Some(desired_state.into_model(kind, &identifier)?),
                identifier,
                wish,
                by_client: true,
                rng: world.clients.fork(),
            })
        })
    }

    /// Starts the deletion of a resource.
    pub fn delete(&mut self, delete: &Delete, client_token: Option<&str>) -> Result<ProgressEvent, Refusal> {
        self.start(&("DeleteResource", delete), client_token, |world, scenario| {
            let kind = kind_of(scenario, &delete.type_name, Action::Delete)?;
            let (identifier, wish) = wish_in_identifier(&delete.identifier)?;
            Ok(Beginning {
                operation: Operation::Delete,
                type_name: delete.type_name.as_str().into(),
                kind,
                resource_model: None,
                identifier: primary_identifier(kind, &identifier),
                wish,
                by_client: true,
                rng: world.clients.fork(),
            })
        })
    }

    /// Starts the request that `prepare` makes of a call, unless this ClientToken has started it already.
    fn start(
        &mut self,
        call: &impl Hash,
        client_token: Option<&str>,
        prepare: impl for<'a> FnOnce(&mut Self, &'a Scenario) -> Result<Beginning<'a>, Refusal>,
    ) -> Result<ProgressEvent, Refusal> {
        let fingerprint = Fingerprint::of(call);
        if let Some(event) = self.started_by(client_token, fingerprint)? {
            return Ok(event);
        }
        let scenario = Arc::clone(&self.scenario);
        let beginning = prepare(self, &scenario)?;
        let at_work = self.resources.at_work_on(&beginning.type_name, &beginning.identifier);
        if let Some(at_work) = at_work.and_then(|sequence| self.request(sequence)) {
            return Err(Refusal::concurrent_operation(&beginning.identifier, at_work.token));
        }
        let sequence = self.begin(beginning);
        if let Some(client_token) = client_token {
            self.client_tokens
                .insert(client_token.to_owned(), Use { fingerprint, sequence }, self.now);
        }
        self.answer_without_retry_after(sequence)
    }

    /// The request that this ClientToken has started already, as it is now.
    fn started_by(
        &mut self,
        client_token: Option<&str>,
        fingerprint: Fingerprint,
    ) -> Result<Option<ProgressEvent>, Refusal> {
        let Some(client_token) = client_token else {
            return Ok(None);
        };
        let Some(earlier) = self.client_tokens.get(client_token, self.now) else {
            return Ok(None);
        };
        match self.request(earlier.sequence) {
            None => Ok(None),
            Some(_) if earlier.fingerprint == fingerprint => {
                self.answer_without_retry_after(earlier.sequence).map(Some)
            }
            Some(first) => Err(Refusal::client_token_conflict(client_token, first.token)),
        }
    }

    /// What a handler says that looks for a resource while the client waits.
    pub(super) fn resource_not_found(&mut self, type_name: &str, identifier: &str) -> Refusal {
        let handled = Token::draw(&mut self.answers);
        Refusal::resource_not_found(type_name, &not_found_message(type_name, identifier), handled)
    }
}

/// The type of this name, if there is one and it can do that.
pub(super) fn kind_of<'a>(
    scenario: &'a Scenario,
    type_name: &str,
    action: Action,
) -> Result<&'a TypeScenario, Refusal> {
    let kind = scenario
        .types
        .iter()
        .find(|kind| *kind.type_name == *type_name)
        .or(scenario.other_types.as_ref())
        .ok_or_else(|| Refusal::type_not_found(type_name))?;
    if kind.unsupported.contains(&action) {
        return Err(Refusal::unsupported_action(type_name, action));
    }
    Ok(kind)
}

/// The primary identifier that an Identifier names: as it is, or as JSON with the property that holds it.
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-identifier.html>
pub(super) fn primary_identifier(kind: &TypeScenario, identifier: &str) -> Arc<str> {
    let written: Option<Map<String, Value>> = serde_json::from_str(identifier).ok();
    written
        .filter(|properties| properties.len() == 1)
        .and_then(|mut properties| properties.remove(identifier_property(kind)))
        .and_then(|value| Some(value.as_str()?.into()))
        .unwrap_or_else(|| identifier.into())
}

#[cfg(test)]
#[path = "resource_law_tests.rs"]
mod law_tests;
#[cfg(test)]
#[path = "provisioning_tests.rs"]
mod tests;
