//! The tree that `inspect` prints.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use anatomy::link_map::Origin;
use anatomy::{Component, Part, Reached, Sizes, Source, Tool};

use super::{Inspected, said, size};
use contract::shown::{padded, width};
use contract::wit_package::WitPackage;

/// How wide lines get, in characters, where their words allow it.
const WIDTH: usize = 80;
/// However deep the tree, text gets this many characters of a line.
const NARROWEST: usize = 30;
/// How many tools are named of each part.
const TOOLS: usize = 4;
/// How many lines tell what parts reach. In a large composition there may be one for every pair of parts.
const REACHED: usize = 1_000;
/// How many parts are named of one way, half of them where it begins and half where it ends. One more is named rather
/// than counted.
const NAMED: usize = 12;

pub(super) fn component(title: &str, inspected: &Inspected) -> String {
    let component = &inspected.component;
    let mut sections = Vec::new();
    if !component.imports.is_empty() {
        let wanted = component.is_composition().then(|| component.wanted());
        let note = |import: &str| match &wanted {
            Some(wanted) => wanted_note(wanted.get(import).map_or(&[], Vec::as_slice)),
            None => String::new(),
        };
        let imports = component
            .imports
            .iter()
            .map(|import| Node::leaf([component.implements.import(import), note(import)]));
        sections.push(Node::new(["imports, from the host".to_owned()], imports.collect()));
    }
    if !component.exports.is_empty() {
        let exports = component.outlets.iter().map(|outlet| {
            let from =
                if component.is_composition() { by_note(component, &outlet.from) } else { String::new() };
            Node::leaf([component.implements.export(&outlet.export), from])
        });
        sections.push(Node::new(["exports".to_owned()], exports.collect()));
    }
    let types = [(&component.types.imports, "imported"), (&component.types.exports, "exported")];
    let types: Vec<Node> = types
        .into_iter()
        .flat_map(|(names, way)| names.iter().map(move |name| Node::leaf([name.clone(), way.to_owned()])))
        .collect();
    if !types.is_empty() {
        sections.push(Node::new(["types by themselves".to_owned()], types));
    }
    let about = if component.is_composition() {
        sections.push(Node::new(["parts, and who satisfies their imports".to_owned()], parts(inspected)));
        let reached = reached(component);
        if !reached.is_empty() {
            let heading = "what each part can reach outside, and through whom".to_owned();
            sections.push(Node::new([heading], reached));
        }
        let count = component.parts.len();
        let noun = if count == 1 { "part" } else { "parts" };
        format!("composition of {count} {noun}, {}", size(component.bytes))
    } else {
        let language = component.parts.first().and_then(|part| part.language.as_deref());
        let language = language.map_or_else(String::new, |language| format!(" in {language}"));
        format!("component{language}, {}", size(component.bytes))
    };
    let notes = notes(inspected);
    if sections.is_empty() {
        sections.push(Node::leaf(["imports nothing and exports nothing".to_owned()]));
    }
    whole(title, &about, notes, &sections)
}

pub(super) fn wit_package(title: &str, package: &WitPackage) -> String {
    let list = |heading: &str, names: &[String]| {
        let leaves = names.iter().map(|name| Node::leaf([name.clone()])).collect();
        (!names.is_empty()).then(|| Node::new([heading.to_owned()], leaves))
    };
    let contents = package.packages.iter().map(|contents| {
        let children = [list("interfaces", &contents.interfaces), list("worlds", &contents.worlds)];
        Node::new([contents.name.clone()], children.into_iter().flatten().collect())
    });
    let (mut sections, mut others) = (Vec::new(), Vec::new());
    for (index, contents) in contents.enumerate() {
        if index == 0 { sections.extend(contents.children) } else { others.push(contents) }
    }
    if !others.is_empty() {
        sections.push(Node::new(["packages that it refers to".to_owned()], others));
    }
    if sections.is_empty() {
        sections.push(Node::leaf(["without interfaces and worlds".to_owned()]));
    }
    let name = package.packages.first().map_or("", |contents| &contents.name);
    whole(title, &format!("WIT package {name}, {}", size(package.bytes)), Vec::new(), &sections)
}

fn whole(title: &str, about: &str, notes: Vec<String>, sections: &[Node]) -> String {
    let mut text = format!("{title}: {about}\n");
    for note in notes {
        for line in wrapped(&note, WIDTH - 2) {
            writeln!(text, "│ {line}").expect("writing to a string never fails");
        }
    }
    draw(sections, "", &mut text);
    text
}

