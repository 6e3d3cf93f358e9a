//! What can be known of a request before a guest is started on it, and the queue for an instance.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use super::answer::problem;
use super::{Body, Server};

impl Server {
    /// Checks what can be known before a guest is started, and waits for an instance's place.
    pub(super) async fn admit(
        &self,
        request: &Request<Incoming>,
    ) -> Result<OwnedSemaphorePermit, Response<Body>> {
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

/// The length that a body is said to have.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn too_large(limit: u64) -> Response<Body> {
    problem(StatusCode::PAYLOAD_TOO_LARGE, &format!("The body of a request may have up to {limit} bytes."))
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
