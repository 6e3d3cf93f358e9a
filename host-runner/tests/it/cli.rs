//! The command as its users see it: output, errors word for word, exit codes.

use std::fs::{self, File, FileTimes};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use host_runner::keyvalue::Redb;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Long enough for any machine: what is waited for comes, or the test fails.
const LONG: Duration = Duration::from_secs(60);

/// A component with something for every exit code.
const GUEST: &str = r#"(component
    (core module $m
        (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
        (func (export "same") (param i32) (result i32) local.get 0)
        (func (export "spin") (loop br 0))
        (func (export "fail") unreachable)
        (func (export "run") (result i32) i32.const 0))
    (core instance $i (instantiate $m))
    (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
    (instance $sums (export "add" (func $add)))
    (export "example:math/sums@1.0.0" (instance $sums))
    (func (export "check") (param "it" (result)) (result (result)) (canon lift (core func $i "same")))
    (func (export "spin") (canon lift (core func $i "spin")))
    (func (export "fail") (canon lift (core func $i "fail")))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $program (export "run" (func $run)))
    (export "wasi:cli/run@0.2.3" (instance $program)))"#;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("guest.wasm"), wat::parse_str(GUEST).unwrap()).unwrap();
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path().join(name);
        fs::write(&file, content).unwrap();
        file
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_host-runner"));
        command.args(arguments).current_dir(self.path()).env_remove("RUST_LOG");
        // What `serve` keeps is not for the user's own cache, and what is there not for the tests.
        command.env("XDG_CACHE_HOME", self.path().join("user"));
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        crate::proposed::checked(arguments, self.command(arguments).output().unwrap())
    }
}

