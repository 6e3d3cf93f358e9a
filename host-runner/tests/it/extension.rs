//! Interfaces that the host lacks, added through the library: the worked example, and extensions that fail.

#[path = "../../examples/wasi_config/config.rs"]
mod config;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use config::Config;
use host_runner::extension::{Extension, ExtensionError, State};
use host_runner::needs::needs;
use host_runner::wasmtime;
use host_runner::wasmtime::component::Linker;
use host_runner::{App, CallError, Engine, EngineOptions, LoadError, Setup, StartError, call};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// `greet` gives the setting `greeting`; `all` gives all of them.
fn greeter() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/config/wit/deps/wasi-config");
    resolve.push_dir(wit).unwrap();
    let world = "
        import wasi:config/store@0.2.0-rc.1;
        use wasi:config/store@0.2.0-rc.1.{error};
        export greet: func() -> result<option<string>, error>;
        export all: func() -> result<list<tuple<string, string>>, error>;";
    let text = format!("package test:greeter; world greeter {{ {world} }}");
    let package = resolve.push_str("greeter.wit", &text).unwrap();
    let world = resolve.select_world(&[package], Some("greeter")).unwrap();
    let module = r#"(module
        (import "wasi:config/store@0.2.0-rc.1" "get" (func $get (param i32 i32 i32)))
        (import "wasi:config/store@0.2.0-rc.1" "get-all" (func $all (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "greeting")
        (global $top (mut i32) (i32.const 1024))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (local.get 3))))
        (func (export "greet") (result i32)
            (call $get (i32.const 0) (i32.const 8) (i32.const 64)) (i32.const 64))
        (func (export "all") (result i32) (call $all (i32.const 64)) (i32.const 64)))"#;
    let mut module = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap();
    encoder.encode().unwrap()
}

fn load(bytes: &[u8], setup: Setup) -> Result<App, LoadError> {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    App::from_bytes(&engine, "guest.wasm", bytes, setup)
}

fn with<E: Extension>(extension: E) -> Setup {
    let mut setup = Setup::default();
    setup.extensions.add(extension);
    setup
}

fn settings(pairs: &[(&str, &str)]) -> Config {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::new(pairs.iter().map(owned).collect::<BTreeMap<_, _>>())
}

#[test]
fn without_the_extension_the_interface_is_not_there() {
    let error = load(&greeter(), Setup::default()).unwrap_err();
    assert!(matches!(error, LoadError::Refused(_)), "{error}");
    assert!(error.to_string().contains("wasi:config/store@0.2.0-rc.1"), "{error}");
}

#[tokio::test]
async fn a_guest_calls_what_the_extension_brings() {
    let app = load(&greeter(), with(settings(&[("greeting", "hello"), ("other", "x")]))).unwrap();
    assert_eq!(call(&app, "greet()").await.unwrap().text, "ok(some(\"hello\"))");
    assert_eq!(call(&app, "all()").await.unwrap().text, r#"ok([("greeting", "hello"), ("other", "x")])"#);
    let app = load(&greeter(), with(settings(&[]))).unwrap();
    assert_eq!(call(&app, "greet()").await.unwrap().text, "ok(none)");
}

#[tokio::test]
async fn one_more_of_the_same_type_takes_the_place_of_the_first() {
    let mut setup = with(settings(&[("greeting", "first")]));
    setup.extensions.add(settings(&[("greeting", "second")]));
    let app = load(&greeter(), setup).unwrap();
    assert_eq!(call(&app, "greet()").await.unwrap().text, "ok(some(\"second\"))");
}

#[test]
fn the_extension_is_among_the_grants_and_says_what_it_allows() {
    let told = needs(&greeter(), &with(settings(&[("a", "b")])).extensions).unwrap();
    assert_eq!(told.imports[0].import, "wasi:config/store@0.2.0-rc.1");
    assert_eq!(told.imports[0].grant, Some("extension"));
    assert_eq!(told.imports[0].extension.as_deref(), Some("reading 1 settings"));
    assert_eq!(told.imports[0].reason, None);
}

/// An extension by hand: counts the instances that were started and, in each, the calls.
struct Counting {
    interfaces: Vec<String>,
    started: Arc<AtomicU32>,
    fails: bool,
}

impl Extension for Counting {
    type Data = u32;

    fn interfaces(&self) -> Vec<String> {
        self.interfaces.clone()
    }

    fn allows(&self) -> String {
        "counting".to_owned()
    }

    fn add_to_linker(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        for interface in &self.interfaces {
            linker.instance(interface)?.func_wrap("count", |mut store, (): ()| {
                let state: &mut State = store.data_mut();
                let (count, table) = state.extension_and_table::<Self>();
                *count += 1;
                assert!(table.is_empty());
                Ok((*count,))
            })?;
        }
        Ok(())
    }

    fn start(&self) -> Result<u32, ExtensionError> {
        if self.fails {
            return Err("the counter is broken".into());
        }
        self.started.fetch_add(1, Ordering::Relaxed);
        Ok(0)
    }
}

fn counting(interfaces: &[&str], fails: bool) -> Counting {
    Counting {
        interfaces: interfaces.iter().map(|&name| name.to_owned()).collect(),
        started: Arc::default(),
        fails,
    }
}

fn counter(interface: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "{interface}" (instance $i (export "count" (func (result u32)))))
            (core func $count (canon lower (func $i "count")))
            (core module $m (import "" "count" (func $count (result i32)))
                (func (export "twice") (result i32) (drop (call $count)) (call $count)))
            (core instance $c (instantiate $m (with "" (instance (export "count" (func $count))))))
            (func (export "twice") (result u32) (canon lift (core func $c "twice"))))"#
    );
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn every_instance_has_data_of_its_own() {
    let extension = counting(&["test:count/i@1.2.0"], false);
    let started = Arc::clone(&extension.started);
    // A version that semver calls compatible is the same interface.
    let app = load(&counter("test:count/i@1.0.0"), with(extension)).unwrap();
    assert_eq!(call(&app, "twice()").await.unwrap().text, "2");
    assert_eq!(call(&app, "twice()").await.unwrap().text, "2");
    assert_eq!(started.load(Ordering::Relaxed), 2);
    let other = load(&counter("test:count/i@2.0.0"), with(counting(&["test:count/i@1.2.0"], false)));
    assert!(matches!(other.unwrap_err(), LoadError::Refused(_)));
}

#[tokio::test]
async fn an_extension_that_cannot_start_ends_the_instance_and_says_why() {
    let app = load(&counter("test:count/i@1.0.0"), with(counting(&["test:count/i@1.0.0"], true))).unwrap();
    let error = app.session().await.unwrap_err();
    let CallError::Start(StartError::Extension { interfaces, source }) = error else { panic!("{error}") };
    assert_eq!(
        (interfaces.as_str(), source.to_string().as_str()),
        ("test:count/i@1.0.0", "the counter is broken")
    );
}

#[test]
fn a_function_that_is_there_already_is_told() {
    let name = "test:count/i@1.0.0";
    let error = load(&counter(name), with(counting(&[name, name], false))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the extension for test:count/i@1.0.0, test:count/i@1.0.0 cannot be linked"
    );
}

#[tokio::test]
async fn an_extension_can_stand_for_an_interface_of_the_host_that_is_not_granted() {
    let name = "wasi:cli/environment@0.2.3";
    let app = load(&counter(name), with(counting(&[name], false))).unwrap();
    assert_eq!(call(&app, "twice()").await.unwrap().text, "2");
}
