//! A server on a socket of its own, and a guest that does as the path of the request says.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use host_runner::observe::Observe;
use host_runner::{
    App, Engine, EngineOptions, Failure, Limits, Pool, ServeError, Server, Setup, Swapper, Tuning,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, WorldId};

/// The guest's code. The first letter of the path says what it does:
/// `o` answers "hello", `e` echoes the body, `t` traps, `s` spins, `n` gives no answer, `h` traps in the middle of
/// its answer, `b` writes without end, `m` asks for more memory than there is, `l` answers late, `c` says how long its
/// "hello" is, `a` reads the body before it answers, `v` says so and gives none, `r` traps before the body of its answer, `p` prints before it answers, and `P` without end.
const GUEST: &str = r#"(module
    (import "wasi:http/types@0.2.12" "[method]incoming-request.path-with-query" (func $path (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-request.consume" (func $consume (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-body.stream" (func $stream (param i32 i32)))
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
    (import "wasi:http/types@0.2.12" "[static]fields.from-list" (func $from-list (param i32 i32 i32)))
    ;; imports

    (memory (export "memory") 4)
    (data (i32.const 16) "hello")
    (data (i32.const 32) "content-length") (data (i32.const 48) "5") (data (i32.const 80) "one\ntwo \1b[2J\n")
    (data (i32.const 64) "\20\00\00\00\0e\00\00\00\30\00\00\00\01\00\00\00")
    (global $headers (mut i32) (i32.const 0))
    (global $top (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get 3)) (i32.const 7)) (i32.const -8))))

    ;; The stream of a fresh answer's body; the body itself is at 1100.
    (func $begin (param $out i32) (result i32) (local $answer i32)
        (call $from-list (i32.const 64) (global.get $headers) (i32.const 1024))
        (local.set $answer (call $response (i32.load (i32.const 1028))))
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

    (func $read-all (param $request i32) (local $in i32)
        (call $consume (local.get $request) (i32.const 1024))
        (call $stream (i32.load (i32.const 1028)) (i32.const 1024))
        (local.set $in (i32.load (i32.const 1028)))
        (loop $more
            (global.set $top (i32.const 65536))
            (call $read (local.get $in) (i64.const 4096) (i32.const 1024))
            (br_if $more (i32.eqz (i32.load8_u (i32.const 1024))))))

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
        (if (i32.or (i32.eq (local.get $letter) (i32.const 0x63)) (i32.eq (local.get $letter) (i32.const 0x76)))
            (then (global.set $headers (i32.const 1))))
        (if (i32.eq (local.get $letter) (i32.const 0x61)) (then (call $read-all (local.get $request))))
        ;; prints
        (if (i32.eq (local.get $letter) (i32.const 0x6c)) (then
            (call $block (call $after (i64.const 300000000)))))
        (local.set $stream (call $begin (local.get $out)))
        (if (i32.eq (local.get $letter) (i32.const 0x72)) (then unreachable))
        (if (i32.eq (local.get $letter) (i32.const 0x76)) (then return))
        (call $hello (local.get $stream))
        (if (i32.eq (local.get $letter) (i32.const 0x68)) (then unreachable))
        (if (i32.eq (local.get $letter) (i32.const 0x62)) (then
            (loop $more
                (call $put (local.get $stream) (i32.const 65536) (i32.const 4096) (i32.const 1024))
                (br_if $more (i32.eqz (i32.load8_u (i32.const 1024)))))
            return))
        (call $end (local.get $stream))))"#;

/// The guest as a component: its code, and the types of `wasi:http`.
pub fn guest() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| component(GUEST))
}

