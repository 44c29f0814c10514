//! A real HTTP server on a loopback port that stands in for a receiver's.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::http::{Endpoint, Http};

/// In the path, the query and the credentials of the double's address: must show nowhere.
pub(super) const SECRET: &str = "T0SECRETmarker";

/// What came in: the path with its query, the headers, the body.
pub(super) type Received = (String, HeaderMap, Bytes);

pub(super) struct Double {
    pub(super) url: String,
    received: Arc<Mutex<Vec<(Method, Received)>>>,
    server: AbortHandle,
}

impl Double {
    /// Answers each request as `answer` says.
    pub(super) async fn start(answer: impl Fn(&Received) -> Response + Clone + Send + Sync + 'static) -> Self {
        let received: Arc<Mutex<Vec<(Method, Received)>>> = Arc::default();
        let seen = received.clone();
        let app = Router::new().fallback(async move |request: axum::extract::Request| {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let received = (head.uri.to_string(), head.headers, body);
            let answer = answer(&received);
            seen.lock().unwrap().push((head.method, received));
            answer
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await }).abort_handle();
        Self {
            url: format!("http://user:{SECRET}@{address}/services/{SECRET}?token={SECRET}"),
            received,
            server,
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Http::new().unwrap().endpoint(&self.url, &[]).unwrap()
    }

    pub(super) fn received(&self) -> Vec<Received> {
        let received = self.received.lock().unwrap();
        received.iter().map(|(_, received)| received.clone()).collect()
    }

    /// Of what came in.
    pub(super) fn methods(&self) -> Vec<Method> {
        let received = self.received.lock().unwrap();
        received.iter().map(|(method, _)| method.clone()).collect()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name = http::HeaderName::try_from(*name).unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
