//! What [`backtest`](crate::decide::backtest) says would have been told is what the outbox does hand out to a courier that
//! never fails.

use std::time::Duration;

use proptest::prelude::*;

use super::fixtures::{Scene, at, attempted, event};
use super::{Reader, outbox};
use crate::decide::backtest::{Backtest, Manner, Sent};
use crate::decide::grouping::Grouping;
use crate::decide::mute::MuteWindow;
use crate::decide::retry::{Attempted, Verdict};
use crate::decide::route::{Audience, Field, Patterns, Route};
use crate::decide::routing::Routing;
use crate::model::RequestStatus::{Failed, InProgress, Pending, Success};
use crate::model::{ProgressEvent, Timestamp};

/// When it was sent, and which changes it told.
type Messages = Vec<(Timestamp, Vec<i64>)>;

/// Failures at once, to people and to a receiver of incidents; the rest in groups, and not within a minute that comes soon.
fn routing() -> Routing {
    let urgent = Route {
        name: "urgent".into(),
        matchers: vec![(Field::Status, Patterns::new(["FAILED"]))],
        to: vec!["team".into(), "pager".into()],
        ..Route::default()
    };
    let rest = Route {
        name: "rest".into(),
        to: vec!["team".into()],
        group: Some(Grouping {
            by: vec![Field::Identifier],
            wait: Duration::from_secs(10),
            interval: Duration::from_secs(45),
        }),
        mute: vec![MuteWindow {
            days: Vec::new(),
            from: jiff::civil::time(6, 29, 0, 0),
            to: jiff::civil::time(6, 30, 0, 0),
            zone: jiff::tz::TimeZone::UTC,
        }],
        ..Route::default()
    };
    Routing::new(
        vec![urgent, rest],
        [("team", Audience::People), ("pager", Audience::Incidents)],
    )
}

/// What the service says of a request at its look number `look`. Two requests share a resource.
fn look(request: usize, look: usize) -> ProgressEvent {
    let status = match (look, request % 3) {
        (0, _) => Pending,
        (1, _) => InProgress,
        (_, 0) => Success,
        _ => Failed,
    };
    ProgressEvent {
        identifier: Some(format!("resource-{}", request / 2)),
        ..event(&format!("request-{request}"), status)
    }
}

/// A courier that takes what is due, and whose receiver accepts everything at once.
struct Courier {
    manner: Manner,
    free_at: Timestamp,
    sent: Messages,
}

impl Courier {
    fn send_until(&mut self, scene: &Scene, limit: Timestamp) {
        let (receiver, history) = (self.manner.receiver.clone(), &scene.history);
        while let Some(next) = history
            .read(|connection| outbox::next_attempt_at(connection, &receiver))
            .unwrap()
        {
            let now = next.max(self.free_at);
            if now >= limit {
                return;
            }
            let over = self.manner.digest_over;
            let due = history.read(|connection| outbox::due_deliveries(connection, &receiver, now, 1, over));
            let delivery = due.unwrap().remove(0);
            let attempt = Attempted {
                ids: delivery.ids.clone(),
                ..attempted(delivery.ids[0], Verdict::Sent)
            };
            history.write(|tx| tx.record_attempts(&[attempt], now)).unwrap();
            let change = |id: i64| scene.count(&format!("SELECT change_id FROM deliveries WHERE id = {id}"));
            let changes = delivery.ids.iter().map(|id| change(id.0)).collect();
            self.sent.push((now, changes));
            self.free_at = now.plus(self.manner.spacing);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_backtest_tells_what_the_outbox_would_have_told(
        steps in prop::collection::vec((0_i64..30, 0_usize..8), 1..24),
        digest_over in prop::option::of(1_u32..4),
        spacing in 0_u64..9,
    ) {
        let (scene, routing) = (Scene::new(), routing());
        let manner = |receiver: &str, digest_over| Manner {
            receiver: receiver.into(),
            digest_over,
            spacing: Duration::from_secs(spacing),
            burst: 1,
        };
        let manners = [manner("team", digest_over), manner("pager", None)];
        let mut couriers = manners.clone().map(|manner| Courier { manner, free_at: at(0), sent: Vec::new() });
        let (mut second, mut looks) = (0, [0; 8]);
        for (pause, request) in steps {
            second += pause;
            for courier in &mut couriers {
                courier.send_until(&scene, at(second));
            }
            let sighting = scene.seen(second, look(request, looks[request]));
            looks[request] += 1;
            scene.history.write(|tx| tx.record(&[sighting], &routing)).unwrap();
        }
        for courier in &mut couriers {
            courier.send_until(&scene, at(1_000_000));
        }

        let mut told: [Messages; 2] = Default::default();
        let mut note = |sent: Sent<'_>| {
            let who = usize::from(sent.receiver == "pager");
            told[who].push((sent.at, sent.changes.to_vec()));
        };
        let mut backtest = Backtest::new(&routing, manners);
        let reader = Reader::open(&scene.path()).unwrap();
        for (number, announcement) in reader.announcements(&(at(0)..at(1_000_000)), None, 1000).unwrap() {
            backtest.change(number, &announcement, &mut note);
        }
        backtest.finish(&mut note);
        prop_assert_eq!(told, couriers.map(|courier| courier.sent));
    }
}
