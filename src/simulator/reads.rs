//! What clients may read of resources: one by its identifier, or all of a type, page by page.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::event::lose;
use super::listing::Position;
use super::provisioning::{kind_of, primary_identifier};
use super::refusal::Refusal;
use super::resources::Resource;
use super::scenario::Action;
use super::world::World;

/// One page of ListResources is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceQuery {
    pub type_name: String,
    /// 1 to 100. The service model calls it reserved, and does not say what holds without it; 20 does here, as for
    /// ListResourceRequests.
    pub max_results: usize,
    /// The resource after which the page begins.
    pub after: Option<Position>,
    /// Properties that a resource must have to be listed, as JSON: "the resource model to use to select the resources".
    pub resource_model: Option<String>,
}

/// A resource as answers describe it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceDescription {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Arc<str>>,
    /// A JSON object in a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ResourcePage {
    pub resources: Vec<ResourceDescription>,
    /// Where the next page goes on; `None` at the end.
    pub next: Option<Position>,
}

impl World {
    /// GetResource: a resource as it is now. What is being created is not there yet, what is being deleted still is.
    pub fn resource(&mut self, type_name: &str, identifier: &str) -> Result<ResourceDescription, Refusal> {
        let scenario = Arc::clone(&self.scenario);
        let identifier = primary_identifier(kind_of(&scenario, type_name, Action::Read)?, identifier);
        match self.resources.get(type_name, &identifier).cloned() {
            Some(resource) => Ok(self.describe(resource)),
            None => Err(self.resource_not_found(type_name, &identifier)),
        }
    }

    /// One page of ListResources.
    pub fn resources(&mut self, query: &ResourceQuery) -> Result<ResourcePage, Refusal> {
        kind_of(&self.scenario, &query.type_name, Action::List)?;
        let wanted = query.resource_model.as_deref().map(read_model).transpose()?;
        let mut found: Vec<(Position, Resource)> = self
            .resources
            .after(&query.type_name, query.after)
            .filter(|(_, resource)| wanted.as_ref().is_none_or(|wanted| has(resource, wanted)))
            .take(query.max_results + 1)
            .map(|(position, resource)| (position, resource.clone()))
            .collect();
        let next = self.cut_page(&mut found, query.max_results, query.after);
        let resources = found.into_iter().map(|(_, resource)| self.describe(resource)).collect();
        Ok(ResourcePage { resources, next })
    }

    fn describe(&mut self, resource: Resource) -> ResourceDescription {
        let mut description = ResourceDescription {
            identifier: Some(resource.identifier),
            properties: Some(resource.model),
        };
        if self.faults.missing_fields > 0.0 {
            lose(
                &mut self.answers,
                self.faults.missing_fields,
                &mut description.identifier,
            );
            lose(
                &mut self.answers,
                self.faults.missing_fields,
                &mut description.properties,
            );
        }
        description
    }
}

/// Reads the model that a listing selects by. The error never repeats the text: it may hold secrets.
fn read_model(text: &str) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        Refusal::invalid_request(format!(
            "ResourceModel is not a JSON object (line {}, column {}).",
            error.line(),
            error.column()
        ))
    })
}

fn has(resource: &Resource, wanted: &Map<String, Value>) -> bool {
    let properties: Map<String, Value> = serde_json::from_str(&resource.model).unwrap_or_default();
    wanted.iter().all(|(name, value)| properties.get(name) == Some(value))
}
