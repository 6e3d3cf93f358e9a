//! The address for whoever runs the host: metrics, and whether it lives and is ready.
//!
//! It is another one than that of the server, is off where nobody named it, and speaks HTTP/1.1: `GET /metrics`, `GET /livez`,
//! `GET /readyz`, and `POST /swap`. What changes something is let in from this machine only, and never from a page in a
//! browser.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::movement::{LastMove, Watch, Watched};
use crate::observe::{MEDIA_TYPE, Observe, Stage};
use crate::serve::answer::problem;
use crate::serve::{BACK_OFF, Body, SwapError, Swapped};

/// Connections at the same time; the next one waits to be accepted.
const CONNECTIONS: usize = 64;
/// How long a connection may take to send the head of a request, or have none.
const IDLE: Duration = Duration::from_secs(15);
/// How long nothing may move on a connection, while nothing is done for it either: whoever takes nothing of an answer does
/// not keep its place.
const STILL: Duration = Duration::from_secs(30);

/// Where the administrator is listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminAddr {
    /// An address of the network; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A socket in the file system, that only the owner of the host may use.
    Unix(PathBuf),
}

impl FromStr for AdminAddr {
    type Err = String;

    /// `ADDRESS:PORT`, or `unix:PATH`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some("") => Err("there is no path after unix:; write for example unix:run/admin.sock".to_owned()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                format!("{text:?} is no address; write for example 127.0.0.1:9090 or unix:run/admin.sock")
            }),
        }
    }
}

impl fmt::Display for AdminAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why there is no such listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The address is taken, or is not one of this machine.
    #[error(
        "cannot listen on {address} for the administrator. Stop whoever listens there, or name another address: --admin 127.0.0.1:0 takes a free port"
    )]
    Listen {
        /// The address.
        address: AdminAddr,
        /// What the system said.
        source: io::Error,
    },
    /// What lies at the path is no socket, and is left alone.
    #[error("{} is there already, and is no socket: it is left as it is. Name another path for --admin", .0.display())]
    NoSocket(PathBuf),
    /// Another host listens there.
    #[error("another process listens on {}. Stop it, or name another path for --admin", .0.display())]
    InUse(PathBuf),
}

/// A bound listener. Its socket file, if it has one, is removed with it.
pub struct AdminListener {
    socket: Socket,
    address: AdminAddr,
}

enum Socket {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _file: SocketFile },
}

impl AdminListener {
    /// Begins to listen.
    ///
    /// A socket in the file system is made for its owner alone (mode 600). One that nobody listens on any more, left by a
    /// host that was killed, is replaced.
    ///
    /// # Errors
    ///
    /// Where the address is taken, or what is at the path is no socket.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub async fn bind(address: &AdminAddr) -> Result<Self, AdminError> {
        let cannot = |source| AdminError::Listen { address: address.clone(), source };
        match address {
            AdminAddr::Tcp(wanted) => {
                let listener = TcpListener::bind(wanted).await.map_err(cannot)?;
                let address = AdminAddr::Tcp(listener.local_addr().map_err(cannot)?);
                Ok(Self { socket: Socket::Tcp(listener), address })
            }
            AdminAddr::Unix(path) => {
                make_way(path)?;
                // The mask is that of the process: what another thread makes meanwhile is for the owner too.
                let before = umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
                let bound = UnixListener::bind(path);
                umask(before);
                let listener = bound.map_err(cannot)?;
                let file = SocketFile::at(path).map_err(cannot)?;
                Ok(Self { socket: Socket::Unix { listener, _file: file }, address: address.clone() })
            }
        }
    }

    /// Where it listens: with the port that it was given, where it asked for a free one.
    #[must_use]
    pub fn address(&self) -> &AdminAddr {
        &self.address
    }
}

impl fmt::Debug for AdminListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AdminListener").field(&self.address).finish()
    }
}

/// Removes a socket that nobody listens on.
fn make_way(path: &Path) -> Result<(), AdminError> {
    use std::os::unix::fs::FileTypeExt;

    let Ok(there) = path.symlink_metadata() else { return Ok(()) };
    if !there.file_type().is_socket() {
        return Err(AdminError::NoSocket(path.to_owned()));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        // Whatever else is wrong with it shows when it is bound.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let _ = std::fs::remove_file(path);
            Ok(())
        }
        Err(_) => Ok(()),
        Ok(_) => Err(AdminError::InUse(path.to_owned())),
    }
}

