//! What targets share, so that eight hundred of them do not cost eight hundred times what one does.
//!
//! - **One pool of connections** for all, which keeps those to one endpoint together: a Region's targets use each other's.
//! - **Credentials are found once** for a profile and once for a role, and kept until they expire, however many Regions
//!   they are used in.
//! - **No more than [`MOST_IN_FLIGHT`] calls at once to one endpoint**: a start, when every target begins to look, opens
//!   some dozens of connections and not thousands. A Region that does not answer holds up its own targets alone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_cloudcontrol::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use tokio::sync::{OnceCell, Semaphore};

use super::Failure;
use crate::config::RoleSettings;
use crate::model::{AccountId, Region};

/// Calls that are under way to one endpoint at the most. At a tenth of a second each, that is 640 a second, and far more
/// than one Region's targets need once they have begun.
const MOST_IN_FLIGHT: usize = 64;

/// The way to AWS. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(super) credentials: Option<SharedCredentialsProvider>,
    pub(super) http_client: SharedHttpClient,
    pub(super) shared: Arc<Shared>,
}

/// Found once, by whichever target comes first; the others wait for it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// By profile.
    pub(super) chains: Once<Option<String>, SdkConfig>,
    /// By the profile whose credentials ask for the role.
    pub(super) roles: Once<(Option<String>, RoleSettings), SharedCredentialsProvider>,
    /// By profile and role: the account, or why it could not be learnt.
    pub(super) accounts: Once<(Option<String>, Option<RoleSettings>), Result<AccountId, Failure>>,
    gates: Mutex<HashMap<Endpoint, Arc<Semaphore>>>,
}

/// A Region, and the URL that stands in for its own endpoint.
type Endpoint = (Region, Option<String>);

impl Connection {
    /// The machine's own way: aws-config's chain of credentials, and HTTPS, through a proxy if the environment names one.
    pub fn to_aws() -> Self {
        // As the SDK makes its own, but one for all clients instead of one for each.
        let http_client = Builder::new().build_with_connector_fn(|settings, components| {
            let mut connector = ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc));
            connector.set_connector_settings(settings.cloned());
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector.set_proxy_config(Some(ProxyConfig::from_env()));
            connector.build()
        });
        Self::through(http_client, None)
    }

    /// To a simulator: credentials that open nothing else.
    pub fn to_simulator() -> Self {
        Self {
            credentials: Some(simulated_credentials()),
            ..Self::to_aws()
        }
    }

    /// To a simulator through this client, for tests, which have no network.
    pub fn in_memory(http_client: SharedHttpClient) -> Self {
        Self::through(http_client, Some(simulated_credentials()))
    }

    fn through(http_client: SharedHttpClient, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self {
            credentials,
            http_client,
            shared: Arc::default(),
        }
    }

    /// What bounds the calls to an endpoint.
    pub(super) fn gate(&self, region: &Region, endpoint_url: Option<&str>) -> Arc<Semaphore> {
        let mut gates = self.shared.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint: Endpoint = (region.clone(), endpoint_url.map(ToOwned::to_owned));
        let gate = gates.entry(endpoint);
        Arc::clone(gate.or_insert_with(|| Arc::new(Semaphore::new(MOST_IN_FLIGHT))))
    }
}

fn simulated_credentials() -> SharedCredentialsProvider {
    let credentials = aws_credential_types::Credentials::new("SIMULATED", "simulated", None, None, "ccwatch");
    SharedCredentialsProvider::new(credentials)
}

/// Values that are found once each. What could not be found is looked for again by the next who asks.
#[derive(Debug)]
pub(super) struct Once<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Once<K, V> {
    /// The value for this key, which `find` finds if no one has yet.
    pub(super) async fn get<E>(&self, key: K, find: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key).or_default())
        };
        cell.get_or_try_init(|| find).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_found_once_is_not_looked_for_again_but_a_failure_is() {
        let once = Once::<&str, i32>::default();
        assert_eq!(once.get("a", async { Err("not now") }).await, Err("not now"));
        assert_eq!(once.get("a", async { Ok::<_, ()>(1) }).await, Ok(1));
        assert_eq!(once.get("a", async { Ok::<_, ()>(2) }).await, Ok(1));
        assert_eq!(once.get("b", async { Ok::<_, ()>(3) }).await, Ok(3));
    }

    #[tokio::test]
    async fn a_failure_that_is_a_value_is_found_once_for_all_who_ask() {
        let once = Once::<&str, Result<i32, &str>>::default();
        let asked = std::cell::Cell::new(0);
        let ask = || async {
            asked.set(asked.get() + 1);
            tokio::task::yield_now().await;
            Ok::<_, ()>(Err("not now"))
        };
        let (first, second) = tokio::join!(once.get("a", ask()), once.get("a", ask()));
        assert_eq!((first, second), (Ok(Err("not now")), Ok(Err("not now"))));
        assert_eq!(asked.get(), 1);
    }

    #[test]
    fn targets_of_one_region_share_its_gate() {
        let connection = Connection::to_simulator();
        let (here, there) = (Region("eu-west-1".to_owned()), Region("us-east-1".to_owned()));
        let gate = connection.gate(&here, None);
        assert!(Arc::ptr_eq(&gate, &connection.clone().gate(&here, None)));
        assert!(!Arc::ptr_eq(&gate, &connection.gate(&there, None)));
        assert!(!Arc::ptr_eq(
            &gate,
            &connection.gate(&here, Some("http://127.0.0.1:4599"))
        ));
        assert_eq!(gate.available_permits(), MOST_IN_FLIGHT);
    }
}
