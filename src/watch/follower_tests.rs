use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use aws_sdk_cloudcontrol::config::SharedHttpClient;

use super::*;
use crate::cloud::{self, Act, Connection, Terms};
use crate::config::{ResourceModelPolicy, TargetSettings};
use crate::model::{Phase, Region};
use crate::simulator::faults::{Skew, Throttle};
use crate::simulator::{Faults, InMemory, Scenario, Simulator};
use crate::watch::Remembered;

const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);
const TARGET: TargetId = TargetId(1);

/// What a history would say of requests that no hook guards.
#[derive(Debug, Clone, Default)]
struct Remembering(Arc<Mutex<BTreeMap<RequestToken, Standing>>>);

impl Recording for Remembering {
    type Error = Infallible;

    fn may_pass(error: &Infallible) -> bool {
        match *error {}
    }

    async fn standings(&self, _: TargetId) -> Result<Vec<Standing>, Infallible> {
        let known = self.0.lock().unwrap();
        Ok(known
            .values()
            .filter(|known| known.phase == Phase::Open)
            .cloned()
            .collect())
    }

    async fn record(&self, sightings: Vec<Sighting>) -> Result<Remembered, Infallible> {
        let mut known = self.0.lock().unwrap();
        let mut remembered = Remembered::default();
        for sighting in sightings {
            let Seen::Event(event, _) = sighting.seen else { continue };
            let has_ended = event.status.as_ref().is_some_and(RequestStatus::is_final);
            let standing = Standing {
                key: sighting.key.clone(),
                phase: if has_ended { Phase::Finished } else { Phase::Open },
                final_looks_left: 0,
                gone_looks: 0,
                is_unlisted: false,
                hooks_pending: false,
                announced: true,
                retry_after: event.retry_after,
                first_seen_at: sighting.seen_at,
            };
            known.insert(sighting.key.token, standing.clone());
            remembered.standings.push(standing);
        }
        Ok(remembered)
    }
}

struct Scene {
    simulator: Simulator,
    /// Ours, which the follower goes by.
    clock: Clock,
    client: Client,
    memory: Remembering,
}

impl Scene {
    async fn new(faults: Faults) -> Self {
        let scenario = Scenario {
            faults,
            ..Scenario::friendly()
        };
        let clock = Clock::simulated(START);
        let simulator = Simulator::new(scenario, 1, clock.now());
        let settings = TargetSettings {
            entry: "prod".into(),
            region: Region("us-east-1".into()),
            account_id: None,
            profile: None,
            role: None,
            endpoint_url: Some("http://in.memory".parse().unwrap()),
            pace: Pace::default(),
        };
        let in_memory = InMemory::new(simulator.clone(), clock.clone());
        let connection = Connection::in_memory(SharedHttpClient::new(in_memory));
        let (client, ..) = cloud::connect(&settings, ResourceModelPolicy::Drop, &connection).await;
        Self {
            simulator,
            clock,
            client,
            memory: Remembering::default(),
        }
    }

    /// Has a resource created; what it was answered is known.
    async fn begin(&self, number: u32) -> RequestToken {
        let act = Act::Create {
            type_name: "AWS::S3::Bucket".into(),
            desired_state: "{}".into(),
            terms: Terms {
                client_token: format!("create-{number}"),
                role_arn: None,
                type_version_id: None,
            },
        };
        let event = self.client.act(&act).await.unwrap();
        let token = event.request_token.clone();
        let sighting = Sighting {
            key: RequestKey {
                target: TARGET,
                token: token.clone(),
            },
            seen_at: self.clock.now(),
            source: Source::Call,
            seen: Seen::Event(Box::new(event), None),
        };
        self.memory.record(vec![sighting]).await.unwrap();
        token
    }

    async fn follow(&self, tokens: BTreeSet<RequestToken>) -> Result<(), FollowError<Infallible>> {
        let (trouble, _) = watch::channel(None);
        let (client, memory, clock) = (self.client.clone(), self.memory.clone(), self.clock.clone());
        Follower::new(TARGET, client, memory, Pace::default(), clock, 1, trouble)
            .run(tokens, CancellationToken::new())
            .await
    }

    fn ended(&self) -> usize {
        let known = self.memory.0.lock().unwrap();
        known.values().filter(|known| known.phase == Phase::Finished).count()
    }
}

/// However far the two clocks are apart, and with or without a RetryAfter to begin with.
#[tokio::test(start_paused = true)]
async fn no_request_is_looked_at_before_its_retry_after() {
    for (minutes, behind) in [(0, false), (10, false), (10, true)] {
        let faults = Faults {
            clock_skew: Skew {
                by: Duration::from_mins(minutes),
                behind,
            },
            ..Faults::default()
        };
        let scene = Scene::new(faults).await;
        let began = scene.clock.uptime();
        let mut tokens = BTreeSet::new();
        for number in 0..20 {
            tokens.insert(scene.begin(number).await);
        }
        scene.follow(tokens).await.unwrap();
        assert_eq!(scene.ended(), 20);
        let calls = scene.simulator.calls();
        assert_eq!(calls.early_looks(), 0, "{minutes} minutes apart");
        assert!(calls.of("GetResourceRequestStatus").received >= 20);
        // Nor are they left lying by whoever takes the service's clock for ours.
        assert!(scene.clock.uptime().saturating_sub(began) < Duration::from_mins(9));
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_followed_is_looked_at() {
    let scene = Scene::new(Faults::default()).await;
    let followed = scene.begin(1).await;
    scene.begin(2).await;
    scene.follow(BTreeSet::from([followed.clone()])).await.unwrap();
    assert_eq!(scene.ended(), 1);
    let known = scene.memory.0.lock().unwrap();
    assert_eq!(known[&followed].phase, Phase::Finished);
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_long_ago_is_looked_at_at_once() {
    let scene = Scene::new(Faults::default()).await;
    let token = scene.begin(1).await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    let began = scene.clock.uptime();
    scene.follow(BTreeSet::from([token])).await.unwrap();
    assert_eq!(scene.ended(), 1);
    assert!(scene.clock.uptime().saturating_sub(began) < Duration::from_secs(5));
    assert_eq!(scene.simulator.calls().early_looks(), 0);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out() {
    let scene = Scene::new(Faults::default()).await;
    let tokens: Vec<RequestToken> = vec![scene.begin(1).await, scene.begin(2).await];
    scene.simulator.set_faults(Faults {
        throttle: Some(Throttle {
            per_second: 0.05,
            burst: 1.0,
        }),
        ..Faults::default()
    });
    scene.follow(tokens.into_iter().collect()).await.unwrap();
    assert_eq!(scene.ended(), 2);
    let calls = scene.simulator.calls();
    assert!(calls.of("GetResourceRequestStatus").throttled > 0, "{calls:?}");
    assert_eq!(calls.early_looks(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_only_a_person_can_mend_ends_it() {
    let denied = |operation: &str| Faults {
        access_denied: [operation.into()].into(),
        ..Faults::default()
    };
    let scene = Scene::new(Faults::default()).await;
    let token = scene.begin(1).await;
    scene.simulator.set_faults(denied("GetResourceRequestStatus"));
    let ended = scene.follow(BTreeSet::from([token.clone()])).await;
    assert!(
        matches!(&ended, Err(FollowError::Denied(failure)) if failure.cause == Cause::Denied),
        "{ended:?}"
    );

    // Whoever may not list, for the time, may look all the same.
    scene.simulator.set_faults(denied("ListResourceRequests"));
    scene.follow(BTreeSet::from([token])).await.unwrap();
    assert_eq!(scene.ended(), 1);
}
