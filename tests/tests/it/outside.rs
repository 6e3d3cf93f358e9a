//! Attacks from outside, on the built command alone: uploads that are expensive to load, clients that are slow or that
//! flood, guests that have the host keep much or ask the host itself, a store that is damaged.
//!
//! Each attack runs beside a customer who buys honestly. The time that this customer waits is printed, not asserted:
//! `p99 alone` and `p99 under attack`. Asserted are the memory of the host, the end of the attack, what is logged, and
//! that the books are right afterwards.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use e2e::bombs;
use e2e::books::{self, Bought};
use e2e::catalogue::{self, Product};
use e2e::hostile::{Face, OverAtEnd};
use e2e::http::{self, Answer, Request};
use e2e::process::{self, Host, Measured};
use e2e::project;
use tempfile::TempDir;

const MEBIBYTE: u64 = 1 << 20;
const STOCK: u32 = 1_000_000;
const PRICE: u64 = 1_000;
/// What loading may cost a process, beyond what it has anyway.
const LOADING: u64 = 256 * MEBIBYTE;
/// What a host may keep after an attack, beyond what it had before.
const KEPT: u64 = 64 * MEBIBYTE;
/// How long an attack goes on, or may take to end; generous, since the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long the customer buys before an attack.
const ALONE: usize = 40;

/// A shop that is served, and a customer of it.
struct Scene {
    shop: PathBuf,
    granted: Vec<String>,
    host: Host,
    bought: Mutex<Vec<Bought>>,
    waited: Mutex<Vec<Duration>>,
    orders: AtomicUsize,
    // Last: the host ends before its store goes.
    directory: TempDir,
}

impl Scene {
    fn open(more: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let shop = Face::Front.shop("pricing-rust");
        let granted = catalogue::kept_in(directory.path()).to_vec();
        catalogue::load(&shop, &granted, &[Product::plain("HONEST", PRICE, STOCK)]).unwrap();
        let more = more.iter().map(|argument| (*argument).to_owned());
        let arguments: Vec<String> = granted.iter().cloned().chain(more).collect();
        // What is served is a copy, so that something else can be put in its place.
        let served = directory.path().join("served.wasm");
        fs::copy(&shop, &served).unwrap();
        let host =
            Host::start(&served, "127.0.0.1:0", &arguments, &directory.path().join("host.log")).unwrap();
        let (bought, waited, orders) = (Mutex::default(), Mutex::default(), AtomicUsize::new(0));
        Scene { shop, granted, host, bought, waited, orders, directory }
    }

    fn buy(&self) {
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let answer = Face::Front.place(self.host.address(), &format!("honest-{number}"), "HONEST").unwrap();
        self.waited.lock().unwrap().push(began.elapsed());
        assert_eq!(answer.status, 201, "{}: {}", answer.text(), self.host.log());
        self.bought.lock().unwrap().push(Face::Front.bought("HONEST", &answer));
    }

    /// Takes the time for which the customer waited since this was asked for last: all but the slowest of a hundred.
    fn p99(&self) -> Duration {
        let mut waited = std::mem::take(&mut *self.waited.lock().unwrap());
        waited.sort();
        let place = (waited.len() * 99).div_ceil(100).saturating_sub(1);
        waited.get(place).copied().unwrap_or_default()
    }

    /// Attacks, while the customer buys on.
    fn attacked<T>(&self, name: &str, attack: impl FnOnce() -> T) -> T {
        (0..ALONE).for_each(|_| self.buy());
        let alone = self.p99();
        let over = AtomicBool::new(false);
        let came = thread::scope(|scope| {
            let _over = OverAtEnd(&over);
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Acquire) {
                    self.buy();
                }
            });
            attack()
        });
        println!("{name}: p99 alone {alone:?}, p99 under attack {:?}", self.p99());
        came
    }

    fn resident(&self) -> Option<u64> {
        self.host.usage().map(|usage| usage.resident)
    }

    /// Waits until the host has no more memory than this.
    fn settles_at(&self, most: Option<u64>) {
        let Some(most) = most else { return };
        let began = Instant::now();
        while self.resident().is_some_and(|now| now > most) {
            assert!(began.elapsed() < PATIENCE, "{:?} where {most} was expected", self.resident());
            thread::yield_now();
        }
    }

    /// Stops the host and looks at the books.
    fn audit(self) {
        let Self { shop, granted, host, bought, directory: _directory, .. } = self;
        let bought = bought.into_inner().unwrap();
        host.stop().unwrap();
        books::audit(&shop, &granted, STOCK.into(), &["HONEST".to_owned()], &bought).unwrap();
    }
}