/// The file of a socket, which goes with it; but not one that has taken its place.
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let file = path.symlink_metadata()?;
    Ok((file.dev(), file.ino()))
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Peer {
    /// Somebody who may open the socket's file.
    Unix,
    Tcp(SocketAddr),
}

/// Why the running component stays, for whoever asked for another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSwapped {
    /// There can be no swap at the moment: to be asked for again soon. Answered 503, with `Retry-After`.
    #[error("{0}")]
    NotNow(String),
    /// It cannot take over, as things are. Answered 409.
    #[error("{0}")]
    Refused(String),
}

impl From<SwapError> for NotSwapped {
    fn from(error: SwapError) -> Self {
        let again = matches!(error, SwapError::Busy);
        // With its causes, on one line.
        let why = format!("{:#}", anyhow::Error::new(error));
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        if again { Self::NotNow(why) } else { Self::Refused(why) }
    }
}

/// Swaps in what is to be served now.
type Swap = dyn Fn() -> BoxFuture<'static, Result<Swapped, NotSwapped>> + Send + Sync;

/// What is answered at one address: the state of a server that runs.
#[derive(Clone)]
pub struct Admin {
    observe: Arc<Observe>,
    swap: Option<Arc<Swap>>,
}

/// What can be asked for.
struct Route {
    method: Method,
    path: &'static str,
    answer: for<'a> fn(&'a Admin) -> BoxFuture<'a, Response<Body>>,
}

static ROUTES: [Route; 4] = [
    Route { method: Method::GET, path: "/metrics", answer: |admin| Box::pin(ready(admin.metrics())) },
    Route { method: Method::GET, path: "/livez", answer: |_| Box::pin(ready(fine("live\n"))) },
    Route { method: Method::GET, path: "/readyz", answer: |admin| Box::pin(ready(admin.readiness())) },
    Route { method: Method::POST, path: "/swap", answer: |admin| Box::pin(admin.swap()) },
];

impl Admin {
    /// Tells of the server that is watched by this.
    #[must_use]
    pub fn new(observe: Arc<Observe>) -> Self {
        Self { observe, swap: None }
    }

    /// Also swaps the component of the server, at `POST /swap`.
    #[must_use]
    pub fn swap_by(
        mut self,
        swap: impl Fn() -> BoxFuture<'static, Result<Swapped, NotSwapped>> + Send + Sync + 'static,
    ) -> Self {
        self.swap = Some(Arc::new(swap));
        self
    }

    /// Answers until `shutdown` is ready. Requests that come in then are not answered any more.
    pub async fn serve(self, listener: AdminListener, shutdown: impl Future<Output = ()> + Send) {
        self.serve_until(listener, shutdown.boxed()).await;
    }

