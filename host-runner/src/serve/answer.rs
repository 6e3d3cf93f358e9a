//! The answers that the host gives itself, as `application/problem+json` (RFC 9457).

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Full};

use super::Body;

/// An answer that says what happened in words for the client, and nothing of the host's or guest's inside.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    problem_of(status, detail, None)
}

/// The same; with the id of an occurrence that the log tells of, if it does.
pub(super) fn problem_of(status: StatusCode, detail: &str, id: Option<&str>) -> Response<Body> {
    let mut text = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    if let Some(id) = id {
        text["instance"] = format!("urn:uuid:{id}").into();
    }
    let body = Full::new(Bytes::from(text.to_string())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
