//! Clients that are slow, silent or gone: what they cost is bounded, and nobody else pays for it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Running, rest, short, start, start_telling};
use host_runner::{Failure, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(150);
/// Long enough for any machine: what is waited for comes, or the test fails.
const LONG: Duration = Duration::from_secs(60);

/// All that comes until the end of the connection, which has to come.
async fn until_the_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A connection that is reset has ended as well.
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.expect("it ends");
    String::from_utf8(all).unwrap()
}

async fn telling(limits: Limits) -> (Running, Arc<Mutex<Vec<Failure>>>) {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let server = start_telling(limits, move |failure| told.lock().unwrap().push(failure.clone())).await;
    (server, failures)
}

/// A request to a guest that reads all before it answers.
const HALF: &[u8] = b"POST /all HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_is_answered_408_and_is_the_clients_fault() {
    let (server, failures) = telling(Limits { body_stall: SHORT, ..Limits::default() }).await;
    let mut stream = server.send(HALF).await;
    let answer = until_the_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
    assert!(server.ask("ok").await.contains("hello"));
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{failures:?}");
}

/// A byte now and then is not silence, but the time of the request is up at last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_not_blamed_for_waiting_for_its_client() {
    let (server, failures) = telling(short()).await;
    let mut stream = server.send(HALF).await;
    let answer = until_the_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{failures:?}");
}

/// Bodies that do not come: short, long, and without a length.
const SLOW: [&[u8]; 3] = [
    b"POST /all HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\na",
    b"POST /all HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\na",
    b"POST /all HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
];

/// There are four places, or the eight that the pool has, and many more that wait for their clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_keep_nobody_else_waiting() {
    for concurrency in [4, 64] {
        slow_bodies_beside_others(concurrency).await;
    }
}

