//! Connections that can be reset from within a handler, and that are reset when their client stops reading.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How long a client may leave an answer unread that does not fit into the socket's buffers.
const STALL_TIME_OUT: Duration = Duration::from_secs(30);

/// A handler's hold on its connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Severed(Arc<AtomicBool>);

impl Severed {
    /// Resets the connection when it is written to next.
    pub(super) fn sever(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A TCP stream that is reset once it was severed, or could not be written to for [`STALL_TIME_OUT`].
#[derive(Debug)]
pub(super) struct Severable {
    stream: TcpStream,
    severed: Severed,
    /// Runs while the client does not read.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Severable {
    pub(super) fn new(stream: TcpStream, severed: Severed) -> Self {
        Self {
            stream,
            severed,
            stalled: None,
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.severed.0.load(Ordering::Acquire) {
            return self.reset(io::ErrorKind::ConnectionReset);
        }
        Ok(())
    }

    fn reset(&self, why: io::ErrorKind) -> io::Result<()> {
        // Without lingering, closing sends RST rather than FIN, and what was not sent yet is dropped.
        self.stream.set_zero_linger()?;
        Err(why.into())
    }

    /// What a write came to, or an error if the client has not read for too long.
    fn unless_stalled<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL_TIME_OUT)));
        ready!(stalled.as_mut().poll(cx));
        self.reset(io::ErrorKind::TimedOut)?;
        written
    }
}

impl AsyncRead for Severable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Severable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.unless_stalled(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.unless_stalled(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
