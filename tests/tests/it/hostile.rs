//! Pricing rules that mean harm, plugged into the shop and asked again and again, while the shop's other customers go
//! on buying: in the same host, which runs the hostile rule for them too, and in another beside it.
//!
//! Every kind of `tests/hostile/kinds.json` is asked by several clients at once. Meanwhile no request of anybody else
//! fails; the limit bites within its bound, and is logged and blamed; the host's memory and its open files stay bounded;
//! and when all is over every order, every cent and every unit of stock is where it should be.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use e2e::books::{self, Bought};
use e2e::catalogue::{self, Product};
use e2e::hostile::{self, Face, Kind, MEMORY, OPEN_FILES, OUTPUT, OverAtEnd};
use e2e::http::Answer;
use e2e::process::{Host, Usage};
use e2e::project;
use tempfile::TempDir;

const MEBIBYTE: u64 = 1 << 20;
/// Units of every product at the beginning, and what one costs.
const STOCK: u32 = 1_000_000;
const PRICE: u64 = 1_000;
/// Clients that ask for harm, and how often each does at the least.
const HARMFUL: usize = 2;
const TIMES: usize = 3;
/// Clients that buy what is priced honestly, of each shop, and how much each buys at the least meanwhile.
const HONEST: usize = 2;
const AT_LEAST: usize = 2;

/// By the clock on the wall: long, so that on a busy machine a guest that computes meets its own limit first, and less than
/// the patience of clients here; and short for those that wait, whose end has to be waited for.
const TIME: Duration = Duration::from_secs(50);
const TIME_TO_WAIT: Duration = Duration::from_secs(8);
/// What a request that waits may take beyond that, on a busy machine.
const SLACK: Duration = Duration::from_secs(10);
/// Processor time of a whole request that meets `--max-cpu`: the limit, and as much again and a second for all else.
const PROCESSOR_MILLIS: u64 = 2_000;
/// And of one that waits, which is a small part of the time that it takes.
const PROCESSOR_MILLIS_TO_WAIT: u64 = 1_000;

/// One after the other: what a host uses is measured.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A shop that is served, and what was bought in it.
struct Stand {
    face: Face,
    shop: PathBuf,
    granted: Vec<String>,
    host: Host,
    skus: Vec<String>,
    bought: Mutex<Vec<Bought>>,
    keys: AtomicU32,
    // Last: the host ends before its store goes.
    directory: TempDir,
}

impl Stand {
    fn open(
        face: Face,
        rule: &str,
        kinds: &[Kind],
        more: &[String],
        time: Duration,
        directory: TempDir,
    ) -> Self {
        let shop = face.shop(rule);
        let honest = (0..HONEST).map(honest_sku);
        let skus: Vec<String> = kinds.iter().map(|kind| kind.sku.clone()).chain(honest).collect();
        let products: Vec<Product> = skus.iter().map(|sku| Product::plain(sku, PRICE, STOCK)).collect();
        let granted = [&catalogue::kept_in(directory.path())[..], more].concat();
        catalogue::load(&shop, &granted, &products).unwrap();
        let limits = hostile::limits();
        let time = ["--max-time".to_owned(), format!("{}s", time.as_secs())];
        let arguments = [&granted[..], &limits, &time].concat();
        let host = Host::start(&shop, "127.0.0.1:0", &arguments, &directory.path().join("host.log")).unwrap();
        let (bought, keys) = (Mutex::default(), AtomicU32::new(0));
        Self { face, shop, granted, host, skus, bought, keys, directory }
    }

    fn place(&self, sku: &str) -> Answer {
        let key = format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        self.place_under(&key, sku)
    }

    fn place_under(&self, key: &str, sku: &str) -> Answer {
        let answer = self
            .face
            .place(self.host.address(), key, sku)
            .unwrap_or_else(|error| panic!("{sku}: {error:#}: {}", self.host.log()));
        if answer.status == 201 {
            let bought = self.face.bought(sku, &answer);
            let mut all = self.bought.lock().unwrap();
            if !all.iter().any(|other| other.order == bought.order) {
                all.push(bought);
            }
        }
        answer
    }

