//! Compositions of many parts: the same as the libraries make them by themselves, refused for the same reasons, and made
//! with an effort that grows no worse than linearly.

use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::{component, part};
use compose::wire::{MOST_INSTANCES, Part, Request, find, packages};
use compose::{ComposeErrorKind, Packages, compose};
use indexmap::IndexMap;
use miette::Diagnostic;
use rusty_fork::rusty_fork_test;
use wac_graph::EncodeOptions;
use wac_graph::types::BorrowedPackageKey;
use wac_parser::Document;
use wasmparser::{Parser, Payload};

/// Counts the bytes that are asked for.
struct Counting;

static ASKED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all that is done is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller keeps what this method asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps what this method asks for.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(size.saturating_sub(layout.size()), Relaxed);
        // SAFETY: the caller keeps what this method asks for.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn step(index: usize) -> String {
    format!("t:i/n{index:03}")
}

/// A chain: each part needs the one before it.
fn chain(count: usize) -> Request {
    let part = |index: usize| {
        let imports: Vec<String> = index.checked_sub(1).map(step).into_iter().collect();
        Part::new(format!("p{index}"), part(&imports, &step(index), None))
    };
    Request { parts: (0..count).map(part).collect(), ..Request::default() }
}

/// A fan: one part needs all others.
fn fan(count: usize) -> Request {
    let plugs: Vec<String> = (1..count).map(step).collect();
    let mut parts: Vec<Part> =
        (1..count).map(|index| Part::new(format!("p{index}"), part(&[], &step(index), None))).collect();
    parts.push(Part::new("socket", part(&plugs, "t:i/socket", None)));
    Request { parts, ..Request::default() }
}

/// One part with a resource, and many that take and give it.
fn resources(count: usize) -> Request {
    let source = r#"(component
        (type $r (resource (rep i32)))
        (instance $types (export "r" (type $r)))
        (export "t:i/types" (instance $types)))"#;
    let user = |index: usize| {
        component(&format!(
            r#"(component
                (import "t:i/types" (instance $types (export "r" (type (sub resource)))))
                (alias export $types "r" (type $r))
                (core func $drop (canon resource.drop $r))
                (core module $m
                    (import "" "drop" (func $drop (param i32)))
                    (func (export "f") (param i32) (result i32) local.get 0)
                    (func (export "g") (param i32) local.get 0 call $drop))
                (core instance $m (instantiate $m (with "" (instance (export "drop" (func $drop))))))
                (func $f (param "r" (own $r)) (result (own $r)) (canon lift (core func $m "f")))
                (func $g (param "r" (own $r)) (canon lift (core func $m "g")))
                (instance $out (export "f" (func $f)) (export "g" (func $g)))
                (export "{}" (instance $out)))"#,
            step(index)
        ))
    };
    let mut parts = vec![Part::new("source", component(source))];
    parts.extend((0..count).map(|index| Part::new(format!("p{index}"), user(index))));
    Request { parts, ..Request::default() }
}

/// The text that is found for a bag, and its packages.
fn text(request: Request) -> (String, Packages) {
    let text = find(&request).expect("it fits together").text("whole", None);
    (text, packages(request.parts))
}

/// The composition as the libraries make it when they are given the parts themselves, or why they refuse.
fn stock(text: &str, packages: &Packages) -> Result<Vec<u8>, String> {
    let given: IndexMap<_, _> = packages
        .iter()
        .map(|(name, bytes)| (BorrowedPackageKey::from_name_and_version(name, None), bytes.clone()))
        .collect();
    let document = Document::parse(text).expect("the text parses");
    document
        .resolve(given)
        .expect("it resolves")
        .encode(EncodeOptions::default())
        .map_err(|error| reason(&error))
}

fn reason(error: &dyn Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// The sections of a component, apart from custom ones.
fn sections(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.expect("a component");
        match &payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
        if let Some((id, range)) = payload.as_section().filter(|(id, _)| depth == 1 && *id != 0) {
            found.push((id, &bytes[range.start as usize..range.end as usize]));
        }
    }
    found
}

#[test]
fn many_parts_compose_to_what_the_libraries_make_of_them() {
    for request in [chain(60), fan(60), resources(60), chain(3), resources(3)] {
        let (text, packages) = text(request);
        let whole = compose("whole.wac", &text, &packages).expect("it composes");
        let other = stock(&text, &packages).expect("it composes");
        assert_eq!(sections(&whole), sections(&other));
    }
}

#[test]
fn an_invalid_part_among_many_is_refused_as_the_validator_does() {
    for count in [2, 60] {
        let mut request = chain(count);
        // Nothing but a look at the function's body tells that it leaves no result.
        request.parts[1].bytes = component(
            r#"(component
                (import "t:i/n000" (instance (export "f" (func (result u32)))))
                (core module $m (func (export "g") (result i32)))
                (core instance $m (instantiate $m))
                (func $g (result u32) (canon lift (core func $m "g")))
                (instance $out (export "f" (func $g)))
                (export "t:i/n001" (instance $out)))"#,
        );
        let (text, packages) = text(request);
        let error = compose("whole.wac", &text, &packages).expect_err("it is not valid");
        let said = reason(&error);
        assert!(said.contains("type mismatch: expected i32 but nothing on stack (at offset 0x"), "{said}");
        assert_eq!(said, stock(&text, &packages).expect_err("it is not valid"));
    }
}

#[test]
fn a_text_with_more_instances_than_engines_take_is_refused_with_the_limit_and_the_count() {
    let parts = 520;
    let chain = chain(parts);
    let mut text = "package t:whole;\n".to_owned();
    for index in 0..parts {
        let from = index.checked_sub(1).map(|from| format!("\"{0}\": p{from}[\"{0}\"]", step(from)));
        text.push_str(&format!("let p{index} = new parts:p{index} {{ {} }};\n", from.unwrap_or_default()));
    }
    text.push_str(&format!("export p519[\"{}\"];\n", step(519)));
    let error = compose("whole.wac", &text, &packages(chain.parts)).expect_err("no engine takes it");
    assert!(matches!(error.kind, ComposeErrorKind::TooMany { instances: 1041, parts: 520 }), "{error}");
    assert_eq!(MOST_INSTANCES, 1000);
    assert_eq!(
        error.to_string(),
        "the composition would have 1041 instances in one component, where engines take at most 1000: it has 520 parts, and \
         an interface counts where it is taken from a part, from the host, and where it is exported"
    );
    assert!(error.help().is_some());
}

/// What it takes to wire and compose, in bytes of memory that are asked for over the whole time.
fn effort(request: Request) -> usize {
    let before = ASKED.load(Relaxed);
    let (text, packages) = text(request);
    compose("whole.wac", &text, &packages).expect("it composes");
    ASKED.load(Relaxed) - before
}

// In a process of its own: what is counted is of the whole process.
rusty_fork_test! {
    #[test]
    fn the_effort_for_many_parts_grows_no_worse_than_linearly() {
        for shape in [chain, fan] {
            let [small, middle, large] = [120, 240, 480].map(|count| effort(shape(count)));
            let (first, second) = (middle - small, large - middle);
            // Twice as many more parts, twice as much more; and a tenth for buffers that grow by doubling.
            assert!(second * 10 <= first * 22, "{small}, {middle}, {large} bytes");
        }
    }
}
