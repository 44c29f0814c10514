//! What a configuration that is right yields.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ccwatch::config::{
    Config, Environment, LogFormat, ReceiverKind, ResourceModelPolicy, RoleSettings, default_history_path,
};
use ccwatch::decide::cadence::Pace;
use ccwatch::decide::route::Subject;
use ccwatch::model::{AccountId, Region};
use secrecy::ExposeSecret;

use crate::RIGHT;

fn parse(text: &str, environment: &Environment) -> Config {
    Config::parse(text, Path::new("/etc/ccwatch/ccwatch.toml"), environment).unwrap()
}

fn home() -> Environment {
    [("HOME", "/home/ada")].into_iter().collect()
}

#[test]
fn little_is_needed_and_the_rest_has_its_defaults() {
    let config = parse(RIGHT, &home());
    assert_eq!(
        config.history.path,
        Path::new("/home/ada/.local/state/ccwatch/history.db")
    );
    assert_eq!(config.history.retention, None);
    assert_eq!(config.history.resource_model, ResourceModelPolicy::Drop);
    let [target] = config.targets.as_slice() else {
        panic!("{:?}", config.targets)
    };
    assert_eq!(
        (target.entry.as_str(), &target.region),
        ("prod", &Region("eu-west-1".into()))
    );
    assert_eq!(target.pace, Pace::default());
    assert_eq!((&target.account_id, &target.profile), (&None, &None));
    assert_eq!((&target.role, &target.endpoint_url), (&None, &None));
    let [receiver] = config.receivers.as_slice() else {
        panic!("{:?}", config.receivers)
    };
    assert_eq!(receiver.name, "log");
    assert_eq!(receiver.give_up_after, Duration::from_hours(24));
    assert_eq!(receiver.time_out, Duration::from_secs(15));
    assert!(matches!(
        receiver.kind,
        ReceiverKind::Log {
            format: LogFormat::Text
        }
    ));
    let [route] = config.routes.as_slice() else {
        panic!("{:?}", config.routes)
    };
    assert_eq!(
        (route.name.as_str(), route.to.as_slice()),
        ("all", &["log".to_owned()][..])
    );
    assert!(route.matches(&Subject::default()));
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn an_entry_with_regions_is_a_target_for_each() {
    let text = r#"
        [poll]
        discover_every = "20s"
        max_calls_per_second = 10
        [[targets]]
        name = "prod"
        regions = ["eu-west-1", "us-gov-east-1"]
        profile = "monitoring"
        role_arn = "arn:aws:iam::123456789012:role/ops/ccwatch"
        external_id = "a:b/c"
        session_name = "ccwatch"
        endpoint_url = "http://127.0.0.1:4599"
        min_look_every = "1m 30s"
        max_calls_per_second = 0.5
    "#;
    let config = parse(text, &home());
    let regions: Vec<_> = config.targets.iter().map(|target| target.region.0.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", "us-gov-east-1"]);
    for target in &config.targets {
        assert_eq!(target.entry, "prod");
        assert_eq!(target.profile.as_deref(), Some("monitoring"));
        let role = RoleSettings {
            arn: "arn:aws:iam::123456789012:role/ops/ccwatch".into(),
            external_id: Some("a:b/c".into()),
            session_name: Some("ccwatch".into()),
        };
        assert_eq!(target.role, Some(role));
        assert_eq!(target.account_id, Some(AccountId("123456789012".into())), "the role's");
        assert_eq!(target.endpoint_url.as_ref().unwrap().as_str(), "http://127.0.0.1:4599/");
        let pace = Pace {
            discover_every: Duration::from_secs(20),
            min_look_every: Duration::from_secs(90),
            max_calls_per_second: 0.5,
            ..Pace::default()
        };
        assert_eq!(target.pace, pace);
    }
}

#[test]
fn the_history_is_where_the_file_says_or_where_the_environment_does() {
    let path = |variables: &[(&str, &str)]| default_history_path(&variables.iter().copied().collect());
    let found = |path: &str| Some(PathBuf::from(path));
    let all = [
        ("STATE_DIRECTORY", "/var/lib/ccwatch"),
        ("XDG_STATE_HOME", "/xdg"),
        ("HOME", "/home/ada"),
    ];
    assert_eq!(path(&all), found("/var/lib/ccwatch/history.db"));
    assert_eq!(
        path(&[("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")]),
        found("/var/lib/a/history.db")
    );
    assert_eq!(path(&all[1..]), found("/xdg/ccwatch/history.db"));
    assert_eq!(path(&all[2..]), found("/home/ada/.local/state/ccwatch/history.db"));
    assert_eq!(
        path(&[("STATE_DIRECTORY", ""), ("XDG_STATE_HOME", "relative"), ("HOME", "/h")]),
        found("/h/.local/state/ccwatch/history.db"),
        "as the XDG specification has it, what is empty or relative is ignored"
    );
    assert_eq!(path(&[]), None);

    let relative = parse(&format!("history.path = \"data/h.db\"\n{RIGHT}"), &home());
    assert_eq!(relative.history.path, Path::new("/etc/ccwatch/data/h.db"));
    let absolute = parse(
        &format!("history.path = \"/srv/h.db\"\n{RIGHT}"),
        &Environment::default(),
    );
    assert_eq!(absolute.history.path, Path::new("/srv/h.db"));

    let nowhere = Config::parse(RIGHT, Path::new("f"), &Environment::default()).unwrap_err();
    assert_eq!(
        nowhere.problems(),
        [
            "f:1:1: history.path: missing, and none of $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME names a folder to keep \
          it in"
        ]
    );
}

#[test]
fn retention_is_for_ever_or_a_while() {
    let retention = |value: &str| {
        parse(&format!("history.retention = \"{value}\"\n{RIGHT}"), &home())
            .history
            .retention
    };
    assert_eq!(retention("forever"), None);
    assert_eq!(retention("8days"), Some(Duration::from_hours(8 * 24)));
    assert_eq!(retention("1year"), Some(Duration::from_hours(8766)));
}

#[test]
fn a_secret_is_read_from_where_it_is_kept() {
    const KEY: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const OTHER: &str = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), format!("{KEY}\r\n")).unwrap();
    let credentials = tempfile::tempdir().unwrap();
    std::fs::write(
        credentials.path().join("slack-url"),
        "https://hooks.slack.com/services/hunter2\n",
    )
    .unwrap();
    let environment: Environment = [
        ("HOME", "/home/ada"),
        ("WEBHOOK_URL", "https://ada:hunter2@example.com/hook?token=hunter2"),
        ("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap()),
    ]
    .into_iter()
    .collect();
    let text = format!(
        r#"{RIGHT}
        [[receivers]]
        name = "webhook"
        type = "webhook"
        url = {{ env = "WEBHOOK_URL" }}
        secret = [{{ file = "key" }}, "{OTHER}"]
        [[receivers]]
        name = "slack"
        type = "slack"
        url = {{ credential = "slack-url" }}
        [[routes]]
        name = "rest"
        to = ["webhook", "slack"]
        "#
    );
    let config = Config::parse(&text, &folder.path().join("ccwatch.toml"), &environment).unwrap();
    let [_, webhook, slack] = config.receivers.as_slice() else {
        panic!("{:?}", config.receivers)
    };
    let ReceiverKind::Webhook { url, secrets } = &webhook.kind else {
        panic!("{webhook:?}")
    };
    assert_eq!(
        url.expose_secret(),
        "https://ada:hunter2@example.com/hook?token=hunter2"
    );
    let secrets: Vec<_> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, [KEY, OTHER]);
    let ReceiverKind::Slack { url } = &slack.kind else {
        panic!("{slack:?}")
    };
    assert_eq!(url.expose_secret(), "https://hooks.slack.com/services/hunter2");

    let debug = format!("{config:?} {environment:?}");
    assert!(!debug.contains("hunter2") && !debug.contains(KEY), "{debug}");
}

