use std::cell::RefCell;
use std::time::Duration;

use tokio::time::Instant;

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
        may_have_ended: false,
        date: None,
    }
}

fn delete() -> Act {
    Act::Delete {
        type_name: "AWS::SNS::Topic".into(),
        identifier: "news".into(),
        terms: cloud::Terms {
            client_token: "deploy-1".into(),
            role_arn: None,
            type_version_id: None,
        },
    }
}

/// What is told after these answers, and how many were asked for.
async fn told(answers: Vec<Refused>, stop: &CancellationToken) -> (String, usize) {
    let answers = RefCell::new(answers.into_iter());
    let outcome = insist(|| async { Err(answers.borrow_mut().next().unwrap()) }, stop).await;
    let name = TargetName::from_stored("prod/eu-west-1");
    let told = explain(&outcome.unwrap_err(), &delete(), &name).to_string();
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
    let (without, _) = told(vec![throttled(), expired()], &stop).await;
    assert!(!without.contains("--client-token"), "{without}");

    let unsent = || refused(Cause::Unreachable, true, false);
    let (after_a_loss, _) = told(vec![lost(), unsent(), unsent(), unsent()], &stop).await;
    assert!(after_a_loss.contains("--client-token deploy-1"), "{after_a_loss}");
    assert!(!after_a_loss.contains("no request has begun"), "{after_a_loss}");
    let (never, _) = told(vec![throttled(), unsent(), unsent(), unsent()], &stop).await;
    assert!(
        never.ends_with("No connection was made, so no request has begun"),
        "{never}"
    );
    assert!(!never.contains("--client-token"), "{never}");
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

#[tokio::test(start_paused = true)]
async fn a_call_is_waited_for_until_the_time_is_up_and_no_longer() {
    let (interruption, soon) = (Interruption::default(), Duration::from_secs(20));
    let call = |takes| async move {
        tokio::time::sleep(takes).await;
        "answer"
    };
    let deadline = || Deadline::after(Some(soon));
    let answered = see_through(call(Duration::from_secs(10)), &interruption, deadline()).await;
    assert_eq!(answered.unwrap(), "answer");
    let begun = Instant::now();
    let late = see_through(call(Duration::from_secs(30)), &interruption, deadline()).await;
    assert_eq!((late.unwrap_err().exit_code(), begun.elapsed()), (124, soon));

    let way = async {
        call(Duration::from_secs(30)).await;
        Ok(())
    };
    let nothing = before_the_call(way, deadline()).await;
    assert_eq!((nothing.unwrap_err().exit_code(), begun.elapsed()), (124, 2 * soon));
    // After the first signal, too.
    interruption.stop().cancel();
    let late = see_through(call(Duration::from_secs(30)), &interruption, deadline()).await;
    assert_eq!((late.unwrap_err().exit_code(), begun.elapsed()), (124, 3 * soon));
}

#[test]
fn no_look_is_before_retry_after_on_the_services_clock() {
    let at = Timestamp::from_millis;
    assert_eq!(forbidden_for(None, None), Some(Duration::ZERO));
    assert_eq!(
        forbidden_for(Some(at(5000)), Some(at(2000))),
        Some(Duration::from_secs(3))
    );
    assert_eq!(forbidden_for(Some(at(5000)), Some(at(6000))), Some(Duration::ZERO));
    assert_eq!(
        forbidden_for(Some(at(5000)), None),
        None,
        "what time it has is not known"
    );
}

#[test]
fn what_is_known_of_a_call_that_was_not_seen_through_is_told() {
    let token = RequestToken::new("t");
    let told = unfinished(&delete(), None);
    assert!(
        told.contains("--client-token deploy-1 begins it, or finds it"),
        "{told}"
    );
    let told = unfinished(&delete(), Some(&token));
    assert!(
        told.contains("The request t has begun") && told.contains("--client-token deploy-1 puts it there"),
        "{told}"
    );
    let cancel = Act::Cancel { token: token.clone() };
    for begun_as in [None, Some(&token)] {
        let told = unfinished(&cancel, begun_as);
        assert!(told.contains("to ask again does no harm"), "{told}");
    }
}
