//! What a guest that oversteps its grants is told; and what `host-runner grants` says of components.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::proposed::checked;
use std::sync::Arc;

use host_runner::extension::Extensions;
use host_runner::grants::Authority;
use host_runner::keyvalue::{Access, Backend, Delta, Memory, Narrowed, PAGE, StoreError};
use host_runner::needs::{Growth, Needs, needs};
use host_runner::{App, Engine, EngineOptions, Grants, Limits, Setup, call};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, TypeDefKind};

/// The contracts that guests here use.
fn contracts(packages: &[&str]) -> Resolve {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/deps");
    let mut resolve = Resolve::default();
    for package in packages {
        resolve.push_dir(directory.join(format!("wasi-{package}"))).unwrap();
    }
    resolve
}

/// A component of a core module and the world that it is written for.
fn component(mut resolve: Resolve, world: &str, module: &str) -> Vec<u8> {
    let package =
        resolve.push_str("probe.wit", &format!("package test:probe; world probe {{ {world} }}")).unwrap();
    let world = resolve.select_world(&[package], Some("probe")).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap();
    encoder.encode().unwrap()
}

/// Each function opens a bucket and does one thing with a key. The answer: 0 is done, or 1 more than the case of the error:
/// 1 no-such-store, 2 access-denied, 3 other; 10 more where opening came to it.
fn keyvalue_guest() -> Vec<u8> {
    let world = "
        import wasi:keyvalue/store@0.2.0-draft2;
        import wasi:keyvalue/atomics@0.2.0-draft2;
        import wasi:keyvalue/batch@0.2.0-draft2;
        export get: func(bucket: string, key: string) -> s32;
        export set: func(bucket: string, key: string) -> s32;
        export delete: func(bucket: string, key: string) -> s32;
        export exists: func(bucket: string, key: string) -> s32;
        export list-keys: func(bucket: string, key: string) -> s32;
        export increment: func(bucket: string, key: string) -> s32;
        export begin-swap: func(bucket: string, key: string) -> s32;
        export get-many: func(bucket: string, key: string) -> s32;";
    let operations = [
        ("get", "(call $get (local.get $b) (local.get $key) (local.get $key-length) (i32.const 32))"),
        (
            "set",
            "(call $set (local.get $b) (local.get $key) (local.get $key-length) (i32.const 0) (i32.const 1) (i32.const 32))",
        ),
        ("delete", "(call $delete (local.get $b) (local.get $key) (local.get $key-length) (i32.const 32))"),
        ("exists", "(call $exists (local.get $b) (local.get $key) (local.get $key-length) (i32.const 32))"),
        ("list-keys", "(call $list (local.get $b) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 32))"),
        (
            "increment",
            "(call $add (local.get $b) (local.get $key) (local.get $key-length) (i64.const 1) (i32.const 32))
             ;; The sum has eight bytes, so the error is further back.
             (i32.store8 (i32.const 36) (i32.load8_u (i32.const 40)))",
        ),
        ("begin-swap", "(call $cas (local.get $b) (local.get $key) (local.get $key-length) (i32.const 32))"),
        (
            "get-many",
            "(i32.store (i32.const 8) (local.get $key)) (i32.store (i32.const 12) (local.get $key-length))
             (call $many (local.get $b) (i32.const 8) (i32.const 1) (i32.const 32))",
        ),
    ];
    let functions: String = operations
        .iter()
        .map(|(name, operation)| {
            format!(
                r#"(func (export "{name}") (param $bucket i32) (param $length i32) (param $key i32) (param $key-length i32)
                    (result i32) (local $b i32)
                    (call $open (local.get $bucket) (local.get $length) (i32.const 16))
                    (if (i32.load8_u (i32.const 16)) (then
                        (return (i32.add (i32.const 11) (i32.load8_u (i32.const 20))))))
                    (local.set $b (i32.load (i32.const 20)))
                    {operation}
                    (if (result i32) (i32.load8_u (i32.const 32))
                        (then (i32.add (i32.const 1) (i32.load8_u (i32.const 36))))
                        (else (i32.const 0))))"#
            )
        })
        .collect();
    let module = format!(
        r#"(module
        (import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.delete" (func $delete (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.exists" (func $exists (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.list-keys" (func $list (param i32 i32 i32 i32 i32)))
        (import "wasi:keyvalue/atomics@0.2.0-draft2" "increment" (func $add (param i32 i32 i32 i64 i32)))
        (import "wasi:keyvalue/atomics@0.2.0-draft2" "[static]cas.new" (func $cas (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/batch@0.2.0-draft2" "get-many" (func $many (param i32 i32 i32 i32)))
        (memory (export "memory") 1)
        (global $top (mut i32) (i32.const 1024))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (local.get 3))))
        {functions})"#
    );
    component(contracts(&["keyvalue"]), world, &module)
}

fn narrowed(store: &Arc<dyn Backend>, granted: &[&str]) -> Arc<dyn Backend> {
    Arc::new(Narrowed::new(Arc::clone(store), granted.iter().map(|access| access.parse().unwrap()).collect()))
}

#[tokio::test]
async fn a_guest_that_oversteps_a_store_is_told_access_denied() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let bytes = keyvalue_guest();
    let (done, denied, not_opened) = ("0", "2", "12");
    let everything = ["get", "set", "delete", "exists", "list-keys", "begin-swap", "get-many"];
    for (granted, bucket, key, allowed) in [
        (&["*"][..], "other", "x", &everything[..]),
        (&["orders"], "orders", "x", &everything),
        (&["orders/2026-"], "orders", "2026-1", &everything),
        // What may be read at all may be listed, as far as it may be read.
        (&["orders/2026-"], "orders", "2025-1", &["list-keys"]),
        (&["orders:ro"], "orders", "x", &["get", "exists", "list-keys", "begin-swap", "get-many"]),
        (&["orders:wo"], "orders", "x", &["set", "delete"]),
        (&["orders/a:ro", "orders/b:wo"], "orders", "b", &["set", "delete", "list-keys"]),
        // Grants of the same key add up.
        (&["orders:ro", "orders/b:wo"], "orders", "b", &everything),
    ] {
        let store: Arc<dyn Backend> = Arc::new(Memory::new());
        let grants = Grants { keyvalue: Some(narrowed(&store, granted)), ..Grants::default() };
        let setup = Setup { grants, ..Setup::default() };
        let app = App::from_bytes(&engine, "guest.wasm", &bytes, setup).unwrap();
        for operation in everything {
            let expected = if allowed.contains(&operation) { done } else { denied };
            let answer = call(&app, &format!("{operation}({bucket:?}, {key:?})")).await.unwrap();
            assert_eq!(answer.text, expected, "{operation} of {key} under {granted:?}");
        }
        // Counting tells the sum: it needs reading and writing.
        let both = allowed.contains(&"get") && allowed.contains(&"set");
        let answer = call(&app, &format!("increment({bucket:?}, \"{key}-count\")")).await.unwrap();
        assert_eq!(answer.text, if both { done } else { denied }, "increment under {granted:?}");
        let other = call(&app, "get(\"elsewhere\", \"x\")").await.unwrap().text;
        assert_eq!(other, if granted == ["*"] { done } else { not_opened }, "{granted:?}");
    }
}

