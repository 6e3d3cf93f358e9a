//! Pairs against wac, which does the composing: it never accepts what the engine refuses, and where it refuses what
//! the engine accepts, the reason is one that `docs/upstream.md` has.

use compose::{Packages, compose};

use super::edit::{Pair, Side};
use super::{engine, lift, shrink, text, words_of};

const PAIRS: u64 = 400;

/// What wac says where it is stricter than the engine.
const KNOWN: [&str; 5] = [
    // Labels that differ in case only.
    "to be named",
    // One resource under two names.
    "expected resource",
    // Shared types of an interface without a package.
    "is from an interface without an identifier",
    // Resources in functions of a world.
    "no entry found for key",
    "!state.scopes.is_empty()",
];

#[derive(Debug, PartialEq)]
enum Answer {
    Agreed {
        fits: bool,
    },
    Known,
    /// The engine's words and wac's.
    Disagreed(Result<(), String>, Result<(), String>),
}

/// Nothing where an import has nobody who serves it: wac has nothing to say then.
fn ask(pair: &Pair) -> Option<Answer> {
    let (wanted, provided) = (pair.side(Side::Wanted), pair.side(Side::Provided));
    let mut arguments = Vec::new();
    for found in &wanted.externs {
        let serves = engine::serves(&provided, &found.name)?;
        arguments.push(format!("{:?}: plug[{serves:?}]", found.name.full()));
    }
    let text = format!(
        "package test:whole; let plug = new parts:plug {{}}; let socket = new parts:socket {{ {} }};",
        arguments.join(", ")
    );
    let parts = Packages::from([
        ("parts:plug".to_owned(), lift::plug(&provided)),
        ("parts:socket".to_owned(), super::encode::socket(&wanted)),
    ]);
    let wac = compose("whole.wac", &text, &parts).map(|_| ()).map_err(|error| words_of(&error));
    let engine = engine::verdict(&provided, &wanted);
    Some(match (&engine, &wac) {
        (Ok(()), Err(words)) if KNOWN.iter().any(|known| words.contains(known)) => Answer::Known,
        _ if engine.is_ok() == wac.is_ok() => Answer::Agreed { fits: engine.is_ok() },
        _ => Answer::Disagreed(engine, wac),
    })
}

#[test]
fn wac_is_stricter_than_the_engine_only_where_that_is_known() {
    let (mut fitting, mut apart) = (0, 0);
    for seed in 0..PAIRS {
        let pair = Pair::generate(seed);
        for edit in &pair.edits {
            let pair = pair.alone(edit);
            match ask(&pair) {
                Some(Answer::Agreed { fits: true }) => fitting += 1,
                Some(Answer::Agreed { fits: false }) => apart += 1,
                Some(Answer::Known) | None => {}
                Some(Answer::Disagreed(..)) => {
                    let small = shrink::shrink(pair, |pair| matches!(ask(pair), Some(Answer::Disagreed(..))));
                    let (wanted, provided) = (small.side(Side::Wanted), small.side(Side::Provided));
                    panic!(
                        "seed {seed}: {:?}\nWanted:\n{}\nProvided:\n{}",
                        ask(&small),
                        text::world(&wanted),
                        text::world(&provided)
                    );
                }
            }
        }
    }
    assert!(fitting > 100 && apart > 400, "{fitting} fit, {apart} do not");
}
