//! `[[routes]]`
//!
//! A pattern that can match nothing would keep silent for ever and look as if nothing had happened, so each one is held
//! against what there is: the words of the service and of ccwatch, and the targets of this file.

use super::document::{Item, Section};
use super::problems::{Read, Reported, all};
use super::targets::Places;
use super::values::Names;
use super::wording::{listed, quoted, suggestion};
use crate::decide::route::{Field, Patterns, Route, Subject};
use crate::model::{ChangeKind, ErrorCode, FailureMode, HookStatus, Operation, Region, RequestStatus, TargetName};

pub(super) const OWN_KEYS: [&str; 2] = ["name", "to"];

pub(super) fn read<'d>(root: &Section<'d>, receivers: &Names<'d>, places: &Places<'d>) -> Read<Vec<Route>> {
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
        known?;
        Ok(Route {
            name: name?.to_owned(),
            matchers: matchers?,
            to: to?,
        })
    }))?;
    warn_of_silence(root, receivers, &routes);
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
    match field {
        // The kinds are ccwatch's own: there are no others.
        Field::Kind => none_of(pattern, field, "kind of change", ChangeKind::KNOWN),
        Field::Target => {
            let names: Vec<String> = places
                .known
                .iter()
                .map(|(entry, region)| {
                    TargetName::new(entry, &Region((*region).to_owned()))
                        .as_str()
                        .to_owned()
                })
                .collect();
            let entries = places.known.iter().map(|(entry, _)| *entry);
            let mut known: Vec<&str> = entries.chain(names.iter().map(String::as_str)).collect();
            known.sort_unstable();
            known.dedup();
            none_of(pattern, field, "target", &known).filter(|_| places.complete.is_ok())
        }
        Field::Region => {
            let mut known: Vec<&str> = places.known.iter().map(|(_, region)| *region).collect();
            known.sort_unstable();
            known.dedup();
            none_of(pattern, field, "target's Region", &known).filter(|_| places.complete.is_ok())
        }
        // AWS may lengthen these lists at any time, and a glob may be meant for what comes.
        _ if pattern.contains('*') => None,
        Field::Status | Field::From => none_of(
            pattern,
            field,
            "status",
            &[RequestStatus::KNOWN, HookStatus::KNOWN].concat(),
        ),
        Field::Operation => none_of(pattern, field, "operation", Operation::KNOWN),
        Field::ErrorCode => none_of(pattern, field, "error code", ErrorCode::KNOWN),
        Field::FailureMode => none_of(pattern, field, "failure mode", FailureMode::KNOWN),
        Field::TypeName | Field::HookTypeName => (pattern.split("::").filter(|part| !part.is_empty()).count() < 3)
            .then(|| {
                format!(
                    "no type is named {}: expected a whole name, such as \"AWS::S3::Bucket\", or a pattern, such as \
                     \"AWS::S3::*\"",
                    quoted(pattern)
                )
            }),
    }
}

/// What is wrong with the pattern if it matches none of the known words, by the judgement of the router itself.
fn none_of(pattern: &str, field: Field, what: &str, known: &[&str]) -> Option<String> {
    let route = Route {
        name: String::new(),
        matchers: vec![(field, Patterns::new([pattern]))],
        to: Vec::new(),
    };
    let matches = known.iter().any(|word| {
        route.matches(&Subject {
            kind: word,
            status: Some(word),
            from: Some(word),
            operation: Some(word),
            error_code: Some(word),
            target: word,
            region: word,
            failure_mode: Some(word),
            ..Subject::default()
        })
    });
    (!matches).then(|| {
        let suggestion = suggestion(pattern, known.iter().copied());
        let known = listed(known.iter().copied());
        format!("no {what} matches {}{suggestion}; known are {known}", quoted(pattern))
    })
}

fn warn_of_silence(root: &Section<'_>, receivers: &Names<'_>, routes: &[Route]) {
    if routes.is_empty() {
        root.warning(
            "routes",
            "there is no [[routes]] entry: the history is kept, but no one is told",
        );
        return;
    }
    for (name, item) in receivers.items() {
        if !routes.iter().any(|route| route.to.iter().any(|to| to == name)) {
            item.warning(format!("no route names {}: it is told nothing", quoted(name)));
        }
    }
}