    /// Boxed, so that it is compiled here once.
    fn serve_until<'a>(self, listener: AdminListener, shutdown: BoxFuture<'a, ()>) -> BoxFuture<'a, ()> {
        self.accept_until(listener, shutdown).boxed()
    }

    async fn accept_until(self, listener: AdminListener, mut shutdown: BoxFuture<'_, ()>) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = self.accept(&listener, &room) => accepted,
            };
            match accepted {
                Ok(connection) => drop(connections.spawn(connection)),
                Err(error) => {
                    tracing::warn!("a connection of the administrator was not accepted: {error}");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// The next connection, once there is room for it, as a future that answers it.
    async fn accept(
        &self,
        listener: &AdminListener,
        room: &Arc<Semaphore>,
    ) -> io::Result<BoxFuture<'static, ()>> {
        let place = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
        let admin = self.clone();
        Ok(match &listener.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Box::pin(admin.connection(stream, Peer::Tcp(peer), place))
            }
            Socket::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Box::pin(admin.connection(stream, Peer::Unix, place))
            }
        })
    }

    async fn connection(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        peer: Peer,
        _place: OwnedSemaphorePermit,
    ) {
        let moves = Moves::new();
        let service = service_fn(|request: Request<Incoming>| {
            let (admin, answering) = (self.clone(), moves.answering());
            async move {
                let _answering = answering;
                let (head, _) = request.into_parts();
                Ok::<_, Infallible>(match asked_for(&head, peer) {
                    Ok(route) => (route.answer)(&admin).await,
                    Err(refused) => *refused,
                })
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .serve_connection(TokioIo::new(Watched::new(stream, &moves)), service);
        tokio::select! {
            outcome = connection => {
                if let Err(error) = outcome {
                    tracing::debug!("a connection of the administrator ended: {error}");
                }
            }
            () = moves.end(STILL) => {
                tracing::debug!("a connection of the administrator was closed: nothing moved on it");
            }
        }
    }

    fn metrics(&self) -> Response<Body> {
        match &self.observe.metrics {
            Some(metrics) => text(metrics.text(), MEDIA_TYPE),
            None => problem(StatusCode::NOT_FOUND, "Nothing is counted."),
        }
    }

    async fn swap(&self) -> Response<Body> {
        let Some(swap) = &self.swap else {
            return problem(StatusCode::NOT_FOUND, "The component of this server cannot be swapped.");
        };
        match swap().await {
            Ok(swapped) => text(serde_json::json!(swapped).to_string() + "\n", "application/json"),
            Err(NotSwapped::NotNow(why)) => {
                let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, &why);
                let soon = header::HeaderValue::from_static("1");
                response.headers_mut().insert(header::RETRY_AFTER, soon);
                response
            }
            Err(NotSwapped::Refused(why)) => problem(StatusCode::CONFLICT, &why),
        }
    }

    fn readiness(&self) -> Response<Body> {
        match self.observe.readiness.stage() {
            Stage::Ready => fine("ready\n"),
            Stage::Starting => problem(StatusCode::SERVICE_UNAVAILABLE, "The server does not accept yet."),
            Stage::Draining => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "The server stops: it finishes what is in flight.")
            }
        }
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

/// Tells when something last moved on a connection, and whether something is being done for it: a swap takes its time.
struct Moves {
    last: LastMove,
    /// Requests that have no answer yet.
    answering: AtomicUsize,
}

impl Moves {
    fn new() -> Arc<Self> {
        Arc::new(Self { last: LastMove::new(), answering: AtomicUsize::new(0) })
    }

    /// A request is there. It has no answer until what this gives is dropped.
    fn answering(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Ordering::AcqRel);
        Answering(Arc::clone(self))
    }

    /// Waits until nothing has moved for so long, and nothing is being done.
    async fn end(&self, still: Duration) {
        loop {
            let now = Instant::now();
            let last = self.last.at();
            let next = match self.answering.load(Ordering::Acquire) {
                0 if now >= last + still => return,
                0 => last + still,
                _ => now + still,
            };
            tokio::time::sleep_until(next).await;
        }
    }
}

/// A request that has no answer yet.
struct Answering(Arc<Moves>);

impl Drop for Answering {
    fn drop(&mut self) {
        // The time to take the answer begins now.
        self.0.last.note();
        self.0.answering.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Watch for Moves {
    fn read(&self, bytes: usize) {
        if bytes > 0 {
            self.last.note();
        }
    }

    fn written(&self, outcome: &Poll<io::Result<usize>>) {
        if matches!(outcome, Poll::Ready(Ok(1..))) {
            self.last.note();
        }
    }
}

/// What a request is for, if it may be asked for.
fn asked_for(head: &Parts, peer: Peer) -> Result<&'static Route, Box<Response<Body>>> {
    let path = head.uri.path();
    if !ROUTES.iter().any(|route| route.path == path) {
        let paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
        let there = format!("There is {}.", paths.join(", "));
        return Err(Box::new(problem(StatusCode::NOT_FOUND, &there)));
    }
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    let Some(route) = ROUTES.iter().find(|route| route.path == path && route.method == *method) else {
        return Err(Box::new(wrong_method(path)));
    };
    if is_page(&head.headers) {
        return Err(Box::new(problem(StatusCode::FORBIDDEN, "Nothing here is for pages in a browser.")));
    }
    if !route.method.is_safe()
        && let Err(why) = may_change(peer, &head.headers)
    {
        return Err(Box::new(problem(StatusCode::FORBIDDEN, why)));
    }
    Ok(route)
}

/// Whether who asks is a page in a browser, which may not even read: where it comes from is in no answer to it, but pages of
/// one host may look like those of another.
fn is_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != "none")
}

