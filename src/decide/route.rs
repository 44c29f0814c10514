//! Who is told: change × routes → receivers.
//!
//! A route says when, a receiver says where. Every route that matches adds its receivers, in the order of the
//! configuration, and a receiver gets a change once however many routes name it.

use wildmatch::WildMatchPattern;

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
    Operation,
    ErrorCode,
    Target,
    Region,
    HookTypeName,
    FailureMode,
}

impl Field {
    /// Every field with its key in the configuration.
    pub const ALL: [(&'static str, Self); 10] = [
        ("kind", Self::Kind),
        ("status", Self::Status),
        ("from", Self::From),
        ("type_name", Self::TypeName),
        ("operation", Self::Operation),
        ("error_code", Self::ErrorCode),
        ("target", Self::Target),
        ("region", Self::Region),
        ("hook_type_name", Self::HookTypeName),
        ("failure_mode", Self::FailureMode),
    ];
}

/// What a change says for each field; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    pub kind: &'a str,
    pub status: Option<&'a str>,
    pub from: Option<&'a str>,
    pub type_name: Option<&'a str>,
    pub operation: Option<&'a str>,
    pub error_code: Option<&'a str>,
    /// The target's whole name, `<entry>/<region>`.
    pub target: &'a str,
    pub region: &'a str,
    pub hook_type_name: Option<&'a str>,
    pub failure_mode: Option<&'a str>,
}

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

    /// Whether a value that goes by all of these names matches.
    fn matches(&self, names: &[&str]) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| names.iter().any(|name| glob.matches(name)));
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
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
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub name: String,
    /// All of them must match; a route with none matches everything.
    pub matchers: Vec<(Field, Patterns)>,
    /// Names of receivers.
    pub to: Vec<String>,
}

impl Route {
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.matchers.iter().all(|(field, patterns)| {
            let value = match field {
                Field::Kind => Some(subject.kind),
                Field::Status => subject.status,
                Field::From => subject.from,
                Field::TypeName => subject.type_name,
                Field::Operation => subject.operation,
                Field::ErrorCode => subject.error_code,
                Field::Target => {
                    let entry = subject
                        .target
                        .rsplit_once('/')
                        .map_or(subject.target, |(entry, _)| entry);
                    return patterns.matches(&[subject.target, entry]);
                }
                Field::Region => Some(subject.region),
                Field::HookTypeName => subject.hook_type_name,
                Field::FailureMode => subject.failure_mode,
            };
            patterns.matches(value.as_slice())
        })
    }
}

/// The names of the receivers that are told of `subject`, each once.
pub fn receivers<'r>(routes: &'r [Route], subject: &Subject<'_>) -> Vec<&'r str> {
    let mut names: Vec<&str> = Vec::new();
    for route in routes.iter().filter(|route| route.matches(subject)) {
        for name in &route.to {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
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
            operation: Some("CREATE"),
            error_code: Some("Throttling"),
            target: "prod/eu-west-1",
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
            "CREATE",
            "Throttling",
            "prod/eu-west-1",
            "eu-west-1",
            "Acme::Guard::X",
            "WARN",
        ];
        for ((key, field), value) in Field::ALL.into_iter().zip(values) {
            assert!(route(&[(field, &[value])], &[]).matches(&subject), "{key}");
            assert!(!route(&[(field, &["other"])], &[]).matches(&subject), "{key}");
        }
    }

    #[test]
    fn all_keys_must_match_and_a_receiver_is_named_once() {
        let routes = [
            route(&[(Field::Status, &["FAILED"]), (Field::Region, &["us-*"])], &["never"]),
            route(&[], &["log", "chat"]),
            route(&[(Field::Status, &["FAILED"])], &["pager", "chat"]),
        ];
        assert_eq!(receivers(&routes, &failed_database()), ["log", "chat", "pager"]);
    }
}