#[tokio::test]
async fn a_denied_write_changes_nothing() {
    let store: Arc<dyn Backend> = Arc::new(Memory::new());
    store.set("b", "a1".into(), b"1".to_vec()).await.unwrap();
    store.set("b", "z".into(), b"1".to_vec()).await.unwrap();
    let narrow = narrowed(&store, &["b/a", "c:ro"]);
    let denied = |outcome: Result<(), StoreError>| matches!(outcome, Err(StoreError::Denied));
    // One key that is not granted among many that are.
    assert!(denied(narrow.set_many("b", vec![("a1".into(), vec![]), ("z".into(), vec![])]).await));
    assert!(denied(narrow.delete_many("b", vec!["a1".into(), "z".into()]).await));
    assert!(denied(narrow.increment("b", "z".into(), Delta::Signed(1)).await.map(drop)));
    assert!(denied(narrow.compare_and_swap("b", "z".into(), None, vec![]).await.map(drop)));
    assert!(denied(narrow.get_many("b", vec!["a1".into(), "z".into()]).await.map(drop)));
    assert!(denied(narrow.delete_many("c", vec![]).await));
    assert_eq!(store.get("b", "a1".into()).await.unwrap(), Some(b"1".to_vec()));
    assert_eq!(store.get("b", "z".into()).await.unwrap(), Some(b"1".to_vec()));
    assert_eq!(narrow.increment("b", "a1".into(), Delta::Signed(1)).await.unwrap(), 2);
}

