//! Who is told: change × routes → receivers.
//!
//! A route says when, a receiver says where. Every route that matches adds its receivers, in the order of the
//! configuration, and a receiver gets a change once however many routes name it.

use std::fmt;

use wildmatch::WildMatchPattern;

use super::grouping::Grouping;
use super::mute::MuteWindow;
use crate::model::{Announcement, ChangeKind, ErrorCode, FailureMode, HookStatus, Operation, RequestStatus};

/// What a route can ask about. `target` matches a pattern by its entry's name (`prod`) as well as by its whole name
/// (`prod/eu-west-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Kind,
    /// The new status.
    Status,
    /// The status before.
    From,
    TypeName,
    /// The resource's.
    Identifier,
    Operation,
    ErrorCode,
    Target,
    AccountId,
    Region,
    HookTypeName,
    FailureMode,
}

impl Field {
    /// Every field with its key in the configuration.
    pub const ALL: [(&'static str, Self); 12] = [
        ("kind", Self::Kind),
        ("status", Self::Status),
        ("from", Self::From),
        ("type_name", Self::TypeName),
        ("identifier", Self::Identifier),
        ("operation", Self::Operation),
        ("error_code", Self::ErrorCode),
        ("target", Self::Target),
        ("account_id", Self::AccountId),
        ("region", Self::Region),
        ("hook_type_name", Self::HookTypeName),
        ("failure_mode", Self::FailureMode),
    ];

    /// Its key in the configuration.
    pub fn key(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(_, field)| *field == self);
        found.map_or("", |(key, _)| key)
    }

    /// The words that it can be, where they are a list: the service's (which AWS may lengthen at any time) or, for
    /// [`Kind`](Self::Kind), ccwatch's own. None where it is a name that others gave.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Kind => ChangeKind::KNOWN.to_vec(),
            Self::Status | Self::From => [RequestStatus::KNOWN, HookStatus::KNOWN].concat(),
            Self::Operation => Operation::KNOWN.to_vec(),
            Self::ErrorCode => ErrorCode::KNOWN.to_vec(),
            Self::FailureMode => FailureMode::KNOWN.to_vec(),
            Self::TypeName | Self::Identifier | Self::Target | Self::AccountId | Self::Region | Self::HookTypeName => {
                Vec::new()
            }
        }
    }

    /// Whether a pattern (without its `!`) can match anything. One that can't would keep silent for ever, and look as if
    /// nothing had happened. Where AWS may lengthen a list, a glob may be meant for what comes.
    pub fn can_match(self, pattern: &str) -> bool {
        let words = self.words();
        let is_for_what_comes = self != Self::Kind && pattern.contains('*');
        match self {
            _ if is_for_what_comes => true,
            // The least that a type's name has: `AWS::S3::Bucket`.
            Self::TypeName | Self::HookTypeName => pattern.split("::").filter(|part| !part.is_empty()).count() >= 3,
            Self::AccountId => pattern.len() == 12 && pattern.bytes().all(|byte| byte.is_ascii_digit()),
            _ => words.is_empty() || words.iter().any(|word| Glob::new(pattern).matches(word)),
        }
    }
}

/// What a change says for each field; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    pub kind: &'a str,
    pub status: Option<&'a str>,
    pub from: Option<&'a str>,
    pub type_name: Option<&'a str>,
    pub identifier: Option<&'a str>,
    pub operation: Option<&'a str>,
    pub error_code: Option<&'a str>,
    /// The target's whole name, `<entry>/<region>`.
    pub target: &'a str,
    pub account_id: Option<&'a str>,
    pub region: &'a str,
    pub hook_type_name: Option<&'a str>,
    pub failure_mode: Option<&'a str>,
}

/// What routes can ask about a change that is stored: its own words, and its request and hook as they are now.
impl<'a> From<&'a Announcement> for Subject<'a> {
    fn from(announcement: &'a Announcement) -> Self {
        let (request, hook) = (&announcement.request, announcement.hook.as_ref());
        Self {
            kind: announcement.kind.as_str(),
            status: announcement.to.as_deref(),
            from: announcement.from.as_deref(),
            type_name: request.type_name.as_deref(),
            identifier: request.identifier.as_deref(),
            operation: request.operation.as_deref(),
            error_code: announcement.error_code.as_deref(),
            target: &announcement.target,
            account_id: announcement.account_id.as_ref().map(|account| account.0.as_str()),
            region: &announcement.region.0,
            hook_type_name: hook.and_then(|hook| hook.hook_type_name.as_deref()),
            failure_mode: hook.and_then(|hook| hook.failure_mode.as_deref()),
        }
    }
}