/// The same, which says another word of five letters than "hello".
pub fn guest_saying(word: &str) -> Vec<u8> {
    component(&GUEST.replace(r#""hello""#, &format!("\"{word}\"")))
}

/// The same, which prints, and imports what it needs for that.
pub fn guest_that_prints() -> Vec<u8> {
    let imports = r#"(import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))"#;
    let prints = "(if (i32.eq (i32.or (local.get $letter) (i32.const 0x20)) (i32.const 0x70)) (then
        (local.set $stream (call $stdout))
        (loop $more
            (call $put (local.get $stream) (i32.const 80) (i32.const 13) (i32.const 1024))
            (br_if $more (i32.eq (local.get $letter) (i32.const 0x50))))))";
    component(&GUEST.replace(";; imports", imports).replace(";; prints", prints))
}

/// The same guest with other code in it: imports, and what it does before its answer. `edit` changes the rest.
pub fn guest_that(imports: &str, does: &str, edit: impl FnOnce(String) -> String) -> Vec<u8> {
    component(&edit(GUEST.replace(";; imports", imports).replace(";; prints", does)))
}

/// The same, which ends its answer as the first letter of the path says: on `q` it finishes the body and exits with ok, on
/// `Q` with an error, and on `u` it traps after that. On `x` it exits with ok before the end of the body, and on `X` before
/// its answer. On `d` it drops the body instead of finishing it, and on `f` it forgets that. On `S` the body is shorter than it
/// says, on `L` it is longer, and on `M` it is longer from the first piece on.
pub fn guest_that_ends_its_answer() -> Vec<u8> {
    let imports = r#"(import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))
        (import "wasi:http/types@0.2.12" "[resource-drop]outgoing-body" (func $drop-body (param i32)))"#;
    let counted = "(global.set $headers (i32.const 1)) (local.set $stream (call $begin (local.get $out)))";
    let hello = "(local.set $stream (call $begin (local.get $out))) (call $hello (local.get $stream))";
    let end = "(call $end (local.get $stream))";
    let put = |length: u32| {
        format!("(call $put (local.get $stream) (i32.const 16) (i32.const {length}) (i32.const 1024))")
    };
    let ways = [
        ('q', format!("{hello} {end} (call $exit (i32.const 0))")),
        ('Q', format!("{hello} {end} (call $exit (i32.const 1))")),
        ('u', format!("{hello} {end} unreachable")),
        ('x', format!("{hello} (call $exit (i32.const 0))")),
        ('X', "(call $exit (i32.const 0))".to_owned()),
        (
            'd',
            format!(
                "{hello} (call $drop-out (local.get $stream)) (call $drop-body (i32.load (i32.const 1100)))"
            ),
        ),
        ('f', hello.to_owned()),
        ('S', format!("{counted} {} {end}", put(3))),
        ('L', format!("{counted} {} {} {end}", put(5), put(5))),
        ('M', format!("{counted} {} {end}", put(9))),
    ];
    let does: String = ways
        .iter()
        .map(|(letter, does)| {
            let letter = u32::from(*letter);
            format!("(if (i32.eq (local.get $letter) (i32.const {letter})) (then {does} return))\n")
        })
        .collect();
    guest_that(imports, &does, |text| text)
}

/// The same, which says "0ello" where the scheme of its request is http, and "1ello" where it is https.
pub fn guest_that_tells_the_scheme() -> Vec<u8> {
    let import = r#"(import "wasi:http/types@0.2.12" "[method]incoming-request.scheme" (func $scheme (param i32 i32)))"#;
    let tells = "(call $scheme (local.get $request) (i32.const 1024))
        (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.load8_u (i32.const 1028))))";
    guest_that(import, tells, |text| text)
}

/// The same, which asks a server before it answers: on `i` with the headers that it was given itself, on `j` with none.
pub fn guest_that_asks(server: SocketAddr) -> Vec<u8> {
    guest_that_asks_for(server, "/")
}

