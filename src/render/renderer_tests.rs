use super::*;
use crate::render::samples::{digest, failed_hook, failed_request, notice};
use crate::render::template::Part;

fn template(part: Part, source: &str) -> Template {
    Template::new(part, source).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn people(title: &str, body: &str) -> Renderer {
    Renderer::new(Templates {
        title: Some(template(Part::Title, title)),
        body: Some(template(Part::Body, body)),
        payload: None,
    })
}

fn change(announcement: Announcement) -> News {
    News::Change(Box::new(announcement))
}

#[test]
fn without_templates_it_is_ccwatchs_own_words() {
    let news = change(failed_request());
    let rendered = Renderer::default().message(&news).unwrap();
    assert_eq!(rendered.message, Message::new(&news));
    assert!(rendered.failures.is_empty());
}

#[test]
fn a_title_and_a_body_make_the_change_and_the_present_state() {
    let renderer = people("{{ kind }}: {{ to }}", "{{ words.reason }}\nat {{ target }}");
    let news = change(failed_hook("WARN"));
    let message = renderer.message(&news).unwrap().message;
    assert_eq!(message.words.title, "hook.status: HOOK_COMPLETE_FAILED");
    assert_eq!(
        message.words.body.as_deref(),
        Some("bucket is not encrypted\nat prod/eu-west-1")
    );
    let present = message.present.unwrap();
    assert_eq!(present.title, "request.status: FAILED");
    assert_eq!(
        present.body.as_deref(),
        Some("AlreadyExists: my-bucket already exists\nat prod/eu-west-1")
    );
    // What stays ccwatch's own stays.
    assert_eq!(message.words.facts, Message::new(&news).words.facts);
}

#[test]
fn a_title_is_one_line_and_both_are_printable() {
    let mut announcement = failed_request();
    announcement.message = Some("a\u{1b}[31m\r\nb\u{202e}".into());
    let news = change(announcement);
    let message = people("\n  x\n{{ message }}\n", "\n\n {{ message }}  \n\ny\n\n")
        .message(&news)
        .unwrap()
        .message;
    assert_eq!(message.words.title, "x a\u{fffd}[31m b\u{fffd}");
    assert_eq!(message.words.body.as_deref(), Some(" a\u{fffd}[31m\nb\u{fffd}\n\ny"));
}

#[test]
fn what_comes_out_empty_leaves_ccwatchs_own_words() {
    let renderer = people("{% if hook %}hook{% endif %}", "{% if hook %}hook{% endif %} \n");
    let news = change(failed_request());
    assert_eq!(renderer.message(&news).unwrap().message, Message::new(&news));
}

#[test]
fn what_fails_after_all_leaves_ccwatchs_own_words_and_is_reported() {
    // No sample has this status.
    let renderer = people("{% if to == 'PAUSED' %}{{ 1 / 0 }}{% endif %}!", "{{ to }}");
    let mut announcement = failed_request();
    announcement.to = Some("PAUSED".into());
    let news = change(announcement);
    let rendered = renderer.message(&news).unwrap();
    assert_eq!(rendered.message.words.title, Message::new(&news).words.title);
    assert_eq!(rendered.message.words.body.as_deref(), Some("PAUSED"));
    assert_eq!(rendered.message.present.unwrap().title, "!");
    let [failure] = rendered.failures.as_slice() else {
        panic!("{:?}", rendered.failures);
    };
    assert_eq!((failure.part, failure.line), (Part::Title, Some(1)));
}

#[test]
fn a_payload_is_made_of_changes_and_of_receivers_and_not_of_digests() {
    let renderer = Renderer::new(Templates {
        payload: Some(template(Part::Payload, "{{ {'text': words.title}|tojson }}")),
        ..Templates::default()
    });
    let payload = |news: News| renderer.message(&news).unwrap().message.payload;
    let expected = r#"{"text": "CREATE AWS::S3::Bucket failed"}"#;
    assert_eq!(payload(change(failed_request())).as_deref(), Some(expected));
    let expected = r#"{"text": "Receiver chat has failed for 20m"}"#;
    assert_eq!(
        payload(News::Receiver(Box::new(notice(true)))).as_deref(),
        Some(expected)
    );
    assert_eq!(payload(News::Digest(Box::new(digest()))), None);
}

#[test]
fn a_payload_that_fails_is_an_error() {
    let renderer = Renderer::new(Templates {
        payload: Some(template(
            Part::Payload,
            "x\n{% if to == 'PAUSED' %}{{ 1 / 0 }}{% endif %}",
        )),
        ..Templates::default()
    });
    let mut announcement = failed_request();
    announcement.to = Some("PAUSED".into());
    let error = renderer.message(&change(announcement)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2 of the template: invalid operation: unable to calculate 1 / 0"
    );
}
