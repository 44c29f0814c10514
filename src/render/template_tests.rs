use proptest::prelude::*;

use super::*;
use crate::render::samples::{failed_hook, failed_request};

/// What the template makes of a failed hook.
fn made(source: &str) -> String {
    let template = Template::new(Part::Body, source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let news = News::Change(Box::new(failed_hook("WARN")));
    template.render(template.context(&news).unwrap()).unwrap()
}

fn error(part: Part, source: &str) -> String {
    Template::new(part, source).unwrap_err().to_string()
}

#[test]
fn it_sees_the_change_the_request_the_hook_and_the_words() {
    for (source, expected) in [
        (
            "{{ kind }} {{ from }} {{ to }} {{ at }}",
            "hook.status HOOK_IN_PROGRESS HOOK_COMPLETE_FAILED 2025-11-22T06:28:00.123Z",
        ),
        (
            "{{ target }} {{ account_id }} {{ region }}",
            "prod/eu-west-1 123456789012 eu-west-1",
        ),
        ("{{ message }}|{{ error_code }}", "bucket is not encrypted|"),
        ("{{ request.operation }} {{ request.open }}", "CREATE False"),
        ("{% if hook %}{{ hook.hook_type_name }}{% endif %}", "Acme::S3::Guard"),
        (
            "{{ turns }} {{ flapping }} {{ replayed }} {{ incident }}",
            "0 False False ",
        ),
        (
            "{{ words.title }} {{ words.tone }}",
            "Hook Acme::S3::Guard found fault on CREATE AWS::S3::Bucket warning",
        ),
        (
            "{% for fact in words.facts[:1] %}{{ fact.label }}: {{ fact.value }}{% endfor %}",
            "Status: HOOK_IN_PROGRESS → HOOK_COMPLETE_FAILED",
        ),
        (
            "{% if receiver %}{{ receiver.waiting }}{% else %}none{% endif %}",
            "none",
        ),
        (
            "{{ words.link.label if words.link }}",
            "Hook invocations in the AWS console",
        ),
    ] {
        assert_eq!(made(source), expected, "{source}");
    }
}

#[test]
fn what_is_not_known_is_written_as_nothing_and_as_null_in_json() {
    assert_eq!(made("<{{ error_code }}>"), "<>");
    assert_eq!(made("{{ error_code|tojson }}"), "null");
    assert_eq!(made("{{ error_code or 'no code' }}"), "no code");
}

#[test]
fn a_slip_of_the_pen_is_found_with_its_line() {
    for (source, expected) in [
        (
            "{{ requst }}",
            "line 1 of the template: there is no `requst`; there are ",
        ),
        (
            "a\nb {{ request.typ }}",
            "line 2 of the template: there is no `request.typ`; there are target, ",
        ),
        // Where no sample goes too.
        (
            "{% if to == 'PAUSED' %}{{ mesage }}{% endif %}",
            "line 1 of the template: there is no `mesage`; ",
        ),
        ("{{ nope|truncate(3) }}", "line 1 of the template: there is no `nope`; "),
        (
            "{% if hook %}{{ hook.typ }}{% endif %}",
            "line 1 of the template: there is no `hook.typ`; ",
        ),
        (
            "{{ message|uper }}",
            "line 1 of the template: unknown filter: filter uper is unknown",
        ),
        ("\n{{ 1 + }}", "line 2 of the template: syntax error: "),
        ("{% if to %}", "line 1 of the template: syntax error: "),
        (
            "{% include 'x' %}",
            "line 1 of the template: syntax error: unknown statement include",
        ),
        (
            "{{ target|duration }}",
            "line 1 of the template: invalid operation: expected a number of seconds, found string (tried with request.status)",
        ),
        ("{{ foo() }}", "line 1 of the template: "),
    ] {
        let error = error(Part::Title, source);
        assert!(error.starts_with(expected), "{source}: {error}");
    }
}

#[test]
fn what_may_be_absent_has_to_be_asked_for() {
    let expected =
        "line 1 of the template: undefined value: `hook.hook_type_name` is undefined (tried with request.status)";
    assert_eq!(error(Part::Body, "{{ hook.hook_type_name }}"), expected);
    let expected = "line 1 of the template: undefined value: `message[0]` is undefined (tried with request.lost)";
    assert_eq!(error(Part::Body, "{{ message[0] }}"), expected);
}

#[test]
fn a_payload_is_tried_with_news_about_receivers_and_a_title_is_not() {
    let source = "{{ request.status }}x";
    assert!(Template::new(Part::Title, source).is_ok());
    let error = error(Part::Payload, source);
    assert!(
        error.ends_with("`request.status` is undefined (tried with receiver.failing)"),
        "{error}"
    );
    assert!(Template::new(Part::Payload, "{{ kind }} {{ receiver.receiver if receiver }}").is_ok());
}

#[test]
fn no_template_runs_for_ever_or_fills_the_memory() {
    for source in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 10000000 }}",
        "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    ] {
        let error = error(Part::Body, source);
        assert!(
            error.contains("it computes too much, or never ends"),
            "{source}: {error}"
        );
    }
    let large = error(Part::Body, "{{ 'x' * 300000 }}");
    assert!(large.starts_with("it makes more than 256 KiB"), "{large}");
    assert_eq!(
        error(Part::Body, &"x".repeat(65 * 1024)),
        "a template is at most 64 KiB long"
    );
}

#[test]
fn an_empty_payload_is_refused_and_an_empty_title_is_not() {
    assert!(error(Part::Payload, " {% if receiver %}x{% endif %}").starts_with("it makes an empty payload"));
    assert!(Template::new(Part::Title, "").is_ok());
}

#[test]
fn debug_does_not_show_what_it_says() {
    let template = Template::new(Part::Payload, "T0SECRETmarker").unwrap();
    assert!(!format!("{template:?}").contains("T0SECRET"));
}

#[test]
fn a_payload_with_all_there_is_takes_a_fraction_of_the_fuel() {
    let all = "{{ request|tojson }}{{ hook|tojson }}{{ words|tojson }}{% for fact in words.facts %}{{ fact.label|html }}\
               {{ fact.value|markdown|slack }}{% endfor %}";
    let template = Template::new(Part::Payload, &all.repeat(5)).unwrap();
    // The longest that the service may say.
    let mut change = failed_request();
    change.message = Some("\u{1}".repeat(2048));
    change.request.status_message = change.message.clone();
    let news = News::Change(Box::new(change));
    assert!(template.render(template.context(&news).unwrap()).is_ok());
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(source in "[a-z{}%|()\\[\\]. '\"0-9~*+-]{0,60}|.{0,40}") {
        if let Err(error) = Template::new(Part::Payload, &source) {
            let shown = error.to_string();
            prop_assert_eq!(printable(&shown), shown.as_str());
        }
    }
}
