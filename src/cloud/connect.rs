//! From a target's settings to a client: credentials, endpoint, time-outs.

use std::convert::Infallible;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudcontrol::config::retry::RetryConfig;
use aws_sdk_cloudcontrol::config::timeout::TimeoutConfig;
use aws_sdk_cloudcontrol::config::{IdentityCache, ProvideCredentials, Region as SdkRegion, SharedCredentialsProvider};

use super::{Client, Connection, Failure, account};
use crate::config::{ResourceModelPolicy, RoleSettings, TargetSettings};
use crate::model::AccountId;

/// How long to wait for a connection.
const CONNECT_TIME_OUT: Duration = Duration::from_secs(5);
/// How long to wait for the first byte of an answer.
const READ_TIME_OUT: Duration = Duration::from_secs(20);
/// How long a call may take in all, credentials included.
const CALL_TIME_OUT: Duration = Duration::from_secs(30);

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
    let client = Client::new(
        aws_sdk_cloudcontrol::Client::from_conf(cloud_control.build()),
        connection.gate(&settings.region, settings.endpoint_url.as_ref().map(url::Url::as_str)),
        policy,
    );

    let overridden = settings.endpoint_url.is_some() || endpoint_from_environment(&shared);
    if settings.account_id.is_some() || overridden {
        return (client, settings.account_id.clone(), None);
    }
    // A failure is shared as well: to try anew for one Region after the other would take longer than the watchdog waits.
    let ask = Box::pin(async { Ok::<_, Infallible>(account::caller(&shared).await) });
    let key = (settings.profile.clone(), settings.role.clone());
    let Ok(account) = connection.shared.accounts.get(key, ask).await;
    match account {
        Ok(account) => (client, Some(account), None),
        Err(failure) => (client, None, Some(failure)),
    }
}

/// What all of a target's clients are made from.
async fn shared_config(settings: &TargetSettings, connection: &Connection) -> SdkConfig {
    let shared = &connection.shared;
    let find_chain = Box::pin(async { Ok::<_, Infallible>(chain(settings, connection).await) });
    let Ok(chain) = shared.chains.get(settings.profile.clone(), find_chain).await;
    let chain = chain
        .into_builder()
        .region(SdkRegion::new(settings.region.0.clone()))
        .build();
    let Some(role) = &settings.role else { return chain };
    let assume = Box::pin(async { Ok::<_, Infallible>(SharedCredentialsProvider::new(assume(role, &chain).await)) });
    let key = (settings.profile.clone(), role.clone());
    let Ok(role) = shared.roles.get(key, assume).await;
    chain.into_builder().credentials_provider(role).build()
}

/// The chain of credentials, or the profile's, which every Region shares: its own Region is the first that needs it.
async fn chain(settings: &TargetSettings, connection: &Connection) -> SdkConfig {
    let time_outs = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIME_OUT)
        .read_timeout(READ_TIME_OUT)
        .operation_timeout(CALL_TIME_OUT)
        .build();
    // Pinned: a newer SDK must not change how ccwatch behaves without someone who reads what changes.
    let behaviour = BehaviorVersion::v2026_01_12();
    let mut loader = aws_config::defaults(behaviour)
        .region(SdkRegion::new(settings.region.0.clone()))
        .http_client(connection.http_client.clone())
        // One for all clients: whose credentials are the same finds them in it.
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(RetryConfig::disabled())
        // The SDK would sign with the time of the last `Date` header, however absurd: year 9999 makes its signer panic, and
        // any proxy could make a signature expire. A machine whose own clock is wrong is told so by the service.
        .disable_clock_skew_correction(true)
        .timeout_config(time_outs.clone());
    if let Some(profile) = &settings.profile {
        // Asked for by name: the chain alone would look at the environment first, and take whatever keys are there.
        let provider = ProviderConfig::without_region()
            .with_region(Some(SdkRegion::new(settings.region.0.clone())))
            .with_behavior_version(Some(behaviour))
            .with_http_client(connection.http_client.clone())
            .with_timeout_config(time_outs);
        let credentials = ProfileFileCredentialsProvider::builder()
            .configure(&provider)
            .profile_name(profile)
            .build();
        loader = loader.profile_name(profile).credentials_provider(credentials);
    }
    if let Some(credentials) = &connection.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    loader.load().await
}

/// The role's credentials, asked for with those that the chain (or the profile) gives.
async fn assume(role: &RoleSettings, chain: &SdkConfig) -> impl ProvideCredentials + use<> {
    let mut provider = AssumeRoleProvider::builder(&role.arn)
        .configure(chain)
        .session_name(role.session_name.as_deref().unwrap_or("ccwatch"));
    if let Some(external_id) = &role.external_id {
        provider = provider.external_id(external_id);
    }
    match chain.credentials_provider() {
        Some(source) => provider.build_from_provider(source).await,
        None => provider.build().await,
    }
}

/// Whether AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_CLOUDCONTROL or the profile's `endpoint_url` leads elsewhere.
fn endpoint_from_environment(shared: &SdkConfig) -> bool {
    shared.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_CLOUDCONTROL").is_some()
}
