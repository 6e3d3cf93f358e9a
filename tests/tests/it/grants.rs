//! What `host-runner` grants is what a program reaches, and nothing beside it: with a program of the standard library,
//! real directories and a real server.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use e2e::{process, project};
use tempfile::TempDir;

/// What the standard library asks of every program, granted empty.
const NOTHING: [&str; 9] =
    ["--stdio", "--env", "none", "--dir", "none", "--http-out", "none", "--sockets", "none"];

/// A place with a granted directory `inside`, and a secret beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir(place.path().join("inside")).unwrap();
        fs::write(place.path().join("inside/note"), "a note").unwrap();
        fs::write(place.path().join("secret"), "a secret").unwrap();
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the program with these grants and arguments; the last line that it printed.
    fn run(&self, grants: &[&str], arguments: &[&str]) -> String {
        let program = project::program("reach");
        let words = [&["run", program.to_str().unwrap()], grants, &["--"], arguments].concat();
        let done = process::run("host-runner", self.path(), &words, "").unwrap();
        assert_eq!(done.code, Some(0), "{words:?}: {}", done.stderr);
        done.stdout.trim_end().to_owned()
    }
}

fn with<'a>(grants: &[&'a str]) -> Vec<&'a str> {
    let mut all: Vec<&str> = NOTHING.to_vec();
    all.extend(grants);
    all
}

#[test]
fn a_directory_is_reached_and_nothing_outside_it() {
    let place = Place::new();
    let grants = with(&["--dir", "inside::/data"]);
    assert_eq!(place.run(&grants, &["read", "/data/note"]), "ok: a note");
    assert_eq!(place.run(&grants, &["list", "/data"]), "ok: note");
    assert_eq!(place.run(&grants, &["write", "/data/new", "text"]), "ok: written");
    assert_eq!(fs::read_to_string(place.path().join("inside/new")).unwrap(), "text");
    let absolute = place.path().join("secret");
    for outside in ["/data/../secret", "/secret", "secret", "/etc/passwd", absolute.to_str().unwrap()] {
        let told = place.run(&grants, &["read", outside]);
        assert!(told.starts_with("error: "), "{outside}: {told}");
    }
    assert!(place.run(&grants, &["write", "/data/../new", "text"]).starts_with("error: "));
    assert!(!place.path().join("new").exists());
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_a_directory() {
    use std::os::unix::fs::symlink;

    let place = Place::new();
    symlink("../secret", place.path().join("inside/relative")).unwrap();
    symlink(place.path().join("secret"), place.path().join("inside/absolute")).unwrap();
    symlink("..", place.path().join("inside/up")).unwrap();
    symlink("note", place.path().join("inside/within")).unwrap();
    let grants = with(&["--dir", "inside::/data"]);
    assert_eq!(place.run(&grants, &["read", "/data/within"]), "ok: a note");
    for link in ["/data/relative", "/data/absolute", "/data/up/secret"] {
        let told = place.run(&grants, &["read", link]);
        assert!(told.starts_with("error: "), "{link}: {told}");
        let told = place.run(&grants, &["write", link, "overwritten"]);
        assert!(told.starts_with("error: "), "{link}: {told}");
    }
    assert_eq!(fs::read_to_string(place.path().join("secret")).unwrap(), "a secret");
}

#[test]
fn a_directory_to_read_is_not_written() {
    let place = Place::new();
    let grants = with(&["--dir", "inside::/data:ro"]);
    assert_eq!(place.run(&grants, &["read", "/data/note"]), "ok: a note");
    assert!(place.run(&grants, &["write", "/data/note", "x"]).starts_with("error: "));
    assert!(place.run(&grants, &["write", "/data/new", "x"]).starts_with("error: "));
    assert_eq!(fs::read_to_string(place.path().join("inside/note")).unwrap(), "a note");
    assert!(!place.path().join("inside/new").exists());
}

#[test]
fn variables_are_the_named_ones() {
    let place = Place::new();
    assert_eq!(place.run(&with(&[]), &["env"]), "ok:");
    assert_eq!(place.run(&with(&["--env", "A=1", "--env", "B=two words"]), &["env"]), "ok: A=1 B=two words");
}

#[test]
fn requests_go_to_the_granted_authority_alone() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Answers every request with its own first line.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let line = head.lines().next().unwrap_or_default();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len());
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let granted = address.to_string();
    let get = ["get", &granted, "/page?q=1"];
    assert_eq!(place.run(&with(&["--http-out", &granted]), &get), "ok: 200 GET /page?q=1 HTTP/1.1");
    // The same server by another name or with another port granted: denied before anything leaves the host.
    let by_name = format!("localhost:{}", address.port());
    for grants in [with(&[]), with(&["--http-out", &by_name]), with(&["--http-out", "127.0.0.1"])] {
        assert_eq!(place.run(&grants, &get), "error: ErrorCode::HttpRequestDenied", "{grants:?}");
    }
}

#[test]
fn sockets_connect_to_nobody() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    assert_eq!(place.run(&with(&[]), &["connect", &address]), "error: PermissionDenied");
}

#[test]
fn what_the_program_asks_for_and_was_not_granted_is_named() {
    let place = Place::new();
    let program = project::program("reach");
    let words = ["run", program.to_str().unwrap(), "--stdio"];
    let done = process::run("host-runner", place.path(), &words, "").unwrap();
    assert_eq!(done.code, Some(4), "{}", done.stderr);
    for flag in ["--env", "--dir", "--http-out", "--sockets"] {
        assert!(done.stderr.contains(flag), "{flag}: {}", done.stderr);
    }
    assert!(!done.stderr.contains("--stdio"), "{}", done.stderr);
}

#[test]
fn a_module_of_preview_1_runs_as_a_component() {
    let module = include_str!("../../support/hello-preview1.wat");
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("core.wasm"), wat::parse_str(module).unwrap()).unwrap();
    let words = ["componentize", "core.wasm", "-o", "hello.wasm"];
    let made = process::run("composer", place.path(), &words, "").unwrap();
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let words = ["run", "hello.wasm", "--stdio", "--dir", "none"];
    let done = process::run("host-runner", place.path(), &words, "").unwrap();
    assert_eq!((done.code, &done.stdout[..]), (Some(0), "hello from preview 1\n"), "{}", done.stderr);
}
