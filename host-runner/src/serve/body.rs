//! Bodies on their way through the host: streamed, counted, and never called complete when they are not.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use super::Body;
use super::admit::declared_length;
use super::traffic::{Offer, Piece, Turn};
use crate::observe::Seen;
use crate::session::FOREVER;

type NextFrame = Poll<Option<Result<Frame<Bytes>, Error>>>;

/// What a client did wrong with the body of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It sent more than it may.
    TooLong,
    /// It sent nothing for too long.
    Stalled,
    /// It broke off.
    BrokenOff,
}

/// What is known of the body of a request by those who do not read it.
#[derive(Clone, Default)]
pub(super) struct Inflow(Arc<Flow>);

#[derive(Default)]
struct Flow {
    fault: AtomicU8,
    /// Whether the guest was told to wait for more.
    awaited: AtomicBool,
    /// Where it comes from, until it is cut off.
    source: Mutex<Option<Incoming>>,
}

impl Inflow {
    fn blame(&self, fault: Fault) {
        self.0.fault.store(fault as u8 + 1, Ordering::Release);
    }

    /// What the client did wrong, if it did.
    pub(super) fn fault(&self) -> Option<Fault> {
        [Fault::TooLong, Fault::Stalled, Fault::BrokenOff]
            .into_iter()
            .find(|fault| *fault as u8 + 1 == self.0.fault.load(Ordering::Acquire))
    }

    /// Whether the client owes the guest more of the body.
    pub(super) fn is_awaited(&self) -> bool {
        self.0.awaited.load(Ordering::Acquire)
    }

    /// Cuts the body off: whoever still holds an end of it reads no more.
    pub(super) fn cut(&self) {
        *self.source() = None;
    }

    fn source(&self) -> MutexGuard<'_, Option<Incoming>> {
        self.0.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The limits on the body of a request.
#[derive(Clone, Copy)]
pub(super) struct BodyLimits {
    /// Bytes.
    pub(super) length: u64,
    /// The longest time without a byte while the guest waits for one.
    pub(super) stall: Duration,
}

/// The body of a request. Past a limit the guest's stream fails, the host is told why, and an answer that has begun
/// already will not look complete.
pub(super) struct RequestBody {
    left: u64,
    limits: BodyLimits,
    /// Set while the client owes a byte.
    owed: Option<Pin<Box<Sleep>>>,
    inflow: Inflow,
    answer: Ended,
}

impl RequestBody {
    pub(super) fn new(inner: Incoming, limits: BodyLimits, inflow: Inflow, answer: Ended) -> Self {
        *inflow.source() = Some(inner);
        Self { left: limits.length, limits, owed: None, inflow, answer }
    }

    fn fail(&self, fault: Fault, error: Error) -> NextFrame {
        self.inflow.blame(fault);
        self.answer.fail();
        Poll::Ready(Some(Err(error)))
    }

    /// Nothing is there yet.
    fn wait(&mut self, context: &mut Context<'_>) -> NextFrame {
        let stall = self.limits.stall.min(FOREVER);
        self.inflow.0.awaited.store(true, Ordering::Release);
        let owed =
            self.owed.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + stall)));
        ready!(owed.as_mut().poll(context));
        self.fail(Fault::Stalled, Error::ConnectionReadTimeout)
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        let polled = match self.inflow.source().as_mut() {
            Some(source) => Pin::new(source).poll_frame(context),
            None => return Poll::Ready(Some(Err(Error::ConnectionTerminated))),
        };
        let Poll::Ready(frame) = polled else {
            return self.wait(context);
        };
        self.owed = None;
        self.inflow.0.awaited.store(false, Ordering::Release);
        let frame = match frame {
            None => return Poll::Ready(None),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return self.fail(Fault::BrokenOff, error.into()),
        };
        match left_after(self.left, &frame) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => self.fail(Fault::TooLong, Error::HttpRequestBodySize(Some(self.limits.length))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inflow.source().as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inflow.source().as_ref().map(HttpBody::size_hint).unwrap_or_default()
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

    pub(super) fn failed(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The body of an answer as its guest gives it, which tells when all of it was taken. Where it is given up before, that is
/// never told.
pub(super) struct Taken {
    inner: Body,
    /// What is missing of the length that it was said to have. HTTP/1 takes no more, the end included.
    left: Option<u64>,
    /// Nothing of it is sent, so nothing can be missing.
    bodiless: bool,
    tell: Option<oneshot::Sender<()>>,
}

impl Taken {
    pub(super) fn told(
        response: Response<Body>,
        bodiless: bool,
        tell: Option<oneshot::Sender<()>>,
    ) -> Response<Body> {
        let left = declared_length(response.headers());
        response.map(|inner| Self { inner, left, bodiless, tell }.boxed_unsync())
    }

    fn tell(&mut self) {
        if let Some(tell) = self.tell.take() {
            // Nobody listens where the instance has ended.
            let _ = tell.send(());
        }
    }
}

impl HttpBody for Taken {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        match &frame {
            None | Some(Err(_)) if self.bodiless => self.tell(),
            None if self.left.is_none_or(|left| left == 0) => self.tell(),
            None | Some(Err(_)) => self.tell = None,
            Some(Ok(frame)) => {
                self.left = self.left.and_then(|left| left_after(left, frame));
                if self.left == Some(0) {
                    self.tell();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Of a body without anything in it, nothing is asked.
        if self.left == Some(0) || self.inner.is_end_stream() {
            self.tell();
        }
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
    /// What ends it before its end.
    broken: Option<Error>,
}

impl ResponseBody {
    pub(super) fn new(
        inner: Body,
        limit: u64,
        ended: Ended,
        too_long: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self { inner, left: limit, ended, too_long: Some(Box::new(too_long)), broken: None }
    }

    /// Ends it before its end, on the next poll: what was given before is sent meanwhile, so that the client sees an answer
    /// that breaks off, and not none.
    fn break_off(&mut self, error: Error, context: &Context<'_>) -> NextFrame {
        self.broken = Some(error);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            None if self.ended.failed() => self.break_off(Error::HttpResponseIncomplete, context),
            None => Poll::Ready(None),
            Some(Err(error)) => self.break_off(error, context),
            Some(Ok(frame)) => match left_after(self.left, &frame) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(frame)))
                }
                None => {
                    if let Some(tell) = self.too_long.take() {
                        tell();
                    }
                    self.break_off(Error::HttpResponseBodySize(None), context)
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

/// A body of which the first frame was taken already.
pub(super) struct Begun {
    first: Option<Frame<Bytes>>,
    rest: Body,
}

impl Begun {
    pub(super) fn new(first: Frame<Bytes>, rest: Body) -> Self {
        Self { first: Some(first), rest }
    }
}

impl HttpBody for Begun {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }
}

/// A body that counts as in flight until the client has taken it, or it was given up.
pub(super) struct Counted {
    inner: Body,
    offer: Offer,
    turn: Arc<Turn>,
    _seen: Seen,
}

impl Counted {
    pub(super) fn new(inner: Body, turn: Turn, seen: Seen) -> Self {
        let offer = Offer::new(turn.traffic());
        Self { inner, offer, turn: Arc::new(turn), _seen: seen }
    }
}

impl HttpBody for Counted {
    type Data = Piece;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, Error>>> {
        let outcome = Pin::new(&mut self.inner).poll_frame(context);
        self.offer.set(matches!(outcome, Poll::Ready(Some(Ok(_)))));
        outcome.map_ok(|frame| frame.map_data(|bytes| Piece::new(bytes, &self.turn)))
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
