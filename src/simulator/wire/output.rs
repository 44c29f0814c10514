//! What is sent back.

use std::io;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::super::event::{HookProgressEvent, ProgressEvent};
use super::super::reads::ResourceDescription;
use super::super::refusal::{Origin, Refusal};
use super::super::world::World;

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Body {
    Requests {
        #[serde(rename = "ResourceRequestStatusSummaries")]
        entries: Vec<ProgressEvent>,
        #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    },
    Event {
        #[serde(rename = "ProgressEvent")]
        event: ProgressEvent,
        #[serde(rename = "HooksProgressEvent", skip_serializing_if = "Vec::is_empty")]
        hooks: Vec<HookProgressEvent>,
    },
    Resource {
        #[serde(rename = "TypeName")]
        type_name: String,
        #[serde(rename = "ResourceDescription")]
        resource: ResourceDescription,
    },
    Resources {
        #[serde(rename = "TypeName")]
        type_name: String,
        #[serde(rename = "ResourceDescriptions")]
        resources: Vec<ResourceDescription>,
        #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    },
}

impl Body {
    pub(super) fn event(event: ProgressEvent) -> Self {
        Self::Event {
            event,
            hooks: Vec::new(),
        }
    }
}

/// JSON with numbers as the service writes them: `1.767110540245E9`.
struct ServiceFormatter;

impl serde_json::ser::Formatter for ServiceFormatter {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write!(writer, "{value:E}")
    }
}

pub(super) fn to_json(body: &Body) -> Result<Bytes, Refusal> {
    let mut json = Vec::with_capacity(1024);
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, ServiceFormatter);
    // Only what can't be written to memory fails, or a map with strange keys, and there is neither.
    body.serialize(&mut serializer)
        .map_err(|_| Refusal::internal_failure())?;
    Ok(json.into())
}

pub(super) fn refused(world: &mut World, refusal: &Refusal) -> Response<Bytes> {
    let body = match refusal.origin {
        Origin::Service => serde_json::json!({
            "__type": format!("com.amazon.cloudapiservice#{}", refusal.code),
            "Message": refusal.message,
        }),
        Origin::Framework => serde_json::json!({
            "__type": format!("com.amazon.coral.service#{}", refusal.code),
            "message": refusal.message,
        }),
    };
    let status = StatusCode::from_u16(refusal.http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response(world, status, body.to_string().into())
}

/// What the framework says to what is no call of this protocol.
pub(super) fn not_a_call(world: &mut World) -> Response<Bytes> {
    let body = Bytes::from_static(b"<UnknownOperationException/>\n");
    let mut response = response(world, StatusCode::NOT_FOUND, body);
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

pub(super) fn response(world: &mut World, status: StatusCode, body: Bytes) -> Response<Bytes> {
    let date = world
        .server_now()
        .to_jiff()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let request_id = super::request_id(world).to_string();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.0"),
    );
    for (name, value) in [("date", date), ("x-amzn-requestid", request_id)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
