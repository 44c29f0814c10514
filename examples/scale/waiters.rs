//! A waiter for each request: what there is without ccwatch. Whoever created a request knows its token at once, and asks
//! for it until it has ended.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use ccwatch::clock::Clock;
use ccwatch::model::Timestamp;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::truth::{Begun, Known};
use crate::{Plan, REGION, account};

/// When a waiter looks again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Again {
    /// The AWS CLI's and boto3's `resource_request_success`: every five seconds.
    Every5s,
    /// When RetryAfter has passed, as Pulumi's awaiter does.
    AtRetryAfter,
}

/// How often the world is asked for requests that have begun.
const LOOK_FOR_NEW: Duration = Duration::from_millis(100);
const EVERY: Duration = Duration::from_secs(5);
/// Calls under way at once.
const MOST_IN_FLIGHT: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    account: Arc<str>,
    token: Arc<str>,
}

struct Endpoints {
    http: reqwest::Client,
    simulator: String,
    side: String,
}

/// Waits for every request of every target, until `stop`.
pub(crate) async fn run(
    plan: &Plan,
    again: Again,
    (simulator, side): (&str, &str),
    known: Arc<Mutex<Known>>,
    stop: CancellationToken,
) -> Result<()> {
    let endpoints = Arc::new(Endpoints {
        http: reqwest::Client::new(),
        simulator: simulator.to_owned(),
        side: side.to_owned(),
    });
    let clock = Clock::system();
    let gate = Arc::new(Semaphore::new(MOST_IN_FLIGHT));
    let (done, mut looked) = mpsc::channel::<(Waiting, Option<Instant>)>(10_000);
    let mut due: BinaryHeap<Reverse<(Instant, Waiting)>> = BinaryHeap::new();
    let mut accounts: Vec<(Arc<str>, u64)> = (0..plan.targets).map(|number| (account(number).into(), 0)).collect();
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut new_at = Instant::now();
    loop {
        let next = due.peek().map_or(new_at, |Reverse((at, _))| (*at).min(new_at));
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Some((waiting, again_at)) = looked.recv() => {
                if let Some(at) = again_at {
                    due.push(Reverse((at, waiting)));
                }
            }
            () = tokio::time::sleep_until(next) => {}
        }
        let now = Instant::now();
        if now >= new_at {
            for (account, seen) in &mut accounts {
                let begun = endpoints.begun(account, *seen).await?;
                for token in begun.tokens {
                    // Those that were open before have begun at any time, and are looked at at any time.
                    let first = if *seen == 0 {
                        EVERY.mul_f64(random.f64())
                    } else {
                        Duration::ZERO
                    };
                    let waiting = Waiting {
                        account: account.clone(),
                        token: token.into(),
                    };
                    due.push(Reverse((now + first, waiting)));
                }
                *seen = begun.count.max(1);
            }
            new_at = now + LOOK_FOR_NEW;
        }
        while let Some(Reverse((at, _))) = due.peek()
            && *at <= now
            && let Some(Reverse((_, waiting))) = due.pop()
        {
            let turn = Arc::clone(&gate).acquire_owned().await?;
            let (endpoints, clock, known, done) = (endpoints.clone(), clock.clone(), known.clone(), done.clone());
            tokio::spawn(async move {
                let again_at = endpoints.look(&waiting, again, &clock, &known).await;
                drop(turn);
                // Nobody waits for it any more once everything stops.
                let _ = done.send((waiting, again_at)).await;
            });
        }
    }
}

impl Endpoints {
    async fn begun(&self, account: &str, after: u64) -> Result<Begun> {
        let url = format!("{}/begun?account={account}&after={after}", self.side);
        Ok(serde_json::from_slice(
            &self.http.get(url).send().await?.bytes().await?,
        )?)
    }

    /// One GetResourceRequestStatus. Returns when to look again; `None` once it has ended.
    async fn look(&self, waiting: &Waiting, again: Again, clock: &Clock, known: &Mutex<Known>) -> Option<Instant> {
        let later = Some(Instant::now() + EVERY);
        let Ok(event) = self.get(waiting).await else {
            return later;
        };
        let status = event["OperationStatus"].as_str().unwrap_or_default();
        if matches!(status, "SUCCESS" | "FAILED" | "CANCEL_COMPLETE") {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known
                .0
                .insert(waiting.token.to_string(), (status.to_owned(), clock.now()));
            return None;
        }
        match (again, event["RetryAfter"].as_f64()) {
            (Again::AtRetryAfter, Some(seconds)) => {
                #[expect(clippy::cast_possible_truncation, reason = "milliseconds of this century")]
                let at = Timestamp::from_millis((seconds * 1000.0).ceil() as i64);
                Some(Instant::now() + at.since(clock.now()).max(Duration::from_millis(1)))
            }
            _ => later,
        }
    }

    async fn get(&self, waiting: &Waiting) -> Result<Value> {
        let scope = format!("{}/20260101/{REGION}/cloudcontrolapi/aws4_request", waiting.account);
        let call = self
            .http
            .post(&self.simulator)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "CloudApiService.GetResourceRequestStatus")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .body(format!(r#"{{"RequestToken":"{}"}}"#, waiting.token));
        let answer = call.send().await?.error_for_status()?.bytes().await?;
        let mut answer: Value = serde_json::from_slice(&answer)?;
        Ok(answer["ProgressEvent"].take())
    }
}
