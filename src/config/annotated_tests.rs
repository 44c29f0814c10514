//! `config/ccwatch.toml` against the keys that the readers know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml_span::value::ValueInner;

use super::{
    Config, Environment, ReceiverError, ReceiverSettings, Secrets, attention, history, mute, pace, receivers, routes,
    targets,
};
use crate::decide::grouping::Grouping;
use crate::decide::route::Field;

const ANNOTATED: &str = include_str!("../../config/ccwatch.toml");

/// The file with every setting given: those that stand behind a `#` without a space as well.
fn with_every_setting() -> String {
    let setting = |line: &'static str| {
        line.strip_prefix('#')
            .filter(|rest| !rest.is_empty() && !rest.starts_with(' '))
    };
    let lines: Vec<_> = ANNOTATED.lines().map(|line| setting(line).unwrap_or(line)).collect();
    lines.join("\n")
}

#[test]
#[cfg_attr(not(feature = "aws-receivers"), ignore = "it shows receivers that are not built in")]
fn every_setting_in_it_is_right() {
    let credentials = tempfile::tempdir().unwrap();
    let key = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    std::fs::write(
        credentials.path().join("slack-url"),
        "https://hooks.slack.com/services/T/B/x",
    )
    .unwrap();
    std::fs::write(credentials.path().join("slack-token"), "xoxb-1").unwrap();
    std::fs::write(
        credentials.path().join("discord-url"),
        "https://discord.com/api/webhooks/1/x",
    )
    .unwrap();
    std::fs::write(credentials.path().join("mattermost-token"), "xyz").unwrap();
    std::fs::write(
        credentials.path().join("teams-url"),
        "https://prod-1.westeurope.logic.azure.com/workflows/x",
    )
    .unwrap();
    std::fs::write(
        credentials.path().join("google-chat-url"),
        "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
    )
    .unwrap();
    std::fs::write(credentials.path().join("webhook.key"), key).unwrap();
    for token in ["matrix-token", "telegram-token", "mail-password"] {
        std::fs::write(credentials.path().join(token), "1:token").unwrap();
    }
    let environment: Environment = [
        ("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap()),
        ("CCWATCH_OLD_WEBHOOK_KEY", key),
        ("ALERTMANAGER_PASSWORD", "open sesame"),
        ("ALERTMANAGER_TOKEN", "sesame"),
        ("OPSGENIE_API_KEY", "00000000-0000-0000-0000-000000000000"),
        ("PAGERDUTY_ROUTING_KEY", "0123456789abcdef0123456789abcdef"),
        ("CCWATCH_NTFY_TOPIC", "ccwatch-1f9b"),
        ("CCWATCH_NTFY_TOKEN", "tk_1"),
    ]
    .into_iter()
    .collect();
    let path = credentials.path().join("ccwatch.toml");
    let config = Config::parse(&with_every_setting(), &path, &environment).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.warnings, [""; 0]);
    // One receiver of each type, and a second Alertmanager with the other kind of login.
    assert_eq!(
        (config.targets.len(), config.receivers.len(), config.routes.len()),
        (3, receivers::TYPES.len() + 1, 2)
    );
    // What stands there as a default is the default.
    let plain = Config::parse(
        ANNOTATED,
        Path::new("/etc/ccwatch.toml"),
        &[("HOME", "/h")].into_iter().collect(),
    )
    .unwrap();
    assert_eq!(config.targets[0].pace, plain.targets[0].pace);
    assert_eq!(config.history.retention, plain.history.retention);
    assert_eq!(config.history.resource_model, plain.history.resource_model);
    let exec = config.receivers.last().unwrap();
    assert_eq!(exec.give_up_after, plain.receivers[0].give_up_after);
    assert_eq!(config.receivers[1].digest_over, Some(receivers::DIGEST_OVER));
    assert_eq!(config.attention, plain.attention);
    let group = config.routes[1].group.as_ref().unwrap();
    assert_eq!(
        (group.wait, group.interval),
        (Grouping::DEFAULT_WAIT, Grouping::DEFAULT_INTERVAL)
    );
}

