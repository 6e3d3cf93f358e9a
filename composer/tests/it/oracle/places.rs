//! Two versions of contracts that differ in one place: `diff` names that place, wherever it is.
//!
//! The texts have several packages, nested or beside the main one, with and without versions; interfaces, worlds, worlds that
//! include others, interfaces that are written out inside worlds; all kinds of items, documentation and gates. Each
//! line knows which other lines may stand in its place, and what `diff` has to name then.

use std::fmt;

use check::diff::{Side, diff};
use contract::{Contracts, Texts, push};

use super::dice::Dice;
use super::{many, words_of};

/// How many texts are made, from the first seed on, and how many edits are tried of each.
const TEXTS: u64 = 48;
const EDITS: usize = 12;
const FIRST: u64 = 0x6_0000;

#[test]
fn diff_names_every_edit_wherever_it_is() {
    let found = many(FIRST, TEXTS, |seed| Some(examine(seed)), Tally::add).unwrap_or_default();
    let Tally { named, unreadable, failures } = found;
    assert!(failures.is_empty(), "{} of {named}:\n{}", failures.len(), failures.join("\n"));
    // Edits that cannot be read would prove nothing.
    assert!(named > 400 && unreadable < named / 3, "{named} were named, {unreadable} could not be read");
}

#[derive(Debug, Default)]
struct Tally {
    named: usize,
    /// What is taken away may be used elsewhere, or be the last of its kind.
    unreadable: usize,
    failures: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.named += other.named;
        self.unreadable += other.unreadable;
        self.failures.extend(other.failures.iter().cloned());
    }
}

/// Makes a text, and edits it here and there.
fn examine(seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut dice = Dice::new(seed);
    let packages = packages(&mut dice);
    let old = match read(&packages) {
        Ok(old) => old,
        Err(error) => {
            tally.failures.push(format!("seed {seed}: {error:#}\n{}", text(&packages)));
            return tally;
        }
    };
    for _ in 0..EDITS {
        let (edited, edit) = edited(&mut dice, &packages);
        let Ok(new) = read(&edited) else {
            tally.unreadable += 1;
            continue;
        };
        let changes = match diff(Side::package("old", &old), Side::package("new", &new)) {
            Ok(found) => found.changes,
            Err(error) => {
                tally.failures.push(format!("seed {seed}: {edit}: {}", words_of(&error)));
                continue;
            }
        };
        if changes.iter().any(|change| names(&change.path, &edit.names)) {
            tally.named += 1;
        } else {
            tally
                .failures
                .push(format!("seed {seed}: {edit}: {:?} is not named in {changes:#?}", edit.names));
        }
    }
    tally
}

/// Whether the path of a change leads to a place. Names of other packages have their version in it.
fn names(path: &[String], place: &[String]) -> bool {
    let bare = |name: &String| name.split('@').next().unwrap_or_default().to_owned();
    path.len() >= place.len() && path.iter().map(bare).zip(place).all(|(found, wanted)| found == *wanted)
}

/// A line, and what may stand in its place.
#[derive(Clone)]
struct Line {
    text: String,
    /// Each with the place that has to be named.
    others: Vec<(String, Vec<String>)>,
}

#[derive(Clone)]
struct Package {
    name: String,
    lines: Vec<Line>,
    /// Whether it is nested in the main one's text.
    nested: bool,
}

