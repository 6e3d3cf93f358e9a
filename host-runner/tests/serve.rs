//! The server, over real sockets, with a guest that does as the path of the request says.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use host_runner::blame::Kind;
use host_runner::{App, Engine, EngineOptions, Failure, LimitHit, Limits, Pool, ServeError, Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The guest's code. The first letter of the path says what it does:
/// `o` answers "hello", `e` echoes the body, `t` traps, `s` spins, `n` gives no answer, `h` traps in the middle of
/// its answer, `b` writes without end, `m` asks for more memory than there is, `l` answers late.
const GUEST: &str = r#"(module
    (import "wasi:http/types@0.2.12" "[method]incoming-request.path-with-query" (func $path (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-request.consume" (func $consume (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-body.stream" (func $stream (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.12" "[constructor]outgoing-response" (func $response (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-response.body" (func $body (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-body.write" (func $write (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.12" "[static]response-outparam.set"
        (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.12" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
        (func $put (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.12" "[resource-drop]output-stream" (func $drop-out (param i32)))
    (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))

    (memory (export "memory") 4)
    (data (i32.const 16) "hello")
    (global $top (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 7)) (i32.const -8))))

    ;; The stream of a fresh answer's body; the body itself is at 1100.
    (func $begin (param $out i32) (result i32) (local $answer i32)
        (local.set $answer (call $response (call $fields)))
        (call $body (local.get $answer) (i32.const 1024))
        (i32.store (i32.const 1100) (i32.load (i32.const 1028)))
        (call $set (local.get $out) (i32.const 0) (local.get $answer) (i32.const 0) (i64.const 0)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (call $write (i32.load (i32.const 1100)) (i32.const 1024))
        (i32.load (i32.const 1028)))
    (func $end (param $stream i32)
        (call $drop-out (local.get $stream))
        (call $finish (i32.load (i32.const 1100)) (i32.const 0) (i32.const 0) (i32.const 1024)))
    (func $hello (param $stream i32)
        (call $put (local.get $stream) (i32.const 16) (i32.const 5) (i32.const 1024)))

    (func $echo (param $request i32) (param $out i32) (local $in i32) (local $stream i32)
        (call $consume (local.get $request) (i32.const 1024))
        (call $stream (i32.load (i32.const 1028)) (i32.const 1024))
        (local.set $in (i32.load (i32.const 1028)))
        (local.set $stream (call $begin (local.get $out)))
        (block $done
            (loop $more
                (global.set $top (i32.const 65536))
                (call $read (local.get $in) (i64.const 4096) (i32.const 1024))
                (br_if $done (i32.load8_u (i32.const 1024)))
                (call $put (local.get $stream) (i32.load (i32.const 1028)) (i32.load (i32.const 1032)) (i32.const 1040))
                (br_if $done (i32.load8_u (i32.const 1040)))
                (br $more)))
        (call $end (local.get $stream)))

    (func (export "wasi:http/incoming-handler@0.2.12#handle") (param $request i32) (param $out i32)
        (local $letter i32) (local $stream i32)
        (call $path (local.get $request) (i32.const 1024))
        (local.set $letter (i32.load8_u offset=1 (i32.load (i32.const 1028))))
        (if (i32.eq (local.get $letter) (i32.const 0x74)) (then unreachable))
        (if (i32.eq (local.get $letter) (i32.const 0x73)) (then (loop br 0)))
        (if (i32.eq (local.get $letter) (i32.const 0x6e)) (then return))
        (if (i32.eq (local.get $letter) (i32.const 0x6d)) (then
            (if (i32.eq (memory.grow (i32.const 60000)) (i32.const -1)) (then unreachable))))
        (if (i32.eq (local.get $letter) (i32.const 0x65)) (then
            (call $echo (local.get $request) (local.get $out)) return))
        (if (i32.eq (local.get $letter) (i32.const 0x6c)) (then
            (call $block (call $after (i64.const 300000000)))))
        (local.set $stream (call $begin (local.get $out)))
        (call $hello (local.get $stream))
        (if (i32.eq (local.get $letter) (i32.const 0x68)) (then unreachable))
        (if (i32.eq (local.get $letter) (i32.const 0x62)) (then
            (loop $more
                (call $put (local.get $stream) (i32.const 65536) (i32.const 4096) (i32.const 1024))
                (br_if $more (i32.eqz (i32.load8_u (i32.const 1024)))))
            return))
        (call $end (local.get $stream))))"#;

/// The guest as a component: its code, and the types of `wasi:http`.
fn guest() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/deps");
        let mut resolve = Resolve::default();
        let mut last = None;
        for package in ["io", "clocks", "random", "filesystem", "sockets", "cli", "http"] {
            let (id, _) = resolve.push_dir(packages.join(format!("wasi-{package}"))).unwrap();
            last = Some(id);
        }
        let world = resolve.select_world(&[last.unwrap()], Some("proxy")).unwrap();
        let mut module = wat::parse_str(GUEST).unwrap();
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let mut encoder = ComponentEncoder::default();
        encoder.module(&module).unwrap();
        encoder.encode().unwrap()
    })
}

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), ServeError>>,
}

async fn start(limits: Limits) -> Running {
    start_telling(limits, |_| {}).await
}

async fn start_telling(limits: Limits, tell: impl Fn(&Failure) + Send + Sync + 'static) -> Running {
    let pool = Pool { instances: 8, memory: limits.memory, table_elements: 1_000 };
    let engine = Engine::new(&EngineOptions { pool: Some(pool), ..EngineOptions::default() }).unwrap();
    let app = App::from_bytes(&engine, "guest.wasm", guest(), Setup { limits, ..Setup::default() }).unwrap();
    let server = Server::new(app).await.unwrap().on_failure(tell);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(server.serve(listener, async {
        let _ = stopped.await;
    }));
    Running { address, stop: Some(stop), server }
}

impl Running {
    async fn send(&self, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream
    }

    async fn ask(&self, path: &str) -> String {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        rest(&mut self.send(request.as_bytes()).await).await
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

fn short() -> Limits {
    Limits { time: Duration::from_millis(400), ..Limits::default() }
}

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
    // An answer that has begun is cut off, and told as well.
    server.ask("big").await;
    let failed = std::mem::take(&mut *failures.lock().unwrap());
    let kinds: Vec<_> =
        failed.iter().filter_map(|failure| failure.blame.as_ref()).map(|blame| blame.kind).collect();
    assert!(kinds.contains(&Kind::Limit(LimitHit::ResponseBody(100_000))), "{kinds:?}");
    server.stop().await;
}

/// Takes what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// On one thread, because the log is taken on that.
#[tokio::test]
async fn a_failure_is_one_line_in_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _taking = tracing::subscriber::set_default(subscriber);
    let server = start(Limits::default()).await;
    let answer = server.ask("trap").await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("a guest failed")).collect();
    let [line] = &*lines else { panic!("{text}") };
    for field in [
        "request=\"GET /trap\"",
        "status=500",
        "kind=\"gave-up\"",
        "reason=\"wasm `unreachable` instruction executed\"",
        "part=\"the component\"",
        "interface=\"wasi:http/incoming-handler@0.2.",
        "function=\"handle\"",
        "path=\"the component\"",
    ] {
        assert!(line.contains(field), "{field}: {line}");
    }
    let id = line.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(answer.contains(&format!("urn:uuid:{id}")), "{answer}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_broke_off_does_not_look_complete() {
    let server = start(Limits { response_body: 100_000, ..short() }).await;
    for path in ["half", "big"] {
        let answer = server.ask(path).await;
        // Cut off after the head, or before it left the host: never a whole answer.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        assert!(!answer.ends_with("\r\n0\r\n\r\n"), "{path}: {answer}");
        assert!(answer.len() < 120_000, "{path}");
    }
    server.stop().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_needs_a_host() {
    let server = start(Limits::default()).await;
    for request in ["GET /ok HTTP/1.1\r\n\r\n", "GET /ok HTTP/1.1\r\nHost: a b\r\n\r\n"] {
        let mut stream = server.send(request.as_bytes()).await;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 400");
    }
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
            "guest.wasm does not answer HTTP requests: it exports no wasi:http/incoming-handler@0.2."
        ),
        "{error}"
    );
}
