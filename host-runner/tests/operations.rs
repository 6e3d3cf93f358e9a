//! What a host tells those who run it: an address to ask, and a log for a program.

#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value as Json;
use support::guest;

/// The command, in a folder with a guest.
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
fn wrong_operations_are_wrong_usage() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("guest.wasm"), guest()).unwrap();
    for (flags, told) in [
        (["--admin", "here"], "\"here\" is no address; write for example 127.0.0.1:9090 or unix:"),
        (["--route", "orders"], "the route \"orders\" does not begin with a slash"),
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
    assert!(admin("/readyz").ends_with("\r\n\r\nready\n"));
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