fn told(output: Output) -> (i32, String, String) {
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn calls_print_their_result_and_nothing_else() {
    let place = Place::new();
    for expression in ["add(40, 2)", "example:math/sums#add(40, 2)", "example:math/sums@1.0.0#add(40, 2)"] {
        assert_eq!(place.run(&["call", "guest.wasm", expression]), (0, "42\n".into(), "".into()));
    }
    assert_eq!(place.run(&["call", "guest.wasm", "check(ok)"]), (0, "ok\n".into(), "".into()));
    assert_eq!(place.run(&["call", "guest.wasm", "check(err)"]), (1, "err\n".into(), "".into()));
}

#[test]
fn a_call_can_come_from_standard_input() {
    let place = Place::new();
    let mut child = place
        .command(&["call", "guest.wasm", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"add(1,\n  2)\n").unwrap();
    assert_eq!(told(child.wait_with_output().unwrap()), (0, "3\n".into(), "".into()));
}

#[test]
fn files_that_are_no_components_exit_3() {
    let place = Place::new();
    let module = wat::parse_str("(module)").unwrap();
    place.file("module.wasm", module);
    place.file("notes.txt", "hello");
    let whole = fs::read(place.path().join("guest.wasm")).unwrap();
    place.file("cut.wasm", &whole[..whole.len() / 2]);
    for (file, message) in [
        ("missing.wasm", "error: missing.wasm cannot be read: there is no such file\n".to_owned()),
        (
            "module.wasm",
            "error: module.wasm is a core module, not a component: it has no interfaces to link. Make a component of it (with `composer componentize`, or by building for wasm32-wasip2)\n".to_owned(),
        ),
        (
            "notes.txt",
            "error: notes.txt is not a component: it is text. A component begins with the bytes 00 61 73 6d 0d 00 01 00; give the .wasm file that a component build made\n".to_owned(),
        ),
    ] {
        for command in [&["call", file, "x()"][..], &["run", file], &["serve", file]] {
            assert_eq!(place.run(command), (3, String::new(), message.clone()));
        }
    }
    let (code, out, err) = place.run(&["call", "cut.wasm", "x()"]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.starts_with("error: cut.wasm is not a valid component: "), "{err}");
    assert!(err.contains("build it again, or fetch it again. Or a newer toolchain made it"), "{err}");
}

#[test]
fn wrong_usage_exits_2() {
    let place = Place::new();
    for arguments in [
        &["call", "guest.wasm"][..],
        &["call", "guest.wasm", "add"],
        &["call", "guest.wasm", "add(1)"],
        &["call", "guest.wasm", "nothing()"],
        &["call", "guest.wasm", "add(1, 2)", "--keyvalue", "disk"],
        &["call", "guest.wasm", "add(1, 2)", "--max-memory", "much"],
        &["call", "guest.wasm", "add(1, 2)", "--env", "NO_SUCH_VARIABLE_ANYWHERE"],
        &["fly"],
        &[],
    ] {
        let (code, out, err) = place.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(!err.is_empty());
    }
}

#[test]
fn traps_and_limits_exit_5() {
    let place = Place::new();
    let (code, _, err) = place.run(&["call", "guest.wasm", "fail()"]);
    assert_eq!(code, 5);
    assert!(err.starts_with("error: the guest trapped: wasm `unreachable` instruction executed"), "{err}");
    let (code, out, err) = place.run(&["call", "guest.wasm", "spin()", "--max-time", "200ms"]);
    assert_eq!((code, &*out), (5, ""));
    let first = "error: the guest was stopped: the limit of 200 ms on its time was reached (--max-time)\n";
    assert!(err.starts_with(first), "{err}");
    assert!(err[first.len()..].starts_with("  in the component, `spin`\n"), "{err}");
}

#[test]
fn a_trap_is_explained_on_a_page_where_that_is_asked_for() {
    let place = Place::new();
    let (code, out, err) = place.run(&["call", "guest.wasm", "fail()", "--explain-traps"]);
    assert_eq!((code, &*out), (5, ""));
    assert!(err.starts_with("── gave-up\nwhat          It gave up: "), "{err}");
    assert!(
        err.contains("\npart          the component\nfunction      `fail`\non behalf of  a call of fail\n"),
        "{err}"
    );
    assert!(err.contains("\n              the host called the component, `fail`\n"), "{err}");
    assert!(err.contains("\nframes        innermost first\n              0: fail at 0x"), "{err}");
    assert!(err.contains("\nwhat next     Most languages print the reason"), "{err}");
    assert!(err.contains("`host-runner call --stdio FILE 'fail(…)'`"), "{err}");
    assert!(err.contains("\nerror: the guest trapped: wasm `unreachable` instruction executed\n"), "{err}");
    assert!(err.lines().all(|line| line.chars().count() <= 100 || line.starts_with("error")), "{err}");
}

#[test]
fn what_was_not_granted_is_refused_with_4() {
    let place = Place::new();
    let text = r#"(component (import "wasi:cli/stdin@0.2.3" (instance (export "get-stdin" (func)))))"#;
    place.file("wants.wasm", wat::parse_str(text).unwrap());
    let message = "error: wants.wasm was refused: it imports what was not granted
  wasi:cli/stdin@0.2.3
      --stdio                grants the host's own streams
      --stdio=none           grants no input, and outputs that go nowhere
minimum grants required: --stdio=none
";
    for command in [&["call", "wants.wasm", "x()"][..], &["run", "wants.wasm"], &["serve", "wants.wasm"]] {
        assert_eq!(place.run(command), (4, String::new(), message.into()));
    }
}

#[test]
fn stores_that_cannot_be_opened_exit_6() {
    let place = Place::new();
    place.file("notes.txt", "hello");
    let _locked = Redb::open(&place.path().join("locked.redb")).unwrap();
    for (store, message) in [
        (
            "redb:locked.redb",
            "error: the store locked.redb is in use by another process: only one may have it open. Stop the other one, or name another file\n",
        ),
        (
            "redb:missing/s.redb",
            "error: the store missing/s.redb cannot be made: its directory does not exist. Make the directory first, or name another file\n",
        ),
        ("redb:notes.txt", "error: notes.txt is not a store: "),
    ] {
        let (code, out, err) = place.run(&["call", "guest.wasm", "add(1, 2)", "--keyvalue", store]);
        assert_eq!((code, out.as_str()), (6, ""), "{err}");
        assert!(err.starts_with(message), "{err}");
    }
}

#[test]
fn programs_run() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "guest.wasm", "--", "one"]), (0, "".into(), "".into()));
    place.file("empty.wasm", wat::parse_str("(component)").unwrap());
    assert_eq!(
        place.run(&["run", "empty.wasm"]),
        (
            3,
            String::new(),
            "error: empty.wasm is not a program: it exports no wasi:cli/run, of WASI 0.2 or 0.3\n".into()
        )
    );
}

/// A program of this version of WASI that does this, and then returns this.
fn program(version: &str, does: &str, returns: u32) -> Vec<u8> {
    let kind = if version.starts_with("0.3") { "async" } else { "" };
    wat::parse_str(format!(
        r#"(component
            (import "wasi:cli/exit@{version}" (instance $exit
                (export "exit" (func (param "status" (result))))
                (export "exit-with-code" (func (param "status-code" u8)))))
            (core func $exit (canon lower (func $exit "exit")))
            (core func $exit-with-code (canon lower (func $exit "exit-with-code")))
            (core module $m
                (import "" "exit" (func $exit (param i32)))
                (import "" "exit-with-code" (func $exit-with-code (param i32)))
                (func (export "run") (result i32) {does} (i32.const {returns})))
            (core instance $i (instantiate $m (with "" (instance
                (export "exit" (func $exit)) (export "exit-with-code" (func $exit-with-code))))))
            (func $run {kind} (result (result)) (canon lift (core func $i "run")))
            (instance $program (export "run" (func $run)))
            (export "wasi:cli/run@{version}" (instance $program)))"#
    ))
    .unwrap()
}