#[tokio::test]
async fn only_keys_that_may_be_read_are_listed_and_all_of_them() {
    let store: Arc<dyn Backend> = Arc::new(Memory::new());
    let mut all = Vec::new();
    for prefix in ["", "a", "ab", "b", "ba", "é", "z"] {
        all.push(prefix.to_owned());
        all.extend((0..PAGE * 2 / 5).map(|index| format!("{prefix}/{index:04}")));
    }
    all.sort();
    store.set_many("k", all.iter().map(|key| (key.clone(), vec![])).collect()).await.unwrap();
    for granted in [
        &["k"][..],
        &["k/a"],
        &["k/ab", "k/z:ro"],
        &["k/a", "k/ab", "k/b/"],
        &["k/é", "k/a/00", "k/b:wo"],
        &["k/nothing"],
        &["*/b:ro", "k/a/0001"],
    ] {
        let readable: Vec<Access> = granted
            .iter()
            .map(|access| access.parse().unwrap())
            .filter(|access: &Access| access.mode != host_runner::keyvalue::Mode::Write)
            .collect();
        let expected: Vec<&String> =
            all.iter().filter(|key| readable.iter().any(|access| key.starts_with(&access.prefix))).collect();
        let narrow = narrowed(&store, granted);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = narrow.list_keys("k", after).await.unwrap();
            assert!(page.keys.len() == PAGE || !page.more, "a page in the middle is full");
            found.extend(page.keys);
            if !page.more {
                break;
            }
            after = found.last().cloned();
        }
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{granted:?}");
    }
    assert!(matches!(narrowed(&store, &["k:wo"]).list_keys("k", None).await, Err(StoreError::Denied)));
}

/// Asks for `http://AUTHORITY/path?token=s3cret`: the answer is 1 more than the case of the error, 0 for none. With which
/// case the error of this name is.
fn http_guest(authority: &str, error: &str) -> (Vec<u8>, usize) {
    let resolve = contracts(&["io", "clocks", "random", "filesystem", "sockets", "cli", "http"]);
    let case = resolve
        .types
        .iter()
        .filter(|(_, ty)| ty.name.as_deref() == Some("error-code"))
        .find_map(|(_, ty)| match &ty.kind {
            TypeDefKind::Variant(variant) => variant.cases.iter().position(|case| case.name == error),
            _ => None,
        })
        .unwrap();
    let world = "
        import wasi:http/types@0.2.12;
        import wasi:http/outgoing-handler@0.2.12;
        export ask: func() -> s32;";
    let module = r#"(module
        (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
        (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
            (func $authority (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
            (func $path (param i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme"
            (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe"
            (func $subscribe (param i32) (result i32)))
        (import "wasi:http/types@0.2.12" "[method]future-incoming-response.get" (func $get (param i32 i32)))
        (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $handle (param i32 i32 i32 i32)))
        (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "/path?token=s3cret AUTHORITY")
        (global $top (mut i32) (i32.const 1024))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (local.get 3))))
        (func (export "ask") (result i32) (local $r i32) (local $f i32)
            (local.set $r (call $request (call $fields)))
            (drop (call $scheme (local.get $r) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
            (if (call $authority (local.get $r) (i32.const 1) (i32.const 19) (i32.const LENGTH)) (then unreachable))
            (if (call $path (local.get $r) (i32.const 1) (i32.const 0) (i32.const 18)) (then unreachable))
            (call $handle (local.get $r) (i32.const 0) (i32.const 0) (i32.const 128))
            ;; An error at once, or one that the future gives.
            (if (i32.load8_u (i32.const 128)) (then
                (return (i32.add (i32.const 1) (i32.load8_u (i32.const 136))))))
            (local.set $f (i32.load (i32.const 136)))
            (call $block (call $subscribe (local.get $f)))
            (call $get (local.get $f) (i32.const 256))
            (if (i32.eqz (i32.load8_u (i32.const 272))) (then (return (i32.const 0))))
            (i32.add (i32.const 1) (i32.load8_u (i32.const 280)))))"#;
    let module = module.replace("AUTHORITY", authority).replace("LENGTH", &authority.len().to_string());
    (component(resolve, world, &module), case)
}

/// Asks where it may not.
fn denied_guest() -> (Vec<u8>, usize) {
    http_guest("user:pass@127.0.0.1:1", "HTTP-request-denied")
}

#[tokio::test]
async fn a_request_to_where_none_may_go_is_denied_in_the_interface_s_own_words() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let (bytes, denied) = denied_guest();
    let elsewhere: Vec<Authority> = vec!["127.0.0.1:2".parse().unwrap(), "localhost:1".parse().unwrap()];
    for outbound in [Vec::new(), elsewhere] {
        let grants = Grants { outbound: Some(outbound), ..Grants::default() };
        let setup = Setup { grants, ..Setup::default() };
        let app = App::from_bytes(&engine, "guest.wasm", &bytes, setup).unwrap();
        assert_eq!(call(&app, "ask()").await.unwrap().text, (denied + 1).to_string());
    }
}

#[tokio::test]
async fn a_connection_too_many_is_refused_in_the_interface_s_own_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let (bytes, refused) = http_guest(&authority, "connection-limit-reached");
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let app = |open_files| {
        let outbound = Some(vec![authority.parse().unwrap()]);
        let grants = Grants { outbound, ..Grants::default() };
        let setup = Setup { grants, limits: Limits { open_files, ..Limits::default() }, ..Setup::default() };
        App::from_bytes(&engine, "guest.wasm", &bytes, setup).unwrap()
    };
    assert_eq!(call(&app(0), "ask()").await.unwrap().text, (refused + 1).to_string());
    // The first connection that comes is of the guest that may have one.
    let (app, answers) = (app(1), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Not before it has asked.
        stream.read_exact(&mut [0]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    });
    let (answer, _stream) = tokio::join!(call(&app, "ask()"), answers);
    assert_eq!(answer.unwrap().text, "0");
}

struct Place(TempDir);

impl Place {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let place = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(place.path().join(name), bytes).unwrap();
        }
        Self(place)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_host-runner"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        checked(arguments, output)
    }
}

