//! The simulator on a socket.
//!
//! Besides the service's own `POST /` it answers what AWS does not tell: `GET /_simulator/truth` (every transition),
//! `GET /_simulator/calls` (each call, with early looks counted), `GET` and `POST /_simulator/faults` (what goes wrong
//! from now on, whole: what is left out is off; in the words of a scenario's `[faults]`). Each is about the scenario's own
//! world, or that of `?account=` and `?region=`; calls without either are those of all worlds, summed and world by world.
//! `POST /_simulator/advance` moves a manual clock, for all worlds. There is no authentication of these: listen on
//! loopback.
//!
//! Only the worlds' time stands still with a manual clock. A client's patience is real, so what is slow waits in real time.
//!
//! A reset is a real one (RST), and a cut-off body breaks the connection in mid-answer: clients meet what they meet in
//! the field. HTTP libraries do not offer that, so connections are wrapped (`http/connection.rs`).
//!
//! No client can hold up another, or keep anything for longer than its time-out or larger than its limit
//! (`http/server.rs` for heads, idle connections and unread answers; `http/body.rs` for bodies).

mod advance;
mod body;
mod connection;
mod server;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::connection::Severed;
use super::cut_off::CutOff;
use super::faults::Faults;
use super::place::{is_account_id, is_region};
use super::wire::Answer;
use super::{Calls, Place, RequestTruth, Simulator, Token, Transition};
use crate::clock::Clock;
use crate::model::Timestamp;

/// How often the worlds catch up with a clock that runs by itself, whoever calls or not: or else the first call after a
/// quiet night would wait until all of the night had happened.
const CATCH_UP_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
struct Service {
    simulator: Simulator,
    clock: Clock,
    /// Held by whoever moves a manual clock.
    hand: Arc<Mutex<()>>,
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
        hand: Arc::default(),
        shutdown: shutdown.clone(),
    };
    let _catching_up = AbortOnDropHandle::new(tokio::spawn(catch_up(service.clone())));
    let router = Router::new()
        .route("/_simulator/truth", get(truth))
        .route("/_simulator/calls", get(calls))
        .route("/_simulator/faults", get(faults).post(set_faults))
        .route("/_simulator/advance", post(advance::advance))
        .fallback(call)
        .with_state(service);
    server::run(listener, router, &shutdown).await;
    Ok(())
}

/// Lets happen what is due in every world, for as long as the clock runs by itself.
async fn catch_up(service: Service) {
    let mut ticks = tokio::time::interval(CATCH_UP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !service.clock.is_manual() {
        ticks.tick().await;
        service.simulator.advance_all(service.clock.now());
    }
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

#[derive(Debug, Serialize)]
struct TruthAnswer<'a> {
    now: Timestamp,
    server_now: Timestamp,
    forgotten: u64,
    transitions: &'a VecDeque<Transition>,
    requests: BTreeMap<Token, RequestTruth>,
}

/// The truth of a busy world is hundreds of megabytes, and takes seconds to write: away from the threads that answer calls,
/// and from a copy, so that the world is held for no longer than copying takes.
async fn truth(State(service): State<Service>, uri: Uri) -> Result<Response, BadRequest> {
    let place = place(service.simulator.home(), &uri)?;
    let written = tokio::task::spawn_blocking(move || {
        let now = service.clock.now();
        let (truth, server_now) = service.simulator.with_in(&place, |world| {
            world.advance(now);
            (world.truth().clone(), world.server_now())
        })?;
        let answer = TruthAnswer {
            now,
            server_now,
            forgotten: truth.forgotten,
            transitions: &truth.transitions,
            requests: truth.requests(),
        };
        Ok::<_, BadRequest>(serde_json::to_vec(&answer)?)
    });
    let headers = [(header::CONTENT_TYPE, "application/json")];
    Ok((headers, written.await??).into_response())
}

async fn calls(State(service): State<Service>, uri: Uri) -> Result<Response, BadRequest> {
    let counted = |calls: &Calls| {
        json!({
            "early_looks": calls.early_looks(),
            "lateness": calls.lateness,
            "operations": calls.operations,
        })
    };
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
    // An object, and no array of its values.
    let object: serde_json::Map<String, Value> = serde_json::from_slice(&body::read(&head, body).await?)?;
    let faults: Faults = serde_json::from_value(object.into())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::Scenario;

    #[tokio::test(start_paused = true)]
    async fn the_world_keeps_pace_with_its_clock_though_nobody_calls() {
        let start = Timestamp::from_millis(1_767_110_540_245);
        for (clock, lived) in [
            (Clock::simulated(start), Duration::from_hours(1)),
            (Clock::manual(start), Duration::ZERO),
        ] {
            let service = Service {
                simulator: Simulator::new(Scenario::lively(), 1, start),
                clock,
                hand: Arc::default(),
                shutdown: CancellationToken::new(),
            };
            let simulator = service.simulator.clone();
            let _catching_up = AbortOnDropHandle::new(tokio::spawn(catch_up(service)));
            tokio::time::sleep(Duration::from_hours(1) + CATCH_UP_EVERY).await;
            let reached = simulator.with(|world| world.now());
            assert!(reached.since(start) >= lived, "{reached}");
            assert_eq!(simulator.truth().count() > 0, !lived.is_zero());
        }
    }
}