async fn slow_bodies_beside_others(concurrency: u32) {
    let limits = Limits { time: LONG, body_stall: LONG, concurrency, ..Limits::default() };
    let server = start(limits).await;
    let mut slow = Vec::new();
    for request in SLOW.iter().cycle().take(24) {
        slow.push(server.send(request).await);
    }
    for _ in 0..20 {
        let answer = tokio::time::timeout(LONG / 2, server.ask("ok")).await.expect("there is a place");
        assert!(answer.contains("hello"), "{answer}");
        let post =
            b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        let answer = tokio::time::timeout(LONG / 2, async { rest(&mut server.send(post).await).await });
        assert!(answer.await.expect("there is a place").contains("hello"));
    }
    // None of them has been given up meanwhile.
    for stream in slow {
        let outcome = stream.try_read(&mut [0; 1]);
        assert!(outcome.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }
    drop(server);
}

/// It is slow on purpose: each piece is sent when the one before it has come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_wait_for_its_answer_before_it_sends_the_rest() {
    let server = start(Limits { time: LONG, ..Limits::default() }).await;
    for length in ["Transfer-Encoding: chunked", "Content-Length: 70000"] {
        let head = format!("POST /echo HTTP/1.1\r\nHost: here\r\n{length}\r\n\r\n");
        let mut stream = server.send(head.as_bytes()).await;
        for piece in ["first", "secnd", "third"] {
            let chunk = if length.starts_with('T') { format!("5\r\n{piece}\r\n") } else { piece.to_owned() };
            stream.write_all(chunk.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            while !answer.windows(5).any(|window| window == piece.as_bytes()) {
                assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{piece}");
            }
        }
    }
    drop(server);
}

/// A byte comes again and again, and never a long time without one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_comes_byte_by_byte_is_too_slow() {
    let limits = Limits { time: LONG, body_stall: SHORT, rate: 1 << 20, ..Limits::default() };
    let (server, failures) = telling(limits).await;
    for request in SLOW {
        let (mut read, mut write) = server.send(request).await.into_split();
        let piece: &[u8] = if request.ends_with(b"\n") { b"1\r\na\r\n" } else { b"a" };
        let trickle = async {
            loop {
                tokio::time::sleep(SHORT / 30).await;
                if write.write_all(piece).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let mut answer = Vec::new();
        let read = async {
            while !answer.starts_with(b"HTTP/1.1 408 ") {
                assert_ne!(read.read_buf(&mut answer).await.unwrap_or(0), 0, "{answer:?}");
            }
        };
        tokio::select! {
            outcome = tokio::time::timeout(LONG, read) => outcome.expect("it is given up"),
            () = trickle => {}
        }
    }
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{failures:?}");
}

/// The time of each runs out at a moment at which a byte may just have come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_not_blamed_for_a_byte_that_came_in_the_last_moment() {
    let (server, failures) = telling(short()).await;
    let trickle = async |mut stream: TcpStream| {
        while stream.write_all(b"1\r\na\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    };
    for _ in 0..4 {
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(trickle(server.send(SLOW[2]).await));
        }
        futures::future::join_all(clients).await;
    }
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{:?}", failures.lock().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_breaks_off_within_its_body_is_no_failure_of_the_guest() {
    let (server, failures) = telling(Limits::default()).await;
    for _ in 0..8 {
        let mut stream = server.send(HALF).await;
        stream.write_all(b"abc").await.unwrap();
        drop(stream);
    }
    assert!(server.ask("ok").await.contains("hello"));
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{failures:?}");
}

/// Each has the only connection, and the next client gets its turn all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_request_is_closed() {
    let server = start(Limits { idle: SHORT, connections: 1, ..Limits::default() }).await;
    let beginnings: [&[u8]; 5] = [
        b"",
        b"GET /ok HTTP/1.1\r\nHost: he",
        b"PRI * HTTP/2",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ];
    for beginning in beginnings {
        let mut silent = server.send(beginning).await;
        let answer = tokio::time::timeout(LONG, server.ask("ok")).await.expect("its turn comes");
        assert!(answer.contains("hello"), "{answer}");
        drop(silent.shutdown().await);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_serves_one_request_after_the_other_and_is_then_closed() {
    let server = start(Limits { idle: SHORT, ..Limits::default() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The guest takes longer than a connection may be idle.
    for path in ["late", "ok", "late", "ok"] {
        stream.write_all(format!("GET /{path} HTTP/1.1\r\nHost: here\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{path}");
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    assert_eq!(until_the_end(&mut stream).await, "");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_closes_its_half_gets_its_answer() {
    let server = start(Limits::default()).await;
    for request in [
        "GET /late HTTP/1.1\r\nHost: here\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let mut stream = server.send(request.as_bytes()).await;
        stream.shutdown().await.unwrap();
        let answer = tokio::time::timeout(LONG, rest(&mut stream)).await.expect("it ends");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    }
    server.stop().await;
}

/// What a client does not read of an echo, it can soon not write either; and what lies between is a fraction of the body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_nobody_reads_is_not_taken() {
    const LENGTH: usize = 80 << 20;
    const BETWEEN: usize = 40 << 20;
    let limits =
        Limits { request_body: 1 << 30, response_body: 1 << 30, time: LONG, cpu: LONG, ..Limits::default() };
    let server = start(limits).await;
    let head =
        format!("POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n");
    let (mut read, mut write) = server.send(head.as_bytes()).await.into_split();
    let piece = [b'x'; 64 << 10];
    let mut written = 0;
    // Without anybody who reads, writing comes to an end long before the body does.
    while let Ok(outcome) = tokio::time::timeout(Duration::from_millis(500), write.write(&piece)).await {
        written += outcome.unwrap();
        assert!(written < BETWEEN, "the host takes what nobody reads");
    }
    let writing = tokio::spawn(async move {
        while written < LENGTH {
            let piece = &piece[..piece.len().min(LENGTH - written)];
            written += write.write(piece).await.unwrap();
        }
        write
    });
    let (mut count, mut piece) = (0, vec![0; 256 << 10]);
    loop {
        let length = read.read(&mut piece).await.unwrap();
        if length == 0 {
            break;
        }
        count += piece[..length].iter().filter(|byte| **byte == b'x').count();
    }
    assert_eq!(count, LENGTH);
    drop(writing.await.unwrap());
    server.stop().await;
}
