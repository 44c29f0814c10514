//! The limits of the service model (API 2021-09-30), and how the framework says that one is broken:
//! `1 validation error detected: Value 'x' at 'typeName' failed to satisfy constraint: Member must …`, all of them in
//! one message.
//!
//! Patterns are matched as a whole, by hand: seven small languages do not earn an engine for regular expressions.

use std::fmt::Display;

use super::super::refusal::Refusal;

/// What breaks a limit, collected.
#[derive(Debug, Default)]
pub(super) struct Limits {
    problems: Vec<String>,
}

/// Members whose values are marked sensitive in the service model, and never repeated.
const SENSITIVE: [&str; 3] = ["desiredState", "patchDocument", "resourceModel"];

/// How much of a value a message repeats. AWS repeats all of it; a megabyte helps nobody.
const REPEATED: usize = 200;

impl Limits {
    fn broken(&mut self, member: &str, value: impl Display, constraint: &str) {
        let value = if SENSITIVE.contains(&member) {
            "Value".to_owned()
        } else {
            let start: String = value.to_string().chars().take(REPEATED).collect();
            format!("Value '{start}'")
        };
        self.problems.push(format!(
            "{value} at '{member}' failed to satisfy constraint: {constraint}"
        ));
    }

    /// The value, if it is there.
    pub(super) fn required(&mut self, member: &str, value: Option<String>) -> Option<String> {
        if value.is_none() {
            self.problems.push(format!(
                "Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ));
        }
        value
    }

    /// In characters.
    fn length(&mut self, member: &str, value: &str, min: usize, max: usize) {
        let length = value.chars().count();
        if length < min {
            self.broken(
                member,
                value,
                &format!("Member must have length greater than or equal to {min}"),
            );
        } else if length > max {
            self.broken(
                member,
                value,
                &format!("Member must have length less than or equal to {max}"),
            );
        }
    }

    fn pattern(&mut self, member: &str, value: &str, pattern: &str, fits: impl Fn(&str) -> bool) {
        if !fits(value) {
            self.broken(
                member,
                value,
                &format!("Member must satisfy regular expression pattern: {pattern}"),
            );
        }
    }

    /// Any number of words of a list.
    pub(super) fn words(&mut self, member: &str, values: &[String], known: &[&str]) {
        if values.iter().any(|value| !known.contains(&value.as_str())) {
            let allowed = known.join(", ");
            self.broken(
                member,
                format_args!("[{}]", values.join(", ")),
                &format!("Member must satisfy constraint: [Member must satisfy enum value set: [{allowed}]]"),
            );
        }
    }

    pub(super) fn max_results(&mut self, value: Option<i64>) {
        let Some(value) = value else { return };
        if value < 1 {
            self.broken("maxResults", value, "Member must have value greater than or equal to 1");
        } else if value > 100 {
            self.broken("maxResults", value, "Member must have value less than or equal to 100");
        }
    }

    /// RequestToken, ClientToken, NextToken.
    pub(super) fn token(&mut self, member: &str, value: Option<&str>, max: usize) {
        if let Some(value) = value {
            self.length(member, value, 1, max);
            self.pattern(member, value, "[-A-Za-z0-9+/=]+", |text| {
                consists_of(text, |byte| byte.is_ascii_alphanumeric() || b"-+/=".contains(&byte))
            });
        }
    }

    /// The NextToken of ListResources.
    pub(super) fn handler_next_token(&mut self, value: Option<&str>) {
        if let Some(value) = value {
            self.length("nextToken", value, 1, 4096);
            self.pattern("nextToken", value, ".+", is_a_line);
        }
    }

    pub(super) fn type_name(&mut self, value: Option<String>) -> Option<String> {
        let type_name = self.required("typeName", value)?;
        self.length("typeName", &type_name, 10, 196);
        let pattern = "[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}";
        self.pattern("typeName", &type_name, pattern, is_type_name);
        Some(type_name)
    }

    pub(super) fn identifier(&mut self, value: Option<String>) -> Option<String> {
        let identifier = self.required("identifier", value)?;
        self.length("identifier", &identifier, 1, 1024);
        self.pattern("identifier", &identifier, ".+", is_a_line);
        Some(identifier)
    }

    /// DesiredState, PatchDocument, ResourceModel: any characters.
    pub(super) fn properties(&mut self, member: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.length(member, value, 1, 262_144);
        }
    }

    pub(super) fn version_and_role(&mut self, type_version_id: Option<&str>, role_arn: Option<&str>) {
        if let Some(version) = type_version_id {
            self.length("typeVersionId", version, 1, 128);
            self.pattern("typeVersionId", version, "[A-Za-z0-9-]+", |text| {
                consists_of(text, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        }
        if let Some(role_arn) = role_arn {
            self.length("roleArn", role_arn, 20, 2048);
            self.pattern("roleArn", role_arn, "arn:.+:iam::[0-9]{12}:role/.+", is_role_arn);
        }
    }

    pub(super) fn check(self) -> Result<(), Refusal> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Refusal::validation(&self.problems))
        }
    }
}

fn consists_of(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

/// `.+`: a full stop matches anything but what ends a line, in Java's view of what does.
fn is_a_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

pub(in crate::simulator) fn is_type_name(text: &str) -> bool {
    let is_part = |part: &str| (2..=64).contains(&part.len()) && consists_of(part, |byte| byte.is_ascii_alphanumeric());
    let parts: Vec<&str> = text.split("::").collect();
    parts.len() == 3 && parts.into_iter().all(is_part)
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", partition, "iam", "", account, resource] = parts.as_slice() else {
        return false;
    };
    !partition.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}
