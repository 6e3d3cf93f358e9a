//! The address for whoever runs the host: what it tells of a server, and to whom.

use std::collections::BTreeSet;
use std::future::pending;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::exposition::Exposition;
use crate::support::{
    Running, guest, guest_saying, guest_that_ends_its_answer, guest_that_prints, guest_with_a_store, load,
    rest, start_watched,
};
use host_runner::admin::{Admin, AdminAddr, AdminError, AdminListener, NotSwapped};
use host_runner::grants::Stdio;
use host_runner::keyvalue::{Access, Memory, Narrowed, StoreError};
use host_runner::observe::{Metrics, Observe, Routes};
use host_runner::{Grants, Limits, Setup, SwapError, Swapped};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;

/// Long enough for any machine: what is waited for comes, or the test fails.
const LONG: Duration = Duration::from_secs(60);

/// A composition of two parts: the front takes the request and asks the rules, which do this.
fn composition(code: &str) -> Vec<u8> {
    let text = r#"(component
        (import "wasi:http/types@0.2.12" (instance $types
            (export "incoming-request" (type (sub resource)))
            (export "response-outparam" (type (sub resource)))))
        (component $Rules
            (core module $m (func (export "acme:rules/policy@1.0.0#adjust") CODE))
            (core instance $i (instantiate $m))
            (func $adjust (canon lift (core func $i "acme:rules/policy@1.0.0#adjust")))
            (instance $policy (export "adjust" (func $adjust)))
            (export "acme:rules/policy@1.0.0" (instance $policy)))
        (component $Front
            (import "wasi:http/types@0.2.12" (instance $types
                (export "incoming-request" (type (sub resource)))
                (export "response-outparam" (type (sub resource)))))
            (import "acme:rules/policy@1.0.0" (instance $policy (export "adjust" (func))))
            (alias export $types "incoming-request" (type $request))
            (alias export $types "response-outparam" (type $out))
            (core func $adjust (canon lower (func $policy "adjust")))
            (core module $m
                (import "" "adjust" (func $adjust))
                (func (export "wasi:http/incoming-handler@0.2.12#handle") (param i32 i32) (call $adjust)))
            (core instance $i (instantiate $m (with "" (instance (export "adjust" (func $adjust))))))
            (func $handle (param "request" (own $request)) (param "response-out" (own $out))
                (canon lift (core func $i "wasi:http/incoming-handler@0.2.12#handle")))
            (component $Handler
                (import "request" (type $r (sub resource)))
                (import "out" (type $o (sub resource)))
                (import "handle" (func $f (param "request" (own $r)) (param "response-out" (own $o))))
                (export "handle" (func $f)))
            (instance $handler (instantiate $Handler
                (with "request" (type $request)) (with "out" (type $out)) (with "handle" (func $handle))))
            (export "wasi:http/incoming-handler@0.2.12" (instance $handler)))
        (instance $rules (instantiate $Rules))
        (instance $front (instantiate $Front
            (with "wasi:http/types@0.2.12" (instance $types))
            (with "acme:rules/policy@1.0.0" (instance $rules "acme:rules/policy@1.0.0"))))
        (export "wasi:http/incoming-handler@0.2.12" (instance $front "wasi:http/incoming-handler@0.2.12")))"#;
    wat::parse_str(text.replace("CODE", code)).unwrap()
}

/// A server, and what is told of it.
struct Watched {
    server: Running,
    observe: Arc<Observe>,
    address: AdminAddr,
    admin: JoinHandle<()>,
}

async fn watch(bytes: &[u8], setup: Setup, observe: Observe) -> Watched {
    let observe = Arc::new(observe);
    let server = start_watched(bytes, setup, None, |_| {}, Arc::clone(&observe)).await;
    let listener = AdminListener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address().clone();
    let admin = tokio::spawn(Admin::new(Arc::clone(&observe)).serve(listener, pending()));
    Watched { server, observe, address, admin }
}

/// A limit on time that an endless loop meets soon, and a start on a busy machine does not.
fn bounded() -> Limits {
    Limits { time: Duration::from_secs(2), ..Limits::default() }
}

fn counting() -> Observe {
    Observe { metrics: Some(Metrics::new()), ..Observe::default() }
}

fn with(limits: Limits) -> Setup {
    Setup { limits, ..Setup::default() }
}

