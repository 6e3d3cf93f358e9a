//! Old and new worlds: `diff` says that somebody breaks exactly where the engine says so, in both directions.

use check::compatible;
use check::diff::{self, Diff, Side, diff};
use contract::Contracts;
use contract::shape::Shape;
use wasmparser::Validator;
use wit_component::DecodedWasm;

use super::edit::{Change, Pair, Side as Edited};
use super::model::{Def, ExternName, ItemKind, World};
use super::{encode, engine, lift, many, shrink, text, words_of};

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

/// Interfaces of another package that have a type `n`: two versions of one track, one off it, and another interface.
const ELSEWHERE: [&str; 4] = ["x:y/t@0.1.0", "x:y/t@0.1.1", "x:y/t@0.2.0", "x:y/other@0.1.0"];

/// An interface that takes its type from elsewhere: from one of those before, from another one now. A host gives one instance
/// for what promises to fit, so the engine is asked whether who wants the one takes the other.
#[test]
fn diff_breaks_whom_the_engine_breaks_through_another_package() {
    let mut broken = 0;
    for is_resource in [true, false] {
        for through_record in [true, false] {
            for (old, new) in ELSEWHERE.iter().flat_map(|old| ELSEWHERE.map(|new| (*old, new))) {
                let takes = |wanted, given| engine_takes(wanted, given, is_resource, through_record);
                let expected = (!takes(old, new), !takes(new, old));
                let [one, other] = [old, new].map(|from| using(from, is_resource, through_record));
                let found = diff(Side::package("old", &one), Side::package("new", &other));
                let mut found = found.expect("they can be compared");
                // What the other package lost or got is a change of its own, which the engine is not asked about.
                found.contracts.retain(|contract| !contract.name.starts_with("x:y"));
                found.changes.retain(|change| !change.path[0].starts_with("x:y"));
                let none = diff::Breaks::NOBODY;
                found.breaks = found.contracts.iter().fold(none, |all, contract| all.or(contract.breaks));
                agree(&format!("{old} became {new}"), expected, &found)
                    .unwrap_or_else(|words| panic!("{words}"));
                broken += usize::from(expected == (true, true));
            }
        }
    }
    assert_eq!(broken, 2 * 10, "all but each with itself, and the two of one track with each other");
}

/// Whether who wants an interface with a type from the one place takes it with that from another one.
fn engine_takes(wanted: &str, given: &str, is_resource: bool, through_record: bool) -> bool {
    let define = if is_resource { "(sub resource)" } else { "(eq $value)" };
    let handle = if is_resource { "(own $m)" } else { "$m" };
    let elsewhere = format!("(instance (type $value u32) (export \"n\" (type {define})))");
    // The record is that of this interface, and so is the name for the type.
    let interface = if through_record {
        format!(
            "(instance (export \"n\" (type $m (eq $n))) (type $h {}) (type $d (record (field \"n\" $h)))
             (export \"r\" (type $r (eq $d))) (export \"f\" (func (param \"a\" $r))))",
            if is_resource { "(own $m)" } else { "(tuple $m)" }
        )
    } else {
        format!(
            "(instance (export \"n\" (type $m (eq $n))) (type $h (tuple {handle})) (export \"f\" (func (param \"a\" $h))))"
        )
    };
    let names =
        |from: &str| format!("(import \"{from}\" {})", elsewhere.replacen("(instance", "(instance $from", 1));
    let one = compatible(wanted, given);
    let first = names(wanted).replace("$from", "$wanted");
    let second = if one { String::new() } else { names(given).replace("$from", "$given") };
    let source = if one { "$wanted" } else { "$given" };
    let text = format!(
        "(component {first} {second}
            (alias export {source} \"n\" (type $n))
            (import \"i\" {})
            (component $consumer {} (alias export $from \"n\" (type $n)) (import \"i\" {interface}))
            (instance (instantiate $consumer (with \"{wanted}\" (instance $wanted)) (with \"i\" (instance $i)))))",
        interface.replacen("(instance", "(instance $i", 1),
        names(wanted),
    );
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Validator::new_with_features(engine::all_features()).validate_all(&bytes).is_ok()
}

/// The package of such an interface.
fn using(from: &str, is_resource: bool, through_record: bool) -> Contracts {
    let define = if is_resource { "resource n;" } else { "type n = u32;" };
    let (path, version) = from.split_once('@').expect("it has a version");
    let (package, interface) = path.split_once('/').expect("it is one of a package");
    let items = if through_record {
        "record r { n: tuple<n> } f: func(a: r);"
            .replace("tuple<n>", if is_resource { "n" } else { "tuple<n>" })
    } else {
        "f: func(a: tuple<n>);".to_owned()
    };
    let text = format!(
        "package test:a@1.0.0; interface i {{ use {from}.{{n}}; {items} }}
         package {package}@{version} {{ interface {interface} {{ {define} }} }}"
    );
    Contracts::parse("test.wit", &text).unwrap_or_else(|error| panic!("{error:#}\n{text}"))
}

fn of_components(old: &[u8], new: &[u8]) -> Result<Diff, String> {
    let shape = |bytes: &[u8]| Shape::of_component(bytes).map_err(|error| words_of(&error));
    let (old, new) = (shape(old)?, shape(new)?);
    diff(Side::component("old", &old), Side::component("new", &new)).map_err(|error| words_of(&error))
}

/// Whom it breaks is what is expected, and what the changes say one by one.
fn agree(what: &str, expected: Breaks, found: &Diff) -> Result<(), String> {
    let fail = |words: String| Err(format!("{what}: {words}; diff says {found:#?}"));
    if (found.breaks.callers, found.breaks.implementers) != expected {
        return fail(format!("the engine breaks (callers, implementers) {expected:?}"));
    }
    let callers = found.changes.iter().any(|change| change.breaks.callers);
    let implementers = found.changes.iter().any(|change| change.breaks.implementers);
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