fn written(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let file = directory.join(name);
    fs::write(&file, bytes).unwrap();
    file
}

/// What a command says of a component, and what that cost.
fn told(command: &str, arguments: &[&str], directory: &Path) -> Measured {
    let measured = process::measured(command, directory, arguments).unwrap();
    assert!(measured.code.is_some(), "{command} {arguments:?} was killed");
    assert!(!measured.stderr.contains("panicked"), "{command} {arguments:?}: {}", measured.stderr);
    measured
}

#[test]
fn components_that_are_expensive_to_load_cost_little() {
    let scene = Scene::open(&["--max-cpu", "2s"]);
    let directory = TempDir::new().unwrap();
    let small = written(directory.path(), "small.wasm", b"\0asm\x0d\0\x01\0");
    let base = told("host-runner", &["grants", &small.to_string_lossy()], directory.path()).peak;
    let before = scene.resident();
    scene.attacked("expensive components", || {
        for bomb in bombs::all() {
            let file = written(directory.path(), "bomb.wasm", &(bomb.make)());
            let file = file.to_string_lossy();
            let ways: [(&str, &[&str]); 5] = [
                ("host-runner", &["grants", &file]),
                ("host-runner", &["run", "--max-cpu", "500ms", &file]),
                ("host-runner", &["call", "--max-cpu", "500ms", &file, "f()"]),
                ("host-runner", &["compile", &file, "-o", "bomb.cwasm"]),
                ("composer", &["inspect", &file]),
            ];
            for (command, arguments) in ways {
                let told = told(command, arguments, directory.path());
                let what = format!("{}: {command} {}: {}", bomb.name, arguments[0], told.stderr);
                // Or its own limit, which the refusal names.
                let limited = told.stderr.contains("--max-");
                assert!(limited || told.processor <= Duration::from_secs(2), "{:?}: {what}", told.processor);
                // Only the most of all commands so far is known; the first beyond the limit is the one.
                assert!(told.peak <= base + LOADING, "{} bytes beyond {base}: {what}", told.peak - base);
            }
            swap(&scene, &file);
        }
    });
    // What was loaded is gone, but the allocator keeps its pages for the next load: at most one load's worth, however many
    // there were.
    for bomb in bombs::all() {
        swap(&scene, &written(directory.path(), "bomb.wasm", &(bomb.make)()).to_string_lossy());
    }
    scene.settles_at(before.map(|before| before + LOADING));
    scene.audit();
}

/// Has the host load this in the place of what it serves, which it refuses: none of these has a handler.
fn swap(scene: &Scene, file: &str) {
    let refused = || scene.host.log().matches("(SIGHUP)").count();
    let before = refused();
    let next = scene.directory.path().join("next.wasm");
    fs::copy(file, &next).unwrap();
    fs::rename(next, scene.directory.path().join("served.wasm")).unwrap();
    scene.host.hang_up().unwrap();
    let began = Instant::now();
    while refused() == before {
        assert!(began.elapsed() < PATIENCE, "nothing was said of {file}");
        thread::yield_now();
    }
    let log = scene.host.log();
    assert!(
        !log.lines()
            .rfind(|line| line.contains("(SIGHUP)"))
            .is_some_and(|line| line.contains("was swapped in"))
    );
}

/// Connects, and sends the head of an order and the first byte of its body.
fn begun(address: SocketAddr, number: usize) -> TcpStream {
    let head = format!(
        "POST /orders/slow-{number}/HONEST/1 HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1000000\r\n\r\nx"
    );
    http::raw(address, head.as_bytes()).unwrap()
}

/// Waits until the host ends a connection, and answers with what it sent before.
fn ended(mut stream: TcpStream) -> Vec<u8> {
    let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return came,
            Ok(length) => came.extend(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return came,
            Err(error) => panic!("the host does not end it: {error}"),
        }
    }
}

