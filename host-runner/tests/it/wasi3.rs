//! A handler of WASI 0.3, served as those of 0.2 are.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::support::{Running, rest, short, start_guest, start_trusting};
use host_runner::blame::Kind;
use host_runner::{
    App, CallError, Engine, EngineOptions, ExitStatus, Failure, Grants, LimitHit, Limits, LoadError,
    RunError, Setup, Tuning, run,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wit_parser::{PackageId, Resolve};

/// The first letter of the path says what it does: `o` answers "hello", after which it writes the body; `e` answers with
/// the body of the request as it comes; `t` traps; `h` traps after its answer; `s` spins; `w` waits for years; `x` answers
/// with an error; `q` exits with ok when its body is finished, and `u` traps; `E` ends its body with an error, and that of `S`
/// is shorter than it says; `O` returns while its body is open; `m` grows by more memory than there is; `T` grows its table; `f` makes headers without end, and `n`
/// streams.
const GUEST: &str = r#"(module
    (import "wasi:http/types@0.3.0" "[method]request.get-path-with-query" (func $path (param i32 i32)))
    (import "wasi:http/types@0.3.0" "[static]request.consume-body" (func $consume (param i32 i32 i32)))
    (import "wasi:http/types@0.3.0" "[future-new-0][static]request.consume-body" (func $result (result i64)))
    (import "wasi:http/types@0.3.0" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.3.0" "[static]response.new" (func $response (param i32 i32 i32 i32 i32)))
    (import "wasi:http/types@0.3.0" "[stream-new-0][static]response.new" (func $stream (result i64)))
    (import "wasi:http/types@0.3.0" "[async-lower][stream-write-0][static]response.new"
        (func $write (param i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.3.0" "[stream-drop-writable-0][static]response.new" (func $end (param i32)))
    (import "wasi:http/types@0.3.0" "[future-new-1][static]response.new" (func $trailers (result i64)))
    (import "wasi:http/types@0.3.0" "[async-lower][future-write-1][static]response.new"
        (func $no-trailers (param i32 i32) (result i32)))
    (import "wasi:clocks/monotonic-clock@0.3.0" "[async-lower]wait-for" (func $wait (param i64) (result i32)))
    (import "wasi:http/types@0.3.0" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:cli/exit@0.3.0" "exit" (func $exit (param i32)))
    (import "[export]wasi:http/handler@0.3.0" "[task-return]handle"
        (func $answer (param i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "$root" "[waitable-set-new]" (func $set (result i32)))
    (import "$root" "[waitable-join]" (func $join (param i32 i32)))

    (memory (export "memory") 1)
    (table 1 funcref)
    (data (i32.const 16) "hello")
    (global $top (mut i32) (i32.const 4096))
    (global $waiting (mut i32) (i32.const 0))
    (global $out (mut i32) (i32.const 0))
    (global $last (mut i32) (i32.const 0))
    (global $letter (mut i32) (i32.const 0))
    (data (i32.const 32) "content-length") (data (i32.const 48) "9")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 7)) (i32.const -8))))

    ;; Answers with this stream as the body, and this future for the trailers.
    (func $respond (param $body i32) (param $trailers i32) (local $head i32)
        (local.set $head (call $fields))
        (if (i32.eq (global.get $letter) (i32.const 0x53)) (then (call $append (local.get $head)
            (i32.const 32) (i32.const 14) (i32.const 48) (i32.const 1) (i32.const 1024))))
        (call $response (local.get $head) (i32.const 1) (local.get $body) (local.get $trailers) (i32.const 1024))
        (call $answer (i32.const 0) (i32.load (i32.const 1024)) (i32.const 0) (i64.const 0)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    ;; Waits for what has begun on a handle.
    (func $await (param $handle i32) (result i32)
        (call $join (local.get $handle) (global.get $waiting))
        (i32.or (i32.const 2) (i32.shl (global.get $waiting) (i32.const 4))))
    ;; After the body: no trailers.
    (func $finish (result i32)
        (if (i32.eq (global.get $letter) (i32.const 0x4f)) (then (return (i32.const 0))))
        (call $end (global.get $out))
        (i32.store8 (i32.const 512) (i32.eq (global.get $letter) (i32.const 0x45)))
        (if (i32.eq (call $no-trailers (global.get $last) (i32.const 512)) (i32.const -1))
            (then (return (call $await (global.get $last)))))
        (call $finished))
    (func $finished (result i32)
        (if (i32.eq (global.get $letter) (i32.const 0x71)) (then (call $exit (i32.const 0))))
        (if (i32.eq (global.get $letter) (i32.const 0x75)) (then unreachable))
        (i32.const 0))

    (func (export "[async-lift]wasi:http/handler@0.3.0#handle") (param $request i32) (result i32)
        (local $letter i32) (local $pair i64)
        (global.set $waiting (call $set))
        (call $path (local.get $request) (i32.const 1024))
        (local.set $letter (i32.load8_u offset=1 (i32.load (i32.const 1028))))
        (global.set $letter (local.get $letter))
        (if (i32.eq (local.get $letter) (i32.const 0x74)) (then unreachable))
        (if (i32.eq (local.get $letter) (i32.const 0x73)) (then (loop br 0)))
        (if (i32.eq (local.get $letter) (i32.const 0x77)) (then
            (return (call $await (i32.shr_u (call $wait (i64.const 1000000000000000000)) (i32.const 4))))))
        (if (i32.eq (local.get $letter) (i32.const 0x6d)) (then
            (if (i32.eq (memory.grow (i32.const 60000)) (i32.const -1)) (then unreachable))))
        (if (i32.eq (local.get $letter) (i32.const 0x54)) (then
            (if (i32.eq (table.grow (ref.null func) (i32.const 100000)) (i32.const -1)) (then unreachable))))
        (if (i32.eq (local.get $letter) (i32.const 0x66)) (then (loop $more (drop (call $fields)) (br $more))))
        (if (i32.eq (local.get $letter) (i32.const 0x6e)) (then (loop $more (drop (call $stream)) (br $more))))
        (if (i32.eq (local.get $letter) (i32.const 0x78)) (then
            (call $answer (i32.const 1) (i32.const 36) (i32.const 0) (i64.const 0)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (return (i32.const 0))))
        (if (i32.eq (local.get $letter) (i32.const 0x65)) (then
            (call $consume (local.get $request) (i32.wrap_i64 (call $result)) (i32.const 1024))
            (call $respond (i32.load (i32.const 1024)) (i32.load (i32.const 1028)))
            (return (i32.const 0))))
        ;; The lower half is the end to read from, the upper the end to write to.
        (local.set $pair (call $trailers))
        (global.set $last (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))))
        (i32.store (i32.const 256) (i32.wrap_i64 (local.get $pair)))
        (local.set $pair (call $stream))
        (global.set $out (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))))
        (call $respond (i32.wrap_i64 (local.get $pair)) (i32.load (i32.const 256)))
        (if (i32.eq (local.get $letter) (i32.const 0x68)) (then unreachable))
        (if (i32.eq (call $write (global.get $out) (i32.const 16) (i32.const 5)) (i32.const -1))
            (then (return (call $await (global.get $out)))))
        (call $finish))

    ;; 3 is a write to a stream, 5 one to a future.
    (func (export "[callback][async-lift]wasi:http/handler@0.3.0#handle") (param $event i32) (param i32 i32) (result i32)
        (if (i32.eq (local.get $event) (i32.const 3)) (then (return (call $finish))))
        (if (i32.eq (local.get $event) (i32.const 5)) (then (return (call $finished))))
        (i32.const 0)))"#;

fn guest() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| component(GUEST))
}

