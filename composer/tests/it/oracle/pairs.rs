//! Pairs of worlds: `check` is silent exactly where the engine is, and names every edit that breaks.

use std::collections::BTreeSet;

use check::{Mismatch, Part, Report, wiring};
use contract::shape::{Item, Shape};

use super::edit::{Change, Edit, Pair, Side};
use super::model::{Def, Extern, ExternKind, ExternName, Func, Id, ItemKind, Role, Ty, World};
use super::{asked, encode, engine, lift, many, plugged, shrink, text};

/// How many worlds are edited; each of the edits is tried alone as well, which makes about four times as many pairs.
const PAIRS: u64 = 10_000;

/// Where the seeds begin.
const FIRST: u64 = 0x1_0000;

/// Seeds of which `check` and the engine once said different things, beyond those of the range.
const FOUND: [u64; 5] = [
    // Each of two parts holds resources of the host for one, which the other one keeps apart.
    268_438_874,
    268_444_063,
    268_446_852,
    // Two names for a resource, both of which are to be names for another one.
    268_461_730,
    268_473_695,
];

/// Seeds that are examined between two lines of a campaign.
const STRETCH: u64 = 2_000;

/// How many of the seeds that fail in a campaign are explained.
const EXPLAINED: usize = 3;

/// Where `ORACLE_SEED` is set, a campaign from that seed on, as `./just oracle` starts it: as many seeds as it takes to
/// compare `ORACLE_PAIRS` pairs, which are one without it. Otherwise what is always examined.
#[test]
fn check_says_what_the_engine_says() {
    if let Some(first) = asked("ORACLE_SEED") {
        return campaign(first, asked("ORACLE_PAIRS").unwrap_or(1));
    }
    for seed in FOUND {
        let pair = Pair::generate(seed);
        examine_with_parts(&pair).unwrap_or_else(|words| panic!("{}", explain(seed, pair, &words)));
    }
    let found = many(FIRST, PAIRS, |seed| examine_with_parts(&Pair::generate(seed)).ok(), Tally::add);
    let tally = found.unwrap_or_else(|seed| panic!("{}", explain_seed(seed)));
    // A generator that only made pairs of one sort would prove nothing.
    assert!(tally.fitting > 4000 && tally.apart > 20_000, "{tally:?}");
    assert!(tally.harmless_together > 500, "{tally:?}");
}

/// Examines seeds from the first on until so many pairs were compared, whatever is found on the way.
fn campaign(first: u64, pairs: usize) {
    let (mut tally, mut next) = (Tally::default(), first);
    let examine = |seed| {
        let failed = || Tally { failed: vec![seed], ..Tally::default() };
        Some(examine_with_parts(&Pair::generate(seed)).unwrap_or_else(|_| failed()))
    };
    // A seed that fails counts as one.
    while let Some(missing) =
        pairs.checked_sub(tally.pairs() + tally.failed.len()).filter(|missing| *missing > 0)
    {
        let missing = u64::try_from(missing).unwrap_or(u64::MAX);
        let stretch = missing.min(STRETCH).min(u64::MAX - next);
        let found = many(next, stretch, examine, Tally::add);
        tally.add(&found.expect("a seed that fails is counted as well"));
        next += stretch;
        if stretch == 0 {
            break;
        }
        println!("{}", tally.told(first, next - 1));
    }
    tally.failed.sort_unstable();
    let explained: String =
        tally.failed.iter().take(EXPLAINED).map(|seed| format!("\n\n{}", explain_seed(*seed))).collect();
    assert!(tally.failed.is_empty(), "{}{explained}", tally.told(first, next - 1));
}

/// How many pairs there were, of all sizes.
#[derive(Debug, Default)]
struct Tally {
    fitting: usize,
    apart: usize,
    /// Of those that fit, such as have more than one edit.
    harmless_together: usize,
    /// Seeds of which the engine says something else.
    failed: Vec<u64>,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.fitting += other.fitting;
        self.apart += other.apart;
        self.harmless_together += other.harmless_together;
        self.failed.extend(&other.failed);
    }

    /// How many there were in all, beside those of the seeds that failed.
    fn pairs(&self) -> usize {
        self.fitting + self.apart
    }

    /// One line about seeds from the first to the last.
    fn told(&self, first: u64, last: u64) -> String {
        let failed = match self.failed.as_slice() {
            [] => "no disagreement".to_owned(),
            seeds => format!("{} seeds with a disagreement: {seeds:?}", seeds.len()),
        };
        let (pairs, fitting, apart) = (self.pairs(), self.fitting, self.apart);
        format!("seeds {first} to {last}: {pairs} pairs, {fitting} fit, {apart} do not; {failed}")
    }

    fn count(&mut self, pair: &Pair, fits: bool) {
        self.fitting += usize::from(fits);
        self.apart += usize::from(!fits);
        self.harmless_together += usize::from(fits && pair.edits.len() > 1);
    }
}

