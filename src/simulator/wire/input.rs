//! What was asked for, held to the limits of the service model (API 2021-09-30).

use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::listing::{Filter, Position};
use super::super::operations::{Create, Delete, ListQuery};
use super::super::refusal::Refusal;
use crate::model::{Operation, RequestStatus};

/// A call that is well formed and within limits.
#[derive(Debug, PartialEq)]
pub(super) enum Input {
    List(ListQuery),
    Get {
        request_token: String,
    },
    Cancel {
        request_token: String,
    },
    Create {
        create: Create,
        client_token: Option<String>,
    },
    Delete {
        delete: Delete,
        client_token: Option<String>,
    },
}

/// The operations that are served. What is not among them is unknown.
const OPERATIONS: [&str; 5] = [
    "ListResourceRequests",
    "GetResourceRequestStatus",
    "CancelResourceRequest",
    "CreateResource",
    "DeleteResource",
];

/// The operation of this name.
pub(super) fn operation(name: &str) -> Option<&'static str> {
    OPERATIONS.into_iter().find(|operation| *operation == name)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInput {
    max_results: Option<i64>,
    next_token: Option<String>,
    resource_request_status_filter: Option<FilterInput>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterInput {
    operations: Option<Vec<String>>,
    operation_statuses: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TokenInput {
    request_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceInput {
    type_name: Option<String>,
    desired_state: Option<String>,
    identifier: Option<String>,
    type_version_id: Option<String>,
    role_arn: Option<String>,
    client_token: Option<String>,
}

impl Input {
    pub(super) fn read(operation: Option<&str>, body: &[u8]) -> Result<Self, Refusal> {
        match operation {
            Some("ListResourceRequests") => list(&parse(body)?),
            Some("GetResourceRequestStatus") => Ok(Self::Get {
                request_token: token(parse(body)?)?,
            }),
            Some("CancelResourceRequest") => Ok(Self::Cancel {
                request_token: token(parse(body)?)?,
            }),
            Some("CreateResource") => create(parse(body)?),
            Some("DeleteResource") => delete(parse(body)?),
            _ => Err(Refusal::unknown_operation()),
        }
    }
}

/// Reads JSON. The error never repeats the body: it may hold secrets.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() {
            "a member has the wrong type"
        } else {
            "it is not JSON"
        };
        Refusal::serialization(&format!(
            "The body can't be read: {what} (line {}, column {}).",
            error.line(),
            error.column()
        ))
    })
}

fn list(input: &ListInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let max_results = input.max_results.unwrap_or(20);
    if max_results < 1 {
        limits.broken(
            "maxResults",
            max_results,
            "Member must have value greater than or equal to 1",
        );
    } else if max_results > 100 {
        limits.broken(
            "maxResults",
            max_results,
            "Member must have value less than or equal to 100",
        );
    }
    if let Some(next_token) = &input.next_token {
        limits.length("nextToken", next_token, 1, 2048);
        limits.pattern("nextToken", next_token, "[-A-Za-z0-9+/=]+", is_token);
    }
    let no_filter = FilterInput::default();
    let filter = input.resource_request_status_filter.as_ref().unwrap_or(&no_filter);
    let operations = filter.operations.as_deref().unwrap_or_default();
    let statuses = filter.operation_statuses.as_deref().unwrap_or_default();
    limits.words("resourceRequestStatusFilter.operations", operations, Operation::KNOWN);
    limits.words(
        "resourceRequestStatusFilter.operationStatuses",
        statuses,
        RequestStatus::KNOWN,
    );
    limits.check()?;
    let after = match &input.next_token {
        None => None,
        Some(next_token) => {
            Some(read_next_token(next_token).ok_or_else(|| Refusal::validation(&["Invalid NextToken.".to_owned()]))?)
        }
    };
    Ok(Input::List(ListQuery {
        max_results: usize::try_from(max_results).unwrap_or(20),
        after,
        filter: Filter {
            operations: operations.iter().map(|word| word.as_str().into()).collect(),
            statuses: statuses.iter().map(|word| word.as_str().into()).collect(),
        },
    }))
}

fn token(input: TokenInput) -> Result<String, Refusal> {
    let mut limits = Limits::default();
    let request_token = limits.required("requestToken", input.request_token);
    limits.length("requestToken", &request_token, 1, 128);
    limits.pattern("requestToken", &request_token, "[-A-Za-z0-9+/=]+", is_token);
    limits.check()?;
    Ok(request_token)
}

fn create(input: ResourceInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let type_name = limits.type_name(input.type_name);
    let desired_state = limits.required("desiredState", input.desired_state);
    limits.length("desiredState", &desired_state, 1, 262_144);
    limits.version_and_tokens(
        input.type_version_id.as_deref(),
        input.role_arn.as_deref(),
        input.client_token.as_deref(),
    );
    limits.check()?;
    Ok(Input::Create {
        create: Create {
            type_name,
            desired_state,
            type_version_id: input.type_version_id,
            role_arn: input.role_arn,
        },
        client_token: input.client_token,
    })
}

