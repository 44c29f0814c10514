//! awsJson1_0: an HTTP request in, an HTTP response out, or what goes wrong in between.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>: `POST /` with the operation in `X-Amz-Target`;
//! errors by `__type`. No transport is known here, so that both carry the same bytes.
//!
//! Where AWS's behaviour is not documented, what was chosen is: an unknown target is HTTP 400 with
//! UnknownOperationException in JSON, as its JSON services answer; what is not `POST /`, or of another Content-Type, is
//! HTTP 404 with `<UnknownOperationException/>`, as the framework answers before it knows the protocol (so does DynamoDB,
//! which takes `application/json` too, by what dynalite learned from it). Signatures are verified where a secret is given;
//! otherwise the credential scope is read where there is one, and a call without one is served, so that `curl` can call.

mod input;
mod limits;
mod output;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use secrecy::SecretString;

use self::input::Input;
pub(super) use self::limits::is_type_name;
use self::output::Body;
use super::calls::Ending;
use super::faults::happens;
use super::place::{Place, account_of};
use super::refusal::Refusal;
use super::signature;
use super::token::Token;
use super::world::World;
use crate::model::Timestamp;

/// The largest body that is read: 1 MiB. The largest valid input, a desired state of 262,144 characters, fits unless
/// most of them are written as escapes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// What a client gets.
#[derive(Debug)]
pub enum Answer {
    /// The response as it is.
    Whole(Response<Bytes>),
    /// The response's head, and the first half of its body; then the connection breaks.
    CutOff(Response<Bytes>),
    /// Nothing: the connection is reset.
    Reset,
}

/// Who calls, by the credential scope of the Authorization header: `Credential=AKID/date/region/service/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caller<'a> {
    pub access_key: Option<&'a str>,
    pub region: Option<&'a str>,
}

impl<'a> Caller<'a> {
    pub fn of<B>(request: &'a Request<B>) -> Self {
        let scope = request
            .headers()
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .filter(|value| value.starts_with("AWS4-HMAC-SHA256 "))
            .and_then(|value| value.split_once("Credential="))
            .and_then(|(_, rest)| rest.split([',', ' ']).next());
        let mut parts = scope
            .unwrap_or_default()
            .split('/')
            .map(|part| (!part.is_empty()).then_some(part));
        let access_key = parts.next().flatten();
        let region = parts.nth(1).flatten();
        Self { access_key, region }
    }

    /// The world that is called, where a call that names none calls `home`.
    pub(super) fn place(&self, home: &Place) -> Place {
        home.with(self.access_key.and_then(account_of).as_deref(), self.region)
    }
}

/// How long the call waits before it is looked at.
pub(super) fn delay(world: &mut World) -> std::time::Duration {
    if happens(&mut world.answers, world.faults.slow) {
        world.faults.slow_by
    } else {
        std::time::Duration::ZERO
    }
}

/// Carries out a call at `now`, and answers it as far as the faults let it. With a secret, it must be signed with that.
pub(super) fn answer(
    world: &mut World,
    request: &Request<Bytes>,
    secret: Option<&SecretString>,
    now: Timestamp,
) -> Answer {
    world.advance(now);
    if !is_call(request) {
        return Answer::Whole(output::not_a_call(world));
    }
    let operation = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .and_then(|target| target.strip_prefix("CloudApiService."))
        .and_then(input::operation);
    let (answer, ending) = match carry_out(world, operation, request, secret) {
        Ok(answer) => answer,
        Err(refusal) => {
            let ending = match refusal.http_status {
                500.. => Ending::Faulted,
                _ if refusal.is_throttling() => Ending::Throttled,
                _ => Ending::Refused,
            };
            (Answer::Whole(output::refused(world, &refusal)), ending)
        }
    };
    world.calls.count(operation.unwrap_or("unknown"), ending);
    answer
}

