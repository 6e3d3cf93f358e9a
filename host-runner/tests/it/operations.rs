//! What a host tells those who run it: traces for a collector, and a log for a program.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::{Running, guest, guest_that_asks, rest, start_watched};
use bytes::Bytes;
use host_runner::grants::Authority;
use host_runner::observe::{Observe, Routes, Traces, TracesError};
use host_runner::{Grants, Limits, Setup};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// Long enough for any machine.
const LONG: Duration = Duration::from_secs(60);

/// An authority, and a collector's certificate by it, for tests alone: its own key was thrown away.
const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Listens, and keeps of each request what `take` makes of it.
async fn listen<T: Send + 'static>(
    take: impl Fn(Request<Bytes>) -> T + Clone + Send + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<T>>>) {
    let taken: Arc<Mutex<Vec<T>>> = Arc::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let keep = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (take, keep) = (take.clone(), Arc::clone(&keep));
            let service = service_fn(move |request: Request<Incoming>| {
                let (take, keep) = (take.clone(), Arc::clone(&keep));
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let made = take(Request::from_parts(head, body));
                    keep.lock().unwrap().push(made);
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (address, taken)
}

/// A server that sends its traces to a collector, and what has arrived there.
struct Traced {
    server: Running,
    observe: Arc<Observe>,
    batches: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

async fn trace(bytes: &[u8], setup: Setup) -> Traced {
    let (address, batches) = listen(|request| {
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/traces"));
        assert_eq!(request.headers()["content-type"], "application/x-protobuf");
        ExportTraceServiceRequest::decode(request.into_body()).unwrap()
    })
    .await;
    let traces = Traces::to(&format!("http://{address}"), &Handle::current()).unwrap();
    let routes = Routes::new(["/{letter}/{id}"]).unwrap();
    let observe = Arc::new(Observe { routes, traces: Some(traces), ..Observe::default() });
    let server = start_watched(bytes, setup, None, |_| {}, Arc::clone(&observe)).await;
    Traced { server, observe, batches }
}

impl Traced {
    /// Asks for a path, with these lines among the headers.
    async fn ask(&self, path: &str, headers: &str) -> String {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{headers}\r\n");
        rest(&mut self.server.send(request.as_bytes()).await).await
    }

    /// Stops the server, and gives all spans: that of a request first, then those of its steps.
    async fn finish(self) -> Vec<Span> {
        self.server.stop().await;
        let observe = self.observe;
        let finish = move || observe.traces.as_ref().unwrap().finish(LONG);
        tokio::task::spawn_blocking(finish).await.unwrap();
        let batches = std::mem::take(&mut *self.batches.lock().unwrap());
        let resources: Vec<ResourceSpans> =
            batches.into_iter().flat_map(|batch| batch.resource_spans).collect();
        for resource in &resources {
            let said = &resource.resource.as_ref().unwrap().attributes;
            let name = said.iter().find(|said| said.key == "service.name").unwrap();
            assert_eq!(text(name.value.as_ref().unwrap().value.as_ref()), "host-runner");
        }
        let mut spans: Vec<Span> = resources
            .into_iter()
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect();
        spans.sort_by_key(|span| (span.kind != SpanKind::Server as i32, span.start_time_unix_nano));
        spans
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        None => "—".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn attribute(span: &Span, name: &str) -> String {
    let said = span.attributes.iter().find(|attribute| attribute.key == name);
    text(said.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server that a guest may ask, the guest, and what the server is told of a trace.
async fn asking() -> (Vec<u8>, Setup, Arc<Mutex<Vec<[Option<String>; 2]>>>) {
    let (address, told) = listen(|request| {
        ["traceparent", "tracestate"]
            .map(|name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
    })
    .await;
    let outbound: Vec<Authority> = vec![address.to_string().parse().unwrap()];
    let grants = Grants { outbound: Some(outbound), ..Grants::default() };
    (guest_that_asks(address), Setup { grants, ..Setup::default() }, told)
}

#[tokio::test]
async fn what_is_no_collector_is_refused() {
    for address in ["", "127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", "here"] {
        let error = Traces::to(address, &Handle::current()).unwrap_err();
        assert!(matches!(&error, TracesError::Address(told) if told == address), "{error}");
        assert!(error.to_string().contains("write for example http://127.0.0.1:4318"), "{error}");
    }
}

/// The trace of a client goes on in the host, in the guest, and in whatever the guest asks for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_on_through_host_and_guest() {
    let (bytes, setup, told) = asking().await;
    let traced = trace(&bytes, setup).await;
    let headers = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: a=1\r\ntracestate: b=2\r\n");
    // The guest passes on what it was given; then it says nothing of a trace.
    for path in ["i/17?s3cret=1", "j"] {
        let answer = traced.ask(path, &headers).await;
        assert!(answer.contains("hello"), "{answer}");
    }
    let spans = traced.finish().await;
    let [first, second, steps @ ..] = &*spans else { panic!("{spans:?}") };
    let told = std::mem::take(&mut *told.lock().unwrap());
    assert_eq!(told.len(), 2);
    for (span, [parent, state]) in [first, second].into_iter().zip(told) {
        assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.into(), PARENT.into()));
        assert_eq!(span.trace_state, "a=1,b=2");
        assert_eq!(parent, Some(format!("00-{TRACE}-{}-01", hex(&span.span_id))));
        assert_eq!(state.as_deref(), Some("a=1,b=2"));
        assert_eq!(attribute(span, "http.request.method"), "GET");
        assert_eq!(attribute(span, "http.response.status_code"), "200");
        assert_eq!(attribute(span, "network.protocol.version"), "1.1");
        assert_eq!(attribute(span, "error.type"), "—");
        assert_eq!(attribute(span, "host_runner.request.id").len(), 36);
    }
    assert_eq!((&*first.name, &*attribute(first, "http.route")), ("GET /{letter}/{id}", "/{letter}/{id}"));
    assert_eq!(attribute(first, "url.path"), "/i/17");
    assert_eq!((&*second.name, &*attribute(second, "http.route")), ("GET", "—"));
    let [one, two] = steps else { panic!("{steps:?}") };
    for (step, span) in [(one, first), (two, second)] {
        assert_eq!((&*step.name, &step.parent_span_id), ("guest", &span.span_id));
        assert!(step.end_time_unix_nano >= step.start_time_unix_nano);
    }
    assert!(!format!("{spans:?}").contains("s3cret"));
}

/// What is no parent begins a new trace, as if nothing had been said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_is_none_begins_a_trace() {
    let (bytes, setup, told) = asking().await;
    let traced = trace(&bytes, setup).await;
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let headers = [
        String::new(),
        "traceparent: nonsense\r\n".to_owned(),
        format!("traceparent: {parent}\r\ntraceparent: {parent}\r\n"),
        format!("traceparent: 00-{}-{PARENT}-01\r\n", "0".repeat(32)),
        format!("traceparent: {}\r\ntracestate: a=1\r\n", parent.to_uppercase()),
    ];
    for headers in &headers {
        let answer = traced.ask("i", headers).await;
        assert!(answer.contains("hello"), "{answer}");
    }
    let spans = traced.finish().await;
    let told = told.lock().unwrap();
    assert_eq!(told.len(), headers.len());
    for (span, [parent, state]) in spans.iter().zip(&*told) {
        assert_ne!(hex(&span.trace_id), TRACE);
        assert!(span.parent_span_id.is_empty());
        let expected = format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id));
        assert_eq!((parent, state), (&Some(expected), &None));
    }
}

/// Who asked decides whether a trace is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_that_is_not_kept_is_sent_nowhere_and_goes_on() {
    let (bytes, setup, told) = asking().await;
    let traced = trace(&bytes, setup).await;
    let answer = traced.ask("i", &format!("traceparent: 00-{TRACE}-{PARENT}-00\r\n")).await;
    assert!(answer.contains("hello"), "{answer}");
    assert_eq!(traced.finish().await, []);
    let told = told.lock().unwrap();
    let parent = told[0][0].as_deref().unwrap();
    assert!(parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-00"), "{parent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_what_is_said_of_a_trace_goes_through_as_it_is() {
    let (bytes, setup, told) = asking().await;
    let server = start_watched(&bytes, setup, None, |_| {}, Arc::default()).await;
    let said = "traceparent: of my own\r\ntracestate: a=1\r\n";
    for path in ["i", "j"] {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{said}\r\n");
        let answer = rest(&mut server.send(request.as_bytes()).await).await;
        assert!(answer.contains("hello"), "{answer}");
    }
    let given = [Some("of my own".to_owned()), Some("a=1".to_owned())];
    assert_eq!(*told.lock().unwrap(), [given, [None, None]]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_told_in_the_span() {
    let limits = Limits { concurrency: 1, time: Duration::from_secs(2), ..Limits::default() };
    let traced = trace(guest(), Setup { limits, ..Setup::default() }).await;
    let asks = [("trap", "500", "gave-up"), ("spin", "504", "limit-time"), ("nothing", "502", "—")];
    for (path, status, _) in asks {
        assert!(traced.ask(path, "").await.starts_with(&format!("HTTP/1.1 {status} ")), "{path}");
    }
    // One of the two waits for the other.
    tokio::join!(traced.ask("late", ""), traced.ask("late", ""));
    let spans = traced.finish().await;
    for (span, (path, status, kind)) in spans.iter().zip(asks) {
        assert_eq!(attribute(span, "url.path"), format!("/{path}"));
        assert_eq!(attribute(span, "http.response.status_code"), status);
        assert_eq!(attribute(span, "error.type"), status);
        assert_eq!(span.status.as_ref().unwrap().code, 2, "{span:?}");
        let is_work = |step: &&Span| step.parent_span_id == span.span_id && step.name == "guest";
        assert_eq!(attribute(spans.iter().find(is_work).unwrap(), "error.type"), kind);
    }
    let mut waited = spans.iter().filter(|span| span.name == "queue").peekable();
    assert!(waited.peek().is_some(), "{spans:?}");
    assert!(waited.all(|step| spans.iter().any(|span| span.span_id == step.parent_span_id)));
}

/// The command, in a directory with a guest.
struct Serving {
    child: Child,
    address: String,
    err: BufReader<ChildStderr>,
}

impl Serving {
    fn start(place: &Path, flags: &[&str], environment: &[(&str, &str)]) -> Self {
        std::fs::write(place.join("guest.wasm"), guest()).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_host-runner"))
            .args([&["serve", "guest.wasm", "--addr", "127.0.0.1:0", "--cache", "none"], flags].concat())
            .current_dir(place)
            .env_remove("RUST_LOG")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let err = BufReader::new(child.stderr.take().unwrap());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://").unwrap().trim_end().to_owned();
        Self { child, address, err }
    }

    /// Asks somebody for a path.
    fn ask(mut stream: impl Read + Write, path: &str) -> String {
        write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        Self::ask(std::net::TcpStream::connect(&self.address).unwrap(), path)
    }

    /// Stops it, and gives what it has written to standard error and nobody has read.
    fn stop(mut self) -> String {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        let mut rest = String::new();
        self.err.read_to_string(&mut rest).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{rest}");
        rest
    }
}

#[test]
fn a_collector_that_is_not_there_costs_nothing_and_is_told_once() {
    let place = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Each span is a batch of its own.
    let environment = [("OTEL_BSP_SCHEDULE_DELAY", "1"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")];
    let flags = ["--otlp", &format!("http://{nobody}")];
    let serving = Serving::start(place.path(), &flags, &environment);
    for _ in 0..5 {
        assert!(serving.get("/ok").ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"));
    }
    let log = serving.stop();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("traces")).collect();
    assert_eq!(told.len(), 1, "{log}");
    assert!(told[0].contains(&format!("traces do not arrive at {nobody}: ")), "{log}");
}

/// A collector that speaks TLS, with the certificate in `tests/tls`. Its thread gives what arrived on its first connection.
fn collector_with_tls() -> (SocketAddr, JoinHandle<Vec<ExportTraceServiceRequest>>) {
    let tls = Path::new(TLS);
    let chain =
        CertificateDer::pem_file_iter(tls.join("collector.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(tls.join("collector.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taking = std::thread::spawn(move || {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        let mut batches = Vec::new();
        while let Some(batch) = next_batch(&mut stream) {
            batches.push(batch);
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            stream.get_mut().flush().unwrap();
        }
        batches
    });
    (address, taking)
}

/// Reads a request. None at the end, however the client ends.
fn next_batch(stream: &mut impl BufRead) -> Option<ExportTraceServiceRequest> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap()
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Some(ExportTraceServiceRequest::decode(&*body).unwrap())
}

/// Whom the system trusts is read where it says so: these files stand for the system's own.
#[test]
fn a_collector_is_reached_by_tls_where_the_system_trusts_it() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("nobody.pem"), "").unwrap();
    for (trusted, arrives) in [(format!("{TLS}/authority.pem"), true), ("nobody.pem".to_owned(), false)] {
        let (collector, taking) = collector_with_tls();
        let flags = ["--otlp", &format!("https://{collector}")];
        let serving = Serving::start(place.path(), &flags, &[("SSL_CERT_FILE", &trusted)]);
        assert!(serving.get("/ok").ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"));
        let log = serving.stop();
        // Where nobody has come it would wait for ever.
        drop(std::net::TcpStream::connect(collector));
        let spans = taking.join().unwrap().into_iter().flat_map(|batch| batch.resource_spans);
        let spans = spans.flat_map(|spans| spans.scope_spans).flat_map(|spans| spans.spans);
        let served = spans.filter(|span| span.kind == SpanKind::Server as i32).count();
        assert_eq!(served, usize::from(arrives), "{trusted}: {log}");
        let told = log.contains(&format!("traces do not arrive at {collector}: "));
        assert_eq!(told, !arrives, "{trusted}: {log}");
        assert!(arrives || log.contains("certificate"), "{log}");
    }
}

#[test]
fn wrong_operations_are_wrong_usage() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("guest.wasm"), guest()).unwrap();
    for (flags, told) in [
        (["--admin", "here"], "\"here\" is no address; write for example 127.0.0.1:9090 or unix:"),
        (["--route", "orders"], "the route \"orders\" does not begin with a slash"),
        (["--otlp", "127.0.0.1:4318"], "\"127.0.0.1:4318\" is no address of a collector"),
        (["--otlp", "http://me:s3cret@here"], "write them into OTEL_EXPORTER_OTLP_HEADERS"),
        (["--log", "xml"], "invalid value 'xml' for '--log <text|json>'"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_host-runner"))
            .args([&["serve", "guest.wasm", "--addr", "127.0.0.1:0"], &flags[..]].concat())
            .current_dir(place.path())
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(told), "{err}");
        assert!(!err.contains("s3cret"), "{err}");
    }
}

/// The file says where, relative to itself; the socket goes with the host.
#[test]
fn the_administrator_is_answered_on_a_socket_that_the_file_names() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("sub")).unwrap();
    let file = "[serve]\nadmin = \"unix:admin.sock\"\nroutes = [\"/o{rest}\"]\n";
    std::fs::write(place.path().join("sub/host.toml"), file).unwrap();
    let flags = ["--config", "sub/host.toml", "--route", "/e{rest}"];
    let serving = Serving::start(place.path(), &flags, &[]);
    let socket = place.path().join("sub/admin.sock");
    let admin = |path| Serving::ask(std::os::unix::net::UnixStream::connect(&socket).unwrap(), path);
    // The line that says where it listens comes a moment before the first request is accepted.
    while !admin("/readyz").ends_with("\r\n\r\nready\n") {
        std::thread::yield_now();
    }
    let mut swapping = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    swapping.write_all(b"POST /swap HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    swapping.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"changed\":false"), "{answer}");
    assert!(serving.get("/ok").contains("hello"));
    assert!(serving.get("/ex").starts_with("HTTP/1.1 200 "));
    let counted = admin("/metrics");
    for route in ["/o{rest}", "/e{rest}"] {
        assert!(
            counted.contains(&format!("host_runner_answer_delay_seconds_count{{route=\"{route}\"}} 1\n")),
            "{counted}"
        );
    }
    let log = serving.stop();
    assert!(log.contains(" INFO admin on unix:sub/admin.sock\n"), "{log}");
    assert!(!socket.exists());
}

#[test]
fn a_log_of_objects_has_one_on_each_line() {
    let place = tempfile::tempdir().unwrap();
    let flags = ["--log", "json", "--explain-traps", "--admin", "127.0.0.1:0"];
    let serving = Serving::start(place.path(), &flags, &[("RUST_LOG", "warn,host_runner=debug")]);
    assert!(serving.get("/trap").starts_with("HTTP/1.1 500 "));
    let log = serving.stop();
    let lines: Vec<Json> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "{line}");
        }
    }
    let find = |message: &str| {
        lines
            .iter()
            .find(|line| line["message"].as_str().unwrap().starts_with(message))
            .unwrap_or_else(|| panic!("{log}"))
    };
    assert_eq!(find("admin on http://127.0.0.1:")["level"], "INFO");
    let failure = find("a guest failed");
    assert_eq!((&failure["kind"], &failure["status"]), (&"gave-up".into(), &500.into()));
    let id = failure["id"].as_str().unwrap();
    assert!(find("a guest failed: the page about it")["page"].as_str().unwrap().contains(id));
    // The log of requests.
    assert_eq!(find("GET /trap: 500")["id"], id);

    let wrong = ["call", "missing.wasm", "x()", "--log", "json"];
    let output = Command::new(env!("CARGO_BIN_EXE_host-runner"))
        .args(wrong)
        .current_dir(place.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let error: Json = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["message"], "missing.wasm cannot be read: there is no such file");
    assert_eq!((&error["level"], &error["exit_code"]), (&"ERROR".into(), &3.into()));
}
