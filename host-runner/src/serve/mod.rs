//! HTTP: a fresh instance of the component for every request.
//!
//! Isolation is the point: what one request does to its instance (a trap, a leak, an endless loop) ends with
//! that instance. A request waits for its turn when all instances are busy, and is turned away when too many
//! wait. A guest runs to its end even when its client has gone: it may be in the middle of a write.

mod answer;
mod body;
mod failure;

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};

use crate::app::App;
use crate::blame::{Blame, Called, Scene};
use crate::exceeded::LimitHit;
use crate::session::{CallError, FOREVER, limited, new_store};
use crate::state::State;
use answer::problem;
use body::{Ended, RequestBody, ResponseBody};
pub use failure::Failure;

/// How long a client may take to send the head of a request, and to keep a connection idle.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Bytes in the head of a request.
const HEAD_SIZE: usize = 64 << 10;
/// How long a stopping server still listens to a connection that has no request in flight.
const LAST_CALL: Duration = Duration::from_millis(100);
/// How long to hold off when the system has no more sockets.
const BACK_OFF: Duration = Duration::from_millis(50);

type Body = UnsyncBoxBody<bytes::Bytes, wasmtime_wasi_http::Error>;
type GuestAnswer = Result<Response<Body>, ErrorCode>;

/// Why a component cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It has no handler for requests.
    #[error(
        "{file} does not answer HTTP requests: it exports no wasi:http/incoming-handler@0.2. Use `host-runner call` for one of its functions, or `host-runner run` if it is a program"
    )]
    NoHandler {
        /// The component's file.
        file: String,
    },
    /// Its first instance did not start, so no other would.
    #[error("{file} does not start")]
    Start {
        /// The component's file.
        file: String,
        /// Why not.
        source: CallError,
    },
    /// The listening socket failed.
    #[error("the listening socket failed")]
    Listener(#[source] io::Error),
}

/// Answers requests with an app.
pub struct Server {
    app: App,
    pre: ProxyPre<State>,
    /// The export that is called.
    handler: Option<Called>,
    on_failure: Box<dyn Fn(&Failure) + Send + Sync>,
    instances: Arc<Semaphore>,
    concurrency: u32,
    waiting: AtomicUsize,
}

impl Server {
    /// Makes sure that the app can answer at all: it has the handler, and an instance of it starts.
    pub async fn new(app: App) -> Result<Self, ServeError> {
        let file = || app.name().to_owned();
        let pre = ProxyPre::new(app.pre().clone()).map_err(|_| ServeError::NoHandler { file: file() })?;
        app.session().await.map_err(|source| ServeError::Start { file: file(), source })?;
        let concurrency = app.concurrency();
        let exports = app.exports();
        let handler = exports.iter().find(|exported| {
            exported.interface().is_some_and(|name| name.starts_with("wasi:http/incoming-handler@"))
        });
        Ok(Self {
            handler: handler.map(|handler| handler.called()),
            app,
            pre,
            on_failure: Box::new(|_| {}),
            instances: Arc::new(Semaphore::new(concurrency as usize)),
            concurrency,
            waiting: AtomicUsize::new(0),
        })
    }

    /// Is told of every request that its guest failed, after the log; on the thread that serves the request.
    #[must_use]
    pub fn on_failure(mut self, tell: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.on_failure = Box::new(tell);
        self
    }

    fn tell(&self, failure: &Failure) {
        failure.log();
        (self.on_failure)(failure);
    }

