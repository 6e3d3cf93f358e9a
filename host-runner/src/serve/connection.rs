//! Connections: how they are accepted, what is spoken on them, and when they end.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

use super::body::Counted;
use super::{Body, ServeError, Server};
use crate::session::FOREVER;

/// How long a client may take to send the head of a request, and to keep a connection idle.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Bytes in the head of a request.
const HEAD_SIZE: usize = 64 << 10;
/// How long a stopping server still listens to a connection that has no request in flight.
const LAST_CALL: Duration = Duration::from_millis(100);
/// How long to hold off when the system has no more sockets.
const BACK_OFF: Duration = Duration::from_millis(50);

impl Server {
    pub(super) async fn connection(self: Arc<Self>, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
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
        response.map(|body| Counted::new(body, turn).boxed_unsync())
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

/// Counts the requests in flight on a connection, until their answers have been sent.
pub(super) struct Busy(Arc<AtomicUsize>);

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