fn delete(input: ResourceInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let type_name = limits.type_name(input.type_name);
    let identifier = limits.required("identifier", input.identifier);
    limits.length("identifier", &identifier, 1, 1024);
    limits.version_and_tokens(
        input.type_version_id.as_deref(),
        input.role_arn.as_deref(),
        input.client_token.as_deref(),
    );
    limits.check()?;
    Ok(Input::Delete {
        delete: Delete {
            type_name,
            identifier,
            type_version_id: input.type_version_id,
            role_arn: input.role_arn,
        },
        client_token: input.client_token,
    })
}

/// What breaks a limit, collected: the service tells all of it at once.
#[derive(Debug, Default)]
struct Limits {
    problems: Vec<String>,
    /// Members that are missing: what else is wrong with them is not said.
    missing: Vec<&'static str>,
}

/// Members whose values are marked sensitive in the service model, and never repeated.
const SENSITIVE: [&str; 1] = ["desiredState"];

impl Limits {
    fn broken(&mut self, member: &str, value: impl Display, constraint: &str) {
        let value = if SENSITIVE.contains(&member) {
            "Value".to_owned()
        } else {
            format!("Value '{value}'")
        };
        self.problems.push(format!(
            "{value} at '{member}' failed to satisfy constraint: {constraint}"
        ));
    }

    fn required(&mut self, member: &'static str, value: Option<String>) -> String {
        value.unwrap_or_else(|| {
            self.problems.push(format!(
                "Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ));
            self.missing.push(member);
            String::new()
        })
    }

    fn length(&mut self, member: &str, value: &str, min: usize, max: usize) {
        if self.missing.contains(&member) {
            return;
        }
        let length = value.chars().count();
        if length < min {
            self.broken(
                member,
                value,
                &format!("Member must have length greater than or equal to {min}"),
            );
        } else if length > max {
            // AWS repeats the value here too; a megabyte of it helps nobody.
            let start: String = value.chars().take(200).collect();
            self.broken(
                member,
                start,
                &format!("Member must have length less than or equal to {max}"),
            );
        }
    }

    fn pattern(&mut self, member: &str, value: &str, pattern: &str, fits: impl Fn(&str) -> bool) {
        if !value.is_empty() && !fits(value) {
            let start: String = value.chars().take(200).collect();
            self.broken(
                member,
                start,
                &format!("Member must satisfy regular expression pattern: {pattern}"),
            );
        }
    }

    fn words(&mut self, member: &str, values: &[String], known: &[&str]) {
        if values.iter().any(|value| !known.contains(&value.as_str())) {
            let shown: String = values.join(", ").chars().take(200).collect();
            self.broken(
                member,
                format_args!("[{shown}]"),
                &format!(
                    "Member must satisfy constraint: [Member must satisfy enum value set: [{}]]",
                    known.join(", ")
                ),
            );
        }
    }

    fn type_name(&mut self, value: Option<String>) -> String {
        let type_name = self.required("typeName", value);
        self.length("typeName", &type_name, 10, 196);
        let pattern = "[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}";
        self.pattern("typeName", &type_name, pattern, is_type_name);
        type_name
    }

    fn version_and_tokens(&mut self, version: Option<&str>, role_arn: Option<&str>, client_token: Option<&str>) {
        if let Some(version) = version {
            self.length("typeVersionId", version, 1, 128);
            self.pattern("typeVersionId", version, "[A-Za-z0-9-]+", |text| {
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        }
        if let Some(role_arn) = role_arn {
            self.length("roleArn", role_arn, 20, 2048);
            self.pattern("roleArn", role_arn, "arn:.+:iam::[0-9]{12}:role/.+", is_role_arn);
        }
        if let Some(client_token) = client_token {
            self.length("clientToken", client_token, 1, 128);
            self.pattern("clientToken", client_token, "[-A-Za-z0-9+/=]+", is_token);
        }
    }

    fn check(self) -> Result<(), Refusal> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Refusal::validation(&self.problems))
        }
    }
}

fn is_token(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-+/=".contains(&byte))
}

pub(in crate::simulator) fn is_type_name(text: &str) -> bool {
    let is_part = |part: &str| (2..=64).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
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

/// The cursor of a listing, as opaque as the service's.
pub(super) fn write_next_token(position: Position) -> String {
    STANDARD.encode(position.to_be_bytes())
}

fn read_next_token(text: &str) -> Option<Position> {
    let bytes = STANDARD.decode(text).ok()?;
    bytes.try_into().ok().map(Position::from_be_bytes)
}
