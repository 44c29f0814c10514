//! The simulator as a process, and beside it what the measurement needs to know: an STS that hands out the account of a
//! role, and the truth, a little at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use ccwatch::clock::Clock;
use ccwatch::model::FailureMode;
use ccwatch::simulator::scenario::{HookScenario, RetryAfterPolicy, TypeScenario};
use ccwatch::simulator::{Lateness, Place, Scenario, Simulator, Spread, What, http};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::truth::{Begun, Ended};
use crate::{Plan, REGION, account};

#[derive(Clone)]
struct Side {
    simulator: Simulator,
    clock: Clock,
    /// How late looks had been when the measurement began.
    before: Arc<Mutex<Lateness>>,
}

#[derive(Deserialize)]
struct From {
    account: String,
    /// Transitions that are known already.
    #[serde(default)]
    after: u64,
}

/// Prints the simulator's URL and the side entrance's, and serves both until it is killed.
pub(crate) async fn run(plan: &Plan) -> Result<()> {
    let clock = Clock::system();
    // As many requests are open as there will be once the longest life has passed.
    let began = clock.now().minus(plan.going.unwrap_or(plan.life * 2));
    let simulator = Simulator::new(scenario(plan), plan.seed, began);
    let now = clock.now();
    for number in 0..plan.targets {
        simulator.with_in(&Place::new(&account(number), REGION), |world| world.advance(now))?;
    }
    let side = Side {
        simulator: simulator.clone(),
        clock: clock.clone(),
        before: Arc::default(),
    };
    let router = Router::new()
        .route("/begun", get(begun))
        .route("/ended", get(ended))
        .route("/lateness", get(lateness))
        .route("/", post(assume_role))
        .with_state(side);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let side_listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    println!("http://{}", side_listener.local_addr()?);
    tokio::select! {
        served = http::serve(listener, simulator, clock, CancellationToken::new()) => Ok(served?),
        served = async { axum::serve(side_listener, router).await } => Ok(served?),
    }
}

fn scenario(plan: &Plan) -> Scenario {
    let second = Duration::from_secs(1);
    Scenario {
        account_id: account(0),
        region: REGION.to_owned(),
        types: vec![TypeScenario {
            type_name: "AWS::EC2::VPC".into(),
            duration: Spread::Uniform {
                from: plan.life / 2,
                to: plan.life * 3 / 2,
            },
            messages: vec!["Creating".to_owned()],
            ..TypeScenario::default()
        }],
        arrivals_per_second: f64::from(plan.open) / plan.life.as_secs_f64(),
        fail: 0.1,
        hooks: vec![
            HookScenario {
                share: plan.hooks,
                failure_mode: FailureMode::Warn,
                find_fault: 0.2,
                pending: Spread::Fixed(second),
                duration: Spread::Uniform {
                    from: second,
                    to: 10 * second,
                },
                ..HookScenario::default()
            }
            .into(),
        ],
        retry_after: RetryAfterPolicy {
            after: Spread::Fixed(plan.retry_after),
            ..RetryAfterPolicy::default()
        },
        ..Scenario::default()
    }
}

/// The requests that began after so many transitions; at first, those that are open.
async fn begun(State(side): State<Side>, Query(from): Query<From>) -> Json<Begun> {
    let now = side.clock.now();
    let begun = side.simulator.with_in(&Place::new(&from.account, REGION), |world| {
        world.advance(now);
        let truth = world.truth();
        let tokens = if from.after == 0 {
            let requests = truth.requests().into_iter();
            let open = requests.filter(|(_, request)| request.finished_at.is_none());
            open.map(|(token, _)| token.to_string()).collect()
        } else {
            let known = usize::try_from(from.after - truth.forgotten.min(from.after)).unwrap_or(usize::MAX);
            let began = truth.transitions.iter().skip(known);
            began
                .filter(|transition| matches!(transition.what, What::Began { .. }))
                .map(|transition| transition.request_token.to_string())
                .collect()
        };
        Begun {
            tokens,
            count: truth.count(),
        }
    });
    Json(begun.unwrap_or_default())
}

/// When each request ended.
async fn ended(State(side): State<Side>, Query(from): Query<From>) -> Json<Vec<Ended>> {
    let ended = side.simulator.with_in(&Place::new(&from.account, REGION), |world| {
        let transitions = world.truth().transitions.iter();
        let ends = transitions.filter_map(|transition| match &transition.what {
            What::Status { status, .. } if status.is_final() => Some(Ended {
                token: transition.request_token.to_string(),
                status: status.as_str().to_owned(),
                at: transition.at.as_millis(),
            }),
            _ => None,
        });
        ends.collect()
    });
    Json(ended.unwrap_or_default())
}

/// How late looks were since this was last asked.
async fn lateness(State(side): State<Side>) -> Json<Value> {
    let mut sum = Lateness::default();
    for calls in side.simulator.calls_by_place().into_values() {
        sum.add(&calls.lateness);
    }
    let mut before = side.before.lock().unwrap_or_else(PoisonError::into_inner);
    let since = sum.since(&before);
    *before = sum;
    Json(json!(since))
}

/// STS: the role's account is its access key id, which is how the simulator knows whose world it is.
async fn assume_role(body: String) -> String {
    let role = url::form_urlencoded::parse(body.as_bytes()).find(|(key, _)| key == "RoleArn");
    let account = role
        .as_ref()
        .and_then(|(_, arn)| arn.split(':').nth(4))
        .unwrap_or_default();
    let account: Arc<str> = account.into();
    format!(
        r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
        <AccessKeyId>{account}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"#
    )
}
