//! A pricing rule that reaches for what it was not given: a fixture for tests of what a host grants and limits.
//!
//! For `wasm32-wasip2`, with the standard library as everybody uses it. The SKU of the first line chooses what is
//! tried. What comes of an attempt is told in the reasons of adjustments by a cent, one for each; where the host
//! grants the directory `/data` and the variable `PEER`, an address, that is where the attempts begin.
// Its exports have names that a native linker does not take.
#![cfg(target_arch = "wasm32")]

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        inline: "package test:reaching;
            world rule {
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:filesystem/preopens@0.2.12;
                import wasi:filesystem/types@0.2.12;
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
                export shop:pricing/policy@0.1.0;
            }",
        path: ["../../wit"],
        world: "test:reaching/rule",
        generate_all,
    });
}

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::mem;
use std::net::{TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use bindings::exports::shop::pricing::policy::{Adjustment, Guest, Line, Refusal, Tier};
use bindings::wasi::clocks::monotonic_clock;
use bindings::wasi::filesystem::preopens;
use bindings::wasi::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use bindings::wasi::http::outgoing_handler;
use bindings::wasi::http::types::{Fields, OutgoingRequest, Scheme};

struct Reaching;

bindings::export!(Reaching with_types_in bindings);

impl Guest for Reaching {
    fn adjust(lines: Vec<Line>, _tier: Tier) -> Result<Vec<Adjustment>, Refusal> {
        Ok(match lines.first().map_or("", |line| line.sku.as_str()) {
            "CALLS" => loop {
                black_box(Instant::now());
            },
            "LOG" => loop {
                eprintln!("a line that nobody asked for, and that has no end of its kind");
            },
            "OPEN-FILES" => loop {
                mem::forget(File::open("/data/note"));
            },
            "OPEN-DIRECTORIES" => loop {
                for (directory, _) in preopens::get_directories() {
                    mem::forget(open(&directory, ".", OpenFlags::DIRECTORY));
                }
            },
            "OPEN-STREAMS" => loop {
                for (directory, _) in preopens::get_directories() {
                    // The file itself is closed: its stream needs it still.
                    if let Ok(file) = open(&directory, "note", OpenFlags::empty()) {
                        mem::forget(file.read_via_stream(0));
                    }
                }
            },
            "OPEN-TIMERS" => loop {
                mem::forget(monotonic_clock::subscribe_duration(u64::MAX));
            },
            "SLEEP" => loop {
                thread::sleep(Duration::from_secs(1_000_000));
            },
            "WRITE-OUTSIDE" => reported(&write_outside()),
            "FOLLOW-LINK" => reported(&follow_links()),
            "CONNECT" => reported(&connect()),
            "ENVIRONMENT" => reported(&environment()),
            "DIFFERENT" => vec![Adjustment {
                line: None,
                reason: "by chance".to_owned(),
                amount: -1 - i64::try_from(RandomState::new().hash_one(0) % 50).unwrap_or(0),
            }],
            _ => Vec::new(),
        })
    }
}

fn open(directory: &Descriptor, name: &str, how: OpenFlags) -> Result<Descriptor, ErrorCode> {
    directory.open_at(PathFlags::empty(), name, how, DescriptorFlags::READ)
}

/// What was tried, and what came of it.
type Report = Vec<(String, String)>;

fn reported(report: &Report) -> Vec<Adjustment> {
    let reason =
        |(what, outcome): &(String, String)| format!("{what}: {outcome}").chars().take(120).collect();
    report.iter().map(|one| Adjustment { line: None, reason: reason(one), amount: -1 }).collect()
}

fn outcome<T, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

fn io(result: std::io::Result<impl Sized>) -> String {
    outcome(result.map_err(|error| error.kind()))
}

fn write_outside() -> Report {
    ["/data/../escaped", "/escaped", "/tmp/escaped", "escaped", "/data/./../../escaped"]
        .map(|path| (path.to_owned(), io(fs::write(path, "out"))))
        .into()
}

/// Links that are there, and links that it makes itself.
fn follow_links() -> Report {
    let mut report: Report = ["/data/file-link", "/data/directory-link/secret", "/data/absolute-link"]
        .iter()
        .flat_map(|path| {
            [
                (format!("read {path}"), io(fs::read(path))),
                (format!("write {path}"), io(fs::write(path, "out"))),
            ]
        })
        .collect();
    for (directory, name) in preopens::get_directories() {
        for (target, link) in
            [("../secret", "own-link"), ("/etc/passwd", "own-absolute-link"), ("..", "own-up")]
        {
            // Made by another request before: the same is then read through it.
            let _ = directory.symlink_at(target, link);
            report.push((format!("read {link}"), io(fs::read(format!("{name}/{link}")))));
        }
        report.push(("read own-up/secret".to_owned(), io(fs::read(format!("{name}/own-up/secret")))));
        report.push(("rename".to_owned(), io(fs::rename(format!("{name}/note"), format!("{name}/../note")))));
    }
    report
}

fn connect() -> Report {
    let peer = std::env::var("PEER").unwrap_or_default();
    vec![
        ("tcp".to_owned(), io(TcpStream::connect(&peer))),
        ("udp".to_owned(), io(UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"out", &peer)))),
        ("name".to_owned(), io(TcpStream::connect("localhost:80"))),
        ("http".to_owned(), request(&peer)),
    ]
}

fn request(authority: &str) -> String {
    let request = OutgoingRequest::new(Fields::new());
    let made = request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some("/")));
    if made.is_err() {
        return "no request can be made".to_owned();
    }
    match outgoing_handler::handle(request, None) {
        Ok(answer) => {
            answer.subscribe().block();
            match answer.get() {
                Some(Ok(answered)) => outcome(answered),
                _ => "no answer".to_owned(),
            }
        }
        Err(error) => outcome::<(), _>(Err(error)),
    }
}

fn environment() -> Report {
    let mut names: Vec<String> =
        std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort();
    let arguments: Vec<String> = std::env::args().collect();
    vec![("variables".to_owned(), names.join(" ")), ("arguments".to_owned(), arguments.join(" "))]
}
