//! The server, over real sockets, with a guest that does as the path of the request says.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::support::{
    Log, guest, guest_that, guest_that_ends_its_answer, guest_that_tells_the_scheme, guest_with_a_store,
    rest, short, start, start_guest, start_telling, start_trusting,
};
use host_runner::blame::Kind;
use host_runner::extension::{Extension, ExtensionError, State};
use host_runner::keyvalue::Memory;
use host_runner::wasmtime::component::Linker;
use host_runner::{App, Engine, EngineOptions, Failure, Grants, LimitHit, Limits, Server, Setup, wasmtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_echoes() {
    let server = start(Limits::default()).await;
    let answer = server.ask("ok").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    let body = "x".repeat(300_000);
    let request = format!(
        "POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = rest(&mut server.send(request.as_bytes()).await).await;
    assert_eq!(answer.matches('x').count(), body.len());
    server.stop().await;
}

/// Everything that a guest can do wrong is answered by the host, and the next request is none the worse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_fails_costs_its_own_request() {
    let server = start(short()).await;
    for (path, status, title) in [
        ("trap", 500, "Internal Server Error"),
        ("memory", 500, "Internal Server Error"),
        ("nothing", 502, "Bad Gateway"),
        ("void", 502, "Bad Gateway"),
        ("spin", 504, "Gateway Timeout"),
    ] {
        let answer = server.ask(path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} {title}\r\n")), "{path}: {answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{path}: {answer}");
        assert!(answer.contains(&format!("\"status\":{status}")), "{path}: {answer}");
        for inside in ["wasm", "unreachable", "handle", "memory"] {
            let body = answer.split("\r\n\r\n").nth(1).unwrap();
            assert!(!body.contains(inside), "{path} tells of the guest's inside: {answer}");
        }
        assert!(server.ask("ok").await.contains("hello"), "after {path}");
    }
    server.stop().await;
}

/// The client is told an id and no more; under the id the host knows the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_known_by_the_id_that_its_client_was_told() {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let limits = Limits { response_body: 100_000, ..short() };
    let server = start_telling(limits, move |failure| told.lock().unwrap().push(failure.clone())).await;
    for (path, status, kind) in [
        ("trap", 500, Kind::GaveUp),
        ("memory", 500, Kind::Limit(LimitHit::Memory(limits.memory))),
        ("nothing", 502, Kind::NoAnswer),
        ("spin", 504, Kind::Limit(LimitHit::Time(limits.time))),
    ] {
        let answer = server.ask(path).await;
        let failure = failures.lock().unwrap().pop().expect("it was told");
        assert!(answer.contains(&format!("\"instance\":\"urn:uuid:{}\"", failure.id)), "{path}: {answer}");
        assert_eq!((failure.status, &*failure.request), (status, &*format!("GET /{path}")));
        let blame = failure.blame.as_ref().unwrap();
        assert_eq!(blame.kind, kind, "{path}");
        assert_eq!(blame.at().unwrap().function.as_deref(), Some("handle"), "{path}");
        let page = failure.to_string();
        assert!(page.contains(&failure.id) && page.contains(&format!("GET /{path}\n")), "{page}");
        assert!(
            page.contains("the host called the component, `handle` of wasi:http/incoming-handler@"),
            "{page}"
        );
    }
    // An answer that has begun is cut off, and told as well: once, whatever its guest makes of that.
    server.ask("big").await;
    server.stop().await;
    let failed = std::mem::take(&mut *failures.lock().unwrap());
    let kinds: Vec<_> = failed.iter().map(|failure| failure.blame.as_ref().unwrap().kind).collect();
    assert_eq!(kinds, [Kind::Limit(LimitHit::ResponseBody(100_000))]);
}

/// The host cuts an answer off, and its guest takes that badly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_told_once_whatever_comes_of_it() {
    let bytes = guest_that("", "", |text| {
        let (minding, after) = ("return))\n        (call $end", "unreachable))\n        (call $end");
        assert!(text.contains(minding));
        text.replace(minding, after)
    });
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let limits = Limits { response_body: 100_000, ..short() };
    let setup = Setup { limits, ..Setup::default() };
    let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
    let server = start_guest(&bytes, setup, None, tell).await;
    let answer = server.ask("big").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.len() < 120_000, "{answer}");
    // The guest's end is awaited.
    server.stop().await;
    let failures = failures.lock().unwrap();
    let [failure] = &failures[..] else { panic!("{failures:?}") };
    assert_eq!(failure.blame.as_ref().unwrap().kind, Kind::Limit(LimitHit::ResponseBody(100_000)));
}

