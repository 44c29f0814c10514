use super::*;

/// What an expression is worth at 2025-11-22T06:28:00.123Z.
fn value(expression: &str) -> Result<String, String> {
    let mut environment = Environment::new();
    add_to(&mut environment);
    let context = Value::from_pairs([
        ("at", Value::from("2025-11-22T06:28:00.123Z")),
        ("earlier", Value::from("2025-11-22T04:22:55Z")),
        ("nothing", Value::from(())),
    ]);
    let expression = environment
        .compile_expression(expression)
        .map_err(|error| error.to_string())?;
    expression
        .eval(context)
        .map(|value| value.to_string())
        .map_err(|error| error.to_string())
}

#[test]
fn durations_and_ages_are_short_and_need_no_clock() {
    for (expression, expected) in [
        ("72.481|duration", "1m 12s"),
        ("0|duration", "0s"),
        ("earlier|duration(at)", "2h 5m 5s"),
        ("at|duration(earlier)", "0s"),
        ("earlier|age", "2h 5m 5s"),
        ("at|age", "0s"),
    ] {
        assert_eq!(value(expression).as_deref(), Ok(expected), "{expression}");
    }
    for wrong in [
        "'x'|duration",
        "(0-1)|duration",
        "'x'|age",
        "earlier|duration('x')",
        "72|age",
    ] {
        let error = value(wrong).unwrap_err();
        assert!(
            error.contains("expected a ") || error.contains("expected text"),
            "{wrong}: {error}"
        );
    }
}

#[test]
fn an_arn_comes_apart_and_another_text_stays_whole() {
    let arn = "'arn:aws-cn:cloudformation:cn-north-1:123456789012:type/hook/Acme-Guard:3'";
    for (part, expected) in [
        ("partition", "aws-cn"),
        ("service", "cloudformation"),
        ("region", "cn-north-1"),
        ("account", "123456789012"),
        ("resource", "type/hook/Acme-Guard:3"),
    ] {
        assert_eq!(value(&format!("{arn}|arn('{part}')")).as_deref(), Ok(expected));
    }
    assert_eq!(value("'arn:aws:s3:::bucket'|arn('account')").as_deref(), Ok(""));
    for text in ["my-bucket", "arn:aws:s3", ""] {
        assert_eq!(value(&format!("'{text}'|arn('account')")).as_deref(), Ok(text));
    }
    let error = value("'my-bucket'|arn('acount')").unwrap_err();
    assert!(
        error.contains("its parts are partition, service, region, account, resource"),
        "{error}"
    );
}

#[test]
fn text_is_cut_between_characters_and_escaped_for_its_tool() {
    for (expression, expected) in [
        ("'größen'|truncate(5)", "größ…"),
        ("'größe'|truncate(5)", "größe"),
        ("'a😀b'|truncate(3)", "a…"),
        ("'<@U1> & <!here>'|slack", "&lt;@U1&gt; &amp; &lt;!here&gt;"),
        ("'<a href=\"x\">&'|html", "&lt;a href=&quot;x&quot;&gt;&amp;"),
        ("'*a* [b](c) @d \\\\_'|markdown", "\\*a\\* \\[b\\]\\(c\\) \\@d \\\\\\_"),
    ] {
        assert_eq!(value(expression).as_deref(), Ok(expected), "{expression}");
    }
    assert!(value("3|slack").unwrap_err().contains("expected text, found number"));
}

#[test]
fn none_is_passed_on_and_what_is_undefined_is_not() {
    for filter in [
        "duration",
        "duration(at)",
        "age",
        "arn('account')",
        "truncate(3)",
        "slack",
        "html",
        "markdown",
    ] {
        let passed = value(&format!("(nothing|{filter}) is none"));
        assert!(
            passed.is_ok_and(|passed| passed.eq_ignore_ascii_case("true")),
            "{filter}"
        );
        let error = value(&format!("undefined_name|{filter}")).unwrap_err();
        assert!(error.contains("undefined value"), "{filter}: {error}");
    }
}
