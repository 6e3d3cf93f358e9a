//! Shows what is inside a component: as a tree for people, and as JSON for programs.
//!
//! # The JSON
//!
//! One object. `format` is 1, and changes when something is taken away or gets another meaning; fields may be
//! added without that. All names are full names, all sizes bytes, all digests SHA-256 in hexadecimal; parts are
//! referred to by their index in `parts`.
//!
//! | field | |
//! |---|---|
//! | `format` | 1 |
//! | `name` | what the component calls itself, or null |
//! | `bytes`, `digest` | of the whole file |
//! | `composition` | whether it is put together from parts |
//! | `imports`, `exports` | lists of names: interfaces, plain functions, resources |
//! | `parts` | each `name`, `path` (names from the outside in, the own last), `language` (or null), `offset`, `bytes`, `digest`, `imports`, `exports`. A component that is no composition is its own single part |
//! | `edges` | each `part`, `import`, and `from`: what satisfies that import of that part |
//! | `outlets` | each `export`, and `from`: a list of what stands behind that export |
//!
//! A source (`from`) is `{"kind": "host", "import": NAME}`, where the name is one of `imports`, or `{"kind": "part",
//! "part": INDEX, "export": NAME}`; the export is null where the instance as a whole is meant.

use std::fmt::Write;

use anatomy::{Component, Part, Source};
use serde::Serialize;

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    composition: bool,
    #[serde(flatten)]
    component: &'a Component,
}

/// The JSON, as described in the [module's documentation](self), over several lines.
#[must_use]
pub fn json(component: &Component) -> String {
    let json = Json { format: 1, composition: component.is_composition(), component };
    serde_json::to_string_pretty(&json).expect("names and numbers always have a form in JSON")
}

/// The tree, titled with the name of the file. Ends with a line feed.
#[must_use]
pub fn tree(title: &str, component: &Component) -> String {
    let mut sections = Vec::new();
    if !component.imports.is_empty() {
        let imports = component.imports.iter().map(|import| {
            let wanted = component.wanted_by(import);
            let note = if component.is_composition() { wanted_note(&wanted) } else { String::new() };
            Node::leaf([import.clone(), note])
        });
        sections.push(Node::new(["imports, from the host".to_owned()], imports.collect()));
    }
    if !component.exports.is_empty() {
        let exports = component.outlets.iter().map(|outlet| {
            let from =
                if component.is_composition() { by_note(component, &outlet.from) } else { String::new() };
            Node::leaf([outlet.export.clone(), from])
        });
        sections.push(Node::new(["exports".to_owned()], exports.collect()));
    }
    let about = if component.is_composition() {
        sections.push(Node::new(["parts, and who satisfies their imports".to_owned()], parts(component)));
        let count = component.parts.len();
        let noun = if count == 1 { "part" } else { "parts" };
        format!("composition of {count} {noun}, {}", size(component.bytes))
    } else {
        let language = component.parts.first().and_then(|part| part.language.as_deref());
        let language = language.map_or_else(String::new, |language| format!(" in {language}"));
        format!("component{language}, {}", size(component.bytes))
    };
    let mut text = format!("{title}: {about}\n");
    if sections.is_empty() {
        text.push_str("└── imports nothing and exports nothing\n");
    }
    draw(&sections, "", &mut text);
    text
}

/// A size for people: `812 bytes`, `5.8 KB`, `58 KB`, `12.8 MB`, in powers of 1,000.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} bytes"),
        1_000..1_000_000 => (1_000, "KB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = (u128::from(bytes) * 10 + unit / 2) / unit;
    if tenths < 100 || name != "KB" {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", (tenths + 5) / 10)
    }
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
fn parts(component: &Component) -> Vec<Node> {
    let mut top: Vec<Node> = Vec::new();
    for (index, part) in component.parts.iter().enumerate() {
        let mut level = &mut top;
        for group in &part.path[..part.path.len() - 1] {
            let at = level.iter().position(|node| node.group && node.columns[0] == *group);
            let at = at.unwrap_or_else(|| {
                let columns = [group.clone(), "composition".to_owned()];
                level.push(Node { group: true, ..Node::leaf(columns) });
                level.len() - 1
            });
            level = &mut level[at].children;
        }
        let language = part.language.clone().unwrap_or_else(|| "language unknown".to_owned());
        let imports = part.imports.iter().map(|import| {
            let edges = component.edges.iter().filter(|edge| edge.part == index && edge.import == *import);
            let names: Vec<String> = edges.map(|edge| source_name(component, &edge.from)).collect();
            let note = if names.is_empty() { String::new() } else { format!("← {}", names.join(", ")) };
            Node::leaf([import.clone(), note])
        });
        let columns = [part.name.clone(), language, size(part.bytes)];
        level.push(Node::new(columns, imports.collect()));
    }
    top
}

struct Node {
    columns: Vec<String>,
    children: Vec<Node>,
    /// Whether it stands for an inner composition.
    group: bool,
}

impl Node {
    fn new<const N: usize>(columns: [String; N], children: Vec<Node>) -> Self {
        Node { columns: columns.into(), children, group: false }
    }

    fn leaf<const N: usize>(columns: [String; N]) -> Self {
        Node::new(columns, Vec::new())
    }
}

/// Draws siblings, their columns aligned.
fn draw(nodes: &[Node], indent: &str, text: &mut String) {
    let columns = nodes.iter().map(|node| node.columns.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let lengths = nodes.iter().filter_map(|node| node.columns.get(column));
            lengths.map(|name| name.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        let (branch, below) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let mut line = format!("{indent}{branch}");
        for (name, &width) in node.columns.iter().zip(&widths) {
            write!(line, "{name:width$}  ").expect("writing to a string never fails");
        }
        text.push_str(line.trim_end());
        text.push('\n');
        draw(&node.children, &format!("{indent}{below}"), text);
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_rounded_to_what_matters() {
        let shown =
            [0, 999, 1_000, 5_849, 9_999, 58_300, 999_999, 1_000_000, 12_813_426, 1_250_000_000].map(size);
        let expected = [
            "0 bytes",
            "999 bytes",
            "1.0 KB",
            "5.8 KB",
            "10 KB",
            "58 KB",
            "1000 KB",
            "1.0 MB",
            "12.8 MB",
            "1.3 GB",
        ];
        assert_eq!(shown, expected);
    }
}
