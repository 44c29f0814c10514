use super::*;
use crate::decide::grouping::Grouping;
use crate::decide::route::Field;

#[test]
fn groups_that_have_rested_are_forgotten_and_those_in_which_something_waits_are_not() {
    let at = |second: i64| Timestamp::from_millis(second * 1000);
    let route = |wait| Route {
        name: "r".into(),
        group: Some(Grouping {
            by: vec![Field::Identifier],
            wait: Duration::from_secs(wait),
            interval: Duration::from_mins(1),
        }),
        ..Route::default()
    };
    let mut mailbox = Mailbox::new(Manner {
        receiver: "ops".into(),
        digest_over: Some(10),
        spacing: Duration::ZERO,
        burst: 1,
    });
    let (soon, late) = (route(0), route(1_000_000));
    let mut sent = 0;
    for second in 0..20_000 {
        mailbox.send_until(Some(at(second)), &mut |_| sent += 1);
        let name = second.to_string();
        let subject = Subject {
            identifier: Some(&name),
            ..Subject::default()
        };
        let route = if second % 100 == 0 { &late } else { &soon };
        mailbox.put_by_route(&name, second, at(second), route, &subject);
    }
    assert!(mailbox.groups.len() < 2 * FEW_GROUPS, "{}", mailbox.groups.len());
    mailbox.send_until(None, &mut |_| sent += 1);
    assert_eq!((sent, mailbox.tally.changes), (20_000, 20_000));
    assert!(mailbox.lines.is_empty() && mailbox.heads.is_empty());
}