/// On one thread, because the log is taken on that.
#[tokio::test]
async fn a_failure_is_one_line_in_the_log() {
    let log = Log::take(tracing::Level::INFO);
    let server = start(Limits::default()).await;
    let answer = server.ask("trap").await;
    let text = log.text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("a guest failed")).collect();
    let [line] = &*lines else { panic!("{text}") };
    let digest = format!("digest=\"{}\"", anatomy::read(guest()).unwrap().digest);
    for field in [
        &digest,
        "request=\"GET /trap\"",
        "status=500",
        "kind=\"gave-up\"",
        "reason=\"wasm `unreachable` instruction executed\"",
        "part=\"the component\"",
        "interface=\"wasi:http/incoming-handler@0.2.",
        "function=\"handle\"",
        "path=\"the component\"",
        "frames=\"0: wasi:http/incoming-handler@0.2.",
    ] {
        assert!(line.contains(field), "{field}: {line}");
    }
    assert!(!line.contains("blame="), "{line}");
    let id = line.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(answer.contains(&format!("urn:uuid:{id}")), "{answer}");
    server.stop().await;
}

/// A call that takes its thread, and returns when four are in it at once.
#[derive(Default)]
struct Meeting(Arc<(Mutex<u32>, Condvar)>);

impl Extension for Meeting {
    type Data = ();

    fn interfaces(&self) -> Vec<String> {
        vec!["test:all/gate".to_owned()]
    }

    fn allows(&self) -> String {
        "meeting".to_owned()
    }

    fn add_to_linker(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        let meeting = Arc::clone(&self.0);
        linker.instance("test:all/gate")?.func_wrap("pass", move |_, (): ()| {
            let (arrived, changed) = &*meeting;
            // What the thread was to run next goes to another one: a task that it has begun to hand out cannot be taken
            // from it, and may be the request that is waited for.
            tokio::task::block_in_place(|| {
                let mut arrived = arrived.lock().unwrap();
                *arrived += 1;
                changed.notify_all();
                let wait =
                    changed.wait_timeout_while(arrived, Duration::from_secs(60), |arrived| *arrived < 4);
                if wait.unwrap().1.timed_out() { Err(wasmtime::Error::msg("nobody came")) } else { Ok(()) }
            })
        })
    }

    fn start(&self) -> Result<(), ExtensionError> {
        Ok(())
    }
}

/// Each of four guests waits, on a thread of its own, for the other three: were they run in turns, none would be answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn requests_run_in_parallel() {
    let import = r#"(import "test:all/gate" "pass" (func $pass))"#;
    let bytes = guest_that(import, "(call $pass)", |text| text);
    let limits = Limits { time: Duration::from_secs(300), ..Limits::default() };
    let mut setup = Setup { limits, ..Setup::default() };
    setup.extensions.add(Meeting::default());
    let server = start_guest(&bytes, setup, None, |_| {}).await;
    let answers = futures::future::join_all((0..4).map(|_| server.ask("ok"))).await;
    assert!(answers.iter().all(|answer| answer.contains("hello")), "{answers:?}");
    server.stop().await;
}