    /// Buys what is priced honestly, which nothing may prevent.
    fn buy_honestly(&self, client: usize, beside: &str) {
        let answer = self.place(&honest_sku(client));
        assert_eq!(answer.status, 201, "beside {beside}: {}: {}", answer.text(), self.host.log());
        let bought = self.face.bought("", &answer);
        assert_eq!(bought.total, PRICE, "beside {beside}");
    }

    /// Stops the host and looks at the books.
    fn audit(self) {
        let Self { face, shop, granted, host, skus, bought, directory: _directory, .. } = self;
        let bought = bought.into_inner().unwrap();
        for one in &bought {
            let read = face.read_again(host.address(), &one.order).unwrap();
            assert_eq!(read.text(), one.text, "{}", one.sku);
        }
        host.stop().unwrap();
        books::audit(&shop, &granted, STOCK.into(), &skus, &bought).unwrap();
    }
}

fn honest_sku(client: usize) -> String {
    format!("HONEST-{client}")
}

/// What the host logged under the id that is in the answer: what the guest printed, and then the failure.
fn logged(stand: &Stand, answer: &Answer) -> (Vec<String>, String) {
    let document = answer.json().unwrap();
    let id = document["instance"].as_str().and_then(|urn| urn.strip_prefix("urn:uuid:")).expect("an id");
    let began = Instant::now();
    let mut log = stand.host.log();
    // On a busy machine the answer may be here before the line.
    while !log.lines().any(|line| line.contains(id) && field(line, "kind").is_some())
        && began.elapsed() < SLACK
    {
        thread::yield_now();
        log = stand.host.log();
    }
    let (failures, others): (Vec<&str>, Vec<&str>) =
        log.lines().filter(|line| line.contains(id)).partition(|line| field(line, "kind").is_some());
    let [failure] = failures[..] else { panic!("{id} is not in the log once: {failures:?}") };
    (others.into_iter().map(str::to_owned).collect(), failure.to_owned())
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.split_once(&format!(" {name}=\""))?.1;
    rest.split('"').next()
}

/// Harm is answered as it should be, and told to nobody but the log.
fn check(stand: &Stand, kind: &Kind, answer: &Answer) {
    let what = format!("{} by {} {}", kind.kind, kind.rule, kind.sku);
    assert_eq!(answer.status, stand.face.status(kind.status), "{what}: {}", answer.text());
    let Some(expected) = &kind.logged else { return };
    let (printed, line) = logged(stand, answer);
    check_printed(&what, &printed);
    assert_eq!(field(&line, "kind"), Some(expected.as_str()), "{what}: {line}");
    let limit = field(&line, "limit");
    assert_eq!(limit.is_some(), expected.starts_with("limit-"), "{what}: {line}");
    // The parts of a part are told with it.
    let named = |name: &str, wanted: &str| {
        let part = field(&line, name).unwrap_or_default();
        assert!(part.split('/').next() == Some(wanted), "{what}: {name} is {part}: {line}");
    };
    named("part", &kind.part);
    if let Some(other) = &kind.other {
        named("other", other);
    }
    check_way(&what, kind, &line);
    let told = answer.text();
    for inside in ["pricing", "orders", "wasm", "limit", kind.rule.as_str()] {
        assert!(!told.contains(inside), "{what}: {told}");
    }
}

/// The parts by whose calls it came to that, outermost first, and the function of the last.
fn check_way(what: &str, kind: &Kind, line: &str) {
    let hops = ["front", "orders", "pricing"];
    let depth = hops.iter().position(|hop| *hop == kind.part).expect("a part of the shop") + 1;
    let path = field(line, "path").unwrap_or_default();
    // The parts of a part are one hop.
    let mut parts: Vec<&str> = path.split(" > ").filter_map(|part| part.split('/').next()).collect();
    parts.dedup();
    assert_eq!(parts, hops[..depth], "{what}: {line}");
    let function = field(line, "function");
    match (&*kind.kind, &*kind.part) {
        // Of a recursion only the innermost frames are kept, and these may be all its own.
        ("endless recursion", "pricing") => {
            assert!(matches!(function, None | Some("adjust")), "{what}: {line}")
        }
        // Its own parts give each other handles.
        (_, "pricing") if kind.rule == "hostile-abi" => {
            assert!(matches!(function, Some("issue" | "adjust")), "{what}: {line}");
        }
        (_, "pricing") => assert_eq!(function, Some("adjust"), "{what}: {line}"),
        _ => assert_eq!(function, Some("place"), "{what}: {line}"),
    }
}

