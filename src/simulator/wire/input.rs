//! What was asked for, held to the limits of the service model (API 2021-09-30).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::faults::OPERATIONS;
use super::super::listing::{Filter, Position};
use super::super::operations::ListQuery;
use super::super::provisioning::{Create, Delete, Update};
use super::super::reads::ResourceQuery;
use super::super::refusal::Refusal;
use super::limits::Limits;
use crate::model::{Operation, RequestStatus};

/// A call that is well formed and within limits.
#[derive(Debug, PartialEq)]
pub(super) enum Input {
    ListRequests(ListQuery),
    GetRequest { request_token: String },
    CancelRequest { request_token: String },
    Create(Create, ClientToken),
    Update(Update, ClientToken),
    Delete(Delete, ClientToken),
    GetResource { type_name: String, identifier: String },
    ListResources(ResourceQuery),
}

type ClientToken = Option<String>;

/// The operation of this name.
pub(super) fn operation(name: &str) -> Option<&'static str> {
    OPERATIONS.into_iter().find(|operation| *operation == name)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequestsInput {
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

/// The members of the operations on resources. What an operation does not have is not looked at, as the framework
/// passes over members that it does not know.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceInput {
    type_name: Option<String>,
    desired_state: Option<String>,
    identifier: Option<String>,
    patch_document: Option<String>,
    type_version_id: Option<String>,
    role_arn: Option<String>,
    client_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListResourcesInput {
    type_name: Option<String>,
    type_version_id: Option<String>,
    role_arn: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    resource_model: Option<String>,
}

impl Input {
    pub(super) fn read(operation: Option<&str>, body: &[u8]) -> Result<Self, Refusal> {
        match operation {
            Some("ListResourceRequests") => list_requests(&parse(body)?),
            Some("GetResourceRequestStatus") => Ok(Self::GetRequest {
                request_token: token(parse(body)?)?,
            }),
            Some("CancelResourceRequest") => Ok(Self::CancelRequest {
                request_token: token(parse(body)?)?,
            }),
            Some("CreateResource") => create(parse(body)?),
            Some("UpdateResource") => update(parse(body)?),
            Some("DeleteResource") => delete(parse(body)?),
            Some("GetResource") => get_resource(parse(body)?),
            Some("ListResources") => list_resources(parse(body)?),
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

fn list_requests(input: &ListRequestsInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    limits.max_results(input.max_results);
    limits.token("nextToken", input.next_token.as_deref(), 2048);
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
    Ok(Input::ListRequests(ListQuery {
        max_results: page_size(input.max_results),
        after: read_next_token(input.next_token.as_deref())?,
        filter: Filter {
            operations: operations.iter().map(|word| word.as_str().into()).collect(),
            statuses: statuses.iter().map(|word| word.as_str().into()).collect(),
        },
    }))
}

fn token(input: TokenInput) -> Result<String, Refusal> {
    let mut limits = Limits::default();
    let request_token = limits.required("requestToken", input.request_token);
    limits.token("requestToken", request_token.as_deref(), 128);
    limits.check()?;
    Ok(request_token.unwrap_or_default())
}

fn create(input: ResourceInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let type_name = limits.type_name(input.type_name);
    let desired_state = limits.required("desiredState", input.desired_state);
    limits.properties("desiredState", desired_state.as_deref());
    limits.version_and_role(input.type_version_id.as_deref(), input.role_arn.as_deref());
    limits.token("clientToken", input.client_token.as_deref(), 128);
    limits.check()?;
    let create = Create {
        type_name: type_name.unwrap_or_default(),
        desired_state: desired_state.unwrap_or_default(),
        type_version_id: input.type_version_id,
        role_arn: input.role_arn,
    };
    Ok(Input::Create(create, input.client_token))
}

fn update(input: ResourceInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let type_name = limits.type_name(input.type_name);
    let identifier = limits.identifier(input.identifier);
    let patch_document = limits.required("patchDocument", input.patch_document);
    limits.properties("patchDocument", patch_document.as_deref());
    limits.version_and_role(input.type_version_id.as_deref(), input.role_arn.as_deref());
    limits.token("clientToken", input.client_token.as_deref(), 128);
    limits.check()?;
    let update = Update {
        type_name: type_name.unwrap_or_default(),
        identifier: identifier.unwrap_or_default(),
        patch_document: patch_document.unwrap_or_default(),
        type_version_id: input.type_version_id,
        role_arn: input.role_arn,
    };
    Ok(Input::Update(update, input.client_token))
}

fn delete(input: ResourceInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let type_name = limits.type_name(input.type_name);
    let identifier = limits.identifier(input.identifier);
    limits.version_and_role(input.type_version_id.as_deref(), input.role_arn.as_deref());
    limits.token("clientToken", input.client_token.as_deref(), 128);
    limits.check()?;
    let delete = Delete {
        type_name: type_name.unwrap_or_default(),
        identifier: identifier.unwrap_or_default(),
        type_version_id: input.type_version_id,
        role_arn: input.role_arn,
    };
    Ok(Input::Delete(delete, input.client_token))
}

fn get_resource(input: ResourceInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let type_name = limits.type_name(input.type_name);
    let identifier = limits.identifier(input.identifier);
    limits.version_and_role(input.type_version_id.as_deref(), input.role_arn.as_deref());
    limits.check()?;
    Ok(Input::GetResource {
        type_name: type_name.unwrap_or_default(),
        identifier: identifier.unwrap_or_default(),
    })
}

fn list_resources(input: ListResourcesInput) -> Result<Input, Refusal> {
    let mut limits = Limits::default();
    let type_name = limits.type_name(input.type_name);
    limits.version_and_role(input.type_version_id.as_deref(), input.role_arn.as_deref());
    limits.handler_next_token(input.next_token.as_deref());
    limits.max_results(input.max_results);
    limits.properties("resourceModel", input.resource_model.as_deref());
    limits.check()?;
    Ok(Input::ListResources(ResourceQuery {
        type_name: type_name.unwrap_or_default(),
        max_results: page_size(input.max_results),
        after: read_next_token(input.next_token.as_deref())?,
        resource_model: input.resource_model,
    }))
}

/// "The default is 20."
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResourceRequests.html>
fn page_size(max_results: Option<i64>) -> usize {
    max_results.and_then(|size| usize::try_from(size).ok()).unwrap_or(20)
}

/// The cursor of a listing, as opaque as the service's.
pub(super) fn write_next_token(position: Position) -> String {
    STANDARD.encode(position.to_be_bytes())
}

fn read_next_token(text: Option<&str>) -> Result<Option<Position>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes
        .map(|bytes| Some(Position::from_be_bytes(bytes)))
        .ok_or_else(|| Refusal::validation(&["Invalid NextToken.".to_owned()]))
}
