//! Stubs: for every interface of WASI, that they fit, what they answer, and what cannot be closed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use crate::common::{answers, component, composer, directory, said, shell};
use anatomy::Source;
use compose::deny::{Answer, DenyError, Pattern, Stub, Used, deny, is_stub, table};
use compose::{Packages, compose};
use proptest::prelude::*;
use wasmparser::{Operator, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, Type, TypeDefKind, WasmImport, WorldItem};

const NAMES: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// The contracts of WASI that are in this repository.
fn wasi() -> Resolve {
    let mut resolve = Resolve::default();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_path(directory).expect("the repository's own contracts can be read");
    resolve
}

/// The names of all interfaces of WASI.
fn interfaces(resolve: &Resolve) -> Vec<String> {
    let packages = resolve.packages.iter().filter(|(_, package)| package.name.namespace == "wasi");
    packages
        .flat_map(|(_, package)| package.interfaces.values())
        .map(|&interface| resolve.id_of(interface).expect("it belongs to a package"))
        .collect()
}

/// A part that calls every function of its world's imports, which `world` lists in WIT, and exports `run`.
fn part(mut resolve: Resolve, world: &str) -> Vec<u8> {
    let text = format!("package test:part; world part {{ {world} export run: func(); }}");
    let package = resolve.push_source("part.wit", &text).expect("the test's own WIT parses");
    let world = resolve.select_world(&[package], Some("part")).expect("it is there");
    let mut wat = "(module\n".to_owned();
    for (key, item) in &resolve.worlds[world].imports {
        let (interface, functions): (_, Vec<_>) = match item {
            WorldItem::Interface { id, .. } => {
                (Some(key), resolve.interfaces[*id].functions.values().collect())
            }
            WorldItem::Function(function) => (None, vec![function]),
            WorldItem::Type { .. } => continue,
        };
        for func in functions {
            let (module, name) = resolve.wasm_import_name(NAMES, WasmImport::Func { interface, func });
            let signature = resolve.wasm_signature(AbiVariant::GuestImport, func);
            let (parameters, results) = (core(&signature.params), core(&signature.results));
            writeln!(wat, "(import {module:?} {name:?} (func (param {parameters}) (result {results})))")
                .expect("a string takes all");
        }
    }
    wat.push_str(
        r#"(memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "run")))"#,
    );
    let mut module = component(&wat);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the world can be embedded");
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).merge_imports_based_on_semver(false).module(&module).expect("it is a module");
    encoder.encode().expect("it fits its world")
}

fn core(types: &[WasmType]) -> String {
    let name = |ty: &WasmType| match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        _ => "i32",
    };
    types.iter().map(name).collect::<Vec<_>>().join(" ")
}

fn importing(names: &[String]) -> Vec<u8> {
    let world: String = names.iter().map(|name| format!("import {name}; ")).collect();
    part(wasi(), &world)
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().expect("it is a pattern")).collect()
}

fn close(part: &[u8], what: &[&str]) -> Stub {
    deny(part, &patterns(what))
        .unwrap_or_else(|error| panic!("{what:?}: {error}: {:?}", std::error::Error::source(&error)))
}

/// Composes a part with its stub, as a text would, and gives back which of the part's imports reach the host.
fn reached(part: &[u8], stub: &Stub) -> BTreeSet<String> {
    let text = "package test:whole;
        let closed = new parts:closed { ... };
        let part = new parts:part { ...closed, ... };
        export part[\"run\"];";
    let packages = Packages::from([
        ("parts:closed".to_owned(), stub.component.clone()),
        ("parts:part".to_owned(), part.to_vec()),
    ]);
    let whole = compose("whole.wac", text, &packages).unwrap_or_else(|error| panic!("{error}"));
    let found = anatomy::read(&whole).expect("it is a component");
    let index = found.parts.iter().position(|part| part.name == "part").expect("it is in there");
    found
        .edges
        .iter()
        .filter(|edge| edge.part == index && matches!(edge.from, Source::Host { .. }))
        .map(|edge| edge.import.clone())
        .collect()
}

fn answer<'a>(stub: &'a Stub, interface: &str, function: &str) -> &'a Answer {
    let closed = stub.closed.iter().find(|closed| closed.name == interface).expect("it is closed");
    let function = closed.functions.iter().find(|answered| answered.name == function);
    &function.unwrap_or_else(|| panic!("there is no such function in {interface}")).answer
}