    /// Who is blamed for an answer, of which no frame tells.
    fn scene(&self) -> Scene<'_> {
        Scene {
            index: self.app.blame(),
            called: self.handler.as_ref(),
            trace: None,
            coarse: self.app.is_coarse(),
        }
    }

    /// Accepts connections until `shutdown` is ready, then lets what is in flight finish, for as long as the
    /// limits allow.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let server = Arc::new(self);
        let room = Arc::new(Semaphore::new(server.app.limits().connections.max(1)));
        let (stop, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&listener, &room) => accepted?,
                Some(_) = connections.join_next() => continue,
            };
            let (stream, place) = accepted;
            let connection = Arc::clone(&server).connection(stream, stopped.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
        drop(listener);
        // The receivers are in the connections; without any there is nobody to tell.
        let _ = stop.send(true);
        server.drain(connections).await;
        Ok(())
    }

    /// Waits for the connections, and for guests that still work after their answer.
    async fn drain(&self, mut connections: JoinSet<()>) {
        let all = async {
            while connections.join_next().await.is_some() {}
            // Every permit back: no guest is running.
            let _ = self.instances.acquire_many(self.concurrency).await;
        };
        let limit = self.app.limits().drain;
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("some requests were still in flight after {limit:?} and were cut off");
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
        // Answers are often written in one piece, and then should leave at once.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.app.limits().stall.min(FOREVER)));
        let busy = Arc::new(AtomicUsize::new(0));
        let server = Arc::clone(&self);
        let service = service_fn({
            let busy = Arc::clone(&busy);
            move |request| {
                let server = Arc::clone(&server);
                let turn = Busy::enter(&busy);
                async move { Ok::<_, Infallible>(server.answer(request, turn).await) }
            }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_SIZE)
            .half_close(false);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = async { let _ = stopped.wait_for(|stopped| *stopped).await; } => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(LAST_CALL, connection.as_mut()).await {
                    Ok(outcome) => outcome,
                    // Open, but without a request: nothing is lost by closing it.
                    Err(_) if busy.load(Ordering::Acquire) == 0 => Ok(()),
                    Err(_) => connection.await,
                }
            }
        };
        if let Err(error) = outcome {
            // A client that hung up or spoke no HTTP. Its own affair.
            tracing::debug!("a connection ended: {error}");
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, turn: Busy) -> Response<Body> {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let response = match self.admit(&request).await {
            Ok(place) => self.ask_guest(request, place).await,
            Err(refused) => refused,
        };
        tracing::debug!("{method} {path}: {}", response.status().as_u16());
        response.map(|body| body::Counted::new(body, turn).boxed_unsync())
    }

    /// Checks what can be known before a guest is started, and waits for an instance's place.
    async fn admit(&self, request: &Request<Incoming>) -> Result<OwnedSemaphorePermit, Response<Body>> {
        if !has_authority(request) {
            return Err(problem(StatusCode::BAD_REQUEST, "The request has no valid Host header."));
        }
        let limit = self.app.limits().request_body;
        if declared_length(request.headers()).is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        if let Ok(place) = Arc::clone(&self.instances).try_acquire_owned() {
            return Ok(place);
        }
        let busy = || {
            let mut response =
                problem(StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once. Try again soon.");
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            response
        };
        let in_queue = Waiting::enter(&self.waiting);
        if in_queue.before >= self.app.limits().queue {
            return Err(busy());
        }
        let turn = Arc::clone(&self.instances).acquire_owned();
        match tokio::time::timeout(self.app.limits().time, turn).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(busy()),
        }
    }

    /// Starts a guest on the request, and answers as soon as it does. The guest goes on writing its body, and
    /// whatever it does after that, in its own task.
    async fn ask_guest(
        self: Arc<Self>,
        request: Request<Incoming>,
        place: OwnedSemaphorePermit,
    ) -> Response<Body> {
        let limits = *self.app.limits();
        let too_long = Arc::new(AtomicBool::new(false));
        let ended = Ended::new();
        let what = format!("{} {}", request.method(), request.uri().path());
        let request = request
            .map(|body| RequestBody::new(body, limits.request_body, Arc::clone(&too_long), ended.clone()));
        let (sender, answered) = oneshot::channel();
        let guest = tokio::spawn({
            let (server, what, ended) = (Arc::clone(&self), what.clone(), ended.clone());
            async move {
                let outcome = server.run_guest(request, sender, &ended).await;
                let outcome = outcome.map_err(|error| Failure::of(&what, &error));
                if let Err(failure) = &outcome {
                    server.tell(failure);
                }
                drop(place);
                outcome
            }
        });
        let answer: Option<GuestAnswer> = answered.await.ok();
        // Whatever the guest made of half a body, its client sent too much.
        if too_long.load(Ordering::Acquire) {
            return too_large(limits.request_body);
        }
        match answer {
            Some(Ok(response)) => self.limit_answer(response, what, ended),
            Some(Err(code)) => {
                let reason = format!("the guest answered with the error {code:?}");
                self.bad_answer(&what, reason, None)
            }
            None => match guest.await {
                Ok(Err(failure)) => failure.answer(),
                _ => {
                    let blame = Blame::silent(&self.scene());
                    self.bad_answer(&what, blame.reason.clone(), Some(blame))
                }
            },
        }
    }

    fn bad_answer(&self, request: &str, reason: String, blame: Option<Blame>) -> Response<Body> {
        let failure = Failure::bad_answer(request, reason, blame);
        self.tell(&failure);
        failure.answer()
    }

    /// Lets an answer through as far as its limit: what declares more is withheld, what turns out to be more is cut off.
    fn limit_answer(
        self: Arc<Self>,
        response: Response<Body>,
        request: String,
        ended: Ended,
    ) -> Response<Body> {
        let limit = self.app.limits().response_body;
        let blame = move |server: &Self| {
            let blame = Blame::limit(&server.scene(), LimitHit::ResponseBody(limit));
            (blame.reason.clone(), Some(blame))
        };
        if declared_length(response.headers()).is_some_and(|length| length > limit) {
            let (reason, blame) = blame(&self);
            return self.bad_answer(&request, reason, blame);
        }
        let too_long = move || {
            let (reason, blame) = blame(&self);
            self.tell(&Failure::bad_answer(&request, reason, blame));
        };
        response.map(|body| ResponseBody::new(body, limit, ended, too_long).boxed_unsync())
    }

    async fn run_guest(
        &self,
        request: Request<RequestBody>,
        answer: oneshot::Sender<GuestAnswer>,
        ended: &Ended,
    ) -> Result<(), CallError> {
        let mut store = new_store(&self.app)?;
        let (app, called) = (&self.app, self.handler.as_ref());
        let outcome = limited(&mut store, app, called, app.limits().time, async |store| {
            let http = &mut store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request)?;
            let out = http.new_response_outparam(answer)?;
            let proxy = self.pre.instantiate_async(&mut *store).await?;
            proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, out).await
        })
        .await;
        // Before the store goes, and with it the guest's end of the body: a body that ends because its guest
        // failed must not look complete.
        if outcome.is_err() {
            ended.fail();
        }
        drop(store);
        outcome
    }
}

