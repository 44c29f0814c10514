//! How requests begin: asked for by a client of the simulator, or by the world's own other clients.

use std::sync::Arc;

use fastrand::Rng;

use super::course::{Course, Subject, Wish, weighted};
use super::faults::happens;
use super::request::{Request, View};
use super::scenario::TypeScenario;
use super::spread::until_next;
use super::token::Token;
use super::truth::What;
use super::world::World;
use crate::model::{Operation, RequestStatus};

/// How a request begins.
#[derive(Debug)]
pub(super) struct Beginning<'a> {
    pub(super) operation: Operation,
    pub(super) type_name: Arc<str>,
    pub(super) kind: &'a TypeScenario,
    pub(super) identifier: Arc<str>,
    pub(super) resource_model: Option<Arc<str>>,
    pub(super) wish: Wish,
    pub(super) by_client: bool,
    /// A generator of the request's own: what one draws moves no other.
    pub(super) rng: Rng,
}

impl World {
    /// Starts a request now, and returns its sequence number.
    pub(super) fn begin(&mut self, beginning: Beginning<'_>) -> u64 {
        let sequence = self.first + self.requests.len() as u64;
        let mut rng = beginning.rng;
        let token = Token::draw(&mut rng);
        let mut own = rng.fork();
        let hooks_token = Token::draw(&mut own);
        let identified = beginning.operation != Operation::Create;
        let subject = Subject {
            type_name: &beginning.type_name,
            identifier: &beginning.identifier,
            identified,
            kind: beginning.kind,
            wish: &beginning.wish,
        };
        let course = Course::draw(&mut own, &self.scenario, &subject, self.now);
        let request = Request {
            token,
            hooks_token: (!course.hooks.is_empty()).then_some(hooks_token),
            type_name: beginning.type_name,
            operation: beginning.operation,
            began_at: self.now,
            identifier: beginning.identifier,
            resource_model: beginning.resource_model,
            by_client: beginning.by_client,
            lacks_operation_when_failed: happens(&mut own, self.scenario.failed_without_operation),
            view: Arc::new(View {
                status: RequestStatus::Pending,
                event_time: self.server_now(),
                message: None,
                error_code: None,
                identified,
            }),
            listed: None,
            hooks: course.hooks,
            steps: course.steps.into(),
            course: 0,
            advertised: None,
        };
        self.record(
            token,
            What::Began {
                type_name: Arc::clone(&request.type_name),
                operation: request.operation.clone(),
                hooks_request_token: request.hooks_token,
                by_client: request.by_client,
            },
        );
        self.record(
            token,
            What::Status {
                status: RequestStatus::Pending,
                error_code: None,
                message: None,
            },
        );
        if identified {
            let what = What::Identified {
                identifier: Arc::clone(&request.identifier),
            };
            self.record(token, what);
        }
        if request.by_client {
            self.resources
                .begin_work(&request.type_name, &request.identifier, sequence);
        }
        let view = Arc::clone(&request.view);
        self.by_token.insert(token, sequence);
        self.requests.push_back(request);
        self.schedule(sequence);
        self.show_in_list(sequence, view);
        sequence
    }

    /// Lets another client start a request, and plans the next arrival.
    pub(super) fn arrive(&mut self) {
        let wait = until_next(&mut self.others, self.scenario.arrivals_per_second);
        self.next_arrival = self.next_arrival.and_then(|offset| offset.checked_add(wait?));
        let mut rng = self.others.fork();
        let scenario = Arc::clone(&self.scenario);
        let kind = weighted(&mut rng, scenario.types.iter().map(|kind| kind.weight)).map(|kind| &scenario.types[kind]);
        let operation = weighted(&mut rng, scenario.operations.iter().map(|(weight, _)| *weight));
        let (Some(kind), Some(operation)) = (kind.or(scenario.other_types.as_ref()), operation) else {
            return;
        };
        let identifier = draw_identifier(&mut rng, kind);
        let property = kind.identifier_property.as_deref().unwrap_or("Id");
        let beginning = Beginning {
            operation: scenario.operations[operation].1.clone(),
            type_name: Arc::clone(&kind.type_name),
            kind,
            resource_model: Some(serde_json::json!({ property: &*identifier }).to_string().into()),
            identifier,
            wish: Wish::default(),
            by_client: false,
            rng,
        };
        self.begin(beginning);
    }
}

/// An identifier that the service chooses: 17 hexadecimal digits, as EC2's.
pub(super) fn draw_identifier(rng: &mut Rng, kind: &TypeScenario) -> Arc<str> {
    format!("{}{:017x}", kind.identifier_prefix, rng.u128(..1 << 68)).into()
}