#[test]
fn a_program_ends_with_its_own_status() {
    let place = Place::new();
    for version in ["0.2.12", "0.3.0"] {
        for (does, returns, status) in [
            ("", 0, 0),
            ("", 1, 1),
            ("(call $exit (i32.const 0))", 1, 0),
            ("(call $exit (i32.const 1))", 0, 1),
            ("(call $exit-with-code (i32.const 0))", 1, 0),
            ("(call $exit-with-code (i32.const 4))", 0, 4),
            ("(call $exit-with-code (i32.const 42))", 0, 42),
            ("(call $exit-with-code (i32.const 255))", 0, 255),
        ] {
            place.file("program.wasm", program(version, does, returns));
            for repeat in ["1", "2"] {
                let ended = place.run(&["run", "program.wasm", "--repeat", repeat]);
                assert_eq!(ended, (status, "".into(), "".into()), "{version} {does}");
            }
        }
    }
}

/// The codes overlap, so an error of the command's own is told by what it prints.
#[test]
fn the_status_of_a_program_is_told_from_an_error_of_the_command() {
    let place = Place::new();
    let exits = |code: u32| program("0.2.12", &format!("(call $exit-with-code (i32.const {code}))"), 0);
    place.file("three.wasm", exits(3));
    place.file("five.wasm", exits(5));
    place.file("traps.wasm", program("0.2.12", "unreachable", 0));
    for (file, code, own) in [
        ("three.wasm", 3, false),
        ("missing.wasm", 3, true),
        ("five.wasm", 5, false),
        ("traps.wasm", 5, true),
    ] {
        let (ended, _, err) = place.run(&["run", file]);
        assert_eq!(
            (ended, err.lines().any(|line| line.starts_with("error: "))),
            (code, own),
            "{file}: {err}"
        );
        let (ended, _, err) = place.run(&["run", file, "--log", "json"]);
        let last = err.lines().last().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let told = last.filter(|line| line["level"] == "ERROR").map(|line| line["exit_code"].clone());
        assert_eq!((ended, told), (code, own.then(|| code.into())), "{file}: {err}");
    }
    for help in ["-h", "--help"] {
        let (_, help, _) = place.run(&["run", help]);
        assert!(help.contains("The program's own, 0 to 255"), "{help}");
    }
}

#[test]
fn a_server_needs_a_handler_and_a_free_address() {
    let place = Place::new();
    let (code, _, err) = place.run(&["serve", "guest.wasm"]);
    assert_eq!(code, 3);
    assert!(err.starts_with("error: guest.wasm does not answer HTTP requests: "), "{err}");
    place.file("server.wasm", server("unreachable"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, out, err) = place.run(&["serve", "server.wasm", "--addr", &address]);
    assert_eq!((code, out.as_str()), (6, ""));
    assert!(err.starts_with(&format!("error: cannot listen on {address}. ")), "{err}");
    // The file says where to listen too, and a flag goes over it.
    place.file("host.toml", format!("serve.addr = \"{address}\"\n"));
    let (code, _, err) = place.run(&["serve", "server.wasm", "--config", "host.toml"]);
    assert_eq!(code, 6);
    assert!(err.starts_with(&format!("error: cannot listen on {address}. ")), "{err}");
    let also_taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = also_taken.local_addr().unwrap().to_string();
    let (code, _, err) = place.run(&["serve", "server.wasm", "--config", "host.toml", "--addr", &other]);
    assert_eq!(code, 6);
    assert!(err.starts_with(&format!("error: cannot listen on {other}. ")), "{err}");
}

#[test]
fn a_server_takes_all_files_that_it_may_have_open_and_leaves_its_guests_what_its_connections_do_not_need() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = |most: u32, flags: &[&str]| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -S -n 128; ulimit -H -n {most}; exec \"$0\" \"$@\"")]);
        shell.arg(env!("CARGO_BIN_EXE_host-runner"));
        shell.args(["serve", "server.wasm", "--cache", "none", "--addr", &address]).args(flags);
        let (code, _, err) = told(shell.current_dir(place.path()).env_remove("RUST_LOG").output().unwrap());
        // It comes as far as its address.
        assert_eq!(code, 6, "{err}");
        err
    };
    let directory = ["--dir", ".::/data:ro", "--max-concurrency", "4", "--max-connections", "32"];
    let with = |more: &[&'static str]| [&directory[..], more].concat();
    let warning = |most| format!("guests may open more files than this process may have open ({most})");
    // 576 for the host, 32 connections, 4 instances with the directory and these.
    let err = told(1024, &directory);
    assert!(err.contains("a guest may have 103 files open: 1024 for this process"), "{err}");
    assert!(!err.contains(&warning(1024)), "{err}");
    // What somebody has chosen stays.
    let err = told(1024, &with(&["--max-open-files", "104"]));
    assert!(err.contains(&warning(1024)) && err.contains("set --max-open-files to 103 or less"), "{err}");
    place.file("host.toml", "limits.open-files = 104");
    assert!(told(1024, &with(&["--config", "host.toml"])).contains(&warning(1024)));
    let err = told(1024, &with(&["--max-open-files", "103"]));
    assert!(!err.contains("files"), "{err}");
    // With too few, nothing would work.
    let err = told(640, &directory);
    assert!(err.contains(&warning(640)) && err.contains("set --max-open-files to 7 or less"), "{err}");
    let err = told(256, &directory);
    assert!(err.contains(&warning(256)) && err.contains("set --max-concurrency or"), "{err}");
    // Who may open nothing leaves everything.
    assert!(!told(256, &[]).contains("files"));
    assert!(!told(256, &["--dir", "none", "--http-out", "none"]).contains("files"));
    assert!(told(256, &["--http-out", "localhost:1"]).contains(&warning(256)));
}

