//! `[[routes]]`
//!
//! A pattern that can match nothing would keep silent for ever and look as if nothing had happened, so each one is held
//! against what there is: the words of the service and of ccwatch, and the targets of this file.

use std::collections::BTreeSet;

use super::document::{Item, Section};
use super::problems::{Read, Reported, all};
use super::targets::Places;
use super::values::Names;
use super::wording::{listed, quoted, suggestion};
use super::{ReceiverSettings, grouping, mute};
use crate::decide::route::{Field, Patterns, Route};
use crate::model::{Region, TargetName};

/// The keys that are no fields.
pub(super) const OWN_KEYS: [&str; 6] = ["name", "to", "group_by", "group_wait", "group_interval", "mute"];

/// `settings` are the receivers as far as they could be read.
pub(super) fn read<'d>(
    root: &Section<'d>,
    receivers: &Names<'d>,
    settings: &[ReceiverSettings],
    places: &Places<'d>,
) -> Read<Vec<Route>> {
    let field_keys = Field::ALL.map(|(key, _)| key);
    let keys = [&OWN_KEYS[..], &field_keys].concat();
    let mut names = Names::default();
    let entries = root.entries("routes")?;
    let routes = all(entries.iter().map(|section| {
        let known = section.refuse_unknown(&keys, " of [[routes]]");
        let name = names.take(section);
        let to = to(section, receivers);
        let matchers = all(Field::ALL.into_iter().filter_map(|(key, field)| {
            let patterns = patterns(&section.get(key)?, field, places);
            Some(patterns.map(|patterns| (field, patterns)))
        }));
        let group = grouping::read(section);
        let mute = mute::read(section);
        known?;
        Ok(Route {
            name: name?.to_owned(),
            matchers: matchers?,
            to: to?,
            group: group?,
            mute: mute?,
        })
    }))?;
    warn_of_silence(root, receivers, settings, &routes);
    Ok(routes)
}

fn to(section: &Section<'_>, receivers: &Names<'_>) -> Read<Vec<String>> {
    let expected = "the name of a receiver, or several in an array";
    let members = section.required("to", expected)?.one_or_more(expected)?;
    let mut seen = Vec::new();
    all(members.iter().map(|member| {
        let name = member.string("the name of a receiver")?;
        if !receivers.contains(name) {
            return Err(no_receiver(member, name, receivers));
        }
        if seen.contains(&name) {
            return Err(member.error(format!("{} is named twice", quoted(name))));
        }
        seen.push(name);
        Ok(name.to_owned())
    }))
}

fn no_receiver(item: &Item<'_>, name: &str, receivers: &Names<'_>) -> Reported {
    // It may be meant for the receiver whose name is missing or wrong.
    if let Some(reported) = receivers.incomplete() {
        return reported;
    }
    let found = quoted(name);
    item.error(if receivers.iter().next().is_none() {
        format!("no receiver is named {found}: there is no [[receivers]] entry")
    } else {
        let suggestion = suggestion(name, receivers.iter());
        let known = listed(receivers.iter());
        format!("no receiver is named {found}{suggestion}; known are {known}")
    })
}

fn patterns(item: &Item<'_>, field: Field, places: &Places<'_>) -> Read<Patterns> {
    let members = item.one_or_more("a pattern, or several in an array")?;
    let texts = all(members.iter().map(|member| {
        let text = member.string("a pattern")?;
        let pattern = text.strip_prefix('!').unwrap_or(text);
        if pattern.is_empty() {
            return Err(member.error(format!("expected a pattern, found {}", quoted(text))));
        }
        match fault(pattern, field, places) {
            Some(fault) => Err(member.error(fault)),
            None => Ok(text),
        }
    }))?;
    Ok(Patterns::new(texts))
}

/// Why nothing can match the pattern, if so it is.
fn fault(pattern: &str, field: Field, places: &Places<'_>) -> Option<String> {
    let what = match field {
        Field::Target => {
            let whole = places.known.iter().map(|(entry, region)| {
                let region = Region((*region).to_owned());
                TargetName::new(entry, &region).as_str().to_owned()
            });
            let entries = places.known.iter().map(|(entry, _)| (*entry).to_owned());
            return none_of(pattern, "target", whole.chain(entries)).filter(|_| places.complete.is_ok());
        }
        Field::Region => {
            let known = places.known.iter().map(|(_, region)| (*region).to_owned());
            return none_of(pattern, "target's Region", known).filter(|_| places.complete.is_ok());
        }
        _ if field.can_match(pattern) => return None,
        Field::TypeName | Field::HookTypeName => {
            return Some(format!(
                "no type is named {}: expected a whole name, such as \"AWS::S3::Bucket\", or a pattern, such as \
                 \"AWS::S3::*\"",
                quoted(pattern)
            ));
        }
        Field::AccountId => return Some(format!("expected an id of twelve digits, found {}", quoted(pattern))),
        Field::Kind => "kind of change",
        Field::Status | Field::From => "status",
        Field::Operation => "operation",
        Field::ErrorCode => "error code",
        Field::FailureMode => "failure mode",
        Field::Identifier => "identifier",
    };
    Some(nothing_matches(pattern, what, &field.words()))
}

/// What is wrong with the pattern if it matches none of the known names, by the judgement of the router itself.
fn none_of(pattern: &str, what: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let known: BTreeSet<String> = known.collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let patterns = Patterns::new([pattern]);
    let matches = known.iter().any(|name| patterns.matches(&[name]));
    (!matches).then(|| nothing_matches(pattern, what, &known))
}

fn nothing_matches(pattern: &str, what: &str, known: &[&str]) -> String {
    let suggestion = suggestion(pattern, known.iter().copied());
    let found = quoted(pattern);
    format!(
        "no {what} matches {found}{suggestion}; known are {}",
        listed(known.iter().copied())
    )
}

fn warn_of_silence(root: &Section<'_>, receivers: &Names<'_>, settings: &[ReceiverSettings], routes: &[Route]) {
    if routes.is_empty() {
        root.warning(
            "routes",
            "there is no [[routes]] entry: the history is kept, but no one is told",
        );
        return;
    }
    let routed = routes.iter().flat_map(|route| &route.to);
    let escalated = settings
        .iter()
        .filter_map(|receiver| Some(&receiver.escalation.as_ref()?.to));
    let told: BTreeSet<&String> = routed.chain(escalated).collect();
    for (name, item) in receivers.items() {
        if !told.iter().any(|told| *told == name) {
            item.warning(format!("no route names {}: it is told nothing", quoted(name)));
        }
    }
}