#[test]
fn a_program_may_be_named_alone_or_with_arguments() {
    let command = |value: &str| {
        let text = format!("{RIGHT}[[receivers]]\nname = \"a\"\ntype = \"exec\"\ncommand = {value}\n");
        let receiver = parse(&text, &home()).receivers.pop().unwrap();
        assert_eq!(receiver.time_out, Duration::from_secs(30));
        let ReceiverKind::Exec { command } = receiver.kind else {
            panic!("{receiver:?}")
        };
        command
    };
    assert_eq!(command("'/bin/on change'"), ["/bin/on change"]);
    assert_eq!(command("['on-change', '', '-v']"), ["on-change", "", "-v"]);
}

#[test]
fn what_is_hardly_meant_is_warned_of() {
    let warnings = |text: &str| parse(text, &home()).warnings;
    let text = r#"[[targets]]
name = "a"
regions = ["eu-west-1"]
endpoint_url = "http://example.com"
[[targets]]
name = "b"
regions = ["us-east-1", "eu-west-1"]
endpoint_url = "http://example.com/"
"#;
    assert_eq!(
        warnings(text),
        [
            "/etc/ccwatch/ccwatch.toml:1:1: routes: there is no [[routes]] entry: the history is kept, but no one is told",
            "/etc/ccwatch/ccwatch.toml:4:16: targets[0].endpoint_url: is http to another machine: requests and answers \
             can be read on the way",
            "/etc/ccwatch/ccwatch.toml:5:1: targets[1].regions: looks at eu-west-1 with the same credentials as \"a\": \
             each change is told for both",
            "/etc/ccwatch/ccwatch.toml:8:16: targets[1].endpoint_url: is http to another machine: requests and answers \
             can be read on the way",
        ]
    );
    let text =
        format!("[[receivers]]\nname = \"idle\"\ntype = \"slack\"\nurl = \"http://example.com/hunter2\"\n{RIGHT}");
    assert_eq!(
        warnings(&text),
        [
            "/etc/ccwatch/ccwatch.toml:2:8: receivers[0].name: no route names \"idle\": it is told nothing",
            "/etc/ccwatch/ccwatch.toml:4:7: receivers[0].url: the value is http to another machine: messages, and what \
             grants access in the URL, can be read on the way",
        ]
    );
}

