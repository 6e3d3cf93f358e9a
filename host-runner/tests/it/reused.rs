//! Instances that answer more than one request. The guest counts the requests that its instance was given, and says so.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::support::{Log, Running, guest_saying, guest_that, load, rest, start_guest};
use host_runner::blame::Kind;
use host_runner::extension::{Extension, ExtensionError, State};
use host_runner::grants::Stdio;
use host_runner::wasmtime;
use host_runner::wasmtime::component::Linker;
use host_runner::{Failure, Grants, LimitHit, Limits, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};

/// Long enough for any machine: what is waited for comes, or the test fails.
const LONG: Duration = Duration::from_secs(60);

/// As the guest of `support`, and it answers with "hell" and the count, modulo 64, as a byte after `0`. More letters: `x` ends itself, `g` grows by 7 pages
/// of memory, `u` by more than there is and does not mind, `k` collects 200 handles, `z` computes for a while, `w` waits at
/// the gate after its answer, `B` writes until nobody takes it and then ends well, `p` prints a line and a half.
fn counting() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let imports = r#"(import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
            (import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))
            (import "test:all/gate" "pass" (func $pass))"#;
        let does = r#"(local.set $count (i32.const 0))
            (if (i32.eq (local.get $letter) (i32.const 0x78)) (then (call $exit (i32.const 0))))
            (if (i32.eq (local.get $letter) (i32.const 0x67)) (then (drop (memory.grow (i32.const 7)))))
            (if (i32.eq (local.get $letter) (i32.const 0x75)) (then (drop (memory.grow (i32.const 60000)))))
            (if (i32.eq (local.get $letter) (i32.const 0x6b)) (then
                (loop $more
                    (drop (call $after (i64.const 0)))
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))
                    (br_if $more (i32.lt_u (local.get $count) (i32.const 200))))))
            (if (i32.eq (local.get $letter) (i32.const 0x7a)) (then
                (loop $more
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))
                    (br_if $more (i32.lt_u (local.get $count) (i32.const 20000000))))))
            (if (i32.eq (local.get $letter) (i32.const 0x70)) (then
                (call $put (call $stdout) (i32.const 80) (i32.const 6) (i32.const 1024))))"#;
        let begin = "(call $path (local.get $request) (i32.const 1024))";
        let counts = format!(
            "(i32.store8 (i32.const 20) (i32.add (i32.const 48) (i32.and (i32.sub (i32.load8_u (i32.const 20)) (i32.const 47)) (i32.const 63)))) {begin}"
        );
        let end = "(call $end (local.get $stream))))";
        let goes_on = "(if (i32.eq (local.get $letter) (i32.const 0x42)) (then
                (loop $more
                    (call $put (local.get $stream) (i32.const 65536) (i32.const 4096) (i32.const 1024))
                    (br_if $more (i32.eqz (i32.load8_u (i32.const 1024)))))))
            (call $end (local.get $stream))
            (if (i32.eq (local.get $letter) (i32.const 0x77)) (then (call $pass)))))";
        guest_that(imports, does, |text| {
            text.replace("\"hello\"", "\"hell0\"").replace(begin, &counts).replace(end, goes_on).replace(
                "(local $letter i32) (local $stream i32)",
                "(local $letter i32) (local $stream i32) (local $count i32)",
            )
        })
    })
}

/// Counts the instances that are there, and has a gate for them.
#[derive(Clone)]
struct Census(Arc<Counts>);

struct Counts {
    now: AtomicU32,
    most: AtomicU32,
    all: AtomicU32,
    gone: Mutex<Option<mpsc::UnboundedSender<()>>>,
    /// Those that have arrived at the gate, and those that may pass.
    arrived: Semaphore,
    open: Semaphore,
}

impl Census {
    fn new() -> Self {
        Self(Arc::new(Counts {
            now: AtomicU32::new(0),
            most: AtomicU32::new(0),
            all: AtomicU32::new(0),
            gone: Mutex::new(None),
            arrived: Semaphore::new(0),
            open: Semaphore::new(0),
        }))
    }

