//! `[[types]]`, `[other_types]` and `[[failures]]`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::values::{
    entries, given_or, members, message, refuse_too_many, refuse_weightless, required, spread, type_name, weight,
};
use super::{Action, Failure, TypeScenario};
use crate::config::document::{Item, Section};
use crate::config::problems::Read;
use crate::config::values::{boolean, checked, one_of};
use crate::config::wording::quoted;
use crate::model::ErrorCode;

pub(super) const KEYS: [&str; 8] = [
    "type_name",
    "weight",
    "identifier_property",
    "identifier_prefix",
    "duration",
    "messages",
    "unsupported",
    "failures",
];
pub(super) const FAILURE_KEYS: [&str; 3] = ["weight", "error_code", "message"];

/// `[[types]]`: each type once.
pub(super) fn read(root: &Section<'_>) -> Read<Vec<TypeScenario>> {
    let mut known = BTreeMap::new();
    let types = entries(root, "types", |section| {
        let type_name = required(section, "type_name", "the type's name", |item| {
            let name = type_name(item)?;
            match known.entry(name.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(item.line());
                    Ok(name)
                }
                // A second one would never be asked for by its name.
                Entry::Occupied(entry) => {
                    let line = entry.get();
                    Err(item.error(format!("{} was already described at line {line}", quoted(&name))))
                }
            }
        });
        kind(section, type_name, &KEYS)
    })?;
    let weights = types.iter().flatten().map(|kind| kind.weight);
    refuse_weightless(root, "types", weights)?;
    Ok(types.unwrap_or_default())
}

/// `[other_types]`, or `other_types = false`.
pub(super) fn read_others(root: &Section<'_>) -> Read<Option<TypeScenario>> {
    let plain = TypeScenario::default();
    let Some(item) = root.get("other_types") else {
        return Ok(Some(plain));
    };
    let expected = "the table [other_types], or false";
    if item.is_boolean() {
        return if boolean(&item)? {
            Err(item.error(format!("expected {expected}, found true")))
        } else {
            Ok(None)
        };
    }
    let section = item.section(expected)?;
    let type_name = given_or(&section, "type_name", plain.type_name.to_string(), type_name);
    let keys: Vec<_> = KEYS.into_iter().filter(|key| *key != "weight").collect();
    kind(&section, type_name, &keys).map(Some)
}

fn kind(section: &Section<'_>, type_name: Read<String>, keys: &[&str]) -> Read<TypeScenario> {
    let plain = TypeScenario::default();
    let known = section.refuse_unknown(keys, " of a type");
    let weight = given_or(section, "weight", plain.weight, weight);
    let identifier_property = section.optional("identifier_property", |item| {
        checked(item, "the name of a property", |text| (1..=128).contains(&text.len()))
    });
    let identifier_prefix = given_or(section, "identifier_prefix", plain.identifier_prefix, |item| {
        // With what is drawn behind it, an Identifier has at most 1024 characters.
        checked(item, "at most 128 characters", |text| text.chars().count() <= 128)
    });
    let duration = given_or(section, "duration", plain.duration, spread);
    let messages = given_or(section, "messages", plain.messages, |item| {
        members(item, "an array of messages", message)
    });
    let few = refuse_too_many(section, "messages", messages.as_ref().map_or(0, Vec::len));
    let unsupported = given_or(section, "unsupported", plain.unsupported, |item| {
        let words = Action::ALL.map(|action| (action.as_str(), action));
        members(item, "an array of actions", |action| one_of(action, &words))
    });
    let failures = read_failures(section);
    known?;
    few?;
    Ok(TypeScenario {
        type_name: type_name?.into(),
        weight: weight?,
        identifier_property: identifier_property?,
        identifier_prefix: identifier_prefix?,
        duration: duration?,
        messages: messages?,
        unsupported: unsupported?,
        failures: failures?.unwrap_or_default(),
    })
}

/// `[[failures]]`, or those of a type.
pub(super) fn read_failures(section: &Section<'_>) -> Read<Option<Vec<Failure>>> {
    let failures = entries(section, "failures", |section| {
        let known = section.refuse_unknown(&FAILURE_KEYS, " of a failure");
        let weight = given_or(section, "weight", 1.0, weight);
        let error_code = required(section, "error_code", "an error code of the service", error_code);
        let message = required(section, "message", "what StatusMessage says", message);
        known?;
        Ok(Failure::new(weight?, error_code?, message?))
    })?;
    let weights = failures.iter().flatten().map(|failure| failure.weight);
    refuse_weightless(section, "failures", weights)?;
    Ok(failures)
}

fn error_code(item: &Item<'_>) -> Read<ErrorCode> {
    let words: Vec<_> = ErrorCode::KNOWN.iter().map(|word| (*word, *word)).collect();
    one_of(item, &words).map(ErrorCode::from)
}