/// The limits here are those of the file.
#[test]
fn the_limits_are_those_of_the_file() {
    let text = fs::read_to_string(project::path("tests/hostile/host.toml")).unwrap();
    for line in [
        format!("memory = \"{}MiB\"", MEMORY >> 20),
        format!("open-files = {OPEN_FILES}"),
        format!("output = \"{}KiB\"", OUTPUT >> 10),
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
    }
}

/// Asks once for this kind of harm.
fn harm(stand: &Stand, kind: &Kind) {
    let began = Instant::now();
    let answer = stand.place(&kind.sku);
    let took = began.elapsed();
    check(stand, kind, &answer);
    if waits(kind) {
        let bounds = TIME_TO_WAIT..=TIME_TO_WAIT + SLACK;
        assert!(bounds.contains(&took), "{} by {} {} took {took:?}", kind.kind, kind.rule, kind.sku);
    }
}

/// What a guest prints is cut off, which is said once.
fn check_printed(what: &str, lines: &[String]) {
    let (of_guest, of_host): (Vec<&String>, Vec<&String>) =
        lines.iter().partition(|line| field(line, "stream").is_some());
    let text = |line: &&String| {
        let after = line.split_once(" INFO ").expect("it has a level").1;
        after.rsplit_once(" id=").expect("it has an id").0.len() + 1
    };
    let bytes: usize = of_guest.iter().map(text).sum();
    assert!(bytes <= OUTPUT + 1, "{what}: it printed {bytes} bytes");
    let endless = what.starts_with("endless logging");
    assert_eq!(of_host.len(), usize::from(endless), "{what}: {of_host:?}");
    assert_eq!(of_host.iter().any(|line| line.contains("(--max-output)")), endless, "{what}: {of_host:?}");
}

/// What a shop may use at the most while it is asked for harm: what it used before, and its limit for each client.
fn most_memory(before: u64) -> u64 {
    before + (HARMFUL + HONEST + 1) as u64 * MEMORY
}