#[test]
fn of_a_denied_request_the_log_has_the_authority_alone() {
    let place = Place::new(&[("guest.wasm", &denied_guest().0)]);
    let (code, _, err) = place.run(&["call", "guest.wasm", "ask()", "--http-out", "none"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("a request to 127.0.0.1:1 was denied: its authority is not granted (--http-out)"),
        "{err}"
    );
    for secret in ["s3cret", "token", "path", "pass", "user"] {
        assert!(!err.contains(secret), "{err}");
    }
}

const FACE: &str = r#"(export "f" (func (result u32)))"#;

/// A composition of a reader, which uses a keeper; the keeper imports an interface of the host's, the reader is given another
/// one by what stands for it: the host, or a stub inside.
fn composed(keeper: &str, reader_closed: bool, extra: Option<&str>) -> Vec<u8> {
    let part = |name: &str, imports: &[&str], export: &str| {
        let imports: String =
            imports.iter().map(|import| format!(r#"(import "{import}" (instance {FACE}))"#)).collect();
        format!(
            r#"(component ${name} {imports}
                (core module $m (func (export "g") (result i32) i32.const 7))
                (core instance $i (instantiate $m))
                (func $g (result u32) (canon lift (core func $i "g")))
                (instance $out (export "f" (func $g)))
                (export "{export}" (instance $out)))"#
        )
    };
    let variables = "wasi:cli/environment@0.2.3";
    let given = if reader_closed {
        format!(
            "(instance $reader-closed (instantiate $Stub)) (alias export $reader-closed {variables:?} (instance $env))"
        )
    } else {
        format!(r#"(import "{variables}" (instance $env {FACE}))"#)
    };
    let more =
        extra.map(|extra| format!(r#"(import "{extra}" (instance $extra {FACE}))"#)).unwrap_or_default();
    let (extra_imports, extra_given) = match extra {
        Some(extra) => {
            (vec![variables, "test:keeper/i", extra], format!(r#"(with "{extra}" (instance $extra))"#))
        }
        None => (vec![variables, "test:keeper/i"], String::new()),
    };
    let text = format!(
        r#"(component
            (import "{keeper}" (instance $host {FACE}))
            (import "wasi:io/poll@0.2.3" (instance $poll {FACE}))
            {more}
            {}
            {given}
            {}
            {}
            (instance $keeper (instantiate $Keeper
                (with "{keeper}" (instance $host)) (with "wasi:io/poll@0.2.3" (instance $poll))))
            (instance $reader (instantiate $Reader
                (with "{variables}" (instance $env)) (with "test:keeper/i" (instance $keeper "test:keeper/i"))
                {extra_given}))
            (export "test:reader/i" (instance $reader "test:reader/i")))"#,
        part("Stub", &[], variables),
        part("Keeper", &[keeper, "wasi:io/poll@0.2.3"], "test:keeper/i"),
        part("Reader", &extra_imports, "test:reader/i"),
    );
    wat::parse_str(text).unwrap()
}

fn asked(bytes: &[u8]) -> Needs {
    needs(bytes, &Extensions::default()).unwrap()
}

#[test]
fn needs_are_told_by_part_and_path_and_what_is_closed_too() {
    let closed = asked(&composed("wasi:keyvalue/store@0.2.0-draft2", true, None));
    let part = |name: &str| closed.parts.iter().find(|part| part.part == name).unwrap();
    assert_eq!(part("reader").reaches.len(), 1);
    assert_eq!(part("reader").reaches[0].import, "wasi:keyvalue/store@0.2.0-draft2");
    assert_eq!(part("reader").reaches[0].ways, [["reader", "keeper"]]);
    assert_eq!(part("reader").inside.len(), 1);
    assert_eq!(part("reader").inside[0].import, "wasi:cli/environment@0.2.3");
    assert_eq!(part("reader").inside[0].by, "reader-closed");
    assert!(part("reader").inside[0].reaches.is_empty());
    assert_eq!(part("keeper").reaches[0].ways, [["keeper"]]);
    assert!(part("reader-closed").reaches.is_empty());
    assert!(closed.composition && closed.complete);

    let open = asked(&composed("wasi:keyvalue/store@0.2.0-draft2", false, None));
    let reader = open.parts.iter().find(|part| part.part == "reader").unwrap();
    assert!(reader.inside.is_empty());
    let reached: Vec<&str> = reader.reaches.iter().map(|reachable| reachable.import.as_str()).collect();
    assert_eq!(reached, ["wasi:cli/environment@0.2.3", "wasi:keyvalue/store@0.2.0-draft2"]);
}

#[test]
fn each_import_says_what_would_grant_it() {
    let whole = asked(&composed("acme:bank/transfer@1.0.0", false, None));
    let import = |name: &str| whole.imports.iter().find(|asked| asked.import == name).unwrap();
    let unknown = import("acme:bank/transfer@1.0.0");
    assert_eq!((unknown.grant, unknown.needs_nothing()), (None, false));
    assert!(unknown.reason.unwrap().starts_with("this host has no such interface"));
    assert_eq!(import("wasi:cli/environment@0.2.3").grant, Some("env"));
    assert_eq!(import("wasi:cli/environment@0.2.3").wanted_by, ["reader"]);
    assert!(import("wasi:io/poll@0.2.3").needs_nothing());
}

#[test]
fn a_component_that_is_no_composition_has_itself_as_its_part() {
    let whole = asked(&keyvalue_guest());
    assert!(!whole.composition);
    assert_eq!(whole.parts.len(), 1);
    assert_eq!(whole.parts[0].reaches.len(), 3);
    assert!(whole.imports.iter().all(|asked| asked.wanted_by.is_empty()));
}

fn grown(old: &[u8], new: &[u8]) -> Growth {
    asked(new).grown_from(&asked(old))
}

#[test]
fn an_update_asks_for_more_where_the_whole_or_a_part_reaches_more() {
    let store = "wasi:keyvalue/store@0.2.0-draft2";
    let before = composed(store, true, None);
    assert!(!grown(&before, &before).is_any());
    // The stub is gone: the reader reaches what it did not, and so does the whole.
    let growth = grown(&before, &composed(store, false, None));
    assert_eq!(growth.imports.len(), 1);
    assert_eq!(growth.imports[0].import, "wasi:cli/environment@0.2.3");
    assert_eq!(growth.parts.len(), 1);
    assert_eq!((growth.parts[0].part.as_str(), growth.parts[0].new), ("reader", false));
    assert_eq!(growth.parts[0].reaches[0].ways, [["reader"]]);
    // The other way round nothing is asked for, and something no longer.
    let growth = grown(&composed(store, false, None), &before);
    assert!(!growth.is_any());
    assert_eq!(growth.no_longer, ["wasi:cli/environment@0.2.3"]);
    // What the whole asked for already can be new to a part.
    let growth =
        grown(&composed(store, true, None), &composed(store, true, Some("wasi:keyvalue/batch@0.2.0-draft2")));
    assert_eq!(growth.parts.len(), 1);
    assert_eq!(growth.parts[0].part, "reader");
}

#[test]
fn another_patch_release_asks_for_nothing_new_and_another_major_version_of_what_is_unknown_does() {
    let with = |extra: &str| composed("wasi:cli/stdin@0.2.3", true, Some(extra));
    assert!(!grown(&with("wasi:filesystem/types@0.2.3"), &with("wasi:filesystem/types@0.2.9")).is_any());
    assert!(!grown(&with("acme:bank/transfer@1.0.0"), &with("acme:bank/transfer@1.4.0")).is_any());
    assert!(grown(&with("acme:bank/transfer@1.0.0"), &with("acme:bank/transfer@2.0.0")).is_any());
    assert!(!grown(&with("wasi:io/streams@0.2.3"), &with("wasi:clocks/wall-clock@0.2.3")).is_any());
}

#[test]
fn the_command_says_what_is_needed() {
    let place = Place::new(&[
        (
            "closed.wasm",
            &composed("wasi:keyvalue/store@0.2.0-draft2", true, Some("acme:bank/transfer@1.0.0")),
        ),
        ("free.wasm", &wat::parse_str("(component)").unwrap()),
    ]);
    let (code, out, err) = place.run(&["grants", "closed.wasm"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        r#"closed.wasm: composition of 3 parts; it needs keyvalue

keyvalue
  wasi:keyvalue/store@0.2.0-draft2  for keeper
    --keyvalue redb:FILE  allows a store in that file, durable at every write
        host.toml: grants.keyvalue.store = "redb:FILE"
    --keyvalue memory  allows a store that is forgotten at the end
        host.toml: grants.keyvalue.store = "memory"
    --keyvalue-allow BUCKET[/PREFIX][:ro|:wo]  allows of the store, no more than that bucket, those keys, reading or writing
        host.toml: grants.keyvalue.bucket.BUCKET = { prefix = "PREFIX", mode = "read" }

cannot be granted
  acme:bank/transfer@1.0.0  for reader
      this host has no such interface; compose a component in that exports it

needs no grant, since it reaches nothing outside
  wasi:io/poll@0.2.3

parts
  reader-closed
    reaches nothing that needs a grant
  keeper
    wasi:keyvalue/store@0.2.0-draft2 by itself
  reader
    acme:bank/transfer@1.0.0 by itself
    wasi:keyvalue/store@0.2.0-draft2 through keeper
    wasi:cli/environment@0.2.3: closed when composing, reader-closed answers it
"#
    );
    assert_eq!(
        place.run(&["grants", "free.wasm"]),
        (0, "free.wasm: component; it needs no grant\n".into(), "".into())
    );
    let (code, out, _) = place.run(&["grants", "closed.wasm", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert_eq!(told["imports"][0]["ways"][0]["toml"], "grants.keyvalue.store = \"redb:FILE\"");
    assert_eq!(told["parts"][2]["reaches"][1]["ways"][0], serde_json::json!(["reader", "keeper"]));
    assert_eq!(told["parts"][2]["inside"][0]["by"], "reader-closed");
}

/// The guest of the store, and a file that grants some of it.
fn granted_by_file(toml: &str) -> Place {
    Place::new(&[("guest.wasm", &keyvalue_guest()), ("host.toml", toml.as_bytes())])
}

const SOME: &str = r#"
[grants.keyvalue]
store = "memory"
[grants.keyvalue.bucket.orders]
prefix = "2026-"
mode = "read"
[[grants.keyvalue.bucket.carts]]
mode = "write"
[[grants.keyvalue.bucket.carts]]
prefix = "open/"
"#;

#[test]
fn a_file_grants_buckets_by_prefix_and_mode_and_flags_add_to_it() {
    let place = granted_by_file(SOME);
    for (call, flags, answer) in [
        ("get(\"orders\", \"2026-1\")", &[][..], "0"),
        ("get(\"orders\", \"2025-1\")", &[], "2"),
        ("set(\"orders\", \"2026-1\")", &[], "2"),
        ("set(\"carts\", \"x\")", &[], "0"),
        ("get(\"carts\", \"x\")", &[], "2"),
        ("get(\"carts\", \"open/x\")", &[], "0"),
        ("get(\"other\", \"x\")", &[], "12"),
        ("get(\"other\", \"x\")", &["--keyvalue-allow", "other:ro"], "0"),
        ("get(\"orders\", \"2026-1\")", &["--keyvalue-allow", "other:ro"], "0"),
        ("set(\"orders\", \"2026-1\")", &["--keyvalue-allow", "orders/2026-:wo"], "0"),
    ] {
        let words = [&["call", "guest.wasm", call, "--config", "host.toml"], flags].concat();
        assert_eq!(place.run(&words), (0, format!("{answer}\n"), String::new()), "{call} with {flags:?}");
    }
    let nothing = granted_by_file("grants.keyvalue = { store = \"memory\", bucket = {} }");
    let call = ["call", "guest.wasm", "get(\"orders\", \"x\")", "--config", "host.toml"];
    assert_eq!(nothing.run(&call), (0, "12\n".into(), "".into()));
}

#[test]
fn the_command_says_what_grants_allow_and_whether_they_are_enough() {
    let place = granted_by_file(&format!("{SOME}[grants.env]\nKEY = \"s3cret\"\n"));
    let (code, out, err) = place.run(&["grants", "guest.wasm", "--config", "host.toml"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "guest.wasm: component; it needs keyvalue

keyvalue
  wasi:keyvalue/store@0.2.0-draft2
  wasi:keyvalue/atomics@0.2.0-draft2
  wasi:keyvalue/batch@0.2.0-draft2
    granted: a store that is forgotten at the end
             writing every key of the bucket \"carts\"
             reading and writing keys that begin with \"open/\" of the bucket \"carts\"
             reading keys that begin with \"2026-\" of the bucket \"orders\"

env is granted, and not needed: the variable KEY

what is granted is enough
"
    );
    let (code, out, _) =
        place.run(&["grants", "guest.wasm", "--env", "KEY=s3cret", "--http-out", "[::1]:80"]);
    assert_eq!(code, 4);
    assert!(out.contains("    not granted\n    --keyvalue redb:FILE  allows"), "{out}");
    assert!(out.contains("http-out is granted, and not needed: requests to [::1]:80\n"), "{out}");
    assert!(out.ends_with("it would be refused: 3 imports are not granted\n"), "{out}");
    assert!(!out.contains("s3cret"), "{out}");
    let (code, out, _) = place.run(&["grants", "guest.wasm", "--json", "--keyvalue", "redb:no.redb"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["missing"]), (0, &serde_json::json!([])));
    assert_eq!(told["allowed"]["keyvalue"][0], "the store in no.redb");
    // Saying what is granted opens nothing.
    assert!(!place.0.path().join("no.redb").exists());
}

/// A composition, and another one whose reader reaches more.
fn two_versions() -> Place {
    let store = "wasi:keyvalue/store@0.2.0-draft2";
    Place::new(&[("old.wasm", &composed(store, true, None)), ("new.wasm", &composed(store, false, None))])
}

#[test]
fn the_command_compares_two_versions_and_its_exit_code_says_which_it_is() {
    let place = two_versions();
    assert_eq!(
        place.run(&["grants", "--check", "old.wasm", "new.wasm"]),
        (
            4,
            "new.wasm: asks for more\n  new: wasi:cli/environment@0.2.3 (env)\n  reader now reaches\n    wasi:cli/environment@0.2.3 by itself\n".into(),
            String::new()
        )
    );
    assert_eq!(
        place.run(&["grants", "--check", "new.wasm", "old.wasm"]),
        (
            0,
            "old.wasm: asks for nothing more\n  no longer: wasi:cli/environment@0.2.3\n".into(),
            String::new()
        )
    );
    let (code, out, _) = place.run(&["grants", "--json", "--check", "old.wasm", "new.wasm"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["asks-for-more"]), (4, &true.into()));
    assert_eq!(told["parts"][0]["part"], "reader");
}

#[test]
fn compiled_code_tells_what_its_component_asks_for() {
    let place = two_versions();
    for name in ["old", "new"] {
        let (from, to) = (format!("{name}.wasm"), format!("{name}.cwasm"));
        assert_eq!(place.run(&["compile", &from, "-o", &to, "--key", "key"]).0, 0);
    }
    let (code, told, _) = place.run(&["grants", "new.wasm"]);
    let of_code = place.run(&["grants", "new.cwasm", "--key", "key"]);
    assert_eq!(of_code, (code, told.replace("new.wasm", "new.cwasm"), String::new()));
    let (code, told, _) = place.run(&["grants", "--check", "old.wasm", "new.wasm"]);
    let of_code = place.run(&["grants", "--check", "old.wasm", "new.cwasm", "--key", "key"]);
    assert_eq!(of_code, (code, told.replace("new.wasm", "new.cwasm"), String::new()));
    // Nobody vouches for what it says.
    assert_eq!(place.run(&["compile", "old.wasm", "-o", "other.cwasm", "--key", "other"]).0, 0);
    let (code, out, err) = place.run(&["grants", "new.cwasm", "--key", "other"]);
    assert_eq!((code, out.as_str()), (4, ""));
    assert!(err.starts_with("error: new.cwasm was refused: "), "{err}");
    let (code, out, err) = place.run(&["grants", "new.cwasm", "--key", "none"]);
    assert_eq!((code, out.as_str()), (6, ""), "{err}");
}

#[test]
fn files_that_say_nothing_are_told() {
    let place = Place::new(&[
        ("text.wasm", b"hello"),
        ("module.wasm", b"\0asm\x01\0\0\0"),
        ("cut.wasm", b"\0asm\x0d\0\x01\0\x04"),
        ("free.wasm", b"\0asm\x0d\0\x01\0"),
    ]);
    for (arguments, expected) in [
        (&["grants"][..], 2),
        (&["grants", "--check", "free.wasm"], 2),
        (&["grants", "free.wasm", "--check", "free.wasm", "free.wasm"], 2),
        (&["grants", "--check", "free.wasm", "free.wasm", "--stdio"], 2),
        (&["grants", "free.wasm", "--keyvalue-allow", "orders"], 2),
        (&["grants", "free.wasm", "--keyvalue-allow", ":ro"], 2),
        (&["grants", "free.wasm", "--config", "missing.toml"], 3),
        (&["grants", "missing.wasm"], 3),
        (&["grants", "text.wasm"], 3),
        (&["grants", "module.wasm"], 3),
        (&["grants", "cut.wasm"], 3),
        (&["grants", "--check", "free.wasm", "missing.wasm"], 3),
    ] {
        let (code, out, err) = place.run(arguments);
        assert_eq!((code, out.as_str()), (expected, ""), "{arguments:?}: {err}");
        assert!(err.starts_with("error: "), "{arguments:?}: {err}");
    }
}

/// Two imports of one interface, each with a name of its own.
fn labelled(second: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "main" (implements "wasi:keyvalue/store@0.2.0-draft2") (instance (export "f" (func))))
            (import "spare" (implements "{second}") (instance (export "f" (func)))))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn an_import_with_a_name_of_its_own_asks_for_the_interface_that_it_implements() {
    let other = "acme:bus/queue@1.0.0";
    let place = Place::new(&[("two.wasm", &labelled(other))]);
    let told = "  main: wasi:keyvalue/store@0.2.0-draft2
      this host has that interface, and gives it to an import of the interface's own name only; compose a component in that exports it
  spare: acme:bus/queue@1.0.0
      this host has no such interface; compose a component in that exports it
";
    let (code, out, err) = place.run(&["grants", "two.wasm"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(format!("{out}\n").ends_with(&format!("cannot be granted\n{told}\n")), "{out}");
    let (code, _, err) = place.run(&["run", "two.wasm", "--keyvalue", "memory"]);
    assert_eq!(code, 4);
    assert!(err.contains(&format!("it imports what was not granted\n{told}")), "{err}");
    // The same names for other interfaces are something new; the same interface under another name too.
    let same = "wasi:keyvalue/store@0.2.0-draft2";
    assert!(!grown(&labelled(same), &labelled(same)).is_any());
    let growth = grown(&labelled(other), &labelled(same));
    let asked: Vec<String> = growth.imports.iter().map(|asked| asked.shown()).collect();
    assert_eq!(asked, ["spare: wasi:keyvalue/store@0.2.0-draft2"]);
}