/// What is to be said of the whole before its parts.
fn notes(inspected: &Inspected) -> Vec<String> {
    let component = &inspected.component;
    let mut notes = Vec::new();
    if !component.is_composition()
        && let Some(only) = component.parts.first()
    {
        notes.extend(made_by(&only.toolchain));
    }
    notes.extend(kinds(&component.sizes, component.bytes));
    match &inspected.link_map {
        Ok(Some(_)) => {}
        Ok(None) if component.is_composition() => {
            notes.push("no link map: where its parts came from is not known".to_owned());
        }
        Ok(None) => {}
        Err(error) => {
            notes.push("its link map is not believed:".to_owned());
            notes.extend(said(error).lines().map(plain));
        }
    }
    notes
}

/// The tools that come first: what is linked in brings its own along.
fn made_by(tools: &[Tool]) -> Option<String> {
    let tool = |tool: &Tool| {
        let version = if tool.version.is_empty() { String::new() } else { format!("\u{a0}{}", tool.version) };
        format!("{}{version}", tool.name)
    };
    let tools: Vec<String> = tools.iter().take(TOOLS).map(tool).collect();
    (!tools.is_empty()).then(|| format!("made by {}", tools.join(", ")))
}

/// What the bytes are; nothing where there are only types.
fn kinds(sizes: &Sizes, bytes: u64) -> Option<String> {
    let rest = bytes.saturating_sub(sizes.code + sizes.data + sizes.debug);
    let kinds = [("code", sizes.code), ("data", sizes.data), ("debug", sizes.debug), ("the rest", rest)];
    let listed = kinds.iter().filter(|(_, bytes)| *bytes > 0);
    let listed: Vec<String> = listed.map(|(kind, bytes)| format!("{kind} {}", size(*bytes))).collect();
    (sizes.code + sizes.data > 0).then(|| listed.join(", "))
}

fn wanted_note(wanted: &[&Part]) -> String {
    match wanted {
        [] => "for its types only".to_owned(),
        parts => format!("for {}", parts.iter().map(|part| full_name(part)).collect::<Vec<_>>().join(", ")),
    }
}

fn by_note(component: &Component, from: &[Source]) -> String {
    let names: Vec<String> = from.iter().map(|source| source_name(component, source)).collect();
    if names.is_empty() { String::new() } else { format!("by {}", names.join(", ")) }
}

fn full_name(part: &Part) -> String {
    part.path.join("/")
}

fn source_name(component: &Component, source: &Source) -> String {
    match source {
        Source::Host { .. } => "the host".to_owned(),
        Source::Part { part, .. } => full_name(&component.parts[*part]),
    }
}

/// The parts, those of inner compositions below a node of their own.
fn parts(inspected: &Inspected) -> Vec<Node> {
    let component = &inspected.component;
    let mut top: Vec<Node> = Vec::new();
    for (index, part) in component.parts.iter().enumerate() {
        let mut level = &mut top;
        for (depth, group) in part.path[..part.path.len() - 1].iter().enumerate() {
            let at = level.iter().position(|node| node.group && node.columns[0] == *group);
            let at = at.unwrap_or_else(|| {
                let path = &part.path[..=depth];
                let inner = component.compositions.iter().position(|inner| inner.path == path);
                let origin = inner.and_then(|inner| inspected.inner_origin(inner));
                let columns = [group.clone(), "composition".to_owned()];
                let notes = origin.map(came_from).into_iter().collect();
                level.push(Node { group: true, notes, ..Node::leaf(columns) });
                level.len() - 1
            });
            level = &mut level[at].children;
        }
        let language = part.language.clone().unwrap_or_else(|| "language unknown".to_owned());
        let columns = [part.name.clone(), language, size(part.bytes)];
        let mut notes: Vec<String> = inspected.origin(index).map(came_from).into_iter().collect();
        notes.extend(made_by(&part.toolchain));
        notes.extend(kinds(&part.sizes, part.bytes));
        level.push(Node { notes, ..Node::new(columns, wires(component, index)) });
    }
    top
}

/// The imports of a part, and who satisfies them.
fn wires(component: &Component, index: usize) -> Vec<Node> {
    let mut sources: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for edge in component.edges_of(index) {
        sources.entry(&edge.import).or_default().push(source_name(component, &edge.from));
    }
    let note = |import: &String| match sources.get(import.as_str()) {
        Some(names) => format!("← {}", names.join(", ")),
        None => String::new(),
    };
    let Part { imports, implements, .. } = &component.parts[index];
    imports.iter().map(|import| Node::leaf([implements.import(import), note(import)])).collect()
}

fn came_from(origin: &Origin) -> String {
    let place = origin.file.as_ref().or(origin.registry.as_ref());
    plain(&match place {
        Some(place) => format!("from {}, {place}", origin.package),
        None => format!("from {}", origin.package),
    })
}

