//! Whatever the text, composing ends with a composition or an error.

mod common;

use common::{answers, doubles};
use composer::compose::{Packages, compose, references};
use composer::wire::{Decision, Part, Place, Request, find};
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
