use std::time::Duration;

use super::*;
use crate::statistics::{Buckets, HookFacts, HookOutcome, OVERALL_BUCKETS, Outcome, RequestFacts};

/// 2026-11-01T00:00:00Z
const BEGAN: i64 = 1_793_491_200_000;
const HOUR: i64 = 3_600_000;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_millis(BEGAN + hour * HOUR)
}

fn request(hour: i64, type_name: &str, outcome: Outcome) -> RequestFacts<'_> {
    RequestFacts {
        at: at(hour),
        target: type_name,
        region: "eu-west-1",
        type_name: Some(type_name),
        operation: Some("CREATE"),
        error_code: (outcome == Outcome::Failed).then_some(type_name),
        outcome,
        took: Some(Duration::from_secs(90)),
    }
}

fn open(text: &str) -> RequestRow {
    RequestRow {
        target: text.into(),
        account_id: None,
        region: "eu-west-1".into(),
        request_token: text.into(),
        hooks_request_token: None,
        type_name: Some(text.into()),
        identifier: Some(text.into()),
        operation: Some(text.into()),
        status: Some(text.into()),
        error_code: None,
        status_message: None,
        started_at: None,
        first_seen_at: at(1),
        last_seen_at: at(2),
        finished_at: None,
        duration_s: None,
        open: true,
        hooks_total: 0,
        hooks_failed: 0,
    }
}

/// A page in which every name is `text`.
fn page_of(text: &str) -> String {
    let mut survey = Survey::new(Buckets::over(at(0), at(72), OVERALL_BUCKETS.min(4)));
    for hour in 0..6 {
        survey.add(&request(hour, text, Outcome::Succeeded));
    }
    survey.add(&request(30, text, Outcome::Failed));
    survey.add(&request(71, text, Outcome::Open));
    let mut scorecard = Scorecard::default();
    scorecard.add(&HookFacts {
        first_seen_at: at(1),
        hook_type_name: Some(text),
        hook_type_version_id: Some(text),
        outcome: HookOutcome::Warned,
        is_broken: false,
        latency: Some(Duration::from_millis(2500)),
    });
    let gap = GapRow {
        target: text.into(),
        from_at: at(40),
        to_at: None,
        reason: text.into(),
    };
    let report = Report {
        from: at(0),
        to: at(72),
        made_at: at(73),
        only: &[text.to_owned()],
        survey: &survey,
        scorecard: &scorecard,
        gaps: &[gap],
        targets_since: None,
        unwatched_since: None,
        open: &[open(text)],
    };
    page(&report).unwrap()
}

fn page_of_nothing() -> String {
    page_without_gaps(None)
}

fn page_without_gaps(targets_since: Option<Timestamp>) -> String {
    page_that_no_one_adds_to(targets_since, None)
}

fn page_that_no_one_adds_to(targets_since: Option<Timestamp>, unwatched_since: Option<Timestamp>) -> String {
    let report = Report {
        from: at(0),
        to: at(72),
        made_at: at(73),
        only: &[],
        survey: &Survey::new(Buckets::over(at(0), at(72), OVERALL_BUCKETS)),
        scorecard: &Scorecard::default(),
        gaps: &[],
        targets_since,
        unwatched_since,
        open: &[],
    };
    page(&report).unwrap()
}

/// Without its style sheet, which is a file of its own, and the version.
fn body(page: &str) -> String {
    let page = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    page[page.find("<body>").unwrap()..].to_owned()
}

#[test]
fn a_small_report() {
    insta::assert_snapshot!(body(&page_of("AWS::S3::Bucket")).replace("><", ">\n<"));
}

#[test]
fn a_report_of_nothing() {
    insta::assert_snapshot!(body(&page_of_nothing()));
}

#[test]
fn no_name_is_more_than_text_wherever_it_stands() {
    let markup = |page: &str| {
        let kept = page.chars().filter(|c| "<>\"'".contains(*c));
        kept.collect::<String>()
    };
    let plain = page_of("AWS::S3::Bucket");
    for hostile in [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=y>",
        "</style></title></svg>",
        "{{7*7}}{% raw %}",
        "<!--",
        "]]>&lt;&#x3c;",
    ] {
        let page = page_of(hostile);
        // Quotes and brackets are those of the page alone: each one of the name's is spelled out.
        assert_eq!(markup(&page), markup(&plain), "{hostile}");
        assert!(!page.contains("49") || plain.contains("49"), "{hostile}");
    }
    for hidden in ["\u{202e}", "\u{1b}[2J", "\u{0}", "\u{ffff}"] {
        assert!(!page_of(&format!("a{hidden}b")).contains(hidden), "{hidden:?}");
    }
}

#[test]
fn the_policy_allows_the_style_sheet_by_its_hash_and_nothing_else() {
    let page = page_of_nothing();
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = svg::escaped(&STANDARD.encode(Sha256::digest(style)));
    let policy = format!(
        "content=\"default-src &#x27;none&#x27;; style-src &#x27;sha256-{hash}&#x27;; base-uri &#x27;none&#x27;; \
         form-action &#x27;none&#x27;\""
    );
    assert!(page.contains(&policy), "{page}");
    for outside in ["url(", "@import", " src=", " href=", " style=", "<script", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn absurd_times_and_counts_make_a_page() {
    for (from, to) in [(i64::MIN, i64::MAX), (0, 1), (i64::MAX, i64::MAX)] {
        let (from, to) = (Timestamp::from_millis(from), Timestamp::from_millis(to));
        let mut survey = Survey::new(Buckets::over(from, to, OVERALL_BUCKETS));
        let facts = RequestFacts {
            at: to,
            took: Some(Duration::MAX),
            type_name: None,
            ..request(0, "", Outcome::Succeeded)
        };
        survey.add(&facts);
        let gap = GapRow {
            target: "prod/eu-west-1".into(),
            from_at: to,
            to_at: Some(from),
            reason: String::new(),
        };
        let report = Report {
            from,
            to,
            made_at: from,
            only: &[],
            survey: &survey,
            scorecard: &Scorecard::default(),
            gaps: &[gap],
            targets_since: None,
            unwatched_since: None,
            open: &[open("a")],
        };
        let page = page(&report).unwrap();
        assert!(!page.contains("NaN") && !page.contains("inf\""), "{page}");
    }
}

#[test]
fn that_all_was_looked_at_is_said_only_of_a_time_in_which_all_targets_were_known() {
    let looked = "In all of this time every target was looked at";
    assert!(page_without_gaps(Some(at(0))).contains(looked));
    let later = page_without_gaps(Some(at(24)));
    assert!(!later.contains(looked) && later.contains("ccwatch knows of no gap since"));
    assert!(!page_of_nothing().contains(looked));
    let unwatched = page_that_no_one_adds_to(Some(at(0)), Some(at(30)));
    assert!(!unwatched.contains(looked) && unwatched.contains("No ccwatch looked when this page was made"));
    assert!(
        page_that_no_one_adds_to(Some(at(0)), Some(at(72))).contains(looked),
        "it was all before"
    );
}
