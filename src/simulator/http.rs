//! The simulator on a socket.
//!
//! Besides the service's own `POST /` it answers what AWS does not tell: `GET /_simulator/truth` (every transition),
//! `GET /_simulator/calls` (each call, with early looks counted), `GET` and `POST /_simulator/faults` (what goes wrong
//! from now on, whole: what is left out is off). Each is about the scenario's own world, or that of `?account=` and
//! `?region=`; calls without either are those of all worlds, summed and world by world. There is no authentication of
//! these: listen on loopback.
//!
//! A reset is a real one (RST), and a cut-off body breaks the connection in mid-answer: clients meet what they meet in
//! the field. HTTP libraries do not offer that, so connections are wrapped (`http/connection.rs`).
//!
//! No client can hold up another, or keep anything for longer than its time-out or larger than its limit
//! (`http/server.rs` for heads, idle connections and unread answers; `http/body.rs` for bodies).

mod body;
mod connection;
mod server;

use std::io;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::connection::Severed;
use super::cut_off::CutOff;
use super::faults::Faults;
use super::place::{is_account_id, is_region};
use super::wire::Answer;
use super::{Calls, Place, Simulator};
use crate::clock::Clock;

#[derive(Debug, Clone)]
struct Service {
    simulator: Simulator,
    clock: Clock,
    shutdown: CancellationToken,
}

/// Serves until `shutdown`: what is being answered then is answered, but what waits on purpose is not waited for.
///
/// A connection that can't be accepted is tried again, so that this ends in no other way.
pub async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    clock: Clock,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let service = Service {
        simulator,
        clock,
        shutdown: shutdown.clone(),
    };
    let router = Router::new()
        .route("/_simulator/truth", get(truth))
        .route("/_simulator/calls", get(calls))
        .route("/_simulator/faults", get(faults).post(set_faults))
        .fallback(call)
        .with_state(service);
    server::run(listener, router, &shutdown).await;
    Ok(())
}

/// A call of the service.
async fn call(State(service): State<Service>, Extension(severed): Extension<Severed>, request: Request) -> Response {
    let answer = tokio::select! {
        biased;
        answer = service.answer(request) => answer,
        // Only what waits is still unanswered now: for a slow client, or to be slow on purpose.
        () = service.shutdown.cancelled() => Answer::Reset,
    };
    match answer {
        Answer::Whole(response) => response.map(Body::from),
        Answer::CutOff(response) => response.map(|body| Body::new(CutOff::of(&body))),
        Answer::Reset => {
            // No byte of this response gets out: the connection refuses to be written to.
            severed.sever();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Service {
    async fn answer(&self, request: Request) -> Answer {
        let (head, body) = request.into_parts();
        match body::read(&head.headers, body).await {
            Ok(body) => {
                self.simulator
                    .answer(&Request::from_parts(head, body), &self.clock)
                    .await
            }
            Err(refusal) => self.simulator.refuse(&refusal, &self.clock),
        }
    }
}

/// The world that a query names: `account=123456789012&region=eu-west-1`, the scenario's own in either where it is left
/// out.
fn place(home: &Place, uri: &Uri) -> Result<Place, BadRequest> {
    let mut place = home.clone();
    for (key, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match &*key {
            "account" if is_account_id(&value) => place.account_id = value.into(),
            "region" if is_region(&value) => place.region = value.into(),
            "account" => return Err(BadRequest("`account` in the query must be twelve digits".to_owned())),
            "region" => {
                return Err(BadRequest(
                    "`region` in the query can't be the name of a Region".to_owned(),
                ));
            }
            _ => {
                return Err(BadRequest(
                    "the query may name an `account` and a `region`, nothing else".to_owned(),
                ));
            }
        }
    }
    Ok(place)
}

async fn truth(State(service): State<Service>, uri: Uri) -> Result<Response, BadRequest> {
    let now = service.clock.now();
    let place = place(service.simulator.home(), &uri)?;
    let (truth, server_now) = service.simulator.with_in(&place, |world| {
        world.advance(now);
        (world.truth().clone(), world.server_now())
    })?;
    let requests = truth.requests();
    let requests: serde_json::Map<_, _> = requests
        .iter()
        .map(|(token, request)| (token.to_string(), json!(request)))
        .collect();
    Ok(to_json(
        StatusCode::OK,
        &json!({
            "now": now,
            "server_now": server_now,
            "forgotten": truth.forgotten,
            "transitions": truth.transitions,
            "requests": requests,
        }),
    ))
}

async fn calls(State(service): State<Service>, uri: Uri) -> Result<Response, BadRequest> {
    let counted = |calls: &Calls| json!({ "early_looks": calls.early_looks(), "operations": calls.operations });
    if uri.query().is_some() {
        let place = place(service.simulator.home(), &uri)?;
        let calls = service.simulator.with_in(&place, |world| counted(world.calls()))?;
        return Ok(to_json(StatusCode::OK, &calls));
    }
    let mut sum = Calls::default();
    let mut worlds = Vec::new();
    for (place, calls) in service.simulator.calls_by_place() {
        sum.add(&calls);
        let mut world = json!(place);
        if let (Some(world), Value::Object(counted)) = (world.as_object_mut(), counted(&calls)) {
            world.extend(counted);
        }
        worlds.push(world);
    }
    let mut answer = counted(&sum);
    answer["worlds"] = worlds.into();
    Ok(to_json(StatusCode::OK, &answer))
}

async fn faults(State(service): State<Service>, uri: Uri) -> Result<Response, BadRequest> {
    let place = place(service.simulator.home(), &uri)?;
    let faults = service.simulator.with_in(&place, |world| world.faults().clone())?;
    Ok(to_json(StatusCode::OK, &json!(faults)))
}

async fn set_faults(
    State(service): State<Service>,
    uri: Uri,
    head: HeaderMap,
    body: Body,
) -> Result<Response, BadRequest> {
    let place = place(service.simulator.home(), &uri)?;
    let faults: Faults = serde_json::from_slice(&body::read(&head, body).await?)?;
    faults.check()?;
    let now = service.clock.now();
    service.simulator.with_in(&place, |world| {
        world.advance(now);
        world.set_faults(faults.clone());
    })?;
    Ok(to_json(StatusCode::OK, &json!(faults)))
}

/// Why a question about the simulator itself can't be answered.
#[derive(Debug)]
struct BadRequest(String);

impl<E: std::error::Error> From<E> for BadRequest {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        to_json(StatusCode::BAD_REQUEST, &json!({ "error": self.0 }))
    }
}

fn to_json(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
