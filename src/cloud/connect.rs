//! From a target's settings to a client: credentials, endpoint, time-outs.

use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudcontrol::config::retry::RetryConfig;
use aws_sdk_cloudcontrol::config::timeout::TimeoutConfig;
use aws_sdk_cloudcontrol::config::{
    ProvideCredentials, Region as SdkRegion, SharedCredentialsProvider, SharedHttpClient,
};

use super::{Client, Failure, account};
use crate::config::{ResourceModelPolicy, TargetSettings};
use crate::model::AccountId;

/// How long to wait for a connection.
const CONNECT_TIME_OUT: Duration = Duration::from_secs(5);
/// How long to wait for the first byte of an answer.
const READ_TIME_OUT: Duration = Duration::from_secs(20);
/// How long a call may take in all, credentials included.
const CALL_TIME_OUT: Duration = Duration::from_secs(30);

/// What stands in for the machine's own way to AWS: for the demo, which has no account, and for tests, which have no
/// network.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    pub credentials: Option<SharedCredentialsProvider>,
    pub http_client: Option<SharedHttpClient>,
}

impl Connection {
    /// Credentials that open nothing but a simulator, for the account with this number.
    pub fn simulated() -> Self {
        let credentials = aws_credential_types::Credentials::new("SIMULATED", "simulated", None, None, "ccwatch");
        Self {
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            http_client: None,
        }
    }
}

/// Makes a target's client with aws-config's whole credential chain, and learns the target's account: as configured, or
/// asked of STS once. No account is known behind an endpoint override, which is no business of STS's.
///
/// Never fails: credentials are looked for when they are first needed, and what is wrong with them is what the first
/// call says. The second result is why the account could not be learnt, for the log: the target works without.
pub async fn connect(
    settings: &TargetSettings,
    policy: ResourceModelPolicy,
    connection: &Connection,
) -> (Client, Option<AccountId>, Option<Failure>) {
    let shared = shared_config(settings, connection).await;
    let mut cloud_control = aws_sdk_cloudcontrol::config::Builder::from(&shared);
    if let Some(url) = &settings.endpoint_url {
        cloud_control = cloud_control.endpoint_url(url.as_str());
    }
    let client = Client::new(aws_sdk_cloudcontrol::Client::from_conf(cloud_control.build()), policy);

    let overridden = settings.endpoint_url.is_some() || endpoint_from_environment(&shared);
    if settings.account_id.is_some() || overridden {
        return (client, settings.account_id.clone(), None);
    }
    match account::caller(&shared).await {
        Ok(account) => (client, Some(account), None),
        Err(failure) => (client, None, Some(failure)),
    }
}

async fn shared_config(settings: &TargetSettings, connection: &Connection) -> SdkConfig {
    let time_outs = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIME_OUT)
        .read_timeout(READ_TIME_OUT)
        .operation_timeout(CALL_TIME_OUT)
        .build();
    // Pinned: a newer SDK must not change how ccwatch behaves without someone who reads what changes.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(SdkRegion::new(settings.region.0.clone()))
        .retry_config(RetryConfig::disabled())
        // The SDK would sign with the time of the last `Date` header, however absurd: year 9999 makes its signer panic, and
        // any proxy could make a signature expire. A machine whose own clock is wrong is told so by the service.
        .disable_clock_skew_correction(true)
        .timeout_config(time_outs);
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(credentials) = &connection.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    if let Some(http_client) = &connection.http_client {
        loader = loader.http_client(http_client.clone());
    }
    let shared = loader.load().await;
    match &settings.role {
        Some(role) => {
            let role = assume(role, &shared).await;
            shared
                .into_builder()
                .credentials_provider(SharedCredentialsProvider::new(role))
                .build()
        }
        None => shared,
    }
}

/// The role's credentials, asked for with those that the chain (or the profile) gives.
async fn assume(role: &crate::config::RoleSettings, shared: &SdkConfig) -> impl ProvideCredentials + use<> {
    let mut provider = AssumeRoleProvider::builder(&role.arn)
        .configure(shared)
        .session_name(role.session_name.as_deref().unwrap_or("ccwatch"));
    if let Some(external_id) = &role.external_id {
        provider = provider.external_id(external_id);
    }
    match shared.credentials_provider() {
        Some(source) => provider.build_from_provider(source).await,
        None => provider.build().await,
    }
}

/// Whether AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_CLOUDCONTROL or the profile's `endpoint_url` leads elsewhere.
fn endpoint_from_environment(shared: &SdkConfig) -> bool {
    shared.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_CLOUDCONTROL").is_some()
}