/// What was done to one line.
struct Edit {
    old: String,
    new: String,
    names: Vec<String>,
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` became `{}`", self.old, self.new)
    }
}

fn edited(dice: &mut Dice, packages: &[Package]) -> (Vec<Package>, Edit) {
    let mut edited = packages.to_vec();
    let lines = edited.iter_mut().flat_map(|package| &mut package.lines);
    let mut lines: Vec<&mut Line> = lines.filter(|line| !line.others.is_empty()).collect();
    let at = dice.below(lines.len());
    let line = &mut lines[at];
    let (new, names) = dice.pick(&line.others).clone();
    let edit = Edit { old: line.text.clone(), new: new.clone(), names };
    line.text = new;
    (edited, edit)
}

fn read(packages: &[Package]) -> anyhow::Result<Contracts> {
    let whole = |package: &Package| -> String {
        package.lines.iter().map(|line| format!("{}\n", line.text)).collect()
    };
    let [main, others @ ..] = packages else { panic!("there is a main one") };
    let mut text = whole(main);
    let mut beside = Vec::new();
    for other in others {
        if other.nested {
            // The first line is the header, and documentation stays before it.
            let nested = whole(other).replacen(
                &format!("package {};", other.name),
                &format!("package {} {{", other.name),
                1,
            );
            text.push_str(&format!("{nested}}}\n"));
        } else {
            let mut texts = Texts::default();
            texts.add("other.wit", whole(other));
            beside.push(texts);
        }
    }
    let mut texts = Texts::default();
    texts.add("main.wit", text);
    Contracts::load(|resolve, features| push(resolve, &texts, &beside, features))
}

fn text(packages: &[Package]) -> String {
    let lines = packages.iter().flat_map(|package| &package.lines);
    lines.map(|line| format!("{}\n", line.text)).collect()
}

fn packages(dice: &mut Dice) -> Vec<Package> {
    let mut maker = Maker { dice, lines: Vec::new(), number: 0, gates: false };
    let count = 1 + maker.dice.below(3);
    let mut done: Vec<Package> = Vec::new();
    let mut known: Vec<(String, String)> = Vec::new();
    // Those beside the main one first: later ones use what they have.
    for index in (0..count).rev() {
        let version = if maker.dice.once_in(4) { "" } else { "@0.2.0" };
        let bare = format!("test:p{index}");
        let name = format!("{bare}{version}");
        maker.gates = !version.is_empty();
        if index == 0 || maker.dice.once_in(2) {
            maker.docs(std::slice::from_ref(&bare));
        }
        maker.line(format!("package {name};"), vec![]);
        for _ in 0..1 + maker.dice.below(3) {
            let interface = maker.fresh("i");
            maker.interface(&bare, &interface, &known);
            known.push((bare.clone(), format!("{bare}/{interface}{version}")));
        }
        for _ in 0..maker.dice.below(3) {
            maker.world(&bare, &known);
        }
        let nested = index > 0 && maker.dice.once_in(2);
        done.push(Package { name, lines: std::mem::take(&mut maker.lines), nested });
    }
    done.reverse();
    done
}

struct Maker<'d> {
    dice: &'d mut Dice,
    lines: Vec<Line>,
    number: usize,
    /// Whether the package has a version, which gates refer to.
    gates: bool,
}

const TYPES: [&str; 6] =
    ["u8", "string", "list<u32>", "option<bool>", "tuple<u8, char>", "result<u8, string>"];

impl Maker<'_> {
    fn fresh(&mut self, kind: &str) -> String {
        self.number += 1;
        format!("{kind}{}", self.number)
    }

    fn ty(&mut self) -> &'static str {
        TYPES[self.dice.below(TYPES.len())]
    }

    fn line(&mut self, text: String, others: Vec<(String, Vec<String>)>) {
        self.lines.push(Line { text, others });
    }

    /// Documentation of what has this path.
    fn docs(&mut self, path: &[String]) {
        if self.dice.once_in(2) {
            let text = self.fresh("/// Text ");
            let others = vec![(format!("{text}, otherwise."), path.to_vec()), (String::new(), path.to_vec())];
            self.line(text, others);
        } else {
            self.line(String::new(), vec![("/// It says something now.".to_owned(), path.to_vec())]);
        }
    }

    /// Documentation and the gate of what has this path.
    fn notes(&mut self, path: &[String]) {
        self.docs(path);
        if !self.gates {
            return;
        }
        let since = "@since(version = 0.1.0)".to_owned();
        let path = path.to_vec();
        if self.dice.once_in(2) {
            let others = vec![
                (String::new(), path.clone()),
                ("@since(version = 0.2.0)".to_owned(), path.clone()),
                (format!("{since} @deprecated(version = 0.2.0)"), path),
            ];
            self.line(since, others);
        } else {
            self.line(
                String::new(),
                vec![(since, path.clone()), ("@unstable(feature = f)".to_owned(), path)],
            );
        }
    }

    fn interface(&mut self, package: &str, name: &str, known: &[(String, String)]) {
        let path = vec![format!("{package}/{name}")];
        self.notes(&path);
        self.line(format!("interface {name} {{"), vec![]);
        if !known.is_empty() && self.dice.once_in(2) {
            let (_, from) = self.dice.pick(known).clone();
            let (own, other) = (self.fresh("t"), self.fresh("t"));
            let place = within(&path, &own);
            self.line(
                format!("use {from}.{{base as {own}}};"),
                vec![(format!("use {from}.{{base as {other}}};"), place.clone()), (String::new(), place)],
            );
        }
        self.items(&path);
        self.line("}".to_owned(), vec![]);
    }

    /// Items of an interface that has this path.
    fn items(&mut self, path: &[String]) {
        self.record("base", path);
        for _ in 0..1 + self.dice.below(5) {
            match self.dice.below(7) {
                0 => {
                    let name = self.fresh("r");
                    self.record(&name, path);
                }
                1 => self.labels("enum", path),
                2 => self.labels("flags", path),
                3 => self.labels("variant", path),
                4 => self.alias(path),
                5 => self.resource(path),
                _ => {
                    let name = self.fresh("g");
                    self.function("", &name, &name, path);
                }
            }
        }
    }

    fn record(&mut self, name: &str, path: &[String]) {
        let path = within(path, name);
        self.notes(&path);
        self.line(format!("record {name} {{"), vec![]);
        for _ in 0..1 + self.dice.below(3) {
            let (field, other, ty) = (self.fresh("a"), self.fresh("a"), self.ty());
            self.docs(&within(&path, &field));
            self.line(
                format!("{field}: {ty},"),
                vec![
                    (format!("{field}: s64,"), path.clone()),
                    (format!("{other}: {ty},"), path.clone()),
                    (format!("{field}: {ty}, {other}: u8,"), path.clone()),
                    (String::new(), path.clone()),
                ],
            );
        }
        self.line("}".to_owned(), vec![]);
    }

    fn labels(&mut self, kind: &str, path: &[String]) {
        let name = self.fresh("l");
        let path = within(path, &name);
        self.notes(&path);
        self.line(format!("{kind} {name} {{"), vec![]);
        for _ in 0..1 + self.dice.below(3) {
            let (label, other) = (self.fresh("c"), self.fresh("c"));
            self.docs(&within(&path, &label));
            let mut others = vec![
                (format!("{other},"), path.clone()),
                (format!("{label}, {other},"), path.clone()),
                (String::new(), path.clone()),
            ];
            if kind == "variant" {
                others.push((format!("{label}(u8),"), path.clone()));
            }
            self.line(format!("{label},"), others);
        }
        self.line("}".to_owned(), vec![]);
    }

    fn alias(&mut self, path: &[String]) {
        let (name, ty) = (self.fresh("t"), self.ty());
        let place = within(path, &name);
        self.notes(&place);
        self.line(
            format!("type {name} = {ty};"),
            vec![(format!("type {name} = f32;"), place.clone()), (String::new(), place)],
        );
    }

    fn resource(&mut self, path: &[String]) {
        let name = self.fresh("q");
        self.notes(&within(path, &name));
        self.line(format!("resource {name} {{"), vec![]);
        for _ in 0..self.dice.below(3) {
            let method = self.fresh("m");
            self.function("", &method, &format!("{name}.{method}"), path);
        }
        self.line("}".to_owned(), vec![]);
    }

    /// A function, with what stands before its name, and with the name that it has in paths.
    fn function(&mut self, before: &str, name: &str, full: &str, path: &[String]) {
        let place = within(path, full);
        let (param, other, ty) = (self.fresh("x"), self.fresh("g"), self.ty());
        self.notes(&place);
        let given = |rest: &str| (format!("{before}{name}: {rest};"), place.clone());
        self.line(
            given(&format!("func({param}: {ty}) -> u8")).0,
            vec![
                given(&format!("func({param}: s64) -> u8")),
                given(&format!("func({param}: {ty})")),
                given(&format!("func() -> {ty}")),
                given(&format!("func({other}: {ty}) -> u8")),
                given(&format!("async func({param}: {ty}) -> u8")),
                (format!("{before}{other}: func({param}: {ty}, {other}: {ty});"), place.clone()),
                (String::new(), place.clone()),
            ],
        );
    }

    fn world(&mut self, package: &str, known: &[(String, String)]) {
        let included = self.fresh("w");
        let place = [format!("{package}/{included}")];
        self.notes(&place);
        self.line(format!("world {included} {{"), vec![]);
        self.in_world("import", &place);
        self.line("}".to_owned(), vec![]);

        let name = self.fresh("w");
        let path = vec![format!("{package}/{name}")];
        self.notes(&path);
        self.line(format!("world {name} {{"), vec![]);
        if self.dice.once_in(2) {
            self.line(format!("include {included};"), vec![(String::new(), path.clone())]);
        }
        for direction in ["import", "export"] {
            let (_, interface) = self.dice.pick(known).clone();
            let bare = interface.split('@').next().unwrap_or_default().to_owned();
            let place = within(&path, &format!("{direction} {bare}"));
            self.docs(&place);
            // An import stays where something else needs it.
            let others = if direction == "export" { vec![(String::new(), place)] } else { vec![] };
            self.line(format!("{direction} {interface};"), others);
            self.in_world(direction, &path);
        }
        self.line("}".to_owned(), vec![]);
    }

    /// What is written in a world itself.
    fn in_world(&mut self, direction: &str, path: &[String]) {
        let name = self.fresh("g");
        self.function(&format!("{direction} "), &name, &format!("{direction} {name}"), path);
        if self.dice.once_in(2) {
            let name = self.fresh("inner");
            let place = within(path, &format!("{direction} {name}"));
            self.notes(&place);
            self.line(format!("{direction} {name}: interface {{"), vec![]);
            self.items(&place);
            self.line("}".to_owned(), vec![]);
        }
    }
}

fn within(path: &[String], name: &str) -> Vec<String> {
    [path, &[name.to_owned()]].concat()
}
