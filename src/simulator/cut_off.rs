//! A body that breaks off in the middle.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Promises a whole body, hands on its first half, then fails as a connection does that is closed too early.
#[derive(Debug)]
pub(super) struct CutOff {
    promised: u64,
    next: Next,
}

#[derive(Debug)]
enum Next {
    FirstHalf(Bytes),
    /// Between the half and the failure: time for a server to send what it has so far, which it otherwise drops.
    Pause,
    Failure,
}

impl CutOff {
    pub(super) fn of(body: &Bytes) -> Self {
        Self {
            promised: body.len() as u64,
            next: Next::FirstHalf(body.slice(..body.len() / 2)),
        }
    }
}

impl Body for CutOff {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match std::mem::replace(&mut self.next, Next::Failure) {
            Next::FirstHalf(half) => {
                self.next = Next::Pause;
                Poll::Ready(Some(Ok(Frame::data(half))))
            }
            Next::Pause => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Next::Failure => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
