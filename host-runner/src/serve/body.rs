//! Bodies on their way through the host: streamed, counted, and never called complete when they are not.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use super::Body;
use super::failure::Case;
use super::places::Share;
use super::room::{Gathered, Room};
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
    source: Mutex<Source>,
}

#[derive(Default)]
struct Source {
    /// Where it comes from, until it is cut off.
    incoming: Option<Incoming>,
    /// For how long the guest has waited for it.
    waited: Duration,
    /// Since when it waits now.
    since: Option<Instant>,
    /// What its request has as long as something is to come that somebody reads.
    share: Option<Share>,
}

impl Source {
    /// The client owes nothing for now. Returns for how long it did.
    fn paid(&mut self) -> Duration {
        let waited = self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.waited += waited;
        waited
    }
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

    /// A guest begins to wait for it.
    pub(super) fn begin(&self) {
        let mut source = self.source();
        (source.waited, source.since) = (Duration::ZERO, None);
    }

    /// For how long the guest has waited for the client.
    pub(super) fn waited(&self) -> Duration {
        let source = self.source();
        source.waited + source.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Cuts the body off: whoever still holds an end of it reads no more.
    pub(super) fn cut(&self) {
        let mut source = self.source();
        (source.incoming, source.share) = (None, None);
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The limits on the body of a request.
#[derive(Clone, Copy)]
pub(super) struct BodyLimits {
    /// Bytes.
    pub(super) length: u64,
    /// The longest time without a byte while somebody waits for one.
    pub(super) stall: Duration,
    /// The bytes that have to come in a second, on average over as much waiting as `stall`.
    pub(super) rate: u64,
}

/// The body of a request. Past a limit the guest's stream fails, the host is told why, and an answer that has begun
/// already will not look complete.
pub(super) struct RequestBody {
    left: u64,
    limits: BodyLimits,
    /// What came before it was given to a guest.
    gathered: Option<Gathered>,
    /// Set while the client owes a byte.
    owed: Option<Pin<Box<Sleep>>>,
    /// For how long it did, and what came meanwhile: to find one that sends a byte now and then.
    waited: Duration,
    came: u64,
    inflow: Inflow,
    answer: Ended,
}

impl RequestBody {
    pub(super) fn new(inner: Incoming, limits: BodyLimits, inflow: Inflow, answer: Ended) -> Self {
        inflow.source().incoming = Some(inner);
        Self {
            left: limits.length,
            limits,
            gathered: None,
            owed: None,
            waited: Duration::ZERO,
            came: 0,
            inflow,
            answer,
        }
    }

    /// What its reader is given before what is still to come.
    pub(super) fn gathered(&mut self, room: &Room) -> &mut Gathered {
        self.gathered.get_or_insert_with(|| Gathered::new(room))
    }

    /// Whether nothing more will come from the client.
    pub(super) fn source_has_ended(&self) -> bool {
        self.inflow.source().incoming.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    /// Keeps its share of the places until all of it has come, or nobody reads it any more.
    pub(super) fn hold(&mut self, share: Share) {
        self.inflow.source().share = Some(share);
    }

    /// What the client did wrong, if it did.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.inflow.fault()
    }

    fn fail(&self, fault: Fault, error: Error) -> NextFrame {
        self.inflow.blame(fault);
        self.answer.fail();
        Poll::Ready(Some(Err(error)))
    }

    /// Nothing is there yet.
    fn wait(&mut self, context: &mut Context<'_>) -> NextFrame {
        let stall = self.limits.stall.min(FOREVER);
        let now = Instant::now();
        self.inflow.source().since.get_or_insert(now);
        let owed = self.owed.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(now + stall)));
        ready!(owed.as_mut().poll(context));
        self.fail(Fault::Stalled, Error::ConnectionReadTimeout)
    }

    /// Something came, after so long. Whether it comes too slowly.
    fn is_slow(&mut self, waited: Duration, bytes: usize) -> bool {
        self.waited += waited;
        self.came += bytes as u64;
        if self.waited < self.limits.stall {
            return false;
        }
        let due = self.waited.as_secs_f64() * self.limits.rate as f64;
        let slow = (self.came as f64) < due;
        (self.waited, self.came) = (Duration::ZERO, 0);
        slow
    }

    /// The next of what came before.
    fn next_gathered(&mut self) -> Option<Option<Frame<Bytes>>> {
        let gathered = self.gathered.as_mut()?;
        let data = gathered.data.split().freeze();
        if !data.is_empty() {
            return Some(Some(Frame::data(data)));
        }
        if let Some(trailers) = gathered.trailers.take() {
            return Some(Some(trailers));
        }
        if gathered.whole {
            return Some(None);
        }
        self.gathered = None;
        None
    }

    /// The next frame that comes from the client.
    pub(super) fn poll_source(&mut self, context: &mut Context<'_>) -> NextFrame {
        let polled = match self.inflow.source().incoming.as_mut() {
            Some(source) => Pin::new(source).poll_frame(context),
            None => return Poll::Ready(Some(Err(Error::ConnectionTerminated))),
        };
        let Poll::Ready(frame) = polled else {
            return self.wait(context);
        };
        self.owed = None;
        let waited = self.inflow.source().paid();
        let frame = match frame {
            None => {
                self.inflow.source().share = None;
                return Poll::Ready(None);
            }
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return self.fail(Fault::BrokenOff, error.into()),
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        if self.is_slow(waited, bytes) {
            return self.fail(Fault::Stalled, Error::ConnectionReadTimeout);
        }
        match left_after(self.left, &frame) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => self.fail(Fault::TooLong, Error::HttpRequestBodySize(Some(self.limits.length))),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.inflow.source().share = None;
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        if self.inflow.source().incoming.is_none() {
            return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
        }
        match self.next_gathered() {
            Some(frame) => Poll::Ready(frame.map(Ok)),
            None => self.poll_source(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.gathered {
            Some(gathered) if !gathered.data.is_empty() || gathered.trailers.is_some() => false,
            Some(gathered) if gathered.whole => true,
            _ => self.source_has_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let source = self.inflow.source();
        let rest = source.incoming.as_ref().map(HttpBody::size_hint).unwrap_or_default();
        match &self.gathered {
            Some(gathered) if gathered.whole => SizeHint::with_exact(gathered.data.len() as u64),
            Some(gathered) => plus(rest, gathered.data.len()),
            None => rest,
        }
    }
}

/// A length to which so many bytes are added.
fn plus(hint: SizeHint, bytes: usize) -> SizeHint {
    let mut sum = SizeHint::new();
    sum.set_lower(hint.lower() + bytes as u64);
    if let Some(upper) = hint.upper() {
        sum.set_upper(upper + bytes as u64);
    }
    sum
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

/// The body of an answer as its guest gives it. Its reader and the guest's task share it: when the guest has ended, its task
/// finds out whether the body has, as long as the store is there and with it the guest's end of the body. Without the store,
/// a body that was never finished looks like one that was.
#[derive(Clone, Default)]
pub(super) struct Outflow(Arc<Mutex<Out>>);

#[derive(Default)]
struct Out {
    /// What the guest writes into, until its end, or until nobody reads it any more.
    source: Option<Body>,
    /// Frames that were taken from there, and not given to the reader yet.
    ready: VecDeque<Frame<Bytes>>,
    /// An error that was taken from there, and not given to the reader yet.
    error: Option<Error>,
    state: Settled,
    /// Nothing of it is sent.
    bodiless: bool,
    /// Whether it is sent on, as far as its head tells.
    let_through: bool,
    /// Who waits for the next frame.
    reader: Option<Waker>,
}

/// What became of the body of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Settled {
    /// There is no answer.
    #[default]
    None,
    /// Its guest has not finished it.
    Open,
    /// Its guest has not finished it, and nothing of it is sent.
    Unsent,
    /// Its guest has finished it.
    Whole,
    /// Its guest has given it up, or ended it with an error.
    Broken,
    /// Nobody reads it any more.
    Unread,
}

/// How many frames are taken at the end of a guest. The channel between guest and host has room for fewer.
const LAST_FRAMES: usize = 16;

impl Outflow {
    /// Finds out what has become of the body, and keeps what there is of it for its reader, who is to be
    /// [woken](Self::wake) then.
    ///
    /// Outside of the budget of its task, which the guest may have used up: with it the channels would seem to be empty.
    pub(super) async fn settle(&self) -> Settled {
        tokio::task::unconstrained(async { self.settled() }).await
    }

    /// Ends the instance of a guest that has returned, and finds out what that does to a body that is open. One that ends
    /// with its instance was never finished: then this is `true`, and the answer has `failed` before its reader can see
    /// the end. One that goes on is in other hands, such as the body of the request.
    pub(super) async fn ends_with(&self, end: impl FnOnce(), failed: &Ended) -> bool {
        tokio::task::unconstrained(async {
            let mut out = self.lock();
            Self::take_all(&mut out);
            let was_open = out.state == Settled::Open && !out.bodiless;
            // Nobody else sees the body meanwhile.
            end();
            if !was_open {
                return false;
            }
            Self::take_all(&mut out);
            let unfinished = matches!(out.state, Settled::Whole | Settled::Broken);
            if unfinished {
                failed.fail();
                out.state = Settled::Broken;
            }
            unfinished
        })
        .await
    }

    fn settled(&self) -> Settled {
        let mut out = self.lock();
        Self::take_all(&mut out);
        if out.state == Settled::Open && out.bodiless { Settled::Unsent } else { out.state }
    }

    /// Takes all frames that are there.
    fn take_all(out: &mut Out) {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..LAST_FRAMES {
            match out.take(&mut context) {
                Poll::Ready(Some(Ok(frame))) => out.ready.push_back(frame),
                Poll::Ready(Some(Err(error))) => out.error = Some(error),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
    }

    /// Whether all that its guest was to give has come to be sent on.
    pub(super) fn is_answered(&self) -> bool {
        let out = self.lock();
        out.state == Settled::Whole && out.let_through
    }

    /// Wakes the reader, whom the source has forgotten.
    pub(super) fn wake(&self) {
        if let Some(reader) = self.lock().reader.take() {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Out> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Out {
    /// The next frame of the source.
    fn take(&mut self, context: &mut Context<'_>) -> NextFrame {
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(source).poll_frame(context));
        let end = match &frame {
            Some(Ok(_)) => return Poll::Ready(frame),
            Some(Err(_)) => Settled::Broken,
            None => Settled::Whole,
        };
        (self.state, self.source) = (end, None);
        Poll::Ready(frame)
    }

    /// The next frame for the reader.
    fn give(&mut self, context: &mut Context<'_>) -> NextFrame {
        if let Some(frame) = self.ready.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = self.take(context);
        self.reader = frame.is_pending().then(|| context.waker().clone());
        frame
    }
}

/// The reader's end of an [`Outflow`], which tells when all of it was taken. Where it is given up before, that is never told.
pub(super) struct Taken {
    outflow: Outflow,
    /// What is missing of the length that it was said to have. HTTP/1 takes no more, the end included.
    left: Option<u64>,
    /// Nothing of it is sent, so nothing can be missing.
    bodiless: bool,
    tell: Option<oneshot::Sender<()>>,
}

impl Taken {
    pub(super) fn told(
        response: Response<Body>,
        outflow: Outflow,
        bodiless: bool,
        tell: Option<oneshot::Sender<()>>,
    ) -> Response<Body> {
        let left = declared_length(response.headers());
        response.map(|source| {
            *outflow.lock() = Out {
                source: Some(source),
                state: Settled::Open,
                bodiless,
                let_through: tell.is_some(),
                ..Out::default()
            };
            Self { outflow, left, bodiless, tell }.boxed_unsync()
        })
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
        let frame = ready!(self.outflow.lock().give(context));
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
        let out = self.outflow.lock();
        out.ready.is_empty() && out.error.is_none() && out.source.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let out = self.outflow.lock();
        let kept: usize = out.ready.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        let source = out.source.as_ref().map(HttpBody::size_hint).unwrap_or_else(|| SizeHint::with_exact(0));
        match &out.error {
            // It is shorter than it was to be.
            Some(_) => plus(SizeHint::default(), kept),
            None => plus(source, kept),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Of a body without anything in it, nothing is asked.
        let all = self.left == Some(0) || self.is_end_stream();
        if all {
            self.tell();
        }
        let mut out = self.outflow.lock();
        if out.state == Settled::Open {
            out.state = if all { Settled::Whole } else { Settled::Unread };
        }
        // The guest is told that what it writes is not read.
        let source = out.source.take();
        drop(out);
        drop(source);
    }
}

/// What a guest did wrong with the body of its answer.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is longer than any may be.
    Limit,
    /// It has another length than the guest had said. Of one that is longer, not all was written yet.
    Length {
        /// What the guest had said.
        said: u64,
        /// What it wrote.
        wrote: u64,
    },
    /// The guest did not finish it.
    Unfinished,
    /// The guest ended it with an error.
    Error(String),
}

impl Wrong {
    /// Reads it off the error with which a body ended. `aborts` says that this is of WASI 0.2, where a guest cannot give an
    /// error itself.
    pub(super) fn of(error: &Error, said: Option<u64>, wrote: u64, aborts: bool) -> Self {
        match (error, said) {
            // The engine counts too, and passes nothing on of what is too much.
            (Error::HttpResponseBodySize(Some(wrote)), Some(said)) => Self::Length { said, wrote: *wrote },
            (_, Some(said)) if aborts && wrote != said => Self::Length { said, wrote },
            _ if aborts => Self::Unfinished,
            _ => Self::Error(error.to_string()),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => f.write_str("the body of its answer is too long"),
            Self::Length { said, wrote } if wrote > said => {
                write!(f, "it said that its answer has {said} bytes, and wrote at least {wrote}")
            }
            Self::Length { said, wrote } => {
                write!(f, "it said that its answer has {said} bytes, and wrote {wrote}")
            }
            Self::Unfinished => f.write_str("it did not finish the body of its answer"),
            Self::Error(error) => write!(f, "it ended the body of its answer with an error: {error}"),
        }
    }
}

/// What a guest said of the body of its answer, and what is known of it otherwise.
#[derive(Clone, Copy)]
pub(super) struct Outline {
    /// The most bytes that it may have.
    pub(super) limit: u64,
    /// The bytes that the guest said it has. None where nothing of it is sent.
    pub(super) said: Option<u64>,
    /// See [`Wrong::of`].
    pub(super) aborts: bool,
    /// Nothing of it is sent.
    pub(super) bodiless: bool,
}

/// The body of an answer. Past its limit or its length, or when its guest failed before the end, the connection is cut: the
/// head has been sent, so this is the only way left to say that something is missing.
pub(super) struct ResponseBody {
    inner: Body,
    outline: Outline,
    wrote: u64,
    ended: Ended,
    /// Told once, when the guest did something wrong with it.
    wrong: Option<Box<dyn FnOnce(Wrong) + Send>>,
    /// What ends it before its end.
    broken: Option<Error>,
}

impl ResponseBody {
    pub(super) fn new(
        inner: Body,
        outline: Outline,
        ended: Ended,
        wrong: impl FnOnce(Wrong) + Send + 'static,
    ) -> Self {
        Self { inner, outline, wrote: 0, ended, wrong: Some(Box::new(wrong)), broken: None }
    }

    /// Ends it before its end, on the next poll: what was given before is sent meanwhile, so that the client sees an answer
    /// that breaks off, and not none.
    fn break_off(&mut self, error: Error, context: &Context<'_>) -> NextFrame {
        self.broken = Some(error);
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// The same, for what its guest did wrong. Of a body that is not sent, only the limit counts.
    fn is_wrong(&mut self, wrong: Wrong, error: Error, context: &Context<'_>) -> NextFrame {
        if let Some(tell) = self.wrong.take()
            && (!self.outline.bodiless || matches!(wrong, Wrong::Limit))
        {
            tell(wrong);
        }
        self.break_off(error, context)
    }

    /// What is wrong with a body that has so many bytes by now.
    fn wrong_by(&self, wrote: u64) -> Option<Wrong> {
        match self.outline.said {
            Some(said) if wrote > said => Some(Wrong::Length { said, wrote }),
            _ if wrote > self.outline.limit => Some(Wrong::Limit),
            _ => None,
        }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> NextFrame {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Outline { said, aborts, .. } = self.outline;
        match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            None if self.ended.failed() => self.break_off(Error::HttpResponseIncomplete, context),
            None => match said {
                Some(said) if said > self.wrote => {
                    let wrong = Wrong::Length { said, wrote: self.wrote };
                    self.is_wrong(wrong, Error::HttpResponseIncomplete, context)
                }
                _ => Poll::Ready(None),
            },
            // Its guest failed, or its client did, and that is told.
            Some(Err(error)) if self.ended.failed() => self.break_off(error, context),
            Some(Err(error)) => {
                let wrong = Wrong::of(&error, said, self.wrote, aborts);
                self.is_wrong(wrong, error, context)
            }
            Some(Ok(frame)) => {
                self.wrote += frame.data_ref().map_or(0, |data| data.len() as u64);
                match self.wrong_by(self.wrote) {
                    None => Poll::Ready(Some(Ok(frame))),
                    Some(wrong) => self.is_wrong(wrong, Error::HttpResponseBodySize(None), context),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let complete = self.outline.said.is_none_or(|said| said <= self.wrote);
        self.broken.is_none() && complete && self.inner.is_end_stream() && !self.ended.failed()
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
    case: Arc<Case>,
    seen: Seen,
}

impl Counted {
    pub(super) fn new(inner: Body, turn: Turn, case: Arc<Case>, seen: Seen) -> Self {
        let offer = Offer::new(turn.traffic());
        Self { inner, offer, turn: Arc::new(turn), case, seen }
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
        if let Poll::Ready(Some(Err(_))) = outcome
            && let Some(failure) = self.case.failure.get()
        {
            let status = failure.status();
            self.seen.broke_off(status);
        }
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

/// The length that a body is said to have.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