impl<'a> Subject<'a> {
    /// What it says for a field.
    pub fn value(&self, field: Field) -> Option<&'a str> {
        match field {
            Field::Kind => Some(self.kind),
            Field::Status => self.status,
            Field::From => self.from,
            Field::TypeName => self.type_name,
            Field::Identifier => self.identifier,
            Field::Operation => self.operation,
            Field::ErrorCode => self.error_code,
            Field::Target => Some(self.target),
            Field::AccountId => self.account_id,
            Field::Region => Some(self.region),
            Field::HookTypeName => self.hook_type_name,
            Field::FailureMode => self.failure_mode,
        }
    }

    /// Whether all of the matchers match; none match everything.
    pub fn matches(&self, matchers: &[Matcher]) -> bool {
        matchers.iter().all(|(field, patterns)| match field {
            Field::Target => {
                let entry = self.target.rsplit_once('/').map_or(self.target, |(entry, _)| entry);
                patterns.matches(&[self.target, entry])
            }
            _ => patterns.matches(self.value(*field).as_slice()),
        })
    }
}

/// A field, and what it must be.
pub type Matcher = (Field, Patterns);

/// Patterns of one key: `*` stands for any characters, `!` in front excludes.
///
/// A value matches if no excluding pattern matches it and, where there are including ones, at least one of those does.
/// What is absent matches no pattern: it passes where there are only exclusions, and fails otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Patterns {
    include: Vec<Glob>,
    exclude: Vec<Glob>,
}

/// `*` alone is special. (The crate's single-character wildcard is set to NUL, which no name contains.)
type Glob = WildMatchPattern<'*', '\0'>;

impl Patterns {
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut new = Self {
            include: Vec::new(),
            exclude: Vec::new(),
        };
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(excluded) => new.exclude.push(Glob::new(excluded)),
                None => new.include.push(Glob::new(pattern)),
            }
        }
        new
    }

    /// The patterns of which one must match, if there are any.
    pub fn included(&self) -> impl Iterator<Item = String> {
        self.include.iter().map(Glob::pattern)
    }

    /// The patterns of which none may match, without their `!`.
    pub fn excluded(&self) -> impl Iterator<Item = String> {
        self.exclude.iter().map(Glob::pattern)
    }

    /// Whether a value that goes by all of these names matches.
    pub fn matches(&self, names: &[&str]) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| names.iter().any(|name| glob.matches(name)));
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
    }
}

/// The patterns with commas between, the including ones first.
impl fmt::Display for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let include = self.include.iter().map(|glob| ("", glob));
        let exclude = self.exclude.iter().map(|glob| ("!", glob));
        for (index, (sign, glob)) in include.chain(exclude).enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{sign}{}", glob.pattern())?;
        }
        Ok(())
    }
}

/// Who is at the other end of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// People, who are told of many changes in one digest rather than in a flood.
    People,
    /// Programs, which get each change for itself.
    Machines,
    /// A tool that keeps incidents: it gets what opens one and what resolves it, and nothing else.
    Incidents,
}

/// One `[[routes]]` entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Route {
    pub name: String,
    /// All of them must match; a route with none matches everything.
    pub matchers: Vec<Matcher>,
    /// Names of receivers.
    pub to: Vec<String>,
    /// How changes wait for each other, to be told together; `None` if each is told at once.
    pub group: Option<Grouping>,
    /// When what it would tell is held.
    pub mute: Vec<MuteWindow>,
}

impl Route {
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        subject.matches(&self.matchers)
    }
}

/// A receiver that is told of a change, with the route that says how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen<'r> {
    pub receiver: &'r str,
    /// The first in the configuration that matches and names the receiver.
    pub route: &'r Route,
}