    /// Tells of every instance that goes from now on.
    fn watch(&self) -> mpsc::UnboundedReceiver<()> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.0.gone.lock().unwrap() = Some(sender);
        receiver
    }

    fn now(&self) -> u32 {
        self.0.now.load(Ordering::SeqCst)
    }

    /// Waits until there is no instance.
    async fn empty(&self) {
        let empty = async {
            while self.now() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, empty).await.expect("they go");
    }

    /// Waits for somebody at the gate.
    async fn arrival(&self) {
        tokio::time::timeout(LONG, self.0.arrived.acquire()).await.expect("it arrives").unwrap().forget();
    }
}

struct Counted(Census);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.now.fetch_sub(1, Ordering::SeqCst);
        if let Some(gone) = &*self.0.0.gone.lock().unwrap() {
            let _ = gone.send(());
        }
    }
}

impl Extension for Census {
    type Data = Counted;

    fn interfaces(&self) -> Vec<String> {
        vec!["test:all/gate".to_owned()]
    }

    fn allows(&self) -> String {
        "waiting".to_owned()
    }

    fn add_to_linker(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        let counts = Arc::clone(&self.0);
        linker.instance("test:all/gate")?.func_wrap_async("pass", move |_, ()| {
            let counts = Arc::clone(&counts);
            Box::new(async move {
                counts.arrived.add_permits(1);
                counts.open.acquire().await?.forget();
                Ok(())
            })
        })
    }

    fn start(&self) -> Result<Counted, ExtensionError> {
        let now = self.0.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(now, Ordering::SeqCst);
        self.0.all.fetch_add(1, Ordering::SeqCst);
        Ok(Counted(self.clone()))
    }
}

struct Stand {
    server: Running,
    census: Census,
    failures: Arc<Mutex<Vec<Failure>>>,
}

impl Stand {
    async fn start(limits: Limits) -> Self {
        let (census, failures) = (Census::new(), Arc::<Mutex<Vec<Failure>>>::default());
        let grants = Grants { stdio: Some(Stdio::Inherit), ..Grants::default() };
        let mut setup = Setup { grants, limits, ..Setup::default() };
        setup.extensions.add(census.clone());
        let told = Arc::clone(&failures);
        let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
        let server = start_guest(counting(), setup, None, tell).await;
        Self { server, census, failures }
    }

    /// How many requests the instance that answers has been given.
    async fn count(&self, path: &str) -> u32 {
        count_in(&self.server.ask(path).await)
    }
}

fn count_in(answer: &str) -> u32 {
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let count = answer.split("hell").nth(1).and_then(|rest| rest.bytes().next());
    u32::from(count.unwrap_or_else(|| panic!("{answer}")) - b'0')
}

