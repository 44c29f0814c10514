use super::*;
use crate::config::{EmailLogin, EmailSettings, EmailTls, LogFormat, Login, MattermostBotSettings};
use crate::decide::route::Audience;
#[cfg(feature = "aws-receivers")]
use crate::deliver::samples::aws_access;

fn settings(name: &str, kind: ReceiverKind) -> ReceiverSettings {
    ReceiverSettings::plain(name, Audience::Machines, kind)
}

fn output() -> Output {
    Output::new(std::io::sink(), false)
}

#[cfg(not(feature = "aws-receivers"))]
fn kinds_in_aws() -> Vec<ReceiverSettings> {
    Vec::new()
}

#[cfg(feature = "aws-receivers")]
fn kinds_in_aws() -> Vec<ReceiverSettings> {
    let queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/q".into();
    let topic_arn = "arn:aws:sns:eu-west-1:123456789012:t".into();
    let (bus, access) = ("default".into(), aws_access());
    vec![
        settings(
            "sqs",
            ReceiverKind::Sqs {
                queue_url,
                access: access.clone(),
            },
        ),
        settings(
            "sns",
            ReceiverKind::Sns {
                topic_arn,
                access: access.clone(),
            },
        ),
        settings("eventbridge", ReceiverKind::EventBridge { bus, access }),
    ]
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one of each type")]
async fn every_kind_can_be_made_and_shows_no_secret() {
    let url = || SecretString::from("https://example.com/T0SECRETmarker");
    let mut kinds = vec![
        settings(
            "log",
            ReceiverKind::Log {
                format: LogFormat::Text,
            },
        ),
        settings("slack", ReceiverKind::Slack { url: url() }),
        settings(
            "slack-bot",
            ReceiverKind::SlackBot {
                url: url(),
                token: "xoxb-T0SECRETmarker".into(),
                channel: "C0123456789".into(),
            },
        ),
        settings(
            "discord",
            ReceiverKind::Discord {
                url: url(),
                is_forum: true,
            },
        ),
        settings("mattermost", ReceiverKind::Mattermost { url: url(), bot: None }),
        settings(
            "mattermost-bot",
            ReceiverKind::Mattermost {
                url: url(),
                bot: Some(MattermostBotSettings {
                    token: "T0SECRETmarker".into(),
                    channel_id: "4xp9fdt77pncbef59f4k1qe83o".into(),
                }),
            },
        ),
        settings("teams", ReceiverKind::Teams { url: url() }),
        settings("google-chat", ReceiverKind::GoogleChat { url: url() }),
        settings(
            "pagerduty",
            ReceiverKind::PagerDuty {
                routing_key: "T0SECRETmarker".into(),
                url: url(),
            },
        ),
        settings(
            "opsgenie",
            ReceiverKind::Opsgenie {
                api_key: "T0SECRETmarker".into(),
                url: url(),
            },
        ),
        settings(
            "alertmanager",
            ReceiverKind::Alertmanager {
                url: url(),
                login: Some(Login::Bearer {
                    token: "T0SECRETmarker".into(),
                }),
            },
        ),
        settings(
            "webhook",
            ReceiverKind::Webhook {
                url: url(),
                secrets: vec!["whsec_T0SECRETmarkerAA".into()],
            },
        ),
        settings("file", ReceiverKind::File { path: "/x".into() }),
        settings(
            "matrix",
            ReceiverKind::Matrix {
                url: url(),
                token: "T0SECRETmarker".into(),
                room: "!a:b".into(),
            },
        ),
        settings(
            "telegram",
            ReceiverKind::Telegram {
                token: "1:T0SECRETmarker".into(),
                chat_id: "1".into(),
                message_thread_id: None,
                url: url(),
            },
        ),
        settings(
            "ntfy",
            ReceiverKind::Ntfy {
                url: url(),
                topic: "T0SECRETmarker".into(),
                token: Some("T0SECRETmarker".into()),
            },
        ),
        settings(
            "email",
            ReceiverKind::Email(EmailSettings {
                host: "mail.example.com".into(),
                port: 587,
                tls: EmailTls::StartTls,
                login: Some(EmailLogin {
                    user: "ccwatch".into(),
                    password: "T0SECRETmarker".into(),
                }),
                from: "ccwatch@example.com".into(),
                to: vec!["ops@example.com".into()],
            }),
        ),
        settings(
            "exec",
            ReceiverKind::Exec {
                command: vec!["/bin/true".into()],
            },
        ),
    ];
    kinds.extend(kinds_in_aws());
    let destinations = build(&kinds, &output()).unwrap();
    let of = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        of(&mut destinations.iter().map(|destination| destination.name.as_str())),
        of(&mut kinds.iter().map(|settings| settings.name.as_str()))
    );
    assert!(!format!("{destinations:?} {kinds:?}").contains("T0SECRETmarker"));
}

#[test]
fn what_cannot_be_made_is_named_and_not_repeated() {
    let url = || SecretString::from("https://example.com/");
    for (kind, key) in [
        (
            ReceiverKind::Slack {
                url: "T0SECRETmarker".into(),
            },
            "`url`",
        ),
        (
            ReceiverKind::Webhook {
                url: url(),
                secrets: vec!["T0SECRETmarker!".into()],
            },
            "secret",
        ),
        (
            ReceiverKind::SlackBot {
                url: url(),
                token: "T0SECRETmarker\n".into(),
                channel: "C0123456789".into(),
            },
            "`token`",
        ),
        (ReceiverKind::Exec { command: vec![] }, "`command`"),
    ] {
        let error = build(&[settings("ops", kind)], &output()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("receiver `ops`: ") && text.contains(key), "{text}");
        assert!(!format!("{text} {error:?}").contains("T0SECRETmarker"));
    }
}