#[test]
#[cfg_attr(not(feature = "aws-receivers"), ignore = "it shows receivers that are not built in")]
fn every_secret_in_it_can_have_a_placeholder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ccwatch.toml");
    std::fs::write(&path, with_every_setting()).unwrap();
    let environment = Environment::default();
    assert!(Config::load(&path, &environment).is_err());
    let config = Config::load_without_secrets(&path, &environment).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.receivers.len(), receivers::TYPES.len() + 1);
    for warning in &config.warnings {
        assert!(warning.ends_with("; a placeholder stands in for it"), "{warning}");
    }
    // One entry is read alone, and by its own secrets.
    for receiver in &config.receivers {
        let load = |secrets| ReceiverSettings::load(&path, &receiver.name, &environment, secrets);
        let (_, warnings) = load(Secrets::Dispensable).unwrap();
        assert_eq!(
            load(Secrets::Needed).is_err(),
            !warnings.is_empty(),
            "{}",
            receiver.name
        );
    }
    let unknown = ReceiverSettings::load(&path, "log-", &environment, Secrets::Needed).unwrap_err();
    assert!(matches!(unknown, ReceiverError::Unknown(_)), "{unknown}");
}

#[test]
fn it_shows_every_key_and_no_other() {
    let text = with_every_setting();
    let document = toml_span::parse(&text).unwrap();
    // The keys of each section; of a receiver those of its type.
    let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (section, value) in document.as_table().unwrap() {
        let entries = match value.as_ref() {
            ValueInner::Array(entries) => entries.iter().collect(),
            _ => vec![value],
        };
        for entry in entries {
            let table = entry.as_table().unwrap();
            let type_name = table.get("type").and_then(|value| value.as_str()).unwrap_or_default();
            let keys = shown.entry(format!("{section} {type_name}")).or_default();
            keys.extend(table.keys().map(|key| key.name.to_string()));
            for (key, value) in table {
                let inner = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|value| value.as_table());
                let inner: Vec<_> = inner.flat_map(|table| table.keys()).collect();
                if key.name != "secret" && !inner.is_empty() {
                    let keys = inner.into_iter().map(|key| key.name.to_string());
                    shown.entry(format!("{section}.{}", key.name)).or_default().extend(keys);
                }
            }
        }
    }
    // Keys of every receiver are shown once.
    let common = |key: &str| receivers::COMMON_KEYS.contains(&key);
    let of_receivers: BTreeSet<String> = shown
        .iter_mut()
        .filter(|(section, _)| section.starts_with("receivers"))
        .flat_map(|(_, keys)| {
            let (of_all, own) = std::mem::take(keys)
                .into_iter()
                .partition::<BTreeSet<_>, _>(|key| common(key));
            *keys = own;
            of_all
        })
        .collect();
    shown.insert("receivers".to_owned(), of_receivers);

    let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
    let fields = Field::ALL.map(|(key, _)| key);
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::from([
        ("history ".to_owned(), set(&history::KEYS)),
        ("poll ".to_owned(), set(&pace::KEYS)),
        (
            "targets ".to_owned(),
            set(&[&targets::OWN_KEYS[..], &pace::KEYS].concat()),
        ),
        ("receivers".to_owned(), set(&receivers::COMMON_KEYS)),
        ("routes ".to_owned(), set(&[&routes::OWN_KEYS[..], &fields].concat())),
        ("routes.mute".to_owned(), set(&mute::KEYS)),
        ("attention ".to_owned(), set(&attention::KEYS)),
    ]);
    for type_ in receivers::TYPES {
        known.insert(format!("receivers {}", type_.name), set(type_.keys));
    }
    assert_eq!(shown, known);
}