/// One instance at a time, and no end to its reuse.
fn one() -> Limits {
    Limits { reuse: 1_000, concurrency: 1, warm: LONG, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_has_an_instance_of_its_own_unless_told_otherwise() {
    let stand = Stand::start(Limits { concurrency: 1, ..Limits::default() }).await;
    for _ in 0..3 {
        assert_eq!(stand.count("ok").await, 1);
    }
    assert_eq!(stand.census.now(), 0);
    stand.server.stop().await;
}

/// The instance that shows at the start that one starts is not thrown away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_request_has_the_first_instance() {
    let stand = Stand::start(Limits { concurrency: 1, warm: LONG, ..Limits::default() }).await;
    for started in [1, 1, 2, 3] {
        assert_eq!(stand.census.0.all.load(Ordering::SeqCst), started);
        assert_eq!(stand.count("ok").await, 1);
    }
    assert_eq!((stand.census.0.most.load(Ordering::SeqCst), stand.failures.lock().unwrap().len()), (1, 0));
    stand.server.stop().await;
}

/// It waits no longer than others wait for their next request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_instance_goes_where_nobody_asks() {
    let stand = Stand::start(Limits { warm: Duration::from_millis(1), ..Limits::default() }).await;
    stand.census.empty().await;
    assert_eq!(stand.count("ok").await, 1);
    assert_eq!(stand.census.0.all.load(Ordering::SeqCst), 2);
    stand.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_answers_as_many_requests_as_it_may_and_no_more() {
    let stand = Stand::start(Limits { reuse: 3, ..one() }).await;
    for path in ["ok", "echo", "counted", "all"] {
        let mut counts = Vec::new();
        for _ in 0..7 {
            counts.push(match path {
                "echo" => {
                    let body = b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhell7";
                    assert_eq!(count_in(&rest(&mut stand.server.send(body).await).await), 7);
                    stand.count("ok").await
                }
                _ => stand.count(path).await,
            });
        }
        match path {
            // An echo has no count; it is given to every other.
            "echo" => assert_eq!(counts, [3, 2, 1, 3, 2, 1, 3], "{path}"),
            "ok" => assert_eq!(counts, [1, 2, 3, 1, 2, 3, 1], "{path}"),
            // The instance before it had one more.
            _ => assert!(counts.windows(2).all(|pair| pair[1] == pair[0] % 3 + 1), "{path}: {counts:?}"),
        }
    }
    stand.server.stop().await;
}

/// Whatever ends a request badly ends its instance too, and is told as for a first request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_failed_is_not_used_again() {
    let limits = Limits { response_body: 100_000, time: Duration::from_millis(400), ..one() };
    let stand = Stand::start(limits).await;
    for (path, kind) in [
        ("trap", Some(Kind::GaveUp)),
        ("regret", Some(Kind::GaveUp)),
        ("half", Some(Kind::GaveUp)),
        ("memory", Some(Kind::Limit(LimitHit::Memory(limits.memory)))),
        ("spin", Some(Kind::Limit(LimitHit::Time(limits.time)))),
        ("big", Some(Kind::Limit(LimitHit::ResponseBody(100_000)))),
        ("nothing", Some(Kind::NoAnswer)),
        ("void", Some(Kind::BadBody)),
        ("xit", None),
    ] {
        assert_eq!((stand.count("ok").await, stand.count("ok").await), (1, 2), "before {path}");
        let mut stream = stand
            .server
            .send(format!("GET /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").as_bytes())
            .await;
        // Some break off.
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let failures = std::mem::take(&mut *stand.failures.lock().unwrap());
        let first = failures.first().unwrap_or_else(|| panic!("{path} was not told"));
        assert_eq!(first.blame.as_ref().map(|blame| blame.kind), kind, "{path}");
        if let Some(blame) = &first.blame {
            assert_eq!(blame.at().unwrap().function.as_deref(), Some("handle"), "{path}");
            assert!(first.to_string().contains(&format!("GET /{path}\n")), "{first}");
        }
    }
    assert_eq!(stand.count("ok").await, 1);
    stand.server.stop().await;
}

/// Its head says already that it is too long, so that nothing of it is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_whose_answer_is_withheld_is_not_used_again() {
    let stand = Stand::start(Limits { response_body: 4, ..one() }).await;
    let started = || stand.census.0.all.load(Ordering::SeqCst);
    // An answer of three bytes.
    let short = b"POST /echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    for instances in 1..=3 {
        for _ in 0..2 {
            let answer = rest(&mut stand.server.send(short).await).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert_eq!(started(), instances);
        }
        assert!(stand.server.ask("counted").await.starts_with("HTTP/1.1 502 "));
        let failures = std::mem::take(&mut *stand.failures.lock().unwrap());
        let kind = failures[0].blame.as_ref().map(|blame| blame.kind);
        assert_eq!(kind, Some(Kind::Limit(LimitHit::ResponseBody(4))));
    }
    stand.server.stop().await;
}