/// The same, which asks it for this path.
pub fn guest_that_asks_for(server: SocketAddr, path: &str) -> Vec<u8> {
    let imports = r#"(import "wasi:http/types@0.2.12" "[method]incoming-request.headers" (func $headers-of (param i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]fields.clone" (func $clone (param i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
        (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $outgoing (param i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
            (func $authority (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
            (func $target (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme"
            (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe"
            (func $subscribe (param i32) (result i32)))
        (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $send (param i32 i32 i32 i32)))"#;
    let server = server.to_string();
    let asks = format!(
        "(if (i32.or (i32.eq (local.get $letter) (i32.const 0x69)) (i32.eq (local.get $letter) (i32.const 0x6a))) (then
            (local.set $stream (call $outgoing (if (result i32) (i32.eq (local.get $letter) (i32.const 0x69))
                (then (call $clone (call $headers-of (local.get $request))))
                (else (call $fields)))))
            (drop (call $scheme (local.get $stream) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
            (drop (call $target (local.get $stream) (i32.const 1) (i32.const 1900) (i32.const {})))
            (drop (call $authority (local.get $stream) (i32.const 1) (i32.const 2000) (i32.const {})))
            (call $send (local.get $stream) (i32.const 0) (i32.const 0) (i32.const 1024))
            (if (i32.load8_u (i32.const 1024)) (then unreachable))
            (call $block (call $subscribe (i32.load (i32.const 1032))))))",
        path.len(),
        server.len()
    );
    let data =
        format!(r#"(data (i32.const 1900) "{path}") (data (i32.const 2000) "{server}") (global $headers"#);
    let text = GUEST.replace("(global $headers", &data);
    component(&text.replace(";; imports", imports).replace(";; prints", &asks))
}

/// The same, which on `k` sets and gets a key of the default bucket before it answers: five bytes of key and of value.
pub fn guest_with_a_store() -> Vec<u8> {
    let imports = r#"(import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $put-key (param i32 i32 i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.get" (func $get-key (param i32 i32 i32 i32)))"#;
    let stores = "(if (i32.eq (local.get $letter) (i32.const 0x6b)) (then
        (call $open (i32.const 16) (i32.const 0) (i32.const 1024))
        (local.set $stream (i32.load (i32.const 1028)))
        (call $put-key (local.get $stream) (i32.const 16) (i32.const 5) (i32.const 16) (i32.const 5) (i32.const 1024))
        (call $get-key (local.get $stream) (i32.const 16) (i32.const 5) (i32.const 1024))))";
    let mut resolve = contracts();
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/deps");
    resolve.push_dir(packages.join("wasi-keyvalue")).unwrap();
    let world = "package test:shop; world shop {
        include wasi:http/proxy@0.2.12; import wasi:keyvalue/store@0.2.0-draft2; }";
    let package = resolve.push_str("shop.wit", world).unwrap();
    let world = resolve.select_world(&[package], Some("shop")).unwrap();
    encode(&GUEST.replace(";; imports", imports).replace(";; prints", stores), &resolve, world)
}

fn component(text: &str) -> Vec<u8> {
    let mut resolve = contracts();
    // More than a proxy has: the end of the guest, and a gate that a test opens.
    let all = "package test:all; interface gate { pass: func(); }
        world all { include wasi:http/proxy@0.2.12; import wasi:cli/exit@0.2.12; import gate; }";
    let package = resolve.push_str("all.wit", all).unwrap();
    let world = resolve.select_world(&[package], Some("all")).unwrap();
    encode(text, &resolve, world)
}

fn contracts() -> Resolve {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/deps");
    let mut resolve = Resolve::default();
    for package in ["io", "clocks", "random", "filesystem", "sockets", "cli", "http"] {
        resolve.push_dir(packages.join(format!("wasi-{package}"))).unwrap();
    }
    resolve
}

/// Makes a component of a core module in the text format.
pub fn encode(text: &str, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    wit_component::embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap();
    encoder.encode().unwrap()
}

pub struct Running {
    pub address: SocketAddr,
    pub swapper: Swapper,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), ServeError>>,
}

pub async fn start(limits: Limits) -> Running {
    start_telling(limits, |_| {}).await
}

pub async fn start_telling(limits: Limits, tell: impl Fn(&Failure) + Send + Sync + 'static) -> Running {
    start_guest(guest(), Setup { limits, ..Setup::default() }, None, tell).await
}

pub async fn start_guest(
    bytes: &[u8],
    setup: Setup,
    concurrency: Option<bool>,
    tell: impl Fn(&Failure) + Send + Sync + 'static,
) -> Running {
    start_watched(bytes, setup, concurrency, tell, Arc::default()).await
}

pub async fn start_watched(
    bytes: &[u8],
    setup: Setup,
    concurrency: Option<bool>,
    tell: impl Fn(&Failure) + Send + Sync + 'static,
    observe: Arc<Observe>,
) -> Running {
    let server = Server::new(load(bytes, setup, concurrency)).await.unwrap();
    listen(server.on_failure(tell).observe(observe)).await
}

/// A server that trusts these peers.
pub async fn start_trusting(bytes: &[u8], concurrency: Option<bool>, proxies: &[&str]) -> Running {
    let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
    let server = Server::new(load(bytes, Setup::default(), concurrency)).await.unwrap();
    listen(server.trust(proxies)).await
}

async fn listen(server: Server) -> Running {
    listen_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), server).await
}

