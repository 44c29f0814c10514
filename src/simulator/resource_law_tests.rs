//! What holds of resources, whatever clients ask for and whenever.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::RequestStatus;
use crate::simulator::world::tests::{START, plain};
use crate::simulator::{ResourceQuery, What};

const BUCKET: &str = "AWS::S3::Bucket";

fn ask(world: &mut World, action: u8, name: &str) -> Result<Token, Refusal> {
    let (type_name, identifier) = (BUCKET.to_owned(), name.to_owned());
    let event = match action {
        0 => world.create(
            &Create {
                type_name,
                desired_state: format!(r#"{{"BucketName":"{name}"}}"#),
                type_version_id: None,
                role_arn: None,
            },
            None,
        ),
        1 => world.update(
            &Update {
                type_name,
                identifier,
                patch_document: r#"[{"op":"add","path":"/Patched","value":true}]"#.to_owned(),
                type_version_id: None,
                role_arn: None,
            },
            None,
        ),
        _ => world.delete(
            &Delete {
                type_name,
                identifier,
                type_version_id: None,
                role_arn: None,
            },
            None,
        ),
    };
    Ok(event?.request_token)
}

/// The resources there should be, and whether each was patched, by what the truth says has succeeded.
fn expected(world: &World, names: &BTreeMap<Token, (u8, String)>) -> BTreeMap<String, bool> {
    let mut resources = BTreeMap::new();
    for transition in &world.truth().transitions {
        let succeeded = matches!(&transition.what, What::Status { status, .. } if *status == RequestStatus::Success);
        let Some((action, name)) = names.get(&transition.request_token).filter(|_| succeeded) else {
            continue;
        };
        match action {
            0 => assert_eq!(resources.insert(name.clone(), false), None, "created twice"),
            1 => assert!(
                resources.insert(name.clone(), true).is_some(),
                "patched what is not there"
            ),
            _ => assert!(resources.remove(name).is_some(), "deleted twice"),
        }
    }
    resources
}

fn listed(world: &mut World) -> BTreeMap<String, bool> {
    let query = ResourceQuery {
        type_name: BUCKET.to_owned(),
        max_results: 100,
        after: None,
        resource_model: None,
    };
    let resources = world.resources(&query).unwrap().resources;
    resources
        .into_iter()
        .map(|resource| {
            let patched = resource.properties.unwrap().contains("Patched");
            (resource.identifier.unwrap().to_string(), patched)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_exists_is_what_has_succeeded_and_each_resource_has_one_open_request(
        seed in any::<u64>(),
        fail in 0.0..0.5_f64,
        calls in proptest::collection::vec((0..4_000_u64, 0..4_u8, "[abc]"), 0..60),
    ) {
        let scenario = Scenario { fail, retention: Duration::from_mins(1), never_start: fail / 4.0, ..plain() };
        let mut world = World::new(scenario, seed, START);
        let mut now = START;
        let mut names: BTreeMap<Token, (u8, String)> = BTreeMap::new();
        for (millis, action, name) in calls {
            now = now.plus(Duration::from_millis(millis));
            world.advance(now);
            if action == 3 {
                if let Some(token) = names.keys().next_back() {
                    // Refused if it has finished or is forgotten by now, which is as good.
                    let _ = world.cancel(&token.to_string());
                }
            } else if let Ok(token) = ask(&mut world, action, &name) {
                names.insert(token, (action, name));
            }
            let truth = world.truth().requests();
            let open: Vec<&String> = truth
                .iter()
                .filter(|(_, request)| !request.status.is_final() && request.expired_at.is_none())
                .map(|(token, _)| &names[token].1)
                .collect();
            prop_assert_eq!(open.len(), open.iter().collect::<BTreeSet<_>>().len(), "{:?}", open);
            let there = listed(&mut world);
            prop_assert_eq!(&there, &expected(&world, &names));
            for name in ["a", "b", "c"] {
                prop_assert_eq!(world.resource(BUCKET, name).is_ok(), there.contains_key(name));
            }
        }
        // Once all has ended or is forgotten, nothing is in the way of anything.
        world.advance(now.plus(Duration::from_mins(2)));
        for name in ["a", "b", "c"] {
            prop_assert!(ask(&mut world, 2, name).is_ok());
        }
    }
}
