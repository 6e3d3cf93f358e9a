//! Answers every request with one line: what is measured of it is what its host costs.
// Its exports have names that a native linker does not take.
#![cfg(target_arch = "wasm32")]

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({ path: "../wit", world: "bench:peer/hello", generate_all });
}

use bindings::exports::wasi::http::incoming_handler::Guest;
use bindings::wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Hello;

bindings::export!(Hello with_types_in bindings);

impl Guest for Hello {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("it was not taken before");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("it was not taken before");
        // Whoever has left does not want it.
        let _ = stream.blocking_write_and_flush(b"Hello, world!\n");
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}