#[test]
fn what_is_not_imported_cannot_be_closed_and_what_is_imported_is_said() {
    let part = importing(&["wasi:random/random@0.2.12".to_owned()]);
    for absent in ["wasi:sockets/*", "wasi:random/insecure", "wasi:random/random@0.2.0", "random"] {
        match deny(&part, &patterns(&["wasi:random/random", absent])) {
            Err(DenyError::NoSuchImport { pattern, imports }) => {
                assert_eq!(pattern.to_string(), absent);
                assert_eq!(imports, ["wasi:random/random@0.2.12"]);
            }
            other => panic!("{absent}: {other:?}"),
        }
    }
}

#[test]
fn what_stays_open_and_uses_types_of_what_is_closed_is_named() {
    let part = importing(&[
        "wasi:cli/stdout@0.2.12".to_owned(),
        "wasi:filesystem/preopens@0.2.12".to_owned(),
        "wasi:io/streams@0.2.12".to_owned(),
    ]);
    let Err(DenyError::Used(used)) = deny(&part, &patterns(&["wasi:io/streams"])) else {
        panic!("stdout cannot do without streams");
    };
    let streams = vec!["wasi:io/streams@0.2.12".to_owned()];
    let by = |name: &str| Used { by: name.to_owned(), export: false, types_of: streams.clone() };
    assert_eq!(used, [by("wasi:cli/stdout@0.2.12"), by("wasi:filesystem/types@0.2.12")]);
    // With them it can be, and each of them by itself.
    close(&part, &["wasi:io/streams", "wasi:cli/stdout", "wasi:filesystem/*"]);
    close(&part, &["wasi:cli/stdout"]);
}

#[test]
fn what_an_export_needs_cannot_be_closed() {
    let world = "import wasi:io/streams@0.2.12; export wasi:cli/stdout@0.2.12; ";
    let text = format!("package test:part; world part {{ {world} }}");
    let mut resolve = wasi();
    let package = resolve.push_source("part.wit", &text).expect("the test's own WIT parses");
    let world = resolve.select_world(&[package], Some("part")).expect("it is there");
    let mut module = component(
        r#"(module
            (import "wasi:io/streams@0.2.12" "[method]output-stream.check-write" (func (param i32 i32)))
            (memory (export "memory") 1)
            (func (export "wasi:cli/stdout@0.2.12#get-stdout") (result i32) unreachable))"#,
    );
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the world can be embedded");
    let mut encoder = ComponentEncoder::default();
    let part = encoder.module(&module).expect("it is a module").encode().expect("it fits its world");
    let Err(DenyError::Used(used)) = deny(&part, &patterns(&["wasi:io/streams"])) else {
        panic!("its export cannot do without streams");
    };
    assert_eq!(used.len(), 1);
    assert!(used[0].export);
    assert_eq!(used[0].by, "wasi:cli/stdout@0.2.12");
}

#[test]
fn no_pattern_stands_for_everything_or_for_nothing() {
    for wrong in [
        "",
        "*",
        "wasi:*",
        "wasi:sockets",
        "wasi:/tcp",
        "wasi:sockets/tcp@x",
        "a/b",
        "a:b/c/d",
        "f@1.0.0",
        "ö",
    ] {
        assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
    }
    for right in ["wasi:sockets/*", "wasi:sockets/*@0.2.10", "wasi:keyvalue/store@0.2.0-draft2", "answer"] {
        assert_eq!(right.parse::<Pattern>().expect(right).to_string(), right);
    }
    let tcp: Pattern = "wasi:sockets/tcp".parse().expect("a pattern");
    assert!(tcp.matches("wasi:sockets/tcp@0.2.0") && !tcp.matches("wasi:sockets/tcp-create-socket@0.2.0"));
    let all: Pattern = "wasi:sockets/*@0.2.1".parse().expect("a pattern");
    assert!(all.matches("wasi:sockets/udp@0.2.1") && !all.matches("wasi:sockets/udp@0.2.10"));
    assert!(!all.matches("wasi:sockets-more/udp@0.2.1"));
}

#[test]
fn what_is_no_part_is_no_part() {
    let patterns = patterns(&["wasi:io/*"]);
    let read = |bytes: &[u8]| deny(bytes, &patterns);
    assert!(matches!(read(b"(component)"), Err(DenyError::Read(_))));
    assert!(matches!(read(&component("(module)")), Err(DenyError::Read(_))));
    let invalid = component(r#"(component (type (enum "twice" "twice")))"#);
    assert!(matches!(read(&invalid), Err(DenyError::Invalid(_))));
    let resolve = wasi();
    let (package, _) =
        resolve.packages.iter().find(|(_, package)| package.name.name == "io").expect("it is there");
    let package = wit_component::encode(&resolve, package).expect("it can be encoded");
    assert!(matches!(read(&package), Err(DenyError::Package)));
}

#[test]
fn types_that_belong_to_no_interface_are_refused_by_name() {
    let part = component(
        r#"(component
            (import "thing" (type $thing (sub resource)))
            (import "take" (func (param "thing" (own $thing))))
            (import "tell" (func (result string))))"#,
    );
    match deny(&part, &patterns(&["take"])) {
        Err(DenyError::Loose(name)) => assert_eq!(name, "take"),
        other => panic!("{other:?}"),
    }
    assert_eq!(*answer(&close(&part, &["tell"]), "tell", "tell"), Answer::Trap);
}