/// Whether it is one of this protocol at all.
fn is_call(request: &Request<Bytes>) -> bool {
    let content_type = request.headers().get(http::header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    request.method() == Method::POST
        && request.uri().path() == "/"
        && ["application/x-amz-json-1.0", "application/json"].contains(&essence)
}

/// An answer to what a transport refuses by itself.
pub(super) fn refuse(world: &mut World, refusal: &Refusal, now: Timestamp) -> Answer {
    world.advance(now);
    world.calls.count("unknown", Ending::Refused);
    Answer::Whole(output::refused(world, refusal))
}

fn carry_out(
    world: &mut World,
    operation: Option<&'static str>,
    request: &Request<Bytes>,
    secret: Option<&SecretString>,
) -> Result<(Answer, Ending), Refusal> {
    let reset = happens(&mut world.answers, world.faults.resets);
    if reset && world.answers.bool() {
        return Ok((Answer::Reset, Ending::Faulted));
    }
    stand_in_the_way(world, operation, &Caller::of(request))?;
    if let Some(secret) = secret {
        signature::verify(request, secret, world.server_now())?;
    }
    let input = Input::read(operation, request.body())?;
    let cut_off = happens(&mut world.answers, world.faults.cut_off);
    let empty = happens(&mut world.answers, world.faults.empty_bodies);
    // What is lost on the way tells the client no RetryAfter.
    let lost = reset || cut_off || empty;
    let body = perform(world, &input, lost)?;
    let ending = if lost { Ending::Faulted } else { Ending::Answered };
    let body = if empty {
        Bytes::from_static(b"{}")
    } else {
        output::to_json(&body)?
    };
    let response = output::response(world, StatusCode::OK, body);
    let answer = match (reset, cut_off) {
        (true, _) => Answer::Reset,
        (_, true) => Answer::CutOff(response),
        _ => Answer::Whole(response),
    };
    Ok((answer, ending))
}

/// The faults that end a call before it is carried out.
fn stand_in_the_way(world: &mut World, operation: Option<&str>, caller: &Caller<'_>) -> Result<(), Refusal> {
    if happens(&mut world.answers, world.faults.server_errors) {
        let error = if world.answers.bool() {
            Refusal::internal_failure()
        } else {
            Refusal::service_unavailable()
        };
        return Err(error);
    }
    let within_budget = world
        .faults
        .throttle
        .is_none_or(|throttle| world.bucket.take(throttle, world.now));
    if !within_budget || happens(&mut world.answers, world.faults.throttled) {
        return Err(Refusal::throttling());
    }
    if world.faults.expired_credentials {
        return Err(Refusal::expired_token());
    }
    match operation {
        Some(operation) if world.faults.denies(operation) => {
            let name = caller.access_key.unwrap_or("anonymous");
            let arn = format!("arn:aws:iam::{}:user/{name}", world.place.account_id);
            Err(Refusal::access_denied(&arn, operation))
        }
        _ => Ok(()),
    }
}

fn perform(world: &mut World, input: &Input, lost: bool) -> Result<Body, Refusal> {
    Ok(match input {
        Input::ListRequests(query) => {
            let page = world.page(query);
            if !lost {
                world.told(&page.entries);
            }
            Body::Requests {
                entries: page.entries,
                next_token: page.next.map(input::write_next_token),
            }
        }
        Input::GetRequest { request_token } => {
            let (event, hooks) = world.look(request_token)?;
            if !lost {
                world.told([&event]);
            }
            Body::Event { event, hooks }
        }
        Input::CancelRequest { request_token } => Body::event(world.cancel(request_token)?),
        Input::Create(create, client_token) => Body::event(world.create(create, client_token.as_deref())?),
        Input::Update(update, client_token) => Body::event(world.update(update, client_token.as_deref())?),
        Input::Delete(delete, client_token) => Body::event(world.delete(delete, client_token.as_deref())?),
        Input::GetResource { type_name, identifier } => Body::Resource {
            resource: world.resource(type_name, identifier)?,
            type_name: type_name.clone(),
        },
        Input::ListResources(query) => {
            let page = world.resources(query)?;
            Body::Resources {
                type_name: query.type_name.clone(),
                resources: page.resources,
                next_token: page.next.map(input::write_next_token),
            }
        }
    })
}

/// A request id, as `x-amzn-RequestId` has it.
fn request_id(world: &mut World) -> Token {
    Token::draw(&mut world.answers)
}

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod tests;