/// More than a service has: the end of the guest.
fn component(text: &str) -> Vec<u8> {
    let mut resolve = contracts().0;
    let all = "package test:all; world all { include wasi:http/service@0.3.0; import wasi:cli/exit@0.3.0; }";
    let package = resolve.push_str("all.wit", all).unwrap();
    let world = resolve.select_world(&[package], Some("all")).unwrap();
    crate::support::encode(text, &resolve, world)
}

/// A component for a world of one of the packages.
fn encode(text: &str, package: &str, world: &str) -> Vec<u8> {
    let (resolve, packages) = contracts();
    let world = resolve.select_world(&[packages[package]], Some(world)).unwrap();
    crate::support::encode(text, &resolve, world)
}

fn contracts() -> (Resolve, HashMap<&'static str, PackageId>) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wasi-0.3");
    let mut resolve = Resolve::default();
    let packages = ["clocks", "random", "filesystem", "sockets", "cli", "http"]
        .map(|name| (name, resolve.push_file(directory.join(format!("{name}.wit"))).unwrap()));
    (resolve, packages.into())
}

async fn start(limits: Limits) -> (Running, Arc<Mutex<Vec<Failure>>>) {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let setup = Setup { limits, ..Setup::default() };
    let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
    (start_guest(guest(), setup, Some(true), tell).await, failures)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_written_after_the_answer() {
    let (server, failures) = start(Limits::default()).await;
    for _ in 0..20 {
        let answer = server.ask("ok").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    }
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{failures:?}");
}

/// A piece is there again before the next one is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_streamed_both_ways() {
    let (server, _) = start(Limits::default()).await;
    let head =
        b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = server.send(head).await;
    let mut answer = Vec::new();
    for piece in ["one", "two", "six"] {
        stream.write_all(format!("3\r\n{piece}\r\n").as_bytes()).await.unwrap();
        while !answer.ends_with(format!("3\r\n{piece}\r\n").as_bytes()) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        }
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut stream).await, "0\r\n\r\n");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_fails_is_blamed() {
    let limits = short();
    let (server, failures) = start(limits).await;
    for (path, status, kind) in [
        ("trap", 500, Some(Kind::GaveUp)),
        ("half", 500, Some(Kind::GaveUp)),
        ("spin", 504, Some(Kind::Limit(LimitHit::Time(limits.time)))),
        ("wait", 504, Some(Kind::Limit(LimitHit::Time(limits.time)))),
        ("x", 502, None),
    ] {
        let answer = server.ask(path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        let failure = failures.lock().unwrap().pop().expect("it was told");
        assert!(answer.contains(&format!("urn:uuid:{}", failure.id)), "{path}: {answer}");
        assert_eq!(failure.blame.as_ref().map(|blame| blame.kind), kind, "{path}");
        if let Some(blame) = &failure.blame {
            assert_eq!(blame.at().unwrap().function.as_deref(), Some("handle"), "{path}");
        }
        assert!(server.ask("ok").await.contains("hello"), "after {path}");
    }
    server.stop().await;
}

/// What its guest does after the end of the body is not its client's affair.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_answer_is_sent_to_its_end_whatever_its_guest_does_then() {
    let (server, failures) = start(Limits::default()).await;
    for (path, failed) in [("quit", false), ("ungrateful", true)] {
        for _ in 0..50 {
            let answer = server.ask(path).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
            assert!(answer.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{path}: {answer}");
            while server.swapper.in_flight() > 0 {
                tokio::task::yield_now().await;
            }
            let failure = failures.lock().unwrap().pop();
            assert_eq!(failure.map(|failure| failure.answered), failed.then_some(true), "{path}");
        }
    }
    server.stop().await;
}

/// The guest says "0ello" where the scheme is http, and "1ello" where it is https.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scheme_of_a_trusted_peer_is_told() {
    let import = r#"(import "wasi:http/types@0.3.0" "[method]request.get-scheme" (func $scheme (param i32 i32)))
        (import "wasi:cli/exit@0.3.0""#;
    let begins = "(global.set $waiting (call $set))";
    let tells = format!(
        "{begins} (call $scheme (local.get $request) (i32.const 1024))
        (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.load8_u (i32.const 1028))))"
    );
    let text = GUEST.replace(r#"(import "wasi:cli/exit@0.3.0""#, import).replace(begins, &tells);
    for (proxies, expected) in [(&[][..], "0ello"), (&["127.0.0.1"], "1ello")] {
        let server = start_trusting(&component(&text), Some(true), proxies).await;
        let request = b"GET https://here/ok HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
        let answer = rest(&mut server.send(request).await).await;
        assert!(answer.contains(expected), "{proxies:?}: {answer}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_end_well_is_told() {
    let (server, failures) = start(Limits::default()).await;
    for (path, reason) in [
        ("Error", "it ended the body of its answer with an error: "),
        ("Short", "it said that its answer has 9 bytes, and wrote 5"),
        ("Open", "it did not finish the body of its answer"),
    ] {
        let answer = server.ask(path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        assert!(answer.contains("hello") && !answer.ends_with("0\r\n\r\n"), "{path}: {answer}");
        let failure = failures.lock().unwrap().pop().expect("it was told");
        assert!(failure.reason.starts_with(reason), "{path}: {failure:?}");
        let blame = failure.blame.as_ref().unwrap();
        assert_eq!((failure.status, blame.kind), (502, Kind::BadBody), "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_computes_too_long_is_stopped() {
    let cpu = Duration::from_millis(30);
    let (server, failures) = start(Limits { cpu, ..Limits::default() }).await;
    assert!(server.ask("spin").await.starts_with("HTTP/1.1 504 "));
    let failure = failures.lock().unwrap().pop().unwrap();
    assert_eq!(failure.blame.unwrap().kind, Kind::Limit(LimitHit::Cpu(cpu)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_guest_takes_is_limited() {
    let limits = Limits {
        table_elements: 1_000,
        guest_handles: 300,
        host_handles: 200,
        response_body: 4,
        ..Limits::default()
    };
    let (server, failures) = start(limits).await;
    for (path, status, hit) in [
        ("memory", 500, LimitHit::Memory(limits.memory)),
        ("Table", 500, LimitHit::TableElements(limits.table_elements)),
        ("fields", 500, LimitHit::HostHandles(limits.host_handles)),
        ("new", 500, LimitHit::GuestHandles(limits.guest_handles)),
        ("ok", 502, LimitHit::ResponseBody(limits.response_body)),
    ] {
        let answer = server.ask(path).await;
        let failure = failures.lock().unwrap().pop();
        let failure = failure.unwrap_or_else(|| panic!("{path} was not told: {answer}"));
        assert_eq!(
            failure.blame.as_ref().map(|blame| blame.kind),
            Some(Kind::Limit(hit)),
            "{path}: {answer}"
        );
        assert_eq!(failure.status, status, "{path}");
        assert!(server.ask("error").await.starts_with("HTTP/1.1 200 "), "after {path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_beyond_the_limit_is_refused() {
    let (server, failures) =
        start(Limits { request_body: 100, body_stall: Duration::from_millis(150), ..Limits::default() })
            .await;
    let long = format!(
        "POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n{}\r\n0\r\n\r\n",
        "x".repeat(101)
    );
    let answer = rest(&mut server.send(long.as_bytes()).await).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let slow = b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    let mut stream = server.send(slow).await;
    let mut answer = Vec::new();
    // Its head may have been sent before; then the answer breaks off.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") || !answer.ends_with("0\r\n\r\n"), "{answer}");
    server.stop().await;
    assert!(failures.lock().unwrap().is_empty(), "{failures:?}");
}

/// The interfaces of 0.3 need the grants that those of 0.2 need.
#[test]
fn what_is_not_granted_is_refused() {
    let engine = Engine::new(&EngineOptions {
        tuning: Tuning { concurrency: Some(true), ..Tuning::default() },
        ..EngineOptions::default()
    })
    .unwrap();
    let load = |interface: &str, grants| {
        let bytes =
            wat::parse_str(format!(r#"(component (import "{interface}" (instance (export "x" (func)))))"#));
        App::from_bytes(&engine, "guest.wasm", &bytes.unwrap(), Setup { grants, ..Setup::default() })
    };
    for interface in
        ["wasi:http/client@0.3.0", "wasi:cli/environment@0.3.0", "wasi:filesystem/preopens@0.3.0"]
    {
        let Err(LoadError::Refused(refusal)) = load(interface, Grants::default()) else {
            panic!("{interface}")
        };
        assert_eq!(refusal.imports[0].import, interface);
        assert!(!refusal.imports[0].ways().is_empty());
    }
    // Granted, it is there, and has no function of that name.
    let granted = Grants { environment: Some(Vec::new()), ..Grants::default() };
    assert!(matches!(load("wasi:cli/environment@0.3.0", granted), Err(LoadError::Mismatch { .. })));
}

/// The guest, which answers with "hell" and how many requests its instance was given.
fn counting() -> Vec<u8> {
    let begins = "(global.set $waiting (call $set))";
    let counts =
        format!("(i32.store8 (i32.const 20) (i32.add (i32.load8_u (i32.const 20)) (i32.const 1))) {begins}");
    component(&GUEST.replace("\"hello\"", "\"hell0\"").replace(begins, &counts))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_answers_requests_one_after_the_other_until_it_fails() {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let limits = Limits { reuse: 4, concurrency: 1, ..short() };
    let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
    let setup = Setup { limits, ..Setup::default() };
    let server = start_guest(&counting(), setup, Some(true), tell).await;
    for count in [1, 2, 3, 4, 1, 2] {
        let answer = server.ask("ok").await;
        assert!(answer.contains(&format!("hell{count}")), "{count}: {answer}");
    }
    for (path, kind) in [
        ("trap", Some(Kind::GaveUp)),
        ("half", Some(Kind::GaveUp)),
        ("spin", Some(Kind::Limit(LimitHit::Time(limits.time)))),
        ("wait", Some(Kind::Limit(LimitHit::Time(limits.time)))),
        ("x", None),
    ] {
        server.ask(path).await;
        let failure = failures.lock().unwrap().pop().expect("it was told");
        assert_eq!(failure.blame.as_ref().map(|blame| blame.kind), kind, "{path}");
        for count in [1, 2] {
            let answer = server.ask("ok").await;
            assert!(answer.contains(&format!("hell{count}")), "{count} after {path}: {answer}");
        }
    }
    server.stop().await;
}

/// One that is in the middle of an answer could take another request, and is not given one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_answers_one_request_at_a_time() {
    let setup = Setup { limits: Limits { reuse: 1_000, ..Limits::default() }, ..Setup::default() };
    let server = start_guest(&counting(), setup, Some(true), |_| {}).await;
    let head =
        b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut stream = server.send(head).await;
    let mut answer = Vec::new();
    stream.write_all(b"3\r\none\r\n").await.unwrap();
    while !answer.ends_with(b"3\r\none\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    assert!(server.ask("ok").await.contains("hell1"));
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut stream).await, "0\r\n\r\n");
    server.stop().await;
}

/// A program that waits for a moment and then says how it went.
const PROGRAM: &str = r#"(module
    (import "wasi:clocks/monotonic-clock@0.3.0" "[async-lower]wait-for" (func $wait (param i64) (result i32)))
    (import "[export]wasi:cli/run@0.3.0" "[task-return]run" (func $answer (param i32)))
    (import "wasi:cli/exit@0.3.0" "exit-with-code" (func $exit (param i32)))
    (import "$root" "[waitable-set-new]" (func $set (result i32)))
    (import "$root" "[waitable-join]" (func $join (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "[async-lift]wasi:cli/run@0.3.0#run") (result i32) (local $waiting i32)
        (local.set $waiting (call $set))
        (call $join (i32.shr_u (call $wait (i64.const TIME)) (i32.const 4)) (local.get $waiting))
        (i32.or (i32.const 2) (i32.shl (local.get $waiting) (i32.const 4))))
    (func (export "[callback][async-lift]wasi:cli/run@0.3.0#run") (param i32 i32 i32) (result i32)
        ENDS
        (i32.const 0)))"#;

/// Runs it, with so many nanoseconds to wait, and this at its end.
async fn program(nanoseconds: u64, ends: &str, limits: Limits) -> Result<ExitStatus, RunError> {
    let text = PROGRAM.replace("TIME", &nanoseconds.to_string()).replace("ENDS", ends);
    let engine = Engine::new(&EngineOptions {
        tuning: Tuning { concurrency: Some(true), ..Tuning::default() },
        ..EngineOptions::default()
    })
    .unwrap();
    let bytes = encode(&text, "cli", "command");
    let app = App::from_bytes(&engine, "program.wasm", &bytes, Setup { limits, ..Setup::default() }).unwrap();
    run(&app).await
}

#[tokio::test]
async fn a_program_is_run() {
    let limits = Limits::default();
    assert!(program(1_000_000, "(call $answer (i32.const 0))", limits).await.unwrap().success());
    assert!(!program(1_000_000, "(call $answer (i32.const 1))", limits).await.unwrap().success());
    let exits = program(1_000_000, "(call $exit (i32.const 42))", limits).await.unwrap();
    assert_eq!(exits.code(), 42);
    let trap = program(1_000_000, "unreachable", limits).await;
    let Err(RunError::Call(CallError::Trap { blame })) = trap else { panic!("{trap:?}") };
    assert_eq!((blame.kind, blame.at().unwrap().function.as_deref()), (Kind::GaveUp, Some("run")));
    let ages = program(1_000_000_000_000_000, "", short()).await;
    let Err(RunError::Call(CallError::Limit { hit, .. })) = ages else { panic!("{ages:?}") };
    assert_eq!(hit, LimitHit::Time(short().time));
}
