//! Reads the bodies of requests, however slow or large.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt;

use super::super::refusal::Refusal;
use super::super::wire::BODY_LIMIT;

/// How long a client may take to send a body.
const TIME_OUT: Duration = Duration::from_secs(30);

/// How much of a body is read, if only to be thrown away: 16 MiB.
const DISCARD_LIMIT: usize = 16 * 1024 * 1024;

/// Reads a body, in the time and up to the length that there is for it.
pub(super) async fn read(head: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let announced = body.size_hint().lower();
    let waits_for_leave = head.contains_key(header::EXPECT);
    if announced > DISCARD_LIMIT as u64 || (announced > BODY_LIMIT as u64 && waits_for_leave) {
        return Err(Refusal::request_too_large());
    }
    tokio::time::timeout(TIME_OUT, collect(body))
        .await
        .unwrap_or_else(|_| Err(Refusal::request_timeout()))
}

/// Collects a body. What is too large is read on and thrown away: most clients send all of a request before they read
/// the answer, and would meet a broken connection in its place.
async fn collect(mut body: Body) -> Result<Bytes, Refusal> {
    let mut kept = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        // Whoever hung up hears this no more; whoever wrote bad chunks does.
        let frame = frame.map_err(|_| {
            Refusal::serialization("The body can't be read: it ends early, or its chunks are not well formed.")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > DISCARD_LIMIT {
            break;
        }
        if length <= BODY_LIMIT {
            kept.extend_from_slice(&data);
        }
    }
    if length > BODY_LIMIT {
        return Err(Refusal::request_too_large());
    }
    Ok(kept.freeze())
}
