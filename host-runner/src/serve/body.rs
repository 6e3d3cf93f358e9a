//! Bodies on their way through the host: streamed, counted, and never called complete when they are not.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use wasmtime_wasi_http::Error;

use super::{Body, Busy};

type NextFrame = Poll<Option<Result<Frame<Bytes>, Error>>>;

/// The body of a request. Past its limit the guest's stream fails, the flag tells the host why, and an answer that
/// has begun already will not look complete.
pub(super) struct RequestBody {
    inner: Incoming,
    left: u64,
    limit: u64,
    too_long: Arc<AtomicBool>,
    answer: Ended,
}

impl RequestBody {
    pub(super) fn new(inner: Incoming, limit: u64, too_long: Arc<AtomicBool>, answer: Ended) -> Self {
        Self { inner, left: limit, limit, too_long, answer }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let Some(Ok(frame)) = frame else {
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        };
        match left_after(self.left, &frame) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.too_long.store(true, Ordering::Release);
                self.answer.fail();
                let limit = self.limit;
                Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(limit)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Whether the guest behind a body failed, or was given half a request. Set before its end of the body is closed.
#[derive(Clone)]
pub(super) struct Ended(Arc<AtomicBool>);

impl Ended {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    pub(super) fn fail(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn failed(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The body of an answer. Past its limit, or when its guest failed before the end, the connection is cut: the
/// head has been sent, so this is the only way left to say that something is missing.
pub(super) struct ResponseBody {
    inner: Body,
    left: u64,
    ended: Ended,
    /// Told once, when the limit is passed.
    too_long: Option<Box<dyn FnOnce() + Send>>,
}

impl ResponseBody {
    pub(super) fn new(
        inner: Body,
        limit: u64,
        ended: Ended,
        too_long: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self { inner, left: limit, ended, too_long: Some(Box::new(too_long)) }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            None if self.ended.failed() => Poll::Ready(Some(Err(Error::HttpResponseIncomplete))),
            None => Poll::Ready(None),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            Some(Ok(frame)) => match left_after(self.left, &frame) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(frame)))
                }
                None => {
                    if let Some(tell) = self.too_long.take() {
                        tell();
                    }
                    Poll::Ready(Some(Err(Error::HttpResponseBodySize(None))))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream() && !self.ended.failed()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body that counts as in flight until it has been sent, or given up.
pub(super) struct Counted {
    inner: Body,
    _turn: Busy,
}

impl Counted {
    pub(super) fn new(inner: Body, turn: Busy) -> Self {
        Self { inner, _turn: turn }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What is left of a limit after a frame; trailers are small and free.
fn left_after(left: u64, frame: &Frame<Bytes>) -> Option<u64> {
    match frame.data_ref() {
        Some(data) => left.checked_sub(data.len() as u64),
        None => Some(left),
    }
}
