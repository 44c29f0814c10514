use super::*;
use crate::config::{LogFormat, ReceiverKind};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn receiver(audience: Audience) -> ReceiverSettings {
    let kind = ReceiverKind::Log {
        format: LogFormat::Text,
    };
    ReceiverSettings::plain("r", audience, kind)
}

#[test]
fn every_kind_has_a_sample_for_whom_it_can_reach() {
    for news in samples::every_kind() {
        let kind = news.kind().to_owned();
        assert_eq!(of_kind(&kind).unwrap().kind(), kind);
        let fits = |audience| fitting(news.clone(), &receiver(audience)).is_ok();
        let is_change = news.change().is_some();
        let opens = ["request.status", "request.lost", "request.stuck", "hook.status"].contains(&kind.as_str());
        assert!(fits(Audience::People), "{kind}");
        assert_eq!(fits(Audience::Machines), kind != "digest", "{kind}");
        assert_eq!(
            fits(Audience::Incidents),
            opens || (!is_change && kind != "digest"),
            "{kind}"
        );
    }
    let error = of_kind("request.staus").unwrap_err();
    assert!(error.contains("did you mean \"request.status\"?"), "{error}");
}

#[test]
fn a_test_happens_now_and_is_no_other_test() {
    for news in samples::every_kind() {
        let made = made_now(news.clone(), NOW);
        assert_eq!((made.kind(), made.at()), (news.kind(), NOW));
        assert!(made.id().0.starts_with("test-"), "{}", made.id());
        assert_ne!(made_now(news, NOW.plus(Duration::from_millis(1))).id(), made.id());
        if let Some(change) = made.change() {
            let request = &change.request;
            assert!(request.request_token.starts_with("test-"));
            assert!(request.started_at <= Some(NOW) && request.last_seen_at <= NOW);
        }
    }
}

#[test]
fn an_incident_that_a_test_opens_is_resolved_by_it() {
    let opened = made_now(of_kind("hook.status").unwrap(), NOW);
    let opened = fitting(opened, &receiver(Audience::Incidents)).unwrap();
    let resolved = resolving(&opened).unwrap();
    let (open, mended) = (opened.incident().unwrap(), resolved.incident().unwrap());
    assert_eq!(
        (open.state, mended.state),
        (IncidentState::Open, IncidentState::Resolved)
    );
    assert_eq!(open.key, mended.key);
    assert_ne!(opened.id(), resolved.id());
    assert_eq!(resolved.change().unwrap().to.as_deref(), Some("SUCCESS"));

    let told = fitting(made_now(of_kind(DEFAULT).unwrap(), NOW), &receiver(Audience::People)).unwrap();
    assert_eq!(resolving(&told), None);
}