/// Its guest says how long the body is that it does not write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_answered_to_head_is_used_again() {
    let stand = Stand::start(one()).await;
    for count in [2, 4, 6] {
        let head = b"HEAD /counted HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
        let answer = rest(&mut stand.server.send(head).await).await;
        assert!(answer.contains("\r\ncontent-length: 5\r\n"), "{answer}");
        assert_eq!(stand.count("ok").await, count);
    }
    stand.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_of_a_component_that_was_swapped_out_go_at_once() {
    let stand = Stand::start(Limits { concurrency: 2, ..one() }).await;
    // One waits for a request, and one at the gate.
    assert_eq!(stand.count("work").await, 1);
    stand.census.arrival().await;
    assert_eq!(stand.count("ok").await, 1);
    let mut gone = stand.census.watch();
    let next = load(&guest_saying("other"), Setup::default(), None);
    assert!(stand.server.swapper.swap(next).await.unwrap().changed);
    tokio::time::timeout(LONG, gone.recv()).await.expect("the one that waits goes").unwrap();
    assert!(stand.server.ask("ok").await.contains("other"));
    stand.census.0.open.add_permits(1);
    tokio::time::timeout(LONG, gone.recv()).await.expect("the other one is not kept").unwrap();
    assert_eq!(stand.census.now(), 0);
    stand.server.stop().await;
}