#[test]
fn every_interface_of_wasi_is_closed_by_itself() {
    let resolve = wasi();
    let mut types_alone = BTreeSet::new();
    for name in interfaces(&resolve) {
        let part = importing(std::slice::from_ref(&name));
        let imported = anatomy::read(&part).expect("it is a component").imports;
        if !imported.contains(&name) {
            // Types alone are not imported unless somebody uses them.
            types_alone.insert(name);
            continue;
        }
        let stub = close(&part, &[&name]);
        assert_eq!(stub.closed.len(), 1);
        assert_eq!(anatomy::read(&stub.component).expect("a component").exports, std::slice::from_ref(&name));
        let open: BTreeSet<String> = imported.into_iter().filter(|import| *import != name).collect();
        assert!(stub.types_from.iter().all(|lender| open.contains(lender)), "{name}: {:?}", stub.types_from);
        assert_eq!(reached(&part, &stub), open, "{name}");
    }
    let expected = ["cli/terminal-input", "cli/terminal-output", "sockets/network"];
    assert_eq!(types_alone, expected.map(|name| format!("wasi:{name}@0.2.12")).into());
}

#[test]
fn all_of_wasi_is_closed_at_once() {
    let resolve = wasi();
    let part = importing(&interfaces(&resolve));
    let packages: BTreeSet<String> = interfaces(&resolve)
        .iter()
        .map(|name| format!("{}/*", name.split('/').next().expect("there is a first")))
        .collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let stub = close(&part, &packages);
    assert_eq!(stub.types_from, [""; 0]);
    assert_eq!(reached(&part, &stub), BTreeSet::new());
    // The rule, once more: every `result` is refused in its package's own words, and nothing else but what the table
    // has is answered.
    let listed: BTreeMap<String, String> = table().collect();
    for closed in &stub.closed {
        let (_, id) = resolve
            .interfaces
            .iter()
            .map(|(id, _)| (resolve.id_of(id).unwrap_or_default(), id))
            .find(|(name, _)| *name == closed.name)
            .expect("it is one of them");
        let functions = &resolve.interfaces[id].functions;
        assert_eq!(closed.functions.len(), functions.len(), "{}", closed.name);
        for answered in &closed.functions {
            let place = format!("{}#{}", closed.name, answered.name);
            let error = functions[&answered.name].result.and_then(|result| error_of(&resolve, result));
            let without_version =
                format!("{}#{}", closed.name.split('@').next().unwrap_or_default(), answered.name);
            match (error, &answered.answer) {
                (Some(None), answer) => assert_eq!(*answer, Answer::Err, "{place}"),
                (Some(Some(error)), answer) => {
                    let case = match (
                        closed.name.split(':').nth(1).and_then(|rest| rest.split('/').next()),
                        error.as_str(),
                    ) {
                        (Some("filesystem"), "error-code") => "access",
                        (Some("http"), "error-code") => "HTTP-request-denied",
                        (Some("http"), "header-error") => "forbidden",
                        (Some("io"), "stream-error") => "closed",
                        (Some("keyvalue"), "error") | (Some("sockets"), "error-code") => "access-denied",
                        (Some("keyvalue"), "cas-error") => "store-error.access-denied",
                        other => panic!("{place}: {other:?} is new"),
                    };
                    assert_eq!(*answer, Answer::Error(case.to_owned()), "{place}");
                }
                (None, Answer::Trap) => assert!(!listed.contains_key(&without_version), "{place}"),
                (None, answer) => {
                    assert_eq!(listed.get(&without_version), Some(&answer.to_string()), "{place}")
                }
            }
        }
    }
}

/// For a `result` the name of its error type, if it has one.
fn error_of(resolve: &Resolve, ty: Type) -> Option<Option<String>> {
    let Type::Id(id) = ty else { return None };
    let TypeDefKind::Result(result) = &resolve.types[id].kind else { return None };
    Some(result.err.map(|error| match error {
        Type::Id(id) => resolve.types[id].name.clone().expect("errors of WASI have names"),
        other => panic!("{other:?} has none"),
    }))
}