/// Operations and bytes of the store, of a request and not of a call: each request may have as much again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_request_does_to_the_store_is_limited() {
    // It sets a key of five bytes to a value of five, and gets it.
    for (limits, hit) in [
        (Limits { keyvalue_ops: 1, ..Limits::default() }, LimitHit::KeyvalueOps(1)),
        (Limits { keyvalue_bytes: 15, ..Limits::default() }, LimitHit::KeyvalueBytes(15)),
    ] {
        let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
        let told = Arc::clone(&failures);
        let grants = Grants { keyvalue: Some(Arc::new(Memory::new())), ..Grants::default() };
        let setup = Setup { limits, grants, ..Setup::default() };
        let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
        let server = start_guest(&guest_with_a_store(), setup, None, tell).await;
        let answer = server.ask("k").await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{hit}: {answer}");
        let failure = failures.lock().unwrap().pop().expect("it was told");
        assert!(answer.contains(&format!("urn:uuid:{}", failure.id)), "{hit}: {answer}");
        assert_eq!(failure.blame.unwrap().kind, Kind::Limit(hit));
        assert!(server.ask("ok").await.contains("hello"));
        server.stop().await;
    }
    let grants = Grants { keyvalue: Some(Arc::new(Memory::new())), ..Grants::default() };
    let limits = Limits { keyvalue_ops: 2, keyvalue_bytes: 20, ..Limits::default() };
    let setup = Setup { limits, grants, ..Setup::default() };
    let server = start_guest(&guest_with_a_store(), setup, None, |_| {}).await;
    for _ in 0..3 {
        assert!(server.ask("k").await.contains("hello"));
    }
    server.stop().await;
}

/// Whatever ends a request, its place is free again at once: there are 8, and a hundred fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_computes_too_long_is_answered_504_and_frees_its_place() {
    let limits = Limits { cpu: Duration::from_millis(20), queue: 1_000, ..Limits::default() };
    let server = start(limits).await;
    for answer in futures::future::join_all((0..40).map(|_| server.ask("spin"))).await {
        assert!(answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"), "{answer}");
    }
    for answer in futures::future::join_all((0..60).map(|_| server.ask("trap"))).await {
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    }
    assert!(server.ask("ok").await.contains("hello"));
    server.stop().await;
}

/// The guest had set its answer; nothing of it had been sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_before_the_body_begins_is_answered_in_full() {
    let server = start(Limits::default()).await;
    for _ in 0..20 {
        let answer = server.ask("regret").await;
        assert!(answer.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{answer}");
        assert!(answer.contains("\"instance\":\"urn:uuid:"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_broke_off_does_not_look_complete() {
    let server = start(Limits { response_body: 100_000, ..short() }).await;
    for path in ["half", "big"] {
        let answer = server.ask(path).await;
        // Cut off after the head: an answer, and never a whole one.
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        assert!(!answer.ends_with("\r\n0\r\n\r\n"), "{path}: {answer}");
        assert!(answer.len() < 120_000, "{path}");
    }
    server.stop().await;
}

/// A task may do so much before it has to yield. However much of that its guest has used up, the host sees that the body is
/// finished.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_answer_is_whole_however_often_its_guest_called_the_host() {
    // The second letter says how often: from 90 to 147 times.
    let count = "(i32.store (i32.const 2000) (i32.add (i32.const 25)
        (i32.load8_u offset=2 (i32.load (i32.const 1028)))))";
    let end = "\n        (call $end (local.get $stream))))";
    let calls = "(loop $again
        (call $put (local.get $stream) (i32.const 16) (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 2000) (i32.sub (i32.load (i32.const 2000)) (i32.const 1)))
        (br_if $again (i32.load (i32.const 2000))))";
    let bytes = guest_that("", count, |text| {
        assert_eq!(text.matches(end).count(), 1);
        text.replace(end, &format!("{calls}{end}"))
    });
    let server = start_guest(&bytes, Setup::default(), None, |failure| panic!("{failure:?}")).await;
    for letter in ('A'..='Z').chain('a'..='z') {
        let answer = server.ask(&format!("o{letter}")).await;
        assert!(answer.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{letter}: {answer}");
    }
    server.stop().await;
}

/// What its guest does after the end of the body is not its client's affair.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_answer_is_sent_to_its_end_whatever_its_guest_does_then() {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    for reuse in [1, 100] {
        let told = Arc::clone(&failures);
        let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
        let setup = Setup { limits: Limits { reuse, ..Limits::default() }, ..Setup::default() };
        let server = start_guest(&guest_that_ends_its_answer(), setup, None, tell).await;
        for (path, failed) in [("quit", false), ("Quit", true), ("ungrateful", true)] {
            for _ in 0..20 {
                let answer = server.ask(path).await;
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
                assert!(answer.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{path}: {answer}");
                // Its guest's end may come after its answer's.
                while server.swapper.in_flight() > 0 {
                    tokio::task::yield_now().await;
                }
                let failure = failures.lock().unwrap().pop();
                assert_eq!(
                    failure.as_ref().map(|failure| failure.answered),
                    failed.then_some(true),
                    "{path}"
                );
                if let Some(failure) = failure {
                    let trapped = failure.blame.as_ref().map(|blame| blame.kind);
                    assert_eq!(trapped, (path == "ungrateful").then_some(Kind::GaveUp), "{path}");
                }
            }
        }
        server.stop().await;
    }
}

