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
    first_half: Option<Bytes>,
}

impl CutOff {
    pub(super) fn of(body: &Bytes) -> Self {
        Self {
            promised: body.len() as u64,
            first_half: Some(body.slice(..body.len() / 2)),
        }
    }
}

impl Body for CutOff {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.first_half.take() {
            Some(half) => Ok(Frame::data(half)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
