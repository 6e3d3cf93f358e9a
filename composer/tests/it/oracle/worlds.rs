//! The tests' own tools: what is generated is valid, and the oracle says the same however it is asked.

use super::edit::{Pair, Side};
use super::model::World;
use super::{encode, engine, lift, text};

const PAIRS: u64 = 1000;

#[test]
fn generated_worlds_are_valid_on_both_sides_of_a_pair() {
    for seed in 0..PAIRS {
        let pair = Pair::generate(seed);
        for edited in pair.edits.iter().map(|edit| pair.alone(edit)).chain([pair.clone()]) {
            for world in [edited.side(Side::Wanted), edited.side(Side::Provided)] {
                for bytes in [encode::socket(&world), encode::plug(&world), lift::plug(&world)] {
                    engine::validate(&bytes, engine::all_features()).unwrap_or_else(|words| {
                        panic!("seed {seed}: {words}\n{:#?}\n{}", edited.edits, text::world(&world))
                    });
                }
            }
        }
    }
}

#[test]
fn a_world_fits_itself() {
    for seed in 0..PAIRS {
        let Pair { base, .. } = Pair::generate(seed);
        engine::verdict(&base, &base)
            .unwrap_or_else(|words| panic!("seed {seed}: {words}\n{}", text::world(&base)));
    }
}

/// Types alone, whole components, and with the features that engines have on by default: one verdict.
#[test]
fn the_oracle_does_not_depend_on_how_it_is_asked() {
    let mut compared = 0;
    for seed in 0..PAIRS {
        let pair = Pair::generate(seed);
        let (wanted, provided) = (pair.side(Side::Wanted), pair.side(Side::Provided));
        let context = || format!("seed {seed}\n{}\n{}", text::world(&wanted), text::world(&provided));
        let verdict = engine::verdict(&provided, &wanted);
        let (plug, socket) = (lift::plug(&provided), encode::socket(&wanted));
        let of_components = engine::verdict_of_components(&plug, &socket, &provided, &wanted);
        assert_eq!(verdict.is_ok(), of_components.is_ok(), "{verdict:?}, {of_components:?} {}", context());
        let by_default = |world: &World| !world.is_beyond_default();
        if let (Ok(bytes), true) =
            (engine::pair(&provided, &wanted), by_default(&wanted) && by_default(&provided))
        {
            let again = engine::validate(&bytes, engine::default_features());
            assert_eq!(verdict.is_ok(), again.is_ok(), "{verdict:?}, {again:?} {}", context());
            compared += 1;
        }
    }
    assert!(compared > PAIRS / 10, "{compared} of them need no more than the default");
}
