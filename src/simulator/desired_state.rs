//! What a client wants: DesiredState, or a patch of what is there, and what it may ask of the simulator in it.

use std::borrow::Cow;
use std::sync::Arc;

use json_patch::Patch;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::course::Wish;
use super::patch;
use super::refusal::Refusal;
use super::scenario::TypeScenario;
use crate::model::ErrorCode;

/// The property by which a client says how its request shall go: `{"_simulator": {"fail": "NotStabilized", "message":
/// "…", "takes": "3s"}}`, each of them optional. It is no part of the resource. A patch adds it as it adds any other
/// property. The deletion of a resource has no desired state: the wish stands in its Identifier then, written as JSON,
/// beside the property that holds it: `{"BucketName": "logs", "_simulator": {"fail": "ResourceConflict"}}`.
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

/// The longest model that the service model lets an answer hold, in characters.
const LONGEST_MODEL: usize = 262_144;

impl DesiredState {
    /// Reads an object of JSON. The error never repeats the text: it may hold secrets.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let properties = serde_json::from_str(text).map_err(|error| {
            Refusal::invalid_request(format!(
                "DesiredState is not a JSON object (line {}, column {}).",
                error.line(),
                error.column()
            ))
        })?;
        Self::of(properties)
    }

    /// The state that a patch makes of the model of a resource. What it changes must not be what it is called by.
    pub(super) fn patched(model: &str, patch: &Patch, kind: &TypeScenario) -> Result<Self, Refusal> {
        let before: Value = serde_json::from_str(model).map_err(|_| Refusal::internal_failure())?;
        let mut after = before.clone();
        patch::apply(&mut after, patch)?;
        let property = identifier_property(kind);
        if after.get(property) != before.get(property) {
            return Err(Refusal::not_updatable(property));
        }
        match after {
            Value::Object(properties) => Self::of(properties),
            _ => Err(Refusal::invalid_model(
                "Model validation failed (#: expected type: JSONObject)".to_owned(),
            )),
        }
    }

    fn of(mut properties: Map<String, Value>) -> Result<Self, Refusal> {
        let wish = properties.remove(WISHES).map(read_wish).transpose()?;
        Ok(Self {
            properties,
            wish: wish.unwrap_or_default(),
        })
    }

    /// The identifier that the client chose, where the type lets it.
    pub(super) fn identifier(&self, kind: &TypeScenario) -> Result<Option<Arc<str>>, Refusal> {
        let Some(property) = &kind.identifier_property else {
            return Ok(None);
        };
        let wrong = |why: String| Refusal::invalid_model(format!("Model validation failed (#/{property}: {why})"));
        match self.properties.get(property) {
            None => Ok(None),
            Some(Value::String(text)) => match text.chars().count() {
                0 => Err(wrong("expected minLength: 1, actual: 0".to_owned())),
                1..=1024 => Ok(Some(text.as_str().into())),
                length => Err(wrong(format!("expected maxLength: 1024, actual: {length}"))),
            },
            Some(other) => Err(wrong(format!("expected type: String, found: {}", type_of(other)))),
        }
    }

    /// The model of the resource once it is called `identifier`.
    pub(super) fn into_model(mut self, kind: &TypeScenario, identifier: &str) -> Result<Arc<str>, Refusal> {
        self.properties
            .insert(identifier_property(kind).to_owned(), identifier.into());
        let model = Value::Object(self.properties).to_string();
        match model.chars().count() {
            ..=LONGEST_MODEL => Ok(model.into()),
            length => Err(Refusal::invalid_model(format!(
                "Model validation failed (#: expected maxLength: {LONGEST_MODEL}, actual: {length})"
            ))),
        }
    }
}

/// The property that holds the primary identifier.
pub(super) fn identifier_property(kind: &TypeScenario) -> &str {
    kind.identifier_property.as_deref().unwrap_or("Id")
}

/// Takes the wish out of an Identifier, if there is one.
pub(super) fn wish_in_identifier(identifier: &str) -> Result<(Cow<'_, str>, Wish), Refusal> {
    let written: Option<Map<String, Value>> = serde_json::from_str(identifier).ok();
    match written.and_then(|mut properties| Some((properties.remove(WISHES)?, properties))) {
        Some((wish, properties)) => Ok((Value::Object(properties).to_string().into(), read_wish(wish)?)),
        None => Ok((identifier.into(), Wish::default())),
    }
}

/// What the service's validator calls a type.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Double",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}

fn read_wish(value: Value) -> Result<Wish, Refusal> {
    let refuse = |why: String| Refusal::invalid_request(format!("{WISHES}: {why}"));
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