/// Whether who asks may change something: a process on this machine, under an address or a name that is no other machine's.
/// A name that leads here is how a page in a browser gets around where it comes from.
fn may_change(peer: Peer, headers: &HeaderMap) -> Result<(), &'static str> {
    match peer {
        Peer::Unix => Ok(()),
        Peer::Tcp(address) if !address.ip().to_canonical().is_loopback() => {
            Err("Only processes on the host's own machine change something here.")
        }
        Peer::Tcp(_) if !is_of_this_machine(headers) => {
            Err("Only requests to an address or to localhost change something here: see the Host header.")
        }
        Peer::Tcp(_) => Ok(()),
    }
}

/// Whether the one host that is named is an address, or this machine.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(authority) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    !authority.as_str().contains('@')
        && (name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok())
}

fn wrong_method(path: &str) -> Response<Body> {
    let methods = ROUTES.iter().filter(|route| route.path == path).map(|route| match route.method {
        Method::GET => "GET, HEAD",
        _ => route.method.as_str(),
    });
    let methods = methods.collect::<Vec<_>>().join(", ");
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, &format!("{path} takes {methods}."));
    if let Ok(allowed) = methods.parse() {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

fn fine(word: &'static str) -> Response<Body> {
    text(word, "text/plain; charset=utf-8")
}

fn text(text: impl Into<Bytes>, media_type: &'static str) -> Response<Body> {
    let body = Full::new(text.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    // Every answer is about this moment.
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_processes_on_this_machine_change_something() {
        let here: HeaderMap = [(header::HOST, "localhost:9090".parse().unwrap())].into_iter().collect();
        assert!(may_change(Peer::Unix, &HeaderMap::new()).is_ok());
        for (address, may) in [
            ("127.0.0.1:80", true),
            ("127.9.9.9:80", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("10.0.0.1:80", false),
            ("[::ffff:10.0.0.1]:80", false),
            ("[fe80::1]:80", false),
            ("0.0.0.0:80", false),
        ] {
            assert_eq!(may_change(Peer::Tcp(address.parse().unwrap()), &here).is_ok(), may, "{address}");
        }
        let peer = Peer::Tcp("127.0.0.1:80".parse().unwrap());
        for (host, may) in [
            ("127.0.0.1:9090", true),
            ("[::1]", true),
            ("LOCALHOST", true),
            ("elsewhere.example:9090", false),
            ("localhost.elsewhere.example", false),
            ("u@localhost", false),
            ("", false),
        ] {
            let headers: HeaderMap = [(header::HOST, host.parse().unwrap())].into_iter().collect();
            assert_eq!(may_change(peer, &headers).is_ok(), may, "{host}");
        }
        assert!(may_change(peer, &HeaderMap::new()).is_err());
    }

    #[tokio::test]
    async fn a_connection_on_which_nothing_moves_ends_unless_something_is_done_for_it() {
        let still = Duration::from_millis(20);
        let moves = Moves::new();
        moves.end(still).await;
        assert!(moves.last.began.elapsed() >= still);
        let answering = moves.answering();
        assert!(tokio::time::timeout(10 * still, moves.end(still)).await.is_err());
        let answered = Instant::now();
        drop(answering);
        moves.end(still).await;
        // Times are kept in milliseconds.
        assert!(answered.elapsed() + Duration::from_millis(1) >= still);
    }

    #[test]
    fn pages_in_a_browser_are_known() {
        for origin in ["https://elsewhere.example", "http://127.0.0.1:9090", "null", ""] {
            let headers: HeaderMap = [(header::ORIGIN, origin.parse().unwrap())].into_iter().collect();
            assert!(is_page(&headers), "{origin:?}");
        }
        for (site, page) in
            [("cross-site", true), ("same-site", true), ("same-origin", true), ("none", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert("sec-fetch-site", site.parse().unwrap());
            assert_eq!(is_page(&headers), page, "{site}");
        }
    }

    #[test]
    fn addresses_are_read_from_text() {
        assert_eq!("127.0.0.1:0".parse(), Ok(AdminAddr::Tcp("127.0.0.1:0".parse().unwrap())));
        assert_eq!("unix:a/b".parse(), Ok(AdminAddr::Unix("a/b".into())));
        for text in ["", "unix:", "127.0.0.1", "here:1", "http://127.0.0.1:1"] {
            assert!(text.parse::<AdminAddr>().unwrap_err().contains("write for example"), "{text:?}");
        }
    }
}
