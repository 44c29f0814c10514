//! What the receivers in AWS share: how to get at a service, how a message is labelled, and what an error means.
//!
//! - **Credentials come from where the SDKs look**: environment, profiles, SSO, `credential_process`, container and
//!   instance roles; a `profile` alone if one is named. For a role, name a profile that has `role_arn`.
//! - **No retries but the courier's**: the SDK's would hide from it that a receiver fails, and tell it late.
//! - **What a person can mend is no end**: a topic not yet made, a permission not yet given, expired credentials. Only what
//!   a service says of the message itself is final.
//! - **An error shows no credential.** A service that finds a signature wrong repeats what should have been signed, the
//!   session's token among it: of such errors only the code is shown.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>

use std::error::Error;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::config::AwsAccess;
use crate::decide::retry::Outcome;
use crate::deliver::identity::fitting;
use crate::deliver::receiver::{Answered, Pace, Report};
use crate::model::{News, printable};
use crate::render::Message;
use crate::render::text::cut;

const CONNECT_TIME_OUT: Duration = Duration::from_secs(5);
const READ_TIME_OUT: Duration = Duration::from_secs(20);
/// Characters of an error's message that are shown.
const SHOWN: usize = 300;
/// Characters of an attribute: what people filter by is far shorter.
const ATTRIBUTE: usize = 256;

/// As they can take thousands a second, this is a courtesy to the machine that ccwatch runs on. What must be in order, the
/// outbox keeps in order.
pub(super) const PACE: Pace = Pace::at_once(4);

/// Finds what clients are made from. Calls no service: what is wrong with the credentials is what the first call says.
pub(super) async fn load(access: &AwsAccess) -> SdkConfig {
    let region = Region::new(access.region.0.clone());
    let time_outs = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIME_OUT)
        .read_timeout(READ_TIME_OUT)
        .build();
    // Pinned: a newer SDK must not change how ccwatch behaves without someone who reads what changes.
    let behaviour = BehaviorVersion::v2026_01_12();
    let mut loader = aws_config::defaults(behaviour)
        .region(region.clone())
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(RetryConfig::disabled())
        // The SDK would sign with the time of the last `Date` header, which any proxy may write.
        .disable_clock_skew_correction(true)
        .timeout_config(time_outs.clone());
    if let Some(profile) = &access.profile {
        // Asked for by name: the chain alone would look at the environment first, and take whatever keys are there.
        let provider = ProviderConfig::without_region()
            .with_region(Some(region))
            .with_behavior_version(Some(behaviour))
            .with_timeout_config(time_outs);
        let credentials = ProfileFileCredentialsProvider::builder()
            .configure(&provider)
            .profile_name(profile)
            .build();
        loader = loader.profile_name(profile).credentials_provider(credentials);
    }
    if let Some(url) = &access.endpoint_url {
        loader = loader.endpoint_url(url.as_str());
    }
    loader.load().await
}

/// What consumers filter by, without looking into the message: six at the most, where SQS takes ten.
pub(super) fn attributes(news: &News) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("kind", Some(news.kind()))];
    match news {
        News::Change(announcement) => attributes.extend([
            ("status", announcement.to.as_deref()),
            ("target", Some(announcement.target.as_str())),
            ("region", Some(announcement.region.0.as_str())),
            ("type_name", announcement.request.type_name.as_deref()),
            ("operation", announcement.request.operation.as_deref()),
        ]),
        News::Receiver(notice) => attributes.push(("receiver", Some(&notice.receiver))),
        News::Digest(_) => {}
    }
    attributes
        .into_iter()
        .filter_map(|(name, value)| {
            // SQS takes neither what is empty nor what XML has no character for.
            let value = printable(value?).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
            let value = cut(value.trim(), ATTRIBUTE).into_owned();
            (!value.is_empty()).then_some((name, value))
        })
        .collect()
}

/// Whether this topic or queue is a FIFO one: its name says so.
pub(super) fn is_fifo(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "fifo")
}

/// What a FIFO topic or queue keeps in order: all that is told of one request.
pub(super) fn group_id(message: &Message<'_>) -> String {
    let group = message.thread_key().unwrap_or_else(|| message.news.kind().to_owned());
    within_fifo(&group)
}

/// A group or deduplication id: 1 to 128 letters, digits and punctuation.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub(super) fn within_fifo(id: &str) -> String {
    fitting(id, 128, |c| c.is_ascii_graphic()).into_owned()
}

/// What a service is called in errors, and what it needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    pub(super) name: &'static str,
    /// The action that the identity must be allowed.
    pub(super) action: &'static str,
    /// The key that says where to send.
    pub(super) key: &'static str,
}

