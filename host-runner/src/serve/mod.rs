//! HTTP: a fresh instance of the component for every request, unless the operator names it safe for more of them.
//!
//! Isolation is the point: what one request does to its instance (a trap, a leak, an endless loop) ends with
//! that instance; where instances are used again, not these. A request waits for its turn when all instances are
//! busy, and is turned away when too many wait. A guest runs to its end even when its client has gone: it may be in
//! the middle of a write.

mod admit;
pub(crate) mod answer;
mod body;
mod composition;
mod connection;
mod failure;
mod frames;
mod gather;
mod guest;
mod handler;
mod heads;
mod places;
mod proxies;
mod reuse;
mod room;
mod screen;
mod socket;
mod swap;
mod traffic;

use std::io;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::app::App;
use crate::observe::{Observe, Stage, Trace};
use crate::run::Use;
use crate::session::CallError;
use composition::Composition;
pub(crate) use connection::BACK_OFF;
use connection::accept;
use failure::Case;
pub use failure::Failure;
pub use proxies::{Proxy, ProxyError};
use swap::Running;
pub use swap::{SwapError, Swapped, Swapper};
use traffic::Traffic;

pub(crate) type Body = UnsyncBoxBody<bytes::Bytes, wasmtime_wasi_http::Error>;

/// What is asked of a guest, and by whom.
struct Asked {
    /// What answers it.
    composition: Arc<Composition>,
    case: Arc<Case>,
    method: Method,
    /// The traffic on its connection.
    traffic: Arc<Traffic>,
    /// The trace that it is in.
    trace: Option<Trace>,
}

/// Why a component cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It has no handler for requests.
    #[error(
        "{file} does not answer HTTP requests: it exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3{instead}",
        instead = instead.map(|instead| format!(". {instead}")).unwrap_or_default()
    )]
    NoHandler {
        /// The component's file.
        file: String,
        /// What it can be used for.
        instead: Option<Use>,
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

/// Answers requests with an app, until another one is [swapped](Swapper::swap) in.
pub struct Server {
    running: Arc<Running>,
    /// Who may say by which scheme a request came.
    proxies: Vec<Proxy>,
    on_failure: Box<dyn Fn(&Failure) + Send + Sync>,
    observe: Arc<Observe>,
}

impl Server {
    /// Makes sure that the app can answer at all: it has the handler, and an instance of it starts.
    pub async fn new(app: App) -> Result<Self, ServeError> {
        let running = Arc::new(Running::start(app).await?);
        Ok(Self { running, proxies: Vec::new(), on_failure: Box::new(|_| {}), observe: Arc::default() })
    }

    /// Is watched: its requests are counted, and whether it is ready can be seen.
    #[must_use]
    pub fn observe(mut self, observe: Arc<Observe>) -> Self {
        let running = self.running.current();
        running.watch(&observe);
        running.runs_now(&observe);
        self.observe = observe;
        self
    }

    /// Trusts these peers to say by which scheme a request reached them: in `Forwarded`, `X-Forwarded-Proto`, or the target
    /// of the request. Guests see `http` in requests of all others, and `https` where a trusted peer says so.
    #[must_use]
    pub fn trust(mut self, proxies: Vec<Proxy>) -> Self {
        self.proxies = proxies;
        self
    }

    /// Is told of every request that its guest failed, after the log; on the thread that serves the request.
    #[must_use]
    pub fn on_failure(mut self, tell: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.on_failure = Box::new(tell);
        self
    }

    /// What puts another app in the place of the running one, while the server serves. That one is watched by whoever
    /// watches the server by now.
    pub fn swapper(&self) -> Swapper {
        Swapper::new(&self.running, &self.observe)
    }

    /// Tells of a failure, and gives the one that the request has: its first. A later one, such as what a guest makes of
    /// a stream that is cut off, is counted, and no more than mentioned.
    fn tell<'a>(&self, case: &'a Case, failure: Failure) -> &'a Failure {
        self.observe.failed(failure.blame.as_ref());
        if let Err(later) = case.failure.set(failure) {
            later.mention();
        } else if let Some(first) = case.failure.get() {
            first.log();
            (self.on_failure)(first);
        }
        case.failure.get().expect("there is one now")
    }

    /// Accepts connections until `shutdown` is ready, then lets what is in flight finish, for as long as the
    /// limits allow.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError> {
        self.serve_until(listener, shutdown.boxed()).await
    }

    /// Boxed, as are the other beginnings of what a server does: so it is compiled here once, and not in every crate that
    /// serves.
    fn serve_until<'a>(
        self,
        listener: TcpListener,
        shutdown: BoxFuture<'a, ()>,
    ) -> BoxFuture<'a, Result<(), ServeError>> {
        self.accept_until(listener, shutdown).boxed()
    }

    async fn accept_until(
        self,
        listener: TcpListener,
        mut shutdown: BoxFuture<'_, ()>,
    ) -> Result<(), ServeError> {
        let server = Arc::new(self);
        let connections = server.running.current().app.limits().connections;
        let room = Arc::new(Semaphore::new(connections.max(1)));
        let (stop, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        server.observe.readiness.set(Stage::Ready);
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
        // Another composition would have instances to wait for, and nobody to answer.
        server.running.stop();
        server.observe.readiness.set(Stage::Draining);
        drop(listener);
        // The receivers are in the connections; without any there is nobody to tell.
        let _ = stop.send(true);
        server.drain(connections).await;
        Ok(())
    }

    /// Waits for the connections, and for guests that still work after their answer.
    async fn drain(&self, mut connections: JoinSet<()>) {
        self.running.current().warm.close();
        let all = async {
            while connections.join_next().await.is_some() {}
            self.running.wait_until_idle().await;
        };
        let limit = self.running.current().drain();
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("some requests were still in flight after {limit:?} and were cut off");
        }
    }
}

/// Serves an app on a listener until `shutdown` is ready: see [`Server`].
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    Server::new(app).await?.serve(listener, shutdown).await
}
