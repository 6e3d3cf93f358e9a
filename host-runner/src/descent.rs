//! Requests of guests that come to a host again: how many of them led to one.
//!
//! A guest that may reach its own server could send itself two requests for each request, without an end. So
//! the host writes into each request of a guest how many such requests led to it, and counts on from what it finds in a
//! request that it gets. Whatever the guest says there is written over, and the guest does not see it. Hosts
//! that call each other in a circle are counted in the same way.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Where the number is.
const DEPTH: HeaderName = HeaderName::from_static("host-runner-depth");

/// Takes from a request how many requests of guests led to it. More than any limit, where that cannot be read.
pub(crate) fn take(headers: &mut HeaderMap) -> u32 {
    let mut said = headers.get_all(DEPTH).iter();
    let depth = match (said.next(), said.next()) {
        (None, _) => 0,
        (Some(depth), None) => depth.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX),
        (Some(_), Some(_)) => u32::MAX,
    };
    headers.remove(DEPTH);
    depth
}

/// Marks a request of a guest that works on one to which `depth` requests led.
pub(crate) fn mark(headers: &mut HeaderMap, depth: u32) {
    headers.insert(DEPTH, HeaderValue::from(depth.saturating_add(1)));
}