/// A server process, and what it writes.
struct Serving {
    child: Child,
    address: String,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
    /// Whoever waits for a line that does not come waits until the process ends: it does when this is there for too long.
    _end: mpsc::Sender<()>,
}

impl Serving {
    fn start(place: &Place, flags: &[&str]) -> Self {
        Self::start_with(place, "server.wasm", flags)
    }

    fn start_with(place: &Place, file: &str, flags: &[&str]) -> Self {
        let mut serving = Self::begin(place, file, flags);
        serving.listens();
        serving
    }

    /// Starts it, and waits for nothing.
    fn begin(place: &Place, file: &str, flags: &[&str]) -> Self {
        let mut child = place
            .command(&[&["serve", file, "--addr", "127.0.0.1:0"], flags].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let err = BufReader::new(child.stderr.take().unwrap());
        let process = Pid::from_raw(child.id().cast_signed());
        let (end, ended) = mpsc::channel::<()>();
        thread::spawn(move || {
            if ended.recv_timeout(2 * LONG) == Err(RecvTimeoutError::Timeout) {
                let _ = kill(process, Signal::SIGKILL);
            }
        });
        Self { child, address: String::new(), out, err, _end: end }
    }

    /// Waits until it says where it listens.
    fn listens(&mut self) {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        self.address = line.strip_prefix("listening on http://").unwrap().trim_end().to_owned();
    }

    /// Ends as it should when it is told to.
    fn stops(&mut self) {
        self.signal(Signal::SIGTERM);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }
}

/// What comes of something that may wait for ever.
fn in_time<T: Send + 'static>(does: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, done) = mpsc::channel();
    thread::spawn(move || sender.send(does()));
    done.recv_timeout(LONG).expect("it comes in time")
}

/// Asks at the administrator's socket.
fn administrator(place: &Place, request: &str) -> String {
    let mut stream = UnixStream::connect(place.path().join("admin.sock")).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const ADMIN: [&str; 2] = ["--admin", "unix:admin.sock"];

/// A file that who reads it waits until somebody has written to it.
fn pipe(file: &Path) {
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(file).status().unwrap().success());
}

/// Opens a pipe to write to it, once somebody reads it.
fn open_once_read(pipe: &Path) -> File {
    let pipe = pipe.to_owned();
    in_time(move || File::options().write(true).open(pipe).unwrap())
}

#[test]
fn a_server_says_where_it_listens_and_stops_on_signals() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut serving = Serving::start(&place, &[]);
        TcpStream::connect(&serving.address).unwrap();
        serving.signal(signal);
        assert_eq!(serving.child.wait().unwrap().code(), Some(0));
        let mut more = String::new();
        serving.out.read_to_string(&mut more).unwrap();
        assert_eq!(more, "");
    }
}

/// A full disk takes no line of a log.
#[test]
#[cfg(target_os = "linux")]
fn a_log_that_cannot_be_written_ends_nothing() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut child = place
        .command(&["serve", "server.wasm", "--addr", "127.0.0.1:0", "--explain-traps"])
        .stdout(Stdio::piped())
        .stderr(full)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("listening on http://").unwrap().trim_end();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_in_flight() {
    let place = Place::new();
    place.file("server.wasm", server("loop br 0 end"));
    let flags = ["--max-time", "none", "--drain", "10m", "--max-concurrency", "1", "--max-queue", "0"];
    let mut serving = Serving::start(&place, &flags);
    // One of the two is in flight for ever; that the other was turned away says that it is.
    let (sender, answers) = mpsc::channel();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(&serving.address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
        let sender = sender.clone();
        thread::spawn(move || {
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            let _ = sender.send(answer);
        });
    }
    let first = answers.recv().unwrap();
    assert!(first.starts_with("HTTP/1.1 503 "), "{first}");
    serving.signal(Signal::SIGTERM);
    let mut line = String::new();
    serving.err.read_line(&mut line).unwrap();
    assert!(line.contains("a second signal cuts them off"), "{line}");
    assert!(serving.child.try_wait().unwrap().is_none());
    serving.signal(Signal::SIGINT);
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
}