#[test]
fn a_stream_is_handed_out_closed_where_streams_are_closed_too() {
    let names = ["wasi:cli/stdin@0.2.12", "wasi:cli/stdout@0.2.12", "wasi:sockets/instance-network@0.2.12"];
    let part = importing(&names.map(str::to_owned));
    let alone = close(&part, &["wasi:cli/*", "wasi:sockets/instance-network"]);
    assert_eq!(*answer(&alone, "wasi:cli/stdout@0.2.12", "get-stdout"), Answer::Trap);
    assert_eq!(*answer(&alone, "wasi:sockets/instance-network@0.2.12", "instance-network"), Answer::Trap);
    let both = close(&part, &["wasi:cli/*", "wasi:io/streams", "wasi:sockets/*"]);
    assert_eq!(*answer(&both, "wasi:cli/stdin@0.2.12", "get-stdin"), Answer::Handle);
    assert_eq!(*answer(&both, "wasi:cli/stdout@0.2.12", "get-stdout"), Answer::Handle);
    assert_eq!(*answer(&both, "wasi:sockets/instance-network@0.2.12", "instance-network"), Answer::Handle);
    reached(&part, &both);
}

#[test]
fn anybodys_errors_are_refused_in_their_own_words_or_not_at_all() {
    let world = "
        import mail: interface {
            enum refused { full, forbidden, access-denied }
            variant also { full, denied(string), access }
            variant loaded { access-denied(u32) }
            record code { number: u32 }
            resource box;
            a: func(text: string) -> result<u32, refused>;
            b: func() -> result<_, also>;
            c: func() -> result<_, loaded>;
            d: func() -> result<_, code>;
            e: func() -> result<u64, string>;
            f: func() -> result<list<string>>;
            g: func() -> list<string>;
            h: func() -> option<u8>;
            i: func();
            j: func(boxes: list<borrow<box>>) -> result;
            k: func(boxes: list<box>) -> result;
            l: func(one: option<box>, other: result<tuple<u64, box>, f64>) -> result;
            m: func() -> list<u8>;
        }";
    let part = part(Resolve::default(), world);
    let stub = close(&part, &["mail"]);
    let error = |case: &str| Answer::Error(case.to_owned());
    let expected = [
        ("a", error("access-denied")),
        ("b", error("access")),
        ("c", Answer::Trap),
        ("d", Answer::Trap),
        ("e", Answer::Trap),
        ("f", Answer::Err),
        ("g", Answer::Trap),
        ("h", Answer::Trap),
        ("i", Answer::Trap),
        // Borrowed of the stub's own: nothing to drop. Owned, in memory: it cannot be dropped.
        ("j", Answer::Err),
        ("k", Answer::Trap),
        ("l", Answer::Err),
        ("m", Answer::Trap),
    ];
    for (function, expected) in expected {
        assert_eq!(*answer(&stub, "mail", function), expected, "{function}");
    }
    assert_eq!(reached(&part, &stub), BTreeSet::new());
}

#[test]
fn versions_stay_as_the_part_has_them() {
    let old = "package test:old;
        package wasi:random@0.2.3 { interface random { get-random-u64: func() -> u64; } }";
    let mut resolve = wasi();
    resolve.push_source("old.wit", old).expect("the test's own WIT parses");
    let part = part(resolve, "import wasi:random/random@0.2.3; import wasi:random/random@0.2.12; ");
    let names = ["wasi:random/random@0.2.3", "wasi:random/random@0.2.12"];
    let exports = |what: &str| anatomy::read(&close(&part, &[what]).component).expect("a component").exports;
    assert_eq!(exports("wasi:random/*"), names);
    assert_eq!(exports(names[0]), [names[0]]);
    assert_eq!(exports(names[1]), [names[1]]);
}

#[test]
fn the_same_gives_the_same_bytes_in_any_order() {
    let part = importing(&interfaces(&wasi()));
    let one = close(&part, &["wasi:sockets/*", "wasi:http/*", "wasi:filesystem/*"]);
    let other = close(&part, &["wasi:filesystem/*", "wasi:sockets/*", "wasi:http/*", "wasi:sockets/tcp"]);
    assert!(one.component == other.component);
}

