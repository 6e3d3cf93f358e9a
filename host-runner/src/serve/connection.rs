//! Connections: how they are accepted, what is spoken on them, and when they end.
//!
//! HTTP/1 and HTTP/2 are spoken on one port: a connection that begins with the preface of HTTP/2 is one, without an
//! upgrade and without TLS.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::admit::{Arrival, admit};
use super::body::Counted;
use super::failure::{Case, new_id};
use super::socket::Socket;
use super::traffic::{End, Traffic, Turn};
use super::{Asked, ServeError, Server};
use crate::limits::Limits;
use crate::movement::Watched;
use crate::observe::beginning;

/// The least that a limit on the head of a request can be: what the parser reads at once.
const LEAST_HEAD: usize = 8 << 10;
/// Streams that a client may reset before they are answered, and streams that the host resets for the client's errors,
/// before the connection is closed for it.
const RESETS: usize = 50;
/// Bytes of an answer on HTTP/2 that wait for the client, and of a request that wait for the guest.
const WINDOW: u32 = 64 << 10;
/// The same for requests on all streams of a connection together.
const CONNECTION_WINDOW: u32 = 1 << 20;
/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(15);
/// How long a stopping server still listens to a connection that has no request in flight.
const LAST_CALL: Duration = Duration::from_millis(100);
/// How long to hold off when the system has no more sockets.
pub(crate) const BACK_OFF: Duration = Duration::from_millis(50);

fn builder(limits: &Limits, ping: Duration) -> auto::Builder<TokioExecutor> {
    let head = limits.request_head.max(LEAST_HEAD);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The head has to be there before the connection counts as idle.
        .header_read_timeout(None)
        .max_buf_size(head)
        // Whoever has sent all that it has to say may close its half, and still reads the answer.
        .half_close(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams.max(1))
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(WINDOW as usize)
        .keep_alive_interval(ping)
        .keep_alive_timeout(ping);
    builder
}

impl Server {
    pub(super) async fn connection(self: Arc<Self>, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
        // Answers are often written in one piece, and then should leave at once.
        let _ = stream.set_nodelay(true);
        let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return };
        let trusted = self.proxies.iter().any(|proxy| proxy.includes(peer.ip()));
        let arrival = Arrival { local, trusted };
        let _open = self.observe.connection();
        let (socket, presence) = Socket::new(stream);
        let traffic = Traffic::new(Some(presence));
        let stream = Watched::new(socket, &traffic);
        let server = Arc::clone(&self);
        let service = service_fn({
            let traffic = Arc::clone(&traffic);
            move |request| {
                let server = Arc::clone(&server);
                let turn = Turn::enter(&traffic);
                async move { Ok::<_, Infallible>(server.answer(request, arrival, turn).await) }
            }
        });
        let limits = *self.running.current().app.limits();
        let builder = builder(&limits, PING);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut closing = false;
        loop {
            let idle = if closing { LAST_CALL } else { limits.idle };
            tokio::select! {
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        // A client that hung up or spoke no HTTP. Its own affair.
                        tracing::debug!("a connection ended: {error}");
                    }
                    return;
                }
                () = async { let _ = stopped.wait_for(|stopped| *stopped).await; }, if !closing => {}
                end = traffic.end(idle, limits.stall, limits.rate) => {
                    // Open, but without a request: nothing is lost by closing it.
                    if closing || end != End::Idle {
                        tracing::debug!("a connection was closed: {end:?}");
                        return;
                    }
                }
            }
            closing = true;
            connection.as_mut().graceful_shutdown();
        }
    }

    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        arrival: Arrival,
        turn: Turn,
    ) -> Response<Counted> {
        let id: Arc<str> = new_id().into();
        let mut seen = self.observe.request(&mut request, &id);
        let composition = self.running.current();
        let what: Arc<str> = format!("{} {}", request.method(), beginning(request.uri().path())).into();
        let case = Arc::new(Case {
            id: Arc::clone(&id),
            what: Arc::clone(&what),
            witness: Arc::clone(&composition.witness),
            failure: OnceLock::new(),
        });
        let asked = Asked {
            composition,
            case: Arc::clone(&case),
            method: request.method().clone(),
            traffic: Arc::clone(turn.traffic()),
            trace: seen.trace(),
        };
        let response = match admit(request, arrival, &asked, &self.observe).await {
            Ok(admitted) => self.ask_guest(admitted, asked).await,
            Err(refused) => *refused,
        };
        tracing::debug!(id = &*id, "{what}: {}", response.status().as_u16());
        seen.answered(response.status());
        response.map(|body| Counted::new(body, turn, case, seen))
    }
}

/// The next connection, once there is room for it.
pub(super) async fn accept(
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper::client::conn::http2;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::Instant;

    use super::super::Body;
    use super::*;

    /// Serves a connection whose requests are never answered; gives how long it lasts.
    async fn unanswered(stream: DuplexStream, ping: Duration) -> Duration {
        let began = Instant::now();
        let service = service_fn(|_| std::future::pending::<Result<Response<Body>, Infallible>>());
        let _ = builder(&Limits::default(), ping).serve_connection(TokioIo::new(stream), service).await;
        began.elapsed()
    }

    /// The beginning of HTTP/2 and an empty list of settings, and then never a word.
    #[tokio::test]
    async fn a_client_of_http_2_that_is_not_there_any_more_loses_its_connection() {
        let ping = Duration::from_millis(50);
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        theirs.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let taken = tokio::spawn(async move { while theirs.read_u8().await.is_ok() {} });
        let lasted =
            tokio::time::timeout(Duration::from_secs(60), unanswered(ours, ping)).await.expect("it ends");
        assert!(lasted >= ping, "{lasted:?}");
        taken.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_of_http_2_that_waits_for_its_answer_keeps_its_connection() {
        let ping = Duration::from_millis(500);
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let served = tokio::spawn(unanswered(ours, ping));
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(theirs)).await.unwrap();
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(Request::new(Empty::<Bytes>::new()));
        assert!(tokio::time::timeout(4 * ping, answer).await.is_err());
        assert!(!served.is_finished());
        connection.abort();
        assert!(served.await.unwrap() >= 4 * ping);
    }
}
