//! What can be known of a request before a guest is started on it, and the queue for an instance.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header};
use hyper::body::Incoming;

use super::answer::problem;
use super::composition::Place;
use super::proxies::scheme;
use super::{Asked, Body};
use crate::observe::{Away, Observe};

/// An answer that no guest was asked for.
type Refused = Box<Response<Body>>;

/// Where a request arrived.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) local: SocketAddr,
    /// Whether its peer may say by which scheme it came.
    pub(super) trusted: bool,
}

/// Checks what can be known before a guest is started, and waits for an instance's place. The request that comes out
/// has scheme and authority in its URI.
pub(super) async fn admit(
    request: Request<Incoming>,
    arrival: Arrival,
    asked: &Asked,
    observe: &Observe,
) -> Result<(Request<Incoming>, Place), Refused> {
    let Asked { composition, traffic, .. } = asked;
    let limits = composition.app.limits();
    let request = check(request, arrival, limits.request_body)?;
    // A client that resets its requests on HTTP/2 may send others at once, and the guests go on.
    if traffic.guests() >= limits.streams.max(1) as usize {
        return Err(busy(observe, Away::Connection));
    }
    if let Some(place) = composition.try_place() {
        return Ok((request, place));
    }
    let in_queue = Waiting::enter(&composition.waiting);
    if in_queue.before >= limits.queue {
        return Err(busy(observe, Away::Queue));
    }
    let _queued = observe.queued(asked.trace.as_ref());
    match tokio::time::timeout(limits.time, composition.place()).await {
        Ok(Some(place)) => Ok((request, place)),
        _ => Err(busy(observe, Away::Wait)),
    }
}

/// Checks what the head of a request tells.
fn check(request: Request<Incoming>, arrival: Arrival, limit: u64) -> Result<Request<Incoming>, Refused> {
    if request.method() == Method::CONNECT {
        return Err(Box::new(problem(StatusCode::NOT_IMPLEMENTED, "This server makes no tunnels.")));
    }
    if declared_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Box::new(too_large(limit)));
    }
    let scheme = if arrival.trusted { scheme(request.headers(), request.uri()) } else { Scheme::HTTP };
    let Some(uri) =
        authority(&request, arrival.local).and_then(|authority| absolute(&request, scheme, authority))
    else {
        return Err(Box::new(problem(
            StatusCode::BAD_REQUEST,
            "The request has no valid Host header, or one that is not what it is for.",
        )));
    };
    let (mut head, body) = request.into_parts();
    head.uri = uri;
    Ok(Request::from_parts(head, body))
}

/// The answer to a request that has no place, and why it has none.
fn busy(observe: &Observe, why: Away) -> Refused {
    observe.turned_away(why);
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once. Try again soon.");
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    Box::new(response)
}

/// The host and port that a request is for. Before HTTP/1.1 it need not say so: then it is for where it arrived.
fn authority(request: &Request<Incoming>, local: SocketAddr) -> Option<Authority> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    // Two of them are read in two ways: by whoever stands before this host, and by the guest.
    if hosts.next().is_some() {
        return None;
    }
    let said = match host {
        Some(host) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        None => None,
    };
    match (request.uri().authority(), said) {
        // On HTTP/1 the target goes before the header; on HTTP/2 they have to be the same.
        (Some(target), Some(said)) if request.version() == Version::HTTP_2 && *target != said => None,
        (Some(target), _) => Some(target.clone()),
        (None, Some(said)) => Some(said),
        (None, None) if request.version() < Version::HTTP_11 => local.to_string().parse().ok(),
        (None, None) => None,
    }
}

/// The URI with its scheme and authority.
fn absolute(request: &Request<Incoming>, scheme: Scheme, authority: Authority) -> Option<Uri> {
    let path = request.uri().path_and_query().cloned();
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(scheme);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
    Uri::from_parts(parts).ok()
}

/// The length that a body is said to have.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The answer to a body that is too long.
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
