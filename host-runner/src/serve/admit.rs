//! What can be known of a request before a guest is started on it, and the queue for an instance.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;

use super::answer::problem;
use super::body::{BodyLimits, Ended, Fault, Inflow, RequestBody, declared_length};
use super::gather::{gather, patience};
use super::places::{Place, Share, half};
use super::proxies::scheme;
use super::room::Room;
use super::{Asked, Body};
use crate::descent;
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

/// A request that has a place.
pub(super) struct Admitted {
    pub(super) request: Request<RequestBody>,
    pub(super) place: Place,
    /// The share of the places that it has for as long as it has its place.
    pub(super) share: Option<Share>,
    pub(super) inflow: Inflow,
    pub(super) ended: Ended,
    /// How many requests of guests led to it.
    pub(super) depth: u32,
}

/// Checks what can be known before a guest is started, waits for what the guest is to work on, and then for an instance's
/// place. The request that comes out has scheme and authority in its URI.
pub(super) async fn admit(
    request: Request<Incoming>,
    arrival: Arrival,
    asked: &Asked,
    observe: &Observe,
) -> Result<Admitted, Refused> {
    let Asked { composition, traffic, .. } = asked;
    let limits = composition.app.limits();
    let mut request = check(request, arrival, limits.request_body)?;
    let depth = descent::take(request.headers_mut());
    if depth > limits.depth {
        observe.turned_away(Away::Depth);
        return Err(Box::new(problem(
            StatusCode::LOOP_DETECTED,
            "The applications of this server have passed this request on too often.",
        )));
    }
    let (inflow, ended) = (Inflow::default(), Ended::new());
    let body_limits = BodyLimits { length: limits.request_body, stall: limits.body_stall, rate: limits.rate };
    let (head, body) = request.into_parts();
    let mut body = RequestBody::new(body, body_limits, inflow.clone(), ended.clone());
    let room = composition.gathering();
    let patience = patience(&head.headers);
    let whole = match patience {
        _ if body.is_end_stream() => true,
        None => false,
        Some(patience) => match tokio::time::timeout(patience, gather(&mut body, room)).await {
            Ok(outcome) => outcome.map_err(|fault| Box::new(faulty(fault, limits.request_body)))?,
            Err(_) => false,
        },
    };
    // A client that resets its requests on HTTP/2 may send others at once, and the guests go on.
    if traffic.guests() >= limits.streams.max(1) as usize {
        return Err(busy(observe, Away::Connection));
    }
    let needs = match (depth, whole) {
        (0, true) => Needs::Place,
        (0, false) if patience.is_some() => Needs::ShareOrRest(&mut body),
        _ => Needs::Share,
    };
    let (place, share) = place(asked, observe, needs).await?;
    inflow.begin();
    // One that comes from a guest has its share to its end, the others until the body is there.
    let share = match share {
        Some(share) if depth == 0 => {
            body.hold(share);
            None
        }
        share => share,
    };
    Ok(Admitted { request: Request::from_parts(head, body), place, share, inflow, ended, depth })
}

/// What a request needs to begin.
enum Needs<'a> {
    Place,
    /// It waits for others while it has a place, and needs a share as well.
    Share,
    /// The same, unless the rest of its body comes.
    ShareOrRest(&'a mut RequestBody),
}

/// Waits for a place.
async fn place(
    asked: &Asked,
    observe: &Observe,
    needs: Needs<'_>,
) -> Result<(Place, Option<Share>), Refused> {
    let Asked { composition, traffic, .. } = asked;
    let limits = composition.app.limits();
    let dependent = !matches!(needs, Needs::Place);
    let mut share = if dependent { composition.try_share() } else { None };
    if (share.is_some() || !dependent)
        && let Some(place) = composition.try_place()
    {
        return Ok((place, share));
    }
    let in_queue = Waiting::enter(&composition.waiting);
    let among_dependent = dependent.then(|| Waiting::enter(&composition.dependent));
    let is_full = in_queue.before >= limits.queue
        || among_dependent.as_ref().is_some_and(|waiting| waiting.before >= half(limits.queue));
    if is_full {
        return Err(busy(observe, Away::Queue));
    }
    let _queued = observe.queued(asked.trace.as_ref());
    let waiting = async {
        match needs {
            Needs::Share if share.is_none() => share = composition.share().await,
            Needs::ShareOrRest(body) if share.is_none() => tokio::select! {
                given = composition.share() => share = given,
                rest = the_rest(body, composition.gathering()) => rest?,
            },
            _ => {}
        }
        Ok(composition.place().await)
    };
    tokio::select! {
        place = tokio::time::timeout(limits.time, waiting) => match place {
            Ok(Ok(Some(place))) => Ok((place, share)),
            Ok(Err(fault)) => Err(Box::new(faulty(fault, limits.request_body))),
            _ => Err(busy(observe, Away::Wait)),
        },
        // Nobody would take the answer. What runs goes on to its end, and what only waits need not begin.
        () = traffic.client_gone() => Err(busy(observe, Away::Client)),
    }
}

/// Waits until all of a body has come. That may never be: there is room for some of it.
async fn the_rest(body: &mut RequestBody, room: &Room) -> Result<(), Fault> {
    match gather(body, room).await? {
        true => Ok(()),
        false => std::future::pending().await,
    }
}

/// The answer to a client that did something wrong with the body of its request.
pub(super) fn faulty(fault: Fault, limit: u64) -> Response<Body> {
    match fault {
        Fault::TooLong => too_large(limit),
        Fault::Stalled => too_slow(),
        Fault::BrokenOff => problem(StatusCode::BAD_REQUEST, "The body of the request broke off."),
    }
}

/// The answer to a client that keeps its guest waiting for the body. Nothing more is read of it.
pub(super) fn too_slow() -> Response<Body> {
    let mut response =
        problem(StatusCode::REQUEST_TIMEOUT, "The body of the request did not arrive in time.");
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}

/// Checks what the head of a request tells.
fn check(request: Request<Incoming>, arrival: Arrival, limit: u64) -> Result<Request<Incoming>, Refused> {
    if request.method() == Method::CONNECT {
        return Err(Box::new(problem(StatusCode::NOT_IMPLEMENTED, "This server makes no tunnels.")));
    }
    if !encoding_is_plain(request.headers()) {
        return Err(Box::new(problem(
            StatusCode::BAD_REQUEST,
            "The body of a request may have one Transfer-Encoding: chunked.",
        )));
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
    let target = request.uri().authority();
    // Names of users are not for servers, and whoever stands in front may take one for the host.
    if target.into_iter().chain(&said).any(|authority| authority.as_str().contains('@')) {
        return None;
    }
    match (target, said) {
        // On HTTP/1 the target goes before the header; on HTTP/2 they have to be the same.
        (Some(target), Some(said)) if request.version() == Version::HTTP_2 && *target != said => None,
        (Some(target), _) => Some(target.clone()),
        (None, Some(said)) => Some(said),
        (None, None) if request.version() < Version::HTTP_11 => local.to_string().parse().ok(),
        (None, None) => None,
    }
}

/// Whether a body is chunked, and nothing else, if it has an encoding. Others are read in two ways: by whoever stands in
/// front, and here.
fn encoding_is_plain(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let first = encodings.next().map(|encoding| encoding.as_bytes().trim_ascii());
    first.is_none_or(|encoding| encoding.eq_ignore_ascii_case(b"chunked")) && encodings.next().is_none()
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
