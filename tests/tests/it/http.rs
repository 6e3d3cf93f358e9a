//! The shop over real HTTP: a host process, a store on disk, and clients that are many, wrong, or gone.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Barrier, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use e2e::catalogue::{self, Product};
use e2e::http::{self, Request};
use e2e::process::Host;
use e2e::project;
use e2e::shop::{self, Order, Receipt};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A composed shop with a store of its own.
struct Stand {
    directory: TempDir,
    shop: PathBuf,
}

impl Stand {
    fn with(composition: &str, products: &[Product]) -> Self {
        let stand = Self { directory: TempDir::new().unwrap(), shop: project::composition(composition) };
        catalogue::load(&stand.shop, &stand.grants(), products).unwrap();
        stand
    }

    fn grants(&self) -> Vec<String> {
        let store = self.directory.path().join("shop.redb");
        let cache = project::path("target/cache");
        vec![
            "--keyvalue".into(),
            format!("redb:{}", store.display()),
            "--cache".into(),
            cache.display().to_string(),
        ]
    }

    fn open(&self) -> Host {
        Host::start(&self.shop, "127.0.0.1:0", &self.grants(), &self.directory.path().join("host.log"))
            .unwrap()
    }

    /// What an export of the shop answers, in WAVE. The host must have ended: one process opens a store.
    fn call(&self, call: &str) -> String {
        catalogue::call(&self.shop, &self.grants(), call).unwrap()
    }
}

/// The demo's catalogue on a store of its own, served for all tests that only read or order a little.
struct OpenShop {
    // First: the host ends before its store goes.
    host: Host,
    _stand: Stand,
}

/// The open shop. Tests that run at the same time in one process share it, and it closes with the last of them: nothing would ever
/// drop it if it were kept for good.
fn open_shop() -> Arc<OpenShop> {
    static OPEN: Mutex<Weak<OpenShop>> = Mutex::new(Weak::new());
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shop) = open.upgrade() {
        return shop;
    }
    let mut products = catalogue::read(&project::path("tests/data/catalogue.csv")).unwrap();
    products.push(Product {
        name: "<script>alert('&\"')</script>".to_owned(),
        description: "<b>bold</b> & \"quoted\"".to_owned(),
        ..Product::plain("HOSTILE-NAME", 100, 10)
    });
    products.push(Product::plain("DEAR", 9_000_000_000_001, 1_000_000));
    let stand = Stand::with("shop-zig", &products);
    let shop = Arc::new(OpenShop { host: stand.open(), _stand: stand });
    *open = Arc::downgrade(&shop);
    shop
}

fn receipt(answer: &http::Answer) -> Receipt {
    assert_eq!(answer.status, 201, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// The answer is a problem document with this status, and says so in its body too.
fn problem(answer: &http::Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    let document = answer.json().unwrap();
    assert_eq!(document["status"], status, "{document}");
    for member in ["title", "detail"] {
        assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{document} has no {member}");
    }
    document
}

// ---- the happy path -----------------------------------------------------------------------------------------------

#[test]
fn programs_list_quote_order_and_read_again() {
    let open = open_shop();
    let shop = open.host.address();
    let page = shop::get(shop, "/api/products?limit=2").unwrap();
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("application/json"));
    let page = page.json().unwrap();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert!(page["items"][0]["unitPrice"].is_string(), "money is digits: {page}");

    let mut order = Order::of("Ada", &[("FAST-0048", 100), ("ELEC-0003", 1)]);
    order.tier = "gold".to_owned();
    let quote = shop::post(shop, "/api/quotes", &[], &serde_json::to_vec(&order).unwrap()).unwrap();
    assert_eq!(quote.status, 200, "{}", quote.text());
    let quote = quote.json().unwrap();
    assert_eq!(quote["subtotal"], "24690");

    order.expected_total = Some(quote["total"].as_str().unwrap().to_owned());
    let placed = shop::place(shop, "happy-path", &order).unwrap();
    let first = receipt(&placed);
    assert_eq!(Value::from(first.quote.total.clone()), quote["total"]);
    assert_eq!(placed.header("location"), Some(format!("/api/orders/{}", first.order_id).as_str()));

    assert_eq!(receipt(&shop::place(shop, "happy-path", &order).unwrap()), first);
    let read = shop::get(shop, &format!("/api/orders/{}", first.order_id)).unwrap();
    assert_eq!(read.status, 200);
    assert_eq!(serde_json::from_slice::<Receipt>(&read.body).unwrap(), first);
}

#[test]
fn every_product_is_listed_once_over_all_pages() {
    let open = open_shop();
    let shop = open.host.address();
    let mut skus = Vec::new();
    let mut target = "/api/products?limit=37".to_owned();
    loop {
        let page = shop::get(shop, &target).unwrap().json().unwrap();
        skus.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => target = format!("/api/products?limit=37&after={next}"),
            None => break,
        }
    }
    assert_eq!(skus.len(), 242);
    assert!(skus.is_sorted_by(|one, next| one.as_bytes() < next.as_bytes()));
}

