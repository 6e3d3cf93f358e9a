//! What is closed for a part cannot be reached by it, whatever the host grants, and the part still starts: with guests
//! whose engines bring all of WASI along, and with a stub alone in an engine.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use anatomy::Source;
use e2e::compose::compose;
use e2e::{process, project};
use tempfile::TempDir;
use wasmtime::component::{Component, Instance, Linker, Val};
use wasmtime::{Engine, Store};

/// All that a Python guest can do without. Randomness it needs to start.
const PYTHON: [&str; 5] = ["wasi:io/*", "wasi:cli/*", "wasi:clocks/*", "wasi:filesystem/*", "wasi:sockets/*"];
/// What a JavaScript guest can do without, and still try to reach.
const JAVASCRIPT: [&str; 3] = ["wasi:cli/*", "wasi:filesystem/*", "wasi:http/outgoing-handler"];

/// The stub of a fixture.
fn stub(fixture: &str, closed: &[&str]) -> PathBuf {
    let part = project::fixture(fixture);
    let directory = project::path("target/e2e");
    fs::create_dir_all(&directory).unwrap();
    let stub = directory.join(format!("{fixture}-closed-{}.wasm", closed.len()));
    let words = [&["deny", part.to_str().unwrap(), "-o", stub.to_str().unwrap()], closed].concat();
    let done = process::run("composer", project::root(), &words, "").unwrap();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    stub
}

/// The fixture with its stub composed in.
fn closed(fixture: &str, closed: &[&str]) -> PathBuf {
    let text = "package test:closed;\n\n\
         let closed = new parts:closed { ... };\n\
         let part = new parts:part { ...closed, ... };\n\n\
         export part[\"test:reach/probe\"];\n";
    let (stub, part) = (stub(fixture, closed), project::fixture(fixture));
    compose(
        &format!("{fixture}-without-{}", closed.len()),
        text,
        &[("parts:closed", &stub), ("parts:part", &part)],
    )
}

/// Calls `reach`, or another function, with these grants: what was printed.
fn call(component: &Path, directory: &Path, grants: &[&str], call: &str) -> String {
    let cache = project::path("target/cache");
    let words =
        [&["call", component.to_str().unwrap(), call, "--cache", cache.to_str().unwrap()], grants].concat();
    let done = process::run("host-runner", directory, &words, "").unwrap();
    assert!(matches!(done.code, Some(0 | 1)), "{call}: {}", done.stderr);
    done.stdout.trim_end().to_owned()
}

fn reach(component: &Path, directory: &Path, grants: &[&str], what: &str, address: &str) -> String {
    call(component, directory, grants, &format!("reach(\"{what}\", \"{address}\")"))
}

/// A directory with a note in it.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("inside")).unwrap();
    fs::write(directory.path().join("inside/note"), "a note").unwrap();
    directory
}

/// What the parts of a composition called `part` import from the host.
fn reached(composition: &Path) -> Vec<String> {
    let found = anatomy::read(&fs::read(composition).unwrap()).unwrap();
    let part = found.parts.iter().position(|part| part.name == "part").unwrap();
    let from_host = |edge: &&anatomy::Edge| edge.part == part && matches!(edge.from, Source::Host { .. });
    found.edges.iter().filter(from_host).map(|edge| edge.import.clone()).collect()
}

#[test]
fn a_python_guest_starts_without_what_it_does_not_need_and_is_refused_what_is_closed() {
    let directory = directory();
    let open = project::fixture("reaching-python");
    let all = ["--dir", "inside::/data", "--env", "A=1", "--stdio", "--sockets", "none"];
    let peer = "127.0.0.1:9";
    // What it reaches where nothing is closed: the means are good.
    assert_eq!(reach(&open, directory.path(), &all, "file", peer), "ok(\"a note\")");
    assert_eq!(reach(&open, directory.path(), &all, "env", peer), "ok(\"A\")");
    assert_eq!(reach(&open, directory.path(), &all, "stdout", peer), "written\nok(\"None\")");

    let closed = closed("reaching-python", &PYTHON);
    let imports = reached(&closed);
    assert!(imports.iter().all(|import| import.starts_with("wasi:random/")), "{imports:?}");
    // Started with no grant at all, which a host refuses to whoever imports more.
    assert_eq!(call(&closed, directory.path(), &[], "greet(\"you\")"), "\"Hello, you!\"");
    for (what, expected) in [
        ("file", "err(\"FileNotFoundError: "),
        ("env", "ok(\"\")"),
        ("stdout", "err(\"BrokenPipeError: "),
        ("socket", "err(\"PermissionError: "),
        ("random", "ok(\""),
    ] {
        let told = reach(&closed, directory.path(), &[], what, peer);
        assert!(told.starts_with(expected), "{what}: {told}");
    }
    // The interface has no error: the guest ends, and the part that asked is blamed for it, not the stub.
    let cache = project::path("target/cache");
    let words = ["call", closed.to_str().unwrap(), "reach(\"clock\", \"\")", "--explain-traps", "--cache"];
    let words = [&words[..], &[cache.to_str().unwrap()]].concat();
    let done = process::run("host-runner", directory.path(), &words, "").unwrap();
    assert_eq!((done.code, done.stdout.as_str()), (Some(5), ""), "{}", done.stderr);
    for told in
        ["── closed\n", "part          part, written in Python", "it called `now` of wasi:clocks/wall-clock@"]
    {
        assert!(done.stderr.contains(told), "{told}: {}", done.stderr);
    }
}