/// Each edit alone, then all together, and then those that break nothing.
fn examine_with_parts(pair: &Pair) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let (mut breaking, mut harmless) = (Vec::new(), Vec::new());
    for edit in &pair.edits {
        let alone = pair.alone(edit);
        // Whether it breaks is what the oracle says; if it does, the report must name it.
        let fits = examine(&alone, &[edit])?;
        tally.count(&alone, fits);
        if fits { harmless.push(edit.clone()) } else { breaking.push(edit) }
    }
    if pair.edits.len() > 1 {
        tally.count(pair, examine(pair, &breaking)?);
    }
    if harmless.len() > 1 && !breaking.is_empty() {
        let rest = Pair { base: pair.base.clone(), edits: harmless };
        tally.count(&rest, examine(&rest, &[])?);
    }
    Ok(tally)
}

/// What is provided, and what the host may always give: interfaces of types alone.
fn with_the_host(provided: &World, wanted: &World) -> World {
    let asks_for_nothing = |found: &Extern| match &found.kind {
        ExternKind::Interface(items) => {
            items.iter().all(|item| matches!(&item.kind, ItemKind::Type(def) if *def != Def::Resource))
        }
        ExternKind::Func(_) => false,
    };
    let missing = |found: &&Extern| engine::serves(provided, &found.name).is_none();
    let given = wanted.externs.iter().filter(missing).filter(|found| asks_for_nothing(found));
    World { externs: provided.externs.iter().chain(given).cloned().collect() }
}

/// One pair: the engine's word against the report, in which all of `breaking` must be named if the pair does not fit.
fn examine(pair: &Pair, breaking: &[&Edit]) -> Result<bool, String> {
    let (wanted, provided) = (pair.side(Side::Wanted), pair.side(Side::Provided));
    let verdict = engine::verdict(&with_the_host(&provided, &wanted), &wanted);
    // What is exported may be passed on or defined; that makes no difference, so each gets its share.
    let plug = if pair.edits.len() == 1 { encode::plug(&provided) } else { lift::plug(&provided) };
    let socket = encode::socket(&wanted);
    let report = plugged(("socket", &socket), &[("plug", &plug)])
        .map_err(|error| format!("check cannot tell: {error:?}"))?;
    if report.fits() != verdict.is_ok() {
        return Err(format!("the engine says {verdict:?}, check says {:#?}", report.mismatches));
    }
    for mismatch in &report.mismatches {
        is_sound(mismatch)?;
    }
    both_of_the_host(&wanted, &provided)?;
    if !report.fits() {
        for edit in breaking {
            let place = Place::of(edit, &wanted, &provided);
            if !place.is_named(&report) {
                return Err(format!(
                    "{place:?} is not named for {edit:?}; check says {:#?}",
                    report.mismatches
                ));
            }
        }
    }
    Ok(report.fits())
}

/// Two components that leave to the host what the two worlds have: it can give it to both if one of them has all that the
/// other wants. Where both want things of the same names, that is the only way.
fn both_of_the_host(wanted: &World, provided: &World) -> Result<(), String> {
    let shape =
        |world: &World| Shape::of_component(&encode::socket(world)).map_err(|error| error.to_string());
    let shapes = [shape(wanted)?, shape(provided)?];
    let parts = [Part { name: "one", shape: &shapes[0] }, Part { name: "other", shape: &shapes[1] }];
    let report = wiring(&parts, &[], &[]).map_err(|error| format!("check cannot tell: {error:?}"))?;
    let verdicts = [engine::verdict(provided, wanted), engine::verdict(wanted, provided)];
    let possible = verdicts.iter().any(Result::is_ok);
    let alike = names(&shapes[0]) == names(&shapes[1]);
    if report.fits() == possible || (report.fits() && !alike) {
        report.mismatches.iter().try_for_each(is_sound)
    } else {
        Err(format!("of one host, the engine says {verdicts:?}, check says {:#?}", report.mismatches))
    }
}

