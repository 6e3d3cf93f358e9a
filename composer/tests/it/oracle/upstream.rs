//! Where the libraries below disagree with each other or with themselves: each as the smallest text that shows
//! it. `docs/upstream.md` has them in words.
//!
//! A test here fails when the behaviour changes: then the page loses a section, and whatever works around it goes.

use compose::{ComposeErrorKind, Packages, compose};

use super::engine::{all_features, validate};
use super::words_of;

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).expect("the test's own text parses")
}

/// The kind of a type's text, and the text with a name in it.
fn named(ty: &str) -> (&'static str, String) {
    let kind = if ty.starts_with("(func") { "func" } else { "instance" };
    (kind, ty.replacen(kind, &format!("{kind} $it"), 1))
}

/// What the engine says when an import of the first type is given to a component that wants the second.
fn engine(provided: &str, wanted: &str) -> Result<(), String> {
    let (kind, named) = named(provided);
    let text = format!(
        r#"(import "it" {named}) (component $c (import "it" {wanted}))
           (instance (instantiate $c (with "it" ({kind} $it))))"#
    );
    validate(&component(&text), all_features())
}

/// What wac says when a component that exports the first type is wired to one that imports the second.
fn wac(provided: &str, wanted: &str) -> Result<Vec<u8>, String> {
    let (kind, named) = named(provided);
    let plug = component(&format!(r#"(import "behind" {named}) (export "it" ({kind} $it))"#));
    let socket = component(&format!(r#"(import "it" {wanted})"#));
    composed(
        "let plug = new parts:plug { ... }; let socket = new parts:socket { it: plug.it };",
        [("parts:plug", plug), ("parts:socket", socket)],
    )
}

fn composed<const N: usize>(text: &str, parts: [(&str, Vec<u8>); N]) -> Result<Vec<u8>, String> {
    let parts: Packages = parts.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    compose("whole.wac", &format!("package test:whole; {text}"), &parts).map_err(|error| match &error.kind {
        // In the library's own words.
        ComposeErrorKind::Resolve(reason, _) => words_of(&**reason),
        _ => words_of(&error),
    })
}

#[test]
fn the_validator_says_some_things_the_wrong_way_round() {
    let (sync, concurrent) = ("(func (result u8))", "(func async (result u8))");
    let words = engine(sync, concurrent).expect_err("they differ");
    assert!(words.contains("expected sync function, found async function"), "{words}");

    let words = engine("(func (result u8))", "(func)").expect_err("they differ");
    assert!(words.contains("expected a result, found none"), "{words}");
    let words = engine("(func)", "(func (result u8))").expect_err("they differ");
    assert!(words.contains("expected no result, found one"), "{words}");
    // Others are the right way round.
    let words = engine(r#"(func (param "a" u8))"#, "(func)").expect_err("they differ");
    assert!(words.contains("expected 0 parameters, found 1"), "{words}");
}

#[test]
fn the_validator_does_not_tell_the_case_of_labels_apart_and_wac_does() {
    let pairs = [
        (r#"(func (param "name" u8))"#, r#"(func (param "NAME" u8))"#),
        (
            r#"(instance (type $t (record (field "name" u8))) (export "t" (type (eq $t))))"#,
            r#"(instance (type $t (record (field "NAME" u8))) (export "t" (type (eq $t))))"#,
        ),
        (
            r#"(instance (type $t (enum "name")) (export "t" (type (eq $t))))"#,
            r#"(instance (type $t (enum "NAME")) (export "t" (type (eq $t))))"#,
        ),
    ];
    for (provided, wanted) in pairs {
        engine(provided, wanted).expect("the engine takes them for the same");
        wac(provided, wanted).expect_err("wac does not");
    }
    // The names of exports are compared letter by letter.
    let (provided, wanted) = (r#"(instance (export "f" (func)))"#, r#"(instance (export "F" (func)))"#);
    engine(provided, wanted).expect_err("the engine tells these apart");
    wac(provided, wanted).expect_err("so does wac");
}

#[test]
fn wac_compares_resources_by_name() {
    // One resource under two names is more than is wanted: whoever asks for two may be given one twice.
    let provided = r#"(instance (export "a" (type $a (sub resource))) (export "b" (type (eq $a))))"#;
    let wanted = r#"(instance (export "a" (type (sub resource))) (export "b" (type (sub resource))))"#;
    engine(provided, wanted).expect("the engine accepts it");
    let words = wac(provided, wanted).expect_err("wac does not");
    assert!(words.contains("expected resource `b`, found resource `a`"), "{words}");
}

/// A resource of its own in a component's `api`, and one of another component in `types`, which the consumer takes
/// for the same: wac finds nothing to object to, and only notices that what it wrote is not valid.
#[test]
fn wac_finds_two_resources_out_too_late() {
    let types = r#"(export "r" (type $r (sub resource)))"#;
    let provider = component(&format!(
        r#"(import "behind" (instance $i {types})) (export "test:a/types" (instance $i))"#
    ));
    let user = component(&format!(
        r#"(import "beside" (instance $i {types} (type $own (own $r)) (export "f" (func (param "r" $own)))))
           (export "test:a/api" (instance $i))"#
    ));
    let consumer = component(&format!(
        r#"(import "test:a/types" (instance $types {types})) (alias export $types "r" (type $r))
           (import "test:a/api" (instance
               (alias outer 1 $r (type $outer)) (export "r" (type $r (eq $outer)))
               (type $own (own $r)) (export "f" (func (param "r" $own)))))"#
    ));
    let text = r#"let provider = new parts:provider { ... }; let user = new parts:user { ... };
        let consumer = new parts:consumer {
            "test:a/types": provider["test:a/types"], "test:a/api": user["test:a/api"]
        };"#;
    let parts = [("parts:provider", provider), ("parts:user", user), ("parts:consumer", consumer)];
    let words = composed(text, parts).expect_err("it is not valid");
    assert!(words.contains("resource types are not the same (ResourceId"), "{words}");
}

/// What the library says that composes, of a part whose imports are all left to the host.
fn left_open(part: Vec<u8>) -> String {
    let document = wac_parser::Document::parse("package test:whole; let part = new parts:part { ... };")
        .expect("the test's own text parses");
    let key = wac_graph::types::BorrowedPackageKey::from_name_and_version("parts:part", None);
    let resolution = document.resolve([(key, part)].into_iter().collect()).expect("it resolves");
    panicked(|| resolution.encode(wac_graph::EncodeOptions::default()).is_ok())
}

/// A function of a world may take a resource of an imported interface.
#[test]
fn wac_gives_up_on_resources_in_functions_of_a_world() {
    let world = r#"(import "test:a/types" (instance $types (export "r" (type (sub resource)))))
        (alias export $types "r" (type $r))"#;
    for (handle, place) in [("own", "no entry found for key"), ("borrow", "assertion failed")] {
        let taking = format!(r#"{world} (type $h ({handle} $r)) (import "f" (func (param "r" (list $h))))"#);
        let part = component(&taking);
        validate(&part, all_features()).expect("it is valid");
        let words = left_open(part);
        assert!(words.contains(place), "{words}");
    }
}

/// An instance may have modules and components in it.
#[test]
fn wac_gives_up_on_modules_and_components_in_instances() {
    for item in ["(core module)", "(component)"] {
        let part = component(&format!(r#"(import "a" (instance (export "v" {item})))"#));
        validate(&part, all_features()).expect("it is valid");
        let words = left_open(part);
        assert!(words.contains("expected only types, functions, and instance types"), "{words}");
    }
}

/// A type that is exported for itself has a new name from then on, and what is exported after it has to go by that.
#[test]
fn wac_exports_functions_by_the_old_names_of_their_types() {
    let part = component(
        r#"(type $kind (enum "a")) (export $named "kind" (type $kind))
           (import "f" (func $f (param "k" u8)))
           (core module $m (func (export "k") (param i32)))
           (core instance $i (instantiate $m))
           (func $g (param "k" $named) (canon lift (core func $i "k")))
           (export "g" (func $g))"#,
    );
    validate(&part, all_features()).expect("it is valid");
    let document = wac_parser::Document::parse(
        "package test:whole; let part = new parts:part { ... }; export part.kind; export part.g;",
    )
    .expect("the test's own text parses");
    let key = wac_graph::types::BorrowedPackageKey::from_name_and_version("parts:part", None);
    let resolution = document.resolve([(key, part)].into_iter().collect()).expect("it resolves");
    let error = resolution.encode(wac_graph::EncodeOptions::default()).expect_err("it is not valid");
    assert!(words_of(&error).contains("func not valid to be used as export"), "{error}");
}

/// An interface without a package may be used from as well as any.
#[test]
fn wac_cannot_leave_open_what_uses_a_type_of_an_interface_without_a_package() {
    let part = component(
        r#"(import "plain" (instance $plain (type $t (enum "a")) (export "t" (type (eq $t)))))
           (alias export $plain "t" (type $t))
           (import "test:a/user" (instance (alias outer 1 $t (type $outer)) (export "t" (type (eq $outer)))))"#,
    );
    validate(&part, all_features()).expect("it is valid");
    let words =
        composed("let part = new parts:part { ... };", [("parts:part", part)]).expect_err("it is refused");
    assert!(words.contains("is from an interface without an identifier"), "{words}");
}

/// What a library says when it gives up on its input.
fn panicked<T>(work: impl FnOnce() -> T) -> String {
    let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) else {
        return "it did not".to_owned();
    };
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned()
}

#[test]
fn the_wit_parser_panics_on_an_empty_comment() {
    let parse = |text: &str| wit_parser::Resolve::default().push_source("a.wit", text).map(|_| ());
    let words = panicked(|| parse("package a:b; /**/ interface i {}"));
    assert!(words.contains("`Option::unwrap()` on a `None` value"), "{words}");
    parse("package a:b; /* */ interface i {}").expect("with a blank in it all is well");
}

#[test]
fn the_wit_parser_panics_on_a_function_with_the_name_of_an_interface() {
    let bytes = component(r#"(import "a:b/c" (func))"#);
    validate(&bytes, all_features()).expect("the engine accepts it");
    let words = panicked(|| wit_component::decode(&bytes));
    assert!(words.contains("unreachable"), "{words}");
}

#[test]
fn the_generator_of_c_panics_on_what_it_does_not_know() {
    for ty in ["list<u8, 4>", "error-context"] {
        let words = panicked(|| {
            let mut resolve = wit_parser::Resolve::default();
            let text = format!("package a:b; world w {{ import f: func(a: {ty}); }}");
            let package = resolve.push_source("a.wit", &text).expect("it is WIT");
            let world = resolve.select_world(&[package], None).expect("there is one");
            let mut files = wit_bindgen_core::Files::default();
            wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)
        });
        assert!(words.contains("not yet implemented") || words.contains("not implemented"), "{ty}: {words}");
    }
}

#[test]
fn the_wit_parser_copies_what_worlds_include_without_a_limit() {
    let each =
        |index: usize| format!("world w{} {{ include w{index}; import g{index}: func(); }}", index + 1);
    let text = format!("package a:b; world w0 {{}} {}", (0..200).map(each).collect::<String>());
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_source("a.wit", &text).expect("it is WIT");
    let items: usize = resolve.worlds.iter().map(|(_, world)| world.imports.len()).sum();
    assert_eq!(items, 200 * 201 / 2);
}

#[test]
fn the_wit_parser_goes_by_the_first_use_of_a_type() {
    let base = "package a:base { interface t { record r { a: u8 } } }";
    let open = "interface open { use a:base/t.{r}; }";
    let gated = "@unstable(feature = x) interface gated { @unstable(feature = x) use a:base/t.{r}; }";
    let parse = |text: &str| wit_parser::Resolve::default().push_source("a.wit", text).map(|_| ());
    parse(&format!("package a:b; {open} {gated} {base}")).expect("the one without a feature comes first");
    let error = parse(&format!("package a:b; {gated} {open} {base}")).expect_err("the other way round");
    assert!(error.to_string().contains("excluded due to its feature"), "{error}");
}

#[test]
fn the_wit_parser_takes_a_packages_own_name_for_a_cycle() {
    let parse = |text: &str| wit_parser::Resolve::default().push_source("a.wit", text).map(|_| ());
    let error = parse("package a:b; interface i {} world w { export a:b/i; }").expect_err("it names itself");
    assert!(error.to_string().contains("dependency cycle"), "{error}");
    parse("package a:b; interface i {} world w { export i; }").expect("without its name");
}