/// The receivers that are told of `subject`, each once.
pub fn receivers<'r>(routes: &'r [Route], subject: &Subject<'_>) -> Vec<Chosen<'r>> {
    let mut chosen: Vec<Chosen<'r>> = Vec::new();
    for route in routes.iter().filter(|route| route.matches(subject)) {
        for receiver in &route.to {
            if !chosen.iter().any(|chosen| chosen.receiver == receiver) {
                chosen.push(Chosen { receiver, route });
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed_database() -> Subject<'static> {
        Subject {
            kind: "request.status",
            status: Some("FAILED"),
            from: Some("IN_PROGRESS"),
            type_name: Some("AWS::RDS::DBInstance"),
            identifier: Some("orders"),
            operation: Some("CREATE"),
            error_code: Some("Throttling"),
            target: "prod/eu-west-1",
            account_id: Some("123456789012"),
            region: "eu-west-1",
            ..Subject::default()
        }
    }

    fn route(matchers: &[(Field, &[&str])], to: &[&str]) -> Route {
        Route {
            name: "r".into(),
            matchers: matchers
                .iter()
                .map(|(field, patterns)| (*field, Patterns::new(patterns.iter().copied())))
                .collect(),
            to: to.iter().map(ToString::to_string).collect(),
            ..Route::default()
        }
    }

    fn matches(field: Field, patterns: &[&str]) -> bool {
        route(&[(field, patterns)], &[]).matches(&failed_database())
    }

    #[test]
    fn patterns_are_words_globs_and_exclusions() {
        assert!(matches(Field::TypeName, &["AWS::RDS::DBInstance"]));
        assert!(matches(Field::TypeName, &["AWS::S3::*", "AWS::*::DBInstance"]));
        assert!(!matches(Field::TypeName, &["AWS::RDS"]));
        assert!(!matches(Field::TypeName, &["AWS::RDS::DBInstanc?"]));
        assert!(!matches(Field::TypeName, &["*", "!AWS::RDS::*"]));
        assert!(matches(Field::TypeName, &["!AWS::S3::*"]));
    }

    #[test]
    fn what_is_absent_passes_exclusions_only() {
        assert!(!matches(Field::HookTypeName, &["*"]));
        assert!(matches(Field::HookTypeName, &["!*"]));
    }

    #[test]
    fn a_target_goes_by_its_entrys_name_too() {
        assert!(matches(Field::Target, &["prod"]));
        assert!(matches(Field::Target, &["prod/eu-*"]));
        assert!(!matches(Field::Target, &["!prod"]));
        assert!(!matches(Field::Target, &["eu-west-1"]));
    }

    #[test]
    fn each_field_is_held_against_its_own_value() {
        let subject = Subject {
            hook_type_name: Some("Acme::Guard::X"),
            failure_mode: Some("WARN"),
            ..failed_database()
        };
        let values = [
            "request.status",
            "FAILED",
            "IN_PROGRESS",
            "AWS::RDS::DBInstance",
            "orders",
            "CREATE",
            "Throttling",
            "prod/eu-west-1",
            "123456789012",
            "eu-west-1",
            "Acme::Guard::X",
            "WARN",
        ];
        for ((key, field), value) in Field::ALL.into_iter().zip(values) {
            assert!(route(&[(field, &[value])], &[]).matches(&subject), "{key}");
            assert!(!route(&[(field, &["other"])], &[]).matches(&subject), "{key}");
            assert_eq!((field.key(), subject.value(field)), (key, Some(value)));
        }
    }

    #[test]
    fn all_keys_must_match_and_a_receiver_is_named_once() {
        let routes = [
            route(&[(Field::Status, &["FAILED"]), (Field::Region, &["us-*"])], &["never"]),
            route(&[], &["log", "chat"]),
            route(&[(Field::Status, &["FAILED"])], &["pager", "chat"]),
        ];
        let chosen = receivers(&routes, &failed_database());
        let names: Vec<_> = chosen.iter().map(|chosen| chosen.receiver).collect();
        assert_eq!(names, ["log", "chat", "pager"]);
        // Where two routes name one receiver, the first says how.
        assert!(
            chosen
                .iter()
                .zip([1, 1, 2])
                .all(|(chosen, route)| std::ptr::eq(chosen.route, &raw const routes[route]))
        );
    }
}
