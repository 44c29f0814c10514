//! Accepts connections and speaks HTTP/1 on them, whatever their clients do.
//!
//! Every connection is a task of its own, so that none waits for another. What a client may hold:
//!
//! - 64 KiB for the head of a request (more is HTTP 431), and a body within the limit of `wire`;
//! - [`HEAD_TIME_OUT`] without the whole head of a request, be it one that drips in or none at all: the connection is
//!   closed without a word, so that an army of idle or slow connections goes away by itself;
//! - an unread answer for the time that `connection` gives it.
//!
//! Rejected: `axum::serve`, which has no time-out for heads and offers no way to set one.

use std::pin::pin;
use std::time::Duration;

use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{Severable, Severed};

/// How long a connection may be without a complete request head. Not a round number of half minutes: a client that
/// calls at such an interval would often meet the connection as it closes.
pub(super) const HEAD_TIME_OUT: Duration = Duration::from_secs(75);

/// The largest head that is read.
const HEAD_LIMIT: usize = 64 * 1024;

/// How long a connection may go on after the shutdown began: a client that stops in the middle of its request would
/// hold it up for ever.
const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// Serves until `shutdown`, and then lets what is being answered be answered.
pub(super) async fn run(mut listener: TcpListener, router: Router, shutdown: &CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        // Tries again by itself when there is no file descriptor left.
        let accepted = Listener::accept(&mut listener);
        let Some((stream, _)) = shutdown.run_until_cancelled(accepted).await else {
            break;
        };
        if let Err(error) = stream.set_nodelay(true) {
            // It serves all the same: the end of a long answer may wait for an acknowledgement then.
            tracing::trace!(%error, "a connection does not send at once");
        }
        connections.spawn(converse(stream, router.clone(), shutdown.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Answers the requests of one connection, one after the other.
async fn converse(stream: TcpStream, router: Router, shutdown: CancellationToken) {
    let severed = Severed::default();
    let service = router.layer(Extension(severed.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_OUT)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(
            TokioIo::new(Severable::new(stream, severed)),
            TowerToHyperService::new(service),
        );
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE_PERIOD, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        // The client went away, was sent away, or spoke something else than HTTP: daily bread for a server.
        tracing::trace!(%error, "a connection ended");
    }
}