#[test]
fn bodies_that_do_not_come_hold_nobody_up() {
    let scene = Scene::open(&["--max-body-stall", "20s", "--max-time", "60s"]);
    let address = scene.host.address();
    scene.attacked("200 bodies that do not come", || {
        let slow: Vec<_> = (0..200).map(|number| begun(address, number)).collect();
        // While all of them wait, another customer is served.
        scene.buy();
        let mut waiting = 0;
        for stream in &slow {
            stream.set_nonblocking(true).unwrap();
            waiting +=
                usize::from(stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
            stream.set_nonblocking(false).unwrap();
        }
        assert!(waiting >= 64, "{waiting} of them wait");
        for stream in slow {
            let came = String::from_utf8(ended(stream)).unwrap();
            // The last of them found no room in the queue.
            let answers = ["HTTP/1.1 408 ", "HTTP/1.1 503 "];
            assert!(came.is_empty() || answers.iter().any(|answer| came.starts_with(answer)), "{came}");
        }
    });
    assert!(!scene.host.log().contains("part="), "nobody blames a guest: {}", scene.host.log());
    scene.audit();
}

#[test]
fn bodies_that_trickle_hold_nobody_up_and_come_to_an_end() {
    let scene = Scene::open(&["--max-body-stall", "5s", "--max-time", "30s"]);
    let address = scene.host.address();
    scene.attacked("70 bodies of a byte a second", || {
        thread::scope(|scope| {
            for number in 0..70 {
                scope.spawn(move || {
                    let mut stream = begun(address, number);
                    let began = Instant::now();
                    while stream.write_all(b"x").is_ok() {
                        assert!(began.elapsed() < PATIENCE, "it may go on for ever");
                        thread::sleep(Duration::from_secs(1));
                    }
                });
            }
        });
    });
    assert!(!scene.host.log().contains("part="), "nobody blames a guest: {}", scene.host.log());
    scene.audit();
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

#[test]
fn floods_of_frames_end_their_connection_and_fill_no_log() {
    let scene = Scene::open(&[]);
    let address = scene.host.address();
    let floods: [(&str, Vec<u8>); 6] = [
        ("acknowledgements of no PING", frame(6, 1, 0, &[0; 8])),
        ("PING", frame(6, 0, 0, &[0; 8])),
        ("SETTINGS", frame(4, 0, 0, &[])),
        ("PRIORITY", frame(2, 0, 1, &[0, 0, 0, 3, 1])),
        ("WINDOW_UPDATE", frame(8, 0, 0, &[0, 0, 0, 1])),
        ("frames of no known kind", frame(0x42, 0, 0, &[0; 4])),
    ];
    let before = scene.resident();
    for (name, one) in floods {
        let logged = scene.host.log().len();
        scene.attacked(name, || {
            let many = one.repeat(4_000);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let mut stream = http::raw(address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
                        stream.write_all(&frame(4, 0, 0, &[])).unwrap();
                        let mut reader = stream.try_clone().unwrap();
                        // What the host sends is read, so that it is not the client's window that ends this.
                        scope.spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
                        let began = Instant::now();
                        while stream.write_all(&many).is_ok() {
                            assert!(began.elapsed() < PATIENCE, "{name}: it may go on for ever");
                        }
                    });
                }
            });
        });
        let logged = scene.host.log().len() - logged;
        assert!(logged < 64 << 10, "{name}: {logged} bytes of log");
    }
    scene.settles_at(before.map(|before| before + KEPT));
    scene.audit();
}

/// What the fixture imports, and gets nothing of.
const NOTHING: [&str; 4] = ["--env", "none", "--stdio=none", "--http-out=none"];

/// A host of the fixture that has its host keep much.
struct Web {
    host: Host,
    _directory: TempDir,
}

impl Web {
    fn open(arguments: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let web = project::program("hostile-web");
        let log = directory.path().join("host.log");
        let arguments = [&NOTHING[..], arguments].concat();
        let host = Host::start(&web, "127.0.0.1:0", &arguments, &log).unwrap();
        Web { host, _directory: directory }
    }

    fn get(&self, target: &str) -> Answer {
        let request = Request { method: "GET", target, headers: &[], body: b"" };
        http::send(self.host.address(), &request)
            .unwrap_or_else(|error| panic!("{error:#}: {}", self.host.log()))
    }
}