/// A component that takes minutes to compile.
fn endless() -> Vec<u8> {
    let function = "(func (local i64) nop nop)".repeat(200_000);
    wat::parse_str(format!("(component (core module {function}))")).unwrap()
}

#[test]
fn a_good_component_does_not_wait_for_one_that_takes_long_to_compile() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let mut serving = Serving::start(&place, &["--max-compile-time", "none", "--max-compile-memory", "8GiB"]);
    place.file("server.wasm", endless());
    serving.signal(Signal::SIGHUP);
    logged(&mut serving, "compiling server.wasm");
    assert_eq!(status(&serving), "500");
    place.file("next.wasm", server(""));
    fs::rename(place.path().join("next.wasm"), place.path().join("server.wasm")).unwrap();
    serving.signal(Signal::SIGHUP);
    logged(&mut serving, "was not compiled to the end: another file has taken its place");
    logged(&mut serving, "server.wasm was swapped in");
    assert_eq!(status(&serving), "502");
    serving.stops();
}

/// The status that a request is answered with.
fn status(serving: &Serving) -> String {
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

/// The next line of the log that has this in it.
fn logged(serving: &mut Serving, what: &str) -> String {
    let mut line = String::new();
    while !line.contains(what) {
        line.clear();
        assert_ne!(serving.err.read_line(&mut line).unwrap(), 0, "the log ends without {what:?}");
    }
    line
}

#[test]
fn a_signal_swaps_in_what_lies_in_the_file() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let mut serving = Serving::start(&place, &[]);
    assert_eq!(status(&serving), "500");
    for broken in [&b"hello"[..], b"\0asm\x0d\0\x01\0"] {
        place.file("server.wasm", broken);
        serving.signal(Signal::SIGHUP);
        let line = logged(&mut serving, "was not swapped in (SIGHUP), and the running component goes on: ");
        assert!(line.contains("server.wasm"), "{line}");
        assert_eq!(status(&serving), "500");
    }
    fs::remove_file(place.path().join("server.wasm")).unwrap();
    serving.signal(Signal::SIGHUP);
    logged(&mut serving, "there is no such file");
    // A guest that gives no answer at all.
    place.file("server.wasm", server(""));
    serving.signal(Signal::SIGHUP);
    let line = logged(&mut serving, "server.wasm was swapped in (SIGHUP)");
    assert!(line.contains("before=") && line.contains("now="), "{line}");
    assert_eq!(status(&serving), "502");
    serving.signal(Signal::SIGHUP);
    logged(&mut serving, "nothing to swap (SIGHUP): server.wasm is the component that runs");
    serving.stops();
}

/// Written over, replaced by another file, and reached through a link that leads elsewhere.
#[test]
fn a_change_of_the_file_swaps_it_in() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let mut serving = Serving::start(&place, &["--watch"]);
    place.file("server.wasm", server(""));
    logged(&mut serving, "server.wasm was swapped in (its file changed)");
    assert_eq!(status(&serving), "502");
    place.file("new.wasm", server("unreachable"));
    fs::rename(place.path().join("new.wasm"), place.path().join("server.wasm")).unwrap();
    logged(&mut serving, "server.wasm was swapped in (its file changed)");
    assert_eq!(status(&serving), "500");
    fs::create_dir(place.path().join("releases")).unwrap();
    for (name, code) in [("1.wasm", ""), ("2.wasm", "unreachable")] {
        place.file(&format!("releases/{name}"), server(code));
        symlink(format!("releases/{name}"), place.path().join("link")).unwrap();
        fs::rename(place.path().join("link"), place.path().join("server.wasm")).unwrap();
        logged(&mut serving, "server.wasm was swapped in (its file changed)");
    }
    // Behind the link.
    place.file("releases/2.wasm", server(""));
    logged(&mut serving, "server.wasm was swapped in (its file changed)");
    assert_eq!(status(&serving), "502");
    serving.stops();
}

