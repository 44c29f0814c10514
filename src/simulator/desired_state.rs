//! What a client wants: DesiredState, and what it may ask of the simulator in it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::course::Wish;
use super::refusal::Refusal;
use super::scenario::TypeScenario;
use crate::model::ErrorCode;

/// The property by which a client says how its request shall go: `{"_simulator": {"fail": "NotStabilized", "message":
/// "…", "takes": "3s"}}`, each of them optional. It is no part of the resource.
const WISHES: &str = "_simulator";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWish {
    fail: Option<String>,
    message: Option<String>,
    takes: Option<String>,
}

/// A desired state that was read.
#[derive(Debug)]
pub(super) struct DesiredState {
    properties: Map<String, Value>,
    pub(super) wish: Wish,
}

impl DesiredState {
    /// Reads an object of JSON. The error never repeats the text: it may hold secrets.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let mut properties: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            Refusal::invalid_request(format!(
                "DesiredState is not a JSON object (line {}, column {}).",
                error.line(),
                error.column()
            ))
        })?;
        let wish = properties
            .remove(WISHES)
            .map(read_wish)
            .transpose()?
            .unwrap_or_default();
        Ok(Self { properties, wish })
    }

    /// The identifier that the client chose, where the type lets it.
    pub(super) fn identifier(&self, kind: &TypeScenario) -> Option<Arc<str>> {
        let property = kind.identifier_property.as_ref()?;
        let identifier = self.properties.get(property)?.as_str()?;
        (1..=1024).contains(&identifier.len()).then(|| identifier.into())
    }

    /// The model of the resource once it is called `identifier`.
    pub(super) fn into_model(mut self, kind: &TypeScenario, identifier: &str) -> Arc<str> {
        let property = kind.identifier_property.as_deref().unwrap_or("Id");
        self.properties.insert(property.to_owned(), identifier.into());
        Value::Object(self.properties).to_string().into()
    }
}

fn read_wish(value: Value) -> Result<Wish, Refusal> {
    let refuse = |why: String| Refusal::invalid_request(format!("{WISHES} in DesiredState: {why}"));
    let written: WrittenWish = serde_json::from_value(value).map_err(|error| refuse(error.to_string()))?;
    let fail = written.fail.map(|code| match ErrorCode::from(code.as_str()) {
        ErrorCode::Other(_) => Err(refuse(format!(
            "`{code}` is no error code; expected one of {}",
            ErrorCode::KNOWN.join(", ")
        ))),
        known => Ok(known),
    });
    let takes = written.takes.map(|takes| {
        humantime::parse_duration(&takes).map_err(|error| refuse(format!("`takes` is `{takes}`: {error}")))
    });
    Ok(Wish {
        fail: fail.transpose()?,
        message: written.message,
        takes: takes.transpose()?,
    })
}
