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
    /// How many bytes it takes as JSON, most of the time: to write it without moving it again and again as it grows.
    fn likely_length(&self) -> usize {
        match self {
            Self::Requests { entries, .. } => 64 + 512 * entries.len(),
            Self::Resources { resources, .. } => 64 + 256 * resources.len(),
            Self::Event { .. } | Self::Resource { .. } => 1024,
        }
    }

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
        match milliseconds_of_this_age(value) {
            Some(millis) => write_seconds(writer, millis),
            None => write!(writer, "{value:E}"),
        }
    }
}

/// The time in milliseconds, if that is what it is, and of the years 2001 to 2286: of thirteen digits, then. An `f64` keeps
/// fifteen, so that to write these digits is to write the number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "a whole number within bounds, and the very same"
)]
fn milliseconds_of_this_age(seconds: f64) -> Option<u64> {
    let millis = (seconds * 1000.0).round();
    ((1e12..1e13).contains(&millis) && millis / 1000.0 == seconds).then_some(millis as u64)
}

/// Writes milliseconds of thirteen digits as `{:E}` writes the seconds. A page holds two hundred times, and most of what
/// they would cost is to find the fewest digits that tell an `f64` from its neighbours.
fn write_seconds<W: ?Sized + io::Write>(writer: &mut W, millis: u64) -> io::Result<()> {
    let mut text = *b"0.000000000000";
    let mut left = millis;
    for at in (2..text.len()).rev().chain([0]) {
        text[at] = b"0123456789"[(left % 10) as usize];
        left /= 10;
    }
    let significant = text.iter().rposition(|byte| !matches!(byte, b'0' | b'.'));
    writer.write_all(&text[..=significant.unwrap_or(0)])?;
    writer.write_all(b"E9")
}

pub(super) fn to_json(body: &Body) -> Result<Bytes, Refusal> {
    let mut json = Vec::with_capacity(body.likely_length());
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
        .to_utc()
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

#[cfg(test)]
mod tests {
    use serde_json::ser::Formatter;

    use super::*;

    #[test]
    fn every_number_is_written_as_formatting_has_it() {
        let mut rng = fastrand::Rng::with_seed(1);
        let random_times = (0..10_000).map(|_| (rng.f64() * 2e13).round() / 1000.0);
        let times = [
            1_767_110_540.245,
            1_767_110_540.0,
            1e9,
            2e9,
            999_999_999.999,
            9_999_999_999.999,
            1e10,
        ];
        let others = [0.0, -1.5, 0.001, 1.0, 1_767_110_540.245_1, 1e300, f64::MIN_POSITIVE];
        for number in times.into_iter().chain(others).chain(random_times) {
            let mut written = Vec::new();
            ServiceFormatter.write_f64(&mut written, number).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), format!("{number:E}"));
        }
    }
}