/// What else changes in its directory does not put it off.
#[test]
fn a_change_beside_another_file_that_always_changes_is_swapped_in() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let mut serving = Serving::start(&place, &["--watch"]);
    let (stop, stopped) = mpsc::channel::<()>();
    let neighbour = place.file("store", "0");
    let changing = thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout) {
            fs::write(&neighbour, "1").unwrap();
        }
    });
    for (code, answer) in [("", "502"), ("unreachable", "500")] {
        place.file("server.wasm", server(code));
        logged(&mut serving, "server.wasm was swapped in (its file changed)");
        assert_eq!(status(&serving), answer);
    }
    drop(stop);
    changing.join().unwrap();
    serving.stops();
}

/// Tools that copy files set the time back.
#[test]
fn a_change_that_keeps_length_and_time_is_swapped_in() {
    let place = Place::new();
    let file = place.file("server.wasm", server("unreachable"));
    let before = fs::metadata(&file).unwrap();
    let mut serving = Serving::start(&place, &["--watch"]);
    let mut over = File::options().write(true).open(&file).unwrap();
    over.write_all(&server("nop")).unwrap();
    over.set_times(FileTimes::new().set_modified(before.modified().unwrap())).unwrap();
    drop(over);
    let after = fs::metadata(&file).unwrap();
    assert_eq!((after.len(), after.modified().unwrap()), (before.len(), before.modified().unwrap()));
    logged(&mut serving, "server.wasm was swapped in (its file changed)");
    assert_eq!(status(&serving), "502");
    serving.stops();
}

/// Removed and made again, moved away, or behind a link further up that leads elsewhere.
#[test]
fn a_change_in_another_directory_in_the_place_of_the_first_is_swapped_in() {
    let place = Place::new();
    for release in ["releases/1", "releases/2"] {
        fs::create_dir_all(place.path().join(release).join("app")).unwrap();
    }
    let link = |release: &str| {
        symlink(release, place.path().join("link")).unwrap();
        fs::rename(place.path().join("link"), place.path().join("current")).unwrap();
    };
    link("releases/1");
    let app = place.path().join("releases/1/app");
    let named = "current/app/server.wasm";
    place.file(named, server("unreachable"));
    let mut serving = Serving::start_with(&place, named, &["--watch"]);
    let mut swaps_in = |answer: &str| {
        logged(&mut serving, "server.wasm was swapped in (its file changed)");
        assert_eq!(status(&serving), answer);
    };
    fs::remove_dir_all(&app).unwrap();
    fs::create_dir(&app).unwrap();
    place.file(named, server(""));
    swaps_in("502");
    fs::rename(&app, place.path().join("old")).unwrap();
    fs::create_dir(&app).unwrap();
    place.file(named, server("unreachable"));
    swaps_in("500");
    place.file("releases/2/app/server.wasm", server(""));
    link("releases/2");
    swaps_in("502");
    place.file(named, server("unreachable"));
    swaps_in("500");
    serving.stops();
}

/// The first of two loads is held up while it reads the file: that is a pipe, and comes to nothing in the end.
#[test]
fn of_two_swaps_at_once_the_one_that_was_asked_for_last_counts() {
    let place = Place::new();
    let file = place.file("server.wasm", server("nop"));
    let mut serving = Serving::start(&place, &ADMIN);
    fs::remove_file(&file).unwrap();
    pipe(&file);
    let place = &place;
    thread::scope(|scope| {
        let first = scope.spawn(|| administrator(place, "POST /swap"));
        let hold = open_once_read(&file);
        fs::remove_file(&file).unwrap();
        place.file("server.wasm", server(""));
        let (sender, answered) = mpsc::channel();
        let second = scope.spawn(move || {
            let answer = administrator(place, "POST /swap");
            let _ = sender.send(());
            answer
        });
        // It must not go first, however much time it has.
        assert_eq!(answered.recv_timeout(Duration::from_secs(1)), Err(RecvTimeoutError::Timeout));
        drop(hold);
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        // What it read was not the file that lies there by then.
        assert!(first.starts_with("HTTP/1.1 409 "), "{first}");
        assert!(second.contains("\"changed\":true"), "{second}");
    });
    let answer = administrator(place, "POST /swap");
    assert!(answer.contains("\"changed\":false"), "{answer}");
    serving.stops();
}

/// Loading waits for a secret meanwhile: the file of it is a pipe.
#[test]
fn the_administrator_is_answered_while_the_component_is_loaded() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let secret = place.path().join("secret");
    pipe(&secret);
    place.file("host.toml", "[grants.env]\nSECRET = { file = \"secret\" }\n");
    let flags = [&["--config", "host.toml"], &ADMIN[..]].concat();
    let mut serving = Serving::begin(&place, "server.wasm", &flags);
    logged(&mut serving, "admin on unix:admin.sock");
    assert!(administrator(&place, "GET /livez").starts_with("HTTP/1.1 200 "));
    assert!(administrator(&place, "GET /readyz").starts_with("HTTP/1.1 503 "));
    let answer = administrator(&place, "POST /swap");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    serving.signal(Signal::SIGHUP);
    assert!(administrator(&place, "GET /livez").starts_with("HTTP/1.1 200 "));
    open_once_read(&secret).write_all(b"s3cret").unwrap();
    serving.listens();
    logged(&mut serving, "nothing to swap (SIGHUP): server.wasm is the component that runs");
    assert_eq!(status(&serving), "500");
    assert!(administrator(&place, "GET /readyz").starts_with("HTTP/1.1 200 "));
    serving.stops();
}