impl Watched {
    /// Sends a request to the administrator's address.
    async fn send(&self, request: &str) -> String {
        let AdminAddr::Tcp(address) = &self.address else { panic!("{:?}", self.address) };
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }

    async fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")).await
    }

    /// What is counted, once `is_there` finds in it what happens after an answer.
    async fn metrics_when(&self, is_there: impl Fn(&Exposition) -> bool) -> Exposition {
        let look = async {
            loop {
                let answer = self.get("/metrics").await;
                let (head, text) = answer.split_once("\r\n\r\n").unwrap();
                assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
                assert!(
                    head.contains(
                        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
                    ),
                    "{head}"
                );
                let counted = Exposition::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
                if is_there(&counted) {
                    return counted;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, look).await.expect("it is counted")
    }

    async fn metrics(&self) -> Exposition {
        self.metrics_when(|_| true).await
    }

    /// Asks the server for a path, and waits until that has been counted.
    async fn ask(&self, path: &str) -> String {
        let before = self.metrics().await.sum("host_runner_requests_total", &[]);
        let answer = self.server.ask(path).await;
        self.metrics_when(|counted| counted.sum("host_runner_requests_total", &[]) > before).await;
        answer
    }

    async fn stop(self) {
        self.server.stop().await;
        self.admin.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_answered_with_what_is() {
    let watched = watch(guest(), Setup::default(), counting()).await;
    for (request, status, told) in [
        ("GET /", "404 Not Found", "There is /metrics, /livez, /readyz, /swap."),
        ("GET /metrics/", "404 Not Found", "There is /metrics"),
        ("POST /swap", "404 Not Found", "The component of this server cannot be swapped."),
        ("POST /metrics", "405 Method Not Allowed", "/metrics takes GET, HEAD."),
        ("GET /swap", "405 Method Not Allowed", "/swap takes POST."),
        ("DELETE /readyz", "405 Method Not Allowed", "/readyz takes GET, HEAD."),
    ] {
        let answer = watched
            .send(&format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            .await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{request}: {answer}");
        assert!(answer.contains(told), "{request}: {answer}");
        assert_eq!(answer.contains("\r\nallow: "), status.starts_with("405"), "{request}: {answer}");
    }
    watched.stop().await;
}

/// Refused, done, and found done already; asked for by a page in a browser it is not even tried.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_is_answered_with_what_came_of_it() {
    let observe = Arc::new(counting());
    let server = start_watched(guest(), Setup::default(), None, |_| {}, Arc::clone(&observe)).await;
    let nexts = Arc::new(Mutex::new(vec![guest_saying("world"), guest_saying("world"), guest_that_prints()]));
    let (swapper, asked) = (server.swapper.clone(), Arc::clone(&nexts));
    let admin = Admin::new(observe).swap_by(move || {
        let (swapper, next) = (swapper.clone(), asked.lock().unwrap().pop().unwrap());
        Box::pin(async move {
            let grants = Grants { stdio: Some(Stdio::Empty), ..Grants::default() };
            let app = load(&next, Setup { grants, ..Setup::default() }, None);
            swapper.swap(app).await.map_err(NotSwapped::from)
        })
    });
    let listener = AdminListener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let AdminAddr::Tcp(address) = listener.address().clone() else { panic!("{listener:?}") };
    let admin = tokio::spawn(admin.serve(listener, pending()));
    let post = async |headers: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("POST /swap HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    };
    for page in ["Origin: http://localhost\r\n", "Sec-Fetch-Site: same-origin\r\n"] {
        let answer = post(page).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"POST /swap HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("see the Host header"), "{answer}");
    assert_eq!(nexts.lock().unwrap().len(), 3);
    let answer = post("").await;
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
    assert!(answer.contains("asks for more than the running component: wasi:cli/stdout@"), "{answer}");
    assert!(server.ask("ok").await.contains("hello"));
    for changed in [true, false] {
        let answer = post("").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
        assert!(answer.contains(&format!("\"changed\":{changed}")), "{answer}");
        assert!(server.ask("ok").await.contains("world"));
    }
    admin.abort();
    server.stop().await;
}

/// Only what is worth another try says when.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_that_is_refused_for_the_moment_is_to_be_asked_for_again() {
    for (error, status) in [
        (NotSwapped::from(SwapError::Busy), "503 Service Unavailable"),
        (NotSwapped::NotNow("It is being loaded.".to_owned()), "503 Service Unavailable"),
        (NotSwapped::from(SwapError::Stopping), "409 Conflict"),
        (NotSwapped::Refused("It is no component.".to_owned()), "409 Conflict"),
    ] {
        let said = error.clone();
        let admin = Admin::new(Arc::default()).swap_by(move || {
            let said = said.clone();
            Box::pin(async move { Err::<Swapped, _>(said) })
        });
        let listener = AdminListener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
        let AdminAddr::Tcp(address) = listener.address().clone() else { panic!("{listener:?}") };
        let admin = tokio::spawn(admin.serve(listener, pending()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"POST /swap HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        assert_eq!(answer.contains("\r\nretry-after: 1\r\n"), status.starts_with("503"), "{answer}");
        assert!(answer.contains(&error.to_string()), "{answer}");
        admin.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_is_answered_as_get_is_and_without_a_body() {
    let watched = watch(guest(), Setup::default(), counting()).await;
    for path in ["/metrics", "/livez", "/readyz"] {
        let request = |method| format!("{method} {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        let get = watched.send(&request("GET")).await;
        let head = watched.send(&request("HEAD")).await;
        assert!(get.starts_with("HTTP/1.1 200 OK\r\n") && head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n") && !get.ends_with("\r\n\r\n"), "{head}");
        assert!(head.contains("cache-control: no-store\r\n"), "{head}");
    }
    // Queries are no part of a path.
    assert!(watched.get("/livez?verbose").await.ends_with("\r\n\r\nlive\n"));
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_metrics_the_rest_is_told() {
    let watched = watch(guest(), Setup::default(), Observe::default()).await;
    assert!(watched.server.ask("ok").await.contains("hello"));
    assert!(watched.get("/metrics").await.starts_with("HTTP/1.1 404 "));
    assert!(watched.get("/readyz").await.starts_with("HTTP/1.1 200 "));
    watched.stop().await;
}

/// Who asks gets an answer until the last request has had its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_is_alive_and_not_ready() {
    let mut watched = watch(guest(), Setup::default(), counting()).await;
    assert!(watched.get("/readyz").await.ends_with("\r\n\r\nready\n"));
    // In flight until its client sends the rest.
    let mut late = watched
        .server
        .send(b"POST /all HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 5\r\n\r\n")
        .await;
    watched.metrics_when(|counted| counted.value("host_runner_instances", &[]) == Some(1.0)).await;
    watched.server.begin_to_stop();
    let draining = async {
        loop {
            let answer = watched.get("/readyz").await;
            if answer.starts_with("HTTP/1.1 503 ") {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let answer = tokio::time::timeout(LONG, draining).await.expect("it is not ready any more");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
    assert!(watched.get("/livez").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(watched.metrics().await.value("host_runner_requests_in_flight", &[]), Some(1.0));
    late.write_all(b"abcde").await.unwrap();
    let answer = rest(&mut late).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    watched.stop().await;
}

/// What clients and guests make up is no label: there would be no end to them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_are_bounded_and_tell_no_paths() {
    let observe = Observe { routes: Routes::new(["/{letter}/{id}", "/o{rest}"]).unwrap(), ..counting() };
    let watched = watch(guest(), Setup::default(), observe).await;
    for path in ["o/s3cret-1", "o/s3cret-2?s3cret=1", "ok-s3cret", "e/s3cret/more", "e?s3cret"] {
        watched.ask(path).await;
    }
    let brew = b"BREW /o HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    rest(&mut watched.server.send(brew).await).await;
    let counted = watched.metrics_when(|counted| counted.sum("host_runner_requests_total", &[]) == 6.0).await;
    let requests = |route, method| {
        counted.sum("host_runner_requests_total", &[("route", route), ("method", method), ("status", "200")])
    };
    assert_eq!(requests("/{letter}/{id}", "GET"), 2.0);
    assert_eq!(requests("/o{rest}", "GET"), 1.0);
    assert_eq!(requests("other", "GET"), 2.0);
    assert_eq!(requests("other", "other"), 1.0);
    let text = watched.get("/metrics").await;
    assert!(!text.contains("s3cret") && !text.contains("BREW"), "{text}");
    let timed = |name, route| counted.value(name, &[("route", route)]);
    assert_eq!(timed("host_runner_request_duration_seconds_count", "/{letter}/{id}"), Some(2.0));
    assert_eq!(timed("host_runner_answer_delay_seconds_count", "other"), Some(3.0));
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_guests_are_counted_by_part() {
    for (code, name, labels) in [
        ("unreachable", "host_runner_traps_total", [("kind", "gave-up"), ("part", "rules")]),
        (
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            "host_runner_traps_total",
            [("kind", "division-by-zero"), ("part", "rules")],
        ),
        ("(loop br 0)", "host_runner_limits_hit_total", [("limit", "max-time"), ("part", "rules")]),
        // Nothing in the parts tells who should have answered: the one that was called is asked.
        ("", "host_runner_traps_total", [("kind", "no-answer"), ("part", "front")]),
    ] {
        let watched = watch(&composition(code), with(bounded()), counting()).await;
        let status = watched.ask("x").await[9..12].to_owned();
        let counted = watched.metrics().await;
        assert_eq!(counted.value(name, &labels), Some(1.0), "{code}: {counted:?}");
        assert_eq!(counted.sum("host_runner_requests_total", &[("status", &status)]), 1.0, "{code}");
        assert_eq!(
            counted.sum("host_runner_traps_total", &[]) + counted.sum("host_runner_limits_hit_total", &[]),
            1.0,
            "{code}"
        );
        watched.stop().await;
    }
}

/// A limit that is met after the head of the answer is counted too, and so is a client that does not wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_is_counted() {
    let limits = Limits { response_body: 100_000, ..bounded() };
    let watched = watch(guest(), with(limits), counting()).await;
    let mut stream =
        watched.server.send(b"GET /big HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    assert!(all.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let hit = [("limit", "max-response"), ("part", "the component")];
    watched.metrics_when(|counted| counted.value("host_runner_limits_hit_total", &hit) == Some(1.0)).await;
    drop(watched.server.send(b"GET /late HTTP/1.1\r\nHost: here\r\n\r\n").await);
    watched
        .metrics_when(|counted| {
            counted.sum("host_runner_requests_total", &[]) >= 2.0
                && counted.value("host_runner_requests_in_flight", &[]) == Some(0.0)
                && counted.value("host_runner_instances", &[]) == Some(0.0)
        })
        .await;
    watched.stop().await;
}

/// An answer that breaks off is none that went well, whatever its head said; and one that is complete is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_count_with_how_they_ended() {
    for (path, status, bad, traps) in [
        ("quit", "200", 0.0, 0.0),
        ("ungrateful", "200", 0.0, 1.0),
        ("drop", "502", 1.0, 0.0),
        ("forget", "502", 1.0, 0.0),
        ("Short", "502", 1.0, 0.0),
        ("Much", "502", 1.0, 0.0),
        ("half", "500", 0.0, 1.0),
    ] {
        let watched = watch(&guest_that_ends_its_answer(), with(bounded()), counting()).await;
        watched.server.ask(path).await;
        let counted = watched
            .metrics_when(|counted| {
                counted.sum("host_runner_requests_total", &[]) == 1.0
                    && counted.value("host_runner_instances", &[]) == Some(0.0)
            })
            .await;
        let requests = counted.sum("host_runner_requests_total", &[("status", status)]);
        assert_eq!(requests, 1.0, "{path}: {counted:?}");
        assert_eq!(counted.sum("host_runner_bad_answers_total", &[]), bad, "{path}");
        assert_eq!(counted.sum("host_runner_traps_total", &[]), traps, "{path}");
        watched.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_and_the_queue_are_told_with_their_bounds() {
    let limits = Limits { concurrency: 1, queue: 1, ..Limits::default() };
    let watched = watch(guest(), with(limits), counting()).await;
    let half = b"POST /all HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    let mut running = watched.server.send(half).await;
    watched.metrics_when(|counted| counted.value("host_runner_instances", &[]) == Some(1.0)).await;
    let mut waiting = watched.server.send(half).await;
    let counted = watched.metrics_when(|counted| counted.value("host_runner_queue", &[]) == Some(1.0)).await;
    for (name, value) in [
        ("host_runner_instances_limit", 1.0),
        ("host_runner_queue_limit", 1.0),
        ("host_runner_connections", 2.0),
        ("host_runner_connections_limit", 1024.0),
        ("host_runner_requests_in_flight", 2.0),
    ] {
        assert_eq!(counted.value(name, &[]), Some(value), "{name}");
    }
    let answer = watched.ask("ok").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let counted = watched.metrics().await;
    assert_eq!(counted.value("host_runner_turned_away_total", &[("reason", "queue")]), Some(1.0));
    assert_eq!(counted.sum("host_runner_requests_total", &[("status", "503")]), 1.0);
    for stream in [&mut running, &mut waiting] {
        stream.write_all(b"abcde").await.unwrap();
        assert!(rest(stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let counted = watched
        .metrics_when(|counted| counted.sum("host_runner_requests_total", &[("status", "200")]) == 2.0)
        .await;
    assert_eq!(counted.value("host_runner_queue_wait_seconds_count", &[]), Some(1.0));
    assert_eq!(counted.value("host_runner_queue", &[]), Some(0.0));
    assert!(counted.value("host_runner_connections_accepted_total", &[]).unwrap() >= 3.0);
    watched.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_on_the_store_are_counted() {
    let observe = counting();
    let metrics = observe.metrics.clone().unwrap();
    let store = metrics.of_store(Arc::new(Memory::new()));
    let grants = Grants { keyvalue: Some(Arc::clone(&store)), ..Grants::default() };
    let watched = watch(&guest_with_a_store(), Setup { grants, ..Setup::default() }, observe).await;
    for _ in 0..3 {
        assert!(watched.ask("keys").await.contains("hello"));
    }
    let counted = watched.metrics().await;
    let operations = |operation, outcome| {
        counted
            .value("host_runner_keyvalue_operations_total", &[("operation", operation), ("outcome", outcome)])
    };
    assert_eq!((operations("set", "ok"), operations("get", "ok")), (Some(3.0), Some(3.0)));
    let bytes = |direction| counted.value("host_runner_keyvalue_bytes_total", &[("direction", direction)]);
    // A key and a value set, a key asked for; a value given.
    assert_eq!((bytes("written"), bytes("read")), (Some(45.0), Some(15.0)));
    let timed = counted.value("host_runner_keyvalue_duration_seconds_count", &[("operation", "set")]);
    assert_eq!(timed, Some(3.0));
    watched.stop().await;
}

/// Every way in which an operation can end has a name.
#[tokio::test]
async fn operations_that_come_to_nothing_are_told_apart() {
    let metrics = Metrics::new();
    let granted = vec![Access::new("mine", "", host_runner::keyvalue::Mode::ReadWrite).unwrap()];
    let store = metrics.of_store(Arc::new(Narrowed::new(Arc::new(Memory::new()), granted)));
    let (bucket, key) = ("mine", || "k".to_owned());
    assert!(matches!(store.get("other", key()).await, Err(StoreError::Denied)));
    assert!(matches!(store.set(bucket, "k".repeat(5_000), vec![]).await, Err(StoreError::KeyTooLong(_))));
    store.set(bucket, key(), b"value".to_vec()).await.unwrap();
    let swap =
        |expected: &[u8]| store.compare_and_swap(bucket, key(), Some(expected.to_vec()), b"new".to_vec());
    assert_eq!(swap(b"another").await.unwrap(), Err(Some(b"value".to_vec())));
    assert_eq!(swap(b"value").await.unwrap(), Ok(()));
    drop(store.get(bucket, key()));
    assert!(store.exists(bucket, key()).await.unwrap());
    assert_eq!(store.list_keys(bucket, None).await.unwrap().keys, ["k"]);
    assert_eq!(store.get_many(bucket, vec![key(), "no".into()]).await.unwrap().len(), 2);
    store.set_many(bucket, vec![("n".into(), b"1".to_vec())]).await.unwrap();
    let sum = store.increment(bucket, "n".into(), host_runner::keyvalue::Delta::Signed(2)).await.unwrap();
    assert_eq!(sum, 3);
    store.delete(bucket, key()).await.unwrap();
    store.delete_many(bucket, vec!["n".into()]).await.unwrap();
    assert!(store.may_open("mine") && !store.may_open("other"));
    let counted = Exposition::parse(&metrics.text()).unwrap();
    for (operation, outcome) in [
        ("get", "denied"),
        ("get", "abandoned"),
        ("set", "refused"),
        ("set", "ok"),
        ("swap", "changed"),
        ("swap", "ok"),
        ("exists", "ok"),
        ("list-keys", "ok"),
        ("get-many", "ok"),
        ("set-many", "ok"),
        ("increment", "ok"),
        ("delete", "ok"),
        ("delete-many", "ok"),
    ] {
        let labels = [("operation", operation), ("outcome", outcome)];
        let value = counted.value("host_runner_keyvalue_operations_total", &labels);
        assert_eq!(value, Some(1.0), "{operation} {outcome}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engines_memory_is_told_while_its_app_is_there() {
    let watched = watch(guest(), Setup::default(), counting()).await;
    watched.ask("ok").await;
    let counted =
        watched.metrics_when(|counted| counted.value("host_runner_pool_memories", &[]) == Some(0.0)).await;
    assert_eq!(counted.value("host_runner_compositions", &[]), Some(1.0));
    assert!(counted.value("host_runner_compiled_code_bytes", &[]).unwrap() > 1_000.0);
    assert!(counted.value("host_runner_pool_idle_memories", &[]).unwrap() >= 1.0);
    let mut busy =
        watched.server.send(b"POST /all HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n").await;
    watched.metrics_when(|counted| counted.value("host_runner_pool_memories", &[]) >= Some(1.0)).await;
    busy.write_all(b"abcde").await.unwrap();
    let metrics = watched.observe.metrics.clone().unwrap();
    watched.stop().await;
    let gone = Exposition::parse(&metrics.text()).unwrap();
    assert_eq!(gone.value("host_runner_compositions", &[]), Some(0.0));
    assert_eq!(gone.value("host_runner_compiled_code_bytes", &[]), Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_in_the_file_system_is_for_its_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let address = AdminAddr::Unix(path.clone());
    std::fs::write(&path, "no socket").unwrap();
    let error = AdminListener::bind(&address).await.unwrap_err();
    assert!(matches!(&error, AdminError::NoSocket(named) if *named == path), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "no socket");
    std::fs::remove_file(&path).unwrap();
    // Left behind by a host that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());

    let listener = AdminListener::bind(&address).await.unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let admin = tokio::spawn(Admin::new(Arc::default()).serve(listener, pending()));
    let error = AdminListener::bind(&address).await.unwrap_err();
    assert!(matches!(error, AdminError::InUse(_)), "{error}");
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("does not accept yet"), "{answer}");
    admin.abort();
    assert!(admin.await.unwrap_err().is_cancelled());
    assert!(!path.exists());
}

/// What another host has put in its place is not taken away.
#[tokio::test]
async fn the_socket_of_another_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let listener = AdminListener::bind(&AdminAddr::Unix(path.clone())).await.unwrap();
    let moved = directory.path().join("old.sock");
    std::fs::rename(&path, &moved).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(path.exists());
}

/// The page for whoever runs the host lists what there is: no less, and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_metric_is_on_the_page_about_operations() {
    let observe = counting();
    let store = observe.metrics.as_ref().unwrap().of_store(Arc::new(Memory::new()));
    let grants = Grants { keyvalue: Some(store), ..Grants::default() };
    let limits = Limits { concurrency: 1, queue: 0, ..bounded() };
    let watched = watch(&guest_with_a_store(), Setup { grants, limits, ..Setup::default() }, observe).await;
    for path in ["keys", "trap", "spin"] {
        watched.ask(path).await;
    }
    watched.server.swapper.could_not_load();
    let half = b"POST /all HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n";
    let running = watched.server.send(half).await;
    watched.metrics_when(|counted| counted.value("host_runner_instances", &[]) == Some(1.0)).await;
    assert!(watched.ask("ok").await.starts_with("HTTP/1.1 503 "));
    drop(running);
    let there: BTreeSet<String> = watched.metrics().await.families();

    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: BTreeSet<String> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.strip_suffix('`')?;
            let (kind, labels) = (cells.next()?, cells.next()?.replace(['`', ' '], ""));
            let known = ["counter", "gauge", "histogram", "info"].contains(&kind);
            known.then(|| format!("{name} {kind} {labels}"))
        })
        .collect();
    assert_eq!(there, listed);
    watched.stop().await;
}
