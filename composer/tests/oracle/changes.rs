//! Old and new worlds: `diff` says that somebody breaks exactly where the engine says so, in both directions.

use composer::contract::Contracts;
use composer::diff::{Diff, Side, diff};
use composer::shape::Shape;
use wit_component::DecodedWasm;

use crate::edit::{Change, Pair, Side as Edited};
use crate::model::{Def, ExternName, ItemKind, World};
use crate::{encode, engine, lift, many, shrink, text, words_of};

/// How many worlds are edited, from the first seed on. Each edit is tried alone as well.
const PAIRS: u64 = 3_000;
const FIRST: u64 = 0x9_0000;

/// Who breaks: callers, implementers.
type Breaks = (bool, bool);

#[test]
fn diff_breaks_whom_the_engine_breaks() {
    let found = many(FIRST, PAIRS, |seed| examine_with_parts(&Pair::generate(seed)).ok(), Tally::add);
    let tally = found.unwrap_or_else(|seed| {
        let pair = Pair::generate(seed);
        panic!("{}", explain(seed, pair));
    });
    // A generator that only made pairs of one sort would prove nothing.
    let Tally { nobody, callers, implementers, both, packages } = tally;
    assert!(nobody > 300 && callers > 700 && implementers > 700 && both > 4_000, "{tally:?}");
    assert!(packages > 3_000, "{tally:?}");
}

/// How many pairs there were of each sort.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    nobody: usize,
    callers: usize,
    implementers: usize,
    both: usize,
    /// Compared as packages as well.
    packages: usize,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.nobody += other.nobody;
        self.callers += other.callers;
        self.implementers += other.implementers;
        self.both += other.both;
        self.packages += other.packages;
    }

    fn count(&mut self, breaks: Breaks) {
        *match breaks {
            (false, false) => &mut self.nobody,
            (true, false) => &mut self.callers,
            (false, true) => &mut self.implementers,
            (true, true) => &mut self.both,
        } += 1;
    }
}

fn examine_with_parts(pair: &Pair) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for edit in &pair.edits {
        examine(&pair.alone(edit), &mut tally)?;
    }
    if pair.edits.len() > 1 {
        examine(pair, &mut tally)?;
    }
    Ok(tally)
}

/// One pair, as what two components import, as what two components export, and as two versions of a package.
fn examine(pair: &Pair, tally: &mut Tally) -> Result<(), String> {
    let (old, new) = (pair.side(Edited::Wanted), pair.side(Edited::Provided));
    // Who imports the old world, and is given the new one; and the other way round.
    let expected = (engine::verdict(&new, &old).is_err(), engine::verdict(&old, &new).is_err());
    tally.count(expected);
    let found = of_components(&lift::plug(&old), &lift::plug(&new))?;
    agree("exports", expected, &found)?;
    // Of imports, who instantiates the component is the one who provides.
    let found = of_components(&encode::socket(&old), &encode::socket(&new))?;
    agree("imports", (expected.1, expected.0), &found)?;
    if is_one_package(pair)
        && let Some((one, other)) = package(&old).zip(package(&new))
    {
        let found = diff(Side::package("old", &one), Side::package("new", &other));
        agree("package", expected, &found.map_err(|error| words_of(&error))?)?;
        tally.packages += 1;
    }
    Ok(())
}

fn of_components(old: &[u8], new: &[u8]) -> Result<Diff, String> {
    let shape = |bytes: &[u8]| Shape::of_component(bytes).map_err(|error| words_of(&error));
    let (old, new) = (shape(old)?, shape(new)?);
    diff(Side::component("old", &old), Side::component("new", &new)).map_err(|error| words_of(&error))
}

/// Whom it breaks is what is expected, and what the changes say one by one.
fn agree(what: &str, expected: Breaks, found: &Diff) -> Result<(), String> {
    let fail = |words: String| Err(format!("{what}: {words}; diff says {found:#?}"));
    if (found.callers, found.implementers) != expected {
        return fail(format!("the engine breaks (callers, implementers) {expected:?}"));
    }
    let callers = found.changes.iter().any(|change| change.callers);
    let implementers = found.changes.iter().any(|change| change.implementers);
    if (callers, implementers) != expected {
        return fail("the changes do not add up".to_owned());
    }
    for change in &found.changes {
        let excerpts = change.old.iter().chain(&change.new);
        if excerpts.into_iter().any(|excerpt| excerpt.text.get(excerpt.span.clone()).is_none()) {
            return fail(format!("the mark is outside of the text in {change:#?}"));
        }
        if change.path.is_empty() || change.problem.is_empty() {
            return fail(format!("something is missing in {change:#?}"));
        }
    }
    Ok(())
}

/// Whether both sides are interfaces of one version of one package. That an interface is new in a package breaks nobody, so
/// pairs where interfaces come and go are not for comparing packages with what the engine says.
fn is_one_package(pair: &Pair) -> bool {
    let interfaces = pair.base.externs.iter().all(|found| matches!(found.name, ExternName::Interface { .. }));
    let stays = pair.edits.iter().all(|edit| {
        !matches!(edit.change, Change::RemoveExtern | Change::RenameExtern(_) | Change::Rekind(_))
    });
    interfaces && stays
}

/// The package of a world's interfaces, as it is read back from a component. None where WIT has no words for it.
fn package(world: &World) -> Option<Contracts> {
    // A function of a resource that has another name here would have the decoder panic.
    let own = |id| matches!(world.item(id).map(|item| &item.kind), Some(ItemKind::Type(Def::Resource)));
    let functions = world.items().filter_map(|item| match &item.kind {
        ItemKind::Func(func) => func.role.resource(),
        ItemKind::Type(_) => None,
    });
    if !functions.into_iter().all(own) {
        return None;
    }
    let Ok(DecodedWasm::Component(resolve, _)) = wit_component::decode(&lift::plug(world)) else {
        return None;
    };
    let (main, _) = resolve.packages.iter().find(|(_, package)| package.name.namespace == "test")?;
    Some(Contracts::new(resolve, main))
}

/// The failure in words, with the smallest pair that fails.
fn explain(seed: u64, pair: Pair) -> String {
    let small = shrink::shrink(pair, |pair| examine_with_parts(pair).is_err());
    let words = examine_with_parts(&small).expect_err("it fails");
    let (old, new) = (small.side(Edited::Wanted), small.side(Edited::Provided));
    format!(
        "seed {seed}: {words}\n\nEdits: {:#?}\n\nOld:\n{}\nNew:\n{}",
        small.edits,
        text::world(&old),
        text::world(&new)
    )
}