/// A server on a socket that is bound already.
pub async fn listen_on(listener: TcpListener, server: Server) -> Running {
    let swapper = server.swapper();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(server.serve(listener, async {
        let _ = stopped.await;
    }));
    Running { address, swapper, stop: Some(stop), server }
}

/// A guest that is ready to be served, on an engine of its own.
pub fn load(bytes: &[u8], setup: Setup, concurrency: Option<bool>) -> App {
    let pool = Pool { instances: 8, memory: setup.limits.memory, table_elements: 1_000 };
    let options = EngineOptions {
        tuning: Tuning { pool: Some(pool), concurrency, ..Tuning::default() },
        ..EngineOptions::default()
    };
    let engine = Engine::new(&options).unwrap();
    App::from_bytes(&engine, "guest.wasm", bytes, setup).unwrap()
}

impl Running {
    pub async fn send(&self, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream
    }

    pub async fn ask(&self, path: &str) -> String {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        rest(&mut self.send(request.as_bytes()).await).await
    }

    pub async fn stop(mut self) {
        self.begin_to_stop();
        self.server.await.unwrap().unwrap();
    }

    /// Tells it to stop, and does not wait for that.
    pub fn begin_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).unwrap();
        }
    }
}

pub async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

pub fn short() -> Limits {
    Limits { time: Duration::from_millis(400), ..Limits::default() }
}

thread_local! {
    /// Down to which level what is logged on this thread is kept, and what was.
    static LOG: RefCell<Option<(Level, Vec<u8>)>> = const { RefCell::new(None) };
}

/// Keeps what is logged on this thread, until it is dropped.
///
/// One subscriber takes the log of all threads: where a thread has one of its own and others have none, what another thread
/// logs first may never be logged on this one.
pub struct Log(PhantomData<*const ()>);

impl Log {
    pub fn take(level: Level) -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(OfThread);
            let ours = Targets::new().with_target("host_runner", Level::DEBUG);
            tracing_subscriber::registry().with(lines.with_filter(ours)).init();
        });
        LOG.set(Some((level, Vec::new())));
        Self(PhantomData)
    }

    pub fn text(&self) -> String {
        LOG.with_borrow(|log| String::from_utf8(log.as_ref().unwrap().1.clone()).unwrap())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LOG.set(None);
    }
}

/// Writes a line into the log of the thread that logs it, if that is kept.
struct OfThread;

impl<'a> MakeWriter<'a> for OfThread {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Level::ERROR)
    }

    fn make_writer_for(&'a self, of: &Metadata<'_>) -> Line {
        Line(*of.level())
    }
}

struct Line(Level);

impl std::io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| match log {
            Some((level, text)) if self.0 <= *level => text.extend_from_slice(bytes),
            _ => {}
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