/// Where a function of a stub's core module points to, and what is there.
fn written(stub: &Stub, function: &str) -> Vec<u8> {
    let (mut imported, mut index, mut bodies, mut memory) = (0, None, Vec::new(), vec![0; 1 << 16]);
    for payload in Parser::new(0).parse_all(&stub.component) {
        match payload.expect("it was validated") {
            Payload::ModuleSection { .. } if index.is_none() => (imported, bodies) = (0, Vec::new()),
            Payload::ImportSection(section) if index.is_none() => imported = section.into_imports().count(),
            Payload::ExportSection(section) => {
                let mut exports = section.into_iter().map(|export| export.expect("it was validated"));
                index = index.or(exports
                    .find(|export| export.name == function)
                    .map(|export| export.index as usize - imported));
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            Payload::DataSection(section) => {
                for data in section {
                    let data = data.expect("it was validated");
                    let wasmparser::DataKind::Active { offset_expr, .. } = data.kind else {
                        panic!("no place")
                    };
                    let mut offset = offset_expr.get_operators_reader();
                    let Ok(Operator::I32Const { value }) = offset.read() else { panic!("no constant") };
                    memory[value as usize..][..data.data.len()].copy_from_slice(data.data);
                }
            }
            _ => {}
        }
    }
    let body = &bodies[index.expect("it is exported")];
    let operators = body.get_operators_reader().expect("it was validated").into_iter();
    let constants = operators.filter_map(|operator| match operator.expect("it was validated") {
        Operator::I32Const { value } => Some(value),
        _ => None,
    });
    let place = constants.last().expect("it returns a constant") as usize;
    memory.split_off(place)
}

#[test]
fn answers_are_written_as_the_canonical_abi_wants_them() {
    let resolve = wasi();
    let part = importing(&interfaces(&resolve));
    let stub = close(
        &part,
        &[
            "wasi:filesystem/*",
            "wasi:sockets/*",
            "wasi:http/*",
            "wasi:keyvalue/*",
            "wasi:cli/*",
            "wasi:io/*",
            "wasi:clocks/*",
        ],
    );
    let begins = |function: &str, expected: &[u8]| {
        assert_eq!(&written(&stub, function)[..expected.len()], expected, "{function}");
    };
    // `err`, then the place of the case where the payload begins: at 4 beside a handle, at 1 beside nothing else, at 8
    // where a case of the error holds 64 bits.
    begins("wasi:sockets/tcp-create-socket@0.2.12#create-tcp-socket", &[1, 0, 0, 0, 1]);
    begins("wasi:sockets/tcp@0.2.12#[method]tcp-socket.start-bind", &[1, 1]);
    begins("wasi:filesystem/types@0.2.12#[method]descriptor.open-at", &[1, 0, 0, 0, 0]);
    begins("wasi:http/outgoing-handler@0.2.12#handle", &[1, 0, 0, 0, 0, 0, 0, 0, 15]);
    begins("wasi:io/streams@0.2.12#[method]output-stream.check-write", &[1, 0, 0, 0, 0, 0, 0, 0, 1]);
    // Of a case within a case.
    begins("wasi:keyvalue/atomics@0.2.0-draft2#swap", &[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    begins("wasi:cli/environment@0.2.12#get-environment", &[0; 8]);
    begins("wasi:cli/environment@0.2.12#initial-cwd", &[0; 12]);
}

#[test]
fn the_page_has_the_table() {
    let page = include_str!("../../../docs/close-what-a-part-does-not-need.md");
    for (what, answer) in table() {
        let row = format!("| `{what}` | `{answer}` |");
        assert!(page.contains(&row), "the page lacks this row:\n{row}");
    }
}

#[test]
fn the_command_says_what_would_be_answered_or_writes_the_stub() {
    let directory = tempfile::tempdir().expect("a directory");
    let part = importing(&[
        "wasi:sockets/ip-name-lookup@0.2.12".to_owned(),
        "wasi:cli/environment@0.2.12".to_owned(),
    ]);
    std::fs::write(directory.path().join("part.wasm"), &part).expect("a file");
    let told = composer(directory.path(), &["deny", "part.wasm", "wasi:cli/environment"]);
    assert_eq!(
        String::from_utf8_lossy(&told.stdout),
        "wasi:cli/environment@0.2.12\n    get-environment  []\n    get-arguments    []\n    initial-cwd      none\n"
    );
    let json = composer(directory.path(), &["deny", "part.wasm", "wasi:sockets/ip-name-lookup", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("it is JSON");
    assert_eq!(json["closed"][0]["interface"], "wasi:sockets/ip-name-lookup@0.2.12");
    assert!(json["types-from"].as_array().expect("a list").contains(&"wasi:sockets/network@0.2.12".into()));

    let words = ["deny", "part.wasm", "wasi:cli/environment", "-o", "stub.wasm"];
    assert_eq!(said(directory.path(), &words), (0, String::new()));
    let stub = std::fs::read(directory.path().join("stub.wasm")).expect("it was written");
    assert_eq!(stub, close(&part, &["wasi:cli/environment"]).component);
}

#[test]
fn the_command_names_the_way_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let part = importing(&["wasi:sockets/tcp@0.2.12".to_owned()]);
    std::fs::write(directory.path().join("part.wasm"), part).expect("a file");
    std::fs::write(directory.path().join("bare.wasm"), answers(1)).expect("a file");
    std::fs::write(directory.path().join("core.wasm"), component("(module)")).expect("a file");
    let (code, words) = said(directory.path(), &["deny", "part.wasm", "wasi:sockets/network"]);
    assert_eq!(code, 1);
    assert!(
        words.contains("its import `wasi:sockets/tcp@0.2.12` uses types of `wasi:sockets/network@0.2.12`"),
        "{words}"
    );
    assert!(
        words.contains("close `wasi:sockets/tcp@0.2.12` too, or leave `wasi:sockets/network@0.2.12` open"),
        "{words}"
    );
    let (code, words) = said(directory.path(), &["deny", "part.wasm", "wasi:random/*"]);
    assert!(code == 1 && words.contains("`wasi:sockets/tcp@0.2.12`"), "{words}");
    let (code, words) = said(directory.path(), &["deny", "bare.wasm", "wasi:random/*"]);
    assert!(code == 1 && words.contains("none of its imports is an interface or a function"), "{words}");
    assert_eq!(said(directory.path(), &["deny", "core.wasm", "wasi:random/*"]).0, 3);
    assert_eq!(said(directory.path(), &["deny", "absent.wasm", "wasi:random/*"]).0, 3);
    assert_eq!(said(directory.path(), &["deny", "part.wasm", "everything at all"]).0, 2);
    assert_eq!(said(directory.path(), &["deny", "part.wasm"]).0, 2);
}

/// A part that imports randomness and passes it on as `roll`.
fn dice() -> Vec<u8> {
    component(
        r#"(component
            (import "wasi:random/random@0.2.12" (instance $random (export "get-random-u64" (func (result u64)))))
            (core func $lowered (canon lower (func $random "get-random-u64")))
            (core module $m
                (import "" "get" (func $get (result i64)))
                (func (export "f") (result i64) call $get))
            (core instance $i (instantiate $m (with "" (instance (export "get" (func $lowered))))))
            (func (export "roll") (result u64) (canon lift (core func $i "f"))))"#,
    )
}

#[test]
fn in_a_bag_what_is_denied_to_one_part_is_closed_for_that_part_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let guest = importing(
        &["wasi:random/random@0.2.12", "wasi:cli/environment@0.2.12", "wasi:cli/stdout@0.2.12"]
            .map(str::to_owned),
    );
    std::fs::write(directory.path().join("guest.wasm"), &guest).expect("a file");
    std::fs::write(directory.path().join("dice.wasm"), dice()).expect("a file");
    let deny = ["--deny", "guest=wasi:random/*", "--deny", "guest=wasi:cli/*"];
    let composed = |inputs: &[&str], product: &str| {
        let words =
            [&["compose"] as &[&str], inputs, &deny, &["-o", product, "--emit-wac", "whole.wac"]].concat();
        let output = composer(directory.path(), &words);
        let wrote = "wrote whole.wac\nwrote whole.contract.wit\nwrote guest-closed.wasm\n";
        assert_eq!(String::from_utf8_lossy(&output.stderr), wrote);
        let command = String::from_utf8(output.stdout).expect("text");
        (std::fs::read(directory.path().join(product)).expect("it was written"), command)
    };
    let (whole, command) = composed(&["guest.wasm", "dice.wasm"], "whole.wasm");
    assert!(
        composed(&["dice.wasm", "guest.wasm"], "other.wasm") == (whole.clone(), command.clone()),
        "the order of the inputs tells"
    );

    let found = anatomy::read(&whole).expect("a component");
    let from = |part: &str, import: &str| {
        let edge =
            found.edges.iter().find(|edge| found.parts[edge.part].name == part && edge.import == import);
        match &edge.unwrap_or_else(|| panic!("{part} does not import {import}")).from {
            Source::Part { part, .. } => found.parts[*part].name.clone(),
            Source::Host { .. } => "the host".to_owned(),
        }
    };
    assert_eq!(from("guest", "wasi:random/random@0.2.12"), "guest-closed");
    assert_eq!(from("guest", "wasi:cli/environment@0.2.12"), "guest-closed");
    assert_eq!(from("guest", "wasi:cli/stdout@0.2.12"), "guest-closed");
    assert_eq!(from("guest", "wasi:io/streams@0.2.12"), "the host");
    assert_eq!(from("dice", "wasi:random/random@0.2.12"), "the host");
    assert!(found.imports.iter().all(|import| !import.starts_with("wasi:cli/")), "{:?}", found.imports);
    assert_eq!(BTreeSet::from_iter(&found.exports), BTreeSet::from([&"roll".to_owned(), &"run".to_owned()]));

    // The text says the same, with the stub as a file: the one that `composer deny` makes.
    let stub = ["deny", "guest.wasm", "wasi:cli/*", "wasi:random/*", "-o", "stub.wasm"];
    assert_eq!(said(directory.path(), &stub), (0, String::new()));
    let read = |name: &str| std::fs::read(directory.path().join(name)).expect("it was written");
    assert!(read("guest-closed.wasm") == read("stub.wasm"));
    assert!(command.contains(" -d parts:guest-closed=guest-closed.wasm "), "{command}");
    assert_eq!(shell(directory.path(), &command), (0, String::new()));
    assert!(read("again.wasm") == whole);
}

#[test]
fn a_stub_takes_nothing_in_and_nobodys_place() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    std::fs::create_dir(at.join("parts")).expect("a directory");
    let guest = importing(&["wasi:random/random@0.2.12".to_owned()]);
    std::fs::write(at.join("parts/guest.wasm"), &guest).expect("a file");
    std::fs::write(at.join("parts/dice.wasm"), dice()).expect("a file");
    let deny = ["compose", "--deny", "guest=wasi:random/*"];
    let compose = |more: &[&str]| composer(at, &[&deny[..], more].concat());
    // The text goes into the directory of the parts: the stub beside it is no part the next time.
    let words = ["parts", "-o", "whole.wasm", "--emit-wac", "parts/whole.wac"];
    let first = compose(&words);
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let whole = std::fs::read(at.join("whole.wasm")).expect("it was written");
    assert!(at.join("parts/guest-closed.wasm").exists());
    assert_eq!(compose(&words).stdout, first.stdout);
    assert!(std::fs::read(at.join("whole.wasm")).expect("it was written") == whole);

    // Where a part, or the composition, has the name of the file already, nothing is written.
    std::fs::rename(at.join("parts/dice.wasm"), at.join("guest-closed.wasm")).expect("it is there");
    let taken = ["parts/guest.wasm", "dice=guest-closed.wasm", "--emit-wac", "whole.wac"];
    let (code, words) = said(at, &[&deny[..], &taken].concat());
    assert_eq!(code, 2);
    assert!(words.contains("`guest-closed.wasm` is an input, and would be overwritten"), "{words}");
    assert!(std::fs::read(at.join("guest-closed.wasm")).expect("it is there") == dice());
    std::fs::remove_file(at.join("guest-closed.wasm")).expect("it is there");
    let both = ["parts/guest.wasm", "-o", "./guest-closed.wasm", "--emit-wac", "whole.wac"];
    let (code, words) = said(at, &[&deny[..], &both].concat());
    assert_eq!(code, 2);
    assert!(words.contains("would be written twice"), "{words}");
    assert!(!at.join("whole.wac").exists() && !at.join("guest-closed.wasm").exists());

    // On standard output there is no place beside the text.
    let piped = compose(&["parts/guest.wasm", "--emit-wac", "-"]);
    let words = String::from_utf8(piped.stderr).expect("text");
    assert!(words.contains("note: the stub `parts:guest-closed` is written nowhere"), "{words}");
    assert!(!at.join("guest-closed.wasm").exists());
}

#[test]
fn a_stub_is_known_by_what_it_is_and_not_by_its_name() {
    let guest = importing(&["wasi:random/random@0.2.12".to_owned()]);
    let directory = directory(&[("parts/guest.wasm", &guest), ("parts/guest-closed.wasm", &dice())]);
    let at = directory.path();
    let read = |name: &str| std::fs::read(at.join(name)).expect("it is there");
    let deny = ["compose", "--deny", "guest=wasi:random/*", "-o", "whole.wasm"];
    let compose = |more: &[&str]| {
        let output = composer(at, &[&deny[..], more].concat());
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    };

    // A part that has the name of a stub is a part, with a text as without one, and keeps its file.
    assert_eq!(compose(&["parts"]), (0, String::new()));
    let whole = read("whole.wasm");
    let emit = ["parts", "--emit-wac", "parts/whole.wac"];
    let wrote = "wrote parts/whole.wac\nwrote parts/whole.contract.wit\nwrote parts/guest-closed-too.wasm\n";
    assert_eq!(compose(&emit), (0, wrote.to_owned()));
    assert!(read("whole.wasm") == whole && read("parts/guest-closed.wasm") == dice());
    let found = anatomy::read(&whole).expect("a component");
    let mut parts: Vec<&str> = found.parts.iter().map(|part| part.name.as_str()).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["guest", "guest-closed", "guest-closed-too"]);

    // A stub that lies in a directory is no part: it is made anew, or stays where it is.
    let left = "note: `parts/guest-closed-too.wasm` is left out: it is a stub that `--deny` or `composer deny` made\n";
    assert_eq!(compose(&emit), (0, format!("{left}{wrote}")));
    assert!(read("whole.wasm") == whole);
    assert_eq!(said(at, &["compose", "parts", "-o", "open.wasm"]), (0, left.to_owned()));

    // No other file gives way to a stub, though it is no input.
    std::fs::rename(at.join("parts/guest-closed.wasm"), at.join("guest-closed.wasm")).expect("it is there");
    let elsewhere = ["parts/guest.wasm", "--emit-wac", "whole.wac"];
    let refused = "  × `guest-closed.wasm` is no stub, and would be overwritten by one\n  help: a stub goes beside its text: write \
                   that to another directory, or give the file another name\n";
    assert_eq!(compose(&elsewhere), (2, refused.to_owned()));
    assert!(read("guest-closed.wasm") == dice() && !at.join("whole.wac").exists());
    std::fs::rename(at.join("parts/guest-closed-too.wasm"), at.join("guest-closed.wasm"))
        .expect("it is there");
    assert_eq!(compose(&elsewhere).0, 0);
}