#[test]
fn clients_that_read_too_slowly_come_to_an_end() {
    let web = Web::open(&["--max-stall", "8s"]);
    assert_eq!(web.get("/").text(), "ok");
    let open = || web.host.usage().map(|usage| usage.open_files);
    let Some(before) = open() else { return };
    let head = format!("GET /large/8 HTTP/1.1\r\nhost: {}\r\n\r\n", web.host.address());
    let mut slow: Vec<_> = (0..64).map(|_| http::raw(web.host.address(), head.as_bytes()).unwrap()).collect();
    let mut byte = [0];
    slow.iter_mut().for_each(|stream| stream.read_exact(&mut byte).unwrap());
    assert!(open().is_some_and(|now| now >= before + 64), "they are connected");
    let began = Instant::now();
    while open().is_some_and(|now| now > before + 8) {
        assert!(began.elapsed() < PATIENCE, "they may go on for ever: {}", web.host.log());
        assert_eq!(web.get("/").text(), "ok");
        // A byte each now and then; what was sent before the end is still there.
        slow.iter_mut().for_each(|stream| _ = stream.read(&mut byte));
        thread::sleep(Duration::from_secs(1));
    }
    println!("they came to an end after {:?}", began.elapsed());
    web.host.stop().unwrap();
}

/// A server whose responses have a head of this many bytes, or a little more. It ends with the process.
fn with_heads_of(bytes: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let lines = format!("x-large: {}\r\n", "v".repeat(4_000)).repeat(bytes.div_ceil(4_000));
    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n{lines}\r\n");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let response = response.clone();
            thread::spawn(move || {
                let mut stream = stream;
                // A request without a body is one read long.
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(response.as_bytes());
            });
        }
    });
    address
}

#[test]
fn heads_of_other_servers_count_towards_what_the_host_holds() {
    let (large, larger) = (with_heads_of(100_000), with_heads_of(300_000));
    let (first, second) = (large.to_string(), larger.to_string());
    let web = Web::open(&["--http-out", &first, "--http-out", &second]);
    assert_eq!(web.get(&format!("/heads/20/{large}")).text(), "kept 20");
    let refused = web.get(&format!("/heads/1/{larger}"));
    assert!(refused.text().starts_with("refused after 0: "), "{} {}", refused.status, refused.text());
    let before = web.host.usage().map(|usage| usage.resident);
    for _ in 0..3 {
        assert_eq!(web.get(&format!("/heads/5000/{large}")).status, 500);
        assert!(web.host.log().contains("--max-host-memory"), "{}", web.host.log());
    }
    if let (Some(before), Some(usage)) = (before, web.host.usage()) {
        // 32 MiB at a time, and what the allocator keeps of it.
        assert!(usage.peak < before + 4 * KEPT, "{usage:?} after {before}");
    }
    web.host.stop().unwrap();
}

#[test]
fn what_a_guest_has_its_host_keep_counts_towards_its_memory() {
    let web = Web::open(&["--max-memory", "32MiB"]);
    assert_eq!(web.get("/").status, 200);
    let before = web.host.usage().map(|usage| usage.resident);
    let targets = [
        "/fields/9000/100000",
        "/fields/1000000/10",
        "/methods/9000/1000000",
        "/authorities/9000/1000000",
        "/paths/9000/1000000",
        "/timers/1000000",
    ];
    // Twice: what is kept of the first round would be kept of the second, too.
    for target in targets.into_iter().chain(targets) {
        thread::scope(|scope| {
            let asked: Vec<_> = (0..6).map(|_| scope.spawn(|| web.get(target))).collect();
            for answer in asked {
                let answer = answer.join().unwrap();
                let refused = answer.status != 200 || answer.text().starts_with("refused");
                assert!(refused, "{target}: {} {}", answer.status, answer.text());
            }
        });
        if let (Some(before), Some(usage)) = (before, web.host.usage()) {
            // Six at once, each with its own memory and as much again.
            assert!(usage.peak < before + 6 * 2 * 32 * MEBIBYTE + KEPT, "{target}: {usage:?} after {before}");
        }
        assert_eq!(web.get("/").text(), "ok");
    }
    // The allocator keeps some of the pages that were freed.
    let began = Instant::now();
    while let (Some(before), Some(usage)) = (before, web.host.usage())
        && usage.resident > before + 2 * KEPT
    {
        assert!(began.elapsed() < PATIENCE, "{usage:?}, and before it was {before}");
        thread::yield_now();
    }
    web.host.stop().unwrap();
}