/// It was answered as it should be, but one more like it might not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_used_up_its_room_is_not_used_again() {
    // It begins with 4 pages: half of what it may grow by is 6.
    let stand = Stand::start(Limits { memory: 1 << 20, host_handles: 1_200, ..one() }).await;
    let asked = [
        ("ok", 1),
        ("grow", 2),
        ("ok", 1),
        ("unlimited", 2),
        ("ok", 1),
        ("kollect", 2),
        // A timer and its pollable are two handles. A third of all is left over, and that is not half of them.
        ("ok", 3),
        ("kollect", 4),
        ("ok", 1),
    ];
    for (path, count) in asked {
        assert_eq!(stand.count(path).await, count, "{path}: {asked:?}");
    }
    assert!(stand.failures.lock().unwrap().is_empty());
    stand.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_begin_anew_with_each_request() {
    // All that wait take longer together, and so do all that compute.
    let limits = Limits { time: Duration::from_secs(3), cpu: Duration::from_millis(900), ..one() };
    let stand = Stand::start(limits).await;
    for count in 1..=11 {
        assert_eq!(stand.count("late").await, count);
    }
    for _ in 0..200 {
        let answer = stand.server.ask("z").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    assert_eq!(stand.census.now(), 1);
    stand.server.stop().await;
}

/// On one thread, because the log is taken on that.
#[tokio::test]
async fn what_a_guest_prints_is_logged_under_the_request_that_it_answers() {
    let log = Log::take(tracing::Level::DEBUG);
    // A line and a half are 5 bytes without the newline; ten requests print more than one may.
    let stand = Stand::start(Limits { output: 7, ..one() }).await;
    for count in 1..=9 {
        assert_eq!(stand.count("print").await, count);
    }
    stand.server.stop().await;
    let text = log.text();
    let id = |line: &str| line.split("id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let printed: Vec<&str> = text.lines().filter(|line| line.contains("stream=\"stdout\"")).collect();
    let answered: Vec<&str> = text.lines().filter(|line| line.contains("GET /print: 200")).collect();
    assert_eq!((printed.len(), answered.len()), (18, 9), "{text}");
    assert!(!text.contains("printed more than"), "{text}");
    for (lines, answered) in printed.chunks(2).zip(answered) {
        assert!(lines[0].contains(": one id=") && lines[1].contains(": tw id="), "{lines:?}");
        assert!(lines.iter().all(|line| id(line) == id(answered)), "{lines:?} {answered}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_goes_on_after_its_answer_gets_no_request_until_it_has_returned() {
    let stand = Stand::start(Limits { concurrency: 2, ..one() }).await;
    // The answer is whole, and its guest waits at the gate.
    assert_eq!(stand.count("work").await, 1);
    stand.census.arrival().await;
    let counts = [stand.count("ok").await, stand.count("ok").await];
    assert!(counts[0] == 1 && counts[1] <= 2, "{counts:?}");
    assert_eq!(stand.count("work").await, counts[1] + 1);
    stand.census.arrival().await;
    // Both places are taken: the next request waits until one returns.
    let (count, ()) = tokio::join!(stand.count("ok"), async { stand.census.0.open.add_permits(1) });
    assert!(count > 1, "{count}");
    stand.census.0.open.add_permits(1);
    stand.server.stop().await;
    assert_eq!(stand.census.0.most.load(Ordering::SeqCst), 2);
}

/// There is one place: the next request has it when the guest has returned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_ends_the_instance() {
    let stand = Stand::start(one()).await;
    let half = "POST /echo HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    for request in
        [half, "GET /Big HTTP/1.1\r\nHost: here\r\n\r\n", "GET /big HTTP/1.1\r\nHost: here\r\n\r\n"]
    {
        assert_eq!((stand.count("ok").await, stand.count("ok").await), (1, 2));
        let mut stream = stand.server.send(request.as_bytes()).await;
        if request != half {
            stream.read_exact(&mut [0; 4096]).await.unwrap();
        } else {
            // The guest has begun.
            let mut answer = Vec::new();
            while !answer.ends_with(b"abc\r\n") {
                assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
            }
        }
        drop(stream);
    }
    assert_eq!(stand.count("ok").await, 1);
    assert!(stand.failures.lock().unwrap().is_empty(), "{:?}", stand.failures);
    stand.server.stop().await;
}

/// The guest did not read it, and holds on to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_the_guest_left_unread_is_cut_off_and_holds_no_connection_up() {
    let stand = Stand::start(one()).await;
    for count in 1..=5 {
        let body = "x".repeat(200_000);
        let request = format!(
            "POST /ok HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(stand.server.address).await.unwrap();
        let (mut read, mut write) = stream.split();
        let (_, answer) = tokio::join!(write.write_all(request.as_bytes()), async {
            let mut answer = Vec::new();
            let _ = tokio::time::timeout(LONG, read.read_to_end(&mut answer)).await.expect("it ends");
            String::from_utf8(answer).unwrap()
        });
        assert_eq!(count_in(&answer), count);
    }
    stand.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_wait_and_those_that_run_are_never_more_than_there_are_places() {
    // The pool has room for 8: a ninth instance could not start.
    let stand = Stand::start(Limits { reuse: 5, concurrency: 8, ..one() }).await;
    for _ in 0..10 {
        let paths = ["ok", "trap", "ok", "counted", "grow", "ok", "regret", "ok"];
        let asked = (0..40).map(|n| stand.server.ask(paths[n % paths.len()]));
        for (n, answer) in futures::future::join_all(asked).await.into_iter().enumerate() {
            let status = if matches!(paths[n % paths.len()], "trap" | "regret") { 500 } else { 200 };
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        }
    }
    let counts = &stand.census.0;
    assert!(counts.most.load(Ordering::SeqCst) <= 8);
    assert!(counts.all.load(Ordering::SeqCst) < 400, "{}", counts.all.load(Ordering::SeqCst));
    stand.server.stop().await;
    assert_eq!(stand.census.now(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_waits_too_long_goes() {
    let stand = Stand::start(Limits { warm: Duration::from_millis(50), ..one() }).await;
    // The first one may go at any moment.
    stand.census.empty().await;
    let mut gone = stand.census.watch();
    for _ in 0..3 {
        assert_eq!(stand.count("ok").await, 1);
        tokio::time::timeout(LONG, gone.recv()).await.expect("it goes").unwrap();
        assert_eq!(stand.census.now(), 0);
    }
    stand.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_wait_go_before_the_end_waits_for_those_that_run() {
    let stand = Stand::start(Limits { concurrency: 2, ..one() }).await;
    // Two instances, of which one waits for a request and one at the gate.
    let (first, second) = (stand.server.ask("work"), stand.server.ask("work"));
    let (first, second) = tokio::join!(first, second);
    assert_eq!((count_in(&first), count_in(&second)), (1, 1));
    stand.census.arrival().await;
    stand.census.arrival().await;
    let mut gone = stand.census.watch();
    stand.census.0.open.add_permits(1);
    // It has the place of the one that passed.
    assert_eq!(stand.count("ok").await, 2);
    let census = stand.census.clone();
    tokio::join!(stand.server.stop(), async {
        tokio::time::timeout(LONG, gone.recv()).await.expect("the one that waits goes").unwrap();
        census.0.open.add_permits(1);
        tokio::time::timeout(LONG, gone.recv()).await.expect("the other one is not kept").unwrap();
    });
    assert_eq!(census.now(), 0);
}