/// All names that a component imports, those in interfaces too.
fn names(shape: &Shape) -> BTreeSet<(&str, &str)> {
    let mut names = BTreeSet::new();
    for (import, item) in &shape.root().imports {
        names.insert((import.as_str(), ""));
        if let Item::Interface(id) = item {
            names.extend(shape.interface(*id).items.iter().map(|(name, _)| (import.as_str(), name.as_str())));
        }
    }
    names
}

/// What holds for every mismatch: excerpts mark a token inside of them, and there is something to read.
fn is_sound(mismatch: &Mismatch) -> Result<(), String> {
    for excerpt in mismatch.wanted.iter().chain(&mismatch.offered) {
        if excerpt.text.get(excerpt.span.clone()).is_none() {
            return Err(format!("the mark is outside of the text: {mismatch:#?}"));
        }
    }
    if mismatch.path.is_empty() || mismatch.problem.is_empty() || mismatch.edit.is_empty() {
        return Err(format!("something is missing: {mismatch:#?}"));
    }
    Ok(())
}

/// Where an edit is, in the names that a person sees: those of the wanted side, or else of the provided one.
#[derive(Debug)]
struct Place {
    /// Names that the path has, outermost first.
    path: Vec<String>,
    /// What must at least be spoken of: a member that one side lacks has no path of its own.
    spoken: Option<String>,
    classes: Vec<&'static str>,
}

impl Place {
    fn of(edit: &Edit, wanted: &World, provided: &World) -> Self {
        let home = |world: &World| {
            world.home(edit.at).or_else(|| world.find(edit.at)).map(|found| found.name.full())
        };
        let item = |id: Id, world: &World| world.item(id).map(|item| displayed(world, item));
        let either = |f: &dyn Fn(&World) -> Option<String>| f(wanted).or_else(|| f(provided));
        let mut path: Vec<String> =
            either(&home).into_iter().chain(either(&|world| item(edit.at, world))).collect();
        let mut spoken = None;
        let member = |id: Id| either(&|world: &World| member_name(world, edit.at, id));
        match &edit.change {
            Change::AddItem(new) => path.push(new.name.clone()),
            Change::Retype(id, _) => path.extend(member(*id)),
            Change::AddField(_, field) => spoken = Some(field.name.clone()),
            Change::RemoveField(id) | Change::RenameField(id, _) | Change::SwapFields(id, _) => {
                spoken = member(*id)
            }
            _ => {}
        }
        Place { path, spoken, classes: classes(edit, wanted, provided) }
    }

    fn is_named(&self, report: &Report) -> bool {
        let holds = |path: &[String]| {
            let mut rest = path.iter();
            self.path.iter().all(|name| rest.any(|element| element == name))
        };
        report.mismatches.iter().any(|mismatch| {
            let here = holds(&mismatch.path);
            let class = self.classes.is_empty() || self.classes.contains(&mismatch.class.as_str());
            let speaks = self.spoken.as_ref().is_none_or(|name| {
                let excerpts = mismatch.wanted.iter().chain(&mismatch.offered).map(|excerpt| &excerpt.text);
                let texts = mismatch.path.iter().chain([&mismatch.problem, &mismatch.edit]).chain(excerpts);
                texts.into_iter().any(|text| text.contains(name.as_str()))
            });
            here && class && speaks
        })
    }
}

fn member_name(world: &World, at: Id, member: Id) -> Option<String> {
    let fields = match (world.func(at), world.item(at).map(|item| &item.kind)) {
        (Some(func), _) => &func.params[..],
        (None, Some(ItemKind::Type(def))) => def.fields()?,
        _ => return None,
    };
    fields.iter().find(|field| field.id == member).map(|field| field.name.clone())
}

/// As reports write it: `resource.method`.
fn displayed(world: &World, item: &super::model::Item) -> String {
    let resource = |id: Id| world.item(id).map_or_else(String::new, |found| found.name.clone());
    match &item.kind {
        ItemKind::Func(Func { role: Role::Constructor(id), .. }) => format!("{}.constructor", resource(*id)),
        ItemKind::Func(Func { role: Role::Method(id) | Role::Static(id), .. }) => {
            format!("{}.{}", resource(*id), item.name)
        }
        _ => item.name.clone(),
    }
}