#[test]
fn what_has_a_stub_inside_is_none() {
    let stub = close(&importing(&["wasi:random/random@0.2.12".to_owned()]), &["wasi:random/*"]).component;
    assert!(is_stub(&stub));
    assert!(!is_stub(&dice()) && !is_stub(b"") && !is_stub(&stub[..stub.len() / 2]));
    let mut outer = wasm_encoder::Component::new();
    outer.section(&wasm_encoder::RawSection {
        id: wasm_encoder::ComponentSectionId::Component.into(),
        data: &stub,
    });
    assert!(!is_stub(&outer.finish()));
}

#[test]
fn what_cannot_be_denied_in_a_bag_is_said_before_anything_is_written() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("guest.wasm"), importing(&["wasi:sockets/tcp@0.2.12".to_owned()]))
        .expect("a file");
    std::fs::write(directory.path().join("whole.wac"), "package a:b;").expect("a file");
    let attempt = |input: &str, deny: &str| {
        let (code, words) = said(directory.path(), &["compose", input, "--deny", deny, "-o", "whole.wasm"]);
        assert!(!directory.path().join("whole.wasm").exists());
        (code, words)
    };
    let (code, words) = attempt("guest.wasm", "guest=wasi:sockets/network");
    assert!(code == 1 && words.contains("its import `wasi:sockets/tcp@0.2.12` uses types of"), "{words}");
    let (code, words) = attempt("guest.wasm", "guest=wasi:random/*");
    assert!(code == 1 && words.contains("it imports nothing that `wasi:random/*` stands for"), "{words}");
    let (code, words) = attempt("guest.wasm", "gest=wasi:sockets/*");
    assert!(code == 2 && words.contains("the parts are `guest`"), "{words}");
    assert_eq!(attempt("guest.wasm", "wasi:sockets/*").0, 2);
    let (code, words) = attempt("whole.wac", "guest=wasi:sockets/*");
    assert!(code == 2 && words.contains("composer deny PART.wasm IFACE -o STUB.wasm"), "{words}");
}