impl Service {
    /// What a call that failed means.
    pub(super) fn failure<E>(self, error: &SdkError<E, HttpResponse>) -> Report
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        if let SdkError::ServiceError(service) = error {
            let status = service.raw().status().as_u16();
            let error = service.err();
            return self.refusal(Some(status), error.code(), error.message());
        }
        let name = self.name;
        let error = if speaks_of_credentials(error) {
            format!("no credentials for {name}: {}; {CREDENTIALS}", chain(error))
        } else if matches!(error, SdkError::TimeoutError(_)) {
            format!("{name} gave no answer in time; it will be tried again")
        } else {
            let remedy = "check the network, the proxy, `region` and `endpoint_url`; it will be tried again";
            format!("{name} cannot be asked: {}; {remedy}", chain(error))
        };
        Report::from(Outcome::Failed {
            error,
            retry_after: None,
        })
    }

    /// What an error means that the service has said.
    pub(super) fn refusal(self, status: Option<u16>, code: Option<&str>, message: Option<&str>) -> Report {
        let kind = kind(code, status);
        let message = message.filter(|_| kind != Kind::Credentials).unwrap_or_default();
        let said = match (code, message) {
            (Some(code), "") => code.to_owned(),
            (Some(code), message) => format!("{code}: {message}"),
            (None, _) => "an error without a code".to_owned(),
        };
        let said = printable(&cut(&said, SHOWN)).into_owned();
        let error = format!("{} answered {said}; {}", self.name, self.remedy(kind));
        Report {
            outcome: if kind == Kind::Message {
                Outcome::Rejected { error }
            } else {
                Outcome::Failed {
                    error,
                    retry_after: None,
                }
            },
            thread: None,
            answer: Some(Answered { status, said }),
        }
    }

    fn remedy(self, kind: Kind) -> String {
        let Self { name, action, key } = self;
        match kind {
            Kind::Throttled => "it is called too often; ccwatch waits".to_owned(),
            Kind::Credentials => CREDENTIALS.to_owned(),
            Kind::Denied => format!(
                "allow {action} to ccwatch's identity, in its own policies and in those of what `{key}` names, and the use of \
                 the key that encrypts it; it will be tried again"
            ),
            Kind::Missing => format!("check `{key}` and the Region: there is no such thing; it will be tried again"),
            Kind::Service => "the fault is on its side; it will be tried again".to_owned(),
            Kind::Message => "it does not take this message: please report this as a bug of ccwatch".to_owned(),
            Kind::Other => format!(
                "check `{key}`, `endpoint_url` and the proxy, and look the code up in the API reference of {name}; it will \
                 be tried again"
            ),
        }
    }
}

const CREDENTIALS: &str = "give ccwatch valid credentials: check `profile`, the AWS_* variables or the instance's role, and \
                           this machine's clock; `aws sts get-caller-identity` with the same settings should answer";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Throttled,
    Credentials,
    Denied,
    Missing,
    /// The service's own fault.
    Service,
    /// The message, for good.
    Message,
    Other,
}

/// By the error's code; by the HTTP status only where the code says nothing.
fn kind(code: Option<&str>, status: Option<u16>) -> Kind {
    // Query services put a namespace in front, JSON services may put a version behind.
    let code = code.unwrap_or_default();
    let code = code.rsplit('.').next().unwrap_or(code);
    match code.strip_suffix("Exception").unwrap_or(code) {
        "Throttling"
        | "Throttled"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "SlowDown"
        | "KMSThrottling"
        | "KmsThrottled"
        | "LimitExceeded"
        | "OverLimit" => Kind::Throttled,
        "ExpiredToken"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "InvalidAccessKeyId"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "InvalidToken"
        | "InvalidSecurity"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "AuthFailure" => Kind::Credentials,
        "AccessDenied"
        | "AuthorizationError"
        | "NotAuthorized"
        | "UnauthorizedOperation"
        | "OptInRequired"
        | "KMSAccessDenied"
        | "KmsAccessDenied"
        | "NotAuthorizedForSource"
        | "NotAuthorizedForDetailType" => Kind::Denied,
        "NotFound" | "ResourceNotFound" | "QueueDoesNotExist" | "NonExistentQueue" | "InvalidAccountId"
        | "InvalidAddress" => Kind::Missing,
        "InvalidMessageContents" | "MalformedDetail" | "RequestEntityTooLarge" => Kind::Message,
        "InternalFailure" | "InternalError" | "InternalServerError" | "Internal" | "ServiceUnavailable" => {
            Kind::Service
        }
        _ => match status {
            Some(429) => Kind::Throttled,
            Some(413) => Kind::Message,
            Some(500..) => Kind::Service,
            _ => Kind::Other,
        },
    }
}

/// An error with its sources, outermost first; a source that only repeats is left out.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for error in std::iter::successors(Some(error), |error| (**error).source()) {
        let said = error.to_string();
        if text.is_empty() {
            text = said;
        } else if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
    }
    printable(&cut(&text, SHOWN)).into_owned()
}

fn speaks_of_credentials(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (**error).source()).any(<dyn Error>::is::<CredentialsError>)
}

#[cfg(test)]
#[path = "aws_tests.rs"]
mod tests;
