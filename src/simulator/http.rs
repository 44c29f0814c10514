//! The simulator on a socket.
//!
//! Besides the service's own `POST /` it answers what AWS does not tell: `GET /_simulator/truth` (every transition),
//! `GET /_simulator/calls` (each call, with early looks counted), `GET` and `POST /_simulator/faults` (what goes wrong
//! from now on, whole: what is left out is off; in the words of a scenario's `[faults]`), and `POST /_simulator/advance`,
//! which moves a manual clock. There is no authentication: listen on loopback.
//!
//! Only the world's time stands still with a manual clock. A client's patience is real, so what is slow waits in real time.
//!
//! A reset is a real one (RST), and a cut-off body breaks the connection in mid-answer: clients meet what they meet in
//! the field. HTTP libraries do not offer that, so connections are wrapped (`http/connection.rs`).

mod advance;
mod connection;

use std::future::IntoFuture;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{StatusCode, header};
use http_body::Body as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::connection::Severed;
use super::Simulator;
use super::cut_off::CutOff;
use super::faults::Faults;
use super::refusal::Refusal;
use super::wire::{Answer, BODY_LIMIT};
use crate::clock::Clock;

/// How long a client may take to send a body.
const BODY_TIME_OUT: Duration = Duration::from_secs(30);

/// How often the world catches up with a clock that runs by itself, whoever calls or not: or else the first call after a
/// quiet night would wait until all of the night had happened.
const CATCH_UP_EVERY: Duration = Duration::from_secs(1);

/// How long a shutdown waits for connections to end by themselves.
const GRACE_PERIOD: Duration = Duration::from_secs(5);

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
    let server = axum::serve(
        connection::SeverableListener(listener),
        router.into_make_service_with_connect_info::<Severed>(),
    )
    .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        ended = server.into_future() => ended,
        () = grace_period(&shutdown) => Ok(()),
    }
}

/// Ends a while after the shutdown began: a client that stops in the middle of its request would hold it up for ever.
async fn grace_period(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(GRACE_PERIOD).await;
}

/// Lets happen what is due, for as long as the clock runs by itself.
async fn catch_up(service: Service) {
    let mut ticks = tokio::time::interval(CATCH_UP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !service.clock.is_manual() {
        ticks.tick().await;
        service.simulator.advance(service.clock.now());
    }
}

/// A call of the service.
async fn call(
    State(service): State<Service>,
    ConnectInfo(severed): ConnectInfo<Severed>,
    request: Request,
) -> Response {
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
        match read(body).await {
            Ok(body) => {
                self.simulator
                    .answer(&Request::from_parts(head, body), &self.clock)
                    .await
            }
            Err(refusal) => self.simulator.refuse(&refusal, &self.clock),
        }
    }
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    // Announced by its Content-Length: not worth waiting for.
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(Refusal::request_too_large());
    }
    match tokio::time::timeout(BODY_TIME_OUT, to_bytes(body, BODY_LIMIT)).await {
        Err(_) => Err(Refusal::request_timeout()),
        Ok(Err(_)) => Err(Refusal::request_too_large()),
        Ok(Ok(body)) => Ok(body),
    }
}

async fn truth(State(service): State<Service>) -> Response {
    let now = service.clock.now();
    let (truth, server_now) = service.simulator.with(|world| {
        world.advance(now);
        (world.truth().clone(), world.server_now())
    });
    let requests = truth.requests();
    let requests: serde_json::Map<_, _> = requests
        .iter()
        .map(|(token, request)| (token.to_string(), json!(request)))
        .collect();
    to_json(
        StatusCode::OK,
        &json!({
            "now": now,
            "server_now": server_now,
            "forgotten": truth.forgotten,
            "transitions": truth.transitions,
            "requests": requests,
        }),
    )
}

async fn calls(State(service): State<Service>) -> Response {
    let calls = service.simulator.calls();
    to_json(
        StatusCode::OK,
        &json!({ "early_looks": calls.early_looks(), "operations": calls.operations }),
    )
}

async fn faults(State(service): State<Service>) -> Response {
    to_json(
        StatusCode::OK,
        &json!(service.simulator.with(|world| world.faults().clone())),
    )
}

async fn set_faults(State(service): State<Service>, body: Body) -> Response {
    let faults = match read(body).await {
        Ok(body) => serde_json::from_slice::<Faults>(&body).map_err(|error| error.to_string()),
        Err(refusal) => Err(refusal.message),
    };
    let faults = faults.and_then(|faults| match faults.check() {
        Ok(()) => Ok(faults),
        Err(error) => Err(error.to_string()),
    });
    match faults {
        Ok(faults) => {
            let now = service.clock.now();
            service.simulator.with(|world| {
                world.advance(now);
                world.set_faults(faults.clone());
            });
            to_json(StatusCode::OK, &json!(faults))
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error),
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    to_json(status, &json!({ "error": message }))
}

fn to_json(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
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