/// The classes that an edit calls for; none where more than these would be right.
fn classes(edit: &Edit, wanted: &World, provided: &World) -> Vec<&'static str> {
    let is_func = |id: Id| [wanted, provided].into_iter().any(|world| world.func(id).is_some());
    let members = || {
        let def = |world: &World| match &world.item(edit.at)?.kind {
            ItemKind::Type(def) => Some(def.clone()),
            ItemKind::Func(_) => None,
        };
        match def(wanted).or_else(|| def(provided)) {
            Some(Def::Record(_)) => "record-field",
            Some(Def::Variant(_)) => "variant-case",
            _ => "enum-case",
        }
    };
    match &edit.change {
        Change::RemoveExtern => vec!["missing-interface", "missing-function", "unwired"],
        Change::RenameExtern(_) => {
            let name = |world: &World| world.find(edit.at).map(|found| found.name.clone());
            match (name(wanted), name(provided)) {
                (
                    Some(ExternName::Interface { interface: one, .. }),
                    Some(ExternName::Interface { interface: other, .. }),
                ) if one == other => vec!["version-incompatible"],
                _ => vec!["missing-interface", "missing-function", "unwired", "name-near-miss"],
            }
        }
        Change::Rekind(ExternKind::Func(_) | ExternKind::Interface(_)) => vec!["kind"],
        Change::RemoveItem | Change::RenameItem(_) if is_func(edit.at) => {
            vec!["missing-function", "name-near-miss"]
        }
        Change::AddItem(item) if matches!(item.kind, ItemKind::Func(_)) => {
            vec!["missing-function", "name-near-miss"]
        }
        Change::Rerole(_) => vec!["missing-function", "name-near-miss", "kind"],
        Change::RemoveItem | Change::RenameItem(_) | Change::AddItem(_) => {
            vec!["type-shape", "name-near-miss"]
        }
        Change::Redefine(kind) => {
            let role = |world: &World| world.func(edit.at).map(|func| func.role);
            match (kind, role(wanted).or_else(|| role(provided))) {
                (_, Some(Role::Free)) => vec!["kind"],
                // Functions of a resource have names that no type has.
                (ItemKind::Type(_), Some(_)) => vec!["missing-function", "type-shape"],
                _ => vec![],
            }
        }
        Change::RemoveField(_) | Change::AddField(..) if is_func(edit.at) => vec!["parameter-count"],
        Change::RenameField(..) | Change::SwapFields(..) if is_func(edit.at) => vec!["parameter-name"],
        Change::RemoveField(_) | Change::AddField(..) | Change::RenameField(..) | Change::SwapFields(..) => {
            vec![members()]
        }
        Change::Async => vec!["async"],
        Change::Result(None) => vec!["type-shape"],
        Change::Retype(_, None) => vec!["variant-case"],
        Change::Retype(_, Some(Ty::Prim(_))) | Change::Result(Some(Ty::Prim(_))) => {
            vec!["type-shape", "variant-case"]
        }
        Change::Retype(..) | Change::Result(_) | Change::MoveLast => vec![],
    }
}

/// The failure of a seed.
fn explain_seed(seed: u64) -> String {
    let pair = Pair::generate(seed);
    let words = examine_with_parts(&pair).expect_err("it failed before");
    explain(seed, pair, &words)
}

/// The failure in words, with the smallest pair that fails in the same way.
fn explain(seed: u64, pair: Pair, words: &str) -> String {
    let small = shrink::shrink(pair, |pair| examine_with_parts(pair).is_err());
    let small_words = examine_with_parts(&small).expect_err("it fails");
    let (wanted, provided) = (small.side(Side::Wanted), small.side(Side::Provided));
    format!(
        "seed {seed} (`./just oracle --seed {seed} --pairs 1` tries it alone): {words}\n\nThe smallest pair of its sort: \
         {small_words}\n\nEdits: {:#?}\n\nWanted:\n{}\nProvided:\n{}",
        small.edits,
        text::world(&wanted),
        text::world(&provided)
    )
}
