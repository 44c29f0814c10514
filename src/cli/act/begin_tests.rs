use std::cell::RefCell;

use super::*;
use crate::cloud::Cause;

#[test]
fn a_client_token_is_what_the_service_takes() {
    for right in ["a", "ccwatch-0f/+=", &"x".repeat(128)] {
        assert!(client_token(right).is_ok(), "{right}");
    }
    for wrong in ["", "a b", "a_b", "\u{e9}", &"x".repeat(129)] {
        assert!(client_token(wrong).is_err(), "{wrong}");
    }
}

fn refused(cause: Cause, may_pass: bool, is_open: bool) -> Refused {
    Refused {
        failure: cloud::Failure::new(cause, "said"),
        remedy: "mend it",
        may_pass,
        is_open,
    }
}

/// What is told after these answers, and how many were asked for.
async fn told(answers: Vec<Refused>, stop: &CancellationToken) -> (String, usize) {
    let answers = RefCell::new(answers.into_iter());
    let outcome = insist(|| async { Err(answers.borrow_mut().next().unwrap()) }, stop).await;
    let act = Act::Delete {
        type_name: "AWS::SNS::Topic".into(),
        identifier: "news".into(),
        terms: cloud::Terms {
            client_token: "deploy-1".into(),
            role_arn: None,
            type_version_id: None,
        },
    };
    let name = TargetName::from_stored("prod/eu-west-1");
    let told = explain(&outcome.unwrap_err(), &act, &name).to_string();
    (told, answers.into_inner().len())
}

#[tokio::test(start_paused = true)]
async fn that_an_earlier_try_may_have_arrived_is_not_forgotten() {
    let stop = CancellationToken::new();
    let lost = || refused(Cause::Unreachable, true, true);
    let throttled = || refused(Cause::Throttled, true, false);
    let expired = || refused(Cause::Credentials, false, false);
    for last in [vec![throttled(), throttled(), throttled()], vec![expired()]] {
        let (told, left) = told([vec![lost()], last].concat(), &stop).await;
        assert!(told.contains("the same command with --client-token deploy-1"), "{told}");
        assert_eq!(left, 0);
    }
    let (told, _) = told(vec![throttled(), expired()], &stop).await;
    assert!(!told.contains("--client-token"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_no_more_patience_is_not_kept_by_another_try() {
    let stop = CancellationToken::new();
    stop.cancel();
    let lost = || refused(Cause::Unreachable, true, true);
    let (told, left) = told(vec![lost(), lost()], &stop).await;
    assert!(told.contains("--client-token deploy-1"), "{told}");
    assert_eq!(left, 1);
}
