//! `[[routes]]`
//!
//! A pattern that can match nothing would keep silent for ever and look as if nothing had happened, so each one is held
//! against what there is: the words of the service and of ccwatch, and the targets of this file.

use super::document::{Item, Section};
use super::targets::Targets;
use super::values::Names;
use super::wording::{listed, quoted, suggestion};
use crate::decide::route::{Field, Patterns, Route, Subject};
use crate::model::{ChangeKind, ErrorCode, FailureMode, HookStatus, Operation, Region, RequestStatus, TargetName};

pub(super) const OWN_KEYS: [&str; 2] = ["name", "to"];

pub(super) fn read<'d>(root: &Section<'d>, receivers: &Names<'d>, targets: &Targets<'d>) -> Vec<Route> {
    let mut names = Names::default();
    let entries = root.entries("routes");
    let field_keys = Field::ALL.map(|(key, _)| key);
    let keys = [&OWN_KEYS[..], &field_keys].concat();
    let mut routes = Vec::new();
    for section in &entries {
        section.refuse_unknown(&keys, " of [[routes]]");
        let name = names.take(section).unwrap_or_default().to_owned();
        let to = to(section, receivers);
        let matchers = Field::ALL
            .into_iter()
            .filter_map(|(key, field)| Some((field, patterns(&section.get(key)?, field, targets))))
            .collect();
        routes.push(Route { name, matchers, to });
    }
    warn_of_silence(root, receivers, &routes);
    routes
}

fn to(section: &Section<'_>, receivers: &Names<'_>) -> Vec<String> {
    let expected = "the name of a receiver, or several in an array";
    let Some(item) = section.required("to", expected) else {
        return Vec::new();
    };
    let mut to: Vec<String> = Vec::new();
    for member in item.one_or_more(expected) {
        let Some(name) = member.string("the name of a receiver") else {
            continue;
        };
        if !receivers.contains(name) {
            let found = quoted(name);
            if !receivers.is_complete() {
                // It may be meant for the receiver whose name is missing or wrong, which is reported.
            } else if receivers.iter().next().is_none() {
                member.error(format!("no receiver is named {found}: there is no [[receivers]] entry"));
            } else {
                let suggestion = suggestion(name, receivers.iter());
                let known = listed(receivers.iter());
                member.error(format!("no receiver is named {found}{suggestion}; known are {known}"));
            }
        } else if to.iter().any(|other| other == name) {
            member.error(format!("{} is named twice", quoted(name)));
        } else {
            to.push(name.to_owned());
        }
    }
    to
}

fn patterns(item: &Item<'_>, field: Field, targets: &Targets<'_>) -> Patterns {
    let texts: Vec<&str> = item
        .one_or_more("a pattern, or several in an array")
        .iter()
        .filter_map(|member| {
            let text = member.string("a pattern")?;
            let pattern = text.strip_prefix('!').unwrap_or(text);
            if pattern.is_empty() {
                member.error(format!("expected a pattern, found {}", quoted(text)));
            } else {
                check(member, pattern, field, targets);
            }
            Some(text)
        })
        .collect();
    Patterns::new(texts)
}

/// Reports a pattern that nothing can match.
fn check(item: &Item<'_>, pattern: &str, field: Field, targets: &Targets<'_>) {
    let is_glob = pattern.contains('*');
    let words = |lists: &[&[&'static str]]| lists.concat();
    let fault = match field {
        // The kinds are ccwatch's own: there are no others.
        Field::Kind => none_of(pattern, field, "kind of change", &words(&[ChangeKind::KNOWN])),
        Field::Target => {
            let names: Vec<String> = targets
                .places
                .iter()
                .map(|(entry, region)| {
                    TargetName::new(entry, &Region((*region).to_owned()))
                        .as_str()
                        .to_owned()
                })
                .collect();
            let entries = targets.places.iter().map(|(entry, _)| *entry);
            let mut known: Vec<&str> = entries.chain(names.iter().map(String::as_str)).collect();
            known.sort_unstable();
            known.dedup();
            none_of(pattern, field, "target", &known).filter(|_| targets.complete)
        }
        Field::Region => {
            let mut known: Vec<&str> = targets.places.iter().map(|(_, region)| *region).collect();
            known.sort_unstable();
            known.dedup();
            none_of(pattern, field, "target's Region", &known).filter(|_| targets.complete)
        }
        // AWS may lengthen these lists at any time, and a glob may be meant for what comes.
        _ if is_glob => None,
        Field::Status | Field::From => none_of(
            pattern,
            field,
            "status",
            &words(&[RequestStatus::KNOWN, HookStatus::KNOWN]),
        ),
        Field::Operation => none_of(pattern, field, "operation", &words(&[Operation::KNOWN])),
        Field::ErrorCode => none_of(pattern, field, "error code", &words(&[ErrorCode::KNOWN])),
        Field::FailureMode => none_of(pattern, field, "failure mode", &words(&[FailureMode::KNOWN])),
        Field::TypeName | Field::HookTypeName => (pattern.split("::").filter(|part| !part.is_empty()).count() < 3)
            .then(|| {
                format!(
                    "no type is named {}: expected a whole name, such as \"AWS::S3::Bucket\", or a pattern, such as \
                     \"AWS::S3::*\"",
                    quoted(pattern)
                )
            }),
    };
    if let Some(fault) = fault {
        item.error(fault);
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
