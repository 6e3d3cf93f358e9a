//! What declares more than is compiled is found in time that depends on the bytes alone.

use anatomy::ReadError;
use anatomy::bounds::{BOUNDS, check};
use wasm_encoder::{
    CodeSection, Component, Function, FunctionSection, Module, ModuleSection, NestedComponentSection,
    TypeSection, ValType,
};

/// Components in components, each of which instantiates the one within it so many times.
fn nested(levels: u32, width: u32) -> Vec<u8> {
    let instances = "(instance (instantiate $c))".repeat(width as usize);
    let mut text = "(component $c (core module $m) (core instance (instantiate $m)))".to_owned();
    for _ in 0..levels {
        text = format!("(component $c {text} {instances})");
    }
    wat::parse_str(text).unwrap()
}

fn of_module(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    component.finish()
}

/// A module of so many functions, with so many variables and this much code each.
fn functions(count: u32, locals: u32, code: usize, parameters: usize) -> Vec<u8> {
    let (mut types, mut functions, mut bodies) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function(vec![ValType::I64; parameters], []);
    for _ in 0..count {
        functions.function(0);
        let mut body = Function::new([(locals, ValType::I64)]);
        body.raw(vec![0x01; code]);
        body.instructions().end();
        bodies.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&bodies);
    of_module(&module)
}

fn beyond(bytes: &[u8], factor: u32) -> Option<(&'static str, u64, u64)> {
    match check(bytes, factor) {
        Ok(()) => None,
        Err(error @ ReadError::Beyond { .. }) => {
            assert!(error.is_limit());
            let text = error.to_string();
            let ReadError::Beyond { name, count, limit, .. } = error else { unreachable!() };
            assert!(text.contains(name) && text.contains(&count.to_string()), "{text}");
            assert!(text.ends_with(&format!("is {limit}")), "{text}");
            Some((name, count, limit))
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn each_bound_is_named_with_its_count() {
    for (bytes, name, count) in [
        (nested(13, 2), "instances", 10_001),
        // A thousand million million.
        (nested(5, 1_000), "instances", 10_001),
        (functions(250_001, 0, 0, 0), "functions", 250_001),
        (functions(1, 0, 1 << 20, 0), "function body", (1 << 20) + 4),
        (functions(201, 50_000, 0, 0), "locals", 10_050_000),
        (functions(1, 0, 0, 257), "signature", 257),
    ] {
        let found = beyond(&bytes, 1).unwrap_or_else(|| panic!("{name} is not bounded"));
        assert_eq!((found.0, found.1), (name, count));
    }
}

#[test]
fn what_is_within_the_bounds_passes_and_a_factor_raises_them() {
    assert_eq!(beyond(&nested(11, 2), 1), None);
    assert_eq!(beyond(&functions(200, 50_000, 0, 256), 1), None);
    let wide = functions(1, 0, 0, 257);
    assert_eq!(beyond(&wide, 2), None);
    assert_eq!(beyond(&functions(1, 0, 0, 513), 2).map(|found| found.2), Some(512));
}

#[test]
fn sections_and_declarations_are_counted() {
    let mut many = Component::new();
    for _ in 0..100_000 {
        many.section(&wasm_encoder::CustomSection { name: "x".into(), data: (&[]).into() });
    }
    assert_eq!(beyond(&many.finish(), 1).map(|found| found.0), Some("sections"));
    let mut globals = wasm_encoder::GlobalSection::new();
    let ty = wasm_encoder::GlobalType { val_type: ValType::I32, mutable: false, shared: false };
    for _ in 0..500_001 {
        globals.global(ty, &wasm_encoder::ConstExpr::i32_const(0));
    }
    let mut module = Module::new();
    module.section(&globals);
    assert_eq!(beyond(&of_module(&module), 1).map(|found| found.0), Some("declarations"));
}

/// The parts of a composition are looked into as well, which the wiring leaves out; and so is a component that comes by way
/// of an argument.
#[test]
fn instances_within_parts_and_of_arguments_count() {
    let twice = |inner: &str| {
        format!(
            r#"(component $Twice
                (import "c" (component $c))
                (core module $m) (core instance (instantiate $m))
                (instance (instantiate $c)) (instance (instantiate $c)))
               (component $L0 {inner})"#
        )
    };
    let mut text = twice("(core module $m) (core instance (instantiate $m))");
    for level in 1..15 {
        let below = level - 1;
        text.push_str(&format!(
            r#"(component $L{level}
                (alias outer 1 $Twice (component $t)) (alias outer 1 $L{below} (component $b))
                (instance (instantiate $t (with "c" (component $b)))))"#
        ));
    }
    let bytes = wat::parse_str(format!("(component {text} (instance (instantiate $L14)))")).unwrap();
    assert_eq!(beyond(&bytes, 1).map(|found| found.0), Some("instances"));
}

/// A core module with so many types of functions with so many parameters.
fn types(count: u32, parameters: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    for _ in 0..count {
        types.ty().function(vec![ValType::I32; parameters], []);
    }
    let mut module = Module::new();
    module.section(&types);
    of_module(&module)
}

#[test]
fn types_are_bounded_by_their_number_and_by_what_is_in_them() {
    let cases = [
        (types(100_001, 0), ("types", 100_001, 100_000)),
        (types(4_000, 251), ("signatures", 1_000_235, 1_000_000)),
    ];
    for (bytes, passed) in cases {
        assert_eq!(beyond(&bytes, 1), Some(passed));
        assert_eq!(beyond(&bytes, 2), None);
    }
    assert_eq!(beyond(&types(100_000, 10), 1), None);
}

#[test]
fn components_within_components_are_bounded_by_depth() {
    let mut inner = Component::new();
    for _ in 0..100 {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&inner));
        inner = outer;
    }
    let error = check(&inner.finish(), 1_000).unwrap_err();
    assert!(error.is_limit() && matches!(error, ReadError::TooDeep { limit: 64, .. }), "{error}");
}

/// The page for operators lists them all.
#[test]
fn the_bounds_are_documented() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/threat-model.md");
    let page = std::fs::read_to_string(page).unwrap();
    for bound in BOUNDS {
        let digits = bound.most.to_string();
        let grouped: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap()).collect();
        let row = format!("| {} | {} | {} |", bound.name, grouped.join(","), bound.counts);
        assert!(page.contains(&row), "docs/threat-model.md lacks the row {row}");
    }
}
