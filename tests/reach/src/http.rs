//! A GET request through `wasi:http`, which the standard library does not speak.

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        inline: "package test:reach;
            world reach {
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
            }",
        path: ["../../wit"],
        world: "test:reach/reach",
        generate_all,
    });
}

use bindings::wasi::http::outgoing_handler;
use bindings::wasi::http::types::{Fields, OutgoingRequest, Scheme};

/// The status and the first bytes of the body.
pub fn get(authority: &str, path: &str) -> Result<String, String> {
    let request = OutgoingRequest::new(Fields::new());
    request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| "the request cannot be made".to_owned())?;
    let answer = outgoing_handler::handle(request, None).map_err(|code| format!("{code:?}"))?;
    answer.subscribe().block();
    let response = answer
        .get()
        .ok_or("there is no answer")?
        .map_err(|()| "the answer was taken before")?
        .map_err(|code| format!("{code:?}"))?;
    let body = response.consume().map_err(|()| "the body was taken before")?;
    let stream = body.stream().map_err(|()| "the stream was taken before")?;
    let bytes = stream.blocking_read(1_000).map_err(|error| format!("{error:?}"))?;
    Ok(format!("{} {}", response.status(), String::from_utf8_lossy(&bytes)))
}