#[test]
fn a_server_that_still_loads_its_component_stops_at_once() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let place = Place::new();
        place.file("server.wasm", server("unreachable"));
        pipe(&place.path().join("secret"));
        place.file("host.toml", "[grants.env]\nSECRET = { file = \"secret\" }\n");
        let flags = [&["--config", "host.toml"], &ADMIN[..]].concat();
        let mut serving = Serving::begin(&place, "server.wasm", &flags);
        logged(&mut serving, "admin on unix:admin.sock");
        serving.signal(signal);
        assert_eq!(serving.child.wait().unwrap().code(), Some(0));
        let mut said = String::new();
        serving.out.read_to_string(&mut said).unwrap();
        assert_eq!(said, "");
        assert!(!place.path().join("admin.sock").exists());
    }
}

/// With the exit code that it has without an administrator.
#[test]
fn what_cannot_be_loaded_ends_the_administrator_too() {
    let place = Place::new();
    for (file, code) in [("missing.wasm", 3), ("guest.wasm", 3)] {
        let (found, out, err) = place.run(&[&["serve", file], &ADMIN[..]].concat());
        assert_eq!((found, &*out), (code, ""), "{err}");
        assert!(err.contains("admin on unix:admin.sock"), "{err}");
        assert!(!place.path().join("admin.sock").exists());
    }
}

#[test]
fn what_cannot_be_watched_is_said_at_the_start() {
    let place = Place::new();
    let (code, _, err) = place.run(&["serve", "nowhere/server.wasm", "--watch"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("there is no such file"), "{err}");
}

/// A component that has the handler, with this code.
fn server(code: &str) -> Vec<u8> {
    let text = r#"(component
        (import "wasi:http/types@0.2.12" (instance $types
            (export "incoming-request" (type (sub resource)))
            (export "response-outparam" (type (sub resource)))))
        (alias export $types "incoming-request" (type $request))
        (alias export $types "response-outparam" (type $out))
        (core module $m (func (export "handle") (param i32 i32) CODE))
        (core instance $i (instantiate $m))
        (func $handle (param "request" (own $request)) (param "response-out" (own $out))
            (canon lift (core func $i "handle")))
        (component $Handler
            (import "request" (type $r (sub resource)))
            (import "out" (type $o (sub resource)))
            (import "handle" (func $f (param "request" (own $r)) (param "response-out" (own $o))))
            (export "handle" (func $f)))
        (instance $handler (instantiate $Handler
            (with "request" (type $request)) (with "out" (type $out)) (with "handle" (func $handle))))
        (export "wasi:http/incoming-handler@0.2.12" (instance $handler)))"#;
    wat::parse_str(text.replace("CODE", code)).unwrap()
}

#[test]
fn compiled_code_is_kept_only_where_it_was_asked_for() {
    let place = Place::new();
    assert_eq!(place.run(&["call", "guest.wasm", "add(1, 2)"]).0, 0);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    for _ in 0..2 {
        let call = ["call", "guest.wasm", "add(1, 2)", "--cache", "kept"];
        assert_eq!(place.run(&call), (0, "3\n".into(), "".into()));
    }
    assert!(fs::read_dir(place.path().join("kept")).unwrap().count() > 0);
    place.file("file", "");
    let call = ["call", "guest.wasm", "add(1, 2)", "--cache", "file"];
    let (code, _, err) = place.run(&call);
    assert_eq!(code, 6);
    assert!(err.starts_with("error: the directory for compiled code, file, cannot be used\n"), "{err}");
}

#[test]
fn help_tells_the_exit_codes() {
    let place = Place::new();
    let (code, out, _) = place.run(&["--help"]);
    assert_eq!(code, 0);
    assert!(out.contains("4  refused: the component imports what was not granted"), "{out}");
    let (code, out, _) = place.run(&["serve", "--help"]);
    assert_eq!(code, 0);
    let (code, _, err) = place.run(&["serve", "guest.wasm", "--reuse", "0"]);
    assert!(code == 2 && err.contains("invalid value '0' for '--reuse <COUNT>'"), "{err}");
    for flag in
        ["--keyvalue", "--reuse", "--env", "--dir", "--stdio", "--http-out", "--max-memory", "--max-time"]
    {
        assert!(out.contains(flag), "{flag}");
    }
}

