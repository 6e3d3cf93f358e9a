//! Whatever the text, composing ends with a composition or an error.

use crate::common::{answers, doubles};
use compose::wire::{Decision, Part, Place, Request, find};
use compose::{Packages, compose, references};
use composer::bindgen::{self, BindgenError};
use composer::{manifest, scaffold};
use contract::Contracts;
use proptest::prelude::*;

const WHOLE: &str = "/// Doc.
package example:whole@1.0.0;
import host: func(a: list<string>) -> result<u32, string>;
interface i { use example:other/types.{t}; record r { a: u8 } f: func(r: r) -> option<tuple<u8, r>>; }
let source = new parts:source {};
let doubler = new parts:doubler { answer: source[\"answer\"], ... };
export (doubler)[\"doubled\"] as \"other-name\";
export source...;
";

/// Pieces that mean something to the language, to be put anywhere.
const PIECES: [&str; 24] = [
    "new parts:source {}",
    "...",
    "let",
    "export",
    "import",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "[\"answer\"]",
    ";",
    ":",
    "source",
    "parts:doubler",
    "@1.0.0",
    "targets",
    "/*",
    "\"",
    "world w { include parts:source/x; }",
    "resource",
    "as",
    "list<",
];

fn packages() -> Packages {
    Packages::from([("parts:source".to_owned(), answers(21)), ("parts:doubler".to_owned(), doubles())])
}

fn attempt(text: &str) {
    let _ = references("text.wac", text);
    let _ = compose("text.wac", text, &packages()).map_err(|error| error.to_string());
}

fn contracts(text: &str) -> Contracts {
    Contracts::parse("text.wit", text).expect("the test's own WIT parses")
}

#[test]
fn what_the_generator_of_c_gives_up_on_is_said_before() {
    let refused = |world: &str| {
        let contracts = contracts(&format!("package a:b; {world}"));
        let error = bindgen::c(&contracts, "w").expect_err("the generator cannot take it");
        assert!(!matches!(error, BindgenError::Crash(_)), "{error}");
        error.to_string()
    };
    let said = "no C bindings for the world `a:b/w`: it";
    let list = refused("world w { export f: func() -> list<u8, 4>; }");
    assert_eq!(list, format!("{said} uses a list of fixed length, which the generator cannot take"));
    let context =
        refused("world w { import i: interface { record r { a: error-context } f: func(a: list<r>); } }");
    assert_eq!(context, format!("{said} uses an error context, which the generator cannot take"));

    let many: String = (0..2000).map(|index| format!("enum e{index} {{ a }} ")).collect();
    let many = refused(&format!("interface i {{ {many} }} world w {{ import i; }}"));
    assert_eq!(many, format!("{said} has more than 1,500 types, which the generator cannot take"));
}

#[test]
fn types_that_grow_when_they_are_written_out_are_refused() {
    let types: String =
        (0..16).map(|index| format!("type t{} = tuple<t{index}, t{index}>; ", index + 1)).collect();
    let contracts = contracts(&format!(
        "package a:b; interface i {{ type t0 = u8; {types} f: func() -> t16; }} world w {{ export i; }}"
    ));
    let said = "there is no code for the world `a:b/w`: written out, its functions have";
    let error = bindgen::c(&contracts, "w").expect_err("2^16 types");
    assert!(error.to_string().starts_with(said), "{error}");
    let part = scaffold::Part {
        name: "it",
        language: manifest::Language::Python,
        world: "w",
        wit: "../wit",
        cargo: None,
    };
    let error = scaffold::scaffold(&contracts, &part).expect_err("2^16 types");
    assert!(error.to_string().starts_with(said), "{error}");
}

#[test]
fn types_that_no_engine_takes_are_refused() {
    let nested = |depth: usize| {
        let types: String =
            (0..depth).map(|index| format!("type t{} = list<t{index}>; ", index + 1)).collect();
        Contracts::parse("text.wit", &format!("package a:b; interface i {{ type t0 = u8; {types} }}"))
    };
    assert!(nested(40).is_ok());
    let error = nested(2000).expect_err("2000 lists");
    assert!(error.to_string().contains("nests others more than 100 deep"), "{error}");
}

#[test]
fn all_of_wasi_is_within_the_limits() {
    let contracts = Contracts::load(|resolve, _| {
        resolve.push_path(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit"))?;
        let wasi = resolve.packages.iter().filter(|(_, package)| package.name.namespace == "wasi");
        let interfaces = wasi.flat_map(|(_, package)| package.interfaces.values());
        let names = interfaces.filter_map(|&interface| resolve.id_of(interface));
        let all: String = names.map(|name| format!("import {name}; ")).collect();
        resolve.push_source("all.wit", &format!("package test:all; world all {{ {all} }}"))
    })
    .expect("the repository's own contracts are in order");
    let files = bindgen::c(&contracts, "all").expect("they are within the limits");
    assert_eq!(files.len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,80}") {
        attempt(&text);
    }

    #[test]
    fn pieces_put_anywhere(
        pieces in proptest::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len(), any::<bool>()), 1..5),
    ) {
        let mut text = WHOLE.to_owned();
        for (place, piece, cut) in pieces {
            let place = place.index(text.len());
            let place = (0..=place).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            if cut {
                text.truncate(place);
            }
            text.insert_str(place, PIECES[piece]);
        }
        attempt(&text);
    }

    #[test]
    fn damaged_parts(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut packages = packages();
        let part = packages.get_mut("parts:doubler").expect("it was put there");
        let place = place.index(part.len());
        part[place] = byte;
        let text = "package a:b; let d = new parts:doubler { ... }; export d...;";
        let _ = compose("text.wac", text, &packages).map_err(|error| error.to_string());
        let parts = packages.into_iter().map(|(name, bytes)| Part::new(name.trim_start_matches("parts:"), bytes));
        let request = Request { parts: parts.collect(), ..Request::default() };
        let _ = find(&request).map_err(|error| error.to_string());
    }

    #[test]
    fn any_flag(text in "[a-z.=:/@0-9-]{0,30}|\\PC{0,20}") {
        let _ = text.parse::<Place>().map(|place| place.to_string());
        if let Ok(decision) = text.parse::<Decision>() {
            prop_assert_eq!(decision.to_string().parse::<Decision>(), Ok(decision));
        }
    }
}