/// Serves an app on a listener until `shutdown` is ready: see [`Server`].
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    Server::new(app).await?.serve(listener, shutdown).await
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Result<(TcpStream, OwnedSemaphorePermit), ServeError> {
    loop {
        let place = Arc::clone(room)
            .acquire_owned()
            .await
            .map_err(|error| ServeError::Listener(io::Error::other(error)))?;
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, place)),
            Err(error) if is_passing(&error) => {
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(BACK_OFF).await;
            }
            Err(error) => return Err(ServeError::Listener(error)),
        }
    }
}

/// Whether the next attempt may go better: the client has gone, or the system is short of something.
fn is_passing(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected)
}

fn has_authority(request: &Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    // Two of them are read in two ways: by whoever stands before this host, and by the guest.
    if hosts.next().is_some() {
        return false;
    }
    if request.uri().authority().is_some() {
        return true;
    }
    let host = host.and_then(|host| host.to_str().ok());
    host.is_some_and(|host| host.parse::<http::uri::Authority>().is_ok())
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: u64) -> Response<Body> {
    problem(StatusCode::PAYLOAD_TOO_LARGE, &format!("The body of a request may have up to {limit} bytes."))
}

/// Counts the requests in flight on a connection, until their answers have been sent.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn enter(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A place in the queue for an instance.
struct Waiting<'a> {
    queue: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn enter(queue: &'a AtomicUsize) -> Self {
        let before = queue.fetch_add(1, Ordering::AcqRel);
        Self { queue, before }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.queue.fetch_sub(1, Ordering::AcqRel);
    }
}