#[test]
fn kv_check_finds_what_is_damaged_and_its_exit_code_says_so() {
    let place = Place::new();
    let file = place.path().join("store.redb");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Redb::open(&file).unwrap();
    runtime.block_on(async {
        use host_runner::keyvalue::Backend;
        store.set("b", "first".into(), b"customer Alice".to_vec()).await.unwrap();
        store.set("b", "second".into(), b"customer Bert".to_vec()).await.unwrap();
    });
    let (code, out, err) = place.run(&["kv", "check", "store.redb"]);
    assert_eq!((code, out.as_str()), (6, ""), "{err}");
    assert!(err.contains("the store store.redb is in use by another process"), "{err}");
    drop(store);
    let (code, out, err) = place.run(&["kv", "check", "store.redb"]);
    assert_eq!((code, out.as_str()), (0, "store.redb: sound: 2 entries, 27 bytes of values\n"), "{err}");
    let mut bytes = fs::read(&file).unwrap();
    let all: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"customer Alice")).collect();
    for at in all {
        bytes[at] ^= 1;
    }
    fs::write(&file, bytes).unwrap();
    let (code, out, err) = place.run(&["kv", "check", "store.redb"]);
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(
        out,
        "store.redb: pages of the file do not have the checksums that they were given\n\
         store.redb: damaged: bucket \"b\", key \"first\"\n\
         store.redb: damaged: 1 entries; 1 are as they were written. Restore the file from a copy\n"
    );
    assert_eq!(place.run(&["kv", "check", "guest.wasm"]).0, 3);
    assert_eq!(place.run(&["kv", "check", "nothing.redb"]).0, 3);
    assert!(!place.path().join("nothing.redb").exists());
}

/// A library warns of each acknowledgement that nobody asked for.
#[test]
fn a_client_cannot_fill_the_log() {
    let place = Place::new();
    place.file("server.wasm", server("unreachable"));
    let mut serving = Serving::start(&place, &[]);
    let ping = b"\0\0\x08\x06\x01\0\0\0\0unasked!";
    for _ in 0..4 {
        let mut stream = TcpStream::connect(&serving.address).unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        stream.write_all(&ping.repeat(1_000)).unwrap();
        // It is answered when all before it was read.
        stream.write_all(b"\0\0\x08\x06\0\0\0\0\0the last").unwrap();
        let mut came = Vec::new();
        while !came.windows(8).any(|window| window == b"the last") {
            let mut piece = [0; 1_024];
            let length = stream.read(&mut piece).unwrap();
            assert_ne!(length, 0);
            came.extend_from_slice(&piece[..length]);
        }
    }
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    serving.err.read_to_string(&mut log).unwrap();
    let lines = log.lines().filter(|line| line.contains("PING ack")).count();
    assert!((1..100).contains(&lines), "{lines} lines");
}

/// Nobody would ever write to them.
#[test]
fn a_pipe_in_the_place_of_a_key_or_of_code_is_not_waited_for() {
    let place = Place::new();
    let kept = ["call", "guest.wasm", "example:math/sums#add(40, 2)", "--cache", "kept"];
    assert_eq!(place.run(&kept).0, 0);
    let files = fs::read_dir(place.path().join("kept")).unwrap();
    let entry = files.map(|file| file.unwrap().path()).find(|file| file.extension().is_some()).unwrap();
    fs::remove_file(&entry).unwrap();
    pipe(&entry);
    let mut command = place.command(&kept);
    let (code, out, err) = in_time(move || told(command.output().unwrap()));
    assert_eq!((code, out.as_str()), (0, "42\n"), "{err}");
    assert!(err.contains("it is no file"), "{err}");
    let key = place.path().join("kept/key");
    fs::remove_file(&key).unwrap();
    pipe(&key);
    let mut command = place.command(&kept);
    let (code, out, err) = in_time(move || told(command.output().unwrap()));
    assert_eq!((code, out.as_str()), (6, ""), "{err}");
    assert!(err.contains("the key kept/key cannot be read") && err.contains("it is no file"), "{err}");
}

#[test]
fn a_pattern_or_a_list_is_no_host_that_requests_may_go_to() {
    let place = Place::new();
    for (host, why) in [
        ("*", "there is no pattern for several hosts, each is named; "),
        ("*.example.com", "there is no pattern for several hosts, each is named; "),
        ("a.example,b.example", "each host is named on its own, in a flag or an item of the list; "),
    ] {
        let (code, _, err) = place.run(&["call", "guest.wasm", "spin()", "--http-out", host]);
        assert_eq!(code, 2, "{err}");
        let message = format!("{host:?} is not a host with an optional port: {why}write for example");
        assert!(err.contains(&message), "{err}");
    }
}
