//! HTTP/2 with prior knowledge, on the port of HTTP/1.

use std::time::Duration;

use crate::support::{
    Running, guest_saying, guest_that_ends_its_answer, guest_that_tells_the_scheme, load, short, start,
    start_guest, start_trusting,
};
use bytes::Bytes;
use host_runner::{Limits, Setup};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const LONG: Duration = Duration::from_secs(60);

struct Client {
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn of(server: &Running) -> Self {
        Self::with(server, &http2::Builder::new(TokioExecutor::new())).await
    }

    async fn with(server: &Running, builder: &http2::Builder<TokioExecutor>) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        Self { sender, connection: tokio::spawn(connection) }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let mut sender = self.sender.clone();
        sender.ready().await?;
        sender.send_request(request).await
    }

    async fn ask(&self, method: Method, path: &str, body: &'static str) -> (StatusCode, String) {
        let response = self.send(request(method, path, body)).await.unwrap();
        assert_eq!(response.version(), Version::HTTP_2);
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

fn request(method: Method, path: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(format!("http://here/{path}")).body(body.into()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_are_spoken_on_one_port() {
    let server = start(Limits::default()).await;
    let client = Client::of(&server).await;
    assert_eq!(client.ask(Method::GET, "ok", "").await, (StatusCode::OK, "hello".into()));
    assert_eq!(client.ask(Method::POST, "echo", "abc").await, (StatusCode::OK, "abc".into()));
    assert!(server.ask("ok").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let response = client.send(request(Method::HEAD, "counted", "")).await.unwrap();
    assert_eq!(response.headers()["content-length"], "5");
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    server.stop().await;
}

/// Their guests have ended, and it is the clients that take their time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_takes_hold_no_component_back() {
    let server = start(Limits::default()).await;
    let mut closed = http2::Builder::new(TokioExecutor::new());
    // The host may send no byte of a body.
    closed.initial_stream_window_size(0);
    let mut untaken = Vec::new();
    for word in ["hellp", "hellq", "hellr", "hells", "hellt", "hellu"] {
        let client = Client::with(&server, &closed).await;
        let response = client.send(request(Method::GET, "ok", "")).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        untaken.push((client, response));
        let next = load(&guest_saying(word), Setup::default(), None);
        assert!(server.swapper.swap(next).await.unwrap().changed);
        assert_eq!(Client::of(&server).await.ask(Method::GET, "ok", "").await, (StatusCode::OK, word.into()));
    }
    drop(untaken);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_fails_costs_its_own_stream() {
    let server = start(short()).await;
    let client = Client::of(&server).await;
    let late = client.ask(Method::GET, "late", "");
    let failing = async {
        for (path, status) in [("trap", 500), ("regret", 500), ("nothing", 502), ("spin", 504)] {
            let (answered, body) = client.ask(Method::GET, path, "").await;
            assert_eq!(answered.as_u16(), status, "{path}: {body}");
            assert!(body.contains("urn:uuid:"), "{path}: {body}");
        }
        // Cut off in the middle: the stream is reset, and the connection is not.
        match client.send(request(Method::GET, "half", "")).await {
            Ok(response) => {
                assert_eq!(response.status(), 200);
                assert!(response.into_body().collect().await.is_err());
            }
            // What was not on its way yet when the stream was reset is not sent any more.
            Err(error) => assert!(format!("{error:?}").contains("Reset("), "{error:?}"),
        }
    };
    let (late, ()) = tokio::join!(late, failing);
    assert_eq!(late, (StatusCode::OK, "hello".into()));
    server.stop().await;
}

/// A client must not take a body for whole that is not, nor for one that HTTP/2 does not allow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_its_guest_does_not_give_as_it_should_is_reset() {
    let server = start_guest(&guest_that_ends_its_answer(), Setup::default(), None, |_| {}).await;
    let client = Client::of(&server).await;
    for path in ["drop", "forget", "Short", "Long", "xit"] {
        let error = match client.send(request(Method::GET, path, "")).await {
            Ok(response) => {
                assert_eq!(response.status(), 200, "{path}");
                response.into_body().collect().await.expect_err(path)
            }
            Err(error) => error,
        };
        // The client itself would call a body of another length than was said a protocol error.
        let error = format!("{error:?}");
        assert!(error.contains("INTERNAL_ERROR") && error.contains("Remote"), "{path}: {error}");
        assert_eq!(client.ask(Method::GET, "quit", "").await, (StatusCode::OK, "hello".into()));
        assert_eq!(client.ask(Method::GET, "ungrateful", "").await, (StatusCode::OK, "hello".into()));
    }
    assert_eq!(client.ask(Method::GET, "Much", "").await.0, StatusCode::BAD_GATEWAY);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scheme_of_a_trusted_peer_is_told() {
    for (proxies, https) in [(&[][..], "0ello"), (&["any"], "1ello")] {
        let server = start_trusting(&guest_that_tells_the_scheme(), None, proxies).await;
        let client = Client::of(&server).await;
        for (scheme, expected) in [("http", "0ello"), ("https", https)] {
            let mut request = request(Method::GET, "x", "");
            *request.uri_mut() = format!("{scheme}://here/x").parse().unwrap();
            let body = client.send(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, expected, "{proxies:?}");
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_share_a_connection() {
    let server = start(Limits { queue: 1_000, ..Limits::default() }).await;
    let client = Client::of(&server).await;
    let answers = futures::future::join_all((0..200).map(|_| client.ask(Method::POST, "echo", "abc"))).await;
    assert!(answers.iter().all(|answer| *answer == (StatusCode::OK, "abc".into())));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_those_of_http_1() {
    let server = start(Limits { request_head: 8 << 10, request_body: 2, ..Limits::default() }).await;
    let client = Client::of(&server).await;
    let mut long = request(Method::GET, "ok", "");
    long.headers_mut().insert("x", "x".repeat(9_000).parse().unwrap());
    match client.send(long).await {
        Ok(response) => assert_eq!(response.status(), 431),
        // The host may also say before that what it takes, and the client then does not send it.
        Err(error) => assert!(error.is_user(), "{error:?}"),
    }
    assert_eq!(client.ask(Method::POST, "echo", "abc").await.0, 413);
    let mut other = request(Method::GET, "ok", "");
    other.headers_mut().insert("host", "elsewhere".parse().unwrap());
    assert_eq!(client.send(other).await.unwrap().status(), 400);
    server.stop().await;
}

/// The client goes on with the connection, and resets each request as soon as it is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_resets_its_requests_gets_no_more_guests_than_one_that_waits() {
    let limits = Limits { streams: 2, concurrency: 8, queue: 0, ..short() };
    let server = start(limits).await;
    let client = Client::of(&server).await;
    for _ in 0..30 {
        // Given up before the answer: the stream is reset, and its guest goes on.
        let spin = client.send(request(Method::GET, "spin", ""));
        let _ = tokio::time::timeout(Duration::from_millis(20), spin).await;
    }
    // Whoever else comes finds a free place.
    assert!(server.ask("ok").await.contains("hello"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_flight_finishes_before_the_end() {
    let server = start(Limits::default()).await;
    let idle = Client::of(&server).await;
    assert_eq!(idle.ask(Method::GET, "ok", "").await.0, 200);
    let client = Client::of(&server).await;
    while server.swapper.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
    let late = client.ask(Method::GET, "late", "");
    let stopped = async {
        // What is only on its way when the server stops is not in flight.
        while server.swapper.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        // Its head comes when the guest has begun, so that this request is in flight too.
        let response = client.send(request(Method::POST, "echo", "abc")).await.unwrap();
        tokio::join!(server.stop(), response.into_body().collect()).1
    };
    let (late, body) = tokio::join!(late, stopped);
    assert_eq!(late, (StatusCode::OK, "hello".into()));
    assert_eq!(body.unwrap().to_bytes(), "abc");
    tokio::time::timeout(LONG, client.connection).await.expect("it is closed").unwrap().unwrap();
    tokio::time::timeout(LONG, idle.connection).await.expect("it is closed").unwrap().unwrap();
}

/// The answer is without end, and the client takes its head and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_no_answer_loses_its_connection() {
    let stall = Duration::from_millis(150);
    let server = start(Limits { stall, time: LONG, ..Limits::default() }).await;
    let silent = http2::Builder::new(TokioExecutor::new());
    // That the host answers these is no sign of an answer that is taken.
    let mut pinging = silent.clone();
    pinging.timer(TokioTimer::new()).keep_alive_interval(stall / 5).keep_alive_timeout(LONG);
    for builder in [silent, pinging] {
        let client = Client::with(&server, &builder).await;
        let response = client.send(request(Method::GET, "big", "")).await.unwrap();
        let ended = tokio::time::timeout(LONG, client.connection).await.expect("it is closed");
        drop((ended, response));
        assert!(server.ask("ok").await.contains("hello"));
    }
    server.stop().await;
}

/// Takes an answer to its end, with a pause after each piece.
async fn takes_slowly(response: Response<Incoming>, pause: Duration) -> usize {
    let (mut body, mut taken) = (response.into_body(), 0);
    while let Some(frame) = body.frame().await {
        taken += frame.expect("it is not cut off").into_data().map_or(0, |data| data.len());
        tokio::time::sleep(pause).await;
    }
    taken
}

/// Its guest has ended long before, and meanwhile so does the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_its_answer_slowly_gets_all_of_it() {
    const LENGTH: usize = 60_000;
    let (limit, body) = (Duration::from_millis(250), "x".repeat(LENGTH).leak());
    let limits = Limits { stall: limit, idle: limit, drain: LONG, ..Limits::default() };
    let mut narrow = http2::Builder::new(TokioExecutor::new());
    // A kilobyte at a time.
    narrow.initial_stream_window_size(1 << 10).initial_connection_window_size(1 << 10);
    for stops in [false, true] {
        let mut server = start(limits).await;
        let client = Client::with(&server, &narrow).await;
        let response = client.send(request(Method::POST, "echo", body)).await.unwrap();
        if stops {
            server.begin_to_stop();
        }
        assert_eq!(takes_slowly(response, limit / 10).await, LENGTH, "stops: {stops}");
        server.stop().await;
    }
}

/// It says nothing but that it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_request_is_closed() {
    let idle = Duration::from_millis(150);
    let server = start(Limits { idle, ..Limits::default() }).await;
    let mut pinging = http2::Builder::new(TokioExecutor::new());
    pinging
        .timer(TokioTimer::new())
        .keep_alive_interval(idle / 5)
        .keep_alive_timeout(LONG)
        .keep_alive_while_idle(true);
    let client = Client::with(&server, &pinging).await;
    assert_eq!(client.ask(Method::GET, "ok", "").await.0, StatusCode::OK);
    tokio::time::timeout(LONG, client.connection).await.expect("it is closed").unwrap().unwrap();
    server.stop().await;
}

/// A frame on the connection itself.
fn frame(kind: u8, flags: u8, stream: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], content].concat()
}

/// Each costs its sender next to nothing, and leads to nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_frames_ends_its_connection() {
    const MANY: usize = 4_000_000;
    let server = start(Limits::default()).await;
    for (name, frame) in [
        ("PRIORITY", frame(2, 0, 1, &[0, 0, 0, 0, 9])),
        ("WINDOW_UPDATE", frame(8, 0, 0, &[0, 0, 0, 1])),
        ("PING acknowledgement", frame(6, 1, 0, b"unasked!")),
        ("an unknown frame", frame(99, 0, 0, b"")),
    ] {
        let mut stream = server.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
        let frames = frame.repeat(1_000);
        let mut sent = 0;
        while sent < MANY && stream.write_all(&frames).await.is_ok() {
            sent += 1_000;
        }
        assert!(sent < MANY, "{name}");
    }
    assert!(server.ask("ok").await.contains("hello"));
    server.stop().await;
}
