//! A web component that has its host keep and do much: a fixture for the tests of what bounds that.
//!
//! - `GET /`: responds with `ok`;
//! - `POST /count`: reads the body, and responds with its length;
//! - `GET /fields/COUNT/SIZE`: keeps so many sets of fields, each with a value of that size;
//! - `GET /methods/COUNT/SIZE`, `/authorities/COUNT/SIZE`, `/paths/COUNT/SIZE`: keeps so many outgoing requests, each with
//!   such a text of that size;
//! - `GET /timers/COUNT`: waits for that many timers that never end;
//! - `GET /large/MEBIBYTES`: responds with that much;
//! - `GET /self/AUTHORITY`: sends two requests like it to that authority, and waits for the responses;
//! - `GET /heads/COUNT/AUTHORITY`: sends that many requests to that authority, and keeps the heads of the responses;
//! - `GET /fill/MEBIBYTES`: fills that much memory again and again.
// Its exports have names that a native linker does not take.
#![cfg(target_arch = "wasm32")]

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        inline: "package test:web;
            world web {
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
                export wasi:http/incoming-handler@0.2.12;
            }",
        path: ["../../wit"],
        world: "test:web/web",
        generate_all,
    });
}

use bindings::exports::wasi::http::incoming_handler::Guest;
use bindings::wasi::clocks::monotonic_clock;
use bindings::wasi::http::outgoing_handler;
use bindings::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingRequest, Method, OutgoingBody, OutgoingRequest, OutgoingResponse,
    ResponseOutparam, Scheme,
};
use bindings::wasi::io::poll;

struct Web;

bindings::export!(Web with_types_in bindings);

impl Guest for Web {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let words: Vec<&str> = path.split('/').skip(1).collect();
        let number = |word: &str| word.parse::<usize>().unwrap_or_default();
        let text = match words.as_slice() {
            ["count"] => count(&request).to_string(),
            ["fields", count, size] => fields(number(count), number(size)),
            [what @ ("methods" | "authorities" | "paths"), count, size] => {
                requests(what, number(count), number(size))
            }
            ["large", mebibytes] => "l".repeat(number(mebibytes) << 20),
            ["timers", count] => timers(number(count)),
            ["self", authority] => ask_twice(authority, &path),
            ["heads", count, authority] => heads(number(count), authority),
            ["fill", mebibytes] => fill(number(mebibytes)),
            _ => "ok".to_owned(),
        };
        respond(out, &text);
    }
}

fn count(request: &IncomingRequest) -> usize {
    let Ok(body) = request.consume() else { return 0 };
    let Ok(stream) = body.stream() else { return 0 };
    let mut length = 0;
    while let Ok(bytes) = stream.blocking_read(65_536) {
        length += bytes.len();
    }
    length
}

fn fields(count: usize, size: usize) -> String {
    let value = vec![b'v'; size];
    let mut kept = Vec::new();
    for _ in 0..count {
        let fields = Fields::new();
        match fields.append("x-kept", &value) {
            Ok(()) => kept.push(fields),
            Err(error) => return format!("refused after {}: {error:?}", kept.len()),
        }
    }
    format!("kept {}", kept.len())
}

fn requests(what: &str, count: usize, size: usize) -> String {
    let text = "t".repeat(size);
    let mut kept = Vec::new();
    for _ in 0..count {
        let request = OutgoingRequest::new(Fields::new());
        let taken = match what {
            "methods" => request.set_method(&Method::Other(text.clone())),
            "authorities" => request.set_authority(Some(&text)),
            _ => request.set_path_with_query(Some(&format!("/{text}"))),
        };
        if taken.is_err() {
            return format!("refused after {}", kept.len());
        }
        kept.push(request);
    }
    format!("kept {}", kept.len())
}

fn timers(count: usize) -> String {
    let timers: Vec<_> = (0..count).map(|_| monotonic_clock::subscribe_duration(u64::MAX / 2)).collect();
    let all: Vec<&poll::Pollable> = timers.iter().collect();
    format!("{} are over", poll::poll(&all).len())
}

/// Sends this request twice more, and answers with what became of the two.
fn ask_twice(authority: &str, path: &str) -> String {
    let sent: Vec<_> = (0..2).map(|_| send(authority, path)).collect();
    let answered = sent.into_iter().map(|sent| sent.and_then(|response| status(&response)));
    answered.map(|answer| answer.unwrap_or_else(|error| error)).collect::<Vec<_>>().join(", ")
}

fn send(authority: &str, path: &str) -> Result<FutureIncomingResponse, String> {
    let request = OutgoingRequest::new(Fields::new());
    request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| "the request cannot be made".to_owned())?;
    outgoing_handler::handle(request, None).map_err(|code| format!("{code:?}"))
}

fn heads(count: usize, authority: &str) -> String {
    let mut kept = Vec::new();
    for _ in 0..count {
        let response = match send(authority, "/") {
            Ok(response) => response,
            Err(error) => return error,
        };
        response.subscribe().block();
        match response.get().expect("it is there").expect("it is taken once") {
            Ok(response) => kept.push(response.headers()),
            Err(code) => return format!("refused after {}: {code:?}", kept.len()),
        }
    }
    format!("kept {}", kept.len())
}

fn status(response: &FutureIncomingResponse) -> Result<String, String> {
    response.subscribe().block();
    let response = response.get().expect("it is there").expect("it is taken once");
    response.map(|response| response.status().to_string()).map_err(|code| format!("{code:?}"))
}

fn fill(mebibytes: usize) -> String {
    let mut memory = vec![0_u8; mebibytes << 20];
    for byte in 0_u8.. {
        memory.fill(byte);
        if std::hint::black_box(&memory).is_empty() {
            break;
        }
        if byte == u8::MAX {
            return fill(mebibytes);
        }
    }
    String::new()
}

fn respond(out: ResponseOutparam, text: &str) {
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().expect("it was not taken before");
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().expect("it was not taken before");
    for piece in text.as_bytes().chunks(4_096) {
        if stream.blocking_write_and_flush(piece).is_err() {
            return;
        }
    }
    drop(stream);
    OutgoingBody::finish(body, None).expect("all of it was written");
}