#[test]
fn a_guest_that_asks_its_own_host_comes_to_an_end() {
    // Its address is known once it has listened there.
    let directory = TempDir::new().unwrap();
    let (program, log) = (project::program("hostile-web"), directory.path().join("host.log"));
    let host = Host::start(&program, "127.0.0.1:0", &NOTHING, &log).unwrap();
    let address = host.address();
    host.stop().unwrap();
    let (own, at) = (address.to_string(), format!("/self/{address}"));
    let host = Host::start(
        &program,
        &own,
        &["--env", "none", "--stdio=none", "--http-out", &own, "--max-time", "30s"],
        &log,
    )
    .unwrap();
    let request = Request { method: "GET", target: &at, headers: &[], body: b"" };
    let answer = http::send(address, &request).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    // Clients that leave take what was asked on their behalf with them.
    for _ in 0..20 {
        drop(http::begin(address, &request).unwrap());
    }
    let plain = Request { target: "/", ..request };
    let began = Instant::now();
    assert_eq!(http::send(address, &plain).unwrap().text(), "ok");
    println!("a plain request beside it took {:?}", began.elapsed());
    host.stop().unwrap();
}

#[test]
fn a_guest_that_fills_its_memory_again_and_again_meets_its_limit() {
    let web = Web::open(&["--max-memory", "256MiB", "--max-cpu", "1s", "--max-time", "20s"]);
    assert_eq!(web.get("/").text(), "ok");
    thread::scope(|scope| {
        let hostile: Vec<_> = (0..6).map(|_| scope.spawn(|| web.get("/fill/200"))).collect();
        let began = Instant::now();
        assert_eq!(web.get("/").text(), "ok");
        println!("a plain request beside six that fill 200 MiB took {:?}", began.elapsed());
        for answer in hostile {
            let answer = answer.join().unwrap();
            assert_eq!(answer.status, 504, "{}", answer.text());
        }
    });
    web.host.stop().unwrap();
}

#[test]
fn a_store_with_one_bit_flipped_tells_no_wrong_order() {
    let scene = Scene::open(&[]);
    (0..30).for_each(|_| scene.buy());
    let orders: Vec<(String, String)> = {
        let bought = scene.bought.lock().unwrap();
        bought.iter().map(|one| (one.order.clone(), one.text.clone())).collect()
    };
    let Scene { shop, granted, host, directory, .. } = scene;
    host.stop().unwrap();
    let store =
        granted.iter().find_map(|argument| argument.strip_prefix("redb:")).expect("a store in a file");
    let sound = fs::read(store).unwrap();
    let (mut refused, mut read, mut wrong) = (0, 0, Vec::new());
    // Bits of what the orders say, and around it, wherever it is in the file.
    let word = b"a customer";
    let places = (0..sound.len() - word.len()).filter(|place| sound[*place..].starts_with(word));
    let places: Vec<usize> = places.collect();
    assert!(places.len() >= orders.len(), "every order is there: {}", places.len());
    for (turn, place) in places.into_iter().take(24).enumerate() {
        let mut damaged = sound.clone();
        damaged[place - 40 + turn * 5] ^= 1 << (turn % 8);
        fs::write(store, &damaged).unwrap();
        let log = directory.path().join(format!("damaged-{turn}.log"));
        let Ok(host) = Host::start(&shop, "127.0.0.1:0", &granted, &log) else {
            refused += 1;
            continue;
        };
        for (order, text) in &orders {
            let answer = Face::Front.read_again(host.address(), order).unwrap();
            match answer.status {
                200 if answer.text() == *text => read += 1,
                200 => wrong.push((place, order.clone(), answer.text())),
                _ => refused += 1,
            }
        }
        drop(host);
    }
    println!("{read} orders read as they were, {refused} refused");
    assert!(wrong.is_empty(), "{wrong:?}");
}