/// Asks for one kind of harm, again and again, until everybody else has bought beside it.
fn run(stand: &Stand, beside: &Stand, kind: &Kind, before: Option<Usage>) {
    let what = format!("{} by {} {}", kind.kind, kind.rule, kind.sku);
    let (over, most_files) = (AtomicBool::new(false), AtomicUsize::new(0));
    // How many honest clients have bought enough, and whether one of them has ended: they do when all is over, or fail.
    let (served, gone) = (AtomicUsize::new(0), AtomicBool::new(false));
    // An end that comes by a clock takes its time, and need not be waited for again and again.
    let times = match kind.logged.as_deref() {
        _ if waits(kind) => 1,
        Some("limit-cpu") => TIMES - 1,
        _ => TIMES,
    };
    thread::scope(|scope| {
        let go_on = || {
            for count in 1.. {
                harm(stand, kind);
                let enough = served.load(Ordering::Acquire) == 2 * HONEST || gone.load(Ordering::Acquire);
                if count >= times && enough {
                    break;
                }
            }
        };
        let harmful: Vec<_> = (0..HARMFUL).map(|_| scope.spawn(go_on)).collect();
        for shop in [stand, beside] {
            for client in 0..HONEST {
                let (over, most_files, what) = (&over, &most_files, &what);
                let (served, gone) = (&served, &gone);
                scope.spawn(move || {
                    let _gone = OverAtEnd(gone);
                    for count in 1.. {
                        shop.buy_honestly(client, what);
                        let open = stand.host.usage().map_or(0, |usage| usage.open_files);
                        most_files.fetch_max(open, Ordering::Relaxed);
                        if count == AT_LEAST {
                            served.fetch_add(1, Ordering::Release);
                        }
                        if count >= AT_LEAST && over.load(Ordering::Acquire) {
                            break;
                        }
                    }
                });
            }
        }
        let ended: Vec<_> = harmful.into_iter().map(thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Release);
        for outcome in ended {
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    let (Some(before), Some(now)) = (before, stand.host.usage()) else { return };
    let most = most_memory(before.peak);
    assert!(now.peak <= most, "{what}: {} MiB, {} at most", now.peak / MEBIBYTE, most / MEBIBYTE);
    // Each request has a connection, which may be on its way out, and the granted directory.
    let spare = 3 * (HARMFUL + HONEST);
    let files = most_files.into_inner();
    assert!(files <= before.open_files + spare + HARMFUL * OPEN_FILES, "{what}: {files} open files");
    // Alone, so that all that is computed is computed for it.
    harm(stand, kind);
    let after = stand.host.usage().expect("it was told before");
    let computed = after.processor_millis - now.processor_millis;
    let most = if waits(kind) { PROCESSOR_MILLIS_TO_WAIT } else { PROCESSOR_MILLIS };
    assert!(computed <= most, "{what}: {computed} ms on the processor");
    // Whatever a request opened was closed with it.
    assert!(after.open_files <= before.open_files + spare, "{what}: {after:?}, before {before:?}");
}

/// Whether its end comes by the clock on the wall.
fn waits(kind: &Kind) -> bool {
    kind.logged.as_deref() == Some("limit-time")
}

/// Runs all kinds of a rule, and looks at the books of the shops beside, and of the one where it waits. What is left is to
/// look at the others.
fn run_all(face: Face, rule: &str, more: &[String], directory: TempDir) -> Stand {
    let kinds = hostile::kinds().into_iter().filter(|kind| kind.rule == rule);
    let (waiting, others): (Vec<Kind>, Vec<Kind>) = kinds.partition(waits);
    assert!(!others.is_empty(), "{rule} means no harm");
    if !waiting.is_empty() {
        run_kinds(face, rule, &waiting, more, TIME_TO_WAIT, TempDir::new().unwrap()).audit();
    }
    run_kinds(face, rule, &others, more, TIME, directory)
}

/// Runs these kinds in a shop, and then looks at the books of the one beside it.
fn run_kinds(
    face: Face,
    rule: &str,
    kinds: &[Kind],
    more: &[String],
    time: Duration,
    directory: TempDir,
) -> Stand {
    let beside = Stand::open(Face::Front, "pricing-zig", &[], &[], TIME, TempDir::new().unwrap());
    let stand = Stand::open(face, rule, kinds, more, time, directory);
    thread::scope(|scope| {
        for client in 0..HARMFUL + HONEST {
            let stand = &stand;
            scope.spawn(move || stand.buy_honestly(client % HONEST, "nothing"));
        }
    });
    beside.buy_honestly(0, "nothing");
    let (before, beside_before) = (stand.host.usage(), beside.host.usage());
    for kind in kinds {
        run(&stand, &beside, kind, before);
    }
    if let (Some(before), Some(after)) = (beside_before, beside.host.usage()) {
        assert!(after.peak <= most_memory(before.peak), "beside {rule}: {after:?}, before {before:?}");
    }
    let log = beside.host.log();
    assert!(!log.lines().any(|line| field(line, "kind").is_some()), "beside {rule}: {log}");
    beside.audit();
    stand
}

fn run_rule(rule: &str) {
    run_all(Face::Front, rule, &[], TempDir::new().unwrap()).audit();
}

/// Makes a test of each line, and a table of them all: so the table cannot name what is not run.
macro_rules! tests {
    ($($test:ident: $run:ident($rule:literal);)*) => {
        $(
            #[test]
            fn $test() {
                let _turn = turn();
                $run($rule);
            }
        )*

        /// The rules that are run, each with the test that runs it.
        const TESTED: &[(&str, &str)] = &[$(($rule, stringify!($test))),*];
    };
}

tests! {
    a_hostile_rule_in_rust_harms_its_own_requests_alone: run_rule("hostile-pricing");
    a_hostile_rule_in_zig_harms_its_own_requests_alone: run_rule("hostile-zig");
    a_hostile_rule_in_javascript_harms_its_own_requests_alone: run_rule("hostile-js");
    a_hostile_rule_in_python_harms_its_own_requests_alone: run_rule("hostile-python");
    a_rule_that_breaks_the_canonical_abi_harms_its_own_requests_alone: run_rule("hostile-abi");
    the_whole_shop_stands_a_hostile_rule: run_in_whole_shop("hostile-pricing");
    a_rule_that_reaches_out_gets_what_it_was_granted_and_nothing_else: run_reaching("hostile-reaching");
}

/// The whole shop, with its pages in JavaScript.
fn run_in_whole_shop(rule: &str) {
    run_all(Face::Storefront, rule, &[], TempDir::new().unwrap()).audit();
}

/// It is granted a directory, a variable, and the interfaces for all else with nothing behind them.
fn run_reaching(rule: &str) {
    let directory = TempDir::new().unwrap();
    let inside = directory.path().join("inside");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("note"), "a note").unwrap();
    fs::write(directory.path().join("secret"), "a secret").unwrap();
    #[cfg(unix)]
    for (target, link) in [
        ("../secret".into(), "file-link"),
        ("..".into(), "directory-link"),
        (directory.path().join("secret"), "absolute-link"),
    ] {
        std::os::unix::fs::symlink(target, inside.join(link)).unwrap();
    }
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = peer.local_addr().unwrap();
    let datagrams = UdpSocket::bind(address).unwrap();
    let granted = [
        "--stdio".to_owned(),
        "--env".to_owned(),
        format!("PEER={address}"),
        "--dir".to_owned(),
        format!("{}::/data", inside.display()),
        "--http-out".to_owned(),
        "none".to_owned(),
        "--sockets".to_owned(),
        "none".to_owned(),
    ];
    let stand = run_all(Face::Front, rule, &granted, directory);

    for kind in hostile::kinds().iter().filter(|kind| kind.rule == rule && kind.status == 201) {
        let answer = stand.place(&kind.sku).text();
        let reports: Vec<&str> = answer.lines().skip(1).collect();
        assert!(!reports.is_empty(), "{}: it tried nothing: {answer}", kind.kind);
        for report in &reports {
            assert!(!report.ends_with(": done"), "{}: {answer}", kind.kind);
        }
        if kind.sku == "ENVIRONMENT" {
            assert_eq!(reports[0], "-1 variables: PEER");
        }
    }

    // Nothing came through, by what the outside has of it.
    peer.set_nonblocking(true).unwrap();
    datagrams.set_nonblocking(true).unwrap();
    assert!(peer.accept().is_err(), "somebody connected");
    assert!(datagrams.recv(&mut [0; 8]).is_err(), "something was sent");
    let place = stand.directory.path();
    assert_eq!(fs::read_to_string(place.join("secret")).unwrap(), "a secret");
    let names = |directory: PathBuf| -> BTreeSet<String> {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    };
    let outside: BTreeSet<String> = ["host.log", "inside", "secret", "shop.redb"].map(str::to_owned).into();
    assert_eq!(names(place.to_owned()), outside);
    assert!(inside_is_its_own(&names(inside)), "the guest left the names of others");

    // A rule that says another price each time: the first that was bought for is the one that stays.
    let first = stand.place_under("one-intent", "DIFFERENT");
    assert_eq!(first.status, 201, "{}", first.text());
    for _ in 0..TIMES {
        assert_eq!(stand.place_under("one-intent", "DIFFERENT").text(), first.text());
    }
    // And it does say another: that all of these are alike by chance, nobody will see.
    let totals: BTreeSet<u64> = (0..8)
        .map(|intent| {
            let answer = stand.place_under(&format!("another-intent-{intent}"), "DIFFERENT");
            assert_eq!(answer.status, 201, "{}", answer.text());
            stand.face.bought("DIFFERENT", &answer).total
        })
        .collect();
    assert!(totals.len() > 1, "it says the same each time: {totals:?}");
    stand.audit();
}

/// What the granted directory has: what was put there, and links that the guest made in it, which it may.
fn inside_is_its_own(names: &BTreeSet<String>) -> bool {
    let links = ["file-link", "directory-link", "absolute-link"];
    names.iter().all(|name| name == "note" || name.starts_with("own-") || links.contains(&name.as_str()))
        && names.contains("note")
}

/// The kinds of harm that have to be there, whatever else is.
const EVERY_KIND: [&str; 22] = [
    "endless loop",
    "endless recursion",
    "memory growth",
    "huge allocation at once",
    "huge list as answer",
    "huge string as answer",
    "trap",
    "panic",
    "division by zero",
    "endless host calls",
    "endless logging",
    "invalid UTF-8",
    "out-of-range case",
    "opening handles without end",
    "dropping a handle twice",
    "keeping a borrow past its call",
    "writing outside its granted directory",
    "following a symlink out of its granted directory",
    "connecting anywhere",
    "reading the environment",
    "sleeping for ever",
    "a different answer each time",
];

/// The table of `docs/threat-model.md` has a row for each kind, with who does it, what comes of it, and the tests that
/// run those who do; and none for what is not tested.
#[test]
fn the_threat_model_says_what_is_tested() {
    let kinds = hostile::kinds();
    let tested: BTreeSet<&str> = kinds.iter().map(|kind| kind.kind.as_str()).collect();
    for wanted in EVERY_KIND.iter().chain(&["absurd but well-typed answers"]) {
        assert!(tested.contains(wanted), "nobody tests {wanted}");
    }
    for kind in &kinds {
        assert!(TESTED.iter().any(|&(rule, _)| rule == kind.rule), "no test runs {}", kind.rule);
    }
    let text = fs::read_to_string(project::path("docs/threat-model.md")).unwrap();
    let table = text.split_once("## Hostile guests").expect("the table has a heading").1;
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| attack"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let told: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(told, tested, "the kinds in docs/threat-model.md, and those in tests/hostile/kinds.json");
    assert_eq!(rows.len(), told.len(), "a kind has one row");
    for row in rows {
        let [kind, _stops, outcome, guests, test] = row[..] else { panic!("{row:?} has not five columns") };
        let of_kind: Vec<&Kind> = kinds.iter().filter(|other| other.kind == kind).collect();
        let quoted = |cell: &str| -> BTreeSet<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let guest = |one: &&Kind| format!("{} {}", one.rule, one.sku);
        assert_eq!(quoted(guests), of_kind.iter().map(guest).collect(), "who does {kind}");
        let outcomes = |one: &&Kind| {
            let logged = one.logged.as_ref().map(|logged| format!(" {logged}")).unwrap_or_default();
            format!("{}{logged}", one.status)
        };
        assert_eq!(quoted(outcome), of_kind.iter().map(outcomes).collect(), "what comes of {kind}");
        let runs = TESTED.iter().filter(|(rule, _)| of_kind.iter().any(|one| one.rule == *rule));
        assert_eq!(quoted(test), runs.map(|&(_, name)| name.to_owned()).collect(), "which tests show {kind}");
    }
}

/// Every other attack of `docs/threat-model.md` names a test that is there.
#[test]
fn every_attack_of_the_threat_model_has_a_test() {
    let text = fs::read_to_string(project::path("docs/threat-model.md")).unwrap();
    let table = text.split_once("## Other attacks").expect("the table has a heading").1;
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 10, "{table}");
    for row in rows {
        let cell = row.trim_matches('|').rsplit(" | ").next().unwrap().trim().trim_matches('`');
        let (file, test) = cell.split_once("::").unwrap_or_else(|| panic!("no test in {row}"));
        let source =
            fs::read_to_string(project::path(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {test}()")), "{file} has no test {test}");
    }
}