/// The client is cut off, or told so where nothing has been sent yet; and it is said whose fault that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_its_guest_does_not_finish_is_told() {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
    let server = start_guest(&guest_that_ends_its_answer(), Setup::default(), None, tell).await;
    for (path, head, status, kind, reason) in [
        ("drop", 200, 502, Some(Kind::BadBody), "it did not finish the body of its answer"),
        ("forget", 200, 502, Some(Kind::BadBody), "it did not finish the body of its answer"),
        ("Short", 200, 502, Some(Kind::BadBody), "it said that its answer has 5 bytes, and wrote 3"),
        ("Much", 502, 502, Some(Kind::BadBody), "it said that its answer has 5 bytes, and wrote at least 9"),
        ("xit", 200, 500, None, "the guest ended itself with status 0"),
        ("Xit", 500, 500, None, "the guest ended itself with status 0"),
    ] {
        let answer = server.ask(path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {head} ")), "{path}: {answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert!(head != 200 || !(body.ends_with("0\r\n\r\n") || body == "hello"), "{path}: {answer}");
        while server.swapper.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
        let told = std::mem::take(&mut *failures.lock().unwrap());
        let [failure] = &told[..] else { panic!("{path}: {told:?}") };
        let blamed = failure.blame.as_ref().map(|blame| blame.kind);
        assert_eq!((failure.status, blamed, &*failure.reason), (status, kind, reason), "{path}");
        if let Some(blame) = &failure.blame {
            assert_eq!(blame.at().unwrap().function.as_deref(), Some("handle"), "{path}");
        }
    }
    // Nothing of these bodies is sent, so nothing is missing.
    for path in ["quit", "drop", "forget", "Short", "Long", "xit"] {
        let request = format!("HEAD /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        let answer = rest(&mut server.send(request.as_bytes()).await).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
    }
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{failures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_beyond_the_limit_are_refused() {
    let server = start(Limits { request_body: 1_000, ..Limits::default() }).await;
    let declared = b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n";
    let answer = rest(&mut server.send(declared).await).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let absurd = b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 99999999999999999999999\r\n\r\n";
    let answer = rest(&mut server.send(absurd).await).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    // Nothing is declared, and then there is more: the guest had begun, and its answer does not count.
    let chunked =
        b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = server.send(chunked).await;
    let chunk = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1_001));
    stream.write_all(chunk.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(!answer.ends_with("\r\n0\r\n\r\n") || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.stop().await;
}

/// Clients can write what a proxy writes, so only those that are trusted are believed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scheme_is_what_a_trusted_peer_says() {
    for (proxies, trusted) in [(&[][..], false), (&["10.0.0.1"], false), (&["10.0.0.1", "127.0.0.0/8"], true)]
    {
        let server = start_trusting(&guest_that_tells_the_scheme(), None, proxies).await;
        for (target, headers, https) in [
            ("/x", "", false),
            ("http://here/x", "", false),
            ("https://here/x", "", true),
            ("/x", "X-Forwarded-Proto: https\r\n", true),
            ("/x", "Forwarded: for=192.0.2.1;proto=https\r\n", true),
            ("https://here/x", "X-Forwarded-Proto: http\r\n", false),
            ("/x", "Forwarded: proto=https\r\nX-Forwarded-Proto: http\r\n", false),
        ] {
            let request =
                format!("GET {target} HTTP/1.1\r\nHost: here\r\n{headers}Connection: close\r\n\r\n");
            let answer = rest(&mut server.send(request.as_bytes()).await).await;
            let expected = if trusted && https { "1ello" } else { "0ello" };
            assert!(answer.contains(expected), "{proxies:?} {target} {headers}: {answer}");
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_needs_one_host() {
    let server = start(Limits::default()).await;
    for request in [
        "GET /ok HTTP/1.1\r\n\r\n",
        "GET /ok HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /ok HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /ok HTTP/1.1\r\nHost: u@a\r\n\r\n",
        "GET http://u@a/ok HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let mut stream = server.send(request.as_bytes()).await;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 400");
    }
    server.stop().await;
}

/// Each of these is read in another way by some other server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_may_be_read_in_two_ways_is_refused() {
    let server = start(Limits::default()).await;
    for request in [
        "GET /ok HTTP/1.1\nHost: a\r\n\r\n",
        "GET /ok HTTP/1.1\r\nHost: a\n\r\n",
        "GET /ok HTTP/1.1\r\nHost: a\r\nX: y\nZ: a\r\n\r\n",
        "GET /ok HTTP/1.1\r\nHost: a\r\n\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ] {
        let mut stream = server.send(request.as_bytes()).await;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 400", "{request:?}");
    }
    // The second one on a connection, after a body with such an end of line in it.
    let requests =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na\nbGET /ok HTTP/1.1\nHost: a\r\n\r\n";
    let answers = rest(&mut server.send(requests.as_bytes()).await).await;
    assert!(answers.starts_with("HTTP/1.1 200 OK\r\n") && answers.contains("a\nb"), "{answers}");
    assert!(answers.contains("HTTP/1.1 400 "), "{answers}");
    server.stop().await;
}

/// Before HTTP/1.1 a request need not say which host it is for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_request_without_a_host_is_for_where_it_arrived() {
    let server = start(Limits::default()).await;
    let answer = rest(&mut server.send(b"GET /ok HTTP/1.0\r\n\r\n").await).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_tunnels_are_made() {
    let server = start(Limits::default()).await;
    let request = b"CONNECT there:80 HTTP/1.1\r\nHost: there:80\r\nConnection: close\r\n\r\n";
    let answer = rest(&mut server.send(request).await).await;
    assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
    server.stop().await;
}

/// The guest writes a body as it would for GET, and is none the worse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_is_answered_without_a_body() {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let limits = Limits { response_body: 100_000, ..Limits::default() };
    let server = start_telling(limits, move |failure| told.lock().unwrap().push(failure.clone())).await;
    // On one connection: a body that was sent all the same would be read as the next answer.
    let request = "HEAD /counted HTTP/1.1\r\nHost: here\r\n\r\nHEAD /ok HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    let answers = rest(&mut server.send(request.as_bytes()).await).await;
    let heads: Vec<&str> = answers.split_terminator("\r\n\r\n").collect();
    let [counted, plain] = &*heads else { panic!("{answers}") };
    assert!(counted.starts_with("HTTP/1.1 200 OK\r\n") && counted.contains("content-length: 5"), "{counted}");
    assert!(plain.starts_with("HTTP/1.1 200 OK\r\n"), "{plain}");
    assert!(!answers.contains("hello"), "{answers}");
    assert!(failures.lock().unwrap().is_empty());
    assert!(server.ask("counted").await.ends_with("\r\n\r\nhello"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_asked_for_only_when_it_is_read() {
    let server = start(Limits { request_body: 1_000, ..Limits::default() }).await;
    let request = |path: &str, length: u32| {
        format!(
            "POST /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut read = server.send(request("echo", 5).as_bytes()).await;
    let mut head = [0; 25];
    read.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 100 Continue\r\n\r\n");
    read.write_all(b"abcde").await.unwrap();
    let answer = rest(&mut read).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("abcde"), "{answer}");
    // Neither a guest that does not read it, nor a body that is too long from the start.
    let answer = rest(&mut server.send(request("ok", 5).as_bytes()).await).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let answer = rest(&mut server.send(request("echo", 1_001).as_bytes()).await).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_beyond_the_limit_is_refused() {
    let server = start(Limits { request_head: 8 << 10, ..Limits::default() }).await;
    let with = |length: usize| {
        format!("GET /ok HTTP/1.1\r\nHost: here\r\nConnection: close\r\nX: {}\r\n\r\n", "x".repeat(length))
    };
    let answer = rest(&mut server.send(with(4_000).as_bytes()).await).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let mut stream = server.send(with(9_000).as_bytes()).await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 431");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_at_once_are_turned_away() {
    let server = start(Limits { concurrency: 1, queue: 1, ..short() }).await;
    let spinning = server.send(b"GET /spin HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
    // One runs and one waits: of three that come at the same time at least one has no place.
    let (a, b, c) = tokio::join!(server.ask("spin"), server.ask("spin"), server.ask("spin"));
    let answers = [a, b, c];
    let turned_away = answers.iter().find(|answer| answer.starts_with("HTTP/1.1 503 "));
    assert!(turned_away.is_some_and(|answer| answer.contains("retry-after: 1\r\n")), "{answers:?}");
    drop(spinning);
    server.stop().await;
}

/// The guest that has the only place waits for its client, and nobody is made to wait with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_turned_away_does_not_wait_for_a_place() {
    let server = start(Limits { concurrency: 1, queue: 0, ..Limits::default() }).await;
    let head = b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 8\r\n\r\n";
    let mut stream = server.send(head).await;
    stream.write_all(b"one,").await.unwrap();
    // Its answer has begun, so it has the place.
    let mut answer = Vec::new();
    while !answer.ends_with(b"one,\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    for _ in 0..20 {
        let refused = server.ask("ok").await;
        assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1\r\n"), "{refused}");
    }
    // It had it all the while.
    stream.write_all(b"two,").await.unwrap();
    assert!(rest(&mut stream).await.contains("two,"));
    server.stop().await;
}

/// The pool has room for 8, whatever the limit says: who comes then waits, and is not failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_pool_makes_requests_wait() {
    let server = start(Limits { concurrency: 64, ..Limits::default() }).await;
    let answers = futures::future::join_all((0..20).map(|_| server.ask("late"))).await;
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    server.stop().await;
}

/// A client that asks and never reads has the only connection: the next one gets its turn all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_no_answer_loses_its_connection() {
    let stall = Duration::from_millis(200);
    let server = start(Limits { connections: 1, stall, ..short() }).await;
    let idle = server.send(b"GET /big HTTP/1.1\r\nHost: here\r\n\r\n").await;
    let answer = tokio::time::timeout(Duration::from_secs(60), server.ask("ok")).await.unwrap();
    assert!(answer.contains("hello"), "{answer}");
    drop(idle);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_flight_finishes_before_the_end() {
    let server = start(Limits::default()).await;
    let mut late = server.send(b"GET /late HTTP/1.1\r\nHost: here\r\n\r\n").await;
    // An idle connection does not hold the end up.
    let idle = TcpStream::connect(server.address).await.unwrap();
    let mut used = server.send(b"GET /ok HTTP/1.1\r\nHost: here\r\n\r\n").await;
    let mut head = [0; 15];
    used.read_exact(&mut head).await.unwrap();
    let address = server.address;
    let (answer, ()) = tokio::join!(rest(&mut late), server.stop());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hang_up_harm_nobody() {
    let server = start(Limits::default()).await;
    for path in ["big", "late", "echo", "ok"] {
        for _ in 0..8 {
            let request = format!("POST /{path} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nabc");
            drop(server.send(request.as_bytes()).await);
        }
    }
    let answer = server.ask("ok").await;
    assert!(answer.contains("hello"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_component_without_a_handler_is_refused() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let bytes = wat::parse_str("(component)").unwrap();
    let app = App::from_bytes(&engine, "guest.wasm", &bytes, Setup::default()).unwrap();
    let error = Server::new(app).await.map(drop).unwrap_err();
    assert!(
        error.to_string().starts_with(
            "guest.wasm does not answer HTTP requests: it exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3"
        ),
        "{error}"
    );
}