#[test]
fn mail_in_the_clear_to_another_machine_is_warned_of() {
    let text = |host| {
        format!(
            "{RIGHT}[[receivers]]\nname = \"mail\"\ntype = \"email\"\nhost = \"{host}\"\ntls = \"none\"\n\
             from = \"ccwatch@example.com\"\nto = \"ops@example.com\"\n\
             [[routes]]\nname = \"r\"\nto = \"mail\"\n"
        )
    };
    for host in ["localhost", "127.0.0.1", "::1"] {
        assert_eq!(parse(&text(host), &home()).warnings, [""; 0], "{host}");
    }
    let config = parse(&text("smtp.example.com"), &home());
    let [warning] = config.warnings.as_slice() else {
        panic!("{:?}", config.warnings)
    };
    assert!(
        warning.contains("receivers[1].tls: is \"none\" to another machine"),
        "{warning}"
    );
}

#[test]
fn routes_hold_what_the_file_says() {
    let text = format!(
        "{RIGHT}[[routes]]\nname = \"r\"\nto = [\"log\"]\nstatus = [\"FAILED\", \"CANCEL_*\"]\ntype_name = \"!AWS::Logs::*\"\n"
    );
    let config = parse(&text, &home());
    let subject = |status, type_name| Subject {
        status: Some(status),
        type_name: Some(type_name),
        ..Subject::default()
    };
    let route = &config.routes[1];
    assert!(route.matches(&subject("FAILED", "AWS::S3::Bucket")));
    assert!(route.matches(&subject("CANCEL_COMPLETE", "AWS::S3::Bucket")));
    assert!(!route.matches(&subject("SUCCESS", "AWS::S3::Bucket")));
    assert!(!route.matches(&subject("FAILED", "AWS::Logs::LogGroup")));
}
