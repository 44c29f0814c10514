//! The simulator straight under the SDK: an HTTP client without a network.
//!
//! No socket and no thread, so that it works under tokio's paused time: a slow answer is a timer, and whatever else
//! happens, happens at once. Read time-outs are the SDK's own (`TimeoutConfig`), which races them against the call.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::Simulator;
use super::cut_off::CutOff;
use super::wire::Answer;
use crate::clock::Clock;

/// An HTTP client whose every call is answered by a simulator, for the `http_client` of the SDK's configuration.
#[derive(Debug, Clone)]
pub struct InMemory {
    simulator: Simulator,
    clock: Clock,
}

impl InMemory {
    /// The clock tells the simulator what time it is.
    pub fn new(simulator: Simulator, clock: Clock) -> Self {
        Self { simulator, clock }
    }

    async fn carry(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?
            .map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
        let answer = self.simulator.answer(&request, &self.clock).await;
        let response = match answer {
            Answer::Whole(response) => response.map(SdkBody::from),
            Answer::CutOff(response) => response.map(|body| SdkBody::from_body_1_x(CutOff::of(&body))),
            Answer::Reset => {
                let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                return Err(ConnectorError::io(error.into()));
            }
        };
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

impl HttpConnector for InMemory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().carry(request))
    }
}

impl HttpClient for InMemory {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