#[test]
fn a_javascript_guest_starts_without_what_it_does_not_need_and_is_refused_what_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.push(byte[0]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
    });
    let directory = directory();
    let open = project::fixture("reaching-js");
    let all = ["--dir", "none", "--stdio", "--http-out", &address];
    assert_eq!(reach(&open, directory.path(), &all, "http", &address), "ok(\"200\")");
    assert_eq!(reach(&open, directory.path(), &all, "stdout", &address), "written\nok(\"undefined\")");

    let closed = closed("reaching-js", &JAVASCRIPT);
    for import in reached(&closed) {
        let denied = ["wasi:cli/", "wasi:filesystem/", "wasi:http/outgoing-handler@"];
        assert!(!denied.iter().any(|prefix| import.starts_with(prefix)), "{import}");
    }
    let granted = ["--http-out", &address];
    assert_eq!(call(&closed, directory.path(), &granted, "greet(\"you\")"), "\"Hello, you!\"");
    // Granted by the host, and out of the part's reach all the same.
    let told = reach(&closed, directory.path(), &granted, "http", &address);
    assert!(told.starts_with("err(\""), "{told}");
    assert!(reach(&closed, directory.path(), &granted, "random", &address).starts_with("ok(\""));
}

/// Calls a function of an instance's export.
fn ask(
    instance: &Instance,
    store: &mut Store<()>,
    interface: &str,
    function: &str,
    arguments: &[Val],
) -> wasmtime::Result<Val> {
    let interface = instance.get_export_index(&mut *store, None, interface).unwrap();
    let index = instance.get_export_index(&mut *store, Some(&interface), function).unwrap();
    let mut answers = [Val::Bool(false)];
    instance.get_func(&mut *store, index).unwrap().call(&mut *store, arguments, &mut answers)?;
    let [answer] = answers;
    Ok(answer)
}

#[test]
fn a_stub_answers_in_the_interfaces_own_words() {
    let bytes =
        fs::read(stub("reaching-python", &[&PYTHON as &[&str], &["wasi:random/*"]].concat())).unwrap();
    let names = anatomy::read(&bytes).unwrap().exports;
    let full = |name: &str| {
        names
            .iter()
            .find(|export| export.split('@').next() == Some(name))
            .unwrap_or_else(|| panic!("{name}"))
            .clone()
    };
    let engine = Engine::default();
    let component = Component::new(&engine, &bytes).unwrap();
    let mut store = Store::new(&engine, ());
    // It imports nothing, and nothing is there for it.
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    let refused = |case: Val| Val::Result(Err(Some(Box::new(case))));

    let family = [Val::Enum("ipv4".into())];
    let socket =
        ask(&instance, &mut store, &full("wasi:sockets/tcp-create-socket"), "create-tcp-socket", &family);
    assert_eq!(socket.unwrap(), refused(Val::Enum("access-denied".into())));

    // A network of the stub's own may be had; names are not looked up in it. What is lent is given back.
    let network =
        ask(&instance, &mut store, &full("wasi:sockets/instance-network"), "instance-network", &[]).unwrap();
    let (lookup, long) = (full("wasi:sockets/ip-name-lookup"), Val::String("x".repeat(200_000)));
    for name in [Val::String("localhost".into()), long] {
        let addresses = ask(&instance, &mut store, &lookup, "resolve-addresses", &[network.clone(), name]);
        assert_eq!(addresses.unwrap(), refused(Val::Enum("access-denied".into())));
    }

    let environment = full("wasi:cli/environment");
    let variables = ask(&instance, &mut store, &environment, "get-environment", &[]).unwrap();
    assert_eq!(variables, Val::List(Vec::new()));
    let preopens =
        ask(&instance, &mut store, &full("wasi:filesystem/preopens"), "get-directories", &[]).unwrap();
    assert_eq!(preopens, Val::List(Vec::new()));
    let terminal =
        ask(&instance, &mut store, &full("wasi:cli/terminal-stdout"), "get-terminal-stdout", &[]).unwrap();
    assert_eq!(terminal, Val::Option(None));

    // A stream that is closed, again and again.
    let streams = full("wasi:io/streams");
    for _ in 0..1_000 {
        let stream = ask(&instance, &mut store, &full("wasi:cli/stdout"), "get-stdout", &[]).unwrap();
        let room = ask(
            &instance,
            &mut store,
            &streams,
            "[method]output-stream.check-write",
            std::slice::from_ref(&stream),
        );
        assert_eq!(room.unwrap(), refused(Val::Variant("closed".into(), None)));
        let Val::Resource(stream) = stream else { panic!("it is a handle") };
        stream.resource_drop(&mut store).unwrap();
    }

    // No time is told, and after that nothing is said any more.
    let now = ask(&instance, &mut store, &full("wasi:clocks/wall-clock"), "now", &[]).unwrap_err();
    assert!(format!("{now:?}").contains("unreachable"), "{now:?}");
}