#[test]
fn people_get_pages_that_work_without_script_and_escape_everything() {
    let open = open_shop();
    let shop = open.host.address();
    let home = shop::get(shop, "/").unwrap();
    assert_eq!(home.status, 200);
    assert!(home.header("content-type").is_some_and(|value| value.starts_with("text/html")));
    let page = home.text();
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{}", &page[..80]);
    assert!(!page.contains("<script"), "the pages do without script");
    assert!(page.contains("<form"), "something can be done on the page");

    let product = shop::get(shop, "/products/HOSTILE-NAME").unwrap();
    assert_eq!(product.status, 200);
    let page = product.text();
    assert!(page.contains("&lt;script&gt;"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(!page.contains("<b>bold</b>"), "{page}");

    let missing = shop::get(shop, "/products/NOPE").unwrap();
    assert_eq!(missing.status, 404);
    assert!(missing.header("content-type").is_some_and(|value| value.starts_with("text/html")));
    assert_eq!(shop::get(shop, "/no/such/page").unwrap().status, 404);
}

#[test]
fn money_is_digits_and_exact_beyond_what_doubles_can_count() {
    let open = open_shop();
    let shop = open.host.address();
    let placed = receipt(&shop::place(shop, "dear", &Order::of("Ada", &[("DEAR", 1_001)])).unwrap());
    assert_eq!(placed.quote.subtotal, "9009000000001001");
    assert_eq!(placed.quote.lines[0].total, "9009000000001001");
    // 12 % of it, to the nearest cent.
    assert_eq!(placed.quote.adjustments[0].amount, "-1081080000000120");
    assert_eq!(placed.quote.total, "7927920000000881");
}

#[test]
fn the_shop_of_four_languages_takes_an_order() {
    let stand = Stand::with("shop-polyglot", &[Product::plain("A", 250, 10)]);
    let host = stand.open();
    assert_eq!(shop::get(host.address(), "/").unwrap().status, 200);
    let first = receipt(&shop::place(host.address(), "key", &Order::of("Ada", &[("A", 10)])).unwrap());
    assert_eq!(first.quote.total, "2425");
    problem(&shop::place(host.address(), "other", &Order::of("Ada", &[("A", 1)])).unwrap(), 409);
    host.stop().unwrap();
}

// ---- refusals -----------------------------------------------------------------------------------------------------

#[test]
fn what_the_shop_refuses_has_the_right_status() {
    let open = open_shop();
    let shop = open.host.address();
    problem(&shop::get(shop, "/api/products/NOPE").unwrap(), 404);
    problem(&shop::get(shop, "/api/orders/aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(), 404);
    problem(&shop::get(shop, "/api/nothing").unwrap(), 404);
    problem(&shop::get(shop, "/api/products?limit=0").unwrap(), 400);
    problem(&shop::post(shop, "/api/products", &[], b"{}").unwrap(), 405);

    let unknown = shop::place(shop, "unknown", &Order::of("Ada", &[("NOPE", 1)])).unwrap();
    assert_eq!(problem(&unknown, 422)["sku"], "NOPE");
    let short = shop::place(shop, "short", &Order::of("Ada", &[("MACH-0018", 4)])).unwrap();
    assert_eq!(
        problem(&short, 409)["shortages"],
        json!([{"sku": "MACH-0018", "requested": 4, "available": 3}])
    );
    let mut dearer = Order::of("Ada", &[("ELEC-0003", 1)]);
    dearer.expected_total = Some("1".to_owned());
    assert_eq!(problem(&shop::place(shop, "dearer", &dearer).unwrap(), 409)["quote"]["total"], "690");
    receipt(&shop::place(shop, "reused", &Order::of("Ada", &[("ELEC-0003", 1)])).unwrap());
    problem(&shop::place(shop, "reused", &Order::of("Ada", &[("ELEC-0003", 2)])).unwrap(), 409);
    problem(
        &shop::post(
            shop,
            "/api/quotes",
            &[],
            &serde_json::to_vec(&Order::of("Ada", &[("DEAR", 1_000_000), ("DEAR", 1)])).unwrap(),
        )
        .unwrap(),
        400,
    );
}

#[test]
fn a_key_is_needed_and_has_to_be_one() {
    let open = open_shop();
    let shop = open.host.address();
    let body = serde_json::to_vec(&Order::of("Ada", &[("ELEC-0003", 1)])).unwrap();
    problem(&shop::post(shop, "/api/orders", &[], &body).unwrap(), 400);
    for key in ["", "two words", &"k".repeat(201)] {
        problem(&shop::post(shop, "/api/orders", &[("idempotency-key", key)], &body).unwrap(), 400);
    }
}

/// Bodies that are no order. None may place one, none may hurt the next request.
#[test]
fn bodies_that_are_no_order_are_refused_as_such() {
    let open = open_shop();
    let shop = open.host.address();
    let line = |quantity: &str| {
        format!(r#"{{"customer":"Ada","lines":[{{"sku":"ELEC-0003","quantity":{quantity}}}]}}"#)
    };
    let nested = format!("{}{}", "[".repeat(100_000 / 4), "]".repeat(100_000 / 4));
    let deep_member = format!(
        r#"{{"customer":"Ada","lines":[],"x":{}{}}}"#,
        r#"{"a":"#.repeat(5_000),
        "1".to_owned() + &"}".repeat(5_000)
    );
    let huge_name = format!(r#"{{"customer":"{}","lines":[]}}"#, "x".repeat(3 << 20));
    let bodies: Vec<(&str, Vec<u8>, u16)> = vec![
        ("empty", Vec::new(), 400),
        ("blank", b"   \r\n".to_vec(), 400),
        ("huge", huge_name.into_bytes(), 413),
        ("beyond the host's own limit", vec![b'['; 12 << 20], 413),
        ("not UTF-8", b"{\"customer\":\"\xff\xfe\",\"lines\":[]}".to_vec(), 400),
        ("a lone surrogate", br#"{"customer":"\ud800","lines":[]}"#.to_vec(), 400),
        ("not JSON", b"customer=Ada&lines=1".to_vec(), 400),
        ("JSON that stops", br#"{"customer":"Ada","lines":[{"#.to_vec(), 400),
        ("two documents", br#"{"customer":"Ada","lines":[]}{}"#.to_vec(), 400),
        ("nested arrays", nested.into_bytes(), 400),
        ("nested objects", deep_member.into_bytes(), 400),
        ("a number", b"42".to_vec(), 400),
        ("null", b"null".to_vec(), 400),
        ("an array", b"[]".to_vec(), 400),
        ("lines that are a string", br#"{"customer":"Ada","lines":"ELEC-0003"}"#.to_vec(), 400),
        ("a line that is null", br#"{"customer":"Ada","lines":[null]}"#.to_vec(), 400),
        ("a customer that is a number", br#"{"customer":7,"lines":[]}"#.to_vec(), 400),
        ("no customer", br#"{"lines":[{"sku":"ELEC-0003","quantity":1}]}"#.to_vec(), 400),
        ("an unknown tier", br#"{"customer":"Ada","tier":"platinum","lines":[]}"#.to_vec(), 400),
        ("a prototype", br#"{"__proto__":{"customer":"Ada","lines":[]}}"#.to_vec(), 400),
        ("no lines at all", br#"{"customer":"Ada","lines":[]}"#.to_vec(), 400),
        ("zero units", line("0").into_bytes(), 400),
        ("a negative quantity", line("-1").into_bytes(), 400),
        ("half a unit", line("0.5").into_bytes(), 400),
        ("a quantity in words", line("\"one\"").into_bytes(), 400),
        ("a quantity beyond u32", line("4294967297").into_bytes(), 400),
        ("a quantity beyond u64", line("18446744073709551617").into_bytes(), 400),
        ("a quantity beyond doubles", line("1e400").into_bytes(), 400),
        ("a total beyond u64", br#"{"customer":"Ada","lines":[{"sku":"ELEC-0003","quantity":1}],"expectedTotal":"18446744073709551616"}"#.to_vec(), 400),
        ("a negative total", br#"{"customer":"Ada","lines":[{"sku":"ELEC-0003","quantity":1}],"expectedTotal":"-1"}"#.to_vec(), 400),
        ("a total that is no string", br#"{"customer":"Ada","lines":[{"sku":"ELEC-0003","quantity":1}],"expectedTotal":690}"#.to_vec(), 400),
    ];
    let available =
        || shop::get(shop, "/api/products/ELEC-0003").unwrap().json().unwrap()["available"].clone();
    let before = available();
    for (index, (what, body, status)) in bodies.iter().enumerate() {
        let key = format!("bad-body-{index}");
        let answer = shop::post(shop, "/api/orders", &[("idempotency-key", &key)], body)
            .unwrap_or_else(|error| panic!("{what}: {error:#}"));
        assert_eq!(answer.status, *status, "{what}: {}", answer.text());
    }
    let plain = http::send(
        shop,
        &Request {
            method: "POST",
            target: "/api/orders",
            headers: &[("content-type", "text/plain"), ("idempotency-key", "plain")],
            body: line("1").as_bytes(),
        },
    );
    problem(&plain.unwrap(), 415);
    assert_eq!(shop::get(shop, "/api/products?limit=1").unwrap().status, 200);
    // Other tests buy single units of it meanwhile; not one of these bodies did.
    let sold = before.as_i64().unwrap() - available().as_i64().unwrap();
    assert!(sold < 10, "{sold} units were sold by bodies that are no order");
}

#[test]
fn bytes_that_are_no_request_cost_their_connection_alone() {
    let open = open_shop();
    let shop = open.host.address();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"POST /api/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n",
    ] {
        let mut stream = http::raw(shop, bytes).unwrap();
        let mut answer = Vec::new();
        // Closed without a word, or refused: both will do.
        let _ = stream.read_to_end(&mut answer);
        let said = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.1 5"),
            "{said}"
        );
    }
    assert_eq!(shop::get(shop, "/api/products?limit=1").unwrap().status, 200);
}

#[test]
fn clients_that_hang_up_in_the_middle_hurt_nobody() {
    let open = open_shop();
    let shop = open.host.address();
    for round in 0..20 {
        // In the middle of the answer: the page is larger than what fits on the way.
        let mut stream = http::begin(
            shop,
            &Request { method: "GET", target: "/api/products?limit=250", headers: &[], body: b"" },
        )
        .unwrap();
        let mut first = [0; 64];
        stream.read_exact(&mut first).unwrap();
        drop(stream);

        // Before the answer.
        drop(http::begin(shop, &Request { method: "GET", target: "/", headers: &[], body: b"" }).unwrap());

        // In the middle of the request.
        let body = serde_json::to_vec(&Order::of("Ada", &[("ELEC-0003", 1)])).unwrap();
        let key = format!("hung-up-{round}");
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let mut stream = http::begin(
            shop,
            &Request { method: "POST", target: "/api/orders", headers: &headers, body: &body },
        )
        .unwrap();
        stream.write_all(&body[..body.len() / 2]).unwrap();
        drop(stream);
    }
    let answer = shop::get(shop, "/api/products?limit=250").unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().unwrap()["items"].as_array().unwrap().len(), 242);
}

// ---- races --------------------------------------------------------------------------------------------------------

#[test]
fn of_the_last_hundred_units_thirty_two_clients_buy_exactly_a_hundred() {
    const CLIENTS: usize = 32;
    let stand =
        Stand::with("shop-zig", &[Product::plain("LAST", 1_000, 100), Product::plain("OTHER", 100, 100_000)]);
    let host = stand.open();
    let address = host.address();
    let start = Barrier::new(CLIENTS);
    let bought: Vec<(u32, Vec<String>)> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let (mut units, mut ids) = (0, Vec::new());
                    for attempt in 0.. {
                        let quantity = 1 + u32::try_from((client + attempt) % 3).unwrap();
                        let order =
                            Order::of(&format!("client {client}"), &[("LAST", quantity), ("OTHER", 1)]);
                        let key = format!("race-{client}-{attempt}");
                        let answer = shop::place(address, &key, &order).unwrap();
                        match answer.status {
                            201 => {
                                units += quantity;
                                ids.push(receipt(&answer).order_id);
                            }
                            // Too much at once: again, as the answer says.
                            503 => {
                                assert!(answer.header("retry-after").is_some(), "{}", answer.text());
                            }
                            409 => {
                                let left =
                                    problem(&answer, 409)["shortages"][0]["available"].as_u64().unwrap();
                                assert!(left < u64::from(quantity));
                                // What another holds may still come back, so only an order for one unit settles it.
                                if left == 0 && quantity == 1 {
                                    break;
                                }
                            }
                            other => panic!("{other}: {}", answer.text()),
                        }
                    }
                    (units, ids)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("no client panics")).collect()
    });
    let sold: u32 = bought.iter().map(|(units, _)| units).sum();
    assert_eq!(sold, 100);
    host.stop().unwrap();

    // The books agree: by the units left, and by the orders listed.
    let ids: Vec<&String> = bought.iter().flat_map(|(_, ids)| ids).collect();
    assert_eq!(
        stand.call("shop:storage/stock#levels([\"LAST\", \"OTHER\"])"),
        format!(
            "ok([{{sku: \"LAST\", on-hand: 0, held: 0, available: 0}}, {{sku: \"OTHER\", on-hand: {left}, held: 0, available: {left}}}])",
            left = 100_000 - ids.len()
        )
    );
    let listed = stand.call("shop:storage/orders#list(none, 250)");
    assert_eq!(listed.matches("placed-at: ").count(), ids.len());
    for id in ids {
        assert!(listed.contains(id.as_str()), "order {id} was acknowledged and is not listed");
    }
}

/// One intent, sent by many at once: one order, one receipt.
#[test]
fn one_key_sent_by_many_clients_at_once_buys_once() {
    const CLIENTS: usize = 16;
    let stand = Stand::with("shop-zig", &[Product::plain("A", 100, 50)]);
    let host = stand.open();
    let address = host.address();
    let start = Barrier::new(CLIENTS);
    let receipts: Vec<Receipt> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let deadline = Instant::now() + Duration::from_secs(60);
                    loop {
                        let answer = shop::place(address, "one-intent", &Order::of("Ada", &[("A", 7)]));
                        let answer = answer.unwrap();
                        if answer.status == 201 {
                            break receipt(&answer);
                        }
                        assert_eq!(answer.status, 503, "{}", answer.text());
                        assert!(Instant::now() < deadline, "still busy: {}", answer.text());
                    }
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("no client panics")).collect()
    });
    for receipt in &receipts {
        assert_eq!(*receipt, receipts[0]);
    }
    host.stop().unwrap();
    assert_eq!(
        stand.call("shop:storage/stock#levels([\"A\"])"),
        "ok([{sku: \"A\", on-hand: 43, held: 0, available: 43}])"
    );
}

// ---- stopping and starting ----------------------------------------------------------------------------------------

#[test]
fn a_stopping_host_finishes_what_is_in_flight_and_takes_nothing_new() {
    let stand = Stand::with("shop-zig", &[Product::plain("A", 100, 50)]);
    let mut host = stand.open();
    let address = host.address();
    // A request that has begun, and whose end the host is still waiting for.
    let body = serde_json::to_vec(&Order::of("Ada", &[("A", 1)])).unwrap();
    let headers = [("content-type", "application/json"), ("idempotency-key", "in-flight")];
    let request = Request { method: "POST", target: "/api/orders", headers: &headers, body: &body };
    let mut stream = http::begin(address, &request).unwrap();
    stream.write_all(&body[..5]).unwrap();
    // Answered by the same host, so the one before was accepted.
    assert_eq!(shop::get(address, "/api/products?limit=1").unwrap().status, 200);
    host.terminate().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "the host still accepts: {}", host.log());
        thread::yield_now();
    }
    assert!(host.is_running().unwrap(), "the host did not wait for what was in flight");
    stream.write_all(&body[5..]).unwrap();
    let first = receipt(&http::receive(stream).unwrap());
    assert!(host.wait(Duration::from_secs(30)).unwrap().success());

    let host = stand.open();
    let again = shop::place(host.address(), "in-flight", &Order::of("Ada", &[("A", 1)])).unwrap();
    assert_eq!(receipt(&again), first);
    host.stop().unwrap();
}

/// Fifty times: clients order, the host is killed in their middle, another is started on the same store. Whatever was
/// acknowledged is there, the unanswered retries buy once, and in the end no unit is missing.
#[test]
fn fifty_kills_in_mid_load_lose_nothing_and_sell_nothing_twice() {
    const ROUNDS: usize = 50;
    const CLIENTS: usize = 6;
    const STOCK: u32 = 1_000_000;
    let stand = Stand::with("shop-zig", &[Product::plain("A", 100, STOCK), Product::plain("B", 100, STOCK)]);
    let mut acknowledged: Vec<(String, u32, Receipt)> = Vec::new();
    let mut unanswered: Vec<(String, u32)> = Vec::new();
    let mut cut_short = 0;
    for round in 0..ROUNDS {
        let mut host = stand.open();
        let address = host.address();

        // Whoever got no answer asks again, with the same key. Whoever has a receipt gets the same.
        for (key, quantity) in unanswered.drain(..) {
            let order = Order::of("Ada", &[("A", quantity), ("B", 1)]);
            acknowledged.push((key.clone(), quantity, receipt(&place_until_answered(address, &key, &order))));
        }
        for (key, quantity, known) in acknowledged.iter().rev().take(5) {
            let order = Order::of("Ada", &[("A", *quantity), ("B", 1)]);
            assert_eq!(receipt(&place_until_answered(address, key, &order)), *known, "round {round}");
        }

        let (answers, lost): (Vec<_>, Vec<_>) = thread::scope(|scope| {
            let (progress, seen) = std::sync::mpsc::channel();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let progress = progress.clone();
                    scope.spawn(move || {
                        let mut answers = Vec::new();
                        for attempt in 0.. {
                            let quantity = 1 + u32::try_from((round + attempt) % 4).unwrap();
                            let key = format!("kill-{round}-{client}-{attempt}");
                            let order = Order::of("Ada", &[("A", quantity), ("B", 1)]);
                            // A busy shop is asked again, with the same key.
                            let answer = loop {
                                match shop::place(address, &key, &order) {
                                    Ok(answer) if answer.status == 503 => {}
                                    other => break other,
                                }
                            };
                            match answer {
                                Ok(answer) => {
                                    answers.push((key, quantity, receipt(&answer)));
                                    let _ = progress.send(());
                                }
                                // The host is dead. Whether this order was placed is not known.
                                Err(_) => return (answers, Some((key, quantity))),
                            }
                        }
                        unreachable!("a client goes on until the host is dead")
                    })
                })
                .collect();
            drop(progress);
            // In the middle of the load, at a different place each time: after so many acknowledged orders.
            for _ in 0..=(round * 7) % 23 {
                seen.recv_timeout(Duration::from_secs(60)).expect("orders are being placed");
            }
            host.kill().unwrap();
            clients.into_iter().map(|client| client.join().expect("no client panics")).unzip()
        });
        acknowledged.extend(answers.into_iter().flatten());
        let lost: Vec<_> = lost.into_iter().flatten().collect();
        cut_short += lost.len();
        unanswered.extend(lost);
    }
    assert!(cut_short >= ROUNDS, "only {cut_short} orders were cut short by {ROUNDS} kills");

    // The last survivors' retries, then the audit of everything.
    let host = stand.open();
    for (key, quantity) in unanswered.drain(..) {
        let order = Order::of("Ada", &[("A", quantity), ("B", 1)]);
        acknowledged.push((
            key.clone(),
            quantity,
            receipt(&place_until_answered(host.address(), &key, &order)),
        ));
    }
    for (key, _, known) in &acknowledged {
        let answer = shop::get(host.address(), &format!("/api/orders/{}", known.order_id)).unwrap();
        assert_eq!(answer.status, 200, "order {key} was acknowledged and is lost");
        assert_eq!(serde_json::from_slice::<Receipt>(&answer.body).unwrap(), *known, "order {key}");
    }
    host.stop().unwrap();

    let sold_a: u64 = acknowledged.iter().map(|(_, quantity, _)| u64::from(*quantity)).sum();
    let sold_b = acknowledged.len() as u64;
    let mut ids: Vec<&str> = acknowledged.iter().map(|(.., known)| known.order_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), acknowledged.len(), "two keys share an order");
    let left = |sold: u64| u64::from(STOCK) - sold;
    // Every hold that a kill left behind was taken over by its retry: nothing is held any more.
    assert_eq!(
        stand.call("shop:storage/stock#levels([\"A\", \"B\"])"),
        format!(
            "ok([{{sku: \"A\", on-hand: {0}, held: 0, available: {0}}}, {{sku: \"B\", on-hand: {1}, held: 0, available: {1}}}])",
            left(sold_a),
            left(sold_b)
        )
    );
    assert_eq!(listed_orders(&stand), acknowledged.len());
}

/// The number of orders that storage lists, over all pages.
fn listed_orders(stand: &Stand) -> usize {
    let mut count = 0;
    let mut after = "none".to_owned();
    loop {
        let page = stand.call(&format!("shop:storage/orders#list({after}, 250)"));
        count += page.matches("placed-at: ").count();
        match page.rsplit_once("next: some(") {
            Some((_, next)) => after = format!("some({})", next.trim_end_matches(['}', ')'])),
            None => return count,
        }
    }
}

/// A shop that is busy says so, and is asked again.
fn place_until_answered(address: SocketAddr, key: &str, order: &Order) -> http::Answer {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = shop::place(address, key, order).unwrap();
        if answer.status != 503 {
            return answer;
        }
        assert!(Instant::now() < deadline, "still busy: {}", answer.text());
    }
}