/// What each part can reach of the host's. Nothing where the whole asks nothing of its host.
fn reached(component: &Component) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut lines = 0;
    if component.imports.is_empty() {
        return nodes;
    }
    let reach = component.reach();
    for (index, part) in component.parts.iter().enumerate() {
        if lines > REACHED {
            let left = component.parts.len() - index;
            nodes.push(Node::leaf([format!("… and {left} parts more: `--json` lists them all")]));
            break;
        }
        let reached: Vec<Node> = reach.of(index).iter().map(|reached| through(component, reached)).collect();
        lines += 1 + reached.iter().map(|node| 1 + node.notes.len() + node.children.len()).sum::<usize>();
        let note = if reached.is_empty() { "nothing" } else { "" };
        nodes.push(Node::new([full_name(part), note.to_owned()], reached));
    }
    if !reach.is_complete() {
        nodes.push(Node::leaf(["… and through parts that there are too many wires to follow to".to_owned()]));
    }
    nodes
}

/// What is reached through one part, and every way there.
fn through(component: &Component, reached: &Reached) -> Node {
    let mut ways = reached.ways.iter().map(|way| {
        let names: Vec<String> = way[1..].iter().map(|part| full_name(&component.parts[*part])).collect();
        if names.is_empty() { "itself".to_owned() } else { format!("through {}", arrows(&names)) }
    });
    let heading = ways.next().unwrap_or_default();
    let mut notes: Vec<String> = ways.map(|way| format!("or {way}")).collect();
    if reached.more > 0 {
        let noun = if reached.more == 1 { "way" } else { "ways" };
        notes.push(format!("and {} more {noun}", reached.more));
    }
    let leaves = by_package(&reached.imports).into_iter().map(|line| Node::leaf([line])).collect();
    Node { notes, ..Node::new([heading], leaves) }
}

/// A way, without its middle where it is long.
fn arrows(names: &[String]) -> String {
    if names.len() <= NAMED + 1 {
        return names.join(" → ");
    }
    let (first, last) = (&names[..NAMED / 2], &names[names.len() - NAMED / 2..]);
    format!("{} → … {} more … → {}", first.join(" → "), names.len() - NAMED, last.join(" → "))
}

/// Interfaces of one package in one line: `wasi:io/{poll, streams}@0.2.12`.
fn by_package(imports: &[String]) -> Vec<String> {
    let mut packages: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    let mut lines = Vec::new();
    for import in imports {
        let (path, version) = import.split_once('@').unwrap_or((import, ""));
        match path.split_once('/') {
            Some((package, interface)) if package.contains(':') => {
                let at = *known.entry((package, version)).or_insert(packages.len());
                match packages.get_mut(at) {
                    Some((_, list)) => list.push(interface),
                    None => packages.push(((package, version), vec![interface])),
                }
            }
            _ => lines.push(import.clone()),
        }
    }
    lines.extend(packages.into_iter().map(|((package, version), list)| {
        let version = if version.is_empty() { String::new() } else { format!("@{version}") };
        match list.as_slice() {
            [only] => format!("{package}/{only}{version}"),
            list => format!("{package}/{{{}}}{version}", list.join(", ")),
        }
    }));
    lines
}

struct Node {
    columns: Vec<String>,
    /// What is to be said of it before its children.
    notes: Vec<String>,
    children: Vec<Node>,
    /// Whether it stands for an inner composition.
    group: bool,
}

impl Node {
    fn new<const N: usize>(columns: [String; N], children: Vec<Node>) -> Self {
        Node { columns: columns.into(), notes: Vec::new(), children, group: false }
    }

    fn leaf<const N: usize>(columns: [String; N]) -> Self {
        Node::new(columns, Vec::new())
    }
}

/// Draws siblings, their columns aligned.
fn draw(nodes: &[Node], indent: &str, text: &mut String) {
    let columns = nodes.iter().map(|node| node.columns.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(nodes.iter().filter_map(|node| node.columns.get(column)).map(String::as_str)))
        .collect();
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        let (branch, below) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let stem = format!("{indent}{below}");
        let mut head = String::new();
        for (name, &width) in node.columns.iter().zip(&widths).take(node.columns.len() - 1) {
            head.push_str(&padded(name, width));
            head.push_str("  ");
        }
        let room = WIDTH.saturating_sub(indent.chars().count() + 4);
        let start = head.chars().count();
        // What follows a name that is longer than all lines begins where it would without it.
        let hang = width([head.as_str()]);
        let tail = node.columns.last().map_or("", String::as_str);
        for (number, line) in wrapped(tail, room.saturating_sub(start)).iter().enumerate() {
            let line = match number {
                0 => format!("{indent}{branch}{head}{line}"),
                _ => format!("{stem}{}  {line}", padded("", hang)),
            };
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let bar = if node.children.is_empty() { "  " } else { "│ " };
        for line in node.notes.iter().flat_map(|note| wrapped(note, room.saturating_sub(2))) {
            writeln!(text, "{stem}{bar}{line}").expect("writing to a string never fails");
        }
        draw(&node.children, &stem, text);
    }
}

/// Breaks a text between words, but not at no-break spaces. A text without words is one empty line.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(NARROWEST);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.into_iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

/// A text from a file, without what would steer the terminal.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
