//! A face of the shop that starts in no time: a fixture for tests of what is behind it.
//!
//! - `POST /orders/KEY/SKU/QUANTITY` places an order: `201` and a line `ORDER TOTAL`, then a line `AMOUNT REASON`
//!   for each adjustment;
//! - `GET /orders/ORDER` reads it again: `200`, and the same.
//!
//! What the shop refuses is `409`, what the pricing rule is to blame for `422`, what should be tried again `503`;
//! the body has the reason in the words of the contract.
// Its exports have names that a native linker does not take.
#![cfg(target_arch = "wasm32")]

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({ path: "../../wit", world: "shop:worlds/storefront", generate_all });
}

use bindings::exports::wasi::http::incoming_handler::Guest;
use bindings::shop::orders::checkout::{self, Receipt, Request};
use bindings::shop::orders::types::{Cart, CartLine, Error, Tier};
use bindings::wasi::http::types::{
    Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use bindings::wasi::io::streams::StreamError;

struct Front;

bindings::export!(Front with_types_in bindings);

impl Guest for Front {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let words: Vec<&str> = path.split('/').skip(1).collect();
        let (status, text) = match (request.method(), words.as_slice()) {
            (Method::Post, ["orders", key, sku, quantity]) => match (read(&request), quantity.parse()) {
                (Ok(()), Ok(quantity)) => told(201, place(key, sku, quantity)),
                (Err(error), _) => (400, error),
                (_, Err(error)) => (400, error.to_string()),
            },
            (Method::Get, ["orders", order]) => told(200, checkout::get(order)),
            _ => (404, "there is nothing here".to_owned()),
        };
        answer(out, status, &text);
    }
}

/// Reads the body to its end. There is nothing in it to know.
fn read(request: &IncomingRequest) -> Result<(), String> {
    let body = request.consume().expect("it was not taken before");
    let stream = body.stream().expect("it was not taken before");
    loop {
        match stream.blocking_read(4_096) {
            Ok(_) => {}
            Err(StreamError::Closed) => return Ok(()),
            Err(error) => return Err(format!("{error:?}")),
        }
    }
}

fn place(key: &str, sku: &str, quantity: u32) -> Result<Receipt, Error> {
    let lines = vec![CartLine { sku: sku.to_owned(), quantity }];
    let cart = Cart { lines, tier: Tier::Standard };
    checkout::place(key, &Request { customer: "a customer".to_owned(), cart, expected_total: None })
}

fn told(good: u16, outcome: Result<Receipt, Error>) -> (u16, String) {
    match outcome {
        Ok(receipt) => {
            let mut text = format!("{} {}\n", receipt.order_id, receipt.quote.total);
            for adjustment in &receipt.quote.adjustments {
                text += &format!("{} {}\n", adjustment.amount, adjustment.reason);
            }
            (good, text)
        }
        Err(error) => {
            let status = match error {
                Error::Pricing(_) => 422,
                Error::Busy => 503,
                _ => 409,
            };
            (status, format!("{error:?}"))
        }
    }
}

fn answer(out: ResponseOutparam, status: u16, text: &str) {
    let response = OutgoingResponse::new(Fields::new());
    response.set_status_code(status).expect("it is a status");
    let body = response.body().expect("it was not taken before");
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().expect("it was not taken before");
    // Whoever has left does not want the rest.
    for piece in text.as_bytes().chunks(4_096) {
        if stream.blocking_write_and_flush(piece).is_err() {
            return;
        }
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}