#[test]
fn names_of_any_length_are_listed() {
    let directory = tempfile::tempdir().expect("a directory");
    let long = "n".repeat(70_000);
    let text =
        format!(r#"(component (import "a:b/i" (instance (export "{long}" (func)) (export "f" (func)))))"#);
    std::fs::write(directory.path().join("part.wasm"), component(&text)).expect("a file");
    let output = composer(directory.path(), &["deny", "part.wasm", "a:b/i"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(
        shown.contains(&format!("    {long}  ")) && shown.lines().nth(2).is_some_and(|line| line.len() < 300)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_parts(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut part = component(
            r#"(component
                (import "test:a/b@1.0.0" (instance $b
                    (export "r" (type (sub resource)))
                    (type (variant (case "access") (case "other" string)))
                    (export "e" (type $e (eq 1)))
                    (export "f" (func (param "r" (borrow 0)) (result (result (own 0) (error $e)))))))
                (alias export $b "r" (type $r))
                (import "test:a/c@1.0.0" (instance
                    (alias outer 1 $r (type $outer))
                    (export "s" (type $s (eq $outer)))
                    (export "g" (func (param "x" (option (own $s))) (result (result)))))))"#,
        );
        for (place, byte) in changes {
            let place = place.index(part.len());
            part[place] = byte;
        }
        for what in [&["test:a/*"] as &[&str], &["test:a/c"], &["test:a/b"]] {
            let _ = deny(&part, &patterns(what)).map_err(|error| error.to_string());
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_not(text in "\\PC{0,30}") {
        if let Ok(pattern) = text.parse::<Pattern>() {
            prop_assert_eq!(pattern.to_string(), text.clone());
            let _ = pattern.matches(&text);
        }
    }
}
